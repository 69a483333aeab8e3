// SPDX-License-Identifier: MIT OR Apache-2.0
//! Records of the event stream: what `io.gasd1.Manager.Subscribe` hands out over its socket.
//!
//! A packet is one record of [`RECORD_BYTES`], in the machine's own byte order. The first 24 bytes
//! are the same in every record, then follow five words whose meaning depends on the kind:
//!
//! | bytes | field | |
//! |---|---|---|
//! | 0–3 | `kind` | [`HELLO`] …; **leave out kinds that you do not know** |
//! | 4–7 | `index` | of the meter or valve, as the last HELLO numbers them; 0 where there is none |
//! | 8–15 | `key` | [`crate::records::meter_key`] of the meter's or valve's id; 0 where there is none |
//! | 16–23 | `t_ns` | what the record is about, `CLOCK_BOOTTIME` ns |
//! | 24–63 | `body` | five `u64`, see [`Message`]; those that a kind does not use are 0 |
//!
//! [`VERSION`] changes only when a reader of the old version would be misled. Kinds, bits and codes
//! are added without; a code that a reader does not know counts as "unknown".

use core::mem::size_of;

/// Version of the stream, in every HELLO.
pub const VERSION: u64 = 1;
/// Bytes of a record, and so of a packet.
pub const RECORD_BYTES: usize = 64;
/// The `key` of a HELLO: "gasdstrm" as bytes in memory.
pub const MAGIC: u64 = u64::from_ne_bytes(*b"gasdstrm");

/// The numbering of meters and valves follows; what was known of one before is void.
pub const HELLO: u32 = 1;
/// A meter that the stream tells of.
pub const METER: u32 = 2;
/// A pulse was accepted.
pub const PULSE: u32 = 3;
/// A meter's total.
pub const READING: u32 = 4;
/// A verdict was made, or acknowledged.
pub const VERDICT: u32 = 5;
/// A valve's state.
pub const VALVE: u32 = 6;
/// Records are missing here, because the reader was too slow.
pub const GAP: u32 = 7;

/// Bit of a [`Message::Pulse`], [`Message::Reading`] or [`Message::Meter`]: the meter's pulses come
/// from a player.
pub const SIMULATED: u64 = 1;
/// Bit of a [`Message::Verdict`]: it was acknowledged.
pub const ACKNOWLEDGED: u64 = 1 << 1;
/// A flow that is not known.
pub const NO_FLOW: u64 = u64::MAX;

/// Names of the kinds that a subscriber may choose, with their numbers. HELLO, METER and GAP always come.
pub const CHOICES: [(&str, u32); 4] =
    [("pulse", PULSE), ("reading", READING), ("verdict", VERDICT), ("valve", VALVE)];

/// Names of what a verdict found; its code is the place in this list, 0 is "unknown".
pub const VERDICT_KINDS: [&str; 18] = [
    "unknown",
    "surge",
    "sustained-flow",
    "transient-flow",
    "implausible-rate",
    "edge-storm",
    "overload",
    "long-use",
    "unusual-hour",
    "base-flow",
    "never-zero",
    "silent-meter",
    "flow-after-opening",
    "flow-while-closed",
    "low-pressure",
    "earthquake",
    "gas-alarm",
    "reverse-flow",
];
/// Names of a verdict's severities; its code is the place in this list, 0 is "unknown".
pub const SEVERITIES: [&str; 5] = ["unknown", "info", "notice", "warning", "critical"];
/// Names of a valve's positions; its code is the place in this list, 0 is "unknown".
pub const POSITIONS: [&str; 3] = ["unknown", "open", "closed"];

/// The code of a name in one of the lists; 0 for one that is not there.
#[must_use]
pub fn code(names: &[&str], name: &str) -> u64 {
    names.iter().position(|known| *known == name).unwrap_or(0) as u64
}

/// One record as it crosses the socket.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// [`HELLO`] ….
    pub kind: u32,
    /// Index of the meter or valve.
    pub index: u32,
    /// Key of the meter's or valve's id.
    pub key: u64,
    /// `CLOCK_BOOTTIME`, ns.
    pub t_ns: u64,
    /// By kind.
    pub body: [u64; 5],
}

const _: () = assert!(size_of::<Record>() == RECORD_BYTES);
const _: () = assert!(core::mem::align_of::<Record>() == 8);
const _: () = assert!(core::mem::offset_of!(Record, index) == 4);
const _: () = assert!(core::mem::offset_of!(Record, key) == 8);
const _: () = assert!(core::mem::offset_of!(Record, t_ns) == 16);
const _: () = assert!(core::mem::offset_of!(Record, body) == 24);

/// A record's body by kind, the fields in the order of the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    /// [`HELLO`]; `key` is [`MAGIC`], `t_ns` the moment of the subscription or of the new numbering.
    Hello {
        /// [`VERSION`].
        version: u64,
        /// [`RECORD_BYTES`].
        record_bytes: u64,
        /// Meters that the service has, chosen or not.
        meters: u64,
        /// Valves that the service has.
        valves: u64,
        /// Bit `1 << kind` for each kind that was chosen.
        kinds: u64,
    },
    /// [`METER`]: follows a HELLO, one for each meter that was chosen.
    Meter {
        /// Volume of one pulse, µL.
        pulse_volume_ul: u64,
        /// [`SIMULATED`].
        flags: u64,
    },
    /// [`PULSE`]; `t_ns` is the leading edge.
    Pulse {
        /// When the filter decided it, ns.
        decided_ns: u64,
        /// Interval to the pulse before, ns; 0 for the first.
        interval_ns: u64,
        /// The meter's total with this pulse, pulses. Where it rises by more than one, events were
        /// lost on the way; no pulse was.
        pulses: u64,
        /// The meter's total with this pulse, µL.
        volume_ul: u64,
        /// [`SIMULATED`].
        flags: u64,
    },
    /// [`READING`]; `t_ns` is when it was read.
    Reading {
        /// The meter's total, µL.
        volume_ul: u64,
        /// The meter's total, pulses.
        pulses: u64,
        /// Flow, µL/h; [`NO_FLOW`] before the second pulse.
        flow_ul_per_h: u64,
        /// Leading edge of the last pulse, ns; 0 before the first.
        last_pulse_ns: u64,
        /// [`SIMULATED`].
        flags: u64,
    },
    /// [`VERDICT`]; `t_ns` is when it was decided, or acknowledged.
    Verdict {
        /// Its number: `/io/gasd1/verdicts/<id>` has the words and the evidence.
        id: u64,
        /// Place in [`VERDICT_KINDS`].
        kind: u64,
        /// Place in [`SEVERITIES`].
        severity: u64,
        /// When it began, by the pulses' own time, ns.
        start_ns: u64,
        /// [`ACKNOWLEDGED`].
        flags: u64,
    },
    /// [`VALVE`]; `t_ns` is when this was noticed.
    Valve {
        /// Place in [`POSITIONS`].
        position: u64,
        /// Holds that keep it closed.
        holds: u64,
        /// 0 when all is well with it, 1 when its `Health` says what is wrong.
        fault: u64,
    },
    /// [`GAP`]: the records in between found no room. The present READING of each meter and the
    /// VALVE of each valve follow, as far as they were chosen.
    Gap {
        /// Records lost here.
        lost: u64,
        /// Records lost since the subscription began.
        lost_in_all: u64,
        /// When the first one of these was lost, ns.
        since_ns: u64,
    },
}

impl Message {
    /// Its kind and its words.
    #[must_use]
    pub const fn parts(self) -> (u32, [u64; 5]) {
        match self {
            Message::Hello { version, record_bytes, meters, valves, kinds } => {
                (HELLO, [version, record_bytes, meters, valves, kinds])
            }
            Message::Meter { pulse_volume_ul, flags } => (METER, [pulse_volume_ul, flags, 0, 0, 0]),
            Message::Pulse { decided_ns, interval_ns, pulses, volume_ul, flags } => {
                (PULSE, [decided_ns, interval_ns, pulses, volume_ul, flags])
            }
            Message::Reading { volume_ul, pulses, flow_ul_per_h, last_pulse_ns, flags } => {
                (READING, [volume_ul, pulses, flow_ul_per_h, last_pulse_ns, flags])
            }
            Message::Verdict { id, kind, severity, start_ns, flags } => {
                (VERDICT, [id, kind, severity, start_ns, flags])
            }
            Message::Valve { position, holds, fault } => (VALVE, [position, holds, fault, 0, 0]),
            Message::Gap { lost, lost_in_all, since_ns } => (GAP, [lost, lost_in_all, since_ns, 0, 0]),
        }
    }
}

impl Record {
    /// A record about a meter or valve.
    #[must_use]
    pub const fn new(index: u32, key: u64, t_ns: u64, message: Message) -> Record {
        let (kind, body) = message.parts();
        Record { kind, index, key, t_ns, body }
    }

    /// What it says; `None` for a kind that this version does not know.
    #[must_use]
    pub const fn message(&self) -> Option<Message> {
        let [a, b, c, d, e] = self.body;
        Some(match self.kind {
            HELLO => Message::Hello { version: a, record_bytes: b, meters: c, valves: d, kinds: e },
            METER => Message::Meter { pulse_volume_ul: a, flags: b },
            PULSE => Message::Pulse { decided_ns: a, interval_ns: b, pulses: c, volume_ul: d, flags: e },
            READING => {
                Message::Reading { volume_ul: a, pulses: b, flow_ul_per_h: c, last_pulse_ns: d, flags: e }
            }
            VERDICT => Message::Verdict { id: a, kind: b, severity: c, start_ns: d, flags: e },
            VALVE => Message::Valve { position: a, holds: b, fault: c },
            GAP => Message::Gap { lost: a, lost_in_all: b, since_ns: c },
            _ => return None,
        })
    }

    /// The bytes of the packet.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; RECORD_BYTES] {
        let mut bytes = [0; RECORD_BYTES];
        bytes[0..4].copy_from_slice(&self.kind.to_ne_bytes());
        bytes[4..8].copy_from_slice(&self.index.to_ne_bytes());
        let words = [self.key, self.t_ns].into_iter().chain(self.body);
        for (place, word) in bytes[8..].chunks_exact_mut(8).zip(words) {
            place.copy_from_slice(&word.to_ne_bytes());
        }
        bytes
    }

    /// The record of a packet.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; RECORD_BYTES]) -> Record {
        let mut words = [0; RECORD_BYTES / 8];
        for (word, place) in words.iter_mut().zip(bytes.chunks_exact(8)) {
            let mut eight = [0; 8];
            eight.copy_from_slice(place);
            *word = u64::from_ne_bytes(eight);
        }
        let half = |at: usize| u32::from_ne_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let [_, key, t_ns, a, b, c, d, e] = words;
        Record { kind: half(0), index: half(4), key, t_ns, body: [a, b, c, d, e] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_comes_back_from_its_bytes() {
        for kind in 0..=GAP + 1 {
            let record = Record { kind, index: 3, key: 4, t_ns: 5, body: [6, 7, 8, 9, 10] };
            assert_eq!(Record::from_bytes(&record.to_bytes()), record);
            match record.message() {
                Some(message) => {
                    let (found, words) = message.parts();
                    assert_eq!(found, kind);
                    // Words that a kind does not use are zero.
                    let used = words.iter().filter(|word| **word != 0).count();
                    assert_eq!(words[..used], record.body[..used]);
                }
                None => assert!(kind == 0 || kind > GAP, "{kind}"),
            }
        }
    }

    #[test]
    fn the_bytes_stay_as_they_are() {
        let gap = Message::Gap { lost: 1, lost_in_all: 2, since_ns: 3 };
        let bytes = Record::new(9, 8, 7, gap).to_bytes();
        assert_eq!(bytes[0..4], GAP.to_ne_bytes());
        assert_eq!(bytes[4..8], 9u32.to_ne_bytes());
        for (at, word) in [(8, 8u64), (16, 7), (24, 1), (32, 2), (40, 3), (48, 0), (56, 0)] {
            assert_eq!(bytes[at..at + 8], word.to_ne_bytes());
        }
    }

    #[test]
    fn a_name_that_is_not_known_is_zero() {
        assert_eq!(code(&VERDICT_KINDS, "surge"), 1);
        assert_eq!(code(&VERDICT_KINDS, "gas-alarm"), 16);
        assert_eq!(code(&VERDICT_KINDS, "reverse-flow"), 17);
        assert_eq!(code(&SEVERITIES, "critical"), 4);
        assert_eq!(code(&POSITIONS, "ajar"), 0);
    }
}
