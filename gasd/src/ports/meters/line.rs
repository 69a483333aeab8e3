// SPDX-License-Identifier: MIT OR Apache-2.0
//! What ports tell of themselves: their health, their supply, what they have seen and whom they have heard.

use std::sync::PoisonError;

use gasd_ports::port::Seen;

use super::desk::Desk;
use super::show;
use crate::journal::{self, Note, what::What};
use crate::state::{Change, PortState};

impl Desk {
    /// What is wrong with a port, or that it is well.
    pub fn port_health(&self, port: &str, health: Option<String>) {
        let health = health.map(|why| with_advice(&why));
        let text = health.clone().unwrap_or_else(|| "ok".to_owned());
        if self.port(port, |state| state.health = text) {
            let note = match &health {
                Some(why) => Note::new(What::PortLost, format!("port \"{port}\": {why}")),
                None => Note::new(What::PortBack, format!("port \"{port}\" is open")),
            };
            journal::tell(note);
        }
        let keys: Vec<u64> =
            self.meters().iter().filter(|(_, on)| on.port == port).map(|(key, _)| *key).collect();
        for key in keys {
            let why = health.as_ref().map(|why| format!("its port \"{port}\" is not there: {why}"));
            let id = self.meters().get(&key).map(|on| on.id.clone());
            id.iter().for_each(|id| match why {
                Some(_) => self.0.valves.lost(id),
                None => self.0.valves.is_there(id),
            });
            self.change(key, |on| on.health = why);
        }
    }

    /// How a port's supply is, or why nobody knows.
    pub fn supply(&self, port: &str, low: &Result<bool, String>) {
        let (supply, why) = match low {
            Ok(true) => ("low", String::new()),
            Ok(false) => ("good", String::new()),
            Err(why) => ("unknown", why.clone()),
        };
        if self.port(port, |state| (state.supply, state.supply_reason) = (supply, why)) {
            let note = match low {
                Ok(true) => Note::new(What::PowerLow, format!("port \"{port}\": its supply is low")),
                Ok(false) => Note::new(What::PowerWell, format!("port \"{port}\": its supply is well")),
                Err(why) => Note::new(
                    What::PortLost,
                    format!("port \"{port}\": its low-power line cannot be read: {why}"),
                ),
            };
            journal::tell(note);
        }
    }

    /// What a port that listens has heard.
    pub fn heard_so_far(&self, port: &str, counts: &gasd_ports::air::Counts) {
        self.port(port, |state| show::heard(state, counts));
    }

    pub(super) fn seen(&self, port: &str, seen: &Seen) {
        self.port(port, |state| show::seen(state, seen));
    }

    /// Somebody was heard who is not configured.
    pub fn stranger(&self, port: &str, what: &str, words: &str) {
        self.port(port, |state| show::stranger(state, what, words));
    }

    /// Changes what may be seen of a port. Returns whether that changed anything.
    fn port(&self, port: &str, change: impl FnOnce(&mut PortState)) -> bool {
        let mut snapshot = self.0.shared.write().unwrap_or_else(PoisonError::into_inner);
        let Some(at) = snapshot.ports.iter().position(|state| state.id == port) else { return false };
        let before = snapshot.ports[at].clone();
        change(&mut snapshot.ports[at]);
        let changed = snapshot.ports[at] != before;
        drop(snapshot);
        if changed {
            // A full channel is no loss: the bus looks at everything now and then.
            let _ = self.0.changes.try_send(Change::Port(at));
        }
        changed
    }
}

/// What the kernel says where the unit gives the service no network (`EAFNOSUPPORT`).
const NO_NETWORK: &str = "(os error 97)";

/// With what to do where the reason is how the service is confined.
fn with_advice(why: &str) -> String {
    if !why.contains(NO_NETWORK) {
        return why.to_owned();
    }
    format!(
        "{why}: the service has no network as it is installed; \
         /usr/share/doc/gasd/examples/network.conf says how to give it one"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_without_a_network_says_how_to_give_it_one() {
        let refused = std::io::Error::from_raw_os_error(libc::EAFNOSUPPORT).to_string();
        assert!(with_advice(&refused).contains("network.conf"), "{refused}");
        assert_eq!(with_advice("in use"), "in use");
    }
}
