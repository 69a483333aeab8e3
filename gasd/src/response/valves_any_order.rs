// SPDX-License-Identifier: MIT OR Apache-2.0
//! The rules of the valves hold in whatever order things happen.

use proptest::prelude::*;

use crate::response::actuator::{Description, Target};
use crate::response::opening::OpenPlan;
use crate::response::valves::tests::{NOW, acknowledge, config, drives, valves, verdict};
use crate::response::valves::{Step, Valves};
use crate::state::{Hold, Position, Release};
use crate::store::{Loaded, StoredHold};

#[derive(Clone, Debug)]
enum Event {
    Verdict(usize, bool),
    Close(bool),
    PlanOpen(bool),
    Confirm,
    Acknowledge,
    Driven(bool, bool, bool),
    Observed(bool, bool),
    Ready(bool, bool),
    /// Something happens to a valve that is not configured any more.
    Unconfigured(u8),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        (0usize..5, any::<bool>()).prop_map(|(meter, critical)| Event::Verdict(meter, critical)),
        any::<bool>().prop_map(Event::Close),
        any::<bool>().prop_map(Event::PlanOpen),
        Just(Event::Confirm),
        Just(Event::Acknowledge),
        any::<(bool, bool, bool)>().prop_map(|(a, b, c)| Event::Driven(a, b, c)),
        any::<(bool, bool)>().prop_map(|(a, b)| Event::Observed(a, b)),
        any::<(bool, bool)>().prop_map(|(a, b)| Event::Ready(a, b)),
        (0u8..5).prop_map(Event::Unconfigured),
    ];
    proptest::collection::vec(event, 0..120)
}

/// An application's hold of a valve that is not configured.
fn left() -> Loaded {
    let (owner, reason) = ("vendor".to_owned(), "because".to_owned());
    let hold = Hold { cookie: 1_000_000, owner, reason, verdict: None, uid: Some(33), since_unix_us: 0 };
    Loaded { holds: vec![StoredHold { valve: "old".into(), hold, marks: Vec::new() }], ..Loaded::default() }
}

/// Everything that could move it, and what releases its hold.
fn unconfigured(valves: &mut Valves, what: u8, id: u64) -> Vec<Step> {
    match what {
        0 => valves.close("old", "", "", id, NOW).unwrap_or_default(),
        1 => {
            valves.plan_open("old", "", NOW).map(|plan| vec![Step::Persist(plan.record)]).unwrap_or_default()
        }
        2 => valves.ready(2, Description::default(), Ok(Position::Open), NOW),
        3 => valves.observed(2, Position::Open, NOW),
        _ => {
            if let Ok(plan) = valves.plan_release("old", 1_000_000, Release::Any, "", NOW) {
                valves.confirm_release(&plan);
            }
            Vec::new()
        }
    }
}

proptest! {
    /// Whatever happens in whatever order: only a confirmed opening opens, never against a hold or an
    /// unacknowledged critical verdict, and a valve with a hold was last told to close.
    #[test]
    fn no_order_of_events_opens_a_held_valve(events in events()) {
        let names = ["house", "outside"];
        let mut valves = valves(&left());
        let mut plans: Vec<OpenPlan> = Vec::new();
        // The third is never told anything: an index beyond the configured ones would end the test.
        let mut told = [None, None];
        let mut id = 0;
        for event in events {
            id += 1;
            let mut confirmed = None;
            let steps = match event {
                Event::Verdict(meter, critical) => {
                    let name = ["kitchen", "cellar", "garden", "shed", "?"][meter];
                    valves.on_verdict(meter, &verdict(id, name, if critical { "critical" } else { "notice" }), id, NOW)
                }
                Event::Close(second) => valves.close(names[usize::from(second)], "", "", id, NOW).unwrap(),
                Event::PlanOpen(second) => {
                    plans.extend(valves.plan_open(names[usize::from(second)], "", NOW));
                    Vec::new()
                }
                Event::Confirm => match plans.pop() {
                    Some(plan) => {
                        let steps = valves.confirm_open(&plan, NOW).unwrap_or_default();
                        confirmed = (!steps.is_empty()).then_some(plan.valve);
                        steps
                    }
                    None => Vec::new(),
                },
                Event::Acknowledge => {
                    let oldest = valves.unacknowledged().first().map(|verdict| verdict.id);
                    if let Some(oldest) = oldest {
                        acknowledge(&mut valves, oldest);
                    }
                    Vec::new()
                }
                Event::Driven(second, open, ok) => {
                    let to = if open { Target::Open } else { Target::Closed };
                    let result = if ok { Ok(to.position()) } else { Err("stuck".into()) };
                    valves.driven(usize::from(second), to, Some(1), result, NOW)
                }
                Event::Observed(second, open) => {
                    valves.observed(usize::from(second), if open { Position::Open } else { Position::Closed }, NOW)
                }
                Event::Ready(second, open) => {
                    let position = if open { Position::Open } else { Position::Closed };
                    valves.ready(usize::from(second), Description::default(), Ok(position), NOW)
                }
                Event::Unconfigured(what) => {
                    let steps = unconfigured(&mut valves, what, id);
                    prop_assert!(steps.is_empty(), "{:?}", steps);
                    steps
                }
            };
            for (valve, to) in drives(&steps) {
                prop_assert!(to == Target::Closed || confirmed == Some(valve));
                told[valve] = Some(to);
            }
            for (valve, last) in told.iter().enumerate() {
                if valves.is_held(valve) {
                    prop_assert_eq!(*last, Some(Target::Closed));
                }
                if let Some(at) = confirmed {
                    prop_assert!(!valves.is_held(at));
                    let critical = valves.unacknowledged().iter().filter(|verdict| verdict.severity == "critical");
                    for verdict in critical {
                        let its = config().meters.iter().any(|meter| meter.id == verdict.meter && meter.valve == Some(at));
                        prop_assert!(!its);
                    }
                }
            }
        }
    }
}
