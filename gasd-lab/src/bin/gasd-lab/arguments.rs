// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command line.

use std::net::SocketAddr;
use std::ops::Range;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use gasd_lab::habits::{Late, ValveHabits};
use gasd_lab::loss::Loss;
use gasd_lab::truth::Motor;
use gasd_lab::{Habits, Noise, Register};

use crate::radio::Wmbus;
use crate::units::{between, cubic_metres, share, span};

/// Meters that are not there: on serial ports, on the radio, behind a LoRaWAN gateway, on NB-IoT.
///
/// They answer as meters do, with noise, late, or not at all if asked to, until Ctrl-C. Spans of time are written as 500ms, 4s,
/// 15m or 2h, shares as 5% or 200ppm. The same seed gives the same meters.
#[derive(Parser)]
#[command(name = "gasd-lab", version)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    /// Meters on a line of two wires, behind a serial port that any program opens
    #[command(after_help = "Examples:
  gasd-lab serial --protocol cjt188 --count 8 --link /tmp/meters
  gasd-lab serial --protocol mbus --address 12345678 --telegrams 3 --quirky
  gasd-lab serial --protocol mbus --security mode7 --count 2 --link /tmp/meters
  gasd-lab serial --protocol modbus --baud 9600 --noise 5% --burst 4 --echo
  gasd-lab serial --protocol cjt188 --dead 60s..90s --late 5% --valve-answer-lost 20%")]
    Serial(Serial),
    /// Meters of wireless M-Bus and the receiver that hears them, behind a serial port that any program opens
    #[command(after_help = "Examples:
  gasd-lab wmbus --count 4 --security mode7 --link /tmp/radio --every 10s
  gasd-lab wmbus --form stick --security mode5 --lost 10% --repeated 30% --damaged 5%
  gasd-lab wmbus --count 2 --security mode7 --wrong-keys 1 --replayed 20% --altered 20%
  gasd-lab wmbus --form lines --security link-layer --compact 7 --dead 60s..90s")]
    Wmbus(Wmbus),
    /// LoRaWAN devices and the gateway that hears them: Semtech's packet forwarder
    #[command(after_help = "Example:
  gasd-lab lorawan --to 127.0.0.1:1700 --count 4 --otaa --every 30s --drop 5%")]
    Lorawan(Lorawan),
    /// NB-IoT meters: LwM2M clients that carry CJ/T 188 in object 19
    #[command(after_help = "Example:
  gasd-lab lwm2m --to 127.0.0.1:5683 --count 10 --every 1m --drop 10% --duplicate 5%")]
    Lwm2m(Lwm2m),
}

/// What a meter speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Protocol {
    /// CJ/T 188, gas meters with a valve; 2400 baud
    Cjt188,
    /// DL/T 645-2007; 2400 baud
    Dlt645,
    /// DL/T 645-1997; 1200 baud
    #[value(name = "dlt645-1997")]
    Dlt645Of1997,
    /// Wired M-Bus, gas meters with a valve; 2400 baud
    Mbus,
    /// Modbus RTU, volume correctors; 9600 baud
    Modbus,
    /// HART, flow computers; 1200 baud
    Hart,
}

/// How meters of wired M-Bus encrypt what they say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum WiredSecurity {
    /// Not at all
    Open,
    /// AES-CBC (mode 5)
    Mode5,
    /// AES-CBC and a code that vouches for it, with a message counter (mode 7)
    Mode7,
}

#[derive(Args)]
pub struct Serial {
    /// What the meters speak
    #[arg(long)]
    pub protocol: Protocol,
    /// The first meter's address, those of the others count up: 14 digits of CJ/T 188, 12 of DL/T 645, 8 of M-Bus (secondary; the
    /// primary ones count from 1), 1-247 of Modbus, 0-63 of HART
    #[arg(long)]
    pub address: Option<u64>,
    /// Meters on a line
    #[arg(long, default_value_t = 1)]
    pub count: u8,
    /// Lines, each with a port and meters of its own
    #[arg(long, default_value_t = 1)]
    pub lines: u8,
    /// A symbolic link to the port; with several lines to each, with its number behind
    #[arg(long)]
    pub link: Option<PathBuf>,
    /// Speed [default: as the protocol's meters mostly have]
    #[arg(long)]
    pub baud: Option<u32>,
    /// The adapter hears what it sends
    #[arg(long)]
    pub echo: bool,
    /// How many of the bytes arrive as others, either way
    #[arg(long, value_parser = share, default_value = "0%")]
    pub noise: u32,
    /// How many of those in a row, on average
    #[arg(long, default_value_t = 1)]
    pub burst: u32,
    /// How often a byte comes from nowhere, in the time of a byte
    #[arg(long, value_parser = share, default_value = "0%")]
    pub stray: u32,
    /// Telegrams of one reading (M-Bus)
    #[arg(long, default_value_t = 1)]
    pub telegrams: u8,
    /// How the meters encrypt what they say (M-Bus); their keys are printed
    #[arg(long, value_enum, default_value = "open")]
    pub security: WiredSecurity,
    #[command(flatten)]
    pub behaviour: Behaviour,
    #[command(flatten)]
    pub meter: Meter,
}

impl Serial {
    pub const fn noise(&self) -> Noise {
        Noise { corrupt_ppm: self.noise, burst: self.burst, stray_ppm: self.stray }
    }
}

/// How meters on a line behave.
#[derive(Args)]
pub struct Behaviour {
    /// As meters are in the field: garbage around frames, pauses in them, other addresses and numbers than asked, fields of FF
    #[arg(long)]
    pub quirky: bool,
    /// How many answers come too late
    #[arg(long, value_parser = share, default_value = "0%")]
    late: u32,
    /// How late those are
    #[arg(long, value_parser = span, default_value = "3s")]
    late_by: u64,
    /// When they are dead, counted from the start: 60s..90s, or 60s.. for good; may be given again
    #[arg(long, value_parser = between)]
    dead: Vec<Range<u64>>,
    /// They sleep through the first of so many requests
    #[arg(long, default_value_t = 0)]
    sleep_through: u32,
    /// How long a valve moves
    #[arg(long, value_parser = span, default_value = "4s")]
    valve_time: u64,
    /// Valves are stuck
    #[arg(long)]
    valve_stuck: bool,
    /// Meters refuse to move their valves
    #[arg(long)]
    valve_refuses: bool,
    /// How many answers to valve commands are lost, which are carried out all the same
    #[arg(long, value_parser = share, default_value = "0%")]
    valve_answer_lost: u32,
    /// The answer to a valve command shows the valve on its way, not where it was sent
    #[arg(long)]
    valve_honest: bool,
}

impl Behaviour {
    /// The habits of one meter, which is slow up to `slowest_ns` where it is quirky.
    pub fn habits(&self, seed: u64, from_ns: u64, slowest_ns: u64) -> Habits {
        let base =
            if self.quirky { Habits::quirky(seed, slowest_ns) } else { Habits { seed, ..Habits::default() } };
        let dead =
            |range: &Range<u64>| from_ns.saturating_add(range.start)..from_ns.saturating_add(range.end);
        Habits {
            late: (self.late > 0).then_some(Late { ppm: self.late, after_ns: self.late_by }),
            dead: self.dead.iter().map(dead).collect(),
            sleeps_through: self.sleep_through,
            valve: ValveHabits {
                motor: Motor {
                    time_ns: self.valve_time,
                    stuck: self.valve_stuck,
                    refuses: self.valve_refuses,
                },
                answer_lost_ppm: self.valve_answer_lost,
                honest: self.valve_honest,
            },
            ..base
        }
    }
}

/// What meters measure.
#[derive(Args)]
pub struct Meter {
    /// What the first meter shows at the start, m³; each further one 100 m³ more
    #[arg(long, value_parser = cubic_metres, default_value = "1234.56")]
    volume: u64,
    /// Flow, m³ an hour
    #[arg(long, value_parser = cubic_metres, default_value = "1.5")]
    flow: u64,
    /// What everything is drawn from
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Ends after this time [default: at Ctrl-C]
    #[arg(long = "for", value_parser = span)]
    pub duration: Option<u64>,
}

impl Meter {
    pub fn register(&self, n: u64, from_ns: u64) -> Register {
        let base_ul = self.volume.saturating_add(n.saturating_mul(100_000_000_000));
        Register { base_ul, from_ns, flow_ul_per_h: self.flow, ..Register::default() }
    }
}

/// How a network loses.
#[derive(Args)]
pub struct Network {
    /// How many datagrams are lost, either way
    #[arg(long, value_parser = share, default_value = "0%")]
    drop: u32,
    /// How many come twice
    #[arg(long, value_parser = share, default_value = "0%")]
    duplicate: u32,
    /// How many are overtaken by others
    #[arg(long, value_parser = share, default_value = "0%")]
    reorder: u32,
}

impl Network {
    pub const fn loss(&self, seed: u64) -> Loss {
        Loss { drop_ppm: self.drop, duplicate_ppm: self.duplicate, reorder_ppm: self.reorder, seed }
    }
}

/// The make of a LoRaWAN device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Make {
    /// Ultrasonic gas meters
    Ugm,
    /// Modems on a meter's wheel
    VegaGm2,
}

#[derive(Args)]
pub struct Lorawan {
    /// The network server, or whoever takes a packet forwarder's datagrams
    #[arg(long)]
    pub to: SocketAddr,
    /// Devices behind the gateway
    #[arg(long, default_value_t = 1)]
    pub count: u16,
    /// Their make
    #[arg(long, value_enum, default_value = "ugm")]
    pub payload: Make,
    /// They join (OTAA) instead of having a session from the start (ABP)
    #[arg(long)]
    pub otaa: bool,
    /// How often each sends
    #[arg(long, value_parser = span, default_value = "1m")]
    pub every: u64,
    /// They want their frames to be acknowledged
    #[arg(long)]
    pub confirmed: bool,
    /// They always listen (class C)
    #[arg(long)]
    pub class_c: bool,
    /// How many frames the gateway does not hear
    #[arg(long, value_parser = share, default_value = "0%")]
    pub unheard: u32,
    #[command(flatten)]
    pub network: Network,
    #[command(flatten)]
    pub meter: Meter,
}

#[derive(Args)]
pub struct Lwm2m {
    /// The LwM2M server
    #[arg(long)]
    pub to: SocketAddr,
    /// Clients, each with a socket of its own
    #[arg(long, default_value_t = 1)]
    pub count: u16,
    /// What they call themselves, with a number behind
    #[arg(long, default_value = "86612345678")]
    pub endpoint: String,
    /// How often each tells its data
    #[arg(long, value_parser = span, default_value = "1m")]
    pub every: u64,
    /// How long a registration lasts
    #[arg(long, value_parser = span, default_value = "1h")]
    pub lifetime: u64,
    /// What is told does not want to be acknowledged
    #[arg(long)]
    pub non_confirmable: bool,
    /// Readings in one report
    #[arg(long, default_value_t = 1)]
    pub readings: u8,
    /// Bytes of a block: 16, 32, 64, 128, 256, 512 or 1024
    #[arg(long, default_value_t = 512)]
    pub block: u32,
    /// They sleep, and hear only for so long after they have sent something
    #[arg(long, value_parser = span)]
    pub awake: Option<u64>,
    #[command(flatten)]
    pub network: Network,
    #[command(flatten)]
    pub meter: Meter,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn every_option_is_sound_and_the_examples_are_taken() {
        Cli::command().debug_assert();
        let mut all = 0;
        for mut command in Cli::command().get_subcommands().cloned() {
            let help = command.render_long_help().to_string();
            for example in help.lines().filter(|line| line.starts_with("  gasd-lab ")) {
                let parsed = Cli::try_parse_from(example.split_whitespace());
                assert!(
                    parsed.is_ok(),
                    "{example}: {}",
                    parsed.err().map(|e| e.to_string()).unwrap_or_default()
                );
                all += 1;
            }
        }
        assert_eq!(all, 11);
    }
}
