// SPDX-License-Identifier: MIT OR Apache-2.0
//! How it stands with the store and the configuration, as the engine keeps and shows it. Pure.

use crate::state::{ConfigurationState, ServiceState, StoreState};

/// What became of the store at the start.
#[derive(Clone, Debug, Default)]
pub struct StoreStart {
    /// What was lost, in words, if what the store said could not be used.
    pub lost: Option<String>,
    /// The push that has to reach the disk before the store counts as written; `None` if it has.
    pub ticket: Option<u64>,
}

impl StoreStart {
    /// Shows how it stands now. `failing`: why nothing can be written, if so; `written`: the last push that
    /// is on the disk.
    pub fn show(&self, failing: Option<String>, written: u64, service: &mut ServiceState) {
        let waits = self.ticket.is_some_and(|ticket| written < ticket);
        (service.store, service.store_reason) = match (failing, waits, &self.lost) {
            // What is going on now comes before what has been.
            (Some(why), ..) => (StoreState::Failing, why),
            (None, true, _) => (StoreState::Unknown, String::new()),
            (None, false, Some(lost)) => (StoreState::Replaced, lost.clone()),
            (None, false, None) => (StoreState::Good, String::new()),
        };
    }
}

/// The configuration in force, and what was read since.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// When it was read, Unix time in µs.
    pub read_unix_us: u64,
    /// What it wants a person to know.
    pub warnings: Vec<String>,
    /// Why the last new one was refused, until a good one comes.
    pub refused: Vec<String>,
}

impl Reading {
    /// Shows how it stands now.
    pub fn show(&self, service: &mut ServiceState) {
        service.configuration =
            if self.refused.is_empty() { ConfigurationState::InForce } else { ConfigurationState::Refused };
        service.configuration_reasons.clone_from(&self.refused);
        service.configuration_warnings.clone_from(&self.warnings);
        service.configuration_read_unix_us = self.read_unix_us;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(start: &StoreStart, failing: Option<&str>, written: u64) -> (StoreState, String) {
        let mut service = ServiceState::default();
        start.show(failing.map(str::to_owned), written, &mut service);
        (service.store, service.store_reason)
    }

    #[test]
    fn a_store_is_good_when_it_was_written_and_fails_for_as_long_as_it_does() {
        let start = StoreStart::default();
        assert_eq!(store(&start, None, 0), (StoreState::Good, String::new()));
        assert_eq!(store(&start, Some("full"), 7), (StoreState::Failing, "full".into()));
        assert_eq!(store(&start, None, 8).0, StoreState::Good);
        let waits = StoreStart { ticket: Some(3), ..StoreStart::default() };
        assert_eq!(store(&waits, None, 2).0, StoreState::Unknown, "not good before it was tried");
        assert_eq!(store(&waits, Some("read-only"), 2).0, StoreState::Failing);
        assert_eq!(store(&waits, None, 3), (StoreState::Good, String::new()));
    }

    #[test]
    fn a_store_that_was_replaced_stays_so_until_the_next_start() {
        let start = StoreStart { lost: Some("it was damaged".into()), ticket: None };
        assert_eq!(store(&start, None, 9), (StoreState::Replaced, "it was damaged".into()));
        assert_eq!(store(&start, Some("full"), 9), (StoreState::Failing, "full".into()));
    }

    #[test]
    fn a_refused_reading_leaves_the_time_and_the_warnings_of_the_one_in_force() {
        let mut service = ServiceState::default();
        let mut reading = Reading { read_unix_us: 5, warnings: vec!["unused".into()], refused: Vec::new() };
        reading.show(&mut service);
        assert_eq!(service.configuration, ConfigurationState::InForce);
        assert!(service.configuration_reasons.is_empty());
        reading.refused = vec!["no such key".into()];
        reading.show(&mut service);
        assert_eq!(service.configuration, ConfigurationState::Refused);
        assert_eq!(service.configuration_reasons, ["no such key"]);
        assert_eq!((service.configuration_read_unix_us, service.configuration_warnings.len()), (5, 1));
    }
}
