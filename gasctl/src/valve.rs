// SPDX-License-Identifier: MIT OR Apache-2.0
//! `gasctl valve close`, `open`, `hold` and `release`.

use std::collections::HashMap;

use gasd_proxy::{Client, ClientError};
use serde_json::json;

use crate::agent::with_password;
use crate::cli::Valve;
use crate::fail::Failure;
use crate::output::{Output, Style};
use crate::status;

/// Sends the command, then says where the valve is.
pub async fn run(client: &Client, action: Valve, out: &Output) -> Result<(), Failure> {
    let (id, command, what) = match &action {
        Valve::Close { valve, .. } => (valve.clone(), "close", "close valves"),
        Valve::Open { valve } => (valve.clone(), "open", "open valves"),
        Valve::Hold { valve, .. } => (valve.clone(), "hold", "hold valves"),
        Valve::Release { valve, .. } => (valve.clone(), "release", "release holds"),
    };
    let valve = client.valve(&id).await?;
    // The command goes first and alone: closing must not wait for a question.
    let send = async || {
        let done = match &action {
            Valve::Close { reason, .. } => valve.close(reason, HashMap::new()).await.map(|()| None),
            Valve::Open { .. } => valve.open(HashMap::new()).await.map(|()| None),
            Valve::Hold { app, reason, .. } => valve.hold(reason, app, HashMap::new()).await.map(Some),
            Valve::Release { cookie, .. } => {
                valve.release(*cookie, HashMap::new()).await.map(|()| Some(*cookie))
            }
        };
        done.map_err(ClientError::from)
    };
    let cookie = match with_password(out, send).await {
        Ok(cookie) => cookie,
        Err(ClientError::NoSuchObject(_)) => {
            let state = client.state().await.map_err(Failure::reading)?;
            return Err(Failure::NoSuchValve { id, known: state.valves.into_keys().collect() });
        }
        Err(error) => return Err(Failure::controlling(error, what)),
    };
    // It is done; a position that cannot be read does not undo it.
    let position = valve.position().await.unwrap_or_else(|_| "unknown".to_owned());
    if out.json {
        let mut object = json!({ "ok": true, "command": command, "valve": id, "position": position });
        if let Some(cookie) = cookie {
            object["cookie"] = cookie.into();
        }
        return out.object(&object);
    }
    let text = out.paint(&position, status::position(&position));
    let hold = match (&action, cookie) {
        (Valve::Release { .. }, Some(cookie)) => format!(", hold {cookie} released"),
        (_, Some(cookie)) => format!(", hold {cookie}"),
        (_, None) => String::new(),
    };
    out.line(&format!("valve {}: {text}{hold}", out.paint(&id, Style::Plain)))
}
