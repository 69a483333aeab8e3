// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a gateway is asked to send.

use alloc::format;
use alloc::string::String;

use super::base64;
use crate::error::EncodeError;

/// When a gateway is to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// At once: for devices that always listen (class C).
    Now,
    /// At this count of µs: that of the frame that is answered, and the delay of the window.
    At(u32),
}

/// A frame to be sent, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transmission<'a> {
    /// The frame.
    pub frame: &'a [u8],
    /// When.
    pub when: When,
    /// Frequency, Hz.
    pub frequency_hz: u32,
    /// The gateway's radio.
    pub radio: u8,
    /// Strength, dBm.
    pub power_dbm: i8,
    /// Spreading and bandwidth, as `SF12BW125`.
    pub data_rate: &'a str,
    /// Coding rate, as `4/5`.
    pub coding: &'a str,
}

impl Transmission<'_> {
    /// As the packet forwarder reads it (`txpk`).
    ///
    /// # Errors
    ///
    /// [`EncodeError::TooLong`] beyond 255 bytes; [`EncodeError::OutOfRange`] of a data rate or coding that
    /// is no word of letters, digits and `/`.
    pub fn to_json(&self) -> Result<String, EncodeError> {
        if self.frame.len() > 255 {
            return Err(EncodeError::TooLong { most: 255 });
        }
        let word = |text: &str| {
            !text.is_empty()
                && text.len() <= 16
                && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '/')
        };
        if !word(self.data_rate) || !word(self.coding) {
            return Err(EncodeError::OutOfRange { what: "data rate or coding" });
        }
        let when = match self.when {
            When::Now => String::from(r#""imme":true"#),
            When::At(us) => format!(r#""tmst":{us}"#),
        };
        let (mhz, hz) = (self.frequency_hz / 1_000_000, self.frequency_hz % 1_000_000);
        // Down the chirps are turned round, so that gateways do not hear each other.
        Ok(format!(
            r#"{{"txpk":{{{when},"freq":{mhz}.{hz:06},"rfch":{},"powe":{},"modu":"LORA","datr":"{}","codr":"{}","ipol":true,"size":{},"data":"{}"}}}}"#,
            self.radio,
            self.power_dbm,
            self.data_rate,
            self.coding,
            self.frame.len(),
            base64::encode(self.frame),
        ))
    }
}
