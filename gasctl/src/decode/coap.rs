// SPDX-License-Identifier: MIT OR Apache-2.0
//! A CoAP message of a meter on NB-IoT: header, options, content of LwM2M, and the meter's own frames in that.

use gasd_meters::nbiot::{Code, Content, Message, Path, Said, Type, explain_items, objects, option, say};
use gasd_meters::trace::Within;
use gasd_meters::{Error, Explanation};

use super::codec::{self, Codec, Meaning, Options};
use super::find::{self, Found, Frame};
use super::reject::Rejected;

/// The protocols of meters that object 19 carries.
const CARRIED: [&str; 3] = ["cjt188", "dlt645", "mbus"];

/// The message, and the frames that it carries. Nothing in a message proves that it is one: it is never guessed.
pub fn frames(codec: &'static Codec, bytes: &[u8], options: &Options, named: bool) -> Found {
    let mut found = Found { length: bytes.len(), ..Found::default() };
    if !named {
        return found;
    }
    let mut explanation = Explanation::default();
    let message = match Message::parse(bytes, &mut explanation) {
        Ok(message) => message,
        Err(error) => {
            found.frames.push(Frame::new(codec, bytes, explanation, Err(error)));
            return found;
        }
    };
    let path = path(&message).or(options.path);
    let content = Content::of(message.number(option::CONTENT_FORMAT), message.payload.clone());
    let items = tlv(&content, &mut explanation);
    let meaning = items.and_then(|()| {
        let reading = match path.map(|path| say(path, &content)).transpose()? {
            Some(Said::Reading(reading)) => vec![reading],
            _ => Vec::new(),
        };
        Ok(Meaning { readings: reading, ..Meaning::of(words(&message, path)) })
    });
    let carries = meaning.is_ok() && matches!(path.and_then(|path| path.object()), None | Some(19));
    let values: Vec<(usize, Vec<u8>)> = explanation
        .0
        .iter()
        .filter(|field| carries && matches!(field.name.as_str(), "value" | "payload"))
        .map(|field| (field.at, field.raw.clone()))
        .collect();
    found.frames.push(Frame::new(codec, bytes, explanation, meaning));
    for (at, value) in values {
        carried(at, &value, options, &mut found);
    }
    found
}

/// The frames in a value that begins `at`.
fn carried(at: usize, value: &[u8], options: &Options, found: &mut Found) {
    let codecs: Vec<&Codec> = codec::CODECS.iter().filter(|codec| CARRIED.contains(&codec.name)).collect();
    let inner = find::streams(value, &codecs, options, true);
    found.frames.extend(inner.frames.into_iter().map(|frame| Frame {
        at: at + frame.at,
        source: Some("in the CoAP message".to_owned()),
        ..frame
    }));
    // Bytes of an object that is no container are no damaged frame either: only what ends as one is told.
    let damaged = |error: &Error| matches!(error, Error::Checksum { .. });
    let rejected = inner.rejected.into_iter().filter(|it| damaged(&it.error));
    found.rejected.extend(rejected.map(|it| Rejected { at: at + it.at, end: at + it.end, ..it }));
}

/// Puts the items of TLV in the place of the payload.
fn tlv(content: &Content, explanation: &mut Explanation) -> Result<(), Error> {
    let Content::Tlv(bytes) = content else { return Ok(()) };
    let mut items = Explanation::default();
    let at = explanation.0.last().map_or(0, |field| field.at);
    explain_items(bytes, &mut Within::new(&mut items, at))?;
    explanation.0.pop();
    explanation.0.append(&mut items.0);
    Ok(())
}

/// What a request is about, where its path is one of LwM2M.
fn path(message: &Message) -> Option<Path> {
    let numbers: Option<Vec<u16>> = message.texts(option::URI_PATH).map(|part| part.parse().ok()).collect();
    numbers.filter(|numbers| !numbers.is_empty()).map(|numbers| Path::new(&numbers))
}

fn words(message: &Message, path: Option<Path>) -> String {
    let uri: String = message.texts(option::URI_PATH).map(|part| format!("/{part}")).collect();
    let about = path.filter(|_| uri.is_empty()).map_or(uri, |path| path.to_string());
    let what = match (message.code, message.kind) {
        (Code::EMPTY, Type::Acknowledgement) => "acknowledges".to_owned(),
        (Code::EMPTY, Type::Reset) => "was not understood".to_owned(),
        (Code::EMPTY, _) => "asks whether somebody is there".to_owned(),
        (code, _) if code.is_request() => format!("{} {about}", code.name()),
        (code, _) if about.is_empty() => format!("{code} {}", code.name()),
        (code, _) => format!("{code} {} of {about}", code.name()),
    };
    let text = String::from_utf8_lossy(&message.payload);
    match message.texts(option::URI_QUERY).find_map(|query| query.strip_prefix("ep=")) {
        Some(endpoint) if message.code == Code::POST => {
            let list: String = objects(&text).iter().map(|path| format!(" {path}")).collect();
            format!("{what}: {endpoint:?} registers, with{list}")
        }
        _ => what,
    }
}
