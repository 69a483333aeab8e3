// SPDX-License-Identifier: MIT OR Apache-2.0
//! A two-wire line as the host's adapter sees it, and everything that hangs on it.
//!
//! One byte at a time: whoever sends while another does spoils both. Nothing happens here by itself: time is what
//! the caller says, and the same seed, bytes and times give the same line.

use std::collections::{BTreeMap, VecDeque};

use crate::meter::{Meter, Reply};
use crate::noise::{Disturbance, Noise};
use crate::rng::Rng;

/// A line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// How long a byte takes, ns: 11 bits at 2400 baud are 4.58 ms.
    pub byte_ns: u64,
    /// Whether the adapter hears what it sends.
    pub echo: bool,
    /// How it is disturbed.
    pub noise: Noise,
    /// What the disturbances are drawn from.
    pub seed: u64,
}

impl Line {
    /// A line of so many baud and 11 bits a byte, without echo and noise.
    #[must_use]
    pub const fn new(baud: u32) -> Self {
        let baud = if baud == 0 { 1 } else { baud };
        Self { byte_ns: 11_000_000_000 / baud as u64, echo: false, noise: Noise::NONE, seed: 1 }
    }
}

/// Who sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    Host,
    Meter(usize),
    Nobody,
}

/// A line with its meters.
pub struct Bus {
    line: Line,
    meters: Vec<Box<dyn Meter>>,
    /// Bytes on the wire, by when they begin.
    wire: BTreeMap<(u64, Source), u8>,
    /// When each has sent what it has to send, ns: the host, then the meters.
    free_ns: Vec<u64>,
    arrived: VecDeque<(u64, u8)>,
    disturbance: Disturbance,
    rng: Rng,
    /// When the next byte comes from nowhere; not drawn before the line is used, whose clock may be any.
    stray_ns: Option<u64>,
    begun: bool,
    corrupted: u64,
    all: u64,
}

impl Bus {
    /// A line with these meters.
    #[must_use]
    pub fn new(line: Line, meters: Vec<Box<dyn Meter>>) -> Self {
        Self {
            free_ns: vec![0; meters.len() + 1],
            meters,
            wire: BTreeMap::new(),
            arrived: VecDeque::new(),
            disturbance: Disturbance::new(line.noise, line.seed),
            rng: Rng::new(line.seed, 2),
            stray_ns: None,
            begun: false,
            corrupted: 0,
            all: 0,
            line: Line { byte_ns: line.byte_ns.max(1), ..line },
        }
    }

    /// The line.
    #[must_use]
    pub const fn line(&self) -> Line {
        self.line
    }

    /// The meters, in the order in which they were given.
    #[must_use]
    pub fn meters(&self) -> &[Box<dyn Meter>] {
        &self.meters
    }

    /// The host wrote these bytes at `now_ns`; they go out one after the other, behind what it wrote before.
    pub fn sent(&mut self, now_ns: u64, bytes: &[u8]) {
        self.advance(now_ns);
        self.send(Source::Host, now_ns, bytes);
    }

    /// When the next byte is over, or a meter has something to do, ns; `None` while nothing will happen.
    #[must_use]
    pub fn due_ns(&self) -> Option<u64> {
        let arrived = self.arrived.front().map(|(at, _)| *at);
        [arrived, self.next_ns()].into_iter().flatten().min()
    }

    /// Bytes that have arrived at the host by `now_ns` and were not taken yet.
    pub fn take(&mut self, now_ns: u64) -> Vec<u8> {
        self.advance(now_ns);
        let n = self.arrived.iter().take_while(|(at, _)| *at <= now_ns).count();
        self.arrived.drain(..n).map(|(_, byte)| byte).collect()
    }

    /// How many bytes arrived as others, and how many there were, in either direction. Bytes that were spoiled by
    /// another one sent at the same time are not among the first, bytes from nowhere in neither.
    #[must_use]
    pub const fn corrupted(&self) -> (u64, u64) {
        (self.corrupted, self.all)
    }

    fn wire_ns(&self) -> Option<u64> {
        self.wire.keys().next().map(|(start, _)| start.saturating_add(self.line.byte_ns))
    }

    fn next_ns(&self) -> Option<u64> {
        let meters = self.meters.iter().filter_map(|meter| meter.due_ns()).min();
        [self.wire_ns(), meters, self.stray_ns].into_iter().flatten().min()
    }

    /// Lets everything happen that happens until `now_ns`.
    fn advance(&mut self, now_ns: u64) {
        if !self.begun {
            self.begun = true;
            self.draw_stray(now_ns);
        }
        while let Some(due_ns) = self.next_ns().filter(|due| *due <= now_ns) {
            if self.wire_ns() == Some(due_ns) {
                self.finish_byte(due_ns);
            } else if self.stray_ns == Some(due_ns) {
                self.stray(due_ns);
            } else {
                self.tick(due_ns);
            }
        }
    }

    fn draw_stray(&mut self, from_ns: u64) {
        let trials = self.rng.trials(self.line.noise.stray_ppm);
        self.stray_ns = trials.map(|n| from_ns.saturating_add(n.saturating_mul(self.line.byte_ns)));
    }

    /// A byte from nowhere, if nobody sends.
    fn stray(&mut self, at_ns: u64) {
        let until_ns = at_ns.saturating_add(self.line.byte_ns);
        if self.wire.keys().next().is_none_or(|(start, _)| *start >= until_ns) {
            self.wire.insert((at_ns, Source::Nobody), self.rng.byte());
        }
        self.draw_stray(until_ns);
    }

    fn tick(&mut self, now_ns: u64) {
        for n in 0..self.meters.len() {
            let Some(meter) = self.meters.get_mut(n) else { continue };
            if meter.due_ns().is_some_and(|due| due <= now_ns) {
                let replies = meter.heard(now_ns, &[]);
                self.reply(n, now_ns, &replies);
            }
        }
    }

    /// The first byte on the wire is over at `end_ns`.
    fn finish_byte(&mut self, end_ns: u64) {
        let Some(((start_ns, first), mut byte)) = self.wire.pop_first() else { return };
        let mut sources = vec![first];
        while let Some(other) = self
            .wire
            .first_entry()
            .filter(|other| other.key().0 < end_ns && !sources.contains(&other.key().1))
        {
            let ((other_ns, source), value) = other.remove_entry();
            // Two that begin together sound like one, in which the level that is driven wins; else no bit of
            // the receiver's is a bit of either.
            byte &= value;
            if other_ns - start_ns > self.line.byte_ns / 22 {
                byte ^= self.rng.byte();
            }
            sources.push(source);
        }
        if sources.iter().any(|source| *source != Source::Nobody) {
            self.all += 1;
            if let Some(changed) = self.disturbance.change(byte) {
                self.corrupted += 1;
                byte = changed;
            }
        }
        // An adapter without echo hears nothing while it sends.
        if self.line.echo || !sources.contains(&Source::Host) {
            self.arrived.push_back((end_ns, byte));
        }
        for n in 0..self.meters.len() {
            if sources.contains(&Source::Meter(n)) {
                continue;
            }
            let Some(meter) = self.meters.get_mut(n) else { continue };
            let replies = meter.heard(end_ns, &[byte]);
            self.reply(n, end_ns, &replies);
        }
    }

    fn reply(&mut self, meter: usize, now_ns: u64, replies: &[Reply]) {
        let mut from_ns = now_ns;
        for Reply { after_ns, bytes } in replies {
            from_ns = self.send(Source::Meter(meter), from_ns.saturating_add(*after_ns), bytes);
        }
    }

    /// Puts bytes on the wire, not before what the same one is still sending. When they are over, ns.
    fn send(&mut self, source: Source, at_ns: u64, bytes: &[u8]) -> u64 {
        let place = match source {
            Source::Host | Source::Nobody => 0,
            Source::Meter(n) => n + 1,
        };
        let Some(free_ns) = self.free_ns.get_mut(place) else { return at_ns };
        let mut start_ns = at_ns.max(*free_ns);
        for byte in bytes {
            self.wire.insert((start_ns, source), *byte);
            start_ns = start_ns.saturating_add(self.line.byte_ns);
        }
        *free_ns = start_ns;
        start_ns
    }
}
