// SPDX-License-Identifier: MIT OR Apache-2.0
//! Each answer is judged by gasd when it is typed: what is not answered yet is filled in with values that
//! are known to be good, so whatever gasd finds wrong then is the answer.

use std::path::Path;

use crate::cli::{Level, SetupArgs};

use super::install;
use super::plan::{Plan, ValvePlan};

/// What gasd has against the answers so far, of which `before` were good; `None` where it has nothing
/// against them or cannot be asked: then the whole file is judged in the end.
pub fn complaint(before: &SetupArgs, now: &SetupArgs) -> Option<String> {
    let (before, now) = (filled(before)?, filled(now)?);
    // Together with what is configured already, unless that has a fault of its own.
    let place = |plan: &Plan| plan.file(Path::new(super::CONF_D));
    if install::ask(&place(&before), &before.toml()).ok()?.is_ok() {
        return install::ask(&place(&now), &now.toml()).ok()?.err().map(|said| words(&said, &place(&now)));
    }
    let alone = Path::new("answer.toml");
    let text = without_known_valve(now).toml();
    install::ask(alone, &text).ok()?.err().map(|said| words(&said, alone))
}

/// A valve that is configured elsewhere is not there when a file is judged alone.
fn without_known_valve(mut plan: Plan) -> Plan {
    plan.valve = plan.valve.filter(|valve| !matches!(valve, ValvePlan::Known(_)));
    plan
}

/// The answers as a whole plan.
fn filled(args: &SetupArgs) -> Option<Plan> {
    let mut args = args.clone();
    args.id.get_or_insert_with(|| "not-named-yet".to_owned());
    args.chip.get_or_insert_with(|| "gpiochip0".to_owned());
    args.line.get_or_insert(0);
    args.pulse_volume.get_or_insert_with(|| "10 L".to_owned());
    if args.valve_line.is_some() {
        args.valve_closed.get_or_insert(Level::High);
    }
    Plan::from_flags(&args).ok()
}

/// The first of gasd's complaints about the file, without the place in it: nobody has seen the file yet.
fn words(said: &str, file: &Path) -> String {
    let first = said.lines().next().unwrap_or_default();
    let first = first.strip_prefix("gasd: ").unwrap_or(first);
    let Some(rest) = first.strip_prefix(&format!("{}:", file.display())) else { return first.to_owned() };
    rest.splitn(3, ':').nth(2).unwrap_or(rest).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_comes_without_the_place() {
        let file = Path::new("/etc/gasd/conf.d/50-k.toml");
        let said = "gasd: /etc/gasd/conf.d/50-k.toml:4:16: pulse_volume: \"10\": a unit is missing: L\nmore";
        assert_eq!(words(said, file), "pulse_volume: \"10\": a unit is missing: L");
        assert_eq!(words("gasd: something else", file), "something else");
    }

    #[test]
    fn answers_so_far_make_a_whole_file_that_gasd_takes() {
        for args in [
            SetupArgs::default(),
            SetupArgs { valve: Some("main".into()), valve_line: Some(5), ..SetupArgs::default() },
        ] {
            let text = filled(&args).unwrap().toml();
            gasd::config::parse("answer.toml", &text).unwrap_or_else(|e| panic!("{e}\n{text}"));
        }
    }
}
