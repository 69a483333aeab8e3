// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who is calling.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::timeout;
use zbus::message::Header;
use zbus::names::{BusName, OwnedUniqueName};
use zbus::{Connection, fdo};

use super::groups;
use super::refusal::Refusal;

/// A bus that is alive answers within milliseconds, but somebody may flood it, and the answer waits its
/// turn.
const BUS_ANSWER: Duration = Duration::from_secs(20);
/// A user database answers within milliseconds; one in the network may hang.
const LOOKUP: Duration = Duration::from_secs(5);
/// Connections that are remembered.
const REMEMBERED: usize = 512;

/// What a bus knows of a caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Caller {
    /// Its name on the bus.
    pub(super) unique_name: OwnedUniqueName,
    /// Its user.
    pub(super) uid: u32,
    /// Groups of the calling process, as the kernel told the bus. A service's
    /// `SupplementaryGroups=` is found here and nowhere else.
    process_groups: Vec<u32>,
}

impl Caller {
    /// As the record calls it.
    pub(super) fn name(&self) -> String {
        format!("uid {} ({})", self.uid, self.unique_name)
    }

    /// Root, or the user that gasd runs as.
    pub(super) fn is_master(&self) -> bool {
        self.uid == 0 || self.uid == own_uid()
    }

    /// Whether it is in one of these groups; a doubt means no.
    pub(super) async fn is_in(&self, wanted: &'static [&'static str]) -> bool {
        let (uid, process_groups) = (self.uid, self.process_groups.clone());
        let look = tokio::task::spawn_blocking(move || {
            wanted.iter().any(|group| is_member(uid, &process_groups, group))
        });
        matches!(timeout(LOOKUP, look).await, Ok(Ok(true)))
    }
}

/// The user that gasd runs as.
pub(crate) fn own_uid() -> u32 {
    // SAFETY: geteuid has no preconditions and cannot fail.
    unsafe { libc::geteuid() }
}

fn is_member(uid: u32, process_groups: &[u32], group: &str) -> bool {
    groups::gid_of(group)
        .is_some_and(|gid| process_groups.contains(&gid) || groups::groups_of(uid).contains(&gid))
}

/// What the bus said of connections. It took that down when they were made and never changes it, and a
/// name is never used twice on one bus, so each is asked about once; that keeps a client that floods the
/// service from flooding the bus with our questions, too. Rights are not remembered.
#[derive(Debug, Default)]
pub(super) struct Callers(Mutex<HashMap<OwnedUniqueName, Caller>>);

impl Callers {
    /// Finds out who sent a message. The bus wrote the sender into it, so it cannot be forged.
    pub(super) async fn identify(
        &self,
        connection: &Connection,
        header: &Header<'_>,
    ) -> Result<Caller, Refusal> {
        let sender = header.sender().ok_or_else(|| Refusal::UnknownCaller("no sender".to_owned()))?;
        let name = OwnedUniqueName::from(sender.to_owned());
        if let Some(caller) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&name) {
            return Ok(caller.clone());
        }
        let caller = ask(connection, name).await.map_err(Refusal::UnknownCaller)?;
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(caller.unique_name.clone(), caller.clone());
        Ok(caller)
    }
}

async fn ask(connection: &Connection, name: OwnedUniqueName) -> Result<Caller, String> {
    let asking = async {
        let bus = fdo::DBusProxy::builder(connection)
            .cache_properties(zbus::proxy::CacheProperties::No)
            .build()
            .await?;
        bus.get_connection_credentials(BusName::Unique(name.inner().clone())).await
    };
    let credentials = match timeout(BUS_ANSWER, asking).await {
        Ok(answer) => answer.map_err(|error| error.to_string())?,
        Err(_) => return Err(format!("no answer within {} s", BUS_ANSWER.as_secs())),
    };
    let uid = credentials.unix_user_id().ok_or("no user id")?;
    let process_groups = credentials.into_unix_group_ids().unwrap_or_default();
    Ok(Caller { unique_name: name, uid, process_groups })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_group_counts_without_the_user_database() {
        assert!(is_member(4_294_000_001, &[0], "root"));
        assert!(!is_member(4_294_000_001, &[], "root"));
        assert!(is_member(0, &[], "root"));
    }

    #[test]
    fn a_group_that_does_not_exist_lets_nobody_in() {
        assert!(!is_member(0, &[0], "no-such-group-of-gasd"));
    }
}
