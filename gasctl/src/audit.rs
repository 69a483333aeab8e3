// SPDX-License-Identifier: MIT OR Apache-2.0
//! `gasctl audit`: who did what to which valve, and how it ended; while the service runs.

use gasd_proxy::Client;
use serde_json::json;

use crate::fail::Failure;
use crate::output::{Cell, Output, Style};
use crate::units::date;

/// Prints the last entries, oldest first; with `before`, the last of those before that number.
pub async fn run(client: &Client, last: u32, before: Option<u64>, out: &Output) -> Result<(), Failure> {
    let entries = client.audit(last, before).await.map_err(Failure::reading)?;
    if out.json {
        return out.object(&json!({ "entries": entries }));
    }
    let row = |e: &gasd_proxy::AuditEntry| {
        let style = if e.outcome == "refused" || e.outcome == "failed" { Style::Warn } else { Style::Plain };
        vec![
            Cell::number(e.number.to_string()),
            Cell::new(date(e.time_unix_us)),
            Cell::new(&e.actor),
            Cell::new(&e.action),
            Cell::new(&e.object),
            Cell::styled(&e.outcome, style),
            Cell::new(&e.detail),
        ]
    };
    match entries.first() {
        None => out.line("no entry"),
        Some(first) => {
            out.table("", &entries.iter().map(row).collect::<Vec<_>>())?;
            if first.number > 1 && entries.len() == last as usize {
                out.say(&format!("older ones: gasctl audit --before {}", first.number));
            }
            Ok(())
        }
    }
}
