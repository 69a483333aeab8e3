// SPDX-License-Identifier: MIT OR Apache-2.0
//! Meters on lines.

use std::fs;
use std::path::{Path, PathBuf};

use gasd_lab::clock::{now_ns, wall_s};
use gasd_lab::pty::Pty;
use gasd_lab::{Bus, Line, Meter, Shared, Truth, cjt188, dlt645, hart, mbus, modbus};
use gasd_meters::cjt188::{Order, Profile};
use gasd_meters::dlt645::Standard;
use gasd_meters::hex::Hex;
use gasd_meters::wmbus::Key;

use crate::arguments::{Protocol, Serial, WiredSecurity};
use crate::units::key;
use crate::watch::watch;

const MS: u64 = 1_000_000;

impl Protocol {
    /// Speed, the parity that its meters mostly have, and the slowest answer that its standard allows, ns.
    const fn habits(self) -> (u32, &'static str, u64) {
        match self {
            Self::Cjt188 | Self::Dlt645 => (2_400, "8E1", 500 * MS),
            Self::Dlt645Of1997 => (1_200, "8E1", 500 * MS),
            // 330 bits and 50 ms.
            Self::Mbus => (2_400, "8E1", 187 * MS),
            Self::Modbus => (9_600, "8N1", 400 * MS),
            Self::Hart => (1_200, "8O1", 256 * MS),
        }
    }

    /// The first address, and the last that there can be.
    const fn addresses(self) -> (u64, u64) {
        match self {
            Self::Cjt188 => (33_780_000_000_001, 99_999_999_999_999),
            Self::Dlt645 | Self::Dlt645Of1997 => (202_600_000_001, 999_999_999_998),
            Self::Mbus => (10_000_001, 99_999_999),
            Self::Modbus => (1, 247),
            Self::Hart => (0, 63),
        }
    }
}

/// Serves them.
pub fn run(asked: &Serial) -> Result<(), String> {
    let from_ns = now_ns();
    let (baud, parity, _) = asked.protocol.habits();
    let baud = asked.baud.unwrap_or(baud);
    let mut served = Vec::new();
    let mut names = Vec::new();
    let mut links = Vec::new();
    for n in 0..asked.lines {
        let seed = asked.meter.seed.wrapping_add(u64::from(n));
        let line = Line { echo: asked.echo, noise: asked.noise(), seed, ..Line::new(baud) };
        let mut meters: Vec<Box<dyn Meter>> = Vec::new();
        for m in 0..asked.count {
            let (name, truth, meter) =
                make(asked, from_ns, u64::from(n) * u64::from(asked.count) + u64::from(m), m)?;
            names.push((name, truth));
            meters.push(meter);
        }
        let pty = Pty::open(Bus::new(line, meters)).map_err(|error| format!("no serial port: {error}"))?;
        let here: Vec<&str> =
            names.iter().rev().take(asked.count.into()).rev().map(|(name, _)| &name[..]).collect();
        println!("{}  {baud} baud {parity}: {}", pty.path().display(), here.join(", "));
        if let Some(link) = &asked.link {
            let link = if asked.lines == 1 { link.clone() } else { numbered(link, n) };
            links.push(Link::new(pty.path(), link)?);
        }
        served.push(pty);
    }
    let until_ns = asked.meter.duration.map(|duration| from_ns.saturating_add(duration));
    watch(&names, from_ns, until_ns)?;
    for pty in &served {
        let (corrupted, all) = pty.bus().corrupted();
        println!("{}: {all} bytes, of which {corrupted} arrived as others", pty.path().display());
    }
    Ok(())
}

/// Meter `n` of all, the `place`th on its line.
fn make(asked: &Serial, from_ns: u64, n: u64, place: u8) -> Result<(String, Shared, Box<dyn Meter>), String> {
    let (first, last) = asked.protocol.addresses();
    // Where the addresses are few, each line begins with the first.
    let few = matches!(asked.protocol, Protocol::Modbus | Protocol::Hart);
    let address = asked.address.unwrap_or(first) + if few { u64::from(place) } else { n };
    if address > last {
        return Err(format!("address {address} is above {last}, the last that this protocol has"));
    }
    let mut truth = Truth::new(asked.meter.register(n, from_ns));
    truth.wall_s = wall_s();
    let truth = truth.shared();
    let (_, _, slowest_ns) = asked.protocol.habits();
    let habits = asked.behaviour.habits(asked.meter.seed.wrapping_add(n), from_ns, slowest_ns);
    let quirky = asked.behaviour.quirky;
    let wrong = |error| format!("address {address}: {error}");
    let (name, meter): (String, Box<dyn Meter>) = match asked.protocol {
        Protocol::Cjt188 => {
            let mut settings = cjt188::Settings::new(format!("{address:014}").parse().map_err(wrong)?);
            if quirky {
                settings.quirks = cjt188::Quirks::ALL;
                (settings.order, settings.profile) = (Order::HighFirst, Profile::CLOCK_HIGH_FIRST);
            }
            (settings.address.to_string(), Box::new(cjt188::GasMeter::new(settings, habits, truth.clone())))
        }
        Protocol::Dlt645 | Protocol::Dlt645Of1997 => {
            let mut settings = dlt645::Settings::new(format!("{address:012}").parse().map_err(wrong)?);
            if asked.protocol == Protocol::Dlt645Of1997 {
                settings.standard = Standard::V1997;
            }
            if quirky {
                settings.quirks = dlt645::Quirks::ALL;
            }
            (
                settings.address.to_string(),
                Box::new(dlt645::SwitchMeter::new(settings, habits, truth.clone())),
            )
        }
        Protocol::Mbus => {
            let mut number = [0; 4];
            if !gasd_meters::bcd::encode(address, &mut number) {
                return Err(format!("{address} has more than eight digits"));
            }
            let primary = place.saturating_add(1).min(250);
            let mut settings = mbus::Settings::new(primary, number);
            settings.telegrams = asked.telegrams.max(1);
            if quirky {
                settings.quirks = mbus::Quirks::ALL;
            }
            let name = format!("{primary} ({})", settings.secondary);
            let meter = mbus::GasMeter::new(settings, habits, truth.clone());
            let Some((mode, cipher, told)) = cipher(asked, from_ns, n) else {
                return Ok((name, truth, Box::new(meter)));
            };
            println!("{name}: {mode}, key {}", Hex(&told));
            (name, Box::new(meter.encrypting(cipher)))
        }
        Protocol::Modbus => {
            let mut settings = modbus::Settings::new(address as u8);
            if quirky {
                settings.quirks = modbus::Quirks::ALL;
            }
            let name = format!("unit {address}");
            (name, Box::new(modbus::Corrector::new(settings, habits, truth.clone())))
        }
        Protocol::Hart => {
            let mut settings = hart::Settings::new(address as u8, 1_000 + n as u16);
            if quirky {
                settings.quirks = hart::Quirks::ALL;
            }
            let name = format!("poll {address} ({})", settings.tag);
            (name, Box::new(hart::FlowComputer::new(settings, habits, truth.clone())))
        }
    };
    Ok((name, truth, meter))
}

/// How a meter of wired M-Bus encrypts, and its key, which is no secret.
fn cipher(asked: &Serial, from_ns: u64, n: u64) -> Option<(&'static str, mbus::Cipher, [u8; 16])> {
    let told = key(asked.meter.seed, n as u32, 4);
    // Counters rise from one run to the next, too.
    let counter = u32::try_from(wall_s().saturating_add((from_ns / 1_000_000_000) as i64)).unwrap_or(1);
    match asked.security {
        WiredSecurity::Open => None,
        WiredSecurity::Mode5 => Some(("mode 5", mbus::Cipher::Mode5(Key::new(told)), told)),
        WiredSecurity::Mode7 => Some(("mode 7", mbus::Cipher::Mode7(Key::new(told), counter), told)),
    }
}

fn numbered(link: &Path, n: u8) -> PathBuf {
    let mut name = link.as_os_str().to_owned();
    name.push(n.to_string());
    name.into()
}

/// A symbolic link, removed at the end.
pub struct Link(PathBuf);

impl Link {
    /// One that was left by another run is replaced, anything else is not touched.
    pub fn new(to: &Path, link: PathBuf) -> Result<Self, String> {
        let wrong = |error| format!("{}: {error}", link.display());
        if fs::symlink_metadata(&link).is_ok_and(|found| found.is_symlink()) {
            fs::remove_file(&link).map_err(wrong)?;
        }
        std::os::unix::fs::symlink(to, &link).map_err(wrong)?;
        println!("{} -> {}", link.display(), to.display());
        Ok(Self(link))
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        // It may have been removed by another.
        let _removed = fs::remove_file(&self.0);
    }
}
