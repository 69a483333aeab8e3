// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a gateway heard: the JSON of its packet forwarder.

use alloc::string::String;
use alloc::vec::Vec;

use serde_json::Value;

use super::base64;
use crate::error::Error;
use crate::number::Decimal;

/// Most frames that one datagram may have.
const MAX_FRAMES: usize = 64;

/// What the radio's own CRC says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrcCheck {
    /// Right.
    Right,
    /// Wrong: damaged on the air.
    Wrong,
    /// There was none.
    None,
}

/// A frame that was heard, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// The frame: for [`Phy::parse`](super::Phy::parse).
    pub frame: Vec<u8>,
    /// The radio's CRC.
    pub crc: CrcCheck,
    /// The gateway's counter of µs when the frame ended, which turns over after 71 minutes.
    pub timestamp_us: Option<u32>,
    /// When, as the gateway writes it (ISO 8601), where it knows the time.
    pub time: Option<String>,
    /// Frequency, Hz.
    pub frequency_hz: Option<u32>,
    /// The gateway's channel.
    pub channel: Option<u8>,
    /// The gateway's radio.
    pub radio: Option<u8>,
    /// Spreading and bandwidth, as `SF7BW125`; bits a second of FSK.
    pub data_rate: Option<String>,
    /// Coding rate, as `4/5`.
    pub coding: Option<String>,
    /// Strength of the signal, dBm.
    pub rssi_dbm: Option<i16>,
    /// Signal to noise, dB.
    pub snr_db: Option<Decimal>,
}

/// What a gateway counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Frames heard.
    pub received: u64,
    /// Of these with the right CRC.
    pub right: u64,
    /// Of these forwarded.
    pub forwarded: u64,
}

/// What one datagram brings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// Frames: one that is wrong costs only itself.
    pub frames: Vec<Result<Received, Error>>,
    /// What the gateway counts, if it says so.
    pub statistics: Option<Statistics>,
}

impl Heard {
    /// What the JSON of a forwarder says, as it stands behind the header of [`Datagram::Push`](super::Datagram).
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] where it is none, or `rxpk` no list of frames.
    pub fn parse(json: &[u8]) -> Result<Self, Error> {
        let json = json.strip_suffix(&[0]).unwrap_or(json);
        let value: Value =
            serde_json::from_slice(json).map_err(|_| Error::Malformed { what: "its JSON is none" })?;
        if !value.is_object() {
            return Err(Error::Malformed { what: "its JSON is no object" });
        }
        let frames = match value.get("rxpk") {
            None => Vec::new(),
            Some(Value::Array(list)) if list.len() <= MAX_FRAMES => list.iter().map(Received::of).collect(),
            Some(_) => return Err(Error::Malformed { what: "rxpk is no list of up to 64 frames" }),
        };
        let statistics = value.get("stat").map(|stat| {
            let count = |name| stat.get(name).and_then(Value::as_u64).unwrap_or(0);
            Statistics { received: count("rxnb"), right: count("rxok"), forwarded: count("rxfw") }
        });
        Ok(Self { frames, statistics })
    }
}

impl Received {
    fn of(value: &Value) -> Result<Self, Error> {
        let text = |name, most: usize| {
            let text = value.get(name).and_then(Value::as_str)?;
            (text.len() <= most && text.chars().all(|c| c.is_ascii_graphic())).then(|| String::from(text))
        };
        let data = value.get("data").and_then(Value::as_str);
        let data = data.ok_or(Error::Malformed { what: "a frame without data" })?;
        let frame = base64::decode(data).ok_or(Error::Malformed { what: "its data are no base64" })?;
        if value.get("size").is_some_and(|size| size.as_u64() != Some(frame.len() as u64)) {
            return Err(Error::Malformed { what: "its data have another size than it says" });
        }
        let crc = match value.get("stat").and_then(Value::as_i64) {
            Some(1) | None => CrcCheck::Right,
            Some(0) => CrcCheck::None,
            Some(_) => CrcCheck::Wrong,
        };
        let small = |name| value.get(name).and_then(Value::as_u64).and_then(|n| u8::try_from(n).ok());
        let decimal = |name| value.get(name).and_then(Value::as_f64).and_then(|f| Decimal::from_f64(f).ok());
        let hz = |mhz: Decimal| mhz.at(-6).ok().and_then(|hz| u32::try_from(hz).ok());
        let data_rate = text("datr", 16)
            .or_else(|| value.get("datr").and_then(Value::as_u64).map(|bits| alloc::format!("{bits}")));
        Ok(Self {
            frame,
            crc,
            timestamp_us: value.get("tmst").and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok()),
            time: text("time", 40),
            frequency_hz: decimal("freq").and_then(hz),
            channel: small("chan"),
            radio: small("rfch"),
            data_rate,
            coding: text("codr", 8),
            rssi_dbm: value.get("rssi").and_then(Value::as_i64).and_then(|n| i16::try_from(n).ok()),
            snr_db: decimal("lsnr"),
        })
    }
}
