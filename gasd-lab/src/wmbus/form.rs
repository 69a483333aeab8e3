// SPDX-License-Identifier: MIT OR Apache-2.0
//! How receivers of wireless M-Bus hand on what they hear.

use gasd_meters::crc;
use gasd_meters::hex::Hex;
use gasd_meters::wmbus::{Format, Telegram};

/// What a receiver puts around a telegram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Bytes with the CRCs of this format. A receiver of [`Format::Plain`] has checked and removed them: what does not
    /// fit it keeps to itself.
    Binary(Format),
    /// Lines of `rtl_wmbus`, which tell what is damaged, too.
    Lines,
    /// Lines of a CUL stick, with CRCs of this format, link quality and strength of the signal.
    Stick(Format),
    /// Frames of modules like AMB8465 in command mode, which keep to themselves what is damaged.
    Commands {
        /// Whether the length counts a byte of signal strength at the end.
        rssi: bool,
    },
}

/// Strength of the signal as the radio chip says it: -69 dBm.
const RSSI: u8 = 0x0A;

impl Form {
    /// What the receiver hands on of a telegram; `damage` is a byte of it that arrives as another, and the bits that are
    /// changed. Nothing where it checks CRCs, and of a telegram that this form has no room for.
    pub(super) fn write(self, telegram: &Telegram, damage: Option<(usize, u8)>) -> Vec<u8> {
        let on_air = |format| {
            let mut bytes = telegram.encode(format).unwrap_or_default();
            let length = bytes.len().max(1);
            if let Some((at, bits)) = damage
                && let Some(byte) = bytes.get_mut(at % length)
            {
                *byte ^= bits;
            }
            bytes
        };
        match self {
            Self::Binary(Format::Plain) | Self::Commands { .. } if damage.is_some() => Vec::new(),
            Self::Binary(format) => on_air(format),
            Self::Lines => {
                let right = u8::from(damage.is_none());
                let number: String = telegram.sender.id.iter().rev().map(|b| format!("{b:02x}")).collect();
                let bytes = on_air(Format::Plain);
                format!("T1;{right};1;2026-01-01 00:00:00.000;97;148;{number};0x{}\n", Hex(&bytes))
                    .into_bytes()
            }
            Self::Stick(format) => {
                let mark = if format == Format::B { "bY" } else { "b" };
                format!("{mark}{}80{RSSI:02X}\r\n", Hex(&on_air(format))).into_bytes()
            }
            Self::Commands { rssi } => {
                let (mut out, body) = (vec![0xFF, 0x03], telegram.bytes.get(1..).unwrap_or_default());
                let Ok(length) = u8::try_from(body.len() + usize::from(rssi)) else { return Vec::new() };
                out.push(length);
                out.extend(body);
                if rssi {
                    out.push(RSSI);
                }
                out.push(crc::xor(&out));
                out
            }
        }
    }
}
