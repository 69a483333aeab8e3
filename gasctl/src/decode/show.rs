// SPDX-License-Identifier: MIT OR Apache-2.0
//! What was found, for a person and as JSON.

use gasd_meters::hex::Hex;
use gasd_meters::{Error, Field, Flag, Reading, Value};
use serde_json::{Map, Value as Json, json};

use super::find::{Found, Frame};
use crate::fail::Failure;
use crate::output::{Output, Style};

/// Prints it.
pub fn lines(found: &Found, out: &Output) -> Result<(), Failure> {
    for (number, frame) in found.frames.iter().enumerate() {
        if number > 0 {
            out.line("")?;
        }
        self::frame(frame, out)?;
    }
    for rejected in &found.rejected {
        let text = format!("at byte {}: no {} frame: {}", rejected.at, rejected.codec.title, rejected.error);
        out.line(&out.paint(&text, Style::Warn))?;
    }
    if found.garbage > 0 && !found.frames.is_empty() {
        out.line(&out.paint(&format!("{} bytes belong to no frame", found.garbage), Style::Dim))?;
    }
    Ok(())
}

fn frame(frame: &Frame, out: &Output) -> Result<(), Failure> {
    let words = frame.meaning.as_ref().map_or("cannot be read", |meaning| meaning.words.as_str());
    let place = match &frame.source {
        Some(source) => format!("{} bytes, {source}", frame.bytes.len()),
        None => format!("{} bytes at {}", frame.bytes.len(), frame.at),
    };
    out.line(&out.paint(&format!("{}, {place}: {words}", frame.codec.title), Style::Heading))?;
    for line in frame.explanation.to_string().lines() {
        out.line(line)?;
    }
    match &frame.meaning {
        Ok(meaning) => meaning.readings.iter().try_for_each(|reading| self::reading(reading, out)),
        Err(error) => out.line(&out.paint(&format!("  {error}"), Style::Bad)),
    }
}

fn reading(reading: &Reading, out: &Output) -> Result<(), Failure> {
    let meter = &reading.meter;
    let maker = meter.manufacturer.as_ref().map_or_else(String::new, |maker| format!(", made by {maker}"));
    out.line(&out.paint(&format!("meter {}, {}{maker}", meter.id, meter.medium), Style::Plain))?;
    for field in &reading.fields {
        let doubt = field.doubt.map_or_else(String::new, |doubt| format!("  ({doubt})"));
        let style = match field.value {
            Value::Absent(..) => Style::Warn,
            _ if field.doubt.is_some() => Style::Warn,
            _ => Style::Plain,
        };
        out.line(&out.paint(&format!("  {}: {}{doubt}", field.name(), field.value), style))?;
    }
    if let Some(valve) = reading.valve {
        out.line(&format!("  valve: {valve}"))?;
    }
    for flag in flags(reading) {
        out.line(&out.paint(&format!("  {}", flag.words()), Style::Warn))?;
    }
    Ok(())
}

fn flags(reading: &Reading) -> impl Iterator<Item = Flag> + '_ {
    Flag::ALL.iter().copied().filter(|flag| reading.flags.get(*flag) == Some(true))
}

/// One object with all of it.
pub fn object(found: &Found) -> Json {
    json!({
        "frames": found.frames.iter().map(frame_object).collect::<Vec<_>>(),
        "rejected": found.rejected.iter().map(|it| json!({
            "protocol": it.codec.name,
            "at": it.at,
            "error": error_object(&it.error),
        })).collect::<Vec<_>>(),
        "garbage": found.garbage,
        "bytes": found.length,
    })
}

fn frame_object(frame: &Frame) -> Json {
    let fields: Vec<Json> = frame
        .explanation
        .0
        .iter()
        .map(|field| {
            json!({
                "at": field.at,
                "raw": Hex(&field.raw).to_string(),
                "name": field.name,
                "meaning": field.meaning,
            })
        })
        .collect();
    let mut object = json!({
        "protocol": frame.codec.name,
        "at": frame.at,
        "from": frame.source,
        "hex": Hex(&frame.bytes).to_string(),
        "fields": fields,
    });
    match &frame.meaning {
        Ok(meaning) => {
            object["says"] = json!(meaning.words);
            object["reading"] = meaning.readings.first().map_or(Json::Null, reading_object);
            object["readings"] = meaning.readings.iter().map(reading_object).collect();
            object["error"] = meaning.refusal.as_ref().map_or(Json::Null, error_object);
        }
        Err(error) => object["error"] = error_object(error),
    }
    object
}

fn error_object(error: &Error) -> Json {
    json!({ "kind": error.kind(), "text": error.to_string() })
}

fn reading_object(reading: &Reading) -> Json {
    let meter = &reading.meter;
    json!({
        "meter": {
            "id": meter.id,
            "manufacturer": meter.manufacturer,
            "medium": meter.medium.to_string(),
            "version": meter.version,
            "radio_id": meter.radio_id,
        },
        "values": reading.fields.iter().map(value_object).collect::<Vec<_>>(),
        "valve": reading.valve.map(|valve| valve.to_string()),
        "flags": flags(reading).map(Flag::words).collect::<Vec<_>>(),
        "more": reading.more,
    })
}

fn value_object(field: &Field) -> Json {
    let mut object = Map::from_iter([
        ("name".to_owned(), json!(field.name().to_string())),
        ("text".to_owned(), json!(field.value.to_string())),
    ]);
    match &field.value {
        // Exact: digits as text, since JSON's numbers are read as floats.
        Value::Number(number) => {
            object.insert("value".to_owned(), json!(number.decimal.to_string()));
            object.insert("unit".to_owned(), json!(number.unit.symbol()));
        }
        Value::Absent(fault, _) => drop(object.insert("absent".to_owned(), json!(fault.to_string()))),
        _ => {}
    }
    if let Ok(volume_ul) = field.volume_ul() {
        object.insert("volume_ul".to_owned(), json!(volume_ul));
    }
    if let Some(doubt) = field.doubt {
        object.insert("doubt".to_owned(), json!(doubt.to_string()));
    }
    Json::Object(object)
}
