// SPDX-License-Identifier: MIT OR Apache-2.0
//! A gas meter that says by itself what its register shows, at its interval, whether anybody listens or not.

use std::collections::VecDeque;

use gasd_meters::mbus::Address;
use gasd_meters::wmbus::{Key, Lock, Seal, Telegram};

use super::air::{Air, Fate, Log, Sent, look_at};
use crate::calendar::Calendar;
use crate::mbus::{digits, type_f};
use crate::rng::Rng;
use crate::truth::{Shared, look};

const MS: u64 = 1_000_000;

/// One step of the last digit, and where the digits end: eight digits of litres, µL.
const STEP_UL: u64 = 1_000_000;
const END_UL: u64 = 100_000_000_000_000;

/// How late a repeater is, from and to, ns; never as late as the next telegram.
const REPEATER_NS: (u64, u64) = (100 * MS, 2_000 * MS);

/// How long after a telegram somebody sends what he has recorded or changed, ns: a repeater has spoken by then.
const LATER_NS: (u64, u64) = (2_500 * MS, 4_000 * MS);

/// How many telegrams back whoever replays one is: by then others have come after it.
const RECORDED: usize = 4;

/// How a meter protects its telegrams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// Not at all.
    Open,
    /// By the extended link layer (AES-CTR), the session in it counts.
    LinkLayer,
    /// Mode 5 (AES-CBC), whose initial vector has the access number.
    Mode5,
    /// Mode 7 (AES-CBC with a key for each message) and a code (AES-CMAC), with a message counter.
    Mode7,
}

/// What a meter is.
pub struct Settings {
    /// Its address.
    pub address: Address,
    /// The radio that speaks for it, where that is another one.
    pub radio: Option<Address>,
    /// How it protects its telegrams.
    pub protection: Protection,
    /// Its key, which an open one has no use for. One that is not what the host has makes a wrong key.
    pub key: Key,
    /// The counter of its first telegram.
    pub counter: u32,
    /// How often it sends, ns.
    pub every_ns: u64,
    /// Compact telegrams after each full one. Of modes 5 and 7 there are none.
    pub compact: u8,
    /// What becomes of its telegrams.
    pub air: Air,
}

impl Settings {
    /// A gas meter of this number (in the order of the wire) that sends every 10 s through air without faults.
    #[must_use]
    pub fn new(number: [u8; 4], protection: Protection, key: Key) -> Self {
        // "GSD", generation 1, gas.
        let address = Address { id: number, manufacturer: 0x1E64, version: 1, medium: 3 };
        Self {
            address,
            radio: None,
            protection,
            key,
            counter: 1,
            every_ns: 10_000 * MS,
            compact: 0,
            air: Air::default(),
        }
    }
}

/// A telegram that reaches the receiver.
pub(super) struct OnAir {
    pub at_ns: u64,
    pub telegram: Telegram,
    /// A byte that arrives as another, and its bits that are changed.
    pub damage: Option<(usize, u8)>,
}

/// A meter and its radio.
pub struct Transmitter {
    settings: Settings,
    truth: Shared,
    log: Log,
    rng: Rng,
    due_ns: u64,
    counter: u32,
    /// How many telegrams it has sent.
    sent: u64,
    recorded: VecDeque<(Sent, Telegram)>,
}

impl Transmitter {
    /// A meter of these settings, whose register is `truth`. It sends for the first time at `from_ns`; `seed` is for what
    /// is drawn.
    #[must_use]
    pub fn new(settings: Settings, truth: Shared, from_ns: u64, seed: u64) -> Self {
        let (counter, recorded) = (settings.counter, VecDeque::new());
        Self {
            settings,
            truth,
            log: Log::default(),
            rng: Rng::new(seed, 7),
            due_ns: from_ns,
            counter,
            sent: 0,
            recorded,
        }
    }

    /// Its address.
    #[must_use]
    pub const fn address(&self) -> Address {
        self.settings.address
    }

    /// What really is.
    #[must_use]
    pub const fn truth(&self) -> &Shared {
        &self.truth
    }

    /// Every telegram of it that was on the air, in the order in which the meter sent them.
    #[must_use]
    pub const fn log(&self) -> &Log {
        &self.log
    }

    pub(super) const fn due_ns(&self) -> u64 {
        self.due_ns
    }

    /// The telegram that is due, as it reaches the receiver, and what else is on the air because of it.
    pub(super) fn send(&mut self) -> Vec<OnAir> {
        let now_ns = self.due_ns;
        self.due_ns = now_ns.saturating_add(self.settings.every_ns.max(MS));
        if self.settings.air.dead.iter().any(|dead| dead.contains(&now_ns)) {
            return Vec::new();
        }
        let Some((sent, telegram)) = self.build(now_ns) else { return Vec::new() };
        let mut out = Vec::new();
        let Air { lost_ppm, damaged_ppm, repeated_ppm, replayed_ppm, altered_ppm, .. } = self.settings.air;
        if self.rng.happens(lost_ppm) {
            self.note(Sent { fate: Fate::Lost, ..sent });
        } else if self.rng.happens(damaged_ppm) {
            self.note(Sent { fate: Fate::Damaged, ..sent });
            // Not the length: with another one the receiver would not have taken it for a telegram.
            let at = self.rng.between(1, telegram.bytes.len() as u64 - 1) as usize;
            let damage = Some((at, self.rng.between(1, 255) as u8));
            out.push(OnAir { at_ns: now_ns, telegram: telegram.clone(), damage });
        } else {
            self.note(sent);
            out.push(OnAir { at_ns: now_ns, telegram: telegram.clone(), damage: None });
        }
        if self.rng.happens(repeated_ppm) {
            let latest_ns = REPEATER_NS.1.min(self.settings.every_ns / 2);
            out.push(self.again(
                sent,
                telegram.clone(),
                (REPEATER_NS.0.min(latest_ns), latest_ns),
                Fate::Repeated,
            ));
        }
        if self.settings.protection == Protection::Mode7 && self.rng.happens(altered_ppm) {
            let mut changed = telegram.clone();
            // Within the last block: what the key opens still begins as it should.
            if let Some(last) = changed.bytes.last_mut() {
                *last ^= self.rng.between(1, 255) as u8;
            }
            out.push(self.again(sent, changed, LATER_NS, Fate::Altered));
        }
        if self.rng.happens(replayed_ppm)
            && self.recorded.len() >= RECORDED
            && let Some((old, bytes)) = self.recorded.front().cloned()
        {
            let age_ns = now_ns - old.at_ns;
            out.push(self.again(old, bytes, (age_ns + LATER_NS.0, age_ns + LATER_NS.1), Fate::Replayed));
        }
        if self.recorded.len() >= RECORDED {
            self.recorded.pop_front();
        }
        self.recorded.push_back((sent, telegram));
        out
    }

    fn note(&self, sent: Sent) {
        look_at(&self.log).push(sent);
    }

    /// A telegram once more, so long after it was sent.
    fn again(&mut self, sent: Sent, telegram: Telegram, (from, to): (u64, u64), fate: Fate) -> OnAir {
        let at_ns = sent.at_ns.saturating_add(self.rng.between(from, to));
        self.note(Sent { at_ns, fate, ..sent });
        OnAir { at_ns, telegram, damage: None }
    }

    fn build(&mut self, now_ns: u64) -> Option<(Sent, Telegram)> {
        let Settings { address, radio, protection, ref key, compact, .. } = self.settings;
        let (said_ul, records) = records(now_ns, &self.truth);
        let counter = self.counter;
        let (lock, may_be_compact) = match protection {
            Protection::Open => (Lock::Open, true),
            Protection::LinkLayer => (Lock::LinkLayer(key, counter & 0x1FFF_FFFF), true),
            Protection::Mode5 => (Lock::Mode5(key), false),
            Protection::Mode7 => (Lock::Mode7(key, counter), false),
        };
        let seal = Seal {
            meter: address,
            sender: radio,
            access: counter as u8,
            status: 0,
            lock,
            records: &records,
            clear: 0,
        };
        let is_compact = may_be_compact && !self.sent.is_multiple_of(u64::from(compact) + 1);
        // Four records are never as long as a telegram can be.
        let telegram = if is_compact { seal.compact() } else { seal.telegram() }.ok()?;
        self.sent += 1;
        self.counter = self.counter.wrapping_add(1);
        let counter = if protection == Protection::Mode7 { counter } else { counter & 0xFF };
        Some((Sent { at_ns: now_ns, said_ul, counter, compact: is_compact, fate: Fate::Heard }, telegram))
    }
}

/// What the register shows, and the records that say it: volume, flow, clock.
fn records(now_ns: u64, truth: &Shared) -> (u64, Vec<u8>) {
    let mut truth = look(truth);
    let said_ul = truth.answer(now_ns, STEP_UL, END_UL);
    let flow = truth.flow_ul_per_h(now_ns);
    let mut data = vec![0x0C, 0x13];
    data.extend(digits(said_ul / STEP_UL, 4));
    data.extend([0x0B, 0x3B]);
    data.extend(digits((flow / STEP_UL).min(999_999), 3));
    data.extend([0x04, 0x6D]);
    data.extend(type_f(Calendar::now(truth.wall_s, now_ns)));
    (said_ul, data)
}
