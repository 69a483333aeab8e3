// SPDX-License-Identifier: MIT OR Apache-2.0
//! The frames in bytes, whatever else is there. What is no frame is passed by one byte, so that a false header hides
//! none.

use gasd_meters::scan::Probe;
use gasd_meters::{Error, Explanation};

use super::codec::{Codec, How, Meaning, Options};
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

/// Something that begins as a frame and is none.
pub struct Rejected {
    /// Whose it would be.
    pub codec: &'static Codec,
    /// Where it begins.
    pub at: usize,
    /// What is wrong.
    pub error: Error,
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
}

impl Found {
    /// Why not all could be read, for the exit status.
    pub fn failure(&self) -> Option<Failure> {
        let unread = self.frames.iter().filter(|frame| frame.meaning.is_err()).count();
        if self.frames.is_empty() {
            let why = self.rejected.first().map_or(Error::NoFrame { garbage: self.length }, |it| it.error);
            return Some(Failure::Undecoded(why.to_string()));
        }
        (unread > 0).then(|| {
            let all = self.frames.len();
            Failure::Undecoded(format!("{unread} of {all} frames could not be read"))
        })
    }
}

/// Finds all frames of these protocols; `named` says that there is no other whose they could be.
pub fn all(bytes: &[u8], codecs: &[&'static Codec], options: &Options, named: bool) -> Found {
    let sealed = codecs.iter().filter_map(|codec| match codec.how {
        How::Sealed(whole) => Some(whole(codec, bytes, options, named)),
        _ => None,
    });
    let streams = std::iter::once_with(|| streams(bytes, codecs, options));
    let whole = codecs.iter().filter_map(|codec| match codec.how {
        How::Whole(whole) => Some(whole(codec, bytes, options, named)),
        _ => None,
    });
    let mut none = None;
    for found in sealed.chain(streams).chain(whole) {
        if !found.frames.is_empty() {
            return found;
        }
        // Only the streams have something to say of what is no frame.
        none = none.filter(|kept: &Found| !kept.rejected.is_empty()).or(Some(found));
    }
    none.unwrap_or_default()
}

/// The frames of protocols that tell where they begin and end.
pub fn streams(bytes: &[u8], codecs: &[&'static Codec], options: &Options) -> Found {
    let mut found = Found { length: bytes.len(), ..Found::default() };
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        match first(rest, codecs) {
            Some((codec, Probe::Frame(len))) => {
                let frame = &rest[..len];
                let mut explanation = Explanation::default();
                let meaning = decode(codec, frame, options, &mut explanation);
                found.frames.push(Frame { at, ..Frame::new(codec, frame, explanation, meaning) });
                at += len;
                continue;
            }
            Some((codec, Probe::Bad { error, .. })) => found.rejected.push(Rejected { codec, at, error }),
            Some((codec, Probe::Need(n))) => {
                let error = Error::Truncated { need: n - rest.len() };
                found.rejected.push(Rejected { codec, at, error });
            }
            Some((_, Probe::Wake)) => {
                at += 1;
                continue;
            }
            _ => {}
        }
        found.garbage += 1;
        at += 1;
    }
    found.rejected.retain(|it| {
        !found.frames.iter().any(|frame| (frame.at..frame.at + frame.bytes.len()).contains(&it.at))
    });
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

/// What the protocols say of a beginning: a frame of one, else what is wrong with the one that comes furthest.
fn first(rest: &[u8], codecs: &[&'static Codec]) -> Option<(&'static Codec, Probe)> {
    let said = codecs.iter().filter_map(|codec| match codec.how {
        How::Stream(probe, _) => Some((*codec, probe(rest))),
        How::Sealed(_) | How::Whole(_) => None,
    });
    let rank = |probe: &Probe| match probe {
        Probe::Frame(len) if *len > 0 && *len <= rest.len() => 4,
        Probe::Bad { .. } => 3,
        Probe::Need(n) if *n > rest.len() => 2,
        Probe::Wake => 1,
        _ => 0,
    };
    // Of equals the first.
    let said: Vec<_> = said.collect();
    said.into_iter().rev().max_by_key(|(_, probe)| rank(probe)).filter(|(_, probe)| rank(probe) > 0)
}
