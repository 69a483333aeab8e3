// SPDX-License-Identifier: MIT OR Apache-2.0
//! A meter's `device`: how it is spoken to, or what it sends by itself.

mod air;

use std::path::PathBuf;

use gasd_meters::drive::{Device, HartSelect, Memory};
use gasd_meters::{Kind, Unit, Valve, cjt188, dlt645, hart, mbus};

use super::error::ErrorKind;
use super::near::nearest;
use super::registers;
use super::report::Report;
use super::section::{Field, Placed, Section};
use super::sense::Sense;

pub(super) const KEYS: &[&str] = &[
    "protocol",
    "address",
    "type",
    "dialect",
    "edition",
    "register",
    "registers",
    "count_from",
    "valve",
    "quantity",
    "unit",
    "payload",
    "pulse_volume",
    "scale",
    "number",
    "key_file",
];
pub(super) const EXPECTED: &str = "a table like { protocol = \"cjt188\", address = \"33780012345678\" }";
const PROTOCOL: &str = "how it speaks, like \"cjt188\"";
const ADDRESS: &str = "its address, like \"33780012345678\"";
const QUANTITY: &str = "the quantity that is watched: \"volume\", \"volume_m\" or \"volume_b\"";
const UNIT: &str = "the unit of its register, \"m3\" or \"L\"";
const TYPE: &str = "the type of the meter, like 0x30 for gas";
const REGISTER: &str = "the identifier of its register, like \"00010000\" or \"9010\"";
const KEY_FILE: &str = "an absolute path, like \"/etc/gasd/keys/flat-3\"";

/// A protocol, and the keys that mean something for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    Cjt188,
    Dlt645,
    Mbus,
    Modbus,
    Hart,
    Wmbus,
    LoRaWan,
    LwM2m,
}

const PROTOCOLS: [(&str, Protocol); 8] = [
    ("cjt188", Protocol::Cjt188),
    ("dlt645", Protocol::Dlt645),
    ("mbus", Protocol::Mbus),
    ("modbus", Protocol::Modbus),
    ("hart", Protocol::Hart),
    ("wmbus", Protocol::Wmbus),
    ("lorawan", Protocol::LoRaWan),
    ("lwm2m", Protocol::LwM2m),
];

impl Protocol {
    pub(super) fn name(self) -> &'static str {
        PROTOCOLS.iter().find(|(_, other)| *other == self).map_or("", |(name, _)| name)
    }

    /// Keys beside `protocol`, `address`, `quantity` and `unit` that mean something for it.
    const fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Cjt188 => &["type", "dialect"],
            Self::Dlt645 => &["edition", "register", "key_file"],
            Self::Mbus => &["valve"],
            Self::Modbus => &["registers", "count_from", "valve"],
            Self::Hart => &[],
            Self::Wmbus => &["key_file"],
            Self::LoRaWan => &["payload", "pulse_volume", "key_file"],
            Self::LwM2m => &["type", "dialect", "register", "scale", "number"],
        }
    }

    /// The kinds of port that carry it, for a message.
    pub(super) const fn ports(self) -> &'static str {
        match self {
            Self::Cjt188 | Self::Dlt645 | Self::Mbus | Self::Modbus | Self::Hart => "serial or tcp",
            Self::Wmbus => "wmbus",
            Self::LoRaWan => "lorawan",
            Self::LwM2m => "lwm2m",
        }
    }
}

/// How a meter on a port is spoken to.
#[derive(Clone, Debug, PartialEq)]
pub enum Talk {
    /// It is asked.
    Wired(Device),
    /// It sends wireless M-Bus.
    Wmbus(mbus::Address),
    /// It sends LoRaWAN.
    LoRaWan {
        /// Its DevEUI, or the DevAddr of one that never joins.
        address: LoRaAddress,
        /// What its payload is.
        payload: String,
        /// What a pulse is worth where the payload counts pulses, µL.
        pulse_volume_ul: Option<u64>,
    },
    /// It registers at the LwM2M server of the port.
    LwM2m {
        /// Its endpoint's name.
        endpoint: String,
        /// The CJ/T 188 meter whose frames object 19 carries.
        carried: Option<(cjt188::Address, u8, &'static cjt188::Profile)>,
        /// Its register where that is a resource of its own.
        register: Option<Resource>,
    },
}

impl Talk {
    /// Its protocol, as the configuration has it.
    #[must_use]
    pub fn protocol(&self) -> &'static str {
        match self {
            Self::Wired(device) => device.protocol().name(),
            Self::Wmbus(_) => "wmbus",
            Self::LoRaWan { .. } => "lorawan",
            Self::LwM2m { .. } => "lwm2m",
        }
    }

    /// Why no command of gasd moves its valve; `None` where one does.
    pub(super) fn why_no_valve(&self, has_keys: bool) -> Option<String> {
        match self {
            // Its password is in a file, which is not read here.
            Self::Wired(Device::Dlt645 { .. }) if has_keys => None,
            Self::Wired(device) => {
                device.valve(Valve::Closed, &Memory::default()).err().map(|why| why.to_string())
            }
            Self::Wmbus(_) => Some("is only heard: wireless M-Bus is not sent by gasd".to_owned()),
            Self::LoRaWan { .. } => Some("takes no command for a valve that is published".to_owned()),
            Self::LwM2m { .. } => Some("sleeps, and is not sent commands for its valve".to_owned()),
        }
    }
}

/// A register that is a resource of LwM2M.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resource {
    /// Object, instance and resource.
    pub path: [u16; 3],
    /// The power of ten that it is in.
    pub exponent: i8,
    /// Bytes are a number with a point, no integer.
    pub float: bool,
}

/// Who a LoRaWAN device is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LoRaAddress {
    /// It joins, or is known by it.
    DevEui(u64),
    /// It never joins.
    DevAddr(u32),
}

/// A meter's device.
#[derive(Clone, Debug, PartialEq)]
pub struct DeviceConfig {
    /// How it is spoken to.
    pub talk: Talk,
    /// The quantity that is watched; `None`: the only volume that it tells.
    pub quantity: Option<Kind>,
    /// The unit of its register, whatever it says.
    pub unit: Option<Unit>,
    /// The file that holds its keys or password.
    pub key_file: Option<PathBuf>,
}

/// A device, and what messages about it are placed by.
#[derive(Clone)]
pub(super) struct Draft<'a> {
    pub(super) protocol: Placed<'a, Protocol>,
    /// As it is written.
    pub(super) address: Placed<'a, String>,
    pub(super) config: DeviceConfig,
}

/// Reads `device`; `None` where the report says why.
pub(super) fn read<'a>(report: &mut Report<'_>, field: &Field<'a>) -> Option<Draft<'a>> {
    let section = field.section(report, EXPECTED, KEYS)?;
    let protocol = section
        .required(report, "protocol", PROTOCOL)
        .and_then(|field| field.word(report, PROTOCOL, &PROTOCOLS).map(|protocol| field.with(protocol)))?;
    let kind = protocol.value;
    let mut good = true;
    for key in KEYS.iter().filter(|key| !["protocol", "address", "quantity", "unit"].contains(key)) {
        if let Some(field) = section.get(key)
            && !kind.keys().contains(key)
        {
            field.refuse_whole(report, ErrorKind::Sense(Sense::NotOfProtocol { protocol: kind.name() }));
            good = false;
        }
    }
    let address = section.required(report, "address", ADDRESS);
    let written = address.as_ref().and_then(|field| as_written(report, field));
    let quantities =
        [("volume", Kind::Volume), ("volume_m", Kind::VolumeMeter), ("volume_b", Kind::VolumeBase)];
    let quantity = match section.get("quantity") {
        Some(field) => field.word(report, QUANTITY, &quantities).map(Some),
        None => Some(None),
    };
    let units = [("m3", Unit::CubicMetre), ("L", Unit::Litre)];
    let unit = match section.get("unit") {
        Some(field) => field.word(report, UNIT, &units).map(Some),
        None => Some(None),
    };
    let key_file = match section.get("key_file") {
        Some(field) => key_file(report, &field).map(Some),
        None => Some(None),
    };
    let (address, written) = (address?, written?);
    let talk = talk(report, kind, &section, &address, &written)?;
    let config = DeviceConfig { talk, quantity: quantity?, unit: unit?, key_file: key_file? };
    good.then_some(Draft { protocol, address: address.with(written), config })
}

/// An address is a string, or for those that are one a number.
fn as_written(report: &mut Report<'_>, field: &Field<'_>) -> Option<String> {
    if field.is_integer() {
        return field.integer(report, u32::MAX, ADDRESS).map(|number| number.to_string());
    }
    field.string(report, ADDRESS).map(str::to_owned)
}

fn key_file(report: &mut Report<'_>, field: &Field<'_>) -> Option<PathBuf> {
    let text = field.string(report, KEY_FILE)?;
    let path = PathBuf::from(text);
    if !path.is_absolute() || text.contains('\0') {
        field.refuse(report, ErrorKind::RelativePath { example: "/etc/gasd/keys/flat-3" });
        return None;
    }
    Some(path)
}

fn talk(
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
            let standard = standard?;
            let di = di(report, section, standard)?;
            Some(Talk::Wired(Device::Dlt645 { address, standard, di, authority: None }))
        }
        Protocol::Mbus => {
            let valve = section.get("valve").map(|field| registers::output(report, &field));
            let target = match written.parse::<u8>() {
                Ok(primary @ 0..=250) if written.len() <= 3 => mbus::Target::Primary(primary),
                _ => match written.parse::<mbus::Address>() {
                    Ok(address) => mbus::Target::Selected(address),
                    Err(_) => {
                        bad(report, "0 to 250, or eight digits, or \"12345678.ELS.33.03\"");
                        return None;
                    }
                },
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
            Some(Talk::Wired(Device::Modbus { unit, map: map?, valve }))
        }
        Protocol::Hart => match hart_address(written) {
            Some(select) => Some(Talk::Wired(Device::Hart { select, master: hart::Master::Primary })),
            None => {
                bad(report, "0 to 63 for a polling address, or up to eight characters of a tag");
                None
            }
        },
        Protocol::Wmbus => match written.parse::<mbus::Address>() {
            Ok(address) => Some(Talk::Wmbus(address)),
            Err(_) => {
                bad(report, "eight digits, or \"12345678.ELS.33.03\"");
                None
            }
        },
        Protocol::LoRaWan => air::lorawan(report, section, address, written),
        Protocol::LwM2m => air::lwm2m(report, section, written),
    }
}

fn hart_address(written: &str) -> Option<HartSelect> {
    match written.parse::<u8>() {
        Ok(poll @ 0..=63) => Some(HartSelect::Poll(poll)),
        Ok(_) => None,
        Err(_) => {
            let good = (1..=8).contains(&written.len())
                && written.chars().all(|c| (' '..='_').contains(&c.to_ascii_uppercase()));
            good.then(|| HartSelect::Tag(written.to_ascii_uppercase()))
        }
    }
}

/// The type of a CJ/T 188 meter; gas by default.
fn kind(report: &mut Report<'_>, section: &Section<'_>) -> Option<u8> {
    const GAS: u8 = 0x30;
    let Some(field) = section.get("type") else { return Some(GAS) };
    let kind = field.integer(report, 0x49, TYPE)?;
    let kind = u8::try_from(kind).ok().filter(|kind| (0x10..=0x49).contains(kind));
    if kind.is_none() {
        field.senseless(report, Sense::Address { expected: "0x10 to 0x49; gas meters have 0x30 to 0x39" });
    }
    kind
}

fn dialect(report: &mut Report<'_>, section: &Section<'_>) -> Option<&'static cjt188::Profile> {
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
        let expected = "eight hex digits, or four of the edition of 1997";
        field.senseless(report, Sense::Address { expected });
    }
    di
}
