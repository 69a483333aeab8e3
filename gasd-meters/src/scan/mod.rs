// SPDX-License-Identifier: MIT OR Apache-2.0
//! Finds frames in what a line gives: noise, wake-up bytes, halves of frames, several at once.
//!
//! Each protocol has a probe: a function that looks at bytes and says whether a frame begins with the
//! first of them. What is no frame is passed by **one** byte, never by a length that it claims: a false
//! header may hide a real frame. A probe looks at one candidate at most three times or so (each
//! [`Probe::Need`] must ask for more than the one before) and at no more than one frame of bytes, so the work for a
//! byte is bounded whatever comes.

mod stream;

pub use stream::{CAPACITY, Found, Scanner};

use crate::error::Error;

/// What a probe says of the bytes it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probe {
    /// No frame begins here.
    No,
    /// A wake-up byte before a frame: passed by, but no garbage.
    Wake,
    /// One may: this many bytes, counted from the first, are needed to say more. More than were shown.
    Need(usize),
    /// A frame's header and length are here, and the whole is wrong: passed by, but told.
    Bad {
        /// Bytes that the header claims.
        len: usize,
        /// What is wrong.
        error: Error,
    },
    /// A frame of this many bytes, checked.
    Frame(usize),
}

impl Probe {
    /// What two protocols on one line say together: a frame of either, else what either waits for.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Frame(_), _) => self,
            (_, Self::Frame(_)) => other,
            (Self::Need(a), Self::Need(b)) => Self::Need(if a < b { a } else { b }),
            (Self::Need(_), _) => self,
            (_, Self::Need(_)) => other,
            (Self::Bad { .. }, _) => self,
            (_, Self::Bad { .. }) => other,
            (Self::Wake, _) | (_, Self::Wake) => Self::Wake,
            (Self::No, Self::No) => Self::No,
        }
    }

    /// Whether this, said of `shown` bytes, is said of one frame and nothing behind it.
    ///
    /// # Errors
    ///
    /// What is wrong: [`Error::Truncated`], [`Error::NoFrame`], that of a bad frame, and [`Error::Malformed`] where
    /// bytes follow.
    pub const fn whole(self, shown: usize) -> Result<(), Error> {
        match self {
            Self::Frame(len) if len == shown => Ok(()),
            Self::Frame(_) => Err(Error::Malformed { what: "bytes follow the end of the frame" }),
            Self::Bad { error, .. } => Err(error),
            Self::Need(n) => Err(Error::Truncated { need: n.saturating_sub(shown) }),
            Self::No | Self::Wake => Err(Error::NoFrame { garbage: shown }),
        }
    }
}

/// The first frame in bytes after which nothing more comes: where it begins and its length.
///
/// # Errors
///
/// What is wrong with a candidate whose end is where its header says, as [`Error::Checksum`]; else what
/// is wrong with the first candidate, as [`Error::Truncated`]; else [`Error::NoFrame`].
pub fn first(bytes: &[u8], mut probe: impl FnMut(&[u8]) -> Probe) -> Result<(usize, usize), Error> {
    let (mut sure, mut unsure, mut garbage) = (None, None, 0);
    for (at, _) in bytes.iter().enumerate() {
        let rest = bytes.get(at..).unwrap_or_default();
        match probe(rest) {
            Probe::Frame(len) if len > 0 && len <= rest.len() => return Ok((at, len)),
            // A false header inside half a frame ends anywhere.
            Probe::Bad { error: error @ Error::BadEnd { .. }, .. } => unsure = unsure.or(Some(error)),
            Probe::Bad { error, .. } => sure = sure.or(Some(error)),
            Probe::Need(n) if n > rest.len() => {
                unsure = unsure.or(Some(Error::Truncated { need: n - rest.len() }));
            }
            Probe::Wake => continue,
            _ => {}
        }
        garbage += 1;
    }
    Err(sure.or(unsure).unwrap_or(Error::NoFrame { garbage }))
}

/// As [`first`], its bytes.
///
/// # Errors
///
/// As [`first`].
pub fn first_frame(bytes: &[u8], probe: impl FnMut(&[u8]) -> Probe) -> Result<&[u8], Error> {
    let (at, len) = first(bytes, probe)?;
    bytes.get(at..at + len).ok_or(Error::NoFrame { garbage: bytes.len() })
}
