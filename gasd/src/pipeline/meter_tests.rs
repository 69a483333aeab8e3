// SPDX-License-Identifier: MIT OR Apache-2.0
//! Events that are late or lost, and totals whose pulses come to be worth something else.

use super::*;

fn meter() -> MeterRun {
    let text = "[[meter]]\nid = \"kitchen\"\nline = 1\npulse_volume = \"10 L\"\n";
    let config = crate::config::parse("t.toml", text).unwrap();
    MeterRun::new(&config.meters[0], 0, Base::default())
}

fn pulse(seq: u64) -> Event {
    let t_ns = seq * 1_000_000_000;
    Event { kind: EVENT_PULSE, seq, t_ns, decided_ns: t_ns, ..Event::default() }
}

#[test]
fn the_last_events_are_missed_once_the_ring_was_worked_off_without_them() {
    let mut meter = meter();
    meter.event(&pulse(3));
    meter.compare(5, 10);
    meter.compare(5, 11);
    assert_eq!(meter.missed(), 0);
    meter.compare(5, 12);
    assert_eq!(meter.missed(), 2);
    meter.compare(5, 20);
    assert_eq!(meter.missed(), 2);
}

#[test]
fn an_event_that_is_only_late_is_not_missed() {
    let mut meter = meter();
    meter.event(&pulse(3));
    meter.compare(4, 10);
    meter.event(&pulse(4));
    meter.compare(4, 12);
    meter.event(&pulse(5));
    assert_eq!(meter.missed(), 0);
}

fn worth(litres: u64) -> MeterConfig {
    let text = format!("[[meter]]\nid = \"kitchen\"\nline = 1\npulse_volume = \"{litres} L\"\n");
    crate::config::parse("t.toml", &text).unwrap().meters.remove(0)
}

const NOW: [u64; 2] = [7, 7];
const PRICE: Delta = Delta {
    register: false,
    pulse_volume: true,
    line: false,
    filter: false,
    poll: false,
    max_flow: false,
    thresholds: false,
    rules: false,
    valve: false,
    alarm: false,
};

#[test]
fn a_new_worth_counts_from_then_on_and_is_shown_once_it_is_written() {
    let (mut meter, _) = MeterRun::adopt(&worth(1), 0, Base::default(), NOW, 0);
    meter.reconfigure(&worth(10), PRICE, NOW, 5);
    assert_eq!(meter.total(NOW, 5).volume_ul, 5_000_000);
    // A crash now would make these two worth a litre each.
    assert_eq!(meter.total(NOW, 7), Total { pulses: 7, volume_ul: 7_000_000 });
    meter.await_write(3);
    meter.prove(2);
    assert_eq!(meter.total(NOW, 7).volume_ul, 7_000_000);
    meter.prove(3);
    assert_eq!(meter.total(NOW, 7).volume_ul, 25_000_000);
    // Down again: nothing that was shown is taken back.
    meter.reconfigure(&worth(1), PRICE, NOW, 8);
    assert_eq!(meter.total(NOW, 8).volume_ul, 35_000_000);
    assert_eq!(meter.total(NOW, 9).volume_ul, 36_000_000);
    assert_eq!(meter.base(NOW, 9).0.volume_ul, 36_000_000);
}

#[test]
fn a_meter_that_comes_back_has_its_total_and_its_pulses_their_old_worth() {
    let base = Base {
        pulses: 100,
        volume_ul: 100_000_000,
        generation: NOW,
        kernel_at: 40,
        pulse_volume_ul: 1_000_000,
        ..Base::default()
    };
    let (mut meter, problem) = MeterRun::adopt(&worth(10), 0, base, NOW, 45);
    assert_eq!(problem, None);
    assert_eq!(meter.total(NOW, 45), Total { pulses: 105, volume_ul: 105_000_000 });
    meter.await_write(1);
    meter.prove(1);
    assert_eq!(meter.total(NOW, 46).volume_ul, 115_000_000);
    // The pulses before it came back are not missed ones.
    meter.event(&pulse(46));
    assert_eq!(meter.missed(), 0);
}

#[derive(Clone, Debug)]
enum Step {
    Pulses(u8),
    Worth(u8),
    Write,
    Crash,
}

fn step() -> impl proptest::strategy::Strategy<Value = Step> {
    use proptest::prelude::*;
    prop_oneof![
        any::<u8>().prop_map(Step::Pulses),
        (1u8..20).prop_map(Step::Worth),
        Just(Step::Write),
        Just(Step::Crash),
    ]
}

proptest::proptest! {
    /// Whatever is written when, and wherever a crash comes: no shown total is ever taken back, and
    /// no pulse is lost.
    #[test]
    fn what_was_shown_is_never_taken_back(steps in proptest::collection::vec(step(), 1..60)) {
        let (mut meter, _) = MeterRun::adopt(&worth(5), 0, Base::default(), NOW, 0);
        let mut disk = meter.base(NOW, 0).0;
        let (mut accepted, mut litres, mut ticket) = (0u64, 5u64, 0u64);
        let mut shown = Total::default();
        for step in steps {
            match step {
                Step::Pulses(n) => accepted += u64::from(n),
                Step::Worth(to) => {
                    let changed = u64::from(to) != litres;
                    litres = u64::from(to);
                    if changed {
                        meter.reconfigure(&worth(litres), PRICE, NOW, accepted);
                        ticket += 1;
                        meter.await_write(ticket);
                    }
                }
                Step::Write => {
                    disk = meter.base(NOW, accepted).0;
                    meter.prove(ticket);
                }
                Step::Crash => {
                    // The next daemon makes its base durable before it shows anything.
                    meter = MeterRun::adopt(&worth(litres), 0, disk, NOW, accepted).0;
                    disk = meter.base(NOW, accepted).0;
                    ticket += 1;
                    meter.await_write(ticket);
                    meter.prove(ticket);
                }
            }
            let now = meter.total(NOW, accepted);
            proptest::prop_assert_eq!(now.pulses, accepted);
            proptest::prop_assert!(now.volume_ul >= shown.volume_ul, "{} after {}", now.volume_ul, shown.volume_ul);
            shown = now;
        }
    }
}

fn beside(more: &str) -> MeterConfig {
    let text = format!("[[meter]]\nid = \"kitchen\"\nline = 1\npulse_volume = \"10 L\"\n{more}\n");
    crate::config::parse("t.toml", &text).unwrap().meters.remove(0)
}

/// Pulses half a minute apart.
fn slowly(meter: &mut MeterRun, first: u64, n: u64) -> Vec<&'static str> {
    let event = |seq: u64| Event {
        kind: EVENT_PULSE,
        seq,
        t_ns: seq * 30_000_000_000,
        decided_ns: seq * 30_000_000_000 + 10_000_000,
        interval_ns: 30_000_000_000,
        ..Event::default()
    };
    (first..first + n).filter_map(|seq| meter.event(&event(seq))).map(|v| v.kind.name()).collect()
}

#[test]
fn a_valve_that_moves_is_told_and_one_that_was_found_is_not_taken_for_opened() {
    let mut meter = MeterRun::new(&beside("rules = { restore_check = \"2 min\" }"), 0, Base::default());
    assert_eq!(slowly(&mut meter, 1, 3), [""; 0]);
    assert_eq!(meter.set_valve(true, 0), None);
    assert_eq!(slowly(&mut meter, 4, 4), [""; 0], "gas flowed through it all the time");
    assert_eq!(meter.set_valve(false, 0), None);
    assert_eq!(slowly(&mut meter, 8, 8), ["flow-while-closed"]);
    assert_eq!(meter.set_valve(true, 0), None);
    assert_eq!(meter.set_valve(true, 0), None);
    assert_eq!(slowly(&mut meter, 16, 4), ["flow-after-opening"]);
}

#[test]
fn other_rules_leave_the_memory_of_flows_and_are_in_force_at_once() {
    let mut meter = MeterRun::new(&beside("rules = { restore_check = \"2 min\" }"), 0, Base::default());
    slowly(&mut meter, 1, 3);
    meter.set_valve(false, 0);
    let delta = Delta { rules: true, pulse_volume: false, ..PRICE };
    let next = beside("rules = { restore_check = \"off\" }");
    meter.reconfigure(&next, delta, NOW, 3);
    let state = meter.state(NOW, &Totals::default(), "");
    assert!(state.flow_m3_per_h.is_some_and(|flow| flow > 1.0), "{state:?}");
    meter.set_valve(true, 0);
    assert_eq!(slowly(&mut meter, 4, 4), [""; 0], "that rule is off");
}

#[test]
fn a_verdicts_evidence_has_the_flow_that_led_to_it() {
    let mut meter = MeterRun::new(&beside("rules = { restore_check = \"2 min\" }"), 0, Base::default());
    slowly(&mut meter, 1, 3);
    meter.set_valve(false, 0);
    let event = |seq: u64| Event {
        kind: EVENT_PULSE,
        seq,
        t_ns: seq * 30_000_000_000,
        decided_ns: seq * 30_000_000_000,
        ..Event::default()
    };
    let verdict = (4..12).find_map(|seq| meter.event(&event(seq))).unwrap();
    let evidence = meter.evidence(&verdict);
    assert_eq!(evidence["rule"], "valve-closed");
    let flow = evidence["flow"].as_array().unwrap();
    assert_eq!(flow[0], serde_json::json!([30_000_000_000_u64, 0.0]));
    assert_eq!(flow[1], serde_json::json!([60_000_000_000_u64, 1.2]));
    assert_eq!(flow.last().unwrap()[0], verdict.decided_ns);
}

#[test]
fn a_phase_is_shown_and_a_home_is_not_known_at_once() {
    let mut meter = MeterRun::new(&beside("rules = { restore_check = \"2 min\" }"), 0, Base::default());
    slowly(&mut meter, 1, 3);
    let state = meter.state(NOW, &Totals::default(), "");
    assert_eq!((state.phase.as_str(), state.days_learned), ("learning", 0.0));
    assert!((state.envelope_m3_per_h - 10.8).abs() < 0.01, "1.8 times a G4: {}", state.envelope_m3_per_h);
}
