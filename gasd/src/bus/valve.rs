// SPDX-License-Identifier: MIT OR Apache-2.0
//! `io.gasd1.Valve`, one object a valve.

use std::collections::HashMap;

use zbus::message::Header;
use zbus::{Connection, Variant, interface};

use super::call::{Desk, Options};
use super::look;
use super::refusal::Refusal;
use crate::state::{Command, Hold, Shared, ValveState};

/// Longest reason that is kept, bytes.
pub(super) const REASON_MAX: usize = 512;

/// A valve, by its index in the snapshot.
pub(super) struct Valve {
    pub(super) shared: Shared,
    pub(super) index: usize,
    pub(super) desk: Desk,
}

impl Valve {
    fn get<T: Default>(&self, read: impl FnOnce(&ValveState) -> T) -> T {
        look(&self.shared).valves.get(self.index).map(read).unwrap_or_default()
    }
}

/// A reason as it is kept: it ends up in logs and on terminals, so no control characters.
fn tidy(reason: &str) -> Result<String, Refusal> {
    if reason.len() > REASON_MAX {
        return Err(Refusal::LongReason(reason.len()));
    }
    let tidy = reason.replace(char::is_control, " ").trim().to_owned();
    Ok(if tidy.is_empty() { "no reason given".to_owned() } else { tidy })
}

fn hold(hold: &Hold) -> HashMap<&'static str, Variant<'static>> {
    let mut map = HashMap::from([
        ("Cookie", Variant::from(hold.cookie)),
        ("Owner", Variant::from(hold.owner.clone())),
        ("Reason", Variant::from(hold.reason.clone())),
        ("Since", Variant::from(hold.since_unix_us)),
    ]);
    if let Some(verdict) = hold.verdict {
        map.insert("Verdict", Variant::from(verdict));
    }
    map
}

#[interface(name = "io.gasd1.Valve", introspection_docs = false)]
impl Valve {
    async fn close(
        &self,
        #[zbus(connection)] connection: &Connection,
        #[zbus(header)] header: Header<'_>,
        reason: String,
        options: Options,
    ) -> Result<(), Refusal> {
        let (valve, reason) = (self.get(|v| v.id.clone()), tidy(&reason)?);
        let command = |caller| Command::Close { valve, reason, caller };
        self.desk.submit(connection, &header, &options, "close valves", command).await
    }

    async fn open(
        &self,
        #[zbus(connection)] connection: &Connection,
        #[zbus(header)] header: Header<'_>,
        options: Options,
    ) -> Result<(), Refusal> {
        let valve = self.get(|v| v.id.clone());
        let command = |caller| Command::Open { valve, caller };
        self.desk.submit(connection, &header, &options, "open valves", command).await
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn id(&self) -> String {
        self.get(|v| v.id.clone())
    }

    #[zbus(property)]
    fn position(&self) -> &'static str {
        look(&self.shared).valves.get(self.index).map_or("unknown", |v| v.position.name())
    }

    #[zbus(property)]
    fn actuator(&self) -> String {
        self.get(|v| v.actuator.clone())
    }

    #[zbus(property)]
    fn holds(&self) -> Vec<HashMap<&'static str, Variant<'static>>> {
        self.get(|v| v.holds.iter().map(hold).collect())
    }

    #[zbus(property)]
    fn health(&self) -> String {
        self.get(|v| v.health.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_kept_without_control_characters() {
        assert_eq!(tidy("  smell of gas\x1b[2J\n"), Ok("smell of gas [2J".to_owned()));
        assert_eq!(tidy("\t"), Ok("no reason given".to_owned()));
        assert_eq!(tidy(&"x".repeat(513)), Err(Refusal::LongReason(513)));
    }
}
