// SPDX-License-Identifier: MIT OR Apache-2.0
//! A gasd, its stream and its bus as a model, and a subscription that hears them in any order.

use std::collections::{BTreeMap, VecDeque};
use std::ffi::CString;

use gasd_abi::stream::{HELLO, VERDICT};
use proptest::prelude::*;

use super::*;
use crate::client::house::Named;
use crate::client::out::About;
use crate::exports::events::gasd_handlers;

const KEY: u64 = 7;

fn words(id: u64, decided_ns: u64) -> Arc<Words> {
    Arc::new(Words {
        id,
        meter: Arc::new(c"kitchen".to_owned()),
        kind: 1,
        severity: 3,
        start_ns: 1,
        decided_ns,
        simulated: false,
        text: c"a surge".to_owned(),
        evidence: CString::default(),
    })
}

unsafe extern "C" fn ignore(_: *mut std::ffi::c_void, _: *const crate::exports::events::gasd_verdict_event) {}

fn subscription() -> Subscription {
    let listener = Listener::nobody();
    let handlers = gasd_handlers { verdict: Some(ignore), ..listener.handlers };
    Subscription::new(16, Arc::new(Listener { handlers, ..listener }), Vec::new(), 0)
}

fn house(verdicts: impl IntoIterator<Item = Arc<Words>>) -> House {
    let meter = Named { id: Arc::new(c"kitchen".to_owned()), key: KEY, path: String::new() };
    let verdicts = verdicts.into_iter().map(|words| (words.id, words)).collect();
    House { meters: vec![meter], verdicts, ..House::default() }
}

fn record(id: u64, t_ns: u64, flags: u64) -> Record {
    Record { kind: VERDICT, index: 0, key: KEY, t_ns, body: [id, 1, 3, 1, flags] }
}

/// What happens, in gasd and on the ways from it.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// A verdict is made, or one acknowledged: the stream says so at once.
    Made,
    Acknowledged(u8),
    /// gasd's objects follow, and the bus says so.
    Published,
    /// The stream has no room for what it holds.
    Overflow,
    /// The client reads from the stream, or from the bus.
    Stream(u8),
    Bus(u8),
    /// gasd answers what it has; the client asks for it again.
    Answered,
    AskedAgain,
    /// gasd ends and is back, perhaps with an empty store.
    Restarted(bool),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => Just(Step::Made),
        3 => any::<u8>().prop_map(Step::Acknowledged),
        3 => Just(Step::Published),
        1 => Just(Step::Overflow),
        4 => (0..6u8).prop_map(Step::Stream),
        4 => (0..6u8).prop_map(Step::Bus),
        3 => Just(Step::Answered),
        1 => Just(Step::AskedAgain),
        1 => prop::bool::weighted(0.1).prop_map(Step::Restarted),
    ];
    prop::collection::vec(step, 0..120)
}

/// What the bus carries.
enum Message {
    Added(Arc<Words>),
    Removed(u64),
    House(House),
    Away,
    Back,
}

#[derive(Default)]
struct Told {
    made: BTreeMap<(u64, u64), u32>,
    acknowledged: BTreeMap<(u64, u64), u32>,
    explained: BTreeMap<(u64, u64), u32>,
}

struct World {
    now_ns: u64,
    next: u64,
    waits: BTreeMap<u64, Arc<Words>>,
    published: BTreeMap<u64, Arc<Words>>,
    bus: VecDeque<Message>,
    /// Sockets that were not read to their end; the newest is gasd's now, if it is connected.
    streams: VecDeque<VecDeque<Record>>,
    connected: bool,
    /// Questions that reached gasd.
    questions: usize,
    // The client's side.
    one: Subscription,
    house: House,
    asking: bool,
    again: bool,
    anew: bool,
    there: bool,
    told: Told,
}

impl World {
    fn new() -> World {
        let mut world = World {
            now_ns: 1,
            next: 1,
            waits: BTreeMap::new(),
            published: BTreeMap::new(),
            bus: VecDeque::new(),
            streams: VecDeque::new(),
            connected: false,
            questions: 0,
            one: subscription(),
            house: house([]),
            asking: false,
            again: false,
            anew: false,
            there: false,
            told: Told::default(),
        };
        world.bus.push_back(Message::Back);
        world
    }

    fn stream(&mut self, record: Record) {
        if self.connected
            && let Some(stream) = self.streams.back_mut()
        {
            stream.push_back(record);
        }
    }

    fn ask(&mut self) {
        if self.asking {
            self.again = true;
        } else if self.there {
            self.asking = true;
            self.questions += 1;
        }
    }

    fn publish(&mut self) {
        let waits = self.waits.clone();
        let gone: Vec<u64> = self.published.keys().filter(|id| !waits.contains_key(id)).copied().collect();
        for id in gone {
            self.published.remove(&id);
            self.bus.push_back(Message::Removed(id));
        }
        for (id, words) in waits {
            if self.published.insert(id, words.clone()).is_none() {
                self.bus.push_back(Message::Added(words));
            }
        }
    }

    fn answer(&mut self) {
        if self.questions > 0 {
            self.questions -= 1;
            self.bus.push_back(Message::House(house(self.published.values().cloned())));
        }
    }

    fn restart(&mut self, empty: bool) {
        self.connected = false;
        self.questions = 0;
        self.published.clear();
        if empty {
            self.waits.clear();
            self.next = 1;
        }
        self.bus.push_back(Message::Away);
        // A gasd that begins publishes before it has its name.
        self.published = self.waits.clone();
        self.bus.push_back(Message::Back);
    }

    fn read_stream(&mut self) -> bool {
        let Some(stream) = self.streams.front_mut() else { return false };
        let mut events = Vec::new();
        match stream.pop_front() {
            Some(record) => assert!(self.one.record(&record, &self.house, &mut events)),
            None if self.streams.len() > 1 || !self.connected => drop(self.streams.pop_front()),
            None => return false,
        }
        self.hear(events);
        true
    }

    fn read_bus(&mut self) -> bool {
        let mut events = Vec::new();
        match self.bus.pop_front() {
            None => return false,
            Some(Message::Added(words)) => {
                self.house.verdicts.insert(words.id, words.clone());
                self.one.made(&words, 0, &mut events);
            }
            Some(Message::Removed(id)) => {
                self.house.verdicts.remove(&id);
                events.extend(self.one.verdicts.acknowledged(id, u64::MAX));
            }
            Some(Message::House(house)) => {
                self.asking = false;
                self.house = house;
                self.one.joined(&self.house, std::mem::take(&mut self.anew), &mut events);
                if std::mem::take(&mut self.again) {
                    self.ask();
                }
                // A stream of the next gasd is handed out behind the news of it, and not before.
                if !self.connected && !self.bus.iter().any(|message| matches!(message, Message::Away)) {
                    self.connected = true;
                    self.streams.push_back(VecDeque::from([Record { kind: HELLO, ..Record::default() }]));
                }
            }
            Some(Message::Away) => (self.there, self.asking, self.again) = (false, false, false),
            Some(Message::Back) => {
                (self.there, self.anew) = (true, true);
                self.ask();
            }
        }
        self.hear(events);
        true
    }

    fn hear(&mut self, events: Vec<Event>) {
        for event in events {
            let Event::Verdict(about, said) = event else { continue };
            let count = match about {
                About::Made => &mut self.told.made,
                About::Acknowledged => &mut self.told.acknowledged,
                About::Explained => &mut self.told.explained,
            };
            *count.entry((said.id, said.decided_ns)).or_default() += 1;
        }
    }

    fn go(&mut self, step: Step) {
        self.now_ns += 1;
        match step {
            Step::Made => {
                let (id, t_ns) = (self.next, self.now_ns);
                self.next += 1;
                self.waits.insert(id, words(id, t_ns));
                self.stream(record(id, t_ns, 0));
            }
            Step::Acknowledged(which) => {
                let Some(&id) = self.waits.keys().nth(usize::from(which) % self.waits.len().max(1)) else {
                    return;
                };
                self.waits.remove(&id);
                let t_ns = self.now_ns;
                self.stream(record(id, t_ns, ACKNOWLEDGED));
            }
            Step::Published => self.publish(),
            Step::Overflow => {
                if self.connected
                    && let Some(stream) = self.streams.back_mut()
                {
                    stream.clear();
                }
            }
            Step::Stream(n) => (0..n).for_each(|_| {
                self.read_stream();
            }),
            Step::Bus(n) => (0..n).for_each(|_| {
                self.read_bus();
            }),
            Step::Answered => self.answer(),
            Step::AskedAgain => self.ask(),
            Step::Restarted(empty) => self.restart(empty),
        }
    }

    /// Everything that is under way arrives.
    fn settle(&mut self) {
        loop {
            self.publish();
            self.answer();
            if !self.read_bus() && !self.read_stream() && self.questions == 0 {
                return;
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn each_verdict_is_told_once_whatever_comes_first(steps in steps()) {
        let mut world = World::new();
        steps.into_iter().for_each(|step| world.go(step));
        world.settle();
        for words in world.waits.values() {
            prop_assert_eq!(world.told.made.get(&(words.id, words.decided_ns)), Some(&1), "{}", words.id);
        }
        // What waits no more was told that, if it was told at all; perhaps only by the next gasd.
        world.restart(false);
        world.settle();
        prop_assert!(world.told.made.values().all(|n| *n == 1), "{:?}", world.told.made);
        prop_assert!(world.told.explained.values().all(|n| *n == 1), "{:?}", world.told.explained);
        for (key, n) in &world.told.acknowledged {
            prop_assert_eq!(*n, 1);
            prop_assert!(world.told.made.contains_key(key));
        }
        let acknowledged = world.told.acknowledged.len();
        prop_assert_eq!(world.told.made.len() - acknowledged, world.waits.len());
        prop_assert_eq!(world.one.verdicts.sizes().1, world.waits.len());
    }
}

#[test]
fn years_of_verdicts_take_no_more_room_than_a_month_of_them() {
    let (mut one, mut events) = (subscription(), Vec::new());
    for id in 1..=20_000 {
        let words = words(id, id);
        one.made(&words, 0, &mut events);
        events.extend(one.verdicts.acknowledged(id, u64::MAX));
    }
    assert_eq!(events.len(), 40_000);
    assert_eq!(one.verdicts.sizes(), (1024, 0));
}

#[test]
fn what_waits_is_remembered_beyond_the_bound() {
    let (mut one, mut events) = (subscription(), Vec::new());
    let all: Vec<_> = (1..=3_000).map(|id| words(id, id)).collect();
    all.iter().for_each(|words| one.made(words, 0, &mut events));
    one.joined(&house(all), true, &mut events);
    assert_eq!(events.len(), 3_000, "none was told again");
}

#[test]
fn a_failed_question_makes_nothing_be_told_again() {
    let (mut one, mut events) = (subscription(), Vec::new());
    let house = house([words(1, 5)]);
    for anew in [true, false, true, true] {
        one.joined(&house, anew, &mut events);
    }
    assert_eq!(events.len(), 1);
}
