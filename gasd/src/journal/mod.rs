// SPDX-License-Identifier: MIT OR Apache-2.0
//! What gasd says: to the journal with a message id and fields, or as lines on standard error.
//!
//! | file | idea |
//! |---|---|
//! | [`what`] | the table of ids and priorities |
//! | `sink` | journald or lines |
//! | `changes` | from states to notes: what is said once when it begins and once when it ends |
//!
//! While the service runs, notes are written by a thread of its own. journald may hang as a disk may,
//! and the thread that closes valves waits for neither; notes that find no room are counted, and that
//! is said.

pub mod changes;
mod sink;
pub mod what;

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread,
    time::Duration,
};

use what::{Priority, What};

/// Notes that may wait.
const WAITING: usize = 256;
/// How long an ending service waits for what still waits.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Something to say. The fields that are set become fields of the journal's entry, by the same name in
/// capitals: `METER=kitchen`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// What it is about: its `MESSAGE_ID`.
    pub what: What,
    /// `PRIORITY`.
    pub priority: Priority,
    /// `MESSAGE`, for a person.
    pub text: String,
    /// `METER`, by id.
    pub meter: Option<String>,
    /// `VALVE`, by id.
    pub valve: Option<String>,
    /// `VERDICT`, its number.
    pub verdict: Option<String>,
    /// `KIND` of the verdict.
    pub kind: Option<String>,
    /// `SEVERITY` of the verdict.
    pub severity: Option<String>,
}

impl Note {
    /// A note without further fields.
    #[must_use]
    pub fn new(what: What, text: impl Into<String>) -> Self {
        Self {
            what,
            priority: what.priority(),
            text: text.into(),
            meter: None,
            valve: None,
            verdict: None,
            kind: None,
            severity: None,
        }
    }

    /// About this meter.
    #[must_use]
    pub fn meter(self, id: &str) -> Self {
        Self { meter: Some(id.to_owned()), ..self }
    }

    /// About this valve.
    #[must_use]
    pub fn valve(self, id: &str) -> Self {
        Self { valve: Some(id.to_owned()), ..self }
    }
}

enum Item {
    Note(Box<Note>),
    End(SyncSender<()>),
}

static SENDER: Mutex<Option<SyncSender<Item>>> = Mutex::new(None);
static DROPPED: AtomicU64 = AtomicU64::new(0);

/// Chooses between journald and standard error. Call it first.
pub fn open() {
    sink::open();
}

/// Says something. While a [`Journal`] lives this never waits; else it is said before it returns.
pub fn tell(note: Note) {
    let sender = SENDER.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(sender) = sender.as_ref() else { return sink::write(&note) };
    match sender.try_send(Item::Note(Box::new(note))) {
        Ok(()) | Err(TrySendError::Disconnected(_)) => {}
        Err(TrySendError::Full(_)) => drop(DROPPED.fetch_add(1, Ordering::Relaxed)),
    }
}

/// The thread that writes notes; ends, after what waits is written, when dropped.
#[derive(Debug)]
pub struct Journal(());

impl Journal {
    /// Starts the thread.
    ///
    /// # Errors
    /// When there is none to be had.
    pub fn start() -> std::io::Result<Self> {
        let (sender, receiver) = sync_channel(WAITING);
        thread::Builder::new()
            .name("gasd-journal".to_owned())
            .stack_size(128 * 1024)
            .spawn(move || run(&receiver))?;
        *SENDER.lock().unwrap_or_else(PoisonError::into_inner) = Some(sender);
        Ok(Self(()))
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        let Some(sender) = SENDER.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
        let (reply, ended) = sync_channel(1);
        // A journald that hangs must not keep the service from ending.
        if sender.try_send(Item::End(reply)).is_ok() {
            let _ = ended.recv_timeout(LAST_WORDS);
        }
    }
}

fn run(receiver: &Receiver<Item>) {
    while let Ok(item) = receiver.recv() {
        match item {
            Item::Note(note) => sink::write(&note),
            Item::End(reply) => {
                let _ = reply.send(());
                return;
            }
        }
        let dropped = DROPPED.swap(0, Ordering::Relaxed);
        if dropped > 0 {
            let text = format!("{dropped} messages found the journal busy and were dropped");
            sink::write(&Note::new(What::KernelFault, text));
        }
    }
}
