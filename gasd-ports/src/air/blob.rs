// SPDX-License-Identifier: MIT OR Apache-2.0
//! How memory is written: a version, then numbers with the low byte first.

use gasd_meters::bytes::Cursor;

/// Why what was kept is not taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotRestored {
    /// There is no such meter.
    #[error("no meter of this port has this key")]
    NoMeter,
    /// It was written by another version of gasd.
    #[error("it was written in version {got}, and only version {want} is read")]
    Version {
        /// What it says.
        got: u8,
        /// What is read.
        want: u8,
    },
    /// It contradicts itself.
    #[error("it is damaged")]
    Damaged,
    /// It belongs to another key.
    #[error("it is of another key than the meter has now")]
    OtherKey,
    /// It belongs to another address or another kind of meter.
    #[error("it is of another meter: its address, or how it comes to its session, is not that of now")]
    OtherMeter,
}

impl From<gasd_meters::Error> for NotRestored {
    fn from(_: gasd_meters::Error) -> Self {
        Self::Damaged
    }
}

/// The bytes behind the version; `None` where nothing was kept.
pub(super) fn open(bytes: &[u8], want: u8) -> Result<Option<Cursor<'_>>, NotRestored> {
    match bytes.split_first() {
        None => Ok(None),
        Some((&got, _)) if got != want => Err(NotRestored::Version { got, want }),
        Some((_, rest)) => Ok(Some(Cursor::new(rest))),
    }
}

/// Nothing may follow.
pub(super) fn close(cursor: &Cursor<'_>) -> Result<(), NotRestored> {
    if cursor.is_empty() { Ok(()) } else { Err(NotRestored::Damaged) }
}

/// A number that may be missing.
pub(super) fn put_option(out: &mut Vec<u8>, number: Option<u32>) {
    out.push(number.is_some().into());
    out.extend(number.unwrap_or(0).to_le_bytes());
}

/// As [`put_option`] wrote it.
pub(super) fn take_option(cursor: &mut Cursor<'_>) -> Result<Option<u32>, NotRestored> {
    match (cursor.u8()?, cursor.u32_le()?) {
        (0, _) => Ok(None),
        (1, number) => Ok(Some(number)),
        _ => Err(NotRestored::Damaged),
    }
}
