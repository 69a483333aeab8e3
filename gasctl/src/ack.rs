// SPDX-License-Identifier: MIT OR Apache-2.0
//! `gasctl ack`: each number is one deliberate act.

use gasd_proxy::{Client, ClientError};
use serde_json::json;

use crate::agent::with_password;
use crate::fail::Failure;
use crate::output::Output;

/// The name of what a verdict turned out to be.
pub fn feedback(false_alarm: bool, real_leak: bool) -> Option<&'static str> {
    match (false_alarm, real_leak) {
        (true, _) => Some("false-alarm"),
        (_, true) => Some("real-leak"),
        _ => None,
    }
}

/// Acknowledges the verdicts in turn. One that is refused does not stop the others.
pub async fn run(
    client: &Client,
    verdicts: &[u64],
    feedback: Option<&'static str>,
    out: &Output,
) -> Result<(), Failure> {
    let mut failed = Vec::new();
    for &id in verdicts {
        match acknowledge(client, id, feedback, out).await {
            Ok(()) if out.json => {
                let object = json!({ "ok": true, "command": "ack", "verdict": id, "feedback": feedback });
                out.object(&object)?;
            }
            Ok(()) => {
                let as_what =
                    feedback.map(|name| format!(" as {}", name.replace('-', " "))).unwrap_or_default();
                out.line(&format!("verdict {id}: acknowledged{as_what}"))?;
            }
            Err(failure) if verdicts.len() == 1 => return Err(failure),
            Err(failure) => {
                out.tell(&failure);
                failed.push(failure.status());
            }
        }
    }
    match failed.iter().max() {
        None => Ok(()),
        Some(&status) => Err(Failure::Some { failed: failed.len(), all: verdicts.len(), status }),
    }
}

async fn acknowledge(
    client: &Client,
    id: u64,
    feedback: Option<&'static str>,
    out: &Output,
) -> Result<(), Failure> {
    let send = async || client.acknowledge(id, feedback).await;
    match with_password(out, send).await {
        Ok(()) => Ok(()),
        Err(ClientError::NoSuchObject(_)) => Err(Failure::NoSuchVerdict(id)),
        Err(error) => Err(Failure::controlling(error, "acknowledge verdicts")),
    }
}
