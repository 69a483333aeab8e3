// SPDX-License-Identifier: MIT OR Apache-2.0
//! The frames of modules like AMB8465 in command mode: `FF 03 L C M M ... [RSSI] CS`, CS all bytes before it by
//! exclusive or. The module has checked and removed the CRCs, and what it calls the length is the telegram's L.

use gasd_meters::crc;
use gasd_meters::wmbus::{Format, Telegram};

use super::framer::{Framed, Probe, is_plausible};

const START: u8 = 0xFF;
/// A telegram was heard.
const HEARD: u8 = 0x03;
/// Answers of the module have this bit.
const ANSWER: u8 = 0x80;

/// The frame that begins with the first byte. `counted` says whether the length counts a byte of signal strength.
pub(super) fn probe(bytes: &[u8], counted: bool) -> Probe {
    let (command, len) = match *bytes {
        [START] | [START, _] => return Probe::Need(4),
        [START, command, len, ..] if command == HEARD || command & ANSWER != 0 => (command, usize::from(len)),
        _ => return Probe::No,
    };
    // Without the strength of the signal, and with it where the length does not count it.
    for behind in [0, 1] {
        let total = 3 + len + behind + 1;
        let Some((sum, body)) = bytes.get(..total).and_then(|frame| frame.split_last()) else {
            return Probe::Need(total);
        };
        if crc::xor(body) != *sum {
            continue;
        }
        if command != HEARD {
            return Probe::Other(total);
        }
        let (Some(data), strength) = (body.get(3..3 + len), body.get(3 + len)) else { return Probe::No };
        let (data, strength) = match data.split_last() {
            Some((last, data)) if counted => (data, Some(last)),
            _ => (data, strength),
        };
        return match telegram(data) {
            Some(telegram) => {
                let (rssi_dbm, raw) = (strength.map(|byte| dbm(*byte)), body.to_vec());
                Probe::Frame(total, Box::new(Framed { telegram, rssi_dbm, raw }))
            }
            None => Probe::Other(total),
        };
    }
    Probe::No
}

/// The telegram of these data, which begin with C, or with L in some modules.
fn telegram(data: &[u8]) -> Option<Telegram> {
    let length = u8::try_from(data.len()).ok()?;
    let with_length = [&[length], data].concat();
    let parse = |bytes: &[u8]| Telegram::parse(bytes, Some(Format::Plain)).ok().filter(is_plausible);
    parse(&with_length).or_else(|| parse(data))
}

/// What the radio chip says, in dBm (CC1101, section 17.3).
pub(super) fn dbm(raw: u8) -> i16 {
    i16::from(raw.cast_signed()) / 2 - 74
}
