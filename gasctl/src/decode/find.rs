// SPDX-License-Identifier: MIT OR Apache-2.0
//! The frames in bytes, whatever else is there. What is no frame is passed by one byte, so that a false header hides
//! none.

use gasd_meters::scan::Probe;
use gasd_meters::{Error, Explanation, mbus};

use super::codec::{self, CODECS, Codec, How, Meaning, Options, Whole};
use super::reject::{Rejected, beyond_noise, likely, outside_of_others};
use crate::fail::Failure;

/// A frame, whole and checked.
pub struct Frame {
    /// Whose it is.
    pub codec: &'static Codec,
    /// Where it begins.
    pub at: usize,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Field by field.
    pub explanation: Explanation,
    /// What it means, or why nobody knows.
    pub meaning: Result<Meaning, Error>,
    /// Where it comes from, when it is no part of the input as it stands there.
    pub source: Option<String>,
}

impl Frame {
    /// A frame that is all of the input.
    pub fn new(
        codec: &'static Codec,
        bytes: &[u8],
        explanation: Explanation,
        meaning: Result<Meaning, Error>,
    ) -> Frame {
        Frame { codec, at: 0, bytes: bytes.to_vec(), explanation, meaning, source: None }
    }
}

/// What is in the bytes.
#[derive(Default)]
pub struct Found {
    /// The frames, in their order.
    pub frames: Vec<Frame>,
    /// What is none, outside of frames.
    pub rejected: Vec<Rejected>,
    /// Bytes that are of no frame, but for those that wake a meter.
    pub garbage: usize,
    /// All bytes.
    pub length: usize,
    /// Nobody said whose they are.
    pub guessed: bool,
}

impl Found {
    /// Why not all could be read, for the exit status.
    pub fn failure(&self) -> Option<Failure> {
        let unread = self.frames.iter().filter(|frame| frame.meaning.is_err()).count() + self.rejected.len();
        if self.frames.is_empty() {
            return Some(Failure::Undecoded(self.why_none()));
        }
        (unread > 0).then(|| {
            let all = self.frames.len() + self.rejected.len();
            Failure::Undecoded(format!("{unread} of {all} frames could not be read"))
        })
    }
}

impl Found {
    /// Why there is no frame.
    fn why_none(&self) -> String {
        let likely = likely(&self.rejected, self.length);
        match likely.or_else(|| self.rejected.first().filter(|_| !self.guessed)) {
            Some(Rejected { error, .. }) if !self.guessed => error.to_string(),
            Some(Rejected { codec, error, .. }) => {
                let (title, name) = (codec.title, codec.name);
                format!("most likely {title}: {error}; `--protocol {name}` takes it for nothing else")
            }
            None if self.guessed => format!(
                "{}; what is never guessed is read with --protocol NAME: HART without its preamble, Modbus among other \
                 bytes, LoRaWAN, CoAP",
                Error::NoFrame { garbage: self.length }
            ),
            None => Error::NoFrame { garbage: self.length }.to_string(),
        }
    }
}

/// Finds all frames of these protocols; `named` says that there is no other whose they could be.
pub fn all(bytes: &[u8], codecs: &[&'static Codec], options: &Options, named: bool) -> Found {
    let mut none = Found { length: bytes.len(), guessed: !named, ..Found::default() };
    let whole = |want: fn(&How) -> Option<Whole>| {
        codecs.iter().filter_map(move |codec| Some((*codec, want(&codec.how)?)))
    };
    let sealed = whole(|how| if let How::Sealed(whole) = how { Some(*whole) } else { None });
    for (codec, sealed) in sealed {
        let found = sealed(codec, bytes, options, named);
        if !found.frames.is_empty() {
            return found;
        }
    }
    let mut found = streams(bytes, codecs, options, named);
    if !found.frames.is_empty() {
        beyond_noise(&mut found.rejected, found.frames.iter().map(|frame| frame.at));
        return found;
    }
    if !named {
        beyond_noise(&mut found.rejected, std::iter::empty());
    }
    none.garbage = found.garbage;
    none.rejected.append(&mut found.rejected);
    let any = !named && codecs.iter().any(|codec| codec.name == "hart");
    if any && let Some(found) = alone("modbus", bytes, usize::MAX, options, &mut none.rejected) {
        return found;
    }
    for (codec, whole) in whole(|how| if let How::Whole(whole) = how { Some(*whole) } else { None }) {
        let mut found = whole(codec, bytes, options, named);
        if !found.frames.is_empty() {
            return found;
        }
        none.rejected.append(&mut found.rejected);
    }
    if any && let Some(found) = alone("hart", bytes, 1, options, &mut Vec::new()) {
        return found;
    }
    none
}

/// The frames of a protocol whose headers are weak, where the bytes are nothing but `most` of them.
fn alone(
    name: &str,
    bytes: &[u8],
    most: usize,
    options: &Options,
    rejected: &mut Vec<Rejected>,
) -> Option<Found> {
    let codec = CODECS.iter().find(|codec| codec.name == name)?;
    let How::Stream(probe, _) = codec.how else { return None };
    let mut at = bytes.iter().take_while(|byte| probe(&[**byte]) == Probe::Wake).count();
    for _ in 0..most {
        match probe(&bytes[at..]) {
            Probe::Frame(len) if len > 0 && len <= bytes.len() - at => at += len,
            Probe::Bad { len, error } if at == 0 && len == bytes.len() => {
                rejected.extend(codec::nearly(codec, bytes, error));
                return None;
            }
            _ => return None,
        }
        if at == bytes.len() {
            return Some(streams(bytes, &[codec], options, true));
        }
    }
    None
}

/// The frames of protocols that tell where they begin and end.
pub fn streams(bytes: &[u8], codecs: &[&'static Codec], options: &Options, named: bool) -> Found {
    let mut found = Found { length: bytes.len(), guessed: !named, ..Found::default() };
    // Where a frame is awaited.
    let mut place = 0;
    let mut at = 0;
    while at < bytes.len() {
        let (rest, in_place) = (&bytes[at..], at == place);
        let said = match acknowledgement(bytes, at, codecs, named, &found.frames) {
            Some(codec) if in_place => Some(Said::Frame(codec, 1)),
            _ => first(bytes, at, codecs, named, in_place),
        };
        match said {
            Some(Said::Frame(codec, len)) => {
                let frame = &rest[..len];
                let mut explanation = Explanation::default();
                let meaning = decode(codec, frame, options, &mut explanation);
                found.frames.push(Frame { at, ..Frame::new(codec, frame, explanation, meaning) });
                at += len;
                place = at;
                continue;
            }
            Some(Said::Bad(rejected)) => {
                if in_place && !matches!(rejected.error, Error::BadEnd { .. }) {
                    place = rejected.end;
                }
                found.rejected.push(rejected);
            }
            Some(Said::Wake) => {
                place += usize::from(in_place);
                at += 1;
                continue;
            }
            None => {}
        }
        found.garbage += 1;
        at += 1;
    }
    outside_of_others(&mut found.rejected);
    found
}

fn decode(
    codec: &Codec,
    frame: &[u8],
    options: &Options,
    explanation: &mut Explanation,
) -> Result<Meaning, Error> {
    match codec.how {
        How::Stream(_, decode) => decode(frame, options, explanation),
        How::Sealed(_) | How::Whole(_) => Err(Error::NoFrame { garbage: frame.len() }),
    }
}

/// M-Bus, where `at` stands its single character and one may be: all there is, behind a frame, or where nothing else speaks.
fn acknowledgement(
    bytes: &[u8],
    at: usize,
    codecs: &[&'static Codec],
    named: bool,
    before: &[Frame],
) -> Option<&'static Codec> {
    let codec = *codecs.iter().find(|codec| codec.name == "mbus")?;
    let alone = bytes.len() == 1 || (named && codecs.len() == 1);
    let behind = before.last().is_some_and(|frame| frame.codec.name == codec.name);
    (bytes.get(at) == Some(&mbus::ACK) && (alone || behind)).then_some(codec)
}

/// What is said of a beginning.
enum Said {
    Frame(&'static Codec, usize),
    Bad(Rejected),
    Wake,
}

/// What the protocols say of what begins `at`: a frame of one, else what is wrong with the one for which most speaks.
fn first(bytes: &[u8], at: usize, codecs: &[&'static Codec], named: bool, in_place: bool) -> Option<Said> {
    let rest = &bytes[at..];
    let said = codecs.iter().filter_map(|codec| match codec.how {
        How::Stream(probe, _) if named || codec::may_begin(codec, bytes, at) => match probe(rest) {
            Probe::Frame(len) if len > 0 && len <= rest.len() => Some(Said::Frame(codec, len)),
            Probe::Wake => Some(Said::Wake),
            said => Rejected::new(codec, at, rest, said, in_place).map(Said::Bad),
        },
        _ => None,
    });
    let rank = |said: &Said| match said {
        Said::Frame(..) => u8::MAX,
        Said::Bad(rejected) => 1 + rejected.weight,
        Said::Wake => 0,
    };
    // Of equals the first.
    let said: Vec<_> = said.collect();
    said.into_iter().rev().max_by_key(rank)
}
