// SPDX-License-Identifier: MIT OR Apache-2.0
//! `gasctl valve close` and `gasctl valve open`.

use std::collections::HashMap;

use gasd_proxy::{Client, ClientError};
use serde_json::json;

use crate::cli::Valve;
use crate::fail::Failure;
use crate::output::{Output, Style};
use crate::status;

/// Sends the command, then says where the valve is.
pub async fn run(client: &Client, action: Valve, out: &Output) -> Result<(), Failure> {
    let (id, command, what) = match &action {
        Valve::Close { valve, .. } => (valve.clone(), "close", "close valves"),
        Valve::Open { valve } => (valve.clone(), "open", "open valves"),
    };
    let valve = client.valve(&id).await?;
    // The command goes first and alone: closing must not wait for a question.
    let result = match &action {
        Valve::Close { reason, .. } => valve.close(reason, HashMap::new()).await,
        Valve::Open { .. } => valve.open(HashMap::new()).await,
    };
    match result.map_err(ClientError::from) {
        Ok(()) => {}
        Err(ClientError::NoSuchObject(_)) => {
            let state = client.state().await.map_err(Failure::reading)?;
            return Err(Failure::NoSuchValve { id, known: state.valves.into_keys().collect() });
        }
        Err(error) => return Err(Failure::controlling(error, what)),
    }
    // It is done; a position that cannot be read does not undo it.
    let position = valve.position().await.unwrap_or_else(|_| "unknown".to_owned());
    if out.json {
        return out.object(&json!({ "ok": true, "command": command, "valve": id, "position": position }));
    }
    let text = out.paint(&position, status::position(&position));
    out.line(&format!("valve {}: {text}", out.paint(&id, Style::Plain)))
}
