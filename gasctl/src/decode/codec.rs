// SPDX-License-Identifier: MIT OR Apache-2.0
//! The protocols that are known, each with its probe and its decoder.

use gasd_meters::cjt188::{self, Profile};
use gasd_meters::scan::Probe;
use gasd_meters::wmbus::{Access, Key, Received, Receiver, Security, Telegram};
use gasd_meters::{Error, Explanation, Reading, dlt645, hart, mbus, modbus};

use crate::fail::Failure;

/// What is known beside the bytes.
pub struct Options {
    /// How the meter's maker bends CJ/T 188.
    pub profile: &'static Profile,
    /// The meter's key.
    pub key: Option<Key>,
}

/// What a frame means.
#[derive(Clone, Debug, Default)]
pub struct Meaning {
    /// In a few words.
    pub words: String,
    /// What the meter says, where it is an answer with data.
    pub reading: Option<Reading>,
    /// The meter refused, and how.
    pub refusal: Option<Error>,
}

impl Meaning {
    fn of(words: impl Into<String>) -> Meaning {
        Meaning { words: words.into(), ..Meaning::default() }
    }

    fn reading(words: impl Into<String>, reading: Reading) -> Meaning {
        Meaning { reading: Some(reading), ..Meaning::of(words) }
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
    /// Whether it is looked for without being named: its checks leave no doubt whose a frame is.
    pub sure: bool,
    /// Finds its frames; of a protocol whose frames do not tell where they end, nothing: all bytes are one.
    pub probe: Option<fn(&[u8]) -> Probe>,
    /// Decodes one frame.
    pub decode: fn(&[u8], &Options, &mut Explanation) -> Result<Meaning, Error>,
}

/// All of them; where two would take a frame the first one does.
pub static CODECS: [Codec; 6] = [
    Codec { name: "mbus", title: "M-Bus", sure: true, probe: Some(mbus::probe), decode: mbus },
    Codec { name: "dlt645", title: "DL/T 645", sure: true, probe: Some(dlt645::probe), decode: dlt645 },
    Codec { name: "cjt188", title: "CJ/T 188", sure: true, probe: Some(cjt188::probe), decode: cjt188 },
    Codec { name: "hart", title: "HART", sure: true, probe: Some(hart::probe), decode: hart },
    Codec { name: "modbus", title: "Modbus RTU", sure: false, probe: Some(modbus::probe), decode: modbus },
    Codec { name: "wmbus", title: "wireless M-Bus", sure: true, probe: None, decode: wmbus },
];

/// Those that a name means; those that leave no doubt without one.
///
/// # Errors
/// [`Failure::Usage`] names those that there are.
pub fn chosen(name: Option<&str>) -> Result<Vec<&'static Codec>, Failure> {
    let Some(name) = name else { return Ok(CODECS.iter().filter(|codec| codec.sure).collect()) };
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

fn mbus(bytes: &[u8], _: &Options, trace: &mut Explanation) -> Result<Meaning, Error> {
    use mbus::Message;
    let frame = mbus::Frame::parse(bytes)?;
    let meaning = match mbus::decode(&frame, trace)? {
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

fn wmbus(bytes: &[u8], options: &Options, trace: &mut Explanation) -> Result<Meaning, Error> {
    let telegram = Telegram::parse(bytes, None)?;
    let access = Access { key: options.key.as_ref(), plain: true };
    let meaning = match Receiver::default().receive(0, &telegram, &access, trace)? {
        Received::New(content) => {
            let security = match content.security {
                Security::None => "not encrypted",
                Security::LinkLayer => "encrypted by its link layer",
                Security::Mode5 => "encrypted, mode 5",
                Security::Mode7 => "encrypted and authenticated, mode 7",
            };
            Meaning::reading(format!("a telegram with data, {security}"), content.reading)
        }
        Received::Duplicate => Meaning::of("a telegram that came before"),
        Received::Part => Meaning::of("a part of a message whose others are missing"),
    };
    Ok(meaning)
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
