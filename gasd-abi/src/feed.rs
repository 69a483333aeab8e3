// SPDX-License-Identifier: MIT OR Apache-2.0
//! Packets of a feed: how a program that owns a meter's interrupt, or decodes a meter's telegrams, hands gasd
//! its edges and readings over the socket that `io.gasd1.Manager.Feed` gave it.
//!
//! The socket is `SOCK_SEQPACKET`: a packet is whole or it is not there. The machine's own byte order.
//!
//! To gasd, a header of [`HEADER_BYTES`] and `count` entries of [`ENTRY_BYTES`]:
//!
//! | bytes | field | |
//! |---|---|---|
//! | 0–3 | `kind` | [`EDGES`] or [`READINGS`] |
//! | 4–7 | `count` | entries that follow, 1 to [`MOST_ENTRIES`] |
//! | 8–15 | `key` | [`crate::records::meter_key`] of the meter's id |
//! | 16–23 | `first` | number of the first entry; a feed numbers a meter's entries from 1, without a gap |
//! | 24– | entries | `t_ns`: `CLOCK_BOOTTIME` ns; `word`: [`Level`] of an edge, or the register in µL |
//!
//! From gasd, answers of [`ANSWER_BYTES`]: [`GREETING`] for each meter that was asked for, then one [`TAKEN`]
//! for each packet, or [`REFUSED`] for entries that are not taken and never will be.
//!
//! **An entry that was answered is gasd's.** What was not answered when the socket ends is sent again over the
//! next one; gasd knows an edge or reading that it has already by its time, and counts it once. So a meter's
//! times must rise strictly; one that does not is told from a repetition by nobody.

/// Version of the protocol, in every [`GREETING`].
pub const VERSION: u32 = 1;
/// Bytes before the entries.
pub const HEADER_BYTES: usize = 24;
/// Bytes of an entry.
pub const ENTRY_BYTES: usize = 16;
/// Most entries of a packet.
pub const MOST_ENTRIES: usize = 255;
/// Bytes of the largest packet.
pub const PACKET_BYTES: usize = HEADER_BYTES + MOST_ENTRIES * ENTRY_BYTES;
/// Bytes of an answer.
pub const ANSWER_BYTES: usize = 32;

/// Edges of a contact, see [`Level`].
pub const EDGES: u32 = 1;
/// Readings of a register.
pub const READINGS: u32 = 2;

/// An answer: the meter may be fed. `code` is [`VERSION`], `number` 0, `t_ns` the time of the last entry
/// that gasd has of this meter, 0 for none.
pub const GREETING: u32 = 1;
/// An answer: all entries up to `number` are gasd's.
pub const TAKEN: u32 = 2;
/// An answer: entries up to `number` that were not answered yet are not taken; `code` says why, see [`Refusal`].
pub const REFUSED: u32 = 3;

/// What an edge's `word` says of the contact after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Level {
    /// The contact moved; where to is not known (an interrupt alone).
    Unknown = 0,
    /// It is closed now: the line is active.
    Closed = 1,
    /// It is open now: the line is inactive.
    Open = 2,
    /// A whole pulse that the sender has debounced, closed at `t_ns`; its end is not told.
    Pulse = 3,
}

impl Level {
    /// Of a word; `None` for one that this version does not know.
    #[must_use]
    pub const fn of(word: u64) -> Option<Level> {
        Some(match word {
            0 => Level::Unknown,
            1 => Level::Closed,
            2 => Level::Open,
            3 => Level::Pulse,
            _ => return None,
        })
    }
}

/// Why entries were refused: the `code` of a [`REFUSED`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Refusal {
    /// The meter is not configured (any more) for a feed, or not for this kind of entry.
    NotFed = 1,
    /// The time is in the future, or so old that nothing can be made of it.
    Time = 2,
    /// The packet is none: its length, count or kind is wrong.
    Malformed = 3,
    /// An edge's word is none of [`Level`].
    Level = 4,
    /// Another feed has taken the meter over.
    TakenOver = 5,
}

impl Refusal {
    /// Of a code; `None` for one that this version does not know.
    #[must_use]
    pub const fn of(code: u32) -> Option<Refusal> {
        Some(match code {
            1 => Refusal::NotFed,
            2 => Refusal::Time,
            3 => Refusal::Malformed,
            4 => Refusal::Level,
            5 => Refusal::TakenOver,
            _ => return None,
        })
    }
}

/// The head of a packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// [`EDGES`] or [`READINGS`].
    pub kind: u32,
    /// Entries that follow.
    pub count: u32,
    /// Key of the meter.
    pub key: u64,
    /// Number of the first entry.
    pub first: u64,
}

/// An edge or a reading.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// When, `CLOCK_BOOTTIME` ns.
    pub t_ns: u64,
    /// [`Level`], or the register in µL.
    pub word: u64,
}

/// What gasd answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// [`GREETING`], [`TAKEN`] or [`REFUSED`]; leave out kinds that you do not know.
    pub kind: u32,
    /// By kind.
    pub code: u32,
    /// Key of the meter.
    pub key: u64,
    /// Number of the last entry that this is about.
    pub number: u64,
    /// By kind.
    pub t_ns: u64,
}

/// A packet that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

impl Header {
    /// The head as bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[0..4].copy_from_slice(&self.kind.to_ne_bytes());
        bytes[4..8].copy_from_slice(&self.count.to_ne_bytes());
        bytes[8..16].copy_from_slice(&self.key.to_ne_bytes());
        bytes[16..24].copy_from_slice(&self.first.to_ne_bytes());
        bytes
    }
}

impl Entry {
    /// The entry as bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; ENTRY_BYTES] {
        let mut bytes = [0; ENTRY_BYTES];
        bytes[0..8].copy_from_slice(&self.t_ns.to_ne_bytes());
        bytes[8..16].copy_from_slice(&self.word.to_ne_bytes());
        bytes
    }
}

impl Answer {
    /// The answer as bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; ANSWER_BYTES] {
        let mut bytes = [0; ANSWER_BYTES];
        bytes[0..4].copy_from_slice(&self.kind.to_ne_bytes());
        bytes[4..8].copy_from_slice(&self.code.to_ne_bytes());
        bytes[8..16].copy_from_slice(&self.key.to_ne_bytes());
        bytes[16..24].copy_from_slice(&self.number.to_ne_bytes());
        bytes[24..32].copy_from_slice(&self.t_ns.to_ne_bytes());
        bytes
    }

    /// The answer of a packet.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; ANSWER_BYTES]) -> Answer {
        Answer {
            kind: half(bytes, 0),
            code: half(bytes, 4),
            key: word(bytes, 8),
            number: word(bytes, 16),
            t_ns: word(bytes, 24),
        }
    }
}

/// Takes a packet apart.
///
/// # Errors
/// [`Malformed`] when its length and its count do not fit, or the count is out of bounds. The kind is not looked at.
pub fn parse(packet: &[u8]) -> Result<(Header, impl Iterator<Item = Entry> + '_), Malformed> {
    if packet.len() < HEADER_BYTES + ENTRY_BYTES || packet.len() > PACKET_BYTES {
        return Err(Malformed);
    }
    let (head, entries) = packet.split_at(HEADER_BYTES);
    let header =
        Header { kind: half(head, 0), count: half(head, 4), key: word(head, 8), first: word(head, 16) };
    if header.count as usize * ENTRY_BYTES != entries.len() {
        return Err(Malformed);
    }
    let entry = |bytes: &[u8]| Entry { t_ns: word(bytes, 0), word: word(bytes, 8) };
    Ok((header, entries.chunks_exact(ENTRY_BYTES).map(entry)))
}

fn half(bytes: &[u8], at: usize) -> u32 {
    let mut four = [0; 4];
    four.copy_from_slice(&bytes[at..at + 4]);
    u32::from_ne_bytes(four)
}

fn word(bytes: &[u8], at: usize) -> u64 {
    let mut eight = [0; 8];
    eight.copy_from_slice(&bytes[at..at + 8]);
    u64::from_ne_bytes(eight)
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::vec::Vec;

    use super::*;

    fn packet(count: u32, entries: &[Entry]) -> Vec<u8> {
        let header = Header { kind: EDGES, count, key: 7, first: 3 };
        let mut bytes = header.to_bytes().to_vec();
        entries.iter().for_each(|entry| bytes.extend(entry.to_bytes()));
        bytes
    }

    #[test]
    fn a_packet_comes_back_from_its_bytes() {
        let sent = [Entry { t_ns: 5, word: 1 }, Entry { t_ns: 9, word: 2 }];
        let bytes = packet(2, &sent);
        let (header, entries) = parse(&bytes).unwrap();
        assert_eq!(header, Header { kind: EDGES, count: 2, key: 7, first: 3 });
        assert_eq!(entries.collect::<Vec<_>>(), sent);
    }

    #[test]
    fn a_packet_of_another_length_is_none() {
        let bytes = packet(2, &[Entry::default(); 2]);
        for end in 0..bytes.len() {
            assert!(parse(&bytes[..end]).is_err(), "{end}");
        }
        assert!(parse(&packet(1, &[Entry::default(); 2])).is_err());
        assert!(parse(&packet(0, &[])).is_err());
        assert!(parse(&packet(u32::MAX, &[Entry::default()])).is_err());
        assert!(parse(&packet(256, &[Entry::default(); 256])).is_err());
        assert!(parse(&packet(255, &[Entry::default(); 255])).is_ok());
    }

    #[test]
    fn an_answer_comes_back_and_its_bytes_stay_as_they_are() {
        let answer = Answer { kind: REFUSED, code: 2, key: 3, number: 4, t_ns: 5 };
        let bytes = answer.to_bytes();
        assert_eq!(Answer::from_bytes(&bytes), answer);
        assert_eq!(bytes[8..16], 3u64.to_ne_bytes());
        assert_eq!(bytes[24..32], 5u64.to_ne_bytes());
    }
}
