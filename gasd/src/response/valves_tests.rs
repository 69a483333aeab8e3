// SPDX-License-Identifier: MIT OR Apache-2.0

use std::path::PathBuf;

use super::*;
use crate::config::{FilterSettings, GpioLine, MeterConfig, MeterSource, Thresholds, ValveConfig};
use crate::response::actuator::Description;
use crate::store::StoredHold;
use gasd_abi::FilterConfig;

pub(in crate::response) const NOW: Now = Now { unix_us: 1, boottime_ns: 2, boot: 0 };

pub(in crate::response) fn config() -> Config {
    let meter = |id: &str, valve| MeterConfig {
        readings: None,
        id: id.into(),
        source: MeterSource::Trace(GpioLine { chip: None, line: 0, active_low: false, bias: None }),
        pulse_volume_ul: 10,
        max_flow_ul_per_h: 1,
        filter: FilterSettings { abi: FilterConfig::default(), poll_ns: 1 },
        thresholds: Thresholds { suspect_m3_per_h: 5.0, confirm_m3_per_h: 3.2, sustain_m3_per_h: 1.8 },
        profile: gasd_detect::Profile::default(),
        rules: gasd_detect::Profile::default().rules(),
        valve,
        alarm: None,
    };
    let valve = |id: &str| ValveConfig { id: id.into(), actuator: Actuator::Simulated };
    Config {
        warnings: Vec::new(),
        files: Vec::new(),
        meters: vec![
            meter("kitchen", Some(0)),
            meter("cellar", Some(0)),
            meter("garden", Some(1)),
            meter("shed", None),
        ],
        ports: Vec::new(),
        valves: vec![valve("house"), valve("outside")],
        store: PathBuf::new(),
        persist_ns: 1,
        pins: PathBuf::new(),
    }
}

impl Valves {
    /// A verdict as [`crate::response::Response::on_finding`] has it: the order first, then what is kept.
    pub(in crate::response) fn on_verdict(
        &mut self,
        meter: usize,
        verdict: &VerdictRecord,
        cookie: u64,
        now: Now,
    ) -> Vec<Step> {
        let mut steps = if verdict.severity == "critical" { self.close_for(meter) } else { Vec::new() };
        steps.extend(self.keep_verdict(meter, verdict, cookie, now));
        steps
    }
}

pub(in crate::response) fn valves(loaded: &Loaded) -> Valves {
    Valves::new(&config(), loaded)
}

pub(in crate::response) fn verdict(id: u64, meter: &str, severity: &str) -> VerdictRecord {
    VerdictRecord {
        id,
        meter: meter.into(),
        kind: "surge".into(),
        severity: severity.into(),
        t_ns: 1,
        decided_ns: 2,
        unix_us: 3,
        evidence_json: "{}".into(),
        text: format!("too much gas on {meter}"),
        acknowledged_by: None,
    }
}

fn hold(valve: &str, cookie: u64, owner: &str, verdict: Option<u64>) -> StoredHold {
    let hold =
        Hold { cookie, owner: owner.into(), reason: "because".into(), verdict, uid: None, since_unix_us: 0 };
    StoredHold { valve: valve.into(), hold, marks: Vec::new() }
}

pub(in crate::response) fn acknowledge(valves: &mut Valves, id: u64) {
    let plan = valves.plan_acknowledge(id, None, "uid 0", NOW).unwrap();
    assert!(valves.confirm_acknowledge(&plan));
}

pub(in crate::response) fn drives(steps: &[Step]) -> Vec<(usize, Target)> {
    let drive = |step: &Step| match step {
        Step::Drive { valve, to, .. } => Some((*valve, *to)),
        Step::Persist(_) => None,
    };
    steps.iter().filter_map(drive).collect()
}

#[test]
fn a_critical_verdict_drives_before_it_writes_and_holds_the_valve_of_its_meter() {
    let mut valves = valves(&Loaded::default());
    let steps = valves.on_verdict(1, &verdict(7, "cellar", "critical"), 3, NOW);
    assert_eq!(steps[0], Step::Drive { valve: 0, to: Target::Closed, force: true });
    let Step::Persist(rows) = &steps[1] else { panic!("{steps:?}") };
    assert!(matches!(rows[0], Change::Verdict(_)) && matches!(rows[1], Change::PlaceHold(_)));
    let hold = &valves.state(0).unwrap().holds[0];
    assert_eq!((hold.owner.as_str(), hold.verdict, hold.cookie), (GASD, Some(7), 3));
    assert!(valves.state(1).unwrap().holds.is_empty());
}

#[test]
fn lesser_verdicts_and_meters_without_a_valve_close_nothing() {
    let mut valves = valves(&Loaded::default());
    for (meter, name, severity) in
        [(0, "kitchen", "warning"), (3, "shed", "critical"), (99, "gone", "critical")]
    {
        let steps = valves.on_verdict(meter, &verdict(1, name, severity), 1, NOW);
        assert_eq!(drives(&steps), []);
        assert!(matches!(&steps[..], [Step::Persist(_)]));
    }
}

#[test]
fn opening_waits_for_the_acknowledgement_and_acknowledging_opens_nothing() {
    let mut valves = valves(&Loaded::default());
    valves.on_verdict(0, &verdict(1, "kitchen", "critical"), 1, NOW);
    let refused = valves.plan_open("house", "uid 0", NOW).unwrap_err();
    assert!(matches!(refused, CommandError::Unacknowledged { verdict: 1, .. }), "{refused}");
    acknowledge(&mut valves, 1);
    assert_eq!(valves.state(0).unwrap().holds.len(), 1);
    let plan = valves.plan_open("house", "uid 0", NOW).unwrap();
    assert!(plan.record.contains(&Change::ReleaseHold(1)));
    assert_eq!(valves.state(0).unwrap().holds.len(), 1, "held until the record is durable");
    let steps = valves.confirm_open(&plan, NOW).unwrap();
    assert_eq!(drives(&steps), [(0, Target::Open)]);
    assert_eq!(valves.state(0).unwrap().holds, []);
    assert_eq!(valves.state(0).unwrap().position, Position::Unknown);
}

#[test]
fn a_valve_that_is_closed_on_its_way_open_is_not_said_to_be_opening() {
    let mut valves = valves(&Loaded::default());
    let health = |valves: &Valves| valves.state(0).unwrap().health.clone();
    // By a person, and by the meter that it belongs to.
    for closes in [
        |valves: &mut Valves| valves.close("house", "a test", "uid 0", 1, NOW).unwrap(),
        |valves: &mut Valves| valves.close_for(0),
    ] {
        let plan = valves.plan_open("house", "uid 0", NOW).unwrap();
        let _ = valves.confirm_open(&plan, NOW).unwrap();
        assert_eq!(health(&valves), "opening");
        assert_eq!(drives(&closes(&mut valves)), [(0, Target::Closed)]);
        assert_eq!(health(&valves), "closing");
        // What the overtaken order ends with says nothing of that.
        valves.driven(0, Target::Open, None, Err("newer order".into()), NOW);
        assert_eq!(health(&valves), "closing");
        valves.driven(0, Target::Closed, None, Ok(Position::Closed), NOW);
        assert_eq!(health(&valves), "ok");
    }
}

#[test]
fn a_verdict_that_comes_while_the_record_is_written_wins() {
    let mut valves = valves(&Loaded::default());
    valves.close("house", "inspection", "uid 0", 1, NOW).unwrap();
    let plan = valves.plan_open("house", "uid 0", NOW).unwrap();
    valves.on_verdict(0, &verdict(1, "kitchen", "critical"), 2, NOW);
    assert!(matches!(valves.confirm_open(&plan, NOW), Err(CommandError::Unacknowledged { .. })));
    // Even acknowledged in the meantime: whoever asked did not know of it.
    acknowledge(&mut valves, 1);
    assert!(matches!(valves.confirm_open(&plan, NOW), Err(CommandError::Held { .. })));
    assert_eq!(valves.state(0).unwrap().holds.len(), 2);
    let undo = valves.undo_open(&plan, NOW);
    assert!(undo.iter().any(|row| matches!(row, Change::PlaceHold(hold) if hold.hold.cookie == 1)));
    let closed = Change::Commanded { valve: "simulated house".into(), to: Position::Closed };
    assert!(undo.contains(&closed));
}

#[test]
fn a_foreign_hold_keeps_the_valve_closed() {
    let loaded = Loaded { holds: vec![hold("house", 1, "vendor.app", None)], ..Loaded::default() };
    let refused = valves(&loaded).plan_open("house", "uid 0", NOW).unwrap_err();
    assert!(matches!(refused, CommandError::Held { owner, .. } if owner == "vendor.app"));
}

#[test]
fn a_hold_names_its_verdict_even_if_the_meter_is_not_configured_any_more() {
    let loaded = Loaded {
        holds: vec![hold("house", 1, GASD, Some(9))],
        verdicts: vec![verdict(9, "old-meter", "critical")],
        ..Loaded::default()
    };
    let refused = valves(&loaded).plan_open("house", "uid 0", NOW).unwrap_err();
    assert!(matches!(refused, CommandError::Unacknowledged { verdict: 9, .. }));
}

#[test]
fn a_start_closes_what_is_held_and_moves_nothing_else() {
    let loaded = Loaded {
        holds: vec![hold("house", 1, OPERATOR, None), hold("gone", 2, OPERATOR, None)],
        commanded: vec![("outside".into(), Position::Open)],
        ..Loaded::default()
    };
    let mut valves = Valves::new(&config(), &loaded);
    let first = valves.ready(0, Description::default(), Ok(Position::Open), NOW);
    assert_eq!(drives(&first), [(0, Target::Closed)]);
    assert_eq!(drives(&valves.ready(1, Description::default(), Ok(Position::Closed), NOW)), []);
    let state = valves.state(1).unwrap();
    assert_eq!(state.position, Position::Closed);
    assert!(state.health.contains("gasctl valve open outside"), "{}", state.health);
}

#[test]
fn an_actuator_that_failed_makes_the_position_unknown_and_says_why() {
    let mut valves = valves(&Loaded::default());
    valves.close("house", "inspection", "uid 0", 1, NOW).unwrap();
    valves.driven(0, Target::Closed, None, Err("the line is stuck".into()), NOW);
    let state = valves.state(0).unwrap();
    assert_eq!(state.position, Position::Unknown);
    assert!(state.health.contains("the line is stuck"));
    // The answer to an older order changes nothing.
    valves.driven(0, Target::Open, Some(5), Ok(Position::Open), NOW);
    assert_eq!(valves.state(0).unwrap().position, Position::Unknown);
    valves.driven(0, Target::Closed, Some(1_234_567), Ok(Position::Closed), NOW);
    assert_eq!(
        (valves.state(0).unwrap().position, valves.state(0).unwrap().health.as_str()),
        (Position::Closed, "ok")
    );
}

#[test]
fn a_held_valve_that_is_opened_by_hand_is_closed_again() {
    let mut valves = valves(&Loaded::default());
    valves.close("house", "inspection", "uid 0", 1, NOW).unwrap();
    valves.driven(0, Target::Closed, Some(1), Ok(Position::Closed), NOW);
    assert_eq!(valves.observed(0, Position::Closed, NOW), []);
    let steps = valves.observed(0, Position::Open, NOW);
    assert_eq!(drives(&steps), [(0, Target::Closed)]);
    assert_eq!(valves.state(0).unwrap().position, Position::Unknown);
    // Without a hold it is only reported.
    assert_eq!(drives(&valves.observed(1, Position::Open, NOW)), []);
    assert_eq!(valves.state(1).unwrap().position, Position::Open);
}

#[test]
fn a_valve_that_cannot_be_opened_is_refused_before_anything_is_written() {
    let mut valves = valves(&Loaded::default());
    let description = Description { cannot_open: Some("no open_line".into()), ..Description::default() };
    valves.ready(0, description, Ok(Position::Unknown), NOW);
    let refused = valves.plan_open("house", "uid 0", NOW).unwrap_err();
    assert!(refused.to_string().contains("no open_line"));
}

#[test]
fn unknown_names_are_refused() {
    let mut valves = valves(&Loaded::default());
    assert_eq!(valves.close("x", "", "", 1, NOW), Err(CommandError::NoSuchValve("x".into())));
    assert_eq!(valves.plan_acknowledge(5, None, "", NOW), Err(CommandError::NoSuchVerdict(5)));
}

#[test]
fn unread_notices_make_room_before_any_critical_verdict() {
    let mut valves = valves(&Loaded::default());
    valves.on_verdict(0, &verdict(1, "kitchen", "critical"), 1, NOW);
    for id in 2..=(LESSER_KEPT as u64 + 1) {
        valves.on_verdict(0, &verdict(id, "kitchen", "info"), 0, NOW);
        assert_eq!(valves.make_room(NOW), None);
    }
    valves.on_verdict(0, &verdict(9_999, "kitchen", "warning"), 0, NOW);
    let (old, rows) = valves.make_room(NOW).unwrap();
    assert_eq!((old, rows.len()), (2, 2));
    assert_eq!(valves.make_room(NOW), None);
    assert_eq!(valves.unacknowledged()[0].severity, "critical");
}

#[test]
fn of_criticals_that_repeat_for_years_the_newest_of_each_meter_waits() {
    let mut valves = valves(&Loaded::default());
    valves.on_verdict(2, &verdict(1, "garden", "critical"), 1, NOW);
    let most = 3 * CRITICAL_KEPT as u64;
    for id in 2..=most {
        valves.on_verdict(0, &verdict(id, "kitchen", "critical"), id, NOW);
        if let Some((old, rows)) = valves.make_room(NOW) {
            assert!(old != 1 && rows.len() == 2, "{old}: {rows:?}");
        }
        assert!(valves.unacknowledged().len() <= CRITICAL_KEPT);
    }
    assert_eq!(valves.unacknowledged()[0].id, 1, "the only one of its meter");
    assert_eq!(valves.unacknowledged().last().unwrap().id, most);
    let refused = valves.plan_open("house", "uid 0", NOW).unwrap_err();
    assert!(matches!(refused, CommandError::Unacknowledged { .. }), "{refused:?}");
}
