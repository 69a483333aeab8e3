// SPDX-License-Identifier: MIT OR Apache-2.0
//! The commands of devices that want an answer: a device of 1.1 repeats some with every frame until it has one, and
//! gives its session up in the end.

/// LinkCheckReq, and how its answer begins.
const LINK_CHECK: u8 = 0x02;
/// ResetInd and RekeyInd of 1.1, whose answers say the version.
const RESET: u8 = 0x01;
const REKEY: u8 = 0x0B;
/// The minor version of 1.1.
const MINOR: u8 = 1;
/// Options that a frame has room for.
const ROOM: usize = 15;

/// Bytes behind each command of a device; `None` of one that is not known, whose end is not either.
const fn length(command: u8) -> Option<usize> {
    match command {
        0x02 | 0x04 | 0x08 | 0x09 | 0x0C | 0x0D => Some(0),
        0x01 | 0x03 | 0x05 | 0x07 | 0x0A | 0x0B | 0x0F | 0x10 | 0x11 | 0x13 => Some(1),
        0x06 => Some(2),
        _ => None,
    }
}

/// What is answered to `commands`. `margin_db` is how far above the noise that can just be read the frame was.
pub(super) fn answers(commands: &[u8], margin_db: u8) -> Vec<u8> {
    let mut answers = Vec::new();
    let mut rest = commands;
    while let Some((&command, behind)) = rest.split_first() {
        let Some(behind) = length(command).and_then(|length| behind.get(length..)) else { break };
        rest = behind;
        let answer: &[u8] = match command {
            LINK_CHECK => &[LINK_CHECK, margin_db, 1],
            RESET | REKEY => &[command, MINOR],
            _ => continue,
        };
        if answers.len() + answer.len() > ROOM {
            break;
        }
        answers.extend(answer);
    }
    answers
}

/// How far above the weakest signal that its data rate can be read at a frame was, dB.
pub(super) fn margin_db(snr_tenths: i64, data_rate: &str) -> u8 {
    // Tenths of a dB, of a receiver SX1301.
    let floor = match data_rate.split("BW").next() {
        Some("SF12") => -200,
        Some("SF11") => -175,
        Some("SF10") => -150,
        Some("SF9") => -125,
        Some("SF8") => -100,
        _ => -75,
    };
    let margin = snr_tenths.saturating_sub(floor) / 10;
    // 255 is not used.
    u8::try_from(margin.clamp(0, 254)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_wants_an_answer_has_one() {
        assert_eq!(answers(&[0x02], 17), [0x02, 17, 1]);
        assert_eq!(answers(&[0x0B, 0x01, 0x06, 0xFF, 0x05, 0x02], 1), [0x0B, 1, 0x02, 1, 1]);
        assert_eq!(answers(&[0x01, 0x01], 1), [0x01, 1]);
        // One that is not known hides the others, and one that breaks off is none.
        assert_eq!(answers(&[0x80, 0x02], 1), [0; 0]);
        assert_eq!(answers(&[0x0B], 1), [0; 0]);
        assert_eq!(answers(&[0x02; 200], 1).len(), 15);
    }

    #[test]
    fn the_margin_is_above_what_can_just_be_read() {
        assert_eq!(margin_db(51, "SF7BW125"), 12);
        assert_eq!(margin_db(-200, "SF12BW125"), 0);
        assert_eq!((margin_db(-500, "SF7BW125"), margin_db(i64::MAX, "SF7BW125")), (0, 254));
    }
}
