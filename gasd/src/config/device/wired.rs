// SPDX-License-Identifier: MIT OR Apache-2.0
//! Devices that are asked on a wire: what of their `device` tables is their own.

use gasd_meters::drive::{Device, HartSelect, guess};
use gasd_meters::{cjt188, dlt645, hart, mbus};

use super::{Protocol, Talk};
use crate::config::channels;
use crate::config::error::ErrorKind;
use crate::config::near::nearest;
use crate::config::registers;
use crate::config::report::Report;
use crate::config::section::{Field, Section};
use crate::config::sense::Sense;

const TYPE: &str = "the type of the meter, like 0x30 for gas";
const NO_BROADCAST: &str =
    "12 digits of one meter; 999999999999 is the broadcast address, which nobody answers";
const REGISTER: &str = "the identifier of its register, like \"00010000\" or \"9010\"";

pub(super) fn talk(
    report: &mut Report<'_>,
    protocol: Protocol,
    section: &Section<'_>,
    address: &Field<'_>,
    written: &str,
) -> Option<Talk> {
    let bad = |report: &mut Report<'_>, expected: &'static str| {
        address.senseless(report, Sense::Address { expected });
    };
    match protocol {
        Protocol::Auto => {
            let hints = hints(report, section);
            let devices = guess::devices(written, &hints?);
            if devices.is_empty() {
                bad(
                    report,
                    "an address of any protocol on wires, or \"any\" for a meter that is alone on its line",
                );
                return None;
            }
            Some(Talk::Auto(devices))
        }
        Protocol::Cjt188 => {
            let profile = dialect(report, section);
            let kind = kind(report, section);
            let Ok(address) = written.parse::<cjt188::Address>() else {
                bad(report, "14 digits, the maker's four first");
                return None;
            };
            Some(Talk::Wired(Device::Cjt188 { address, kind: kind?, profile: *profile? }))
        }
        Protocol::Dlt645 => {
            let standard = edition(report, section);
            let Ok(address) = written.parse::<dlt645::Address>() else {
                bad(report, "12 digits");
                return None;
            };
            if address.is_broadcast() {
                bad(report, NO_BROADCAST);
                return None;
            }
            let standard = standard?;
            let di = di(report, section, standard)?;
            Some(Talk::Wired(Device::Dlt645 { address, standard, di, authority: None }))
        }
        Protocol::Mbus => {
            let valve = section.get("valve").map(|field| registers::output(report, &field));
            let Some(target) = mbus::Target::written(written) else {
                bad(report, "0 to 250, or eight digits, or \"12345678.ELS.33.03\"");
                return None;
            };
            let valve = match valve {
                Some(valve) => Some(valve?),
                None => None,
            };
            Some(Talk::Wired(Device::Mbus { target, valve }))
        }
        Protocol::Modbus => {
            let map = registers::map(report, section);
            let valve = section.get("valve").map(|field| registers::valve(report, &field));
            let Some(unit @ 1..=247) = written.parse::<u8>().ok() else {
                bad(report, "a unit from 1 to 247");
                return None;
            };
            let valve = match valve {
                Some(valve) => Some(valve?),
                None => None,
            };
            let map = map?;
            if let Some(why) = valve.and_then(|valve| channels::valve_in_map(&map, valve)) {
                section.get("valve")?.refuse_whole(report, ErrorKind::Sense(Sense::Registers(why)));
                return None;
            }
            Some(Talk::Wired(Device::Modbus { unit, map, valve }))
        }
        Protocol::Hart => match HartSelect::written(written) {
            Some(select) => Some(Talk::Wired(Device::Hart { select, master: hart::Master::Primary })),
            None => {
                bad(report, "0 to 63 for a polling address, or up to eight characters of a tag");
                None
            }
        },
        // They speak by themselves.
        Protocol::Wmbus | Protocol::LoRaWan | Protocol::LwM2m => None,
    }
}

/// What is said of a meter whose protocol is not.
fn hints(report: &mut Report<'_>, section: &Section<'_>) -> Option<guess::Hints> {
    let profile = dialect(report, section);
    let kind = kind(report, section);
    let map = section.get("registers").map(|_| registers::map(report, section));
    let profile = section.get("dialect").map(|_| profile);
    let kind = section.get("type").map(|_| kind);
    Some(guess::Hints { kind: all(kind)?, profile: all(profile)?, map: all(map)? })
}

/// What may be left out, and must be good where it is not.
fn all<T>(found: Option<Option<T>>) -> Option<Option<T>> {
    found.map_or(Some(None), |found| found.map(Some))
}

/// The type of a CJ/T 188 meter; gas by default.
pub(super) fn kind(report: &mut Report<'_>, section: &Section<'_>) -> Option<u8> {
    const GAS: u8 = 0x30;
    let Some(field) = section.get("type") else { return Some(GAS) };
    let kind = field.integer(report, u32::MAX, TYPE)?;
    let kind = u8::try_from(kind).ok().filter(|kind| (0x10..=0x49).contains(kind));
    if kind.is_none() {
        let expected = "0x10 to 0x49; gas meters have 0x30 to 0x39";
        field.senseless(report, Sense::NotOne { what: "type of a CJ/T 188 meter", expected });
    }
    kind
}

pub(super) fn dialect(report: &mut Report<'_>, section: &Section<'_>) -> Option<&'static cjt188::Profile> {
    let Some(field) = section.get("dialect") else { return Some(&cjt188::Profile::STANDARD) };
    let name = field.string(report, "how its maker bends the standard, like \"no-valve\"")?;
    let found = cjt188::Profile::named(name);
    if found.is_none() {
        let known: Vec<&'static str> = cjt188::PROFILES.iter().map(|profile| profile.name).collect();
        let near = nearest(name, known.iter().copied());
        field.refuse(report, ErrorKind::UnknownWord { near, known });
    }
    found
}

fn edition(report: &mut Report<'_>, section: &Section<'_>) -> Option<dlt645::Standard> {
    let words = [("2007", dlt645::Standard::V2007), ("1997", dlt645::Standard::V1997)];
    match section.get("edition") {
        Some(field) => field.word(report, "\"2007\" or \"1997\"", &words),
        None => Some(dlt645::Standard::V2007),
    }
}

/// The identifier of the register; of an electric meter the forward energy.
fn di(report: &mut Report<'_>, section: &Section<'_>, standard: dlt645::Standard) -> Option<dlt645::Di> {
    let field = section.required(report, "register", REGISTER)?;
    let text = field.string(report, REGISTER)?;
    let hex = |digits: usize| (text.len() == digits).then(|| u32::from_str_radix(text, 16).ok()).flatten();
    let di = match standard {
        dlt645::Standard::V2007 => hex(8).map(dlt645::Di::Long),
        dlt645::Standard::V1997 => hex(4).and_then(|di| u16::try_from(di).ok()).map(dlt645::Di::Short),
    };
    if di.is_none() {
        let (what, expected) = match standard {
            dlt645::Standard::V2007 => (
                "identifier of the edition of 2007",
                "eight hex digits, like \"00010000\"; for the four of 1997, like \"9010\", add edition = \"1997\"",
            ),
            dlt645::Standard::V1997 => (
                "identifier of the edition of 1997",
                "four hex digits, like \"9010\"; the eight of 2007 go without edition",
            ),
        };
        field.senseless(report, Sense::NotOne { what, expected });
    }
    di
}
