// SPDX-License-Identifier: MIT OR Apache-2.0
//! A plan leads from any configuration to any other, and to a restart where it must.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::config::parse;

fn config(text: &str) -> Config {
    parse("t.toml", text).unwrap_or_else(|errors| panic!("{errors}\n{text}"))
}

fn meter(id: &str, line: u32, more: &str) -> String {
    format!("[[meter]]\nid = \"{id}\"\nline = {line}\npulse_volume = \"10 L\"\n{more}\n")
}

const VALVES: &str = "[[valve]]\nid = \"main\"\nactuator = \"simulated\"\n[[valve]]\nid = \"garden\"\nactuator = \"simulated\"\n";

#[test]
fn each_difference_is_found_by_itself() {
    let old = config(&format!("{}{VALVES}", meter("a", 1, "valve = \"main\"")));
    let fate = |text: &str| between(&old, &config(&format!("{text}{VALVES}"))).unwrap().fates[0];
    let change = |delta: Delta| Fate::Changed(delta);
    let none = Delta::default();
    assert_eq!(fate(&meter("a", 1, "valve = \"main\"")), Fate::Same);
    assert_eq!(fate(&meter("a", 2, "valve = \"main\"")), change(Delta { line: true, ..none }));
    assert_eq!(fate(&meter("a", 1, "")), change(Delta { valve: true, ..none }));
    let alarm = "valve = \"main\"\nalarm = { chip = \"gpiochip0\", line = 9 }";
    assert_eq!(fate(&meter("a", 1, alarm)), change(Delta { alarm: true, ..none }));
    assert_eq!(fate(&meter("a", 1, "valve = \"garden\"")), change(Delta { valve: true, ..none }));
    assert_eq!(
        fate(&meter("a", 1, "valve = \"main\"\nfilter = { min_idle = \"12 ms\", poll = \"40 ms\" }")),
        change(Delta { filter: true, poll: true, ..none })
    );
    assert_eq!(
        fate(&meter("a", 1, "valve = \"main\"\nthresholds = { suspect = \"6 m3/h\" }")),
        change(Delta { thresholds: true, ..none })
    );
    assert_eq!(
        fate(&meter("a", 1, "valve = \"main\"\nmax_flow = \"7 m3/h\"")),
        change(Delta { max_flow: true, ..none })
    );
    assert_eq!(
        fate(&meter("a", 1, "valve = \"main\"").replace("10 L", "1 L")),
        change(Delta { pulse_volume: true, ..none })
    );
    assert_eq!(fate(&meter("b", 1, "valve = \"main\"")), Fate::Added);
}

#[test]
fn a_valve_that_only_moved_in_the_file_is_the_same_valve() {
    let old = config(&format!("{}{VALVES}", meter("a", 1, "valve = \"garden\"")));
    let (main, garden) = VALVES.split_at(VALVES.len() / 2 - 1);
    let new = config(&format!("{}{garden}{main}", meter("a", 1, "valve = \"garden\"")));
    assert_ne!(old.meters[0].valve, new.meters[0].valve);
    assert!(between(&old, &new).unwrap().is_empty());
}

#[test]
fn what_needs_a_restart_is_named_and_nothing_is_planned() {
    let old = config(&format!("{}{VALVES}", meter("a", 1, "")));
    let new = config(
        "[store]\npath = \"/srv/x.redb\"\n[kernel]\npins = \"/run/x\"\n\
         [[valve]]\nid = \"main\"\nactuator = { gpio = { chip = \"c\", line = 1 }, closed = \"high\" }\n\
         [[valve]]\nid = \"new\"\nactuator = \"simulated\"\n",
    );
    let reasons = between(&old, &new).unwrap_err();
    assert_eq!(reasons.len(), 5, "{reasons:?}");
    assert!(reasons.iter().all(|reason| reason.contains("systemctl restart gasd")), "{reasons:?}");
    for words in [
        "\"main\" is driven otherwise",
        "\"new\" was added",
        "\"garden\" was removed",
        "store.path",
        "kernel.pins",
    ] {
        assert!(reasons.iter().any(|reason| reason.contains(words)), "{words}: {reasons:?}");
    }
}

#[test]
fn another_device_in_a_meter_with_a_valve_wants_a_restart() {
    let with = |address: &str| {
        config(&format!(
            "[[port]]\nid = \"p\"\nserial = {{ device = \"/dev/ttyS1\", baud = 2400 }}\n\
             [[meter]]\nid = \"m\"\nport = \"p\"\nvalve = \"main\"\n\
             device = {{ protocol = \"cjt188\", address = \"{address}\" }}\n\
             readings = {{ every = \"1 min\", resolution = \"1 L\", rollover = \"100000 m3\" }}\n\
             [[valve]]\nid = \"main\"\nactuator = {{ meter = \"m\" }}\n"
        ))
    };
    let reasons = between(&with("33780012345678"), &with("33780012345679")).unwrap_err();
    assert_eq!(
        reasons,
        [
            "valve \"main\" is in the CJ/T 188 meter 33780012345679 and was in the CJ/T 188 meter 33780012345678 \
          (needs `systemctl restart gasd`)"
        ]
    );
}

#[test]
fn the_summary_says_each_change_in_words() {
    let old = config(&format!("{}{}", meter("a", 1, ""), meter("b", 2, "")));
    let new = config("[store]\npersist = \"1 s\"\n");
    let summary = between(&old, &new).unwrap().summary;
    assert_eq!(
        summary,
        [
            "meter \"a\" removed; its total is kept in the store",
            "meter \"b\" removed; its total is kept in the store",
            "totals are written down every 1 s",
        ]
    );
}

#[test]
fn a_meter_goes_to_a_feed_and_back() {
    let wired = config(&meter("a", 1, ""));
    let fed = config(&meter("a", 1, "").replace("line = 1", "source = \"stack\""));
    for (old, new, words) in [(&wired, &fed, "fed by a program"), (&fed, &wired, "no feed any more")] {
        let plan = between(old, new).unwrap();
        assert_eq!(plan.fates, [Fate::Changed(Delta { line: true, ..Delta::default() })]);
        assert!(plan.summary[0].contains(words), "{:?}", plan.summary);
    }
}

#[test]
fn a_meter_goes_from_pulses_to_readings_and_back() {
    let fed = meter("a", 1, "").replace("line = 1", "source = \"stack\"");
    let volume = "pulse_volume = \"10 L\"";
    assert!(fed.contains(volume), "{fed}");
    let read = |every: &str| {
        let readings =
            format!("readings = {{ every = \"{every}\", resolution = \"1 L\", rollover = \"1000 m3\" }}");
        config(&fed.replace(volume, &readings))
    };
    let pulses = config(&fed);
    for (old, new, words) in [
        (
            &pulses,
            &read("1 min"),
            "its register is read instead of pulses counted: 1 L every 1 min, beginning anew at 1000 m3",
        ),
        (&read("1 min"), &read("15 min"), "readings to 1 L every 15 min, beginning anew at 1000 m3"),
        (&read("1 min"), &pulses, "pulses of 10 L are counted, its register is read no more"),
    ] {
        let plan = between(old, new).unwrap();
        assert_eq!(plan.summary, [format!("meter \"a\" changed: {words}")]);
    }
}

/// A meter as a person may write it, over few ids so that they meet.
fn any_meter() -> impl Strategy<Value = (u8, u32, bool, u8)> {
    (0u8..5, 0u32..3, any::<bool>(), 0u8..3)
}

fn of(meters: &[(u8, u32, bool, u8)]) -> Config {
    let mut seen = BTreeSet::new();
    let mut text = String::new();
    for (at, (id, line, valve, litres)) in meters.iter().enumerate() {
        if seen.insert(*id) {
            // A line for each, now and then another one.
            let line = line * 10 + at as u32;
            let valve = if *valve { "valve = \"main\"" } else { "" };
            let one = meter(&format!("m{id}"), line, valve);
            text.push_str(&one.replace("10 L", &format!("{} L", litres + 1)));
        }
    }
    config(&format!("{text}{VALVES}"))
}

proptest! {
    #[test]
    fn a_plan_leads_there(
        old in proptest::collection::vec(any_meter(), 0..6),
        new in proptest::collection::vec(any_meter(), 0..6),
    ) {
        let (old, new) = (of(&old), of(&new));
        let plan = between(&old, &new).unwrap();
        prop_assert_eq!(plan.fates.len(), new.meters.len());
        // Done to the old meters it makes the new ones, and each old one is used or removed once.
        let mut left: BTreeSet<&str> = old.meters.iter().map(|meter| meter.id.as_str()).collect();
        for (fate, meter) in plan.fates.iter().zip(&new.meters) {
            let before = old.meters.iter().find(|old| old.id == meter.id);
            match fate {
                Fate::Added => prop_assert!(before.is_none()),
                Fate::Same => {
                    prop_assert!(left.remove(meter.id.as_str()));
                    let before = before.unwrap();
                    let same = MeterConfig { valve: meter.valve, ..before.clone() };
                    prop_assert_eq!(&same, meter);
                    prop_assert_eq!(valve_id(&old, before), valve_id(&new, meter));
                }
                Fate::Changed(delta) => {
                    prop_assert!(left.remove(meter.id.as_str()));
                    prop_assert!(!delta.is_empty());
                }
            }
        }
        let removed: BTreeSet<&str> = plan.removed.iter().map(String::as_str).collect();
        prop_assert_eq!(removed, left);
        prop_assert_eq!(plan.is_empty(), plan.removed.is_empty() && plan.fates.iter().all(|f| *f == Fate::Same));
    }

    #[test]
    fn nothing_changes_from_a_configuration_to_itself(meters in proptest::collection::vec(any_meter(), 0..6)) {
        let config = of(&meters);
        prop_assert!(between(&config, &config).unwrap().is_empty());
    }
}
