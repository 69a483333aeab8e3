// SPDX-License-Identifier: MIT OR Apache-2.0
//! `gasctl ack`: each number is one deliberate act.

use std::collections::HashMap;

use gasd_proxy::{Client, ClientError};
use serde_json::json;

use crate::agent::with_password;
use crate::fail::Failure;
use crate::output::Output;

/// Acknowledges the verdicts in turn. One that is refused does not stop the others.
pub async fn run(client: &Client, verdicts: &[u64], out: &Output) -> Result<(), Failure> {
    let mut failed = Vec::new();
    for &id in verdicts {
        match acknowledge(client, id, out).await {
            Ok(()) if out.json => out.object(&json!({ "ok": true, "command": "ack", "verdict": id }))?,
            Ok(()) => out.line(&format!("verdict {id}: acknowledged"))?,
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

async fn acknowledge(client: &Client, id: u64, out: &Output) -> Result<(), Failure> {
    let verdict = client.verdict(id).await?;
    let send = async || verdict.acknowledge(HashMap::new()).await.map_err(ClientError::from);
    match with_password(out, send).await {
        Ok(()) => Ok(()),
        Err(ClientError::NoSuchObject(_)) => Err(Failure::NoSuchVerdict(id)),
        Err(error) => Err(Failure::controlling(error, "acknowledge verdicts")),
    }
}
