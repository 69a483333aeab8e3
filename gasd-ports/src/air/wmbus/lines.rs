// SPDX-License-Identifier: MIT OR Apache-2.0
//! Lines of text with telegrams in hexadecimal digits, as programs and sticks write them.
//!
//! ```text
//! T1;1;1;2026-01-01 00:00:00.000;97;148;12345678;0x2C44...   rtl_wmbus: mode, CRC right, code right, ..., without CRCs
//! b4E44...  bY3544...                                        CUL: format A and B, maybe link quality and RSSI behind
//! 2C44...   0x2C44...   telegram=|2C44...|                   digits alone
//! ```

use gasd_meters::hex;
use gasd_meters::wmbus::{Format, Telegram};

use super::command;
use super::framer::is_plausible;

/// Bytes of the longest line.
pub(super) const LONGEST: usize = 1_000;

/// What a line is.
pub(super) enum Line {
    /// A telegram, dBm where they are said, and the bytes that it came in.
    Telegram(Box<Telegram>, Option<i16>, Vec<u8>),
    /// A telegram that is not whole.
    Damaged,
    /// Something else.
    Other,
}

pub(super) fn read(line: &str) -> Line {
    let line = line.trim();
    if let Some((mode, rest)) = line.split_once(';') {
        return columns(mode, rest);
    }
    if let Some(digits) = line.strip_prefix("bY").or_else(|| line.strip_prefix("by")) {
        return stick(digits, Format::B);
    }
    // A line of digits alone may begin with a B, too: a stick writes a small one, and so many digits that it would be odd.
    if let Some(digits) = line.strip_prefix('b').filter(|digits| digits.len().is_multiple_of(2)) {
        return stick(digits, Format::A);
    }
    let digits = line.strip_prefix("telegram=").unwrap_or(line);
    let digits = digits.strip_prefix('|').map_or(digits, |rest| rest.split('|').next().unwrap_or_default());
    let Some(bytes) = digits_of(digits) else { return Line::Other };
    telegram(bytes, None)
}

fn digits_of(text: &str) -> Option<Vec<u8>> {
    let text = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
    hex::parse(text).filter(|bytes| !bytes.is_empty())
}

fn columns(mode: &str, rest: &str) -> Line {
    let is_mode = mode.len() <= 3 && mode.chars().all(|c| c.is_ascii_alphanumeric());
    let fields: Vec<&str> = rest.split(';').collect();
    let (Some(crc), Some(code)) = (fields.first(), fields.get(1)) else { return Line::Other };
    let last = fields.iter().rev().find(|field| !field.is_empty());
    let Some(bytes) = last.and_then(|digits| digits_of(digits)).filter(|_| is_mode) else {
        return Line::Other;
    };
    if *crc != "1" || *code != "1" {
        return Line::Damaged;
    }
    telegram(bytes, Some(Format::Plain))
}

/// Digits of a stick, which hands on the CRCs.
fn stick(digits: &str, format: Format) -> Line {
    let Some(bytes) = hex::parse(digits) else { return Line::Other };
    let Ok(telegram) = Telegram::parse(&bytes, Some(format)) else { return Line::Damaged };
    let len = telegram.encode(format).map_or(0, |bytes| bytes.len());
    let rssi_dbm = match bytes.get(len..) {
        Some(&[_quality, rssi]) => Some(command::dbm(rssi)),
        _ => None,
    };
    Line::Telegram(Box::new(telegram), rssi_dbm, bytes)
}

fn telegram(bytes: Vec<u8>, format: Option<Format>) -> Line {
    match Telegram::parse(&bytes, format) {
        Ok(telegram) if is_plausible(&telegram) => Line::Telegram(Box::new(telegram), None, bytes),
        _ => Line::Damaged,
    }
}
