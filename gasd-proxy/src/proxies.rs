// SPDX-License-Identifier: MIT OR Apache-2.0
//! One typed proxy an interface. `dbus/*.xml` says what each member means.

use std::collections::HashMap;

use zbus::{OwnedFd, OwnedObjectPath, OwnedVariant, Variant, proxy};

/// The service itself.
#[proxy(interface = "io.gasd1.Manager", default_service = "io.gasd1", default_path = "/io/gasd1")]
pub trait Manager {
    /// The event stream: a socket of records, see `gasd_abi::stream`. Options: `Meters` (as), `Kinds`
    /// (as).
    fn subscribe(&self, options: HashMap<&str, Variant<'_>>) -> zbus::Result<OwnedFd>;
    /// The way in for what a program counts: a socket, see `gasd_abi::feed`. Options: `Meters` (as).
    #[zbus(allow_interactive_auth)]
    fn feed(&self, options: HashMap<&str, Variant<'_>>) -> zbus::Result<OwnedFd>;
    /// The kernel's live page, and how totals are reckoned from it. No option is known yet.
    fn live(
        &self,
        options: HashMap<&str, Variant<'_>>,
    ) -> zbus::Result<(OwnedFd, Vec<HashMap<String, OwnedVariant>>)>;
    /// Has the configuration read again. No option is known yet.
    #[zbus(allow_interactive_auth)]
    fn reload(&self, options: HashMap<&str, Variant<'_>>) -> zbus::Result<()>;
    /// The last entries of the audit record, oldest first. Options: `Last` (u), `Before` (t).
    fn audit(&self, options: HashMap<&str, Variant<'_>>) -> zbus::Result<Vec<HashMap<String, OwnedVariant>>>;
    /// A verdict by its number, acknowledged or not. No option is known yet.
    fn get_verdict(
        &self,
        id: u64,
        options: HashMap<&str, Variant<'_>>,
    ) -> zbus::Result<HashMap<String, OwnedVariant>>;
    /// Version of the service.
    #[zbus(property(emits_changed_signal = "const"))]
    fn version(&self) -> zbus::Result<String>;
    /// `kernel`, `userspace` or `unknown`.
    #[zbus(property)]
    fn mode(&self) -> zbus::Result<String>;
    /// Why the filter does not run in the kernel.
    #[zbus(property)]
    fn mode_reason(&self) -> zbus::Result<String>;
    /// `good`, `failing`, `replaced` or `unknown`.
    #[zbus(property)]
    fn store(&self) -> zbus::Result<String>;
    /// Why the store is failing or was replaced; empty otherwise.
    #[zbus(property)]
    fn store_reason(&self) -> zbus::Result<String>;
    /// `in-force`, `refused` or `unknown`.
    #[zbus(property)]
    fn configuration(&self) -> zbus::Result<String>;
    /// Why the last reading was refused, one sentence each.
    #[zbus(property)]
    fn configuration_reasons(&self) -> zbus::Result<Vec<String>>;
    /// What the configuration in force wants a person to know, one sentence each.
    #[zbus(property)]
    fn configuration_warnings(&self) -> zbus::Result<Vec<String>>;
    /// When the configuration in force was read, Unix time in µs.
    #[zbus(property)]
    fn configuration_read(&self) -> zbus::Result<u64>;
    /// Events that found the ring full.
    #[zbus(property)]
    fn ring_overrun(&self) -> zbus::Result<u64>;
    /// Interrupts that the dispatcher could not hand on.
    #[zbus(property)]
    fn fall_through(&self) -> zbus::Result<u64>;
    /// Pulses that found the queue to the engine full.
    #[zbus(property)]
    fn queue_full(&self) -> zbus::Result<u64>;
    /// Pulses whose event never arrived.
    #[zbus(property)]
    fn events_missed(&self) -> zbus::Result<u64>;
    /// Subscriptions that are open.
    #[zbus(property)]
    fn subscribers(&self) -> zbus::Result<u32>;
    /// Records that subscribers were too slow for, in all.
    #[zbus(property)]
    fn records_dropped(&self) -> zbus::Result<u64>;
    /// What is wrong, one sentence each.
    #[zbus(property)]
    fn problems(&self) -> zbus::Result<Vec<String>>;
    /// A verdict was made.
    #[zbus(signal)]
    fn verdict_added(
        &self,
        verdict: OwnedObjectPath,
        properties: HashMap<String, OwnedVariant>,
    ) -> zbus::Result<()>;
    /// A verdict was acknowledged.
    #[zbus(signal)]
    fn verdict_removed(
        &self,
        verdict: OwnedObjectPath,
        details: HashMap<String, OwnedVariant>,
    ) -> zbus::Result<()>;
}

/// A meter.
#[proxy(interface = "io.gasd1.Meter", default_service = "io.gasd1", assume_defaults = false)]
pub trait Meter {
    /// What sensors measure: `pressure_kpa` (d), `seismic_gal` (d), `gas_alarm` (b).
    #[zbus(allow_interactive_auth)]
    fn report(&self, values: HashMap<&str, Variant<'_>>) -> zbus::Result<()>;
    /// Times (`CLOCK_BOOTTIME` ns) and registers (µL) of its last readings, oldest first. No option is known yet.
    fn latest(&self, options: HashMap<&str, Variant<'_>>) -> zbus::Result<Vec<(u64, u64)>>;
    /// What was heard instead of answers: time, kind of error, bytes in hex. No option is known yet.
    fn rejected_answers(
        &self,
        options: HashMap<&str, Variant<'_>>,
    ) -> zbus::Result<Vec<(u64, String, String)>>;
    /// Its id.
    #[zbus(property(emits_changed_signal = "const"))]
    fn id(&self) -> zbus::Result<String>;
    /// Names it in records of the event stream.
    #[zbus(property(emits_changed_signal = "const"))]
    fn key(&self) -> zbus::Result<u64>;
    /// Total volume, µL.
    #[zbus(property)]
    fn volume_microlitres(&self) -> zbus::Result<u64>;
    /// Total pulses.
    #[zbus(property)]
    fn pulses(&self) -> zbus::Result<u64>;
    /// Flow, m³/h; 0 while [`flow_known`](Self::flow_known) is false.
    #[zbus(property)]
    fn flow_cubic_metres_per_hour(&self) -> zbus::Result<f64>;
    /// Whether the flow is known.
    #[zbus(property)]
    fn flow_known(&self) -> zbus::Result<bool>;
    /// The short, middle and long slope, m³/h.
    #[zbus(property)]
    fn slopes(&self) -> zbus::Result<Vec<f64>>;
    /// The flows over the same windows at which the rules speak, m³/h.
    #[zbus(property)]
    fn thresholds(&self) -> zbus::Result<Vec<f64>>;
    /// Last pulse, CLOCK_BOOTTIME ns.
    #[zbus(property)]
    fn last_pulse(&self) -> zbus::Result<u64>;
    /// Interval between the last two pulses, ns.
    #[zbus(property)]
    fn last_interval(&self) -> zbus::Result<u64>;
    /// Interrupts seen.
    #[zbus(property)]
    fn edges(&self) -> zbus::Result<u64>;
    /// Edges accepted as pulses.
    #[zbus(property)]
    fn accepted(&self) -> zbus::Result<u64>;
    /// Accepted pulses that had no edge of their own.
    #[zbus(property)]
    fn recovered(&self) -> zbus::Result<u64>;
    /// Edges rejected, by reason.
    #[zbus(property)]
    fn rejected(&self) -> zbus::Result<HashMap<String, u64>>;
    /// Edge storms.
    #[zbus(property)]
    fn storms(&self) -> zbus::Result<u64>;
    /// Corrections of the presumed level.
    #[zbus(property)]
    fn resyncs(&self) -> zbus::Result<u64>;
    /// `ok`, or in words what is wrong.
    #[zbus(property)]
    fn health(&self) -> zbus::Result<String>;
    /// Id of its valve, empty for none.
    #[zbus(property)]
    fn valve(&self) -> zbus::Result<String>;
    /// `learning`, `watching`, `away` or `unknown`.
    #[zbus(property)]
    fn phase(&self) -> zbus::Result<String>;
    /// Days that were learned of the home.
    #[zbus(property)]
    fn days_learned(&self) -> zbus::Result<f64>;
    /// What the home takes at the most, m³/h.
    #[zbus(property)]
    fn envelope(&self) -> zbus::Result<f64>;
    /// How often its register is read, ns; 0 for a meter whose pulses are counted.
    #[zbus(property)]
    fn read_every(&self) -> zbus::Result<u64>;
    /// What became of the readings of its register, by name.
    #[zbus(property)]
    fn readings(&self) -> zbus::Result<HashMap<String, u64>>;
    /// What its source can and cannot show, in words.
    #[zbus(property)]
    fn sight(&self) -> zbus::Result<String>;
    /// What people said of its verdicts, and what it did to the thresholds.
    #[zbus(property)]
    fn sensitivity(&self) -> zbus::Result<Vec<HashMap<String, OwnedVariant>>>;
}

/// A valve.
#[proxy(interface = "io.gasd1.Valve", default_service = "io.gasd1", assume_defaults = false)]
pub trait Valve {
    /// Closes it and keeps it closed until somebody opens it. No option is known yet.
    #[zbus(allow_interactive_auth)]
    fn close(&self, reason: &str, options: HashMap<&str, Variant<'_>>) -> zbus::Result<()>;
    /// Opens it. No option is known yet.
    #[zbus(allow_interactive_auth)]
    fn open(&self, options: HashMap<&str, Variant<'_>>) -> zbus::Result<()>;
    /// Closes it and holds it for an application; returns the hold's cookie. No option is known yet.
    #[zbus(allow_interactive_auth)]
    fn hold(&self, reason: &str, app_id: &str, options: HashMap<&str, Variant<'_>>) -> zbus::Result<u64>;
    /// Releases an application's hold. Opens nothing. No option is known yet.
    #[zbus(allow_interactive_auth)]
    fn release(&self, cookie: u64, options: HashMap<&str, Variant<'_>>) -> zbus::Result<()>;
    /// Its id.
    #[zbus(property(emits_changed_signal = "const"))]
    fn id(&self) -> zbus::Result<String>;
    /// Names it in records of the event stream.
    #[zbus(property(emits_changed_signal = "const"))]
    fn key(&self) -> zbus::Result<u64>;
    /// `open`, `closed` or `unknown`.
    #[zbus(property)]
    fn position(&self) -> zbus::Result<String>;
    /// `simulated`, `gpio`, or `none` if it is not configured any more.
    #[zbus(property)]
    fn actuator(&self) -> zbus::Result<String>;
    /// Reasons to keep it closed.
    #[zbus(property)]
    fn holds(&self) -> zbus::Result<Vec<HashMap<String, OwnedVariant>>>;
    /// `ok`, or in words what is wrong.
    #[zbus(property)]
    fn health(&self) -> zbus::Result<String>;
}

/// A port that meters are read through.
#[proxy(interface = "io.gasd1.Port", default_service = "io.gasd1", assume_defaults = false)]
pub trait Port {
    /// Looks for meters: a pipe of JSON lines, see `dbus/io.gasd1.Port.xml`. Option: `Protocols` (as).
    #[zbus(allow_interactive_auth)]
    fn scan(&self, options: HashMap<&str, Variant<'_>>) -> zbus::Result<OwnedFd>;
    /// Its id.
    #[zbus(property(emits_changed_signal = "const"))]
    fn id(&self) -> zbus::Result<String>;
    /// `serial`, `tcp`, `wmbus`, `lorawan` or `lwm2m`.
    #[zbus(property)]
    fn kind(&self) -> zbus::Result<String>;
    /// Device or address with its settings, in words.
    #[zbus(property)]
    fn place(&self) -> zbus::Result<String>;
    /// `ok`, or in words what is wrong.
    #[zbus(property)]
    fn health(&self) -> zbus::Result<String>;
    /// `good`, `low`, `unknown`; empty where no line says it.
    #[zbus(property)]
    fn supply(&self) -> zbus::Result<String>;
    /// Ids of the meters on it.
    #[zbus(property)]
    fn meters(&self) -> zbus::Result<Vec<String>>;
    /// What it has seen, by name.
    #[zbus(property)]
    fn counts(&self) -> zbus::Result<HashMap<String, u64>>;
    /// `yes`, `no` or `unknown`.
    #[zbus(property)]
    fn echo(&self) -> zbus::Result<String>;
    /// Meters that were heard and are not configured.
    #[zbus(property)]
    fn strangers(&self) -> zbus::Result<Vec<(String, String)>>;
}

/// A verdict that nobody acknowledged. None of its properties ever changes.
#[proxy(interface = "io.gasd1.Verdict", default_service = "io.gasd1", assume_defaults = false)]
pub trait Verdict {
    /// Acknowledges it. Option: `Feedback` (s), `false-alarm` or `real-leak`.
    #[zbus(allow_interactive_auth)]
    fn acknowledge(&self, options: HashMap<&str, Variant<'_>>) -> zbus::Result<()>;
    /// Its number.
    #[zbus(property(emits_changed_signal = "const"))]
    fn id(&self) -> zbus::Result<u64>;
    /// The meter's id.
    #[zbus(property(emits_changed_signal = "const"))]
    fn meter(&self) -> zbus::Result<String>;
    /// What was found.
    #[zbus(property(emits_changed_signal = "const"))]
    fn kind(&self) -> zbus::Result<String>;
    /// How bad it is.
    #[zbus(property(emits_changed_signal = "const"))]
    fn severity(&self) -> zbus::Result<String>;
    /// When it began, CLOCK_BOOTTIME ns.
    #[zbus(property(emits_changed_signal = "const"))]
    fn start(&self) -> zbus::Result<u64>;
    /// When it was decided, CLOCK_BOOTTIME ns.
    #[zbus(property(emits_changed_signal = "const"))]
    fn decided(&self) -> zbus::Result<u64>;
    /// When it was decided, Unix time in µs.
    #[zbus(property(emits_changed_signal = "const"))]
    fn unix_microseconds(&self) -> zbus::Result<u64>;
    /// The evidence, one JSON object.
    #[zbus(property(emits_changed_signal = "const"))]
    fn evidence(&self) -> zbus::Result<String>;
    /// One sentence for a person.
    #[zbus(property(emits_changed_signal = "const"))]
    fn text(&self) -> zbus::Result<String>;
    /// Whether a simulation made it.
    #[zbus(property(emits_changed_signal = "const"))]
    fn simulated(&self) -> zbus::Result<bool>;
}
