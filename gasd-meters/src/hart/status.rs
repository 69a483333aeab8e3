// SPDX-License-Identifier: MIT OR Apache-2.0
//! The two bytes with which a device says how a command went and how it is itself.

use core::fmt;

use crate::error::Error;
use crate::status::{Flag, Flags};

/// Bits of a communication error: how the device heard the request.
pub const COMMUNICATION: [(u8, &str); 5] =
    [(0x40, "parity"), (0x20, "overrun"), (0x10, "framing"), (0x08, "checksum"), (0x02, "buffer overflow")];

/// Bits of a device's own status.
pub const DEVICE: [(u8, &str); 8] = [
    (0x80, "malfunction"),
    (0x40, "configuration changed"),
    (0x20, "cold start"),
    (0x10, "more status available"),
    (0x08, "loop current fixed"),
    (0x04, "loop current saturated"),
    (0x02, "non-PV out of limits"),
    (0x01, "PV out of limits"),
];

/// The status of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Status {
    /// A communication error where the highest bit is set, else the response code.
    pub response: u8,
    /// The device's own status.
    pub device: u8,
}

impl Status {
    /// The bits of a communication error: the device heard the request damaged.
    #[must_use]
    pub const fn communication_error(self) -> Option<u8> {
        if self.response & 0x80 != 0 { Some(self.response & 0x7F) } else { None }
    }

    /// The response code, where there is no communication error.
    #[must_use]
    pub const fn code(self) -> Option<u8> {
        if self.response & 0x80 == 0 { Some(self.response) } else { None }
    }

    /// Why the device has not done what it was asked, if so. Warnings are no refusals.
    #[must_use]
    pub fn refusal(self) -> Option<Error> {
        let code = u16::from(self.response);
        if self.communication_error().is_some() {
            return Some(Error::DeviceError { code, what: "it heard the request damaged" });
        }
        let warning = matches!(self.response, 0 | 8 | 14 | 24..=27 | 30 | 31 | 96..=127);
        (!warning).then(|| Error::DeviceError { code, what: response(self.response) })
    }

    /// The device's own status as flags.
    #[must_use]
    pub fn flags(self) -> Flags {
        let mut flags = Flags::default();
        let of = [
            (0x80, Flag::PermanentError),
            (0x40, Flag::ConfigurationChanged),
            (0x20, Flag::Restarted),
            (0x10, Flag::MoreStatus),
            (0x08, Flag::OutputFixed),
            (0x04, Flag::Saturated),
            (0x03, Flag::OutOfLimits),
        ];
        for (bits, flag) in of {
            flags.say(flag, self.device & bits != 0);
        }
        flags
    }
}

impl fmt::Display for Status {
    /// `right; configuration changed, cold start`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |f: &mut fmt::Formatter<'_>, byte: u8, words: &[(u8, &str)]| {
            let mut none = true;
            for (_, word) in words.iter().filter(|(bit, _)| byte & bit != 0) {
                write!(f, "{}{word}", if none { "" } else { ", " })?;
                none = false;
            }
            if none { f.write_str("nothing") } else { Ok(()) }
        };
        match self.communication_error() {
            Some(bits) => {
                f.write_str("request heard damaged: ")?;
                list(f, bits, &COMMUNICATION)?;
            }
            None if self.response == 0 => f.write_str("right")?,
            None => write!(f, "code {}: {}", self.response, response(self.response))?,
        }
        f.write_str("; device: ")?;
        list(f, self.device, &DEVICE)
    }
}

/// What a response code means, in words; empty for a code that each command has for itself.
#[must_use]
pub const fn response(code: u8) -> &'static str {
    match code {
        0 => "right",
        2 => "it has no such choice",
        3 => "the value is too large",
        4 => "the value is too small",
        5 => "too few data",
        6 => "an error of the device's own",
        7 => "it is write-protected",
        16 => "access is restricted",
        17 => "it has no such variable",
        18 => "it has no such unit",
        32 => "it is busy",
        33 => "it has begun and needs long for it",
        34 => "it is still at it",
        35 => "what it was at is lost",
        36 => "it is at something else",
        64 => "it does not have this command",
        _ => "",
    }
}
