// SPDX-License-Identifier: MIT OR Apache-2.0
//! The objects as plain values; their field names are those of gasctl's JSON.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::port::{OnPort, Port};
use crate::properties::{Properties, set, set_name, value};

/// Everything the service shows.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct State {
    /// The service itself.
    pub service: Service,
    /// The meters, by id.
    pub meters: BTreeMap<String, Meter>,
    /// The valves, by id.
    pub valves: BTreeMap<String, Valve>,
    /// The ports that meters are read through, by id.
    pub ports: BTreeMap<String, Port>,
    /// Verdicts that nobody acknowledged, by number.
    pub verdicts: BTreeMap<u64, Verdict>,
}

/// The service itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Service {
    /// Its version.
    pub version: String,
    /// `kernel`, `userspace` or `unknown`.
    pub mode: String,
    /// Why the filter does not run in the kernel.
    pub mode_reason: String,
    /// `good`, `failing`, `replaced` or `unknown`; empty where the service does not say.
    pub store: String,
    /// Why the store is failing or was replaced.
    pub store_reason: String,
    /// `in-force`, `refused` or `unknown`; empty where the service does not say.
    pub configuration: String,
    /// Why the last reading of the configuration was refused, one sentence each.
    pub configuration_reasons: Vec<String>,
    /// What the configuration in force wants a person to know, one sentence each.
    pub configuration_warnings: Vec<String>,
    /// When the configuration in force was read, Unix time in µs.
    pub configuration_read_unix_us: u64,
    /// Events that found the ring full.
    pub ring_overrun: u64,
    /// Interrupts that the dispatcher could not hand on.
    pub fall_through: u64,
    /// Pulses that found the queue to the engine full.
    pub queue_full: u64,
    /// Pulses whose event never arrived; their volume is counted all the same.
    pub events_missed: u64,
    /// Subscriptions to the event stream that are open.
    pub subscribers: u32,
    /// Records that subscribers were too slow for, in all.
    pub records_dropped: u64,
    /// What is wrong, one sentence each.
    pub problems: Vec<String>,
}

impl Service {
    pub(crate) fn update(&mut self, p: &Properties) {
        set(&mut self.version, p, "Version");
        set_name(&mut self.mode, p, "Mode", &["kernel", "userspace"]);
        set(&mut self.mode_reason, p, "ModeReason");
        set_name(&mut self.store, p, "Store", &["good", "failing", "replaced"]);
        set(&mut self.store_reason, p, "StoreReason");
        set_name(&mut self.configuration, p, "Configuration", &["in-force", "refused"]);
        set(&mut self.configuration_reasons, p, "ConfigurationReasons");
        set(&mut self.configuration_warnings, p, "ConfigurationWarnings");
        set(&mut self.configuration_read_unix_us, p, "ConfigurationRead");
        set(&mut self.ring_overrun, p, "RingOverrun");
        set(&mut self.fall_through, p, "FallThrough");
        set(&mut self.queue_full, p, "QueueFull");
        set(&mut self.events_missed, p, "EventsMissed");
        set(&mut self.subscribers, p, "Subscribers");
        set(&mut self.records_dropped, p, "RecordsDropped");
        set(&mut self.problems, p, "Problems");
    }
}

/// One meter.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Meter {
    /// Its id.
    pub id: String,
    /// Total volume, µL.
    pub volume_ul: u64,
    /// Total pulses.
    pub pulses: u64,
    /// Flow, m³/h; `None` before the second pulse.
    pub flow_m3_per_h: Option<f64>,
    /// The short, middle and long slope, m³/h.
    pub slopes_m3_per_h: Vec<f64>,
    /// The flows over the same windows at which the rules speak, m³/h.
    pub thresholds_m3_per_h: Vec<f64>,
    /// Last pulse or reading, CLOCK_BOOTTIME ns; 0 before the first.
    pub last_pulse_ns: u64,
    /// Interval between the last two pulses, ns.
    pub last_interval_ns: u64,
    /// Interrupts seen.
    pub edges: u64,
    /// Edges accepted as pulses.
    pub accepted: u64,
    /// Accepted pulses that had no edge of their own.
    pub recovered: u64,
    /// Edges rejected, by reason.
    pub rejected: BTreeMap<String, u64>,
    /// Edge storms.
    pub storms: u64,
    /// Corrections of the presumed level.
    pub resyncs: u64,
    /// `ok`, or in words what is wrong.
    pub health: String,
    /// Id of its valve.
    pub valve: Option<String>,
    /// `learning`, `watching`, `away` or `unknown`; empty where the service does not say.
    pub phase: String,
    /// Days that were learned of the home.
    pub days_learned: f64,
    /// What the home takes at the most, m³/h, with a margin.
    pub envelope_m3_per_h: f64,
    /// What people said of its verdicts, and what it did to the thresholds.
    pub sensitivity: Vec<Sensitivity>,
    /// How often its register is read, ns; 0 for a meter whose pulses are counted.
    pub read_every_ns: u64,
    /// What became of the readings of its register, by name; empty for a meter whose pulses are counted.
    pub readings: BTreeMap<String, u64>,
    /// What its source can and cannot show, in words.
    pub sight: String,
    /// What is known of it where it is on a port.
    pub on_port: Option<OnPort>,
}

impl Meter {
    pub(crate) fn update(&mut self, p: &Properties) {
        set(&mut self.id, p, "Id");
        set(&mut self.volume_ul, p, "VolumeMicrolitres");
        set(&mut self.pulses, p, "Pulses");
        // A flow that becomes known as the number it was before changes one property only.
        let flow = value(p, "FlowCubicMetresPerHour").or(self.flow_m3_per_h).unwrap_or_default();
        let known = value(p, "FlowKnown").unwrap_or(self.flow_m3_per_h.is_some());
        self.flow_m3_per_h = known.then_some(flow);
        set(&mut self.slopes_m3_per_h, p, "Slopes");
        set(&mut self.thresholds_m3_per_h, p, "Thresholds");
        set(&mut self.last_pulse_ns, p, "LastPulse");
        set(&mut self.last_interval_ns, p, "LastInterval");
        set(&mut self.edges, p, "Edges");
        set(&mut self.accepted, p, "Accepted");
        set(&mut self.recovered, p, "Recovered");
        set(&mut self.rejected, p, "Rejected");
        set(&mut self.storms, p, "Storms");
        set(&mut self.resyncs, p, "Resyncs");
        set(&mut self.health, p, "Health");
        set_name(&mut self.phase, p, "Phase", &["learning", "watching", "away"]);
        set(&mut self.days_learned, p, "DaysLearned");
        set(&mut self.envelope_m3_per_h, p, "Envelope");
        set(&mut self.read_every_ns, p, "ReadEvery");
        set(&mut self.readings, p, "Readings");
        set(&mut self.sight, p, "Sight");
        OnPort::update(&mut self.on_port, p);
        if let Some(all) = value::<Vec<Properties>>(p, "Sensitivity") {
            self.sensitivity = all.iter().map(Sensitivity::read).collect();
        }
        if let Some(valve) = value::<String>(p, "Valve") {
            self.valve = (!valve.is_empty()).then_some(valve);
        }
    }
}

/// What people said of a meter's verdicts of one kind.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Sensitivity {
    /// The kind: `base-flow`, `overload`, `long-use`, `unusual-hour`; may be added to.
    pub topic: String,
    /// So often it was a false alarm.
    pub false_alarms: u32,
    /// So often it was a real leak.
    pub real_leaks: u32,
    /// What the threshold is multiplied by now, 1 or more.
    pub times: f64,
    /// The same in words.
    pub text: String,
}

impl Sensitivity {
    fn read(p: &Properties) -> Sensitivity {
        Sensitivity {
            topic: value(p, "Topic").unwrap_or_default(),
            false_alarms: value(p, "FalseAlarms").unwrap_or_default(),
            real_leaks: value(p, "RealLeaks").unwrap_or_default(),
            times: value(p, "Times").unwrap_or(1.0),
            text: value(p, "Text").unwrap_or_default(),
        }
    }
}

/// A reason to keep a valve closed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Hold {
    /// Names the hold; never used twice.
    pub cookie: u64,
    /// `gasd`, `operator` or an application's id.
    pub owner: String,
    /// In words.
    pub reason: String,
    /// The verdict that placed it.
    pub verdict: Option<u64>,
    /// The user whose application placed it.
    pub uid: Option<u32>,
    /// When, Unix time in µs.
    pub since_unix_us: u64,
}

/// One valve.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Valve {
    /// Its id.
    pub id: String,
    /// `open`, `closed` or `unknown`.
    pub position: String,
    /// `simulated`, `gpio`, `meter`, `none` if it is not configured any more, or `unknown`.
    pub actuator: String,
    /// Reasons to keep it closed, oldest first.
    pub holds: Vec<Hold>,
    /// `ok`, or in words what is wrong.
    pub health: String,
}

impl Valve {
    /// Whether it is in the configuration. If not, its holds can be released and nothing else.
    #[must_use]
    pub fn is_configured(&self) -> bool {
        self.actuator != "none"
    }

    pub(crate) fn update(&mut self, p: &Properties) {
        set(&mut self.id, p, "Id");
        set_name(&mut self.position, p, "Position", &["open", "closed"]);
        set_name(&mut self.actuator, p, "Actuator", &["simulated", "gpio", "meter", "none"]);
        set(&mut self.health, p, "Health");
        if let Some(holds) = value::<Vec<Properties>>(p, "Holds") {
            self.holds = holds.iter().map(Hold::read).collect();
        }
    }
}

impl Hold {
    fn read(p: &Properties) -> Hold {
        Hold {
            cookie: value(p, "Cookie").unwrap_or_default(),
            owner: value(p, "Owner").unwrap_or_default(),
            reason: value(p, "Reason").unwrap_or_default(),
            verdict: value(p, "Verdict"),
            uid: value(p, "Uid"),
            since_unix_us: value(p, "Since").unwrap_or_default(),
        }
    }
}

/// A verdict.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Verdict {
    /// Its number.
    pub id: u64,
    /// The meter's id.
    pub meter: String,
    /// What was found; kinds may be added.
    pub kind: String,
    /// `info`, `notice`, `warning`, `critical` or `unknown`.
    pub severity: String,
    /// When it began, CLOCK_BOOTTIME ns.
    pub t_ns: u64,
    /// When it was decided, CLOCK_BOOTTIME ns.
    pub decided_ns: u64,
    /// When it was decided, Unix time in µs.
    pub unix_us: u64,
    /// The evidence; `null` when the service sent none that could be read.
    pub evidence: serde_json::Value,
    /// One sentence for a person.
    pub text: String,
    /// A simulation made it: no gas flowed.
    pub simulated: bool,
    /// Who acknowledged it, and as what; never of one that is on the bus.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acknowledged_by: Option<String>,
}

impl Verdict {
    pub(crate) fn update(&mut self, p: &Properties) {
        set(&mut self.id, p, "Id");
        set(&mut self.meter, p, "Meter");
        set(&mut self.kind, p, "Kind");
        set_name(&mut self.severity, p, "Severity", &["info", "notice", "warning", "critical"]);
        set(&mut self.t_ns, p, "Start");
        set(&mut self.decided_ns, p, "Decided");
        set(&mut self.unix_us, p, "UnixMicroseconds");
        set(&mut self.text, p, "Text");
        set(&mut self.simulated, p, "Simulated");
        self.acknowledged_by = value(p, "AcknowledgedBy").or(self.acknowledged_by.take());
        if let Some(evidence) = value::<String>(p, "Evidence") {
            self.evidence = serde_json::from_str(&evidence).unwrap_or_default();
        }
    }
}

/// One entry of the audit record.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct AuditEntry {
    /// Its number; 1 is the first.
    pub number: u64,
    /// When, Unix time in µs.
    pub time_unix_us: u64,
    /// When, `CLOCK_BOOTTIME` ns.
    pub boottime_ns: u64,
    /// Who: `gasd`, or uid and bus name.
    pub actor: String,
    /// What: `open`, `close`, `verdict`, …
    pub action: String,
    /// What it was done to.
    pub object: String,
    /// How it ended.
    pub outcome: String,
    /// In words.
    pub detail: String,
}

impl AuditEntry {
    pub(crate) fn of(p: &Properties) -> Self {
        let mut entry = Self::default();
        set(&mut entry.number, p, "Number");
        set(&mut entry.time_unix_us, p, "UnixMicroseconds");
        set(&mut entry.boottime_ns, p, "Boottime");
        set(&mut entry.actor, p, "Actor");
        set(&mut entry.action, p, "Action");
        set(&mut entry.object, p, "Object");
        set(&mut entry.outcome, p, "Outcome");
        set(&mut entry.detail, p, "Detail");
        entry
    }
}
