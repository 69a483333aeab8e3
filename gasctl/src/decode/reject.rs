// SPDX-License-Identifier: MIT OR Apache-2.0
//! What begins as a frame and is none: how much speaks for it, and what of it is worth telling.

use gasd_meters::Error;
use gasd_meters::scan::Probe;

use super::codec::Codec;

/// From this weight on something is taken for a damaged frame wherever it stands.
const HEADER: u8 = 3;
/// From this weight on among any number of other bytes.
const BEYOND_CHANCE: u8 = 5;
/// One of so many bytes at least is part of a lighter one, where it is told as what all of them were meant to be.
const SHARE: usize = 16;

/// Something that begins as a frame and is none.
pub struct Rejected {
    /// Whose it would be.
    pub codec: &'static Codec,
    /// Where it begins.
    pub at: usize,
    /// Where it would end, as far as its beginning says that.
    pub end: usize,
    /// What is wrong.
    pub error: Error,
    /// How much speaks for it, from 0 for a byte that many frames begin with to 6 for all but one check.
    pub weight: u8,
    /// It begins where a frame is awaited: first of all, or behind another one.
    pub in_place: bool,
}

impl Rejected {
    /// What a probe says of `rest`, which begins `at`; `None` where that is nothing bad.
    pub fn new(codec: &'static Codec, at: usize, rest: &[u8], said: Probe, in_place: bool) -> Option<Self> {
        let (end, error) = match said {
            Probe::Bad { len, error } => (at + len, error),
            Probe::Need(n) if n > rest.len() => (at + rest.len(), Error::Truncated { need: n - rest.len() }),
            _ => return None,
        };
        let weight = weight(codec.name, rest, &error);
        Some(Self { codec, at, end, error, weight, in_place })
    }

    /// All of the input.
    pub fn whole(codec: &'static Codec, bytes: &[u8], error: Error, weight: u8) -> Self {
        Self { codec, at: 0, end: bytes.len(), error, weight, in_place: true }
    }

    /// Whether `other`, which begins later, is only part of it.
    fn has_in_it(&self, other: &Self) -> bool {
        match self.error {
            // Its end is not where its header says, if it is one at all.
            Error::BadEnd { .. } => false,
            Error::Truncated { .. } => {
                matches!(other.error, Error::Truncated { .. }) && other.weight <= self.weight
            }
            _ => other.at < self.end && other.weight <= self.weight,
        }
    }
}

/// How much the start bytes, lengths and ends that fit say; a probe has looked at `rest`.
fn weight(protocol: &str, rest: &[u8], error: &Error) -> u8 {
    let checked = matches!(error, Error::Checksum { .. });
    match protocol {
        // 68 L L 68.
        "mbus" if rest.first() == Some(&0x68) => match error {
            Error::Malformed { .. } => 2,
            _ if checked => 6,
            Error::BadEnd { .. } => 4,
            _ if rest.len() >= 4 => 5,
            _ => 1,
        },
        "mbus" if checked => 3,
        // 68, six bytes, 68.
        "dlt645" if checked => 6,
        "dlt645" if rest.len() > 7 => 4,
        // 68, a type; a control code and a length that there are.
        "cjt188" if checked => 5,
        "cjt188" if rest.len() > 10 => 3,
        // Behind a preamble.
        "hart" if checked => 4,
        "hart" => 3,
        _ => 1,
    }
}

/// Leaves out what is only part of something else that is damaged.
pub fn outside_of_others(rejected: &mut Vec<Rejected>) {
    let mut kept: Vec<Rejected> = Vec::with_capacity(rejected.len());
    let mut around: [Option<usize>; 2] = [None; 2];
    for it in rejected.drain(..) {
        let inside =
            |n: &Option<usize>| n.and_then(|n| kept.get(n)).is_some_and(|other| other.has_in_it(&it));
        if around.iter().any(inside) {
            continue;
        }
        match it.error {
            // One that breaks off reaches to the end of all.
            Error::Truncated { .. } => around[1] = Some(kept.len()),
            Error::BadEnd { .. } => {}
            _ => around[0] = Some(kept.len()),
        }
        kept.push(it);
    }
    *rejected = kept;
}

/// Leaves out what noise has as well: what does not stand where a frame is awaited and has little of one, and false headers,
/// in whose midst one of the `frames` begins, each given by its place.
pub fn beyond_noise(rejected: &mut Vec<Rejected>, frames: impl Iterator<Item = usize> + Clone) {
    rejected.retain(|it| {
        let header = it.at..it.at + header(it.codec.name);
        (it.in_place || it.weight >= HEADER) && !frames.clone().any(|at| header.contains(&at))
    });
}

/// Bytes up to and with the length.
fn header(protocol: &str) -> usize {
    match protocol {
        "cjt188" => 11,
        "dlt645" => 10,
        "mbus" | "hart" => 4,
        _ => 2,
    }
}

/// What `length` bytes without a frame were most likely meant to be.
pub fn likely(rejected: &[Rejected], length: usize) -> Option<&Rejected> {
    let plausible = |it: &&Rejected| {
        let share = it.end.min(length).saturating_sub(it.at).saturating_mul(SHARE) >= length;
        it.weight >= BEYOND_CHANCE || (share && (it.weight >= HEADER || it.in_place))
    };
    // Of equals the first.
    rejected.iter().rev().filter(plausible).max_by_key(|it| it.weight)
}
