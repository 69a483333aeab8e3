// SPDX-License-Identifier: MIT OR Apache-2.0
//! What may be typed after `gasctl scan`, and after `gasctl doctor` about a port.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use gasd_meters::detect::Protocol;
use gasd_ports::wire;

/// A speed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Baud {
    /// The usual ones.
    Auto,
    /// This one.
    Is(u32),
}

impl std::str::FromStr for Baud {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse() {
            _ if text == "auto" => Ok(Self::Auto),
            Ok(baud @ 300..=1_000_000) => Ok(Self::Is(baud)),
            _ => Err("a speed from 300 to 1000000, or auto".to_owned()),
        }
    }
}

/// A parity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Parity {
    /// Even.
    Even,
    /// Odd.
    Odd,
    /// None.
    None,
    /// All of them, one after the other.
    Auto,
}

impl Parity {
    /// The one that is meant; `None` for all.
    pub const fn one(self) -> Option<wire::Parity> {
        match self {
            Self::Even => Some(wire::Parity::Even),
            Self::Odd => Some(wire::Parity::Odd),
            Self::None => Some(wire::Parity::None),
            Self::Auto => None,
        }
    }
}

/// Reads a protocol's name.
fn protocol(text: &str) -> Result<Protocol, String> {
    let known = Protocol::ALL.map(Protocol::name);
    Protocol::ALL
        .into_iter()
        .find(|protocol| protocol.name() == text)
        .ok_or_else(|| format!("one of {}", known.join(", ")))
}

/// Reads how long a meter may think, ns, as `answer` of a port has it: `3 s`, `800 ms`.
fn answer(text: &str) -> Result<u64, String> {
    let at = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(at);
    let factor = match unit.trim() {
        "s" => 1e9,
        "ms" => 1e6,
        _ => 0.0,
    };
    let ns = number.parse::<f64>().map_or(0.0, |number| (number * factor).round()) as u64;
    let known = (10_000_000..=60_000_000_000).contains(&ns);
    known.then_some(ns).ok_or_else(|| "a duration from 10 ms to 60 s, as '3 s'".to_owned())
}

const AFTER: &str = "\
A port of gasd's is gasd's to search on, and its readings and valves go first. Any other device or server is opened here, and
locked meanwhile. Ctrl-C ends it; what was found until then is shown. A whole search takes long: Modbus alone has 247 addresses,
of a second each.

Without --baud the usual speeds are tried until somebody answers: 2400, 9600, 1200, 300, 4800, 19200, 38400. Without --parity each
protocol has its own: HART odd, the others even.

A meter that is slower than its protocol has it is found within 3 s where whoever is there can be asked (CJ/T 188, DL/T 645), else within
twice the usual time; --answer has it wait longer. What is slow is told, and the tables have an `answer` that is long enough.

On ports of wireless M-Bus, LoRaWAN and LwM2M nobody can be asked: what was heard there and is not configured is shown.

Exit status: 0 something was found, 1 gasd refused or broke off, 2 wrong usage, 3 gasd cannot be reached, 4 no permission, 5 nothing was found,
6 the port is in use, is not there or cannot be opened.

Examples:
  gasctl scan cellar                           a port of gasd's
  gasctl scan /dev/ttyUSB0 --protocol cjt188 --protocol dlt645
  gasctl scan 192.0.2.7:4001 --baud 9600
  gasctl scan /dev/ttyUSB0 --write /etc/gasd/conf.d/50-cellar.toml
  gasctl --json scan cellar | jq -c 'select(.event == \"found\")'";

/// Looks for meters.
#[derive(Args, Clone, Debug)]
#[command(after_help = AFTER)]
pub struct ScanArgs {
    /// The id of a port, a device, or HOST:PORT of a serial server
    #[arg(value_name = "PORT")]
    pub port: String,
    /// Only ask in this protocol: dlt645, cjt188, mbus, hart, modbus; may be given several times
    #[arg(long = "protocol", value_name = "NAME", value_parser = protocol)]
    pub protocols: Vec<Protocol>,
    /// The line's speed, or auto; only for a port that gasd does not have
    #[arg(long, value_name = "N|auto")]
    pub baud: Option<Baud>,
    /// The line's parity; auto tries all; only for a device that gasd does not have
    #[arg(long, value_name = "PARITY")]
    pub parity: Option<Parity>,
    /// How long a meter may think before it answers: '5 s'; only for a port that gasd does not have
    #[arg(long, value_name = "TIME", value_parser = answer)]
    pub answer: Option<u64>,
    /// End after so many seconds, with what was found until then
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub timeout: Option<u64>,
    /// Print only the meters
    #[arg(long)]
    pub quiet: bool,
    /// Write the tables into this file, which must not be there; gasd checks it before
    #[arg(long, value_name = "FILE")]
    pub write: Option<PathBuf>,
}

/// How a port is examined.
#[derive(Args, Clone, Debug, Default)]
pub struct LineArgs {
    /// The line's speed; of a port that gasd does not have
    #[arg(long, value_name = "N", requires = "port", value_parser = clap::value_parser!(u32).range(300..=1_000_000))]
    pub baud: Option<u32>,
    /// The line's parity; of a device that gasd does not have
    #[arg(long, value_name = "PARITY", requires = "port")]
    pub parity: Option<Parity>,
    /// How long to listen before anything is asked
    #[arg(long, value_name = "SECONDS", requires = "port", value_parser = clap::value_parser!(u64).range(1..=600))]
    pub listen: Option<u64>,
    /// Do not try other speeds and parities
    #[arg(long, requires = "port")]
    pub quick: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speeds_and_protocols_are_read_or_refused() {
        assert_eq!("auto".parse(), Ok(Baud::Auto));
        assert_eq!("2400".parse(), Ok(Baud::Is(2_400)));
        for bad in ["", "0", "299", "1000001", "fast"] {
            assert!(bad.parse::<Baud>().is_err(), "{bad}");
        }
        for (text, ns) in [("3 s", 3_000_000_000), ("1.5s", 1_500_000_000), ("800 ms", 800_000_000)] {
            assert_eq!(answer(text), Ok(ns), "{text}");
        }
        for bad in ["", "3", "0 s", "61 s", "5 ms", "-1 s", "1 h", "s", "1.2.3 s"] {
            assert!(answer(bad).is_err(), "{bad}");
        }
        assert_eq!(protocol("cjt188"), Ok(Protocol::Cjt188));
        assert!(protocol("wmbus").unwrap_err().contains("modbus"));
    }
}
