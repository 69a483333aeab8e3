// SPDX-License-Identifier: MIT OR Apache-2.0
//! The entries that the response leaves in the audit record.

use crate::response::clock::Now;
use crate::state::CommandError;
use crate::store::{AuditEntry, Change};

/// The entry that a refused command leaves.
#[must_use]
pub fn refused(caller: &str, action: &str, object: &str, why: &CommandError, now: Now) -> Change {
    Change::Audit(entry(now, caller, action, object, &why.to_string(), "refused"))
}

/// An entry.
#[must_use]
pub fn entry(now: Now, actor: &str, action: &str, object: &str, detail: &str, outcome: &str) -> AuditEntry {
    AuditEntry {
        time_unix_us: now.unix_us,
        boottime_ns: now.boottime_ns,
        actor: actor.into(),
        action: action.into(),
        object: object.into(),
        detail: detail.into(),
        outcome: outcome.into(),
    }
}
