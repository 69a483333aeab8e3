// SPDX-License-Identifier: MIT OR Apache-2.0
//! The protocols that are known, each with how its frames are found and its decoder.

use gasd_meters::cjt188::{self, Profile};
use gasd_meters::lorawan::{Radio, payload};
use gasd_meters::nbiot::Path;
use gasd_meters::scan::Probe;
use gasd_meters::wmbus::{Access, Format, Received, Receiver, Security, Telegram, link_layer_length};
use gasd_meters::{Error, Explanation, Reading, dlt645, hart, mbus, modbus};

use super::find::{Found, Frame};
use super::keys::Keys;
use super::reject::Rejected;
use super::{coap, lorawan};
use crate::fail::Failure;

/// What is known beside the bytes.
pub struct Options {
    /// How the meter's maker bends CJ/T 188.
    pub profile: &'static Profile,
    /// What may be opened.
    pub keys: Keys,
    /// Whose payloads a LoRaWAN device sends.
    pub payload: Option<&'static payload::Profile>,
    /// What enters the MIC of LoRaWAN 1.1 besides the frame.
    pub radio: Radio,
    /// What a CoAP answer is about.
    pub path: Option<Path>,
}

/// What a frame means.
#[derive(Clone, Debug, Default)]
pub struct Meaning {
    /// In a few words.
    pub words: String,
    /// What the meter says, where it is an answer with data; several where it says it of several times.
    pub readings: Vec<Reading>,
    /// The meter refused, and how.
    pub refusal: Option<Error>,
}

impl Meaning {
    pub fn of(words: impl Into<String>) -> Meaning {
        Meaning { words: words.into(), ..Meaning::default() }
    }

    fn reading(words: impl Into<String>, reading: Reading) -> Meaning {
        Meaning { readings: vec![reading], ..Meaning::of(words) }
    }

    fn refusal(refusal: Error) -> Meaning {
        Meaning { words: refusal.to_string(), refusal: Some(refusal), ..Meaning::default() }
    }
}

/// A protocol.
pub struct Codec {
    /// As `--protocol` names it.
    pub name: &'static str,
    /// As people do.
    pub title: &'static str,
    /// Whether it is looked for among other bytes without being named: its checks leave no doubt whose a frame is.
    pub sure: bool,
    /// How its frames are found.
    pub how: How,
}

/// Decodes one frame.
type Decode = fn(&[u8], &Options, &mut Explanation) -> Result<Meaning, Error>;

/// Finds what all bytes are; the last says whether the protocol was named.
pub type Whole = fn(&'static Codec, &[u8], &Options, bool) -> Found;

/// How the frames of a protocol are found.
pub enum How {
    /// They tell where they begin and end.
    Stream(fn(&[u8]) -> Probe, Decode),
    /// All bytes are one, and it is taken only where there is no doubt: looked at before the others.
    Sealed(Whole),
    /// All bytes are one: looked at where no other protocol has frames in them.
    Whole(Whole),
}

/// All of them; where two would take a frame the first one does.
pub static CODECS: [Codec; 8] = [
    Codec { name: "mbus", title: "M-Bus", sure: true, how: How::Stream(mbus::probe, mbus) },
    Codec { name: "dlt645", title: "DL/T 645", sure: true, how: How::Stream(dlt645::probe, dlt645) },
    Codec { name: "cjt188", title: "CJ/T 188", sure: true, how: How::Stream(cjt188::probe, cjt188) },
    Codec { name: "hart", title: "HART", sure: true, how: How::Stream(hart::probe, hart) },
    Codec { name: "modbus", title: "Modbus RTU", sure: false, how: How::Stream(modbus::probe, modbus) },
    Codec { name: "wmbus", title: "wireless M-Bus", sure: true, how: How::Whole(wireless) },
    Codec { name: "lorawan", title: "LoRaWAN", sure: true, how: How::Sealed(lorawan::frames) },
    Codec { name: "coap", title: "CoAP", sure: false, how: How::Whole(coap::frames) },
];

/// Those that a name means; without one those that the keys are of, or that leave no doubt.
///
/// # Errors
/// [`Failure::Usage`] names those that there are.
pub fn chosen(name: Option<&str>, keys: &Keys) -> Result<Vec<&'static Codec>, Failure> {
    let Some(name) = name else {
        let of_keys = keys.protocols();
        let wanted = |codec: &&Codec| {
            if of_keys.is_empty() { codec.sure } else { of_keys.contains(&codec.name) }
        };
        return Ok(CODECS.iter().filter(wanted).collect());
    };
    let found: Vec<&Codec> = CODECS.iter().filter(|codec| codec.name.eq_ignore_ascii_case(name)).collect();
    if found.is_empty() {
        let known: Vec<&str> = CODECS.iter().map(|codec| codec.name).collect();
        return Err(Failure::Usage(format!(
            "no protocol is called \"{name}\"; there is: {}",
            known.join(", ")
        )));
    }
    Ok(found)
}

/// The profile that a name means; the standard without one.
///
/// # Errors
/// [`Failure::Usage`] names those that there are.
pub fn profile(name: Option<&str>) -> Result<&'static Profile, Failure> {
    let Some(name) = name else { return Ok(&Profile::STANDARD) };
    Profile::named(name).ok_or_else(|| {
        let known: Vec<&str> = cjt188::PROFILES.iter().map(|profile| profile.name).collect();
        Failure::Usage(format!("no profile is called \"{name}\"; there is: {}", known.join(", ")))
    })
}

/// The payloads that a name means.
///
/// # Errors
/// [`Failure::Usage`] names those that there are.
pub fn payload(name: Option<&str>) -> Result<Option<&'static payload::Profile>, Failure> {
    let Some(name) = name else { return Ok(None) };
    payload::Profile::named(name).map(Some).ok_or_else(|| {
        let known: Vec<&str> = payload::PROFILES.iter().map(|profile| profile.name).collect();
        Failure::Usage(format!("no payload is called \"{name}\"; there is: {}", known.join(", ")))
    })
}

fn dlt645(bytes: &[u8], _: &Options, trace: &mut Explanation) -> Result<Meaning, Error> {
    use dlt645::Message;
    let frame = dlt645::Frame::parse(bytes)?;
    let meaning = match dlt645::decode(&frame, None, trace)? {
        Message::Data(data) => Meaning::reading("answers with data", data.reading),
        refused @ Message::Refused(..) => match refused.into_reading() {
            Err(error) => Meaning::refusal(error),
            Ok(reading) => Meaning::reading("answers with data", reading),
        },
        Message::Read(..) => Meaning::of("asks for data"),
        Message::ReadNext(..) => Meaning::of("asks for the next part"),
        Message::ReadAgain => Meaning::of("asks for the last answer again"),
        Message::ReadAddress => Meaning::of("asks for the address"),
        Message::Write(..) => Meaning::of("writes data"),
        Message::WriteAddress(address) => Meaning::of(format!("gives the address {address}")),
        Message::WriteClock(_) => Meaning::of("sets the clock"),
        Message::Baud(code) => Meaning::of(format!("sets the speed, code {code:02X}")),
        Message::Switch(code, _) => Meaning::of(format!("switches, command {code:02X}")),
        Message::Request(function, _) => Meaning::of(format!("asks for function {function:02X}")),
        Message::Address(address) => Meaning::of(format!("answers with its address {address}")),
        Message::Done(function, _) => Meaning::of(format!("answers that function {function:02X} is done")),
    };
    Ok(meaning)
}

fn cjt188(bytes: &[u8], options: &Options, trace: &mut Explanation) -> Result<Meaning, Error> {
    use cjt188::Message;
    let frame = cjt188::Frame::parse(bytes)?;
    let meaning = match cjt188::decode(&frame, options.profile, None, trace)?.message {
        Message::Data(reading) if reading.more => {
            Meaning::reading("answers with data, and says that more follows", reading)
        }
        Message::Data(reading) => Meaning::reading("answers with data", reading),
        Message::Refused(status) => {
            Meaning::refusal(Error::DeviceError { code: status.word, what: "its status says why" })
        }
        Message::Read => Meaning::of("asks for data"),
        Message::ReadAddress => Meaning::of("asks for the address"),
        Message::Valve(0x55) => Meaning::of("opens the valve"),
        Message::Valve(0x99) => Meaning::of("closes the valve"),
        Message::Valve(code) => Meaning::of(format!("moves the valve, command {code:02X}")),
        Message::WriteAddress(address) => Meaning::of(format!("gives the address {address}")),
        Message::WriteBase(_) => Meaning::of("sets what the register begins with"),
        Message::WriteClock(_) => Meaning::of("sets the clock"),
        Message::Request(_) => Meaning::of("another request"),
        Message::Address(address) => Meaning::of(format!("answers with its address {address}")),
        Message::Done(..) => Meaning::of("answers that it is done"),
    };
    Ok(meaning)
}

fn mbus(bytes: &[u8], options: &Options, trace: &mut Explanation) -> Result<Meaning, Error> {
    use mbus::Message;
    let frame = mbus::Frame::parse(bytes)?;
    let mut plain = Explanation::default();
    let decoded = mbus::decode(&frame, &mut plain);
    // The authentication layer comes first where there is one.
    let is_sealed = matches!(decoded, Err(Error::KeyMissing) | Ok(Message::Other(0x90, _)));
    if is_sealed {
        let access = Access { key: options.keys.meter.as_ref(), plain: true };
        let received = Receiver::default().receive_wired(0, &frame, mbus::Address::ANY, &access, trace)?;
        return Ok(secured("answers with data", received));
    }
    *trace = plain;
    let meaning = match decoded? {
        Message::Data(_, reading) => Meaning::reading("answers with data", reading),
        Message::Refused(code) => {
            Meaning::refusal(Error::DeviceError { code: code.into(), what: mbus::refusal(code) })
        }
        Message::Ack => Meaning::of("acknowledges"),
        Message::Reset => Meaning::of("resets the link"),
        Message::RequestAlarm => Meaning::of("asks for alarms"),
        Message::RequestData => Meaning::of("asks for data"),
        Message::Select(_) => Meaning::of("selects meters by their address"),
        Message::SetSpeed(baud) => Meaning::of(format!("sets the speed, {baud} baud")),
        Message::ResetApplication(_) => Meaning::of("resets the application"),
        Message::Send(_) => Meaning::of("sends records to the meter"),
        Message::Alarm(_) => Meaning::of("answers with alarms"),
        Message::Other(ci, _) => Meaning::of(format!("data of another format, CI {ci:02X}")),
    };
    Ok(meaning)
}

/// Whether a frame of a protocol that nobody named may begin `at`. Eight bits of check are too few where any noise has
/// HART's delimiters in it: its preamble must be there.
pub fn may_begin(codec: &Codec, bytes: &[u8], at: usize) -> bool {
    if codec.name != "hart" {
        return true;
    }
    let is_ff = |at: Option<usize>| at.and_then(|at| bytes.get(at)) == Some(&0xFF);
    match bytes.get(at) {
        Some(0xFF) => is_ff(at.checked_sub(1)) || is_ff(at.checked_add(1)),
        _ => is_ff(at.checked_sub(1)) && is_ff(at.checked_sub(2)),
    }
}

/// Bytes that would be one frame of Modbus, but for its CRC.
pub fn nearly(codec: &'static Codec, bytes: &[u8], error: Error) -> Option<Rejected> {
    match error {
        Error::Checksum { got, want } if got == want.swap_bytes() => {
            let what = "its CRC has its two bytes swapped, the low one comes first";
            Some(Rejected::whole(codec, bytes, Error::Malformed { what }, 6))
        }
        // Four bytes have little more than a function in them.
        _ if bytes.len() > 4 => Some(Rejected::whole(codec, bytes, error, 3)),
        _ => None,
    }
}

/// A telegram of wireless M-Bus is all of the input.
fn wireless(codec: &'static Codec, bytes: &[u8], options: &Options, named: bool) -> Found {
    let mut found = Found { length: bytes.len(), ..Found::default() };
    let mut explanation = Explanation::default();
    let meaning = wmbus(bytes, options, &mut explanation);
    let telegram = Telegram::parse(bytes, None);
    // That it is none at all says nothing where it is only guessed at; what is wrong inside does.
    let sure = telegram.as_ref().is_ok_and(|telegram| is_sure(telegram, bytes.len()));
    if named || (sure && (meaning.is_ok() || !explanation.0.is_empty())) {
        found.frames.push(Frame::new(codec, bytes, explanation, meaning));
    } else if let Err(error) = telegram
        && let Some(weight) = weight(bytes, &error)
    {
        found.rejected.push(Rejected::whole(codec, bytes, error, weight));
    }
    found
}

/// Whether a telegram is one beyond chance: by its CRCs, or by its length and what a meter sends.
fn is_sure(telegram: &Telegram, length: usize) -> bool {
    let sent = matches!(telegram.control & 0x4F, 0x44 | 0x46 | 0x47 | 0x48 | 0x40 | 0x08 | 0x00);
    telegram.format != Format::Plain || (sent && telegram.bytes.len() == length)
}

/// How much speaks for a telegram that is damaged: a CRC that fits, or its length alone.
fn weight(bytes: &[u8], error: &Error) -> Option<u8> {
    let length = bytes.first().map_or(0, |length| usize::from(*length));
    match error {
        Error::CrcDll { block: 0, .. } => Some(3),
        Error::CrcDll { .. } => Some(6),
        // More than a telegram without CRCs lacks: the CRC of the first block is there and fits.
        Error::Truncated { need } if need + bytes.len() > 1 + length => Some(6),
        _ => None,
    }
}

fn wmbus(bytes: &[u8], options: &Options, trace: &mut Explanation) -> Result<Meaning, Error> {
    let telegram = Telegram::parse(bytes, None)?;
    let access = Access { key: options.keys.meter.as_ref(), plain: true };
    let received = Receiver::default().receive(0, &telegram, &access, trace);
    if has_no_data(telegram.body().rest()) {
        return Ok(Meaning::of(
            "a telegram without data: its meter says that it is there, or may be asked now",
        ));
    }
    Ok(secured("a telegram with data", received?))
}

/// Whether nothing stands behind the extended link layer, where there is one.
fn has_no_data(body: &[u8]) -> bool {
    body.first().is_none_or(|ci| link_layer_length(*ci) == Some(body.len()))
}

/// What a message of M-Bus means that may be encrypted.
fn secured(words: &str, received: Received) -> Meaning {
    match received {
        Received::New(content) => {
            let security = match content.security {
                Security::None => "not encrypted",
                Security::LinkLayer => "encrypted by its link layer",
                Security::Mode5 => "encrypted, mode 5",
                Security::Mode7 => "encrypted and authenticated, mode 7",
            };
            Meaning::reading(format!("{words}, {security}"), content.reading)
        }
        Received::Duplicate => Meaning::of("a telegram that came before"),
        Received::Part => Meaning::of("a part of a message whose others are missing"),
    }
}

fn hart(bytes: &[u8], _: &Options, trace: &mut Explanation) -> Result<Meaning, Error> {
    use hart::Message;
    let frame = hart::Frame::parse(bytes)?;
    let meaning = match hart::decode(&frame, trace)?.message {
        Message::Data(reading) => Meaning::reading("answers with data", reading),
        Message::Refused(error) => Meaning::refusal(error),
        Message::Request(_) => Meaning::of("a request"),
        Message::Identity(_) => Meaning::of("says who it is"),
        Message::Tag { .. } => Meaning::of("says its tag"),
        Message::Text(text) => Meaning::of(format!("says {text:?}")),
        Message::Changes(_) => Meaning::of("counts its changes"),
        Message::MoreStatus(_) => Meaning::of("says more of its status"),
        Message::Done(_) => Meaning::of("answers that it is done"),
    };
    Ok(meaning)
}

/// What a request and an answer are looks alike: the answer is tried first.
fn modbus(bytes: &[u8], _: &Options, trace: &mut Explanation) -> Result<Meaning, Error> {
    let frame = modbus::Frame::parse(bytes)?;
    let mut asked = Explanation::default();
    match modbus::decode_answer(&frame, trace).map(modbus::Answer::or_refusal) {
        Ok(Ok(_)) => Ok(Meaning::of("an answer; what its registers mean is a map's to say")),
        Ok(Err(refusal)) => Ok(Meaning::refusal(refusal)),
        Err(why) => {
            modbus::decode_request(&frame, &mut asked).map_err(|_| why)?;
            *trace = asked;
            Ok(Meaning::of("a request"))
        }
    }
}
