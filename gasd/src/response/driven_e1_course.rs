// SPDX-License-Identifier: MIT OR Apache-2.0
//! Any configurations of valves one after the other, and any requests in between: nothing that is held is opened by another
//! name or line, each refusal names what frees the valve, and memory is as the store.

use std::collections::BTreeMap;

use proptest::prelude::*;

use crate::config::{self, Config};
use crate::response::actuator::{Description, Target};
use crate::response::driven::tests::{on_lines, started, store, written};
use crate::response::holds::Wanted;
use crate::response::valves::tests::{NOW, acknowledge, drives, verdict};
use crate::response::valves::{Step, Valves};
use crate::state::{CommandError, Position, Release};
use crate::store::Loaded;

/// What somebody does to the valve with this index.
#[derive(Clone, Copy, Debug)]
enum Request {
    Hold {
        app: &'static str,
    },
    Close,
    Verdict,
    Open,
    /// Its record cannot be written, or may be and is taken back.
    OpenInVain,
    /// Whatever stands in the way is taken away as the refusal says.
    Free,
}

type Lines = (Option<u32>, Option<u32>);
/// Names, lines (`None`: simulated; two: latching) and requests of one start.
type Start = (Vec<(&'static str, Lines)>, Vec<(usize, Request)>);

fn start() -> impl Strategy<Value = Start> {
    let request = prop_oneof![
        prop_oneof![Just("x"), Just("y")].prop_map(|app| Request::Hold { app }),
        Just(Request::Close),
        Just(Request::Verdict),
        Just(Request::Open),
        Just(Request::OpenInVain),
        Just(Request::Free),
    ];
    let names = Just(vec!["a", "b", "c", "d"]).prop_shuffle();
    let lines = Just(vec![1u32, 2, 3, 4]).prop_shuffle();
    let is_driven = prop::collection::vec(prop::bool::weighted(0.85), 4);
    let two = prop::collection::vec(prop::bool::ANY, 4);
    let more = Just(vec![1u32, 2, 3, 4, 5, 6, 7, 8]).prop_shuffle();
    let _ = lines;
    let valves = (1usize..4, names, more, is_driven, two).prop_map(|(n, names, lines, is_driven, two)| {
        let lines: Vec<Lines> = (0..4)
            .map(|i| {
                if !is_driven[i] {
                    (None, None)
                } else {
                    (
                        Some(lines[2 * i] % 5),
                        two[i].then_some(
                            lines[2 * i + 1] % 5 + 10 * u32::from(lines[2 * i] % 5 == lines[2 * i + 1] % 5),
                        ),
                    )
                }
            })
            .collect();
        let mut taken = Vec::new();
        let lines = lines.into_iter().map(move |(one, other)| {
            let mut free = |line: Option<u32>| {
                line.map(|mut at| {
                    while taken.contains(&at) {
                        at += 1;
                    }
                    taken.push(at);
                    at
                })
            };
            (free(one), free(other))
        });
        names.into_iter().zip(lines).take(n).collect::<Vec<_>>()
    });
    (valves, prop::collection::vec((0usize..3, request), 0..8))
}

fn configuration(valves: &[(&'static str, Lines)]) -> Config {
    let mut config = on_lines(0, 0);
    let template = config.valves[0].clone();
    let valve = |&(id, (line, other)): &(&str, Lines)| {
        let mut valve = config::ValveConfig { id: id.into(), ..template.clone() };
        match (&mut valve.actuator, line) {
            (config::Actuator::Gpio { line, pulse_ns, open_line, .. }, Some(at)) => {
                line.line = at;
                if let Some(other) = other {
                    *pulse_ns = Some(1);
                    *open_line = Some(config::GpioLine { line: other, ..line.clone() });
                }
            }
            (actuator, _) => *actuator = config::Actuator::Simulated,
        }
        valve
    };
    config.valves = valves.iter().map(valve).collect();
    config.meters.iter_mut().for_each(|meter| meter.valve = Some(0));
    config
}

/// What is true, whatever gasd thinks of it.
#[derive(Default)]
struct Truth {
    /// Holds of applications that were not released, with what each held when it was told so.
    held: BTreeMap<u64, Vec<(String, Lines)>>,
    /// The last order to each line.
    told: BTreeMap<u32, Position>,
    cookie: u64,
}

impl Truth {
    /// Drives of these steps are done.
    fn drive(&mut self, config: &[(&'static str, Lines)], steps: &[Step]) {
        for (at, to) in drives(steps) {
            match (config[at].1, to) {
                ((Some(line), None), to) => drop(self.told.insert(line, to.position())),
                // The known one: what a latching valve was told is said of its first line.
                ((Some(line), Some(_)), to) => drop(self.told.insert(line, to.position())),
                _ => {}
            }
        }
    }
}

fn course(starts: Vec<Start>) {
    let (mut loaded, mut truth) = (Loaded::default(), Truth::default());
    for (names, requests) in starts {
        let config = configuration(&names);
        let mut valves = started(&config, &mut loaded);
        for (at, (_, line)) in names.iter().enumerate() {
            let is_open = !valves.before(at).held && valves.before(at).commanded == Position::Open;
            let (line, other) = *line;
            let told = line.and_then(|line| truth.told.get(&line).copied());
            assert!(
                !is_open || line.is_none() || other.is_some() || told == Some(Position::Open),
                "{names:?} {at}: a start left it open"
            );
            let steps = valves.ready(at, Description::default(), Ok(Position::Open), NOW);
            store(&mut loaded, &steps);
            truth.drive(&names, &steps);
        }
        for (at, request) in requests {
            let at = at % names.len();
            one(&config, &names, &mut valves, &mut loaded, &mut truth, at, request);
            let again = Valves::new(&config, &loaded);
            let cookies = |valves: &Valves, at: usize| -> Vec<u64> {
                let mut all: Vec<u64> =
                    valves.state(at).unwrap().holds.iter().map(|hold| hold.cookie).collect();
                all.sort_unstable();
                all
            };
            (0..names.len())
                .for_each(|at| assert_eq!(cookies(&valves, at), cookies(&again, at), "{request:?}"));
        }
    }
}

fn one(
    config: &Config,
    names: &[(&'static str, Lines)],
    valves: &mut Valves,
    loaded: &mut Loaded,
    truth: &mut Truth,
    at: usize,
    request: Request,
) {
    let (id, line) = names[at];
    truth.cookie += 1;
    let cookie = truth.cookie;
    let mut done = |valves: &mut Valves, truth: &mut Truth, steps: &[Step]| {
        store(loaded, steps);
        truth.drive(names, steps);
        let _ = valves;
    };
    match request {
        Request::Hold { app } => {
            let wanted = Wanted { valve: id, app, reason: "unpaid", uid: 33, caller: "uid 33" };
            let Ok((cookie, steps)) = valves.place(wanted, cookie, NOW) else { return };
            done(valves, truth, &steps);
            truth.held.entry(cookie).or_default().push((id.to_owned(), line));
        }
        Request::Close => {
            let steps = valves.close(id, "inspection", "uid 0", cookie, NOW).unwrap();
            done(valves, truth, &steps);
        }
        Request::Verdict => {
            let verdict = verdict(cookie, &config.meters[0].id, "critical");
            let steps = valves.on_verdict(0, &verdict, cookie, NOW);
            done(valves, truth, &steps);
        }
        Request::Open | Request::OpenInVain => {
            let Ok(plan) = valves.plan_open(id, "uid 0", NOW) else { return };
            for (cookie, held) in &truth.held {
                let on = |(one, other): &Lines| [*one, *other];
                let is_it = |(name, its): &(String, Lines)| {
                    name == id || on(its).iter().flatten().any(|l| on(&line).contains(&Some(*l)))
                };
                assert!(
                    !held.iter().any(is_it),
                    "{id} on {line:?} may be opened past hold {cookie} of {held:?}"
                );
            }
            written(loaded, plan.record.clone());
            if matches!(request, Request::OpenInVain) {
                written(loaded, valves.undo_open(&plan, NOW));
                return;
            }
            let steps = valves.confirm_open(&plan, NOW).unwrap();
            assert_eq!(drives(&steps), [(at, Target::Open)]);
            store(loaded, &steps);
            truth.drive(names, &steps);
        }
        Request::Free => free(valves, loaded, truth, id),
    }
}

/// Until the valve may be opened, each time as the refusal says.
fn free(valves: &mut Valves, loaded: &mut Loaded, truth: &mut Truth, id: &str) {
    for _ in 0..200 {
        let Err(why) = valves.plan_open(id, "uid 0", NOW) else { return };
        match why {
            CommandError::Unacknowledged { verdict, .. } => {
                acknowledge(valves, verdict);
                loaded.verdicts.retain(|known| known.id != verdict);
            }
            CommandError::Held { cookie, valve, .. } => release(valves, loaded, truth, &valve, cookie),
            CommandError::HeldAsAnother { cookie, left, .. } => release(valves, loaded, truth, &left, cookie),
            other => panic!("{other}"),
        }
    }
    panic!("what the refusals say does not free {id}");
}

fn release(valves: &mut Valves, loaded: &mut Loaded, truth: &mut Truth, valve: &str, cookie: u64) {
    let plan = valves.plan_release(valve, cookie, Release::Any, "uid 0", NOW).unwrap();
    written(loaded, plan.record.clone());
    assert_eq!(valves.confirm_release(&plan), []);
    truth.held.remove(&cookie);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6000))]

    #[test]
    fn e1_nothing_that_is_held_is_opened_with_two_lines_either(starts in prop::collection::vec(start(), 1..7)) {
        course(starts);
    }
}
