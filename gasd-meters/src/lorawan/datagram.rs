// SPDX-License-Identifier: MIT OR Apache-2.0
//! The datagrams of Semtech's packet forwarder (protocol versions 1 and 2).
//!
//! ```text
//! version | token 2 | kind | [gateway 8] | [JSON]
//! ```

use alloc::string::String;
use alloc::vec::Vec;

use serde_json::Value;

use super::received::Heard;
use super::transmit::Transmission;
use crate::bytes::Cursor;
use crate::error::{EncodeError, Error};

/// The version that is sent.
const VERSION: u8 = 2;

/// What a gateway sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Datagram {
    /// PUSH_DATA: what was heard. To be acknowledged at once.
    Push {
        /// As the gateway chose it.
        token: [u8; 2],
        /// The gateway.
        gateway: u64,
        /// What was heard.
        heard: Heard,
    },
    /// PULL_DATA: the gateway is there, and this is where it can be reached. To be acknowledged at once.
    Pull {
        /// As the gateway chose it.
        token: [u8; 2],
        /// The gateway.
        gateway: u64,
    },
    /// TX_ACK: what became of a transmission.
    Sent {
        /// That of the transmission.
        token: [u8; 2],
        /// The gateway.
        gateway: u64,
        /// Why it was not sent, in the forwarder's words, as `TOO_LATE`; `None` if it was.
        error: Option<String>,
    },
}

impl Datagram {
    /// What a datagram says.
    ///
    /// # Errors
    ///
    /// [`Error::Truncated`]; [`Error::UnsupportedMode`] for another version; [`Error::Malformed`] where the
    /// kind is none that a gateway sends, or the JSON is none.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let mut cursor = Cursor::new(bytes);
        let (version, token, kind) = (cursor.u8()?, cursor.array()?, cursor.u8()?);
        if !matches!(version, 1 | 2) {
            return Err(Error::UnsupportedMode { mode: version });
        }
        if !matches!(kind, 0x00 | 0x02 | 0x05) {
            return Err(Error::Malformed { what: "a datagram that no gateway sends" });
        }
        let gateway = u64::from_be_bytes(cursor.array()?);
        match kind {
            0x00 => Ok(Self::Push { token, gateway, heard: Heard::parse(cursor.rest())? }),
            0x02 => Ok(Self::Pull { token, gateway }),
            _ => {
                let error = if cursor.is_empty() { None } else { refusal(cursor.rest())? };
                Ok(Self::Sent { token, gateway, error })
            }
        }
    }

    /// The datagram that acknowledges this one: at once, and to where it came from. `None` where none does.
    #[must_use]
    pub const fn acknowledgement(&self) -> Option<[u8; 4]> {
        match *self {
            Self::Push { token: [a, b], .. } => Some([VERSION, a, b, 0x01]),
            Self::Pull { token: [a, b], .. } => Some([VERSION, a, b, 0x04]),
            Self::Sent { .. } => None,
        }
    }

    /// The datagram with which a gateway is asked to send something (PULL_RESP), to where its last
    /// PULL_DATA came from.
    ///
    /// # Errors
    ///
    /// As [`Transmission::to_json`].
    pub fn send(token: [u8; 2], transmission: &Transmission<'_>) -> Result<Vec<u8>, EncodeError> {
        let [a, b] = token;
        let mut bytes: Vec<u8> = [VERSION, a, b, 0x03].into();
        bytes.extend(transmission.to_json()?.as_bytes());
        Ok(bytes)
    }
}

fn refusal(json: &[u8]) -> Result<Option<String>, Error> {
    // Some forwarders end it with a zero, as C has text.
    let json = json.strip_suffix(&[0]).unwrap_or(json);
    let value: Value =
        serde_json::from_slice(json).map_err(|_| Error::Malformed { what: "its JSON is none" })?;
    Ok(value
        .get("txpk_ack")
        .and_then(|ack| ack.get("error"))
        .and_then(Value::as_str)
        .filter(|error| *error != "NONE")
        .map(|error| error.chars().filter(|c| !c.is_control()).take(64).collect()))
}
