// SPDX-License-Identifier: MIT OR Apache-2.0
//! Meters of wireless M-Bus around a receiver on a serial port.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use gasd_lab::clock::{now_ns, wall_s};
use gasd_lab::pty::Pty;
use gasd_lab::wmbus::{Air, Fate, Form, Log, Protection, Receiver, Settings, Transmitter, look_at};
use gasd_lab::{Bus, Line, Noise, Truth};
use gasd_meters::hex::Hex;
use gasd_meters::wmbus::{Format, Key};

use crate::arguments::Meter;
use crate::serial::Link;
use crate::units::{between, key, share, span};
use crate::watch::watch;

/// What the receiver hands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Shape {
    /// Bytes with the CRCs of format A
    BinaryA,
    /// Bytes with the CRCs of format B
    BinaryB,
    /// Bytes whose CRCs the receiver has checked and removed
    Plain,
    /// Lines as rtl_wmbus writes them
    Lines,
    /// Lines of a CUL stick, format A
    Stick,
    /// Lines of a CUL stick, format B
    StickB,
    /// Frames of modules like AMB8465 in command mode
    Commands,
    /// The same, with a byte of signal strength that the length counts
    CommandsRssi,
}

/// How the meters protect what they say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Security {
    /// Not at all
    Open,
    /// By the extended link layer
    LinkLayer,
    /// AES-CBC (mode 5)
    Mode5,
    /// AES-CBC and a code that vouches for it, with a message counter (mode 7)
    Mode7,
}

#[derive(Args)]
pub struct Wmbus {
    /// Meters around the receiver
    #[arg(long, default_value_t = 1)]
    pub count: u16,
    /// The first meter's number, 8 digits; those of the others count up
    #[arg(long, default_value_t = 10_000_001)]
    pub address: u64,
    /// What the receiver hands on
    #[arg(long, value_enum, default_value = "binary-a")]
    pub form: Shape,
    /// How the meters protect what they say
    #[arg(long, value_enum, default_value = "open")]
    pub security: Security,
    /// So many of the meters, the last ones, have another key than is told
    #[arg(long, default_value_t = 0)]
    pub wrong_keys: u16,
    /// A symbolic link to the port
    #[arg(long)]
    pub link: Option<PathBuf>,
    /// How often each sends
    #[arg(long, value_parser = span, default_value = "10s")]
    pub every: u64,
    /// Compact telegrams after each full one (open and link-layer)
    #[arg(long, default_value_t = 0)]
    pub compact: u8,
    /// How many telegrams the receiver does not hear
    #[arg(long, value_parser = share, default_value = "0%")]
    pub lost: u32,
    /// In how many a byte arrives as another
    #[arg(long, value_parser = share, default_value = "0%")]
    pub damaged: u32,
    /// How many a repeater says once more
    #[arg(long, value_parser = share, default_value = "0%")]
    pub repeated: u32,
    /// After how many somebody sends an old one once more
    #[arg(long, value_parser = share, default_value = "0%")]
    pub replayed: u32,
    /// How many somebody sends once more with a changed byte and right CRCs (mode7)
    #[arg(long, value_parser = share, default_value = "0%")]
    pub altered: u32,
    /// When the meters are dead, counted from the start: 60s..90s, or 60s.. for good; may be given again
    #[arg(long, value_parser = between)]
    pub dead: Vec<Range<u64>>,
    /// How many bytes between receiver and host arrive as others
    #[arg(long, value_parser = share, default_value = "0%")]
    pub noise: u32,
    #[command(flatten)]
    pub meter: Meter,
}

impl Wmbus {
    fn air(&self, from_ns: u64) -> Air {
        let dead =
            |range: &Range<u64>| from_ns.saturating_add(range.start)..from_ns.saturating_add(range.end);
        Air {
            lost_ppm: self.lost,
            damaged_ppm: self.damaged,
            repeated_ppm: self.repeated,
            replayed_ppm: self.replayed,
            altered_ppm: self.altered,
            dead: self.dead.iter().map(dead).collect(),
        }
    }
}

/// A receiver and its meters.
pub fn wmbus(asked: &Wmbus) -> Result<(), String> {
    let from_ns = now_ns();
    let protection = match asked.security {
        Security::Open => Protection::Open,
        Security::LinkLayer => Protection::LinkLayer,
        Security::Mode5 => Protection::Mode5,
        Security::Mode7 => Protection::Mode7,
    };
    let form = match asked.form {
        Shape::BinaryA => Form::Binary(Format::A),
        Shape::BinaryB => Form::Binary(Format::B),
        Shape::Plain => Form::Binary(Format::Plain),
        Shape::Lines => Form::Lines,
        Shape::Stick => Form::Stick(Format::A),
        Shape::StickB => Form::Stick(Format::B),
        Shape::Commands => Form::Commands { rssi: false },
        Shape::CommandsRssi => Form::Commands { rssi: true },
    };
    if asked.compact > 0 && matches!(protection, Protection::Mode5 | Protection::Mode7) {
        return Err(
            "--compact goes with --security open or link-layer: modes 5 and 7 have no compact telegrams"
                .into(),
        );
    }
    let (mut meters, mut names, mut logs) = (Vec::new(), Vec::new(), Vec::new());
    for n in 0..asked.count {
        let mut number = [0; 4];
        let address = asked.address.saturating_add(n.into());
        if !gasd_meters::bcd::encode(address, &mut number) {
            return Err(format!("{address} has more than eight digits"));
        }
        let told = key(asked.meter.seed, n.into(), 4);
        let is_wrong = asked.count - n <= asked.wrong_keys;
        let own = if is_wrong { key(asked.meter.seed, n.into(), 5) } else { told };
        let settings = Settings {
            // Counters rise from one run to the next, too.
            counter: u32::try_from(wall_s().saturating_add((from_ns / 1_000_000_000) as i64)).unwrap_or(1),
            every_ns: asked.every,
            compact: asked.compact,
            air: asked.air(from_ns),
            ..Settings::new(number, protection, Key::new(own))
        };
        match protection {
            Protection::Open => println!("{}", settings.address),
            _ if is_wrong => println!("{}: key {}, which is not its own", settings.address, Hex(&told)),
            _ => println!("{}: key {}", settings.address, Hex(&told)),
        }
        let mut truth = Truth::new(asked.meter.register(n.into(), from_ns));
        truth.wall_s = wall_s();
        let (truth, name) = (truth.shared(), settings.address.to_string());
        // Spread, as meters do not all send at once.
        let first_ns = from_ns + asked.every / u64::from(asked.count) * u64::from(n);
        let meter =
            Transmitter::new(settings, truth.clone(), first_ns, asked.meter.seed.wrapping_add(n.into()));
        logs.push((name.clone(), meter.log().clone()));
        names.push((name, truth));
        meters.push(meter);
    }
    let line = Line { noise: Noise::share(asked.noise), seed: asked.meter.seed, ..Line::new(115_200) };
    let pty = Pty::open(Bus::new(line, vec![Box::new(Receiver::new(form, meters))]))
        .map_err(|error| format!("no pseudo-terminal: {error}"))?;
    println!("{}", pty.path().display());
    let _link = asked.link.as_ref().map(|link| Link::new(pty.path(), link.clone())).transpose()?;
    watch(&names, from_ns, asked.meter.duration.map(|duration| from_ns.saturating_add(duration)))?;
    for (name, log) in &logs {
        println!("{name}: {}", sums(log));
    }
    Ok(())
}

/// How many telegrams had which fate.
fn sums(log: &Log) -> String {
    let mut counts = BTreeMap::new();
    for sent in look_at(log).iter() {
        *counts.entry(sent.fate).or_insert(0_u64) += 1;
    }
    let word = |fate| match fate {
        Fate::Heard => "heard",
        Fate::Lost => "lost",
        Fate::Damaged => "damaged",
        Fate::Repeated => "repeated",
        Fate::Replayed => "replayed",
        Fate::Altered => "altered",
    };
    let counts: Vec<_> = counts.into_iter().map(|(fate, n)| format!("{n} {}", word(fate))).collect();
    if counts.is_empty() { "nothing sent".into() } else { counts.join(", ") }
}
