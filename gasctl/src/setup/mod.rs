// SPDX-License-Identifier: MIT OR Apache-2.0
//! `gasctl setup`: from a wire on a terminal block to a meter's configuration file.
//!
//! Nothing here needs the running service. [`chips`] looks, [`edges`] listens, [`plan`] writes down
//! what was decided, [`ask`] asks a person, and [`install`] lets gasd itself judge the file before it
//! comes into place.

mod ask;
pub mod chips;
mod edges;
pub mod install;
pub mod layers;
mod plan;
mod show;

use std::io::{BufRead, IsTerminal, Write};
use std::time::Duration;

use crate::cli::SetupArgs;
use crate::fail::Failure;
use crate::output::Output;

use chips::ChipInfo;
use plan::Plan;

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
        interview(args, out)?
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
fn interview(args: &SetupArgs, out: &Output) -> Result<Plan, Failure> {
    let mut input = std::io::stdin().lock();
    let mut screen = std::io::stderr();
    let mut dialogue = ask::Dialogue::new(&mut input, &mut screen);
    let mut args = args.clone();
    if args.chip.is_none() || args.line.is_none() {
        let chips = chips::wanted(args.chip.as_deref())?;
        show::chips(&chips, out)?;
        if args.bias.is_none() && !args.active_low {
            let wiring = dialogue.wiring()?;
            (args.active_low, args.bias) = (wiring.active_low, wiring.bias);
        }
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
    dialogue.rest(&mut args)?;
    Plan::from_flags(&args)
}

/// Shows the file, has it judged, and puts it into place.
fn finish(plan: &Plan, args: &SetupArgs, person: bool, out: &Output) -> Result<(), Failure> {
    let text = plan.toml();
    let target = args.output.clone().unwrap_or_else(|| plan.file(std::path::Path::new(CONF_D)));
    if layers::is_passed_over(&target) {
        return Err(Failure::Usage(format!(
            "{}: gasd reads only files in conf.d that end in .toml and begin with no dot; give --output such a name",
            target.display()
        )));
    }
    let mut notes = if args.offline { Vec::new() } else { chips::look_at(plan)? };
    if args.dry_run {
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
