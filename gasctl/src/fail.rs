// SPDX-License-Identifier: MIT OR Apache-2.0
//! What went wrong, in words a person can act on, and the exit status a script can act on.

use gasd_proxy::{CONTROL_GROUP, ClientError, READ_GROUP};

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The client library says so.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The user may not.
    #[error("{0}")]
    Denied(String),
    /// The command line is not enough, or gasd does not take what it asks for.
    #[error("{0}")]
    Usage(String),
    /// Something that must be there is not.
    #[error("{0}")]
    Missing(String),
    /// It can be done, but not as things stand.
    #[error("{0}")]
    Refused(String),
    /// Bytes that cannot be read.
    #[error("{0}")]
    Undecoded(String),
    /// The doctor found something.
    #[error("{failed} checks failed, {warned} warned")]
    Unwell {
        /// How many failed.
        failed: usize,
        /// How many warned.
        warned: usize,
    },
    /// There is no such valve.
    #[error("no valve is called \"{id}\"; {}", known_ids(.known))]
    NoSuchValve {
        /// What was asked for.
        id: String,
        /// What there is.
        known: Vec<String>,
    },
    /// There is no such meter.
    #[error("no meter is called \"{id}\"; {}", known_ids(.known))]
    NoSuchMeter {
        /// What was asked for.
        id: String,
        /// What there is.
        known: Vec<String>,
    },
    /// There is no such port.
    #[error(
        "gasd has no port \"{id}\"; {}; a device is named by its path (/dev/ttyUSB0), a serial server as HOST:PORT",
        known_ids(.known)
    )]
    NoSuchPort {
        /// What was asked for.
        id: String,
        /// What there is.
        known: Vec<String>,
    },
    /// What has no `/` is the id of a port of gasd's, which cannot be asked.
    #[error(
        "{error}; \"{id}\" would be a port of gasd's: a device is named by its path (/dev/{id}, ./{id}), a serial server as \
         HOST:PORT"
    )]
    NoGasdForPort {
        /// What was asked for.
        id: String,
        /// Why gasd cannot be asked.
        error: ClientError,
    },
    /// A port is in use, is not there, or cannot be opened.
    #[error("{0}")]
    Unusable(String),
    /// A search found no meter.
    #[error("{0}")]
    NothingFound(String),
    /// There is no such verdict.
    #[error("no unacknowledged verdict has the number {0}; `gasctl status` lists them")]
    NoSuchVerdict(u64),
    /// Some of several were refused; each has been told.
    #[error("{failed} of {all} verdicts were not acknowledged")]
    Some {
        /// How many failed.
        failed: usize,
        /// Of how many.
        all: usize,
        /// The exit status of the worst.
        status: u8,
    },
    /// Nobody reads standard output any more.
    #[error("standard output: {0}")]
    Output(#[from] std::io::Error),
}

fn known_ids(known: &[String]) -> String {
    if known.is_empty() { "none is configured".to_owned() } else { format!("there is: {}", known.join(", ")) }
}

impl Failure {
    /// Says which group would have been needed, where the bus only says "rejected".
    pub fn denied(error: ClientError, what: &str, group: &str) -> Failure {
        match error {
            // The service's own words name the caller and the group already.
            ClientError::Denied(text) if !text.starts_with("Rejected ") => Failure::Denied(text),
            ClientError::Denied(_) => Failure::Denied(format!(
                "you may not {what}: ask root, or become a member of the group {group} \
                 (`adduser USER {group}`, then log in anew)"
            )),
            other => Failure::Client(other),
        }
    }

    /// For a call that only reads.
    pub fn reading(error: ClientError) -> Failure {
        Failure::denied(error, "read the state of gasd", READ_GROUP)
    }

    /// For a call that changes something.
    pub fn controlling(error: ClientError, what: &str) -> Failure {
        Failure::denied(error, what, CONTROL_GROUP)
    }

    /// The exit status.
    pub fn status(&self) -> u8 {
        match self {
            Failure::Client(
                ClientError::BusUnreachable { .. }
                | ClientError::NotRunning
                | ClientError::Lost
                | ClientError::NoAnswer,
            ) => 3,
            Failure::Client(ClientError::Denied(_) | ClientError::PasswordWanted(_)) | Failure::Denied(_) => {
                4
            }
            Failure::Some { status, .. } => *status,
            Failure::Usage(_) => 2,
            Failure::Missing(_) | Failure::NoGasdForPort { .. } => 3,
            Failure::NothingFound(_) => 5,
            Failure::Unusable(_) => 6,
            Failure::Client(_)
            | Failure::Refused(_)
            | Failure::Undecoded(_)
            | Failure::Unwell { .. }
            | Failure::NoSuchValve { .. }
            | Failure::NoSuchMeter { .. }
            | Failure::NoSuchPort { .. }
            | Failure::NoSuchVerdict(_)
            | Failure::Output(_) => 1,
        }
    }

    /// A name for scripts, as far as possible that of the D-Bus error.
    pub fn name(&self) -> &str {
        match self {
            Failure::Client(ClientError::BusUnreachable { .. })
            | Failure::NoGasdForPort { error: ClientError::BusUnreachable { .. }, .. } => "BusUnreachable",
            Failure::Client(ClientError::NotRunning) | Failure::NoGasdForPort { .. } => "NotRunning",
            Failure::Client(ClientError::Lost) => "Lost",
            Failure::Client(ClientError::NoAnswer) => "NoAnswer",
            Failure::Client(ClientError::Refused { name, .. }) => name,
            Failure::Client(ClientError::Protocol(_)) => "Protocol",
            Failure::Client(ClientError::Denied(_)) | Failure::Denied(_) => "AccessDenied",
            Failure::Client(ClientError::PasswordWanted(_)) => "InteractiveAuthorizationRequired",
            Failure::Client(ClientError::NoSuchObject(_))
            | Failure::NoSuchValve { .. }
            | Failure::NoSuchMeter { .. }
            | Failure::NoSuchPort { .. }
            | Failure::NoSuchVerdict(_) => "NotFound",
            Failure::Some { .. } => "Some",
            Failure::Usage(_) => "Usage",
            Failure::Missing(_) => "Missing",
            Failure::Refused(_) => "Refused",
            Failure::Undecoded(_) => "Undecoded",
            Failure::Unwell { .. } => "Unwell",
            Failure::Unusable(_) => "Unusable",
            Failure::NothingFound(_) => "NothingFound",
            Failure::Output(_) => "Output",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_buss_own_denial_becomes_words_with_the_group() {
        let raw = "Rejected send message, 1 matched rules; type=\"method_call\"".to_owned();
        let failure = Failure::reading(ClientError::Denied(raw.clone()));
        assert!(failure.to_string().contains("gasd-read"), "{failure}");
        assert_eq!(failure.status(), 4);
        let failure = Failure::controlling(ClientError::Denied(raw), "close valves");
        assert!(failure.to_string().contains("may not close valves"), "{failure}");
        assert!(failure.to_string().contains("gasd-control"), "{failure}");
    }

    #[test]
    fn a_password_that_is_wanted_has_a_name_of_its_own_and_the_status_of_a_denial() {
        let text = "uid 7 may not: polkit wants a password".to_owned();
        let failure = Failure::controlling(ClientError::PasswordWanted(text.clone()), "close valves");
        assert_eq!((failure.name(), failure.status()), ("InteractiveAuthorizationRequired", 4));
        assert_eq!(failure.to_string(), text);
    }

    #[test]
    fn what_cannot_be_reached_is_three() {
        assert_eq!(Failure::from(ClientError::NotRunning).status(), 3);
        assert_eq!(Failure::from(ClientError::NoAnswer).status(), 3);
    }
}
