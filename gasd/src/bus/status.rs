// SPDX-License-Identifier: MIT OR Apache-2.0
//! How it stands with the bus, in a form for the daemon to act on and for a person to read.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How it stands with the bus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BusStatus {
    /// Connecting for the first time.
    Connecting,
    /// The objects are there and the name is ours.
    Serving {
        /// Our unique name on the bus.
        unique_name: String,
    },
    /// Not on the bus. Metering goes on; the next attempt follows by itself.
    Failed {
        /// Why.
        error: BusError,
        /// When the next attempt follows.
        retry_in: Duration,
    },
    /// The thread has ended.
    Stopped,
}

impl fmt::Display for BusStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BusStatus::Connecting => f.write_str("connecting to D-Bus"),
            BusStatus::Serving { unique_name } => {
                write!(f, "serving io.gasd1 on D-Bus as {unique_name}")
            }
            BusStatus::Failed { error, retry_in } => {
                write!(f, "not on D-Bus: {error}; next attempt in {} s", retry_in.as_secs())
            }
            BusStatus::Stopped => f.write_str("left D-Bus"),
        }
    }
}

/// Why the service is not on the bus.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BusError {
    /// The bus cannot be reached.
    #[error("cannot reach the {bus}: {why}")]
    Unreachable {
        /// The bus in words.
        bus: String,
        /// What the system said.
        why: String,
    },
    /// The connection broke after it had worked.
    #[error("the {bus} closed the connection")]
    Lost {
        /// The bus in words.
        bus: String,
    },
    /// Another process has the name.
    #[error("another gasd owns io.gasd1: {}, bus name {owner}; stop it first (`systemctl stop gasd`)",
        .pid.map_or_else(|| "process unknown".to_owned(), |pid| format!("process {pid}")))]
    NameTaken {
        /// Its unique name.
        owner: String,
        /// Its process, if the bus knows.
        pid: Option<u32>,
    },
    /// The bus does not let this user have the name.
    #[error(
        "the bus refuses the name io.gasd1: {0}; is /usr/share/dbus-1/system.d/io.gasd1.conf installed, and does the service run as the user gasd?"
    )]
    NameDenied(String),
    /// Something else.
    #[error("D-Bus: {0}")]
    Bus(String),
}

type Notify = Box<dyn FnMut(&BusStatus) + Send>;

/// Keeps the status for [`super::Bus::status`] and tells the daemon.
pub(super) struct Report {
    status: Arc<Mutex<BusStatus>>,
    notify: Notify,
}

impl Report {
    pub(super) fn new(status: Arc<Mutex<BusStatus>>, notify: Notify) -> Report {
        Report { status, notify }
    }

    pub(super) fn set(&mut self, status: BusStatus) {
        status.clone_into(&mut self.status.lock().unwrap_or_else(PoisonError::into_inner));
        (self.notify)(&status);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_name_says_by_whom() {
        let text = BusError::NameTaken { owner: ":1.7".into(), pid: Some(4711) }.to_string();
        assert!(text.contains("process 4711") && text.contains(":1.7"), "{text}");
        let text = BusError::NameTaken { owner: ":1.7".into(), pid: None }.to_string();
        assert!(text.contains("process unknown"), "{text}");
    }
}
