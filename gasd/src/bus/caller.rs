// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who is calling, and whether they may. Asked anew for every call; any doubt means no.

use zbus::message::Header;
use zbus::names::BusName;
use zbus::{Connection, fdo};

use super::groups;
use super::refusal::Refusal;

/// Who may control, beside root and the user that gasd runs as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// A shared bus: the members of this group.
    Group(&'static str),
    /// A private bus: nobody else.
    Nobody,
}

/// What a bus knows of a caller.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Caller {
    unique_name: String,
    uid: u32,
    /// Groups of the calling process, as the kernel told the bus. A service's
    /// `SupplementaryGroups=` is found here and nowhere else.
    process_groups: Vec<u32>,
}

impl Caller {
    fn name(&self) -> String {
        format!("uid {} ({})", self.uid, self.unique_name)
    }
}

/// Returns the caller's name for the record, or why it may not do `what`.
pub(super) async fn authorise(
    connection: &Connection,
    header: &Header<'_>,
    rule: Rule,
    what: &'static str,
) -> Result<String, Refusal> {
    let caller = identify(connection, header).await?;
    // SAFETY: geteuid has no preconditions and cannot fail.
    let own = unsafe { libc::geteuid() };
    if caller.uid == 0 || caller.uid == own {
        return Ok(caller.name());
    }
    match rule {
        Rule::Nobody => Err(Refusal::NotOwner { who: caller.name(), what, own }),
        Rule::Group(group) => {
            let (uid, process_groups) = (caller.uid, caller.process_groups.clone());
            let member = tokio::task::spawn_blocking(move || is_member(uid, &process_groups, group));
            if member.await.unwrap_or(false) {
                Ok(caller.name())
            } else {
                Err(Refusal::NotInGroup { who: caller.name(), what, group })
            }
        }
    }
}

fn is_member(uid: u32, process_groups: &[u32], group: &str) -> bool {
    groups::gid_of(group)
        .is_some_and(|gid| process_groups.contains(&gid) || groups::groups_of(uid).contains(&gid))
}

/// Asks the bus about the sender of a message. The bus wrote the sender into it, so it cannot be
/// forged, and a unique name is never used twice.
async fn identify(connection: &Connection, header: &Header<'_>) -> Result<Caller, Refusal> {
    let unknown = |why: String| Refusal::UnknownCaller(why);
    let sender = header.sender().ok_or_else(|| unknown("no sender".to_owned()))?;
    let bus = fdo::DBusProxy::builder(connection)
        .cache_properties(zbus::proxy::CacheProperties::No)
        .build()
        .await
        .map_err(|error| unknown(error.to_string()))?;
    let name = BusName::Unique(sender.to_owned());
    let credentials =
        bus.get_connection_credentials(name).await.map_err(|error| unknown(error.to_string()))?;
    let uid = credentials.unix_user_id().ok_or_else(|| unknown("no user id".to_owned()))?;
    Ok(Caller {
        unique_name: sender.to_string(),
        uid,
        process_groups: credentials.into_unix_group_ids().unwrap_or_default(),
    })
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
