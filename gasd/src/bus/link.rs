// SPDX-License-Identifier: MIT OR Apache-2.0
//! The life of the bus thread: connect, serve until the bus goes away, wait, connect again.

use std::time::Duration;

use gasd_proxy::NAME;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until, timeout};
use zbus::fdo::{self, RequestNameFlags};
use zbus::names::BusName;
use zbus::{Connection, Error};

use super::call::Desk;
use super::guard::{Guard, Rule};
use super::manager::Manager;
use super::pace::{Pacer, Subject};
use super::publish::Publisher;
use super::status::Report;
use super::{BusAddress, BusError, BusStatus, Ports, polkit};
use crate::state::Change;

/// First wait after a failure; doubles up to [`LONGEST_WAIT`].
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// Longest wait between two attempts.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// A bus that is alive answers within milliseconds.
const BUS_ANSWER: Duration = Duration::from_secs(10);
/// Calls under way when the service stops may take this long.
const LAST_CALLS: Duration = Duration::from_secs(1);
/// Everything is looked at this often, in case a hint was lost.
const LOOK_AT_ALL: Duration = Duration::from_secs(5);
/// Hints taken from the channel at once.
const BATCH: usize = 256;

/// Why a connection ended.
enum End {
    /// The daemon stops.
    Stop,
    /// It broke, or could not be made.
    Failed(BusError),
}

impl From<Error> for End {
    fn from(error: Error) -> End {
        End::Failed(BusError::Bus(error.to_string()))
    }
}

/// What the bus thread owns.
pub(super) struct Link {
    pub(super) address: BusAddress,
    pub(super) ports: Ports,
    pub(super) stopped: watch::Receiver<bool>,
    pub(super) report: Report,
}

impl Link {
    /// Serves until the daemon stops.
    pub(super) async fn run(mut self) {
        let mut wait = FIRST_WAIT;
        loop {
            match self.connect_and_serve(&mut wait).await {
                End::Stop => break,
                End::Failed(error) => {
                    self.report.set(BusStatus::Failed { error, retry_in: wait });
                    if self.pause(wait).await {
                        break;
                    }
                    wait = (wait * 2).min(LONGEST_WAIT);
                }
            }
        }
        self.report.set(BusStatus::Stopped);
    }

    /// Waits before the next attempt and empties the channel meanwhile: the next connection reads
    /// the snapshot anyway. Returns whether the daemon stops.
    async fn pause(&mut self, wait: Duration) -> bool {
        let end = sleep(wait);
        tokio::pin!(end);
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            tokio::select! {
                _ = self.stopped.wait_for(|stop| *stop) => return true,
                () = &mut end => return false,
                count = self.ports.changes.recv_many(&mut batch, BATCH) => {
                    if count == 0 {
                        return true;
                    }
                    batch.clear();
                }
            }
        }
    }

    /// One connection from its beginning to its end.
    async fn connect_and_serve(&mut self, wait: &mut Duration) -> End {
        let mut stopped = self.stopped.clone();
        let connecting = connect(&self.address);
        let connection = tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => return End::Stop,
            result = connecting => match result {
                Ok(connection) => connection,
                Err(error) => return End::Failed(error),
            },
        };
        let rule = match self.address {
            BusAddress::System => Rule::System,
            BusAddress::Session | BusAddress::Address(_) => Rule::Private,
        };
        let ports = &self.ports;
        let desk = Desk::new(ports.commands.clone(), Guard::new(rule));
        let manager = Manager::new(ports, desk.clone());
        let mut publisher =
            match Publisher::new(&connection, &ports.shared, desk, manager, ports.doors.search.clone()).await
            {
                Ok(publisher) => publisher,
                Err(error) => return error.into(),
            };
        match timeout(BUS_ANSWER, own_name(&connection)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return End::Failed(error),
            Err(_) => return End::Failed(BusError::Bus(no_answer())),
        }
        let unique_name = connection.unique_name().map(ToString::to_string).unwrap_or_default();
        self.report.set(BusStatus::Serving { unique_name });
        *wait = FIRST_WAIT;

        let end = self.follow(&connection, &mut publisher).await.unwrap_or_else(End::from);
        drop(publisher);
        match end {
            End::Stop => {
                farewell(connection).await;
                End::Stop
            }
            End::Failed(_) if connection.is_closed() => {
                End::Failed(BusError::Lost { bus: self.address.to_string() })
            }
            failed @ End::Failed(_) => failed,
        }
    }

    /// Tells what changes until the connection breaks or the daemon stops.
    async fn follow(&mut self, connection: &Connection, publisher: &mut Publisher) -> Result<End, Error> {
        let origin = Instant::now();
        let mut pacer = Pacer::new(publisher.meters(), publisher.valves(), publisher.ports());
        let mut all = interval(LOOK_AT_ALL);
        all.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            let now_ms = u64::try_from(origin.elapsed().as_millis()).unwrap_or(u64::MAX);
            while let Some(subject) = pacer.take(now_ms) {
                if publisher.tell(subject).await? {
                    pacer.sent(subject, now_ms);
                }
            }
            let due = pacer.due_ms();
            let wake = origin + Duration::from_millis(due.unwrap_or_default());
            tokio::select! {
                biased;
                _ = self.stopped.wait_for(|stop| *stop) => return Ok(End::Stop),
                () = connection.closed() => {
                    return Ok(End::Failed(BusError::Lost { bus: self.address.to_string() }));
                }
                _ = all.tick() => {
                    if publisher.sync().await? {
                        pacer = Pacer::new(publisher.meters(), publisher.valves(), publisher.ports());
                    }
                    pacer.mark_all();
                    publisher.sync_verdicts().await?;
                }
                () = sleep_until(wake), if due.is_some() => {}
                count = self.ports.changes.recv_many(&mut batch, BATCH) => {
                    if count == 0 {
                        return Ok(End::Stop);
                    }
                    if batch.contains(&Change::Meters) && publisher.sync().await? {
                        pacer = Pacer::new(publisher.meters(), publisher.valves(), publisher.ports());
                        pacer.mark_all();
                    }
                    if note(&mut pacer, batch.drain(..)) {
                        publisher.sync_verdicts().await?;
                    }
                }
            }
        }
    }
}

/// Notes what changed; returns whether a verdict came or went.
fn note(pacer: &mut Pacer, changes: impl Iterator<Item = Change>) -> bool {
    let mut verdicts = false;
    for change in changes {
        match change {
            Change::Service => pacer.mark(Subject::Service),
            Change::Simulation => pacer.mark(Subject::Simulation),
            Change::Meter(index) => pacer.mark(Subject::Meter(index)),
            Change::Port(index) => pacer.mark(Subject::Port(index)),
            Change::Valve(index) => pacer.mark(Subject::Valve(index)),
            Change::VerdictAdded(_) | Change::VerdictRemoved(_) => verdicts = true,
            // Looked at before: it changes what the indices mean.
            Change::Meters => {}
        }
    }
    verdicts
}

async fn connect(address: &BusAddress) -> Result<Connection, BusError> {
    let unreachable = |why: String| BusError::Unreachable { bus: address.to_string(), why };
    // The longest wait is polkit's, for a person. Everything else has a shorter patience of its own.
    let building = address.builder().method_timeout(polkit::TYPES + BUS_ANSWER).build();
    match timeout(BUS_ANSWER, building).await {
        Ok(Ok(connection)) => Ok(connection),
        Ok(Err(error)) => Err(unreachable(error.to_string())),
        Err(_) => Err(unreachable(no_answer())),
    }
}

fn no_answer() -> String {
    format!("no answer within {} s", BUS_ANSWER.as_secs())
}

/// Takes the name, without waiting in a queue and without taking it from anybody.
async fn own_name(connection: &Connection) -> Result<(), BusError> {
    let flags = RequestNameFlags::DO_NOT_QUEUE;
    match connection.request_name_with_flags(NAME, flags).await {
        Ok(_) => Ok(()),
        Err(Error::NameTaken) => Err(name_taken(connection).await),
        Err(Error::FDO(error)) => match *error {
            fdo::Error::AccessDenied(why) => Err(BusError::NameDenied(why)),
            other => Err(BusError::Bus(other.to_string())),
        },
        Err(error) => Err(BusError::Bus(error.to_string())),
    }
}

/// Finds out who has the name.
async fn name_taken(connection: &Connection) -> BusError {
    let lookup = async {
        let bus = fdo::DBusProxy::new(connection).await?;
        let owner = bus.get_name_owner(NAME.try_into()?).await?;
        let pid = bus.get_connection_unix_process_id(BusName::from(owner.inner().clone())).await.ok();
        Ok::<_, Error>((owner.to_string(), pid))
    };
    match lookup.await {
        Ok((owner, pid)) => BusError::NameTaken { owner, pid },
        // It left between the two questions; the next attempt will tell.
        Err(_) => BusError::NameTaken { owner: "unknown".to_owned(), pid: None },
    }
}

/// Leaves the bus after the calls under way have been answered.
async fn farewell(connection: Connection) {
    let leaving = async {
        // When this fails the connection is gone, and the name with it.
        let _ = connection.release_name(NAME).await;
        connection.graceful_shutdown().await;
    };
    // A call that takes longer ends with the connection.
    let _ = timeout(LAST_CALLS, leaving).await;
}
