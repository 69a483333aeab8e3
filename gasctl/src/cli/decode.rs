// SPDX-License-Identifier: MIT OR Apache-2.0
//! What may be typed behind `gasctl decode`.

use std::path::PathBuf;

use gasd_meters::lorawan::Radio;
use gasd_meters::nbiot::Path as ObjectPath;

/// What is not shown.
#[derive(Clone)]
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(a key)")
    }
}

impl std::str::FromStr for Secret {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

/// Bytes of a meter, and what is known of them.
#[derive(Clone, Debug, clap::Args)]
#[command(
    after_help = "Bytes are hexadecimal, with or without anything between them, a file of such text (# begins a remark) or a \
    capture as it came over the line. Noise, wake-up bytes and several frames may be in it. The protocol is \
    found out; a telegram of wireless M-Bus is all of the input, HART is awaited behind its preamble FF FF, and Modbus where all bytes are \
    its frames. With keys only the protocols are tried that they are of. Of LoRaWAN a frame of the air (base64 too, where it is named), the JSON \
    of a packet forwarder or its whole datagram; of CoAP a message. It asks no gasd, and needs none.\n\n\
    Exit status: 0 when every frame was read, 1 when one could not be (damaged ones, too) or there is none, 2 wrong usage.\n\n\
    Examples:\n  gasctl decode 683003000000000000040417A00199F416\n  gasctl decode capture.bin --protocol cjt188\n  \
    gasctl decode rxpk.json --key-file device.keys --payload ugm\n  \
    gasctl decode --protocol coap --path 19/0/0 message.bin\n  \
    gasctl --json decode - < frames.txt | jq '.frames[].reading'"
)]
pub struct DecodeArgs {
    /// Hexadecimal bytes, a file, or - for standard input
    #[arg(value_name = "HEX|FILE|-")]
    pub input: String,
    /// Only this protocol: mbus, dlt645, cjt188, hart, modbus, wmbus, lorawan, coap (never guessed)
    #[arg(long, value_name = "NAME")]
    pub protocol: Option<String>,
    /// The meter's key, 32 hexadecimal digits, or NAME=KEY for each of LoRaWAN: NwkSKey, AppSKey; FNwkSIntKey, SNwkSIntKey,
    /// NwkSEncKey; AppKey, NwkKey; also written as nwk_s_key. Others on this machine may see it, --key-file is not seen
    #[arg(long, value_name = "[NAME=]KEY", conflicts_with = "key_file")]
    pub key: Vec<Secret>,
    /// A file with the meter's key, or a line NAME = KEY for each, as gasd's key_file
    #[arg(long, value_name = "FILE")]
    pub key_file: Option<PathBuf>,
    /// How the meter's maker bends CJ/T 188: standard, no-valve, high-bits, valve-2a, cubic-metres, clock-high-first
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// Whose payloads a LoRaWAN device sends: ugm, jooby-mxi, vega-gm2
    #[arg(long, value_name = "NAME")]
    pub payload: Option<String>,
    /// LoRaWAN 1.1: index of data rate and channel, and the counter of the frame that is acknowledged; its MIC has them
    #[arg(long, value_name = "RATE,CHANNEL[,COUNTER]")]
    pub radio: Option<RadioArg>,
    /// What a CoAP answer is about, which it does not say itself, as 19/0/0
    #[arg(long, value_name = "PATH")]
    pub path: Option<PathArg>,
}

/// What enters the MIC of LoRaWAN 1.1.
#[derive(Clone, Copy, Debug)]
pub struct RadioArg(pub Radio);

impl std::str::FromStr for RadioArg {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong =
            "two or three numbers with commas: data rate 0 to 15, channel 0 to 255, counter 0 to 65535";
        let numbers: Option<Vec<u16>> = text.split(',').map(|part| part.trim().parse().ok()).collect();
        let (rate, channel, acknowledged) = match numbers.as_deref() {
            Some(&[rate, channel]) => (rate, channel, 0),
            Some(&[rate, channel, counter]) => (rate, channel, counter),
            _ => return Err(wrong),
        };
        let data_rate = u8::try_from(rate).ok().filter(|rate| *rate < 16).ok_or(wrong)?;
        let channel = u8::try_from(channel).map_err(|_| wrong)?;
        Ok(Self(Radio { acknowledged, data_rate, channel }))
    }
}

/// A path of LwM2M.
#[derive(Clone, Copy, Debug)]
pub struct PathArg(pub ObjectPath);

impl std::str::FromStr for PathArg {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let numbers: Option<Vec<u16>> =
            text.trim_matches('/').split('/').map(|part| part.parse().ok()).collect();
        match numbers {
            Some(numbers) if numbers.len() <= 4 => Ok(Self(ObjectPath::new(&numbers))),
            _ => Err("object, instance and so on as up to four numbers with / between them"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_radio_and_path_are_read_and_others_refused() {
        let radio: RadioArg = "5,2,700".parse().unwrap();
        assert_eq!(radio.0, Radio { data_rate: 5, channel: 2, acknowledged: 700 });
        assert_eq!("0,0".parse::<RadioArg>().unwrap().0, Radio::default());
        for wrong in ["", "5", "16,0", "0,256", "1,2,65536", "1,2,3,4", "a,b"] {
            assert!(wrong.parse::<RadioArg>().is_err(), "{wrong}");
        }
        assert_eq!("/19/0/0".parse::<PathArg>().unwrap().0, ObjectPath::new(&[19, 0, 0]));
        for wrong in ["", "rd", "1/2/3/4/5", "70000"] {
            assert!(wrong.parse::<PathArg>().is_err(), "{wrong}");
        }
    }
}
