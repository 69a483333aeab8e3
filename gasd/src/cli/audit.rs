// SPDX-License-Identifier: MIT OR Apache-2.0
//! `gasd audit`: who did what to which valve, and how it ended.

use crate::{
    config::Origin,
    exit::{self, Fatal},
    response::clock::utc,
    store::{AuditEntry, Store},
};

/// Prints the last entries, oldest first.
pub fn run(origin: &Origin, last: usize, json: bool) -> Result<(), Fatal> {
    let config = origin.load().map_err(|e| Fatal::new(exit::BAD_INPUT, e.to_string()))?;
    if !config.store.exists() {
        return Err(Fatal::new(
            exit::MISSING,
            format!("there is no store at {}; the daemon makes it", config.store.display()),
        ));
    }
    for (number, entry) in Store::open(&config.store)?.audit_tail(last)? {
        if json {
            println!("{}", object(number, &entry));
        } else {
            println!("{}", line(number, &entry));
        }
    }
    Ok(())
}

fn object(number: u64, e: &AuditEntry) -> serde_json::Value {
    serde_json::json!({
        "number": number,
        "time_unix_us": e.time_unix_us,
        "boottime_ns": e.boottime_ns,
        "actor": e.actor,
        "action": e.action,
        "object": e.object,
        "outcome": e.outcome,
        "detail": e.detail,
    })
}

fn line(number: u64, e: &AuditEntry) -> String {
    let seconds = e.time_unix_us / 1_000_000;
    format!(
        "{number:>6}  {}  {}: {} {}: {}  {}",
        utc(seconds),
        e.actor,
        e.action,
        e.object,
        e.outcome,
        e.detail
    )
}
