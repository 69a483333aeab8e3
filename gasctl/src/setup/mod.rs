// SPDX-License-Identifier: MIT OR Apache-2.0
//! `gasctl setup`: from a wire on a terminal block to a meter's configuration file.
//!
//! Nothing here needs the running service. [`chips`] looks, [`edges`] listens, [`plan`] writes down
//! what was decided, [`ask`] asks a person and [`answer`] has each answer judged, and [`install`] lets gasd itself judge the file before it
//! comes into place.

mod answer;
mod ask;
pub mod chips;
mod edges;
pub mod install;
pub mod layers;
mod plan;
mod show;

use std::io::{BufRead, IsTerminal, Write};
use std::path::Path;
use std::time::Duration;

use crate::cli::SetupArgs;
use crate::fail::Failure;
use crate::output::Output;

use chips::ChipInfo;
use plan::Plan;
pub use plan::quoted;

/// Where drop-ins of the installed service are.
pub const CONF_D: &str = "/etc/gasd/conf.d";

/// Lists, listens, or writes a meter's file.
///
/// # Errors
/// [`Failure::Usage`] where flags are missing and nobody can be asked, and what the steps say.
pub fn run(args: &SetupArgs, out: &Output) -> Result<(), Failure> {
    if args.list {
        return show::chips(&chips::all()?, out);
    }
    if args.find {
        let chips = chips::wanted(args.chip.as_deref())?;
        return find(&chips, args, out).map(drop);
    }
    let person = std::io::stdin().is_terminal() && std::io::stderr().is_terminal() && !out.json;
    let plan = if plan::missing(args).is_empty() || !person {
        Plan::from_flags(args)?
    } else {
        let (mut input, mut screen) = (std::io::stdin().lock(), std::io::stderr());
        interview(args, &mut ask::Dialogue::new(&mut input, &mut screen), out)?
    };
    finish(&plan, args, person, out)
}

/// Listens and says what was heard.
fn find(chips: &[ChipInfo], args: &SetupArgs, out: &Output) -> Result<Vec<edges::Heard>, Failure> {
    let bias = args.bias;
    let mut ears = edges::listen(chips, args.line, bias);
    if ears.is_deaf() {
        show::heard(&ears.heard(), out)?;
        return Err(Failure::Missing(
            "no line could be listened to: each is taken, an output, or makes no interrupts; `gasctl setup --list` \
             shows them"
                .to_owned(),
        ));
    }
    if !out.json {
        out.say(&format!(
            "listening on {} for {} s: move the meter's magnet past the contact now",
            show::lines(ears.listening()),
            args.seconds
        ));
    }
    ears.run(Duration::from_secs(args.seconds), |heard| {
        if !out.json {
            out.say(&format!("  {} line {}: first edge", heard.chip, heard.line));
        }
    });
    let heard = ears.heard();
    show::heard(&heard, out)?;
    Ok(heard)
}

/// Asks for what the flags do not say.
fn interview(args: &SetupArgs, dialogue: &mut ask::Dialogue<'_>, out: &Output) -> Result<Plan, Failure> {
    let mut args = args.clone();
    let line_known = args.chip.is_some() && args.line.is_some();
    let chips = if line_known { Vec::new() } else { chips::wanted(args.chip.as_deref())? };
    if !line_known {
        show::chips(&chips, out)?;
    }
    // Before listening: without the resistor there may be nothing to hear.
    if args.bias.is_none() && !args.active_low {
        let wiring = dialogue.wiring()?;
        (args.active_low, args.bias) = (wiring.active_low, wiring.bias);
    }
    if !line_known {
        let mut guess = None;
        if dialogue.yes("Listen for edges, to find the contact's line?", true)? {
            let heard = find(&chips, &args, out)?;
            guess = edges::loudest(&heard).map(|h| (h.chip.clone(), h.line));
        }
        let first = chips.first().map(|c| c.name.clone());
        let (chip, line) = match guess {
            Some((chip, line)) => (Some(chip), Some(line)),
            None => (first, None),
        };
        args.chip = Some(dialogue.text("Chip", args.chip.as_deref().or(chip.as_deref()))?);
        args.line = Some(dialogue.number("Line", args.line.or(line))?);
    }
    dialogue.rest(&mut args, &answer::complaint)?;
    Plan::from_flags(&args)
}

/// Shows the file, has it judged, and puts it into place.
fn finish(plan: &Plan, args: &SetupArgs, person: bool, out: &Output) -> Result<(), Failure> {
    let text = plan.toml();
    let target = args.output.clone().unwrap_or_else(|| plan.file(Path::new(CONF_D)));
    if layers::is_passed_over(&target) {
        return Err(Failure::Usage(format!(
            "{}: gasd reads only files in conf.d that end in .toml and begin with no dot; give --output such a name",
            target.display()
        )));
    }
    let mut notes = plan.notes();
    if !args.offline {
        notes.extend(chips::look_at(plan)?);
    }
    if args.dry_run {
        notes.extend(judged_dry(&target, &text, args.force)?);
        return show::dry_run(&target, &text, &notes, out);
    }
    let staged = install::stage(&target, &text, args.force)?;
    notes.extend(staged.warnings.iter().cloned());
    if !args.yes {
        if !person {
            return Err(Failure::Usage(
                "nobody can be asked whether the file is right: give --yes to write it, or --dry-run to see it"
                    .to_owned(),
            ));
        }
        out.say(&text);
        notes.iter().for_each(|note| out.say(&format!("note: {note}")));
        let mut input = std::io::stdin().lock();
        let mut screen = std::io::stderr();
        if !ask::Dialogue::new(&mut input as &mut dyn BufRead, &mut screen as &mut dyn Write)
            .yes(&format!("Write {}?", target.display()), false)?
        {
            out.say("nothing was written");
            return Ok(());
        }
        notes.clear();
    }
    staged.commit()?;
    show::written(&target, &text, &notes, plan, out)
}

/// Judges as for a real write. What only stands in the way of writing is a note here.
fn judged_dry(target: &Path, text: &str, force: bool) -> Result<Vec<String>, Failure> {
    let mut notes = match install::judge(target, text) {
        Err(Failure::Missing(why)) => vec![format!("not checked: {why}")],
        judged => judged?,
    };
    if !force && target.symlink_metadata().is_ok() {
        notes.push(format!("{} is there already; --force would replace it", target.display()));
    }
    Ok(notes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_known_does_not_tell_how_it_is_wired() {
        let args = SetupArgs {
            id: Some("kitchen".into()),
            chip: Some("gpiochip0".into()),
            line: Some(4),
            ..SetupArgs::default()
        };
        let mut screen = Vec::new();
        let mut answers = "3\n10 L\n\n\n".as_bytes();
        let mut dialogue = ask::Dialogue::new(&mut answers, &mut screen);
        let plan = interview(&args, &mut dialogue, &Output::new(false)).unwrap();
        assert_eq!((plan.active_low, plan.bias), (false, Some(crate::cli::Bias::PullDown)));
    }
}
