// SPDX-License-Identifier: MIT OR Apache-2.0
//! `io.gasd1.Manager` at `/io/gasd1`: the service itself.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use gasd_abi::records::meter_key;
use tokio::sync::oneshot;
use zbus::message::Header;
use zbus::object_server::SignalEmitter;
use zbus::{Connection, ObjectPath, OwnedFd, OwnedVariant, Variant, interface};

use super::call::{Desk, Options, no_other_options, option};
use super::caller::Caller;
use super::gate::Gate;
use super::guard::Duty;
use super::refusal::Refusal;
use super::{AuditReader, Doors, Ports, VerdictReader, look, verdict};
use crate::state::{Command, CommandError, MeterState, Shared};
use crate::store::{AuditEntry, AuditPage, StoreError};
use crate::stream::{Stream, Wish};

/// Entries of the record when the caller does not say how many.
const ENTRIES: u32 = 20;
/// Entries of the record in one answer.
const ENTRIES_MOST: u32 = 1000;
/// Questions to the record under way in all, and of one user: the thread that answers them also writes.
const READS: (usize, usize) = (4, 2);
/// How long a caller waits for the record.
const ANSWER: Duration = Duration::from_secs(10);

/// The service.
pub(super) struct Manager {
    shared: Shared,
    desk: Desk,
    stream: Stream,
    audit: AuditReader,
    verdicts: VerdictReader,
    reads: Arc<Gate<u32>>,
    doors: Doors,
}

impl Manager {
    pub(super) fn new(ports: &Ports, desk: Desk) -> Manager {
        Manager {
            shared: ports.shared.clone(),
            desk,
            stream: ports.stream.clone(),
            audit: ports.audit.clone(),
            verdicts: ports.verdicts.clone(),
            reads: Gate::new(READS.0, READS.1),
            doors: ports.doors.clone(),
        }
    }

    /// Waits for what the store says, within reason.
    async fn read<T>(
        &self,
        caller: &Caller,
        ask: impl FnOnce(oneshot::Sender<Result<T, StoreError>>),
    ) -> Result<T, Refusal> {
        let _read = self.reads.enter(&caller.uid).ok_or(Refusal::Busy)?;
        let (reply, answer) = oneshot::channel();
        ask(reply);
        match tokio::time::timeout(ANSWER, answer).await {
            Ok(Ok(read)) => read.map_err(|error| Refusal::Record(error.to_string())),
            Ok(Err(_)) => Err(Refusal::Record(StoreError::Stopped.to_string())),
            Err(_) => Err(Refusal::Record(format!("the disk did not answer within {} s", ANSWER.as_secs()))),
        }
    }
}

fn page(options: &Options) -> Result<AuditPage, Refusal> {
    const LAST: &str = "a number (u) from 1 to 1000";
    no_other_options(options, &["Last", "Before"])?;
    let last = option(options, "Last", LAST)?.unwrap_or(ENTRIES);
    if !(1..=ENTRIES_MOST).contains(&last) {
        return Err(Refusal::WrongOption { name: "Last", expected: LAST });
    }
    let before = option(options, "Before", "the number of an entry (t)")?;
    Ok(AuditPage { last: last as usize, before })
}

fn entry(number: u64, e: AuditEntry) -> HashMap<&'static str, Variant<'static>> {
    HashMap::from([
        ("Number", Variant::from(number)),
        ("UnixMicroseconds", Variant::from(e.time_unix_us)),
        ("Boottime", Variant::from(e.boottime_ns)),
        ("Actor", Variant::from(e.actor)),
        ("Action", Variant::from(e.action)),
        ("Object", Variant::from(e.object)),
        ("Detail", Variant::from(e.detail)),
        ("Outcome", Variant::from(e.outcome)),
    ])
}

/// How a meter's total is reckoned from its line's counter; `None` while that is not certain.
fn reckoning(meter: &MeterState) -> Option<HashMap<&'static str, Variant<'static>>> {
    let at = meter.reckoning?;
    Some(HashMap::from([
        ("Id", Variant::from(meter.id.clone())),
        ("Key", Variant::from(meter_key(&meter.id))),
        ("Line", Variant::from(at.line)),
        ("PulsesBase", Variant::from(at.pulses)),
        ("VolumeBaseMicrolitres", Variant::from(at.volume_ul)),
        ("PulseVolumeMicrolitres", Variant::from(at.pulse_volume_ul)),
        ("TotalKnown", Variant::from(meter.total_known)),
        ("Simulated", Variant::from(at.simulated)),
    ]))
}

#[interface(name = "io.gasd1.Manager", introspection_docs = false)]
impl Manager {
    #[zbus(out_args("stream"))]
    async fn subscribe(
        &self,
        #[zbus(connection)] connection: &Connection,
        #[zbus(header)] header: Header<'_>,
        options: Options,
    ) -> Result<OwnedFd, Refusal> {
        let _ticket = self.desk.guard.admit(&header)?;
        no_other_options(&options, &["Meters", "Kinds"])?;
        let wish = Wish {
            meters: option(&options, "Meters", "ids of meters (as)")?.unwrap_or_default(),
            kinds: option(&options, "Kinds", "names of kinds (as)")?.unwrap_or_default(),
        };
        let caller = self.desk.guard.may_read(connection, &header, "subscribe").await?;
        Ok(self.stream.subscribe(caller.uid, &wish)?.into())
    }

    #[zbus(out_args("feed"))]
    async fn feed(
        &self,
        #[zbus(connection)] connection: &Connection,
        #[zbus(header)] header: Header<'_>,
        options: Options,
    ) -> Result<OwnedFd, Refusal> {
        let _ticket = self.desk.guard.admit(&header)?;
        no_other_options(&options, &["Meters"])?;
        let meters: Vec<String> = option(&options, "Meters", "ids of meters (as)")?.unwrap_or_default();
        let caller = self.desk.guard.may(connection, &header, Duty::Feed).await?;
        let feeds = self.doors.feeds.as_ref().ok_or(CommandError::Stopping)?;
        Ok(feeds.open(caller.uid, &meters)?.into())
    }

    #[zbus(out_args("page", "meters"))]
    async fn live(
        &self,
        #[zbus(connection)] connection: &Connection,
        #[zbus(header)] header: Header<'_>,
        options: Options,
    ) -> Result<(OwnedFd, Vec<HashMap<&'static str, Variant<'static>>>), Refusal> {
        let _ticket = self.desk.guard.admit(&header)?;
        no_other_options(&options, &[])?;
        self.desk.guard.may_read(connection, &header, "read the live page").await?;
        let open = self.doors.page.as_ref().ok_or_else(|| {
            let why = look(&self.shared).service.mode_reason.clone();
            Refusal::NoPage(format!("the filter runs in user space ({why})"))
        })?;
        let page = open().map_err(Refusal::NoPage)?;
        let meters = look(&self.shared).meters.iter().filter_map(reckoning).collect();
        Ok((page.into(), meters))
    }

    #[zbus(out_args("entries"))]
    async fn audit(
        &self,
        #[zbus(connection)] connection: &Connection,
        #[zbus(header)] header: Header<'_>,
        options: Options,
    ) -> Result<Vec<HashMap<&'static str, Variant<'static>>>, Refusal> {
        let _ticket = self.desk.guard.admit(&header)?;
        let page = page(&options)?;
        let caller = self.desk.guard.may_read(connection, &header, "read the record").await?;
        let entries = self.read(&caller, |reply| (self.audit)(page, reply)).await?;
        Ok(entries.into_iter().map(|(number, e)| entry(number, e)).collect())
    }

    #[zbus(out_args("properties"))]
    async fn get_verdict(
        &self,
        #[zbus(connection)] connection: &Connection,
        #[zbus(header)] header: Header<'_>,
        id: u64,
        options: Options,
    ) -> Result<HashMap<String, OwnedVariant>, Refusal> {
        let _ticket = self.desk.guard.admit(&header)?;
        no_other_options(&options, &[])?;
        let caller = self.desk.guard.may_read(connection, &header, "read the record").await?;
        // One that waits may not be on the disk yet.
        let waits = look(&self.shared).verdicts.iter().find(|record| record.id == id).cloned();
        let record = match waits {
            Some(record) => record,
            None => {
                let stored = self.read(&caller, |reply| (self.verdicts)(id, reply)).await?;
                stored.ok_or(Refusal::NoVerdict(id))?
            }
        };
        verdict::owned(&record).map_err(|error| Refusal::Record(error.to_string()))
    }

    async fn reload(
        &self,
        #[zbus(connection)] connection: &Connection,
        #[zbus(header)] header: Header<'_>,
        options: Options,
    ) -> Result<(), Refusal> {
        let command = |caller: &Caller| Command::Reload { caller: caller.name() };
        self.desk.submit(connection, &header, &options, Duty::Configure, command).await.map(drop)
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }

    #[zbus(property)]
    fn mode(&self) -> &'static str {
        look(&self.shared).service.mode.name()
    }

    #[zbus(property)]
    fn mode_reason(&self) -> String {
        look(&self.shared).service.mode_reason.clone()
    }

    #[zbus(property)]
    fn store(&self) -> &'static str {
        look(&self.shared).service.store.name()
    }

    #[zbus(property)]
    fn store_reason(&self) -> String {
        look(&self.shared).service.store_reason.clone()
    }

    #[zbus(property)]
    fn configuration(&self) -> &'static str {
        look(&self.shared).service.configuration.name()
    }

    #[zbus(property)]
    fn configuration_reasons(&self) -> Vec<String> {
        look(&self.shared).service.configuration_reasons.clone()
    }

    #[zbus(property)]
    fn configuration_warnings(&self) -> Vec<String> {
        look(&self.shared).service.configuration_warnings.clone()
    }

    #[zbus(property)]
    fn configuration_read(&self) -> u64 {
        look(&self.shared).service.configuration_read_unix_us
    }

    #[zbus(property)]
    fn ring_overrun(&self) -> u64 {
        look(&self.shared).service.ring_overrun
    }

    #[zbus(property)]
    fn fall_through(&self) -> u64 {
        look(&self.shared).service.fall_through
    }

    #[zbus(property)]
    fn queue_full(&self) -> u64 {
        look(&self.shared).service.queue_full
    }

    #[zbus(property)]
    fn events_missed(&self) -> u64 {
        look(&self.shared).service.events_missed
    }

    #[zbus(property)]
    fn subscribers(&self) -> u32 {
        self.stream.subscribers() as u32
    }

    #[zbus(property)]
    fn records_dropped(&self) -> u64 {
        self.stream.dropped()
    }

    #[zbus(property)]
    fn problems(&self) -> Vec<String> {
        look(&self.shared).service.problems.clone()
    }

    #[zbus(signal)]
    pub(super) async fn verdict_added(
        emitter: &SignalEmitter<'_>,
        verdict: ObjectPath<'_>,
        properties: HashMap<&str, Variant<'_>>,
    ) -> zbus::Result<()>;

    #[zbus(signal)]
    pub(super) async fn verdict_removed(
        emitter: &SignalEmitter<'_>,
        verdict: ObjectPath<'_>,
        details: HashMap<&str, Variant<'_>>,
    ) -> zbus::Result<()>;
}
