// SPDX-License-Identifier: MIT OR Apache-2.0
//! Any configurations of level and latching valves one after the other, and any requests in between: nothing that is held is opened by another
//! name or line, each refusal names what frees the valve, and memory is as the store.

use std::collections::BTreeMap;

use proptest::prelude::*;

use crate::config::{self, Config};
use crate::response::actuator::{Description, Target};
use crate::response::driven::tests::{latching, on_lines, started, store, written};
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

/// A valve's name and its lines: none for one that is simulated, and a second one for a latching one.
type Named = (&'static str, Vec<u32>);
/// Valves and requests of one start.
type Start = (Vec<Named>, Vec<(usize, Request)>);

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
    let lines = Just(vec![1u32, 2, 3, 4, 5, 6]).prop_shuffle();
    let how_many = prop::collection::vec(prop_oneof![3 => Just(0usize), 11 => Just(1), 6 => Just(2)], 3);
    let valves = (1usize..4, names, lines, how_many).prop_map(|(n, names, lines, how_many)| {
        let lines = lines.chunks(2).zip(how_many).map(|(two, n)| two[..n].to_vec());
        names.into_iter().zip(lines).take(n).collect::<Vec<_>>()
    });
    (valves, prop::collection::vec((0usize..3, request), 0..8))
}

fn configuration(valves: &[Named]) -> Config {
    let mut config = on_lines(0, 0);
    let template = config.valves[0].clone();
    let valve = |(id, lines): &Named| {
        let mut valve = config::ValveConfig { id: (*id).into(), ..template.clone() };
        match (&mut valve.actuator, &lines[..]) {
            (config::Actuator::Gpio { line, .. }, [level]) => line.line = *level,
            (gpio, [close, open]) => *gpio = latching(*close, *open),
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
    held: BTreeMap<u64, Vec<Named>>,
    /// The last order to each line that is a level, for as long as it is one.
    told: BTreeMap<u32, Position>,
    cookie: u64,
}

impl Truth {
    /// Drives of these steps are done.
    fn drive(&mut self, config: &[Named], steps: &[Step]) {
        for (at, to) in drives(steps) {
            if let [level] = config[at].1[..] {
                self.told.insert(level, to.position());
            }
        }
    }
}

fn course(starts: Vec<Start>) {
    let (mut loaded, mut truth) = (Loaded::default(), Truth::default());
    for (names, requests) in starts {
        let config = configuration(&names);
        let mut valves = started(&config, &mut loaded);
        let pulsed = |line: &u32| names.iter().any(|(_, lines)| lines.len() > 1 && lines.contains(line));
        truth.told.retain(|line, _| !pulsed(line));
        for (at, (_, lines)) in names.iter().enumerate() {
            let is_open = !valves.before(at).held && valves.before(at).commanded == Position::Open;
            if let ([level], true) = (&lines[..], is_open) {
                let told = truth.told.get(level);
                assert_eq!(told, Some(&Position::Open), "{names:?} {at}: a start left it open");
            }
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
    names: &[Named],
    valves: &mut Valves,
    loaded: &mut Loaded,
    truth: &mut Truth,
    at: usize,
    request: Request,
) {
    let (id, ref lines) = names[at];
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
            truth.held.entry(cookie).or_default().push((id, lines.clone()));
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
                let is_it = |(name, its): &Named| *name == id || its.iter().any(|line| lines.contains(line));
                assert!(
                    !held.iter().any(is_it),
                    "{id} on {lines:?} may be opened past hold {cookie} of {held:?}"
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
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn nothing_that_is_held_is_opened_by_another_name_or_line(starts in prop::collection::vec(start(), 1..7)) {
        course(starts);
    }
}
