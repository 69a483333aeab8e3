// SPDX-License-Identifier: MIT OR Apache-2.0
//! The service on D-Bus: `io.gasd1`, an object each for the meters, the valves and the verdicts.
//!
//! [`serve`] runs the bus on a thread of its own. It reads what the pipeline wrote into
//! [`Shared`], is told by a channel that something changed, and hands commands
//! over by another; nothing here decides anything about gas. Every property is read from the
//! shared snapshot at the moment somebody asks, so it is never older than the snapshot. Signals
//! are paced to human rates (see [`pace`]); verdicts are announced at once.
//!
//! Objects exist before the name is requested. When the bus goes away, the thread connects again,
//! first after 1 s, then ever more rarely up to every 30 s, and says so through [`BusStatus`].

mod address;
mod call;
mod caller;
mod gate;
mod groups;
mod guard;
mod link;
mod manager;
mod meter;
pub mod pace;
mod polkit;
mod port;
mod publish;
mod refusal;
mod simulation;
mod status;
mod valve;
mod verdict;

use std::os::fd::OwnedFd;
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use tokio::sync::{mpsc, oneshot, watch};

use crate::feed::Feeds;
use crate::state::{Answer, Change, Command, CommandError, Shared, VerdictRecord, look};
use crate::store::{AuditEntry, AuditPage, StoreError};
use crate::stream::Stream;

pub use address::BusAddress;
pub(crate) use caller::own_uid;
pub(crate) use groups::groups_of;
pub use status::{BusError, BusStatus};

/// Lookups in the user database at once: each has a thread, and one in the network may hang.
const LOOKUPS: usize = 16;

/// Where the pipeline puts its answer to a command. One that is dropped counts as
/// [`CommandError::Stopping`].
pub type Reply = oneshot::Sender<Result<Answer, CommandError>>;

/// What the pipeline gets.
pub type Request = (Command, Reply);

/// Entries of the audit record with their numbers, oldest first.
pub type AuditEntries = Result<Vec<(u64, AuditEntry)>, StoreError>;

/// Reads the audit record: must not wait, the answer goes through the sender.
pub type AuditReader = Arc<dyn Fn(AuditPage, oneshot::Sender<AuditEntries>) + Send + Sync>;

/// Opens the kernel's live page, or says why there is none.
pub type PageOpener = Arc<dyn Fn() -> Result<OwnedFd, String> + Send + Sync>;

/// Looks for meters on a port, by its id: the end of a pipe from which what is found can be read, a line of JSON each; or
/// why not. Must not wait.
pub type Searcher =
    Arc<dyn Fn(&str, gasd_meters::drive::scan::Search) -> Result<OwnedFd, String> + Send + Sync>;

/// A verdict out of the store, acknowledged or not.
pub type StoredVerdict = Result<Option<VerdictRecord>, StoreError>;

/// Reads a verdict by its number: must not wait, the answer goes through the sender.
pub type VerdictReader = Arc<dyn Fn(u64, oneshot::Sender<StoredVerdict>) + Send + Sync>;

/// What the bus is connected to.
pub struct Ports {
    /// Must already hold every meter and every valve. Valves stay; other meters are told by
    /// [`Change::Meters`].
    pub shared: Shared,
    /// Says what to look at again. It is a hint: what is lost because the channel is full is found by a
    /// look at everything every 5 s. Use `try_send`. Once every sender is dropped the thread ends as
    /// with [`Bus::stop`].
    pub changes: mpsc::Receiver<Change>,
    /// Leads to the pipeline. When it is full the caller is told to try again.
    pub commands: SyncSender<Request>,
    /// Makes subscriptions.
    pub stream: Stream,
    /// Reads the audit record.
    pub audit: AuditReader,
    /// Reads verdicts that are on the bus no more.
    pub verdicts: VerdictReader,
    /// What hands out descriptors besides the stream.
    pub doors: Doors,
}

/// Where descriptors come from, besides the stream.
#[derive(Clone, Default)]
pub struct Doors {
    /// Makes feeds; `None` where nothing is metered.
    pub feeds: Option<Feeds>,
    /// Opens the live page: a descriptor that can be mapped. Must not wait.
    pub page: Option<PageOpener>,
    /// Looks for meters; `None` where there are no ports.
    pub search: Option<Searcher>,
}

/// The running bus. Dropping it is [`Bus::stop`].
#[derive(Debug)]
pub struct Bus {
    stop: watch::Sender<bool>,
    status: Arc<Mutex<BusStatus>>,
    thread: Option<JoinHandle<()>>,
}

impl Bus {
    /// How it stands with the bus now.
    #[must_use]
    pub fn status(&self) -> BusStatus {
        self.status.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Gives calls that wait for the pipeline one more second, releases the name and ends the
    /// thread. Answer the open commands before.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        // The thread may have ended already, then nobody listens.
        let _ = self.stop.send(true);
        if let Some(thread) = self.thread.take() {
            // A panic of the thread was reported when it happened.
            let _ = thread.join();
        }
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        self.end();
    }
}

/// Serves `io.gasd1` on a thread of its own.
///
/// `notify` is called on the bus thread with every new status; it must not block. READY=1 belongs
/// to the first [`BusStatus::Serving`]. [`BusStatus::Failed`] with [`BusError::NameTaken`] before
/// that means that another gasd runs: a reason to exit. The thread itself goes on trying.
///
/// # Errors
/// When no thread or no event loop can be had.
pub fn serve(
    address: BusAddress,
    ports: Ports,
    notify: impl FnMut(&BusStatus) + Send + 'static,
) -> std::io::Result<Bus> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(LOOKUPS).build()?;
    let (stop, stopped) = watch::channel(false);
    let status = Arc::new(Mutex::new(BusStatus::Connecting));
    let link = link::Link {
        address,
        ports,
        stopped,
        report: status::Report::new(Arc::clone(&status), Box::new(notify)),
    };
    let thread = std::thread::Builder::new().name("gasd-bus".to_owned()).spawn(move || {
        runtime.block_on(link.run());
        // A lookup of groups may hang in the network; the daemon does not wait for it.
        runtime.shutdown_background();
    })?;
    Ok(Bus { stop, status, thread: Some(thread) })
}
