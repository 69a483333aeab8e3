// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the service says of itself on the bus.

use gasd_proxy::State;

use super::check::Finding;
use super::config::is_no_meter;
use super::facts::{Config, Facts, Service};

/// All of them.
pub fn checks(facts: &Facts) -> Vec<Finding> {
    let state = match &facts.service {
        Service::NotAsked => return vec![Finding::unknown("bus", "the bus was not asked")],
        Service::NoBus(why) => {
            return vec![Finding::fail("bus", why, "systemctl status dbus; metering goes on without it")];
        }
        Service::NoAnswer(why) => {
            return vec![Finding::fail("bus", why, "systemctl status gasd; journalctl -u gasd -e")];
        }
        Service::Denied(why) => {
            return vec![Finding::unknown("bus", format!("gasd may not be asked: {why}"))];
        }
        Service::State(state) => state,
    };
    let mut findings = vec![version(state), mode(state)];
    findings.extend(counters(state));
    findings.extend(store(state));
    findings.extend(configuration(facts, state));
    findings.extend(problems(facts, state));
    findings.push(meters(state));
    findings.extend(sick(state));
    findings.extend(verdicts(state));
    findings
}

fn version(state: &State) -> Finding {
    let (service, own) = (state.service.version.as_str(), env!("CARGO_PKG_VERSION"));
    if service == own {
        return Finding::ok("bus", format!("gasd {service} answers"));
    }
    Finding::warn(
        "bus",
        format!("gasd {service} answers, but this is gasctl {own}"),
        "upgrade both packages, then systemctl restart gasd-load gasd",
    )
}

fn mode(state: &State) -> Finding {
    let check = "filter";
    match state.service.mode.as_str() {
        "kernel" => Finding::ok(check, "counts in the kernel: it goes on while gasd is down"),
        "userspace" => Finding::warn(
            check,
            format!(
                "counts in user space ({}): nothing is counted while gasd is down",
                state.service.mode_reason
            ),
            "see the checks of the kernel above, then systemctl restart gasd-load gasd",
        ),
        other => Finding::warn(check, format!("where it counts is \"{other}\""), "ask again in a moment"),
    }
}

fn counters(state: &State) -> Vec<Finding> {
    let service = &state.service;
    let fall_through = match service.fall_through {
        0 => Finding::ok("edges", "every interrupt found its program"),
        n => Finding::fail(
            "edges",
            format!("{n} interrupts found no pulse program and were NOT counted"),
            "systemctl restart gasd-load, at once",
        ),
    };
    let late = service.ring_overrun + service.queue_full + service.events_missed;
    let late = match late {
        0 => Finding::ok("events", "none came late or was lost on the way to the engine"),
        n => Finding::warn(
            "events",
            format!(
                "{n} events came late ({} ring full, {} queue full, {} never came); the totals are complete, but \
                 rates began anew",
                service.ring_overrun, service.queue_full, service.events_missed
            ),
            "if it grows the machine is starved: look at its load",
        ),
    };
    vec![fall_through, late]
}

fn store(state: &State) -> Option<Finding> {
    let (check, why) = ("store", &state.service.store_reason);
    Some(match state.service.store.as_str() {
        // An older gasd does not say.
        "" => return None,
        "good" => Finding::ok(check, "totals, holds and the record are written"),
        "failing" => Finding::fail(check, why, "see the disk above; gasd tries again by itself"),
        "replaced" => Finding::fail(
            check,
            why,
            "note the meters' dials, look at each installation; docs: operations, Troubleshooting",
        ),
        _ => Finding::unknown(check, "whether the store is written could not be told yet"),
    })
}

/// What runs, which need not be what the files say by now.
fn configuration(facts: &Facts, state: &State) -> Vec<Finding> {
    let (check, service) = ("configuration", &state.service);
    let mut findings = Vec::new();
    match service.configuration.as_str() {
        // An older gasd does not say.
        "" => {}
        "in-force" => findings.push(Finding::ok(check, "what gasd read last is in force")),
        "refused" => findings.push(Finding::fail(
            check,
            format!("an older one is in force: {}", service.configuration_reasons.join("; ")),
            "mend what it names, then systemctl reload gasd; where only a restart helps it says so",
        )),
        _ => findings.push(Finding::unknown(check, "which one is in force could not be told yet")),
    }
    // What the files warn of now was told where they were judged.
    let told = warnings(facts);
    let old = service.configuration_warnings.iter().filter(|text| !told.contains(text) && !is_no_meter(text));
    let advice = "the files may say otherwise by now: gasd check-config, then systemctl reload gasd";
    findings.extend(old.map(|text| Finding::warn(check, text, advice)));
    findings
}

/// What the files warn of now.
fn warnings(facts: &Facts) -> &[String] {
    match &facts.config {
        Config::Good(_, warnings) => warnings,
        Config::NotAsked | Config::Bad(_) => &[],
    }
}

/// What the service's problems say of a valve that is not configured any more.
fn sentence(valve: &gasd_proxy::Valve) -> String {
    format!("valve \"{}\" {}", valve.id, valve.health)
}

/// What the service complains of and nothing else has told. The configuration's warnings are among it, and
/// no failures.
fn problems(facts: &Facts, state: &State) -> Vec<Finding> {
    let advice = "journalctl -u gasd -e; docs: operations, Troubleshooting";
    let service = &state.service;
    let told = |problem: &String| {
        service.configuration_warnings.contains(problem)
            || service.configuration_reasons.contains(problem)
            || service.store_reason == *problem
            || state.valves.values().any(|valve| !valve.is_configured() && *problem == sentence(valve))
            // An older gasd has no properties for these.
            || warnings(facts).contains(problem)
            || is_no_meter(problem)
    };
    let problems = service.problems.iter().filter(|problem| !told(problem));
    problems.map(|problem| Finding::fail("problem", problem, advice)).collect()
}

fn meters(state: &State) -> Finding {
    match state.meters.len() {
        0 => Finding::warn("meters", "no meter is configured, so nothing is watched", "gasctl setup"),
        n => Finding::ok("meters", format!("{n} configured")),
    }
}

fn sick(state: &State) -> Vec<Finding> {
    let mut findings = Vec::new();
    for meter in state.meters.values().filter(|meter| meter.health != "ok") {
        let text = format!("meter {}: {}", meter.id, meter.health);
        findings.push(Finding::fail("meters", text, "gasd looks for the line once a second by itself"));
    }
    for valve in state.valves.values() {
        if !valve.is_configured() {
            // Nothing is left to do once nothing is held.
            if !valve.holds.is_empty() {
                let text = sentence(valve);
                let advice = "gasctl status; release what is held, or configure the valve again";
                findings.push(Finding::warn("valves", text, advice));
            }
        } else if valve.health != "ok" {
            let text = format!("valve {}: {}", valve.id, valve.health);
            findings.push(Finding::fail("valves", text, "look at the valve and its wiring"));
        } else if valve.position == "unknown" {
            let text = format!("valve {}: whether it is open is not known", valve.id);
            findings.push(Finding::warn("valves", text, "look at it; `gasctl valve close` makes it known"));
        }
    }
    findings
}

fn verdicts(state: &State) -> Vec<Finding> {
    let critical: Vec<String> =
        state.verdicts.values().filter(|v| v.severity == "critical").map(|v| v.id.to_string()).collect();
    if critical.is_empty() {
        return Vec::new();
    }
    vec![Finding::warn(
        "verdicts",
        format!("critical and not acknowledged: {}", critical.join(", ")),
        "gasctl status, look at the place, gasctl ack N",
    )]
}

#[cfg(test)]
mod tests {
    use super::super::check::{Level, of};
    use super::super::facts::healthy;
    use super::*;

    fn with(change: impl FnOnce(&mut State)) -> Vec<Finding> {
        let mut facts = healthy();
        let Service::State(state) = &mut facts.service else { panic!("no state") };
        change(state);
        checks(&facts)
    }

    #[test]
    fn uncounted_edges_fail_and_late_events_warn() {
        assert_eq!(of(&with(|s| s.service.fall_through = 1), "edges").level, Level::Fail);
        assert_eq!(of(&with(|s| s.service.queue_full = 1), "events").level, Level::Warn);
        assert_eq!(of(&with(|s| s.service.ring_overrun = 1), "events").level, Level::Warn);
    }

    #[test]
    fn user_space_and_other_versions_warn() {
        assert_eq!(of(&with(|s| s.service.mode = "userspace".into()), "filter").level, Level::Warn);
        assert_eq!(of(&with(|s| s.service.version = "9.9".into()), "bus").level, Level::Warn);
    }

    #[test]
    fn what_the_service_complains_of_is_repeated() {
        let findings = with(|s| {
            s.service.problems.push("the store is damaged".into());
            s.meters.get_mut("kitchen").unwrap().health = "the chip of line 4 is gone".into();
            let valve = gasd_proxy::Valve {
                id: "main".into(),
                position: "unknown".into(),
                health: "ok".into(),
                ..Default::default()
            };
            s.valves.insert("main".into(), valve);
            let verdict =
                gasd_proxy::Verdict { id: 8, severity: "critical".into(), ..gasd_proxy::Verdict::default() };
            s.verdicts.insert(8, verdict);
        });
        assert_eq!(of(&findings, "problem").level, Level::Fail);
        assert!(findings.iter().any(|f| f.text.contains("line 4 is gone") && f.level == Level::Fail));
        assert_eq!(of(&findings, "valves").level, Level::Warn);
        assert!(of(&findings, "verdicts").text.ends_with(": 8"));
        assert_eq!(of(&with(|s| s.meters.clear()), "meters").level, Level::Warn);
    }

    #[test]
    fn what_the_configuration_warns_of_is_no_failure() {
        let (unused, damaged) = ("gasd.toml:3:1: valve \"main\": no meter names it", "the store is damaged");
        let mut facts = healthy();
        facts.config = Config::Good("ok".into(), vec![unused.into()]);
        let Service::State(state) = &mut facts.service else { panic!("no state") };
        state.meters.clear();
        state.service.problems = vec![unused.into(), gasd::config::NO_METER.into(), damaged.into()];
        let findings = checks(&facts);
        let failed: Vec<_> =
            findings.iter().filter(|f| f.level == Level::Fail).map(|f| f.text.as_str()).collect();
        assert_eq!(failed, [damaged]);
        assert_eq!(of(&findings, "meters").level, Level::Warn);
    }

    #[test]
    fn a_warning_of_what_runs_is_none_of_the_files_and_still_no_failure() {
        let old = "gasd.toml:3:1: valve \"main\": no meter names it";
        // The files were mended since, so `gasd check-config` does not say it any more.
        let findings = with(|s| {
            s.service.configuration_warnings = vec![old.into()];
            s.service.problems = vec![old.into()];
        });
        assert!(findings.iter().all(|f| f.level != Level::Fail), "{findings:#?}");
        let warned = findings.iter().find(|f| f.text == old).unwrap();
        assert_eq!((warned.check, warned.level), ("configuration", Level::Warn));
    }

    #[test]
    fn the_store_and_the_configuration_are_told_once_by_their_properties() {
        let why = "no space is left for the store";
        let findings = with(|s| {
            (s.service.store, s.service.store_reason) = ("failing".into(), why.into());
            s.service.configuration = "refused".into();
            s.service.configuration_reasons = vec!["the new configuration was refused: x".into()];
            s.service.problems = vec!["the new configuration was refused: x".into(), why.into()];
        });
        let failed: Vec<_> = findings.iter().filter(|f| f.level == Level::Fail).map(|f| f.check).collect();
        assert_eq!(failed, ["store", "configuration"]);
        assert_eq!(of(&with(|s| s.service.store = "replaced".into()), "store").level, Level::Fail);
        assert_eq!(of(&with(|s| s.service.store = "unknown".into()), "store").level, Level::Unknown);
        let older = with(|s| (s.service.store, s.service.configuration) = Default::default());
        assert!(older.iter().all(|f| !["store", "configuration"].contains(&f.check)), "{older:#?}");
    }

    #[test]
    fn a_valve_that_is_not_configured_any_more_warns_while_something_is_held() {
        let found = |holds: Vec<gasd_proxy::Hold>| {
            with(|s| {
                let health = "is not configured any more".to_owned();
                s.service.problems = vec![format!("valve \"old\" {health}")];
                let actuator = "none".into();
                let valve =
                    gasd_proxy::Valve { id: "old".into(), actuator, holds, health, ..Default::default() };
                s.valves.insert("old".into(), valve);
            })
        };
        let held = found(vec![gasd_proxy::Hold::default()]);
        assert_eq!(of(&held, "valves").level, Level::Warn);
        assert!(held.iter().all(|f| f.level != Level::Fail), "{held:#?}");
        let free = found(Vec::new());
        assert!(free.iter().all(|f| f.level == Level::Ok), "{free:#?}");
    }

    #[test]
    fn silence_has_its_reason() {
        let level = |service| checks(&Facts { service, ..healthy() })[0].level;
        assert_eq!(level(Service::NoBus("x".into())), Level::Fail);
        assert_eq!(level(Service::NoAnswer("x".into())), Level::Fail);
        assert_eq!(level(Service::Denied("x".into())), Level::Unknown);
    }
}
