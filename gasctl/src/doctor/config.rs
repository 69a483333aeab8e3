// SPDX-License-Identifier: MIT OR Apache-2.0
//! The configuration, and whether its lines are there and gasd's.

use crate::setup::chips::LineState;

use super::check::Finding;
use super::facts::{Config, ConfiguredLine, Facts};

/// All of them.
pub fn checks(facts: &Facts) -> Vec<Finding> {
    let mut findings = config(facts);
    findings.extend(facts.lines.iter().map(|line| one_line(facts, line)));
    findings
}

/// Whether a warning is that of a gateway without a meter, as gasd words it.
pub fn is_no_meter(warning: &str) -> bool {
    warning.starts_with("no meter is configured")
}

fn warning(text: &str) -> Finding {
    let advice = if is_no_meter(text) {
        "`gasctl setup` writes a meter's file"
    } else {
        "edit the file named, then `gasd check-config`; what every key means: gasd.toml(5)"
    };
    Finding::warn("config", text, advice)
}

fn config(facts: &Facts) -> Vec<Finding> {
    let check = "config";
    let finding = match &facts.config {
        Config::Good(_, warnings) if !warnings.is_empty() => {
            return warnings.iter().map(|text| warning(text)).collect();
        }
        Config::NotAsked => Finding::fail(
            check,
            "gasd could not be asked to check the configuration",
            "install the package gasd",
        ),
        Config::Bad(why) => Finding::fail(
            check,
            why.trim_end(),
            "mend it, then `gasd check-config`, then systemctl reload gasd",
        ),
        Config::Good(text, _) => Finding::ok(check, text),
    };
    vec![finding]
}

fn one_line(facts: &Facts, wanted: &ConfiguredLine) -> Finding {
    let check = "line";
    let (of, line) = (&wanted.of, wanted.line);
    let Some(found) = facts.chips.iter().map(|c| &c.chip).find(|chip| chip.is(&wanted.chip)) else {
        return Finding::fail(
            check,
            format!("{of}: there is no GPIO chip \"{}\"", wanted.chip),
            "`gasctl setup --list` shows the chips; a label stays the same over a boot, a number may not",
        );
    };
    if let Some(problem) = &found.problem {
        return Finding::unknown(check, format!("{of}: {} could not be looked at: {problem}", found.name));
    }
    let Some(info) = found.lines.iter().find(|l| l.line == line) else {
        return Finding::fail(
            check,
            format!("{of}: {} has no line {line}", found.name),
            "`gasctl setup --list` shows the lines",
        );
    };
    match info.state {
        LineState::Taken if info.consumer.starts_with("gasd") => {
            Finding::ok(check, format!("{of}: {} line {line} is gasd's ({})", found.name, info.consumer))
        }
        LineState::Taken => Finding::fail(
            check,
            format!("{of}: {} line {line} is in use by \"{}\"", found.name, info.consumer),
            "stop that program; gasd then takes the line by itself",
        ),
        LineState::Free | LineState::Output => Finding::fail(
            check,
            format!(
                "{of}: {} line {line} is not requested by anybody, so it is not counted or driven",
                found.name
            ),
            "systemctl status gasd; systemctl restart gasd",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::{Level, of};
    use super::super::facts::healthy;
    use super::*;

    fn line(change: impl FnOnce(&mut Facts)) -> Finding {
        let mut facts = healthy();
        change(&mut facts);
        of(&checks(&facts), "line").clone()
    }

    #[test]
    fn a_line_must_be_there_and_gasds() {
        assert_eq!(line(|_| {}).level, Level::Ok);
        assert!(line(|f| f.lines[0].chip = "gpiochip7".into()).text.contains("no GPIO chip"));
        assert!(line(|f| f.lines[0].line = 5).text.contains("no line 5"));
        let other = line(|f| f.chips[0].chip.lines[0].consumer = "heater".into());
        assert!(other.level == Level::Fail && other.text.contains("\"heater\""), "{other:?}");
        let free = line(|f| f.chips[0].chip.lines[0].state = LineState::Free);
        assert!(free.level == Level::Fail && free.text.contains("not counted"), "{free:?}");
        let closed = line(|f| f.chips[0].chip.problem = Some("no permission".into()));
        assert_eq!(closed.level, Level::Unknown);
    }

    #[test]
    fn the_configurations_faults_and_warnings_are_told() {
        let level = |config| of(&checks(&Facts { config, ..healthy() }), "config").level;
        assert_eq!(level(Config::Bad("gasd.toml:1:1: …".into())), Level::Fail);
        assert_eq!(level(Config::NotAsked), Level::Fail);
        assert_eq!(level(Config::Good("ok".into(), vec!["no meter".into()])), Level::Warn);
    }

    #[test]
    fn each_warning_comes_with_its_own_advice() {
        let warnings = vec![gasd::config::NO_METER.into(), "gasd.toml:3:1: valve \"main\": …".into()];
        let findings = checks(&Facts { config: Config::Good("ok".into(), warnings), ..healthy() });
        let advice = |at: usize| findings[at].advice.clone().unwrap_or_default();
        assert!(advice(0).contains("gasctl setup") && !advice(1).contains("gasctl setup"), "{findings:#?}");
        assert!(advice(1).contains("gasd check-config"), "{findings:#?}");
    }
}
