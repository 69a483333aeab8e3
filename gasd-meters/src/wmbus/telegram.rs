// SPDX-License-Identifier: MIT OR Apache-2.0
//! The link layer of wireless M-Bus (EN 13757-4): the formats of frames on the air, with and without CRC.

use alloc::vec::Vec;

use crate::bytes::Cursor;
use crate::crc;
use crate::error::{EncodeError, Error};
use crate::mbus::Address;

/// Bytes of the first block of format A: L to T.
const FIRST: usize = 10;
/// Bytes of any further block of format A.
const FURTHER: usize = 16;
/// Bytes of the first part of a long frame of format B.
const PART: usize = 126;
/// The smallest L: C, M, A and CI.
const SHORTEST: usize = 10;

/// How a frame is cut into blocks with CRCs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// A CRC behind the first 10 bytes and behind each 16 that follow; L does not count them.
    A,
    /// A CRC at byte 126 and at the end; L counts them.
    B,
    /// The receiver has checked and removed them.
    Plain,
}

/// A telegram whose CRCs fit, without them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Telegram {
    /// How it came.
    pub format: Format,
    /// What it is: 44H sends a reading, 46H asks to be installed, 08H answers.
    pub control: u8,
    /// Who sent it: the meter, or the radio that speaks for it.
    pub sender: Address,
    /// L to the last byte of data, L as it is without CRCs.
    pub bytes: Vec<u8>,
}

impl Telegram {
    /// The telegram that begins with the first byte; what follows it is not looked at.
    ///
    /// Where `format` is `None`, it is the one whose CRCs fit, and [`Format::Plain`] where none does.
    /// A receiver that always gives the same had better be told apart by its profile: a damaged frame of
    /// format B cannot be told from one without CRCs.
    ///
    /// # Errors
    ///
    /// [`Error::Truncated`], [`Error::CrcDll`], [`Error::NoFrame`] where the length is too short for any.
    pub fn parse(bytes: &[u8], format: Option<Format>) -> Result<Self, Error> {
        let (format, bytes) = match format {
            Some(format) => (format, strip(bytes, format)?),
            None => guess(bytes)?,
        };
        let mut cursor = Cursor::new(&bytes);
        let [_, control] = cursor.array()?;
        let sender = Address::take_radio(&mut cursor)?;
        Ok(Self { format, control, sender, bytes })
    }

    /// The bytes from the CI field on.
    #[must_use]
    pub fn body(&self) -> Cursor<'_> {
        Cursor::inside(self.bytes.get(FIRST..).unwrap_or_default(), FIRST)
    }

    /// Whether the sender asks to be installed.
    #[must_use]
    pub const fn installs(&self) -> bool {
        self.control & 0x4F == 0x46
    }

    /// The bytes on the air.
    ///
    /// # Errors
    ///
    /// [`EncodeError::TooLong`].
    pub fn encode(&self, format: Format) -> Result<Vec<u8>, EncodeError> {
        let mut out = Vec::with_capacity(self.bytes.len() + 40);
        match format {
            Format::Plain => out.extend(&self.bytes),
            Format::A => {
                for block in blocks_a(&self.bytes) {
                    out.extend(block);
                    out.extend(crc::en13757(block).to_be_bytes());
                }
            }
            Format::B => {
                let crcs = if self.bytes.len() > PART { 4 } else { 2 };
                let mut bytes = self.bytes.clone();
                match (bytes.first_mut(), u8::try_from(self.bytes.len() - 1 + crcs)) {
                    (Some(length), Ok(n)) => *length = n,
                    _ => return Err(EncodeError::TooLong { most: 256 - crcs }),
                }
                for part in bytes.chunks(PART) {
                    out.extend(part);
                    out.extend(crc::en13757(part).to_be_bytes());
                }
            }
        }
        Ok(out)
    }
}

fn blocks_a(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let (first, rest) = bytes.split_at_checked(FIRST).unwrap_or((bytes, &[]));
    core::iter::once(first).chain(rest.chunks(FURTHER))
}

/// L, where it is long enough.
fn length(bytes: &[u8]) -> Result<usize, Error> {
    match bytes.first() {
        None => Err(Error::Truncated { need: 1 + SHORTEST }),
        Some(&length) if usize::from(length) < SHORTEST => Err(Error::NoFrame { garbage: bytes.len() }),
        Some(&length) => Ok(length.into()),
    }
}

/// Bytes on the air.
fn on_air(length: usize, format: Format) -> usize {
    match format {
        Format::A => 1 + length + 2 + 2 * (length + 1 - FIRST).div_ceil(FURTHER),
        Format::B | Format::Plain => 1 + length,
    }
}

fn strip(bytes: &[u8], format: Format) -> Result<Vec<u8>, Error> {
    let length = length(bytes)?;
    let n = on_air(length, format);
    let Some(frame) = bytes.get(..n) else { return Err(Error::Truncated { need: n - bytes.len() }) };
    let mut out = Vec::with_capacity(frame.len());
    let blocks: &mut dyn Iterator<Item = &[u8]> = match format {
        Format::Plain => return Ok(frame.into()),
        Format::A => {
            let (first, rest) = frame.split_at_checked(FIRST + 2).unwrap_or((frame, &[]));
            &mut core::iter::once(first).chain(rest.chunks(FURTHER + 2))
        }
        Format::B => {
            let (first, rest) = frame.split_at_checked(PART + 2).unwrap_or((frame, &[]));
            &mut core::iter::once(first).chain(rest.chunks(PART + 2))
        }
    };
    blocks.enumerate().try_for_each(|(n, block)| remove_crc(n, block, &mut out))?;
    if format == Format::B
        && let Some(length) = out.len().checked_sub(1)
        && let Some(first) = out.first_mut()
    {
        *first = length as u8;
        // Room for C, M, A and CI is to be left without the CRCs, too.
        if length < SHORTEST {
            return Err(Error::NoFrame { garbage: bytes.len() });
        }
    }
    Ok(out)
}

fn remove_crc(n: usize, block: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
    let Some((data, &[high, low])) = block.split_last_chunk() else {
        return Err(Error::Malformed { what: "a block that is shorter than its CRC" });
    };
    let (got, want) = (u16::from_be_bytes([high, low]), crc::en13757(data));
    if got != want {
        return Err(Error::CrcDll { block: n as u8, got, want });
    }
    out.extend(data);
    Ok(())
}

fn guess(bytes: &[u8]) -> Result<(Format, Vec<u8>), Error> {
    let length = length(bytes)?;
    let a = strip(bytes, Format::A);
    if let Ok(a) = a {
        return Ok((Format::A, a));
    }
    if let Ok(b) = strip(bytes, Format::B) {
        return Ok((Format::B, b));
    }
    // One block of format A whose CRC fits is no chance: the frame is damaged, or breaks off. Where the
    // length is just that of a frame without CRCs, only the first block is asked.
    let fits = |block: &[u8]| remove_crc(0, block, &mut Vec::new()).is_ok();
    let first = bytes.get(..FIRST + 2).is_some_and(fits);
    let mut further = bytes.get(FIRST + 2..).unwrap_or_default().chunks_exact(FURTHER + 2);
    let odd = bytes.len() != 1 + length;
    if first || (odd && (bytes.len() == on_air(length, Format::A) || further.any(fits))) {
        return a.map(|a| (Format::A, a));
    }
    Ok((Format::Plain, strip(bytes, Format::Plain)?))
}
