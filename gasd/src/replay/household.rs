// SPDX-License-Identifier: MIT OR Apache-2.0
//! A household's gas in 25 minutes, for the demonstration: cooking, a boiler, a tankless heater,
//! and a hose that comes off. One meter with a reed contact of 1 L a pulse, which bounces, and a
//! cable that catches glitches.

use std::collections::VecDeque;
use std::io::{self, Write};

use super::trace::{HEADER, Row};

/// Volume of one pulse of this meter, µL.
pub const PULSE_VOLUME_UL: u64 = 1_000_000;

const US: u64 = 1_000;
const MS: u64 = 1_000_000;
const S: u64 = 1_000_000_000;

/// Time of the first phase: a gateway has been up for a minute.
const START_NS: u64 = 60 * S;
/// Part of a litre in which the contact is closed.
const CLOSED: f64 = 0.4;
/// No glitch so close to the contact's own movements, ns: it is the contact's then.
const CLEAR_NS: u64 = 30 * MS;

/// Something that burns gas for a while.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Phase {
    /// What it is.
    pub name: &'static str,
    /// Flow, m³/h.
    pub m3_per_h: f64,
    /// How long, s.
    pub seconds: u64,
}

const fn phase(name: &'static str, m3_per_h: f64, seconds: u64) -> Phase {
    Phase { name, m3_per_h, seconds }
}

/// The household's day. The flows are those of ordinary appliances: a burner 0.1 to 0.3 m³/h, a
/// boiler 1 to 2.8, a tankless heater up to 4.5; an open 1/2" hose passes 8 to 10.
pub const PHASES: [Phase; 9] = [
    phase("cooking, small flame", 0.3, 240),
    phase("cooking, two burners", 0.6, 180),
    phase("nothing", 0.0, 60),
    phase("boiler", 2.2, 360),
    phase("nothing", 0.0, 45),
    phase("cooking", 0.4, 120),
    phase("tankless heater", 3.8, 240),
    phase("cooking", 0.45, 90),
    phase("hose off", 9.0, 120),
];

/// The household's rows, in the order of time; the same with every run.
#[derive(Clone, Debug)]
pub struct Household {
    line: u32,
    random: u64,
    phase: usize,
    /// Where the phase began and where in it the contact stands, ns.
    began_ns: u64,
    now_ns: u64,
    /// Gas through the meter since the last movement's place in the litre, L.
    position: f64,
    closed: bool,
    quiet_from_ns: u64,
    pulses: u64,
    rows: VecDeque<Row>,
}

impl Household {
    /// The household, its meter on the trace's line `line`.
    #[must_use]
    pub fn new(line: u32) -> Self {
        Self {
            line,
            random: 0x9a5d_2026,
            phase: 0,
            began_ns: START_NS,
            now_ns: START_NS,
            position: 0.9,
            closed: false,
            quiet_from_ns: START_NS,
            pulses: 0,
            rows: VecDeque::new(),
        }
    }

    /// How many pulses the meter really makes.
    #[must_use]
    pub fn pulses(&self) -> u64 {
        let mut all = self.clone();
        all.by_ref().for_each(drop);
        all.pulses
    }

    /// When the phase called `name` begins, ns; `None` if there is none.
    #[must_use]
    pub fn begins_ns(name: &str) -> Option<u64> {
        let at = PHASES.iter().position(|phase| phase.name == name)?;
        Some(START_NS + PHASES[..at].iter().map(|phase| phase.seconds * S).sum::<u64>())
    }

    /// Lets gas flow until the contact moves next; `false` when the last phase is over.
    fn turn(&mut self) -> bool {
        while let Some(phase) = PHASES.get(self.phase) {
            let end_ns = self.began_ns + phase.seconds * S;
            let goal = if self.closed { CLOSED } else { 1.0 };
            // Burners flicker: 3 % to either side, pulse by pulse.
            let flicker = 0.97 + self.between(0, 600) as f64 / 10_000.0;
            let litres_per_ns = phase.m3_per_h * flicker / 3.6 / 1e9;
            let needed_ns = (goal - self.position) / litres_per_ns;
            let left_ns = end_ns - self.now_ns;
            if needed_ns < left_ns as f64 {
                self.now_ns += needed_ns as u64;
                self.position = if self.closed { CLOSED } else { 0.0 };
                self.disturb();
                self.movement();
                return true;
            }
            self.position += left_ns as f64 * litres_per_ns;
            self.now_ns = end_ns;
            self.began_ns = end_ns;
            self.phase += 1;
        }
        false
    }

    /// The contact moves now, and bounces for 0.1 to 8 ms.
    fn movement(&mut self) {
        self.closed = !self.closed;
        self.pulses += u64::from(self.closed);
        let level = u8::from(self.closed);
        self.push(self.now_ns, level);
        let pairs = self.between(0, 5);
        let length = self.between(100 * US, 8 * MS);
        let mut at = self.now_ns;
        for _ in 0..pairs {
            at += self.between(2 * US, length / (2 * pairs));
            self.push(at, level ^ 1);
            at += self.between(2 * US, length / (2 * pairs));
            self.push(at, level);
        }
        self.quiet_from_ns = at + CLEAR_NS;
    }

    /// What the cable caught between the last movement and the next, which is now.
    fn disturb(&mut self) {
        let level = u8::from(self.closed);
        let end_ns = self.now_ns.saturating_sub(CLEAR_NS);
        let mut at = self.quiet_from_ns;
        loop {
            at += self.between(100 * MS, 6 * S);
            // A lone spike of 0.5 µs to 5 ms, or a burst of needles of a motor or a relay.
            let (needles, longest, gap) = match self.between(0, 3) {
                0 => (self.between(5, 40), 4 * US, 200 * US),
                1 => (1, 5 * MS, 0),
                _ => (1, 50 * US, 0),
            };
            if at + needles * (longest + gap) >= end_ns {
                return;
            }
            for _ in 0..needles {
                self.push(at, level ^ 1);
                at += self.between(500, longest);
                self.push(at, level);
                at += self.between(10 * US, gap);
            }
        }
    }

    fn push(&mut self, t_ns: u64, level: u8) {
        self.rows.push_back(Row { t_ns, line: self.line, level });
    }

    /// Uniform in `least..=most` (SplitMix64).
    fn between(&mut self, least: u64, most: u64) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        if most <= least { least } else { least + z % (most - least + 1) }
    }
}

impl Iterator for Household {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        while self.rows.is_empty() {
            if !self.turn() {
                return None;
            }
        }
        self.rows.pop_front()
    }
}

/// Writes the household's trace; returns how many pulses it holds.
pub fn write_csv(out: &mut impl Write, line: u32) -> io::Result<u64> {
    writeln!(out, "{HEADER}")?;
    let mut household = Household::new(line);
    for row in household.by_ref() {
        writeln!(out, "{},{},{}", row.t_ns, row.line, row.level)?;
    }
    Ok(household.pulses)
}
