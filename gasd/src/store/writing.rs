// SPDX-License-Identifier: MIT OR Apache-2.0
//! A write that somebody waits for.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use crate::store::commit::Committed;
use crate::store::error::StoreError;

/// How long one waits for the disk. Flash that collects garbage may take seconds.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

pub(super) const WAITING: u8 = 0;
pub(super) const STARTED: u8 = 1;
const CANCELLED: u8 = 2;

/// What a write comes to.
type Written = Result<Committed, StoreError>;

/// A write that was begun.
#[must_use = "nobody else is told how it ends"]
pub struct Writing {
    answer: Receiver<Written>,
    state: Arc<AtomicU8>,
    path: PathBuf,
}

impl Writing {
    /// One that waits, and what the writing thread needs of it.
    pub(super) fn begin(path: &Path) -> (Writing, Arc<AtomicU8>, SyncSender<Written>) {
        let state = Arc::new(AtomicU8::new(WAITING));
        let (reply, answer) = sync_channel(1);
        (Writing { answer, state: Arc::clone(&state), path: path.to_path_buf() }, state, reply)
    }

    /// Waits for the disk.
    ///
    /// # Errors
    /// As [`WriterHandle::write_now`](crate::store::WriterHandle::write_now).
    pub fn wait(self) -> Written {
        let written = wait(&self.answer, &self.path);
        if matches!(written, Err(StoreError::Slow { .. } | StoreError::Stopped)) {
            let _ = self.state.compare_exchange(WAITING, CANCELLED, Ordering::AcqRel, Ordering::Acquire);
        }
        written
    }
}

/// Waits for what the writing thread answers.
pub(super) fn wait<T>(answer: &Receiver<Result<T, StoreError>>, path: &Path) -> Result<T, StoreError> {
    answer.recv_timeout(PATIENCE).unwrap_or_else(|error| {
        Err(match error {
            RecvTimeoutError::Timeout => {
                StoreError::Slow { path: path.to_path_buf(), seconds: PATIENCE.as_secs() }
            }
            RecvTimeoutError::Disconnected => StoreError::Stopped,
        })
    })
}
