// SPDX-License-Identifier: MIT OR Apache-2.0
//! What setup prints.

use std::path::Path;

use serde_json::json;

use crate::fail::Failure;
use crate::output::{Cell, Output, Style};

use super::chips::{ChipInfo, LineState, title};
use super::edges::{Heard, loudest};
use super::layers;
use super::plan::Plan;

/// Chips and lines.
pub fn chips(chips: &[ChipInfo], out: &Output) -> Result<(), Failure> {
    if out.json {
        return out.object(&json!({ "chips": chips }));
    }
    for (at, chip) in chips.iter().enumerate() {
        if at > 0 {
            out.line("")?;
        }
        out.line(&out.paint(&title(chip), Style::Heading))?;
        if let Some(problem) = &chip.problem {
            out.line(&format!("  {}", out.paint(problem, Style::Warn)))?;
            continue;
        }
        let rows: Vec<Vec<Cell>> = chip
            .lines
            .iter()
            .map(|line| {
                let (state, style) = match line.state {
                    LineState::Free => ("free", Style::Good),
                    LineState::Output => ("output", Style::Dim),
                    LineState::Taken => ("taken", Style::Warn),
                };
                let edges = if line.edges { "interrupts" } else { "" };
                vec![
                    Cell::number(format!("line {}", line.line)),
                    Cell::styled(state, style),
                    Cell::new(&line.name),
                    Cell::new(&line.consumer),
                    Cell::new(edges),
                ]
            })
            .collect();
        out.table("  ", &rows)?;
    }
    Ok(())
}

/// What was heard: lines with edges, then in one sentence those without.
pub fn heard(heard: &[Heard], out: &Output) -> Result<(), Failure> {
    if out.json {
        let guess = loudest(heard).map(|h| json!({ "chip": h.chip, "line": h.line }));
        return out.object(&json!({ "heard": heard, "found": guess }));
    }
    for line in heard.iter().filter(|h| h.edges > 0) {
        let name = if line.name.is_empty() { String::new() } else { format!(" ({})", line.name) };
        let rest = match line.high_at_rest {
            Some(true) => ", high at the beginning",
            Some(false) => ", low at the beginning",
            None => "",
        };
        let text = format!("{} line {}{name}: {}{rest}", line.chip, line.line, edges(line.edges));
        out.line(&out.paint(&text, Style::Good))?;
    }
    let silent = heard.iter().filter(|h| h.edges == 0 && h.deaf.is_none()).count();
    if silent > 0 {
        out.line(&format!("{} silent", lines(silent)))?;
    }
    let mut reasons: Vec<(&str, usize)> = Vec::new();
    for why in heard.iter().filter_map(|h| h.deaf.as_deref()) {
        match reasons.iter_mut().find(|(known, _)| *known == why) {
            Some((_, count)) => *count += 1,
            None => reasons.push((why, 1)),
        }
    }
    for (why, count) in reasons {
        out.line(&out.paint(&format!("{} not listened to: {why}", lines(count)), Style::Dim))?;
    }
    match loudest(heard) {
        Some(found) => out.line(&format!("the meter is most likely on {} line {}", found.chip, found.line)),
        None if heard.iter().any(|h| h.edges > 0) => {
            out.line("several lines answered alike: try again with --chip and --line, or with --bias")
        }
        None => out.line(
            "no edge was heard: was the magnet moved past the contact? A contact to ground wants --bias pull-up",
        ),
    }
}

fn edges(count: u64) -> String {
    if count == 1 { "1 edge".to_owned() } else { format!("{count} edges") }
}

/// A number of lines.
pub fn lines(count: usize) -> String {
    if count == 1 { "1 line".to_owned() } else { format!("{count} lines") }
}

/// The file that would be written.
pub fn dry_run(target: &Path, text: &str, notes: &[String], out: &Output) -> Result<(), Failure> {
    if out.json {
        return out.object(&json!({
            "ok": true, "command": "setup", "file": target, "written": false, "text": text, "notes": notes,
        }));
    }
    notes.iter().for_each(|note| out.say(&format!("note: {note}")));
    out.say(&format!("this would be {}:", target.display()));
    out.bytes(text.as_bytes())
}

/// The command that makes gasd take the plan's file up, and what that does.
fn take_up(plan: &Plan) -> (&'static str, &'static str) {
    if plan.needs_restart() {
        let what = "takes the file up, which a reload does not with a new valve; lines and totals stay, it takes under \
                    a second";
        return ("systemctl restart gasd", what);
    }
    ("systemctl reload gasd", "takes the file up; nothing is lost meanwhile")
}

/// What was written, and what comes next.
pub fn written(
    target: &Path,
    text: &str,
    notes: &[String],
    plan: &Plan,
    out: &Output,
) -> Result<(), Failure> {
    let read = layers::is_read(target);
    let (take_up, meanwhile) = take_up(plan);
    if out.json {
        let next = if read { vec![take_up, "gasctl status", "gasctl doctor"] } else { Vec::new() };
        return out.object(&json!({
            "ok": true, "command": "setup", "file": target, "written": true, "read_by_gasd": read, "text": text,
            "notes": notes, "next": next,
        }));
    }
    notes.iter().for_each(|note| out.say(&format!("note: {note}")));
    out.line(&format!("{}: written", target.display()))?;
    if !read {
        let place = plan.file(Path::new(super::CONF_D));
        return out.line(&format!(
            "gasd does not read the file where it is. Put it into {}, then: {take_up}",
            place.display()
        ));
    }
    out.line("Next:")?;
    out.line(&format!("  {take_up:<25}  {meanwhile}"))?;
    out.line(&format!("  gasctl status              shows meter {}", plan.id))?;
    out.line("  gasctl doctor              checks the whole installation")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::SetupArgs;

    #[test]
    fn a_reload_takes_up_everything_but_a_new_valve() {
        let mut args = SetupArgs {
            id: Some("kitchen".into()),
            chip: Some("gpiochip0".into()),
            line: Some(4),
            pulse_volume: Some("10 L".into()),
            valve: Some("main".into()),
            ..SetupArgs::default()
        };
        let command = |args: &SetupArgs| take_up(&Plan::from_flags(args).unwrap()).0;
        assert_eq!(command(&args), "systemctl reload gasd");
        args.valve_simulated = true;
        assert_eq!(command(&args), "systemctl restart gasd");
    }
}
