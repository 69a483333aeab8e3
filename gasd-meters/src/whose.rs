// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whose a frame is: the meter that is asked in a request, or that answers.

use alloc::string::{String, ToString};

use crate::detect::Protocol;
use crate::{cjt188, dlt645, hart, mbus, modbus};

/// Whose a frame is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whose {
    /// The address, as a person reads it.
    pub address: String,
    /// It is the address of one meter, and not of many or of whoever is selected.
    pub one: bool,
    /// A meter sent it. Frames of Modbus do not say: there it is `true` of all.
    pub from_meter: bool,
    /// What it carries: two answers to one request have the same.
    pub kind: u16,
}

/// Whose this frame of the protocol is, which may have wake-up bytes before it; `None` of one that has no address, or is none.
#[must_use]
pub fn whose(protocol: Protocol, bytes: &[u8]) -> Option<Whose> {
    Some(match protocol {
        Protocol::Dlt645 => {
            let frame = dlt645::Frame::parse(dlt645::find(bytes).ok()?).ok()?;
            Whose {
                address: frame.address.to_string(),
                one: frame.address.is_exact(),
                from_meter: frame.from_meter(),
                kind: frame.control.into(),
            }
        }
        Protocol::Cjt188 => {
            let frame = cjt188::Frame::parse(cjt188::find(bytes).ok()?).ok()?;
            Whose {
                address: frame.address.to_string(),
                one: !frame.address.is_wildcard(),
                from_meter: frame.from_meter(),
                kind: frame.control.into(),
            }
        }
        Protocol::Mbus => {
            let frame = mbus::Frame::parse(bytes).ok()?;
            let link = frame.link()?;
            Whose {
                address: link.address.to_string(),
                one: link.address <= 250,
                from_meter: link.from_meter(),
                kind: frame.ci().map_or(0, |ci| 0x100 | u16::from(ci)),
            }
        }
        Protocol::Hart => {
            let frame = hart::Frame::parse(hart::find(bytes).ok()?).ok()?;
            Whose {
                address: frame.address.to_string(),
                one: frame.address != hart::Address::BROADCAST,
                from_meter: frame.kind != hart::Type::Request,
                // Of a device in burst mode some come that answer nothing.
                kind: u16::from(frame.kind == hart::Type::Burst) << 8 | u16::from(frame.command),
            }
        }
        Protocol::Modbus => {
            let frame = modbus::Frame::parse(bytes).ok()?;
            Whose {
                address: frame.unit.to_string(),
                one: frame.unit != 0,
                from_meter: true,
                kind: u16::from_be_bytes([frame.function, bytes.len() as u8]),
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hex;

    fn of(protocol: Protocol, text: &str) -> Option<(String, bool, bool)> {
        whose(protocol, &hex::parse(text).unwrap()).map(|of| (of.address, of.one, of.from_meter))
    }

    #[test]
    fn requests_and_answers_name_their_meter() {
        let some = |address: &str, one, from_meter| Some((address.to_string(), one, from_meter));
        assert_eq!(of(Protocol::Mbus, "10 7B 05 80 16"), some("5", true, false));
        assert_eq!(of(Protocol::Mbus, "10 5B FD 58 16"), some("253", false, false));
        assert_eq!(of(Protocol::Mbus, "E5"), None);
        assert_eq!(of(Protocol::Modbus, "01 03 04 00 0A 00 14 DA 3E"), some("1", true, true));
        let asked = "FE FE 68 12 90 78 56 34 12 68 11 04 33 33 34 33 93 16";
        let sum = hex::parse(&asked[6..asked.len() - 6])
            .unwrap()
            .iter()
            .fold(0u8, |sum, byte| sum.wrapping_add(*byte));
        let asked = alloc::format!("{} {sum:02X} 16", &asked[..asked.len() - 6]);
        assert_eq!(of(Protocol::Dlt645, &asked), some("123456789012", true, false));
        assert_eq!(of(Protocol::Cjt188, "68 00"), None);
    }
}
