// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which protocol a wire carries, from what is heard on it.
//!
//! A frame counts only where header, length and checksum fit. Where two protocols would take one, the one
//! with the stronger header has it. What is no frame is passed by one byte: a false header may hide a real
//! frame.
//!
//! ```
//! use gasd_meters::detect::{Detector, Protocol, Verdict};
//! use gasd_meters::hex;
//!
//! let mut detector = Detector::new(100_000_000);
//! detector.push(0, &hex::parse("FF 00 01 03 04 00 0A 00 14 DA 3E").unwrap());
//! assert_eq!(detector.verdict(), Verdict::One(Protocol::Modbus, 1));
//! ```

use core::fmt;

use crate::scan::{Found, Probe, Scanner};
use crate::{cjt188, dlt645, hart, mbus, modbus};

/// A protocol of wired meters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Protocol {
    /// DL/T 645.
    Dlt645,
    /// CJ/T 188.
    Cjt188,
    /// M-Bus. The single character of an acknowledgement is none of its frames here: any byte may be one.
    Mbus,
    /// HART.
    Hart,
    /// Modbus RTU.
    Modbus,
}

impl Protocol {
    /// Every protocol, the one with the strongest header first.
    pub const ALL: [Self; 5] = [Self::Dlt645, Self::Cjt188, Self::Mbus, Self::Hart, Self::Modbus];

    /// Its name, as configurations and commands have it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dlt645 => "dlt645",
            Self::Cjt188 => "cjt188",
            Self::Mbus => "mbus",
            Self::Hart => "hart",
            Self::Modbus => "modbus",
        }
    }

    /// Whether a frame of this protocol begins with the first byte, on a line that may carry any.
    #[must_use]
    pub fn probe(self, bytes: &[u8]) -> Probe {
        match self {
            Self::Dlt645 => dlt645::probe(bytes),
            Self::Cjt188 => cjt188::probe(bytes),
            Self::Mbus => mbus::probe(bytes),
            // Eight bits of check are too few without the preamble.
            Self::Hart => hart::probe_after_preamble(bytes),
            Self::Modbus => modbus::probe(bytes),
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Whether a frame of any protocol begins with the first byte.
#[must_use]
pub fn probe(bytes: &[u8]) -> Probe {
    Protocol::ALL.iter().fold(Probe::No, |probe, protocol| probe.or(protocol.probe(bytes)))
}

/// Whose frame `bytes` are, all of them; `None` of no one's.
#[must_use]
pub fn which(bytes: &[u8]) -> Option<Protocol> {
    let whole = |protocol: &Protocol| protocol.probe(bytes) == Probe::Frame(bytes.len());
    Protocol::ALL.into_iter().find(whole)
}

/// What a line carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// No frame of any protocol: speed or parity are others, or nobody speaks.
    Nothing,
    /// This protocol, and so many frames of it.
    One(Protocol, u32),
    /// Frames of more than one protocol; the one with most of them, and how many there were.
    Several(Protocol, u32),
}

/// Listens to a line and tells the protocols apart.
#[derive(Clone, Debug)]
pub struct Detector {
    scanner: Scanner,
    frames: [u32; Protocol::ALL.len()],
    garbage: u64,
}

impl Detector {
    /// One that takes `idle_ns` without a byte for the end of a frame: 1.5 s holds for every protocol, 100 ms
    /// for meters that answer without pauses.
    #[must_use]
    pub const fn new(idle_ns: u64) -> Self {
        Self { scanner: Scanner::new(idle_ns), frames: [0; Protocol::ALL.len()], garbage: 0 }
    }

    /// Takes `bytes` that came at `now_ns`.
    pub fn push(&mut self, now_ns: u64, bytes: &[u8]) {
        let Self { scanner, frames, garbage } = self;
        scanner.push(now_ns, bytes, probe, |found| take(frames, garbage, found));
    }

    /// Gives up half a frame whose next byte is overdue.
    pub fn tick(&mut self, now_ns: u64) {
        let Self { scanner, frames, garbage } = self;
        scanner.tick(now_ns, probe, |found| take(frames, garbage, found));
    }

    /// Nothing more comes.
    pub fn finish(&mut self) {
        let Self { scanner, frames, garbage } = self;
        scanner.flush(probe, |found| take(frames, garbage, found));
    }

    /// Frames of `protocol` so far.
    #[must_use]
    pub fn frames(&self, protocol: Protocol) -> u32 {
        self.frames.get(protocol as usize).copied().unwrap_or(0)
    }

    /// Bytes so far that belong to no frame, as far as is decided.
    #[must_use]
    pub fn garbage(&self) -> u64 {
        self.garbage.saturating_add(self.scanner.garbage() as u64)
    }

    /// What is known so far.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let seen = || Protocol::ALL.into_iter().filter(|protocol| self.frames(*protocol) > 0);
        // The first of those with as many: the one with the stronger header.
        match seen().rev().max_by_key(|protocol| self.frames(*protocol)) {
            None => Verdict::Nothing,
            Some(most) if seen().nth(1).is_some() => Verdict::Several(most, self.frames(most)),
            Some(one) => Verdict::One(one, self.frames(one)),
        }
    }
}

fn take(frames: &mut [u32; Protocol::ALL.len()], all_garbage: &mut u64, found: Found<'_>) {
    let Found::Frame { bytes, garbage, .. } = found else { return };
    *all_garbage = all_garbage.saturating_add(garbage as u64);
    if let Some(count) = which(bytes).and_then(|protocol| frames.get_mut(protocol as usize)) {
        *count = count.saturating_add(1);
    }
}
