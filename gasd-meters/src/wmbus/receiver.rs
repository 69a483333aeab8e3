// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a receiver of telegrams knows and does: pure, its clock an argument, its memory to be kept.

use alloc::vec::Vec;

use super::Access;
use super::afl;
use super::compact::Formats;
use super::ell;
use super::fragments::Fragments;
use super::open::{Opened, Security, open};
use super::replay::{Replay, Seen};
use super::telegram::Telegram;
use crate::bcd;
use crate::bytes::{Cursor, hash};
use crate::crc;
use crate::error::Error;
use crate::fault::Fault;
use crate::hex::Hex;
use crate::kind::{Kind, Register};
use crate::mbus::{Address, Frame, Header, medium, payload, refusal};
use crate::reading::{Field, Reading, Value};
use crate::trace::Trace;

/// A telegram without an authenticated counter of a meter that has sent such with the same key.
pub(crate) const WEAKER: Error = Error::Malformed {
    what: "it is protected by mode 5 or the link layer, which others can alter, and this meter has sent mode 7 with the same \
           key; if it was set so, give it a new key, or configure it under another id",
};

/// What is known of the telegrams before this one.
///
/// `formats` and `replay` are to be kept over a restart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Receiver {
    /// Formats of compact frames.
    pub formats: Formats,
    /// What every meter said last.
    pub replay: Replay,
    fragments: Fragments,
}

/// What a telegram brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// A new reading.
    New(Content),
    /// The same as before, from a repeater.
    Duplicate,
    /// A part of a message whose others are to come.
    Part,
}

/// A reading and how it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// Whose reading it is; not the sender, where a radio speaks for the meter.
    pub meter: Address,
    /// The header of the transport layer, where there is one.
    pub header: Option<Header>,
    /// Counts the transmissions, modulo 256.
    pub access: u8,
    /// How it was protected. Where a key is configured and this is [`Security::None`], anybody may have sent it.
    pub security: Security,
    /// The message counter, where a MAC that fits vouches for it and all else.
    pub counter: Option<u32>,
    /// Whether the format of compact frames that it shows is new, and the formats worth to be kept.
    pub learnt: bool,
    /// What it says. Fields that nothing protects are in doubt ([`Fault::Unprotected`]): whoever forwards a telegram can
    /// write them.
    pub reading: Reading,
}

impl Receiver {
    /// A receiver that remembers what was kept.
    #[must_use]
    pub fn restore(formats: Formats, replay: Replay) -> Self {
        Self { formats, replay, fragments: Fragments::default() }
    }

    /// Opens a telegram that came at `now_s` (s of a clock that goes on over a restart).
    ///
    /// Positions in `trace` are those of [`Telegram::bytes`].
    ///
    /// # Errors
    ///
    /// Any of [`Error`]; nothing of the telegram comes out then.
    pub fn receive(
        &mut self,
        now_s: u64,
        telegram: &Telegram,
        access: &Access<'_>,
        trace: &mut impl Trace,
    ) -> Result<Received, Error> {
        explain(telegram, trace);
        self.message(now_s, telegram.sender, telegram.body(), access, trace)
    }

    /// Opens what a wired meter answered, as OMS has it there: the same layers behind the CI field of a long frame.
    /// `meter` is who was asked, for answers whose header does not say; positions in `trace` are those of the frame.
    ///
    /// # Errors
    ///
    /// As [`Receiver::receive`].
    pub fn receive_wired(
        &mut self,
        now_s: u64,
        frame: &Frame<'_>,
        meter: Address,
        access: &Access<'_>,
        trace: &mut impl Trace,
    ) -> Result<Received, Error> {
        let Frame::Long(link, ci, data) = *frame else {
            return Err(Error::AnswerMismatch { what: "no data were asked for" });
        };
        let length = (data.len() + 3) as u8;
        trace.field(0, &[0x68, length, length, 0x68], format_args!("start"), format_args!("{length} bytes"));
        trace.field(4, &[link.control], format_args!("control"), format_args!("{:02X}", link.control));
        trace.field(5, &[link.address], format_args!("address"), format_args!("{}", link.address));
        let mut body = Vec::with_capacity(data.len() + 1);
        body.push(ci);
        body.extend(data);
        let result = self.message(now_s, meter, Cursor::inside(&body, 6), access, trace);
        let sum = crc::sum(&[link.control, link.address]).wrapping_add(crc::sum(&body));
        trace.field(6 + body.len(), &[sum], format_args!("checksum"), format_args!("right"));
        trace.field(7 + body.len(), &[0x16], format_args!("end"), format_args!("16"));
        match result {
            // With another address no key is right.
            Err(Error::WrongKey | Error::Mac | Error::Changed)
                if meter.is_wildcard() && !has_meter(&body) =>
            {
                Err(Error::Malformed {
                    what: "an encrypted answer that does not say whose it is: its full secondary address is needed",
                })
            }
            result => result,
        }
    }

    fn message(
        &mut self,
        now_s: u64,
        sender: Address,
        body: Cursor<'_>,
        access: &Access<'_>,
        trace: &mut impl Trace,
    ) -> Result<Received, Error> {
        let (opened_link, whole);
        let (mut body, mut link, mut layer) = (body, None, None);
        if body.rest().first().is_some_and(|&ci| ell::is(ci)) {
            let (layer, at, rest) = ell::take(&mut body, &sender, access, trace)?;
            link = Some(layer);
            opened_link = rest;
            body = Cursor::inside(&opened_link, at);
        }
        if body.rest().first() == Some(&afl::CI) {
            let part = afl::take(&mut body, trace)?;
            let at = body.at();
            let Some((joined, bytes)) = self.fragments.push(now_s, sender, part, body.take_rest())? else {
                return Ok(Received::Part);
            };
            layer = Some(joined);
            whole = bytes;
            body = Cursor::inside(&whole, at);
        }
        let hash = hash(body.rest());
        let mut opened = open(&mut body, sender, layer.as_ref(), access, trace)?;
        if link.is_some_and(|link| link.encrypted) && opened.security == Security::None {
            opened.security = Security::LinkLayer;
        }
        if link.is_some_and(|link| link.encrypted) {
            opened.clear = 0;
        }
        if opened.security != Security::None && opened.counter.is_none() && self.replay.counts(&opened.meter)
        {
            return Err(WEAKER);
        }
        let number = match (opened.header, link) {
            (Some(header), _) => header.access,
            (None, Some(link)) => link.access,
            (None, None) => 0,
        };
        let seen = Seen { meter: opened.meter, access: number, hash, at_s: now_s, counter: opened.counter };
        if !self.replay.check(&seen)? {
            return Ok(Received::Duplicate);
        }
        let read = self.read(&opened, trace)?;
        self.replay.note(seen);
        let learnt = read.full.is_some_and(|full| self.formats.learn(&opened.meter, full));
        let mut reading = read.reading;
        if opened.meter != sender {
            reading.meter.radio_id = Some(bcd::text(&sender.id));
        }
        Ok(Received::New(Content {
            meter: opened.meter,
            header: opened.header,
            access: number,
            security: opened.security,
            counter: opened.counter,
            learnt,
            reading,
        }))
    }

    fn read<'a>(&mut self, opened: &'a Opened, trace: &mut impl Trace) -> Result<Read<'a>, Error> {
        let medium = medium(opened.meter.medium);
        let mut cursor = Cursor::inside(&opened.payload, opened.at);
        let mut reading = Reading::default();
        if let Some(header) = &opened.header {
            header.tell(&mut reading);
        }
        reading.meter = opened.meter.identity();
        let mut full = None;
        match opened.ci {
            0x72 | 0x7A if opened.lost > 0 => {
                reading.fields = payload::read_front(&mut cursor, opened.lost, medium, trace);
            }
            0x72 | 0x78 | 0x7A => {
                (reading.fields, reading.more) = payload::read(&mut cursor, medium, trace)?;
                full = Some(&opened.payload[..]);
            }
            0x73 | 0x79 | 0x7B => {
                let (at, compact) = (cursor.at(), cursor.rest());
                let expanded = self.formats.expand(&opened.meter, &mut cursor)?;
                (reading.fields, reading.more) = payload::read(&mut Cursor::new(&expanded), medium, &mut ())?;
                let n = reading.fields.len();
                trace.field(at, compact, format_args!("compact data"), format_args!("{n} fields"));
            }
            0x6E..=0x70 => {
                let code = cursor.rest().first().copied().unwrap_or_default();
                return Err(Error::DeviceError { code: code.into(), what: refusal(code) });
            }
            0x71 | 0x74 | 0x75 => {
                reading.fields = raw(Kind::Status, "alarms", &mut cursor, trace);
            }
            0xA0..=0xB7 => {
                reading.fields = raw(Kind::ManufacturerData, "manufacturer's data", &mut cursor, trace);
            }
            ci => return Err(Error::UnsupportedMode { mode: ci }),
        }
        if opened.clear > 0 {
            let protected = match full {
                Some(payload) => payload::whole_before(payload, payload.len() - opened.clear),
                // What the bytes of any other format mean is said by all of them.
                None => 0,
            };
            for field in reading.fields.iter_mut().skip(protected) {
                field.doubt = Some(Fault::Unprotected);
            }
            // Nor does a format count that anybody may have made up.
            full = None;
        }
        Ok(Read { reading, full })
    }
}

struct Read<'a> {
    reading: Reading,
    /// The payload of a full frame, which shows a format.
    full: Option<&'a [u8]>,
}

/// Whether a message says whose it is, behind its authentication layer.
fn has_meter(message: &[u8]) -> bool {
    match *message {
        [afl::CI, length, ref rest @ ..] => rest.get(usize::from(length)) == Some(&0x72),
        [ci, ..] => ci == 0x72,
        [] => false,
    }
}

fn raw(kind: Kind, name: &str, cursor: &mut Cursor<'_>, trace: &mut impl Trace) -> Vec<Field> {
    let (at, rest) = (cursor.at(), cursor.take_rest());
    if rest.is_empty() {
        return Vec::new();
    }
    trace.field(at, rest, format_args!("{name}"), format_args!("{}", Hex(rest)));
    [Field::new(kind, Register::default(), Value::Raw(rest.into()))].into()
}

fn explain(telegram: &Telegram, trace: &mut impl Trace) {
    let Some(&[length, control]) = telegram.bytes.first_chunk() else { return };
    trace.field(0, &[length], format_args!("length"), format_args!("{length} bytes"));
    let what = match control & 0x4F {
        0x44 => "sends (SND_NR)",
        0x46 => "asks to be installed (SND_IR)",
        0x47 => "may be asked now (ACC_NR or ACC_DMD)",
        0x48 => "may be asked now (ACC_NR or ACC_DMD)",
        0x08 => "answers (RSP_UD)",
        _ => "another function",
    };
    trace.field(1, &[control], format_args!("control"), format_args!("{what}"));
    let sender = &telegram.sender;
    trace.field(2, &sender.to_radio(), format_args!("sender"), format_args!("{sender}"));
}
