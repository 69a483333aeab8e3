// SPDX-License-Identifier: MIT OR Apache-2.0
//! The three units.

use super::check::Finding;
use super::facts::{Facts, Unit};

/// The units in the order they start.
pub const UNITS: [&str; 3] = ["run-gasd-bpf.mount", "gasd-load.service", "gasd.service"];
/// Restarts by the manager beyond which something must be wrong.
const MANY_RESTARTS: u32 = 3;

/// All of them.
pub fn checks(facts: &Facts) -> Vec<Finding> {
    if facts.units.is_empty() {
        return vec![Finding::unknown("units", "systemctl says nothing: this machine does not run systemd")];
    }
    UNITS.iter().map(|id| one(facts.units.iter().find(|unit| unit.id == *id), id)).collect()
}

fn one(unit: Option<&Unit>, id: &str) -> Finding {
    let check = "units";
    let Some(unit) = unit.filter(|unit| unit.load == "loaded") else {
        return Finding::fail(check, format!("{id} is not installed"), "install the package gasd");
    };
    if unit.active != "active" {
        return not_running(unit, id);
    }
    if unit.restarts > MANY_RESTARTS {
        return Finding::warn(
            check,
            format!("{id} was restarted {} times", unit.restarts),
            format!("journalctl -u {id} -p warning -e; nothing was lost, the kernel goes on counting"),
        );
    }
    // A mount unit is pulled in by others and needs no enabling.
    if !unit.file.is_empty() && unit.file != "enabled" && id.ends_with(".service") {
        return Finding::warn(
            check,
            format!("{id} runs, but is {}: it will not after a boot", unit.file),
            format!("systemctl enable {id}"),
        );
    }
    Finding::ok(check, format!("{id} is active"))
}

/// The service manager's words for a unit that is not active, in those of a person.
fn not_running(unit: &Unit, id: &str) -> Finding {
    let check = "units";
    let log = format!("journalctl -u {id} -e");
    let well = unit.result.is_empty() || unit.result == "success";
    let why = if well { String::new() } else { format!(" ({})", unit.result) };
    match unit.active.as_str() {
        "activating" if !well || unit.restarts > 0 => Finding::fail(
            check,
            format!("{id} ended{why} and is being started again, {} times so far", unit.restarts),
            format!("{log} says why it ended"),
        ),
        "activating" | "reloading" | "deactivating" => {
            let does = match unit.active.as_str() {
                "activating" => "is starting, and not ready yet",
                "reloading" => "is reading its configuration again",
                _ => "is stopping",
            };
            Finding::warn(
                check,
                format!("{id} {does}"),
                format!("ask again in a moment; {log} if it stays so"),
            )
        }
        active => {
            let state = match active {
                "inactive" => "does not run",
                "failed" => "has failed",
                other => &format!("is {other}"),
            };
            Finding::fail(
                check,
                format!("{id} {state}{why}"),
                format!("systemctl start {id}; {log} says why it stopped"),
            )
        }
    }
}

/// Reads what `systemctl show` printed: blocks of `Key=Value`, an empty line between two.
pub fn parse(text: &str) -> Vec<Unit> {
    let block = |block: &str| {
        let mut unit = Unit::default();
        for (key, value) in block.lines().filter_map(|line| line.split_once('=')) {
            match key {
                "Id" => unit.id = value.to_owned(),
                "LoadState" => unit.load = value.to_owned(),
                "ActiveState" => unit.active = value.to_owned(),
                "UnitFileState" => unit.file = value.to_owned(),
                "Result" => unit.result = value.to_owned(),
                "NRestarts" => unit.restarts = value.parse().unwrap_or(0),
                "MainPID" => unit.pid = value.parse().unwrap_or(0),
                _ => {}
            }
        }
        unit
    };
    text.split("\n\n").map(block).filter(|unit| !unit.id.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::check::Level;
    use super::super::facts::healthy;
    use super::*;

    #[test]
    fn what_systemctl_prints_is_read() {
        let text = "Id=gasd.service\nLoadState=loaded\nActiveState=failed\nResult=exit-code\nNRestarts=7\n\
                    MainPID=0\nUnitFileState=enabled\n\nId=run-gasd-bpf.mount\nLoadState=not-found\n";
        let units = parse(text);
        assert_eq!((units.len(), units[0].restarts, units[0].result.as_str()), (2, 7, "exit-code"));
        assert_eq!(units[1].load, "not-found");
        assert!(parse("").is_empty());
    }

    #[test]
    fn each_state_has_its_own_words() {
        let say = |change: &dyn Fn(&mut Unit)| {
            let mut facts = healthy();
            change(&mut facts.units[2]);
            checks(&facts).pop().unwrap()
        };
        assert_eq!(say(&|_| {}).level, Level::Ok);
        assert!(say(&|u| u.load = "not-found".into()).text.contains("not installed"));
        let failed = say(&|u| (u.active, u.result) = ("failed".into(), "watchdog".into()));
        assert!(failed.level == Level::Fail && failed.text.contains("(watchdog)"), "{failed:?}");
        let stopped = say(&|u| u.active = "inactive".into());
        assert!(stopped.level == Level::Fail && stopped.text == "gasd.service does not run", "{stopped:?}");
        let starting = say(&|u| u.active = "activating".into());
        assert!(starting.level == Level::Warn && starting.text.contains("is starting"), "{starting:?}");
        for (result, restarts) in [("success", 2), ("exit-code", 0)] {
            let again = say(&|u| {
                (u.active, u.result, u.restarts) = ("activating".into(), result.into(), restarts);
            });
            assert!(again.level == Level::Fail && again.text.contains("started again"), "{again:?}");
            assert!(again.advice.is_some_and(|a| a.contains("journalctl -u gasd.service")));
        }
        assert_eq!(say(&|u| u.restarts = 4).level, Level::Warn);
        let disabled = say(&|u| u.file = "disabled".into());
        assert!(disabled.level == Level::Warn && disabled.text.contains("after a boot"), "{disabled:?}");
    }

    #[test]
    fn without_systemd_nothing_is_claimed() {
        let findings = checks(&Facts { units: Vec::new(), ..healthy() });
        assert_eq!(findings[0].level, Level::Unknown);
    }
}
