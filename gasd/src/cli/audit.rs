// SPDX-License-Identifier: MIT OR Apache-2.0
//! `gasd audit`: who did what to which valve, and how it ended.

use crate::{
    config::Origin,
    exit::{self, Fatal},
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

/// Seconds since 1970 as a date and time, UTC.
fn utc(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    // Days to a civil date, Howard Hinnant, <https://howardhinnant.github.io/date_algorithms.html>.
    let z = days + 719_468;
    let (era, doe) = (z / 146_097, z % 146_097);
    let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = doy - (153 * mp + 2) / 5 + 1;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let year = yoe + era * 400 + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", rest / 3_600, rest / 60 % 60, rest % 60)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_time_is_shown_as_a_date() {
        assert_eq!(super::utc(0), "1970-01-01T00:00:00Z");
        assert_eq!(super::utc(951_782_399), "2000-02-28T23:59:59Z");
        assert_eq!(super::utc(1_795_390_000), "2026-11-22T23:26:40Z");
    }
}
