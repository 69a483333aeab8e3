// SPDX-License-Identifier: MIT OR Apache-2.0
//! Feeds: programs that own a meter's interrupt, or decode its telegrams, hand in its edges or readings over a
//! socket (`gasd_abi::feed`).
//!
//! An edge that is fed goes the way of any edge: through the filter wherever it runs, into the same counters, to
//! the same engine. A reading goes to the engine, and is answered once its total is on the disk. A thread of its
//! own, `gasd-feed`, reads the sockets.
//!
//! | file | idea |
//! |---|---|
//! | [`line`] | a fed line: which edges are repetitions, when the level is certain; no socket |
//! | [`session`] | one feed: its socket, what it is still to be answered |
//! | `packet` | what becomes of a packet's entries |
//! | `thread` | all feeds, and the thread |

pub mod line;
mod packet;
pub mod session;
mod thread;

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};

use gasd_abi::records::meter_key;
use rustix::event::{EventfdFlags, eventfd};

use crate::config::MeterConfig;
use crate::exit::Fatal;
use crate::pipeline::{filter::LineFilter, queue::Queue, written::Written};

use session::Session;

/// Feeds in all.
pub const MOST: usize = 256;
/// Feeds of one user other than root.
pub const MOST_OF_USER: usize = 128;

/// Why there is no feed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FeedError {
    /// No meter was named.
    #[error("which meter? name it in the option Meters")]
    NoMeter,
    /// No such meter.
    #[error("no meter is called \"{0}\"; `gasctl status` lists them")]
    Unknown(String),
    /// The meter counts by itself.
    #[error(
        "meter \"{0}\" is not fed by a program: write source = \"stack\" into its [[meter]] table, instead of gpio, and reload"
    )]
    NotFed(String),
    /// No room for more.
    #[error("{MOST} feeds are open, and that is the limit; close one, by closing its file descriptor")]
    TooMany,
    /// This user has enough.
    #[error(
        "user {uid} has {MOST_OF_USER} feeds open, and that is the limit for one user; close one, by closing its file descriptor"
    )]
    TooManyOfUser {
        /// The user.
        uid: u32,
    },
    /// The system gave no socket.
    #[error("no socket could be made: {0}")]
    Socket(String),
}

/// A meter that is fed, as far as a feed needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fed {
    /// Its id.
    pub id: String,
    /// Index of its line in the filter.
    pub line: u32,
    /// Its filter; none for a meter whose register is read.
    pub filter: Option<gasd_abi::FilterConfig>,
}

/// The meters that the configuration in force has, with their lines.
pub type Meters = Arc<dyn Fn() -> Vec<(MeterConfig, u32)> + Send + Sync>;

/// Makes feeds.
#[derive(Clone)]
pub struct Feeds {
    shared: Arc<Shared>,
    meters: Meters,
}

/// What the bus hands to the thread.
struct Shared {
    arrivals: Mutex<Vec<Session>>,
    /// Uids of the feeds that are open.
    open: Mutex<Vec<u32>>,
    wake: OwnedFd,
}

/// The thread; it ends when this is dropped.
pub struct Feeding {
    shared: Arc<Shared>,
    stop: Arc<std::sync::atomic::AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Shared {
    fn wake(&self) {
        // A counter that is full has woken the thread already.
        let _ = rustix::io::write(&self.wake, &1u64.to_ne_bytes());
    }
}

impl Drop for Feeding {
    fn drop(&mut self) {
        self.stop.store(true, std::sync::atomic::Ordering::Relaxed);
        self.shared.wake();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Starts the thread.
///
/// # Errors
/// No thread or no descriptor can be had.
pub fn start(
    meters: Meters,
    bank: Arc<dyn LineFilter>,
    queue: Queue,
    written: Written,
) -> Result<(Feeds, Feeding), Fatal> {
    let wake = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)
        .map_err(|error| Fatal::new(crate::exit::FAILED, format!("thread gasd-feed: {error}")))?;
    let shared = Arc::new(Shared { arrivals: Mutex::default(), open: Mutex::default(), wake });
    let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let woken = shared.clone();
    written.wakes(move || woken.wake());
    let work = thread::Work::new(shared.clone(), stop.clone(), meters.clone(), bank, queue, written);
    let thread = crate::service::spawn("gasd-feed", move || work.run())?;
    let feeding = Feeding { shared: shared.clone(), stop, thread: Some(thread) };
    Ok((Feeds { shared, meters }, feeding))
}

impl Feeds {
    /// A feed of these meters for a user: the end that it writes into.
    ///
    /// # Errors
    /// [`FeedError`]; then no other feed is touched.
    pub fn open(&self, uid: u32, ids: &[String]) -> Result<OwnedFd, FeedError> {
        let all = (self.meters)();
        let mut keys = Vec::with_capacity(ids.len());
        for id in ids {
            let (meter, _) = all
                .iter()
                .find(|(meter, _)| meter.id == *id)
                .ok_or_else(|| FeedError::Unknown(id.clone()))?;
            if !meter.source.is_fed() {
                return Err(FeedError::NotFed(id.clone()));
            }
            keys.push(meter_key(id));
        }
        if keys.is_empty() {
            return Err(FeedError::NoMeter);
        }
        let mut open = self.shared.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.len() >= MOST {
            return Err(FeedError::TooMany);
        }
        // Root's services share one user; they are bounded by the limit for all.
        if uid != 0 && open.iter().filter(|other| **other == uid).count() >= MOST_OF_USER {
            return Err(FeedError::TooManyOfUser { uid });
        }
        let (session, theirs) =
            Session::new(uid, keys).map_err(|error: io::Error| FeedError::Socket(error.to_string()))?;
        open.push(uid);
        drop(open);
        self.shared.arrivals.lock().unwrap_or_else(PoisonError::into_inner).push(session);
        self.shared.wake();
        Ok(theirs)
    }
}

impl Shared {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.wake.as_fd()
    }
}
