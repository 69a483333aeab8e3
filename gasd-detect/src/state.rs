// SPDX-License-Identifier: MIT OR Apache-2.0
//! The state of an engine as bytes, so that what was learned outlives the process.
//!
//! Little endian, field by field, behind a version and a check sum: a blob of another version, of
//! another pulse volume or with a flipped bit is refused whole. At most [`MOST`] bytes.

use core::fmt;

/// A state is never longer, bytes.
pub const MOST: usize = 4096;
/// Counts up with each change of what is stored. States of [`OLDEST`] are read, too: what they lack is learned anew.
const VERSION: u16 = 6;
const OLDEST: u16 = 3;
const MAGIC: [u8; 4] = *b"gasE";

/// Why a stored state is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateError {
    /// Not a state of an engine, or cut short.
    NotAState,
    /// Of another version of the engine.
    Version(u16),
    /// Bits were changed.
    Damaged,
    /// Of a meter with pulses of this volume, µL.
    PulseVolume(u64),
}

impl fmt::Display for StateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAState => write!(f, "it is no state of a detection engine"),
            Self::Version(v) => write!(f, "it is of version {v}, and this engine reads {VERSION}"),
            Self::Damaged => write!(f, "its check sum does not fit: it is damaged"),
            Self::PulseVolume(ul) => {
                write!(f, "it was learned with pulses of {} L", *ul as f64 / 1e6)
            }
        }
    }
}

impl core::error::Error for StateError {}

/// Something that is stored.
pub(crate) trait State: Sized {
    fn save(&self, out: &mut Vec<u8>);
    fn load(from: &mut &[u8]) -> Option<Self>;
}

macro_rules! number {
    ($($t:ty),*) => {$(
        impl State for $t {
            fn save(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_le_bytes());
            }

            fn load(from: &mut &[u8]) -> Option<Self> {
                let (bytes, rest) = from.split_first_chunk()?;
                *from = rest;
                Some(Self::from_le_bytes(*bytes))
            }
        }
    )*};
}

number!(u8, u16, u32, u64, f32, f64);

impl State for bool {
    fn save(&self, out: &mut Vec<u8>) {
        u8::from(*self).save(out);
    }

    fn load(from: &mut &[u8]) -> Option<Self> {
        match u8::load(from)? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }
}

impl<T: State> State for Option<T> {
    fn save(&self, out: &mut Vec<u8>) {
        self.is_some().save(out);
        if let Some(value) = self {
            value.save(out);
        }
    }

    fn load(from: &mut &[u8]) -> Option<Self> {
        if bool::load(from)? { Some(Some(T::load(from)?)) } else { Some(None) }
    }
}

impl<A: State, B: State> State for (A, B) {
    fn save(&self, out: &mut Vec<u8>) {
        self.0.save(out);
        self.1.save(out);
    }

    fn load(from: &mut &[u8]) -> Option<Self> {
        Some((A::load(from)?, B::load(from)?))
    }
}

impl<T: State + Copy + Default, const N: usize> State for [T; N] {
    fn save(&self, out: &mut Vec<u8>) {
        self.iter().for_each(|value| value.save(out));
    }

    fn load(from: &mut &[u8]) -> Option<Self> {
        let mut all = [T::default(); N];
        for place in &mut all {
            *place = T::load(from)?;
        }
        Some(all)
    }
}

/// Stores a struct field by field, in this order; what is stored elsewhere comes back as by default.
macro_rules! state {
    ($name:ident { $($field:ident),* $(,)? } $(beside { $($other:ident),* })?) => {
        impl crate::state::State for $name {
            fn save(&self, out: &mut Vec<u8>) {
                $(crate::state::State::save(&self.$field, out);)*
            }

            fn load(from: &mut &[u8]) -> Option<Self> {
                Some(Self {
                    $($field: crate::state::State::load(from)?,)*
                    $($($other: Default::default(),)*)?
                })
            }
        }
    };
}
pub(crate) use state;

/// Whole numbers in as few bytes as they need.
pub(crate) fn save_short(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// What [`save_short`] wrote.
pub(crate) fn load_short(from: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = u8::load(from)?;
        value |= u64::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// FNV-1a: finds flipped bits; nobody else writes the store.
fn sum(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |sum, byte| (sum ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

/// Puts version, volume and check sum around a state.
pub(crate) fn seal(pulse_ul: u64, body: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    seal_as(VERSION, pulse_ul, body)
}

/// As [`seal`], of any version.
pub(crate) fn seal_as(version: u16, pulse_ul: u64, body: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::with_capacity(MOST);
    out.extend_from_slice(&MAGIC);
    version.save(&mut out);
    pulse_ul.save(&mut out);
    body(&mut out);
    sum(&out).save(&mut out);
    out
}

/// What is inside a sealed state, and its version.
pub(crate) fn open(bytes: &[u8], pulse_ul: u64) -> Result<(&[u8], u16), StateError> {
    let mut rest = bytes.strip_prefix(&MAGIC).ok_or(StateError::NotAState)?;
    let version = u16::load(&mut rest).ok_or(StateError::NotAState)?;
    if !(OLDEST..=VERSION).contains(&version) {
        return Err(StateError::Version(version));
    }
    let (whole, check) = bytes.split_last_chunk::<4>().ok_or(StateError::NotAState)?;
    if whole.len() < MAGIC.len() + 10 {
        return Err(StateError::NotAState);
    }
    if sum(whole) != u32::from_le_bytes(*check) {
        return Err(StateError::Damaged);
    }
    let mut body = &whole[MAGIC.len() + 2..];
    let volume = u64::load(&mut body).ok_or(StateError::NotAState)?;
    if volume != pulse_ul {
        return Err(StateError::PulseVolume(volume));
    }
    Ok((body, version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_numbers_come_back() {
        for value in [0, 1, 127, 128, 300, 1 << 35, u64::MAX] {
            let mut out = Vec::new();
            save_short(value, &mut out);
            assert_eq!(load_short(&mut &out[..]), Some(value));
        }
    }

    #[test]
    fn what_is_not_ours_is_refused() {
        let sealed = seal(10, |out| 7u64.save(out));
        assert_eq!(open(&sealed, 10).map(|(body, version)| (body.len(), version)), Ok((8, VERSION)));
        assert_eq!(open(&sealed, 11), Err(StateError::PulseVolume(10)));
        assert_eq!(open(b"", 10), Err(StateError::NotAState));
        assert_eq!(open(&sealed[..6], 10), Err(StateError::NotAState));
        for at in 14..sealed.len() {
            let mut damaged = sealed.clone();
            damaged[at] ^= 4;
            assert_eq!(open(&damaged, 10), Err(StateError::Damaged), "{at}");
        }
        let mut newer = sealed;
        newer[4] = 9;
        assert_eq!(open(&newer, 10), Err(StateError::Version(9)));
        newer[4] = 2;
        assert_eq!(open(&newer, 10), Err(StateError::Version(2)));
    }
}
