// SPDX-License-Identifier: MIT OR Apache-2.0
//! What may be seen of ports and of meters on them. Pure.

use std::sync::Arc;

use gasd_meters::Reading;
use gasd_meters::drive::Oddities;
use gasd_meters::poll::{Echo, Latest, Sample};
use gasd_ports::port::Seen;

use crate::pipeline::learned::moved_ns;
use crate::response::clock::Now;
use crate::state::{OnPortState, PortState};
use crate::store::Change;

/// Strangers that are remembered of a port.
const STRANGERS: usize = 64;

/// A reading came.
pub fn read(state: &mut OnPortState, t_ns: u64, reading: &Reading, oddities: Oddities) {
    (state.read_ns, state.answers) = (t_ns, state.answers.saturating_add(1));
    (state.last_error, state.last_error_kind) = (String::new(), "");
    state.fields.clear();
    if !reading.meter.id.is_empty() {
        state.fields.push(("meter".to_owned(), reading.meter.id.clone()));
    }
    state.fields.extend(reading.fields.iter().map(|field| {
        let mut value = field.value.to_string();
        if let Some(doubt) = field.doubt {
            value = format!("{value} (in doubt: {doubt})");
        }
        let name = match &field.label {
            Some(label) => format!("{} ({label})", field.name()),
            None => field.name().to_string(),
        };
        (name, value)
    }));
    if let Some(valve) = reading.valve {
        state.fields.push(("valve".to_owned(), valve.to_string()));
    }
    for flag in reading.flags.set() {
        state.fields.push(("flag".to_owned(), flag.words().to_owned()));
    }
    for (name, count) in oddities.iter() {
        if count > 0 {
            let seen = state.oddities.entry(name).or_insert(0);
            *seen = seen.saturating_add(u64::from(count));
        }
    }
}

/// A port has seen this since it was opened.
pub fn seen(state: &mut PortState, seen: &Seen) {
    let counts = &seen.counts;
    state.counts.extend([
        ("requests", counts.requests),
        ("answers", counts.answers),
        ("timeouts", counts.timeouts),
        ("damaged", counts.damaged),
        ("garbage_bytes", counts.garbage),
        ("other_answers", counts.others),
        ("late_answers", counts.late),
        ("other_requests", counts.masters),
        ("line_busy", counts.busy),
        ("collisions", counts.collisions),
        ("left_out", counts.dropped),
    ]);
    if let Some(damage) = seen.damage {
        state.counts.extend([
            ("framing_errors", damage.framing),
            ("parity_errors", damage.parity),
            ("overruns", damage.overrun),
            ("breaks", damage.breaks),
        ]);
    }
    state.echo = match seen.echo {
        Echo::Unknown => "unknown",
        Echo::Never => "no",
        Echo::Always => "yes",
    };
}

/// A port that listens has heard this.
pub fn heard(state: &mut PortState, counts: &gasd_ports::air::Counts) {
    state.counts.extend([
        ("heard", counts.heard),
        ("answers", counts.read),
        ("damaged", counts.failed),
        ("repeated", counts.repeated),
        ("strangers", counts.strange),
        ("garbage", counts.garbage),
    ]);
}

/// Somebody was heard who is not configured.
pub fn stranger(state: &mut PortState, what: &str, words: &str) {
    match state.strangers.iter_mut().find(|(known, _)| known == what) {
        Some((_, said)) => words.clone_into(said),
        None => {
            if state.strangers.len() == STRANGERS {
                state.strangers.remove(0);
            }
            state.strangers.push((what.to_owned(), words.to_owned()));
        }
    }
}

/// Times and registers, oldest first.
#[must_use]
pub fn samples(latest: &Latest) -> Arc<[(u64, u64)]> {
    latest.iter().map(|Sample { t_ns, register_ul }| (t_ns, register_ul)).collect()
}

/// First byte of a row of readings.
const LATEST_VERSION: u8 = 1;

/// A meter's last readings as the store keeps them: a version, the clocks of now, then time and register of each, and a
/// check sum.
#[must_use]
pub fn latest_row(id: &str, latest: &Latest, now: Now) -> Change {
    let mut bytes = vec![LATEST_VERSION];
    bytes.extend(now.boot.to_le_bytes());
    bytes.extend(now.unix_us.to_le_bytes());
    bytes.extend(now.boottime_ns.to_le_bytes());
    for sample in latest.iter() {
        bytes.extend(sample.t_ns.to_le_bytes());
        bytes.extend(sample.register_ul.to_le_bytes());
    }
    let crc = gasd_meters::crc::en13757(&bytes);
    bytes.extend(crc.to_le_bytes());
    Change::Remembered { key: format!("{}{id}", super::LATEST), bytes: bytes.into() }
}

/// Reads such a row; `None` where it is damaged or of another version. After another start of the machine the times are
/// moved by what the clock on the wall says.
#[must_use]
pub fn latest_of(bytes: &[u8], now: Now) -> Option<Latest> {
    let (rows, crc) = bytes.split_last_chunk::<2>()?;
    let (&version, samples) = rows.split_first()?;
    if version != LATEST_VERSION || gasd_meters::crc::en13757(rows) != u16::from_le_bytes(*crc) {
        return None;
    }
    let (boot, samples) = samples.split_first_chunk::<16>()?;
    let (unix_us, samples) = samples.split_first_chunk::<8>()?;
    let (boottime_ns, samples) = samples.split_first_chunk::<8>()?;
    let saved = Now {
        boot: u128::from_le_bytes(*boot),
        unix_us: u64::from_le_bytes(*unix_us),
        boottime_ns: u64::from_le_bytes(*boottime_ns),
    };
    let moved_ns = moved_ns(saved, now);
    let (samples, rest) = samples.as_chunks::<16>();
    if !rest.is_empty() {
        return None;
    }
    let mut latest = Latest::default();
    for sample in samples {
        let (t_ns, register_ul) = sample.split_first_chunk::<8>()?;
        let register_ul: [u8; 8] = register_ul.try_into().ok()?;
        latest.push(Sample {
            t_ns: u64::from_le_bytes(*t_ns).saturating_add_signed(moved_ns),
            register_ul: u64::from_le_bytes(register_ul),
        });
    }
    Some(latest)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Now = Now { unix_us: 1_790_000_000_000_000, boottime_ns: 900_000_000_000, boot: 7 };

    fn ring(count: u64) -> Latest {
        let mut latest = Latest::default();
        (0..count).for_each(|n| latest.push(Sample { t_ns: n, register_ul: n * 7 }));
        latest
    }

    #[test]
    fn readings_come_back_as_they_were_written_and_damage_is_noticed() {
        for count in [0, 1, 256, 700] {
            let Change::Remembered { key, bytes } = latest_row("flat", &ring(count), NOW) else {
                panic!("a row")
            };
            assert_eq!(key, "latest:flat");
            assert_eq!(latest_of(&bytes, NOW).map(|back| samples(&back)), Some(samples(&ring(count))));
            for at in 0..bytes.len() {
                let mut damaged = bytes.to_vec();
                damaged[at] ^= 1;
                assert!(latest_of(&damaged, NOW).is_none(), "{at}");
            }
        }
        assert!(latest_of(&[], NOW).is_none() && latest_of(&[1, 2], NOW).is_none());
    }

    #[test]
    fn strangers_are_counted_once_and_the_oldest_goes() {
        let mut state = PortState::default();
        for n in 0..100 {
            stranger(&mut state, &format!("meter {n}"), "heard");
        }
        stranger(&mut state, "meter 99", "heard again");
        assert_eq!(state.strangers.len(), STRANGERS);
        assert_eq!(state.strangers.last().map(|(_, words)| words.as_str()), Some("heard again"));
    }
}
