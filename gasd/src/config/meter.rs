// SPDX-License-Identifier: MIT OR Apache-2.0
//! `[[meter]]`: one meter, as far as it can be judged alone.

use std::ops::RangeInclusive;

use gasd_detect::{CheckedReadings, Profile, Rules};
use toml::de::DeTable;

use super::error::ErrorKind;
use super::limits::{
    DEFAULT_MAX_FLOW_UL_PER_H, ID_LENGTH, LEAST_PULSE_INTERVAL_NS, MAX_FLOW_UL_PER_H, PULSE_VOLUME_UL,
};
use super::pace::Pace;
use super::report::{Report, Span};
use super::section::{Field, Placed, Section};
use super::sense::Sense;
use super::types::{FilterSettings, GpioLine, MeterConfig, MeterSource, PortMeter, Thresholds};
use super::{device, filter, gpio, readings, rules, thresholds};

pub(super) const KEYS: &[&str] = &[
    "id",
    "source",
    "port",
    "device",
    "gpio",
    "line",
    "readings",
    "pulse_volume",
    "max_flow",
    "filter",
    "thresholds",
    "profile",
    "rules",
    "valve",
    "alarm",
];
pub(super) const EXPECTED: &str = "one or more tables, each headed [[meter]]";
pub(super) const PULSE_VOLUME: &str = "the volume of one pulse, like \"10 L\" or \"100 imp/m3\"";
const ID: &str = "a name like \"kitchen\"";
const SOURCE: &str =
    "\"stack\", for a meter whose edges or readings a program hands in; leave it out for a line";
const PORT: &str = "the id of a [[port]], like \"rs485\"";
const VALVE: &str = "the id of a [[valve]], like \"main\"";

/// Where its pulses come from, and for a line where that is written.
enum Source<'a> {
    Line(Placed<'a, GpioLine>),
    Stack,
    Port(Box<OnPort<'a>>),
}

/// A meter on a port: the port that it names, and how it is spoken to.
#[derive(Clone)]
pub(super) struct OnPort<'a> {
    pub(super) port: Placed<'a, String>,
    pub(super) device: device::Draft<'a>,
}

impl Source<'_> {
    /// `port`: whether the one that it names is there and carries what it speaks.
    fn checked(self, port: bool) -> Option<MeterSource> {
        Some(match self {
            Source::Line(line) if line.value.chip.is_some() => MeterSource::Chip(line.value),
            Source::Line(line) => MeterSource::Trace(line.value),
            Source::Stack => MeterSource::Stack,
            Source::Port(on) => {
                let OnPort { port: name, device } = *on;
                let on = PortMeter { port: name.value, device: device.config };
                return port.then(|| MeterSource::Port(Box::new(on)));
            }
        })
    }
}

/// What it counts.
enum Counts {
    /// Pulses, through a filter.
    Pulses(Pace, FilterSettings),
    /// What its register says.
    Register(CheckedReadings),
}

/// The same, before it is known what the meter is judged by.
enum Counted<'a> {
    Pulses(Option<(Pace, FilterSettings)>),
    Register(Option<readings::Draft<'a>>),
}

impl Counted<'_> {
    fn finish(
        self,
        report: &mut Report<'_>,
        max_flow: Option<u64>,
        thresholds: Option<Thresholds>,
        rules: Option<(Profile, Rules)>,
        tells_late: bool,
    ) -> Option<Counts> {
        match self {
            Counted::Pulses(pulses) => pulses.map(|(pace, filter)| Counts::Pulses(pace, filter)),
            Counted::Register(draft) => {
                let read = draft?.finish(report, max_flow?, thresholds?, rules?.1, tells_late);
                read.map(Counts::Register)
            }
        }
    }
}

/// A meter before its references are resolved. `None` where the report says why.
pub(super) struct Draft<'a> {
    /// How messages call it.
    pub(super) label: String,
    pub(super) id: Option<Placed<'a, String>>,
    source: Option<Source<'a>>,
    /// The valve it names; `None` also where it names none.
    pub(super) valve: Option<Placed<'a, String>>,
    /// Its alarm line; `None` also where it has none.
    pub(super) alarm: Option<Placed<'a, GpioLine>>,
    /// Its alarm line was reported.
    alarm_refused: bool,
    max_flow: Option<u64>,
    counts: Option<Counts>,
    thresholds: Option<Thresholds>,
    rules: Option<(Profile, Rules)>,
}

/// Reads one meter.
pub(super) fn read<'a>(report: &mut Report<'_>, table: &'a DeTable<'a>, span: Span) -> Draft<'a> {
    let label = label("meter", table);
    let section = Section::new(report, table, span.clone(), label.clone(), String::new(), KEYS);
    let id = id(report, &section, ID);
    let source = source(report, &section);
    let max_flow = match section.get("max_flow") {
        Some(f) => f.flow(report).filter(|flow| flow_fits(report, &f, *flow)),
        None => Some(DEFAULT_MAX_FLOW_UL_PER_H),
    };
    let counted = match section.get("readings") {
        Some(field) => {
            let (draft, alone) = (readings::read(report, &field), register_alone(report, &section, &field));
            Counted::Register(draft.filter(|_| alone))
        }
        // It counts no pulses: what is missing is `readings`, and that is said where its port is.
        None if section.get("port").is_some() && section.get("pulse_volume").is_none() => {
            Counted::Register(None)
        }
        None => Counted::Pulses(pulses(report, &section, max_flow, (&span, &label))),
    };
    let thresholds = thresholds::read(report, &section, max_flow);
    let rules = rules::read(report, &section);
    let tells_late = matches!(&source, Some(Source::Port(on)) if on.device.config.talk.tells_late());
    let counts = counted.finish(report, max_flow, thresholds, rules, tells_late);
    let valve = section.get("valve").and_then(|f| f.string(report, VALVE).map(|v| f.with(v.to_owned())));
    if section.get("valve").is_none() {
        report.warn(&span, &format!("{label}: has no valve; its verdicts are told, nothing is closed"));
    }
    let alarm = section.get("alarm").map(|field| gpio::read(report, field));
    let (alarm_refused, alarm) = (matches!(alarm, Some(None)), alarm.flatten());
    Draft { label, id, source, valve, alarm, alarm_refused, counts, max_flow, thresholds, rules }
}

impl<'a> Draft<'a> {
    /// The line that its pulses come from, where they come from one.
    pub(super) fn line(&self) -> Option<&Placed<'a, GpioLine>> {
        match self.source.as_ref()? {
            Source::Line(line) => Some(line),
            Source::Stack | Source::Port(_) => None,
        }
    }

    /// The port that it is on, where it is on one.
    pub(super) fn on_port(&self) -> Option<&OnPort<'a>> {
        match self.source.as_ref()? {
            Source::Port(on) => Some(on),
            Source::Line(_) | Source::Stack => None,
        }
    }

    /// Whether it is known where its readings or pulses come from; the report says why not.
    pub(super) const fn has_source(&self) -> bool {
        self.source.is_some()
    }

    /// The meter, unless something about it was reported.
    pub(super) fn finish(self, valve: Option<usize>, port: bool) -> Option<MeterConfig> {
        if self.alarm_refused {
            return None;
        }
        let (profile, rules) = self.rules?;
        let (readings, pulse_volume_ul, filter) = match self.counts? {
            Counts::Pulses(pace, filter) => (None, pace.pulse_volume_ul, filter),
            // Its line has no edges.
            Counts::Register(readings) => (Some(readings), readings.quantum_ul(), FilterSettings::default()),
        };
        Some(MeterConfig {
            id: self.id?.value,
            source: self.source?.checked(port)?,
            readings,
            pulse_volume_ul,
            max_flow_ul_per_h: self.max_flow?,
            filter,
            thresholds: self.thresholds?,
            profile,
            rules,
            valve,
            alarm: self.alarm.map(|line| line.value),
        })
    }
}

/// How messages call a meter or valve: by its id where it has a printable one.
pub(super) fn label(what: &str, table: &DeTable<'_>) -> String {
    match table.get("id").and_then(|id| id.get_ref().as_str()) {
        Some(id) if bad_id(id).is_none() => format!("{what} \"{id}\""),
        _ => what.to_owned(),
    }
}

/// Reads and checks an id.
pub(super) fn id<'a>(
    report: &mut Report<'_>,
    section: &Section<'a>,
    expected: &'static str,
) -> Option<Placed<'a, String>> {
    let field = section.required(report, "id", expected)?;
    let id = field.string(report, expected)?;
    if let Some(wrong) = bad_id(id) {
        field.refuse(report, ErrorKind::BadId(wrong));
        return None;
    }
    Some(field.with(id.to_owned()))
}

/// What is wrong with an id: a character, or (inner `None`) its length.
fn bad_id(id: &str) -> Option<Option<char>> {
    let wrong = id.chars().find(|c| !c.is_ascii_alphanumeric() && *c != '_' && *c != '-');
    match wrong {
        Some(wrong) => Some(Some(wrong)),
        None if id.is_empty() || id.len() > ID_LENGTH => Some(None),
        None => None,
    }
}

/// Where its pulses come from: what `source` says, or else its line.
fn source<'a>(report: &mut Report<'_>, section: &Section<'a>) -> Option<Source<'a>> {
    if let Some(port) = section.get("port") {
        return on_port(report, section, port);
    }
    if let Some(device) = section.get("device") {
        device.refuse_whole(report, ErrorKind::Sense(Sense::DeviceWithoutPort));
        return None;
    }
    let Some(field) = section.get("source") else {
        // That nobody reads it is said there, and a line would not help.
        let read = section.get("readings").is_some()
            && section.get("gpio").is_none()
            && section.get("line").is_none();
        return if read { None } else { line(report, section).map(Source::Line) };
    };
    let stack = field.word(report, SOURCE, &[("stack", ())]);
    for other in ["gpio", "line"] {
        if let Some(line) = section.get(other) {
            line.refuse(report, ErrorKind::GivenTwice { other: "source" });
            return None;
        }
    }
    stack.map(|()| Source::Stack)
}

/// What is asked or heard on a port.
fn on_port<'a>(report: &mut Report<'_>, section: &Section<'a>, port: Field<'a>) -> Option<Source<'a>> {
    let mut alone = true;
    for other in ["source", "gpio", "line"] {
        if let Some(other) = section.get(other) {
            other.refuse_whole(report, ErrorKind::GivenTwice { other: "port" });
            alone = false;
        }
    }
    if section.get("readings").is_none() {
        let kind = ErrorKind::MissingKey { key: "readings", expected: readings::EXPECTED };
        report.problem(&section.span, &section.label, kind);
        alone = false;
    }
    let device =
        section.required(report, "device", device::EXPECTED).and_then(|field| device::read(report, &field));
    let name = port.string(report, PORT)?.to_owned();
    let port = port.with(name);
    let device = device?;
    alone.then(|| Source::Port(Box::new(OnPort { port, device })))
}

/// Whether nothing of a meter that counts pulses stands beside `readings`, and somebody reads it.
fn register_alone(report: &mut Report<'_>, section: &Section<'_>, field: &Field<'_>) -> bool {
    let mut alone = true;
    for other in ["pulse_volume", "filter"] {
        if let Some(pulses) = section.get(other) {
            pulses.refuse(report, ErrorKind::NotWith { other: "readings" });
            alone = false;
        }
    }
    if section.get("source").is_none() && section.get("port").is_none() {
        field.senseless(report, Sense::ReadingsWithoutSource);
        alone = false;
    }
    alone
}

/// What a meter that counts pulses has: its pace and its filter.
fn pulses(
    report: &mut Report<'_>,
    section: &Section<'_>,
    max_flow: Option<u64>,
    meter: (&Span, &str),
) -> Option<(Pace, FilterSettings)> {
    let volume = section
        .required(report, "pulse_volume", PULSE_VOLUME)
        .and_then(|f| f.pulse_volume(report).filter(|ul| volume_fits(report, &f, *ul)));
    let pace = pace(report, section, volume, max_flow);
    let filter = filter::read(report, section.get("filter"), pace, meter);
    Some((pace?, filter?))
}

/// The meter's line: `gpio`, or `line` alone for a trace.
fn line<'a>(report: &mut Report<'_>, section: &Section<'a>) -> Option<Placed<'a, GpioLine>> {
    let Some(bare) = section.get("line") else {
        let field = section.required(report, "gpio", gpio::EXPECTED)?;
        return gpio::read(report, field);
    };
    if section.get("gpio").is_some() {
        bare.refuse(report, ErrorKind::GivenTwice { other: "gpio" });
        return None;
    }
    gpio::bare(report, bare)
}

fn volume_fits(report: &mut Report<'_>, field: &Field<'_>, ul: u64) -> bool {
    let (least_ul, most_ul) = ends(PULSE_VOLUME_UL);
    let fits = PULSE_VOLUME_UL.contains(&ul);
    if !fits {
        field.senseless(report, Sense::PulseVolume { ul, least_ul, most_ul });
    }
    fits
}

fn flow_fits(report: &mut Report<'_>, field: &Field<'_>, flow_ul_per_h: u64) -> bool {
    let (least_ul_per_h, most_ul_per_h) = ends(MAX_FLOW_UL_PER_H);
    let fits = MAX_FLOW_UL_PER_H.contains(&flow_ul_per_h);
    if !fits {
        let why = Sense::MaxFlow { flow_ul_per_h, least_ul_per_h, most_ul_per_h };
        field.senseless(report, why);
    }
    fits
}

fn ends(range: RangeInclusive<u64>) -> (u64, u64) {
    (*range.start(), *range.end())
}

/// The meter's pace, when both values are good and go together.
fn pace(
    report: &mut Report<'_>,
    section: &Section<'_>,
    volume: Option<u64>,
    max_flow: Option<u64>,
) -> Option<Pace> {
    let pace = Pace { pulse_volume_ul: volume?, max_flow_ul_per_h: max_flow? };
    if pace.is_absurd() {
        let why = Sense::PulseRate {
            pulse_volume_ul: pace.pulse_volume_ul,
            max_flow_ul_per_h: pace.max_flow_ul_per_h,
            interval_ns: pace.interval_ns(),
            least_ns: LEAST_PULSE_INTERVAL_NS,
        };
        section.get("pulse_volume")?.senseless(report, why);
        return None;
    }
    Some(pace)
}
