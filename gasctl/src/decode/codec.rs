// SPDX-License-Identifier: MIT OR Apache-2.0
//! The protocols that are known, each with its probe and its decoder.

use gasd_meters::cjt188::{self, Profile};
use gasd_meters::scan::Probe;
use gasd_meters::{Error, Explanation, Reading, dlt645};

use crate::fail::Failure;

/// What is known beside the bytes.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How the meter's maker bends CJ/T 188.
    pub profile: &'static Profile,
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
    /// Finds its frames.
    pub probe: fn(&[u8]) -> Probe,
    /// Decodes one frame.
    pub decode: fn(&[u8], &Options, &mut Explanation) -> Result<Meaning, Error>,
}

/// All of them; where two would take a frame the first one does.
pub static CODECS: [Codec; 2] = [
    Codec { name: "dlt645", title: "DL/T 645", probe: dlt645::probe, decode: dlt645 },
    Codec { name: "cjt188", title: "CJ/T 188", probe: cjt188::probe, decode: cjt188 },
];

/// Those that a name means; all without one.
///
/// # Errors
/// [`Failure::Usage`] names those that there are.
pub fn chosen(name: Option<&str>) -> Result<Vec<&'static Codec>, Failure> {
    let Some(name) = name else { return Ok(CODECS.iter().collect()) };
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
        Message::Done(_) => Meaning::of("answers that it is done"),
    };
    Ok(meaning)
}
