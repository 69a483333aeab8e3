// SPDX-License-Identifier: MIT OR Apache-2.0
//! Finds telegrams in what a receiver hands on, whatever it puts around them.
//!
//! | framing | what is on the line |
//! |---|---|
//! | binary | L C M M ..., with the CRCs of format A or B, or without |
//! | lines | hexadecimal digits: of `rtl_wmbus`, of CUL (`b...`), or alone |
//! | commands | `FF 03 L ... CS`, as modules like AMB8465 have it in their command mode |
//!
//! What a receiver's framing is can be found out: whatever is checked (a CRC, a checksum, a line with a telegram in it)
//! settles it until the line is another. A telegram without CRCs has nothing to be known by but its header; it is taken
//! only where a pause, or another telegram, is before it.

use gasd_meters::wmbus::{Format, Telegram};
use gasd_meters::{Error, mbus, wmbus};

use super::command;
use super::lines::{self, Line};

/// A pause after which what came before is given up, ns. Serial servers pass on what they have when they like.
pub const IDLE_NS: u64 = 500_000_000;

/// Bytes that are held.
const CAPACITY: usize = 2_048;

/// What is around the telegrams.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Framing {
    /// It is found out.
    #[default]
    Found,
    /// Binary, with CRCs of this format; of any where it is `None`.
    Binary(Option<Format>),
    /// Lines of text.
    Lines,
    /// Commands. `rssi` says whether the length counts a byte of signal strength at the end.
    Commands {
        /// See above.
        rssi: bool,
    },
}

/// A telegram that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Framed {
    /// The telegram.
    pub telegram: Telegram,
    /// Strength of the signal, dBm, where the receiver says it.
    pub rssi_dbm: Option<i16>,
    /// The telegram as it came.
    pub raw: Vec<u8>,
}

/// What is at the beginning of some bytes.
pub(super) enum Probe {
    /// A telegram, in so many bytes.
    Frame(usize, Box<Framed>),
    /// More bytes are needed to say it, so many at least.
    Need(usize),
    /// So many bytes of something else that is whole: an answer of a module, a line of text.
    Other(usize),
    /// So many bytes of nothing.
    Garbage(usize),
    /// Nothing begins with the first byte.
    No,
}

/// What the framing was found to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    Checked,
    Lines,
    Commands,
}

/// Finds telegrams. Times are ns of one clock that does not jump.
#[derive(Clone, Debug)]
pub struct Framer {
    framing: Framing,
    known: Option<Known>,
    buffer: Vec<u8>,
    /// Bytes that what is at the beginning waits for.
    wanted: usize,
    /// A pause or a telegram is before the first byte.
    fresh: bool,
    last_ns: u64,
    garbage: u64,
}

impl Framer {
    /// A framer for a receiver of this framing.
    #[must_use]
    pub const fn new(framing: Framing) -> Self {
        Self { framing, known: None, buffer: Vec::new(), wanted: 0, fresh: true, last_ns: 0, garbage: 0 }
    }

    /// Bytes so far that belong to nothing.
    #[must_use]
    pub const fn garbage(&self) -> u64 {
        self.garbage
    }

    /// The line is another.
    pub fn lost(&mut self) {
        *self = Self { garbage: self.garbage, ..Self::new(self.framing) };
    }

    /// When [`Framer::tick`] has something to give up, ns.
    #[must_use]
    pub fn due_ns(&self) -> Option<u64> {
        (!self.buffer.is_empty()).then(|| self.last_ns.saturating_add(IDLE_NS))
    }

    /// Bytes that came; the telegrams that they complete.
    pub fn push(&mut self, now_ns: u64, bytes: &[u8]) -> Vec<Framed> {
        let mut found = self.tick(now_ns);
        self.last_ns = now_ns;
        for part in bytes.chunks(CAPACITY / 2) {
            self.buffer.extend(part);
            self.run(false, &mut found);
            // What waits for more than there is room for is nothing.
            if self.buffer.len() > CAPACITY / 2 {
                self.run(true, &mut found);
            }
        }
        found
    }

    /// Gives up what has waited for too long.
    pub fn tick(&mut self, now_ns: u64) -> Vec<Framed> {
        let mut found = Vec::new();
        if self.due_ns().is_some_and(|due_ns| now_ns >= due_ns) {
            self.run(true, &mut found);
            self.fresh = true;
        }
        found
    }

    /// Takes what is decided off the beginning; all of it where nothing more comes (`last`).
    fn run(&mut self, last: bool, found: &mut Vec<Framed>) {
        let mut at = 0;
        while let Some(rest) = self.buffer.get(at..).filter(|rest| !rest.is_empty()) {
            if !last && rest.len() < self.wanted {
                break;
            }
            self.wanted = 0;
            at += match self.probe(rest, last) {
                (Probe::Frame(len, framed), known) if len > 0 => {
                    self.known = known.or(self.known);
                    self.fresh = true;
                    found.push(*framed);
                    len
                }
                (Probe::Need(wanted), _) if !last => {
                    self.wanted = wanted;
                    break;
                }
                (Probe::Other(len), _) if len > 0 => {
                    self.fresh = true;
                    len
                }
                (other, _) => {
                    let len = if let Probe::Garbage(len @ 1..) = other { len } else { 1 };
                    self.fresh = false;
                    self.garbage = self.garbage.saturating_add(len as u64);
                    len
                }
            };
        }
        self.buffer.drain(..at.min(self.buffer.len()));
    }

    /// What begins here, and what that says of the framing.
    fn probe(&self, bytes: &[u8], last: bool) -> (Probe, Option<Known>) {
        let checked = |format| (binary(bytes, format, last), Some(Known::Checked));
        match (self.framing, self.known) {
            (Framing::Lines, _) | (Framing::Found, Some(Known::Lines)) => match lines(bytes, last) {
                // The whole line is none: it is not looked at once for each of its bytes.
                Probe::No => {
                    let end = bytes.iter().position(|byte| *byte == b'\n');
                    (Probe::Garbage(end.map_or(bytes.len(), |end| end + 1)), None)
                }
                probe => (probe, Some(Known::Lines)),
            },
            (Framing::Commands { rssi }, _) => (command::probe(bytes, rssi), None),
            (Framing::Found, Some(Known::Commands)) => (command::probe(bytes, false), None),
            (Framing::Binary(Some(Format::Plain)), _) => (plain(bytes), None),
            (Framing::Binary(Some(format)), _) => checked(Some(format)),
            (Framing::Binary(None) | Framing::Found, Some(Known::Checked)) => checked(None),
            (Framing::Binary(None), _) => self.unsure(bytes, last, [checked(None)]),
            (Framing::Found, None) => {
                let command = (command::probe(bytes, false), Some(Known::Commands));
                self.unsure(bytes, last, [command, (lines(bytes, last), Some(Known::Lines)), checked(None)])
            }
        }
    }

    /// The first of several framings that has a telegram here; else what any waits for; else a telegram without CRCs.
    fn unsure<const N: usize>(
        &self,
        bytes: &[u8],
        last: bool,
        probes: [(Probe, Option<Known>); N],
    ) -> (Probe, Option<Known>) {
        let (mut need, mut other) = (None, 0);
        for (probe, known) in probes {
            match probe {
                Probe::Frame(..) => return (probe, known),
                Probe::Need(n) => need = Some(need.map_or(n, |before: usize| before.min(n))),
                Probe::Other(n) => other = other.max(n),
                Probe::Garbage(_) | Probe::No => {}
            }
        }
        match need {
            Some(n) if !last => return (Probe::Need(n), None),
            _ => {}
        }
        // A damaged telegram of format A is none without CRCs: whoever knows the formats tells them apart.
        let is_plain =
            || matches!(Telegram::parse(bytes, None), Ok(telegram) if telegram.format == Format::Plain);
        if self.fresh && is_plain() {
            return (plain(bytes), None);
        }
        (if other > 0 { Probe::Other(other) } else { Probe::No }, None)
    }
}

/// A telegram with CRCs, of one format or of either.
fn binary(bytes: &[u8], format: Option<Format>, last: bool) -> Probe {
    let mut need = None;
    for try_format in [Format::A, Format::B].into_iter().filter(|f| format.is_none_or(|format| format == *f))
    {
        match Telegram::parse(bytes, Some(try_format)) {
            Ok(telegram) => {
                let len = telegram.encode(try_format).map_or(0, |bytes| bytes.len());
                return frame(bytes, len, telegram, None);
            }
            // The CRC of the first block says whether it is worth to wait, where that block is there.
            Err(Error::Truncated { need: n }) if !last && is_promising(bytes, try_format) => {
                need = Some(need.map_or(bytes.len() + n, |before: usize| before.min(bytes.len() + n)));
            }
            Err(_) => {}
        }
    }
    need.map_or(Probe::No, Probe::Need)
}

/// Whether the first bytes may be a telegram's of this format.
fn is_promising(bytes: &[u8], format: Format) -> bool {
    let known_control = bytes.get(1).is_none_or(|control| is_control(*control));
    known_control
        && match (format, bytes.first_chunk::<12>()) {
            (Format::A, Some(first)) => {
                let (block, crc) = first.split_at(10);
                crc == gasd_meters::crc::en13757(block).to_be_bytes()
            }
            _ => true,
        }
}

/// A telegram without CRCs.
fn plain(bytes: &[u8]) -> Probe {
    match Telegram::parse(bytes, Some(Format::Plain)) {
        Ok(telegram) if is_plausible(&telegram) => frame(bytes, telegram.bytes.len(), telegram, None),
        Err(Error::Truncated { need }) if bytes.get(1).is_none_or(|control| is_control(*control)) => {
            Probe::Need(bytes.len() + need)
        }
        _ => Probe::No,
    }
}

/// Whether the header is one that a meter sends.
pub(super) fn is_plausible(telegram: &Telegram) -> bool {
    let letters = mbus::letters(telegram.sender.manufacturer);
    is_control(telegram.control) && letters.bytes().all(|letter| letter.is_ascii_uppercase())
}

/// What meters and their radios send: a reading, a wish to be installed, an answer, and that they can be asked.
const fn is_control(control: u8) -> bool {
    matches!(control, 0x44 | 0x46 | 0x47 | 0x48 | 0x08 | 0x18 | 0x28 | 0x38 | 0x06)
}

pub(super) fn frame(bytes: &[u8], len: usize, telegram: wmbus::Telegram, rssi_dbm: Option<i16>) -> Probe {
    match bytes.get(..len) {
        Some(raw) => Probe::Frame(len, Box::new(Framed { telegram, rssi_dbm, raw: raw.to_vec() })),
        None => Probe::No,
    }
}

/// A line of text.
fn lines(bytes: &[u8], last: bool) -> Probe {
    let is_text = |byte: &u8| matches!(byte, b' '..=b'~' | b'\t' | b'\r');
    let end = bytes.iter().position(|byte| *byte == b'\n');
    let line = bytes.get(..end.unwrap_or(bytes.len())).unwrap_or_default();
    if !line.iter().all(is_text) || line.len() > lines::LONGEST {
        return Probe::No;
    }
    let len = match end {
        Some(end) => end + 1,
        None if last => line.len(),
        None => return Probe::Need(bytes.len() + 1),
    };
    let text = std::str::from_utf8(line).unwrap_or_default();
    match lines::read(text) {
        Line::Telegram(telegram, rssi_dbm, raw) => {
            Probe::Frame(len, Box::new(Framed { telegram: *telegram, rssi_dbm, raw }))
        }
        Line::Damaged | Line::Other => Probe::Other(len),
    }
}

#[cfg(test)]
#[path = "framer_tests.rs"]
mod tests;
