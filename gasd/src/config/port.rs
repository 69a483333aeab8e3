// SPDX-License-Identifier: MIT OR Apache-2.0
//! `[[port]]`: a line or socket that meters are read through.

use std::net::SocketAddr;
use std::path::PathBuf;

use gasd_meters::poll::{Echo, Settings};
use gasd_ports::air::lorawan::Region;
use gasd_ports::air::wmbus::{self, Framing};
use gasd_ports::wire::{Parity, SerialSpec, TcpSpec, Transceiver, WireSpec};
use gasd_ports::{Pace, bus::timing};
use toml::de::DeTable;

use super::error::ErrorKind;
use super::filter::ranged;
use super::gpio;
use super::limits;
use super::meter;
use super::place::{Place, Written};
use super::report::{Report, Span};
use super::section::{Field, Placed, Section};
use super::sense::Sense;
use super::types::GpioLine;

pub(super) const KEYS: &[&str] =
    &["id", "serial", "tcp", "wmbus", "lorawan", "lwm2m", "echo", "answer", "breaker", "low_power"];
pub(super) const SERIAL_KEYS: &[&str] = &["device", "baud", "parity", "stop_bits", "rs485"];
pub(super) const TCP_KEYS: &[&str] = &["address", "baud"];
pub(super) const RADIO_KEYS: &[&str] = &["device", "baud", "address", "framing", "greeting"];
pub(super) const LORAWAN_KEYS: &[&str] = &["listen", "region"];
pub(super) const LISTEN_KEYS: &[&str] = &["listen"];
pub(super) const BREAKER_KEYS: &[&str] = &["failures", "open", "longest"];
pub(super) const EXPECTED: &str = "one or more tables, each headed [[port]]";
const ID: &str = "a name like \"rs485\"";
const SERIAL: &str = "a table like { device = \"/dev/serial/by-id/usb-…\", baud = 2400 }";
const TCP: &str = "a table like { address = \"192.0.2.7:4001\", baud = 2400 }";
const RADIO: &str =
    "a table like { device = \"/dev/serial/by-id/usb-…\" } or { address = \"192.0.2.7:4001\" }";
const LISTEN: &str = "a table like { listen = \"127.0.0.1:1700\" }";
const SOCKET: &str = "an address of this machine with a port, like \"127.0.0.1:1700\" or \"[::]:5683\"";
const SERVER: &str = "a host with a port, like \"192.0.2.7:4001\"";
const DEVICE: &str = "a serial device, like \"/dev/serial/by-id/usb-…\"";
const BAUD: &str = "a speed, baud, like 2400";
const BREAKER: &str = "a table like { failures = 3, open = \"30 s\" }";

/// What carries a port's bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PortLine {
    /// A wire that is asked. `serial`, `tcp`.
    Wire(WireSpec),
    /// A receiver of wireless M-Bus. `wmbus`.
    Radio(WireSpec, wmbus::Settings),
    /// A packet forwarder of LoRaWAN sends datagrams here. `lorawan`.
    LoRaWan(SocketAddr, Region),
    /// Meters on NB-IoT speak LwM2M to this address. `lwm2m`.
    LwM2m(SocketAddr),
}

impl PortLine {
    /// As the bus calls it.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Wire(WireSpec::Serial(_)) => "serial",
            Self::Wire(WireSpec::Tcp(_)) => "tcp",
            Self::Radio(..) => "wmbus",
            Self::LoRaWan(..) => "lorawan",
            Self::LwM2m(_) => "lwm2m",
        }
    }

    /// Where it is, in words.
    #[must_use]
    pub fn place(&self) -> String {
        match self {
            Self::Wire(wire) | Self::Radio(wire, _) => wire.to_string(),
            Self::LoRaWan(listen, _) | Self::LwM2m(listen) => format!("udp {listen}"),
        }
    }
}

/// One port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortConfig {
    /// Unique, `[A-Za-z0-9_-]{1,64}`.
    pub id: String,
    /// What carries its bytes.
    pub line: PortLine,
    /// Whether the adapter hears what it sends. `echo`, default found out.
    pub echo: Echo,
    /// How long a meter may think, ns; `None`: as its protocol says. `answer`.
    pub answer_ns: Option<u64>,
    /// When a meter is left alone. `breaker`.
    pub breaker: Settings,
    /// A line that is active while the supply of port and meters is low. `low_power`, default none.
    pub low_power: Option<GpioLine>,
}

impl PortConfig {
    /// How long who may take on its wire.
    #[must_use]
    pub fn pace(&self, wire: &WireSpec) -> Pace {
        let bits = match wire {
            WireSpec::Serial(serial) => serial.bits(),
            WireSpec::Tcp(_) => timing::BITS,
        };
        Pace {
            latency_ns: wire.latency().as_nanos() as u64,
            answer_ns: self.answer_ns,
            echo: self.echo,
            ..Pace::new(wire.baud(), bits)
        }
    }
}

/// A port before its id is compared with others. `None` where the report says why.
pub(super) struct Draft<'a> {
    /// How messages call it.
    pub(super) label: String,
    pub(super) span: Span,
    pub(super) id: Option<Placed<'a, String>>,
    /// Its device or socket: used once.
    pub(super) place: Option<Placed<'a, Written>>,
    pub(super) line: Option<PortLine>,
    echo: Option<Echo>,
    answer_ns: Option<Option<u64>>,
    breaker: Option<Settings>,
    /// Its line, where it is read right.
    pub(super) low_power: Option<Placed<'a, GpioLine>>,
    refused: bool,
}

/// Reads one port.
pub(super) fn read<'a>(report: &mut Report<'_>, table: &'a DeTable<'a>, span: Span) -> Draft<'a> {
    let label = meter::label("port", table);
    let section = Section::new(report, table, span.clone(), label.clone(), String::new(), KEYS);
    let id = meter::id(report, &section, ID);
    let mut place = None;
    let line = line(report, &section, &mut place);
    let words = [("auto", Echo::Unknown), ("yes", Echo::Always), ("no", Echo::Never)];
    let echo = match section.get("echo") {
        Some(field) => field.word(report, "\"auto\", \"yes\" or \"no\"", &words),
        None => Some(Echo::Unknown),
    };
    let answer_ns = match section.get("answer") {
        Some(field) => ranged(report, &field, limits::ANSWER_NS, "how long a meter may think").map(Some),
        None => Some(None),
    };
    let breaker = match section.get("breaker") {
        Some(field) => breaker(report, &field),
        None => Some(Settings::default()),
    };
    let low_power = section.get("low_power").map(|field| gpio::read(report, field));
    let (refused, low_power) = (matches!(low_power, Some(None)), low_power.flatten());
    Draft { label, span, id, place, line, echo, answer_ns, breaker, low_power, refused }
}

impl Draft<'_> {
    /// The port, unless something about it was reported.
    pub(super) fn finish(self) -> Option<PortConfig> {
        if self.refused {
            return None;
        }
        Some(PortConfig {
            id: self.id?.value,
            line: self.line?,
            echo: self.echo?,
            answer_ns: self.answer_ns?,
            breaker: self.breaker?,
            low_power: self.low_power.map(|line| line.value),
        })
    }
}

/// The one of its keys that says what it is.
fn line<'a>(
    report: &mut Report<'_>,
    section: &Section<'a>,
    place: &mut Option<Placed<'a, Written>>,
) -> Option<PortLine> {
    const WAYS: [&str; 5] = ["serial", "tcp", "wmbus", "lorawan", "lwm2m"];
    let mut given = WAYS.into_iter().filter_map(|way| Some((way, section.get(way)?)));
    let Some((way, field)) = given.next() else {
        report.problem(&section.span, &section.label, ErrorKind::Sense(Sense::PortWithoutLine));
        return None;
    };
    if let Some((_, second)) = given.next() {
        second.refuse_whole(report, ErrorKind::GivenTwice { other: way });
        return None;
    }
    match way {
        "serial" => {
            let section = field.section(report, SERIAL, SERIAL_KEYS)?;
            serial(report, &section, None, place).map(|spec| PortLine::Wire(WireSpec::Serial(spec)))
        }
        "tcp" => {
            let section = field.section(report, TCP, TCP_KEYS)?;
            tcp(report, &section, None, place).map(|spec| PortLine::Wire(WireSpec::Tcp(spec)))
        }
        "wmbus" => radio(report, &field, place),
        other => {
            let keys = if other == "lorawan" { LORAWAN_KEYS } else { LISTEN_KEYS };
            let section = field.section(report, LISTEN, keys)?;
            let region = match section.get("region") {
                Some(field) => field.word(report, "the region, like \"eu868\"", &Region::WORDS),
                None => Some(Region::default()),
            };
            let field = section.required(report, "listen", SOCKET)?;
            let text = field.string(report, SOCKET)?;
            let Ok(listen) = text.parse() else {
                field.senseless(report, Sense::NoSocket);
                return None;
            };
            *place =
                Some(field.with(Written { text: format!("udp {listen}"), place: Place::listening(listen) }));
            let region = region?;
            Some(if other == "lorawan" { PortLine::LoRaWan(listen, region) } else { PortLine::LwM2m(listen) })
        }
    }
}

/// A receiver's speed is its own; most have 115200 or 9600.
const RADIO_BAUD: u32 = 115_200;

fn radio<'a>(
    report: &mut Report<'_>,
    field: &Field<'a>,
    place: &mut Option<Placed<'a, Written>>,
) -> Option<PortLine> {
    let section = field.section(report, RADIO, RADIO_KEYS)?;
    let framings = [
        ("auto", Framing::Found),
        ("binary", Framing::Binary(None)),
        ("lines", Framing::Lines),
        ("commands", Framing::Commands { rssi: false }),
        ("commands-rssi", Framing::Commands { rssi: true }),
    ];
    let framing = match section.get("framing") {
        Some(field) => field.word(report, "what is around the telegrams, like \"lines\"", &framings),
        None => Some(Framing::Found),
    };
    let greeting = match section.get("greeting") {
        Some(field) => {
            let text = field.string(report, "what the receiver is sent to listen, like \"brt\"");
            text.map(|text| format!("{text}\r\n").into_bytes())
        }
        None => Some(Vec::new()),
    };
    let wire = if section.get("address").is_some() {
        if let Some(device) = section.get("device") {
            device.refuse(report, ErrorKind::GivenTwice { other: "address" });
            return None;
        }
        WireSpec::Tcp(tcp(report, &section, Some(RADIO_BAUD), place)?)
    } else {
        let spec = serial(report, &section, Some(RADIO_BAUD), place)?;
        WireSpec::Serial(SerialSpec { parity: Parity::None, ..spec })
    };
    let settings = wmbus::Settings { framing: framing?, greeting: greeting?, deciphers: false };
    Some(PortLine::Radio(wire, settings))
}

fn serial<'a>(
    report: &mut Report<'_>,
    section: &Section<'a>,
    default_baud: Option<u32>,
    place: &mut Option<Placed<'a, Written>>,
) -> Option<SerialSpec> {
    let device = section.required(report, "device", DEVICE).and_then(|field| {
        let text = field.string(report, DEVICE)?;
        let path = PathBuf::from(text);
        if !path.is_absolute() || text.contains('\0') {
            field.refuse(report, ErrorKind::RelativePath { example: "/dev/ttyUSB0" });
            return None;
        }
        *place = Some(field.with(Written { text: text.to_owned(), place: Place::device(&path) }));
        Some(path)
    });
    let baud = baud(report, section, default_baud);
    let parity = match section.get("parity") {
        Some(field) => field.word(report, "\"even\", \"odd\" or \"none\"", &Parity::WORDS),
        None => Some(Parity::default()),
    };
    let two_stops = match section.get("stop_bits") {
        Some(field) => match field.integer(report, 2, "1 or 2") {
            Some(0) => {
                field.refuse(report, ErrorKind::IntegerRange { max: 2, expected: "1 or 2" });
                None
            }
            stops => stops.map(|stops| stops == 2),
        },
        None => Some(false),
    };
    let words = [("adapter", Transceiver::Adapter), ("kernel", Transceiver::Kernel)];
    let transceiver = match section.get("rs485") {
        Some(field) => field.word(report, "\"adapter\" or \"kernel\"", &words),
        None => Some(Transceiver::default()),
    };
    Some(SerialSpec {
        device: device?,
        baud: baud?,
        parity: parity?,
        two_stops: two_stops?,
        transceiver: transceiver?,
    })
}

fn tcp<'a>(
    report: &mut Report<'_>,
    section: &Section<'a>,
    default_baud: Option<u32>,
    place: &mut Option<Placed<'a, Written>>,
) -> Option<TcpSpec> {
    let baud = baud(report, section, default_baud);
    let field = section.required(report, "address", SERVER)?;
    let text = field.string(report, SERVER)?;
    let good = text.rsplit_once(':').is_some_and(|(host, port)| {
        // Numbers with colons stand in brackets: nobody knows where others end.
        let numbers = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        !host.is_empty()
            && !text.contains(|c: char| c.is_whitespace() || c == '/')
            && (numbers.is_some() || !host.contains([':', '[', ']']))
            && port.parse::<u16>().is_ok_and(|port| port > 0)
    });
    if !good {
        field.senseless(report, Sense::NoServer);
        return None;
    }
    *place = Some(field.with(Written { text: text.to_owned(), place: Place::server(text) }));
    Some(TcpSpec { address: text.to_owned(), baud: baud? })
}

fn baud(report: &mut Report<'_>, section: &Section<'_>, default: Option<u32>) -> Option<u32> {
    let field = match (section.get("baud"), default) {
        (None, Some(default)) => return Some(default),
        (None, None) => section.required(report, "baud", BAUD)?,
        (Some(field), _) => field,
    };
    let baud = field.integer(report, limits::MOST_BAUD, BAUD)?;
    if baud < limits::LEAST_BAUD {
        field.senseless(report, Sense::Baud { least: limits::LEAST_BAUD, most: limits::MOST_BAUD });
        return None;
    }
    Some(baud)
}

fn breaker(report: &mut Report<'_>, field: &Field<'_>) -> Option<Settings> {
    let section = field.section(report, BREAKER, BREAKER_KEYS)?;
    let default = Settings::default();
    let failures = match section.get("failures") {
        Some(field) => match field.integer(report, 1_000, "failures in a row, like 3") {
            Some(0) => {
                field.senseless(report, Sense::NoFailures);
                None
            }
            failures => failures,
        },
        None => Some(default.failures),
    };
    let (open, longest) = (section.get("open"), section.get("longest"));
    let mut time = |field: &Option<Field<'_>>| match field {
        Some(field) => ranged(report, field, limits::BREAKER_NS, "how long a meter is left alone").map(Some),
        None => Some(None),
    };
    let (open_ns, longest_ns) = (time(&open), time(&longest));
    let (open_ns, longest_ns) = (open_ns?.unwrap_or(default.open_ns), longest_ns?);
    if let (Some(field), Some(ns)) = (&longest, longest_ns)
        && ns < open_ns
    {
        field.senseless(report, Sense::BreakerOrder { open_ns, is_default: open.is_none() });
        return None;
    }
    Some(Settings { failures: failures?, open_ns, longest_ns: longest_ns.unwrap_or(open_ns) })
}
