// SPDX-License-Identifier: MIT OR Apache-2.0
//! A meter's `device`: how it is spoken to, or what it sends by itself.

mod air;
mod wired;

use std::path::PathBuf;

use gasd_meters::dlt645::Authority;
use gasd_meters::drive::{Device, Memory, NoValve, guess};
use gasd_meters::{Kind, Unit, Valve, cjt188, mbus};

use super::error::ErrorKind;
use super::report::Report;
use super::section::{Field, Placed, Section};
use super::sense::Sense;
use super::volumes;

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
const KEY_FILE: &str = "an absolute path, like \"/etc/gasd/keys/flat-3\"";

/// The protocol of a meter that nobody has said it of.
const AUTO: &str = "auto";

/// A protocol, and the keys that mean something for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    /// Whichever it answers.
    Auto,
    Cjt188,
    Dlt645,
    Mbus,
    Modbus,
    Hart,
    Wmbus,
    LoRaWan,
    LwM2m,
}

const PROTOCOLS: [(&str, Protocol); 9] = [
    (AUTO, Protocol::Auto),
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
            Self::Auto => &["type", "dialect", "registers", "count_from"],
            Self::Cjt188 => &["type", "dialect"],
            Self::Dlt645 => &["edition", "register", "key_file"],
            Self::Mbus => &["valve", "key_file"],
            Self::Modbus => &["registers", "count_from", "valve"],
            Self::Hart => &[],
            Self::Wmbus => &["key_file"],
            Self::LoRaWan => &["payload", "pulse_volume", "key_file"],
            Self::LwM2m => &["type", "dialect", "register", "scale", "number"],
        }
    }

    /// Whether a meter of this protocol may be one of the other.
    pub(super) fn may_be(self, other: Self) -> bool {
        self == other || self == Self::Auto || other == Self::Auto
    }

    /// The kinds of port that carry it, for a message.
    pub(super) const fn ports(self) -> &'static str {
        match self {
            Self::Auto | Self::Cjt188 | Self::Dlt645 | Self::Mbus | Self::Modbus | Self::Hart => {
                "serial or tcp"
            }
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
    /// It is asked, as each of these until it answers: never without any.
    Auto(Vec<Device>),
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
            Self::Auto(_) => AUTO,
            Self::Wmbus(_) => "wmbus",
            Self::LoRaWan { .. } => "lorawan",
            Self::LwM2m { .. } => "lwm2m",
        }
    }

    /// Whether it is asked, and does not speak by itself.
    #[must_use]
    pub const fn is_asked(&self) -> bool {
        matches!(self, Self::Wired(_) | Self::Auto(_))
    }

    /// Whether it keeps what it could not tell, and tells that later. What is heard of wireless M-Bus is of now.
    pub(super) const fn tells_late(&self) -> bool {
        matches!(self, Self::LoRaWan { .. } | Self::LwM2m { .. })
    }

    /// Why no command of gasd moves its valve; `None` where one does.
    pub(super) fn why_no_valve(&self, has_keys: bool) -> Option<String> {
        match self {
            Self::Wired(Device::Dlt645 { .. }) if !has_keys => {
                Some("has no key_file, which holds the password that moves its valve".to_owned())
            }
            Self::Wired(device) => {
                let mut device = device.clone();
                if let Device::Dlt645 { authority, .. } = &mut device {
                    // The real one is in a file, which is not read here; all else is judged without it.
                    *authority = Some(Authority::new(2, &[0; 3], &[0; 4]));
                }
                let why = device.valve(Valve::Closed, &Memory::default()).err()?;
                Some(match why {
                    NoValve::Protocol => {
                        format!("speaks {}, which has no command that moves a valve", device.protocol())
                    }
                    NoValve::NotConfigured => {
                        "has a device that does not say how its valve is moved".to_owned()
                    }
                    NoValve::Wildcard => {
                        "has an address or a type that stands for several meters: a valve is moved only by \
                                          the meter's own"
                            .to_owned()
                    }
                    why @ (NoValve::Position | NoValve::Encode(_)) => format!("takes no command: {why}"),
                })
            }
            Self::Auto(_) => Some(
                "has protocol = \"auto\": a valve is commanded by a protocol that somebody has named"
                    .to_owned(),
            ),
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

impl Draft<'_> {
    /// Whether it is whoever is there.
    pub(super) fn is_any(&self) -> bool {
        self.protocol.value == Protocol::Auto && self.address.value == guess::ANY
    }
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
    good &= volumes::check(report, &section, &talk, quantity?, unit?);
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
    match protocol {
        Protocol::Wmbus => air::wmbus(report, address, written),
        Protocol::LoRaWan => air::lorawan(report, section, address, written),
        Protocol::LwM2m => air::lwm2m(report, section, written),
        wired => wired::talk(report, wired, section, address, written),
    }
}
