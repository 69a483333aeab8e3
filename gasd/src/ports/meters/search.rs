// SPDX-License-Identifier: MIT OR Apache-2.0
//! A search for meters, told through a pipe: a line of JSON for each question and each meter.

use std::io::Write as _;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::mpsc::Receiver;

use gasd_meters::drive::scan::{FoundMeter, Search};
use gasd_ports::bus::Searched;
use gasd_ports::found;
use serde_json::{Value, json};

use super::Readers;

/// Starts a search on a port. What is found can be read from the pipe; closing it ends the search.
///
/// # Errors
/// In words, why nothing is searched.
pub fn start(readers: &Arc<Readers>, port: &str, search: Search) -> Result<OwnedFd, String> {
    let (reader, writer) = std::io::pipe().map_err(|error| format!("no pipe could be made: {error}"))?;
    let found = readers.search(port, search)?;
    let (readers, name) = (readers.clone(), port.to_owned());
    std::thread::Builder::new()
        .name("gasd-search".to_owned())
        .stack_size(256 * 1024)
        .spawn(move || {
            if !tell(&found, writer) {
                readers.stop_search(&name);
            }
        })
        .map_err(|error| format!("thread gasd-search: {error}"))?;
    Ok(reader.into())
}

/// Writes what is found; `false` when nobody reads it any more.
fn tell(found: &Receiver<Searched>, mut writer: std::io::PipeWriter) -> bool {
    for searched in found {
        let done = searched == Searched::Done;
        if writeln!(writer, "{}", line(&searched)).is_err() {
            return false;
        }
        if done {
            return true;
        }
    }
    // A newer search took its place, or the port is gone.
    true
}

/// A line, without its end.
#[must_use]
pub fn line(searched: &Searched) -> Value {
    match searched {
        Searched::Asking(what) => json!({ "asking": what }),
        Searched::Found(meter) => {
            let FoundMeter { protocol, address, words, .. } = meter;
            let (protocol, keys) = (protocol.name(), found::keys(meter));
            json!({ "found": { "protocol": protocol, "address": address, "words": words, "keys": keys } })
        }
        Searched::Slow { protocol, address, ns } => {
            json!({ "slow": { "protocol": protocol.name(), "address": address, "ns": ns } })
        }
        Searched::Done => json!({ "done": true }),
    }
}
