// SPDX-License-Identifier: MIT OR Apache-2.0
//! Opens the transport layer: header, MAC, security modes 5 and 7.

use alloc::vec::Vec;

use super::Access;
use super::afl::Afl;
use super::key::{BLOCK, Key, Purpose};
use crate::bytes::Cursor;
use crate::error::Error;
use crate::mbus::{Address, Header};
use crate::trace::Trace;

/// What deciphered bytes begin with, so that a wrong key shows.
const CHECK: [u8; 2] = [0x2F, 0x2F];

/// How a telegram was protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Security {
    /// Not at all, or it came deciphered.
    None,
    /// By the extended link layer (AES-CTR).
    LinkLayer,
    /// Mode 5: AES-CBC, OMS security profile A.
    Mode5,
    /// Mode 7: AES-CBC with a key of its own for each message, OMS security profile B.
    Mode7,
}

/// The transport layer of one message.
pub(super) struct Opened {
    pub ci: u8,
    pub header: Option<Header>,
    pub meter: Address,
    pub security: Security,
    /// The message counter, where a MAC vouches for it.
    pub counter: Option<u32>,
    /// Where the payload begins in the frame.
    pub at: usize,
    /// The payload, deciphered.
    pub payload: Vec<u8>,
    /// Bytes at its end that are not deciphered: less than a block, where the meter sends less than it says.
    pub lost: usize,
    /// Bytes at its end that stood in the clear behind the encrypted ones, and that no code covers.
    pub clear: usize,
}

/// Which header stands behind a CI field.
enum Layout {
    Long,
    Short,
    None,
}

const fn layout(ci: u8) -> Layout {
    match ci {
        0x53 | 0x5B | 0x5F | 0x60 | 0x64 | 0x68 | 0x6C | 0x6F | 0x72 | 0x73 | 0x75 | 0x7C => Layout::Long,
        0x5A | 0x5C | 0x5E | 0x61 | 0x65 | 0x6A | 0x6D | 0x6E | 0x74 | 0x7A | 0x7B | 0x7D => Layout::Short,
        _ => Layout::None,
    }
}

/// Opens the `message` (from its CI field on) that `sender` sent.
pub(super) fn open(
    message: &mut Cursor<'_>,
    sender: Address,
    afl: Option<&Afl>,
    access: &Access<'_>,
    trace: &mut impl Trace,
) -> Result<Opened, Error> {
    let authenticated = message.rest();
    let at = message.at();
    let ci = message.u8()?;
    trace.field(at, &[ci], format_args!("CI"), format_args!("{}", name(ci)));
    let header = match layout(ci) {
        Layout::Long => Some(Header::take_long(message, trace)?),
        Layout::Short => Some(Header::take_short(message, trace)?),
        Layout::None => None,
    };
    let meter = header.and_then(|header| header.meter).unwrap_or(sender);
    let mode = header.map_or(0, |header| header.mode());
    if mode == 7 {
        let at = message.at();
        let extension = message.u8()?;
        let (kdf, key) = (extension >> 4 & 0x3, extension & 0x0F);
        trace.field(at, &[extension], format_args!("key"), format_args!("derivation {kdf}, key {key}"));
        if kdf != 1 {
            return Err(Error::UnsupportedMode { mode: 7 });
        }
    }
    let at = message.at();
    let mut opened = Opened {
        ci,
        header,
        meter,
        security: Security::None,
        counter: None,
        at,
        payload: message.rest().into(),
        lost: 0,
        clear: 0,
    };
    let encrypted = header.map_or(0, |header| header.blocks()) * BLOCK;
    let secured = matches!(mode, 5 | 7) && encrypted > 0;
    let authenticates = afl.filter(|afl| afl.authenticates());
    if mode != 0 && access.plain && opened.payload.starts_with(&CHECK) {
        return Ok(opened);
    }
    if !matches!(mode, 0 | 5 | 7) {
        return Err(Error::UnsupportedMode { mode });
    }
    if !secured && authenticates.is_none() {
        return Ok(opened);
    }
    // The profile has a MAC wherever it has this mode: one without was tampered with.
    if mode == 7 && authenticates.is_none() {
        return Err(Error::Malformed { what: "mode 7 without an authentication code" });
    }
    let key = access.key.ok_or(Error::KeyMissing)?;
    let counter = afl.and_then(|afl| afl.counter);
    let opens = match secured {
        true => decipher(&mut opened, key, mode, encrypted, counter),
        false => Ok(()),
    };
    if let Some(afl) = authenticates {
        match (afl.verify(key, meter.id, authenticated), opens) {
            // The key opens it, so it is the message that was changed.
            (Err(Error::Mac), Ok(())) if secured => return Err(Error::Changed),
            (Err(Error::Mac), Err(error)) => return Err(error),
            (Err(error), _) => return Err(error),
            (Ok(()), _) => opened.counter = afl.counter,
        }
    } else {
        // A code covers the whole message; without one, what is not encrypted is anybody's.
        opened.clear = opened.payload.len().saturating_sub(encrypted);
    }
    opens.map(|()| opened)
}

fn decipher(
    opened: &mut Opened,
    key: &Key,
    mode: u8,
    encrypted: usize,
    counter: Option<u32>,
) -> Result<(), Error> {
    let have = opened.payload.len();
    let whole = encrypted.min(have / BLOCK * BLOCK);
    // Some meters leave out fillers at the end of the last block, which nobody can decipher then: the
    // blocks before it stand for themselves. With a MAC the message is not the one that it vouches for.
    if have + BLOCK <= encrypted || whole == 0 || (whole < encrypted && mode == 7) {
        return Err(Error::Truncated { need: encrypted - have });
    }
    opened.lost = if whole < encrypted { have - whole } else { 0 };
    let data = opened.payload.get_mut(..whole).unwrap_or_default();
    if mode == 7 {
        let counter = counter.ok_or(Error::Malformed { what: "mode 7 without a message counter" })?;
        key.derive(Purpose::Encryption, counter, opened.meter.id).cbc_decrypt([0; BLOCK], data);
        opened.security = Security::Mode7;
    } else {
        let access = opened.header.map_or(0, |header| header.access);
        key.cbc_decrypt(initial(&opened.meter, access), data);
        opened.security = Security::Mode5;
    }
    if data.starts_with(&CHECK) { Ok(()) } else { Err(Error::WrongKey) }
}

/// The initial vector of mode 5: the meter's address and eight times the access number.
pub(super) fn initial(meter: &Address, access: u8) -> [u8; BLOCK] {
    let mut iv = [access; BLOCK];
    for (place, byte) in iv.iter_mut().zip(meter.to_radio()) {
        *place = byte;
    }
    iv
}

const fn name(ci: u8) -> &'static str {
    match ci {
        0x6E..=0x70 => "an error of the application",
        0x71 | 0x74 | 0x75 => "alarms",
        0x72 => "variable data, long header",
        0x73 => "compact frame, long header",
        0x78 => "variable data, no header",
        0x79 => "compact frame, no header",
        0x7A => "variable data, short header",
        0x7B => "compact frame, short header",
        0xA0..=0xB7 => "the manufacturer's own format",
        _ => "a format that is not read",
    }
}
