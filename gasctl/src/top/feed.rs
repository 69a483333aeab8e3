// SPDX-License-Identifier: MIT OR Apache-2.0
//! The service, followed over restarts of gasd and of the bus.

use std::time::Duration;

use gasd_proxy::{Client, ClientError, Event, State};
use tokio::sync::mpsc::Sender;

use crate::fail::Failure;

/// Pauses between attempts; the last one repeats.
const PAUSES: [Duration; 4] =
    [Duration::from_millis(300), Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(5)];

/// What happened.
#[derive(Debug)]
pub enum Update {
    /// There is a connection; commands go by it.
    Connected(Client),
    /// How everything is now.
    State(Box<State>),
    /// Nothing can be seen, in words.
    Lost(String),
}

/// Follows until nobody listens any more.
pub async fn run(bus: Option<String>, updates: Sender<Update>) {
    let mut failed = 0;
    loop {
        let Err(error) = follow(bus.as_deref(), &updates, &mut failed).await else { return };
        if updates.send(Update::Lost(Failure::reading(error).to_string())).await.is_err() {
            return;
        }
        let pause = PAUSES.get(failed).or(PAUSES.last());
        failed += 1;
        tokio::time::sleep(pause.copied().unwrap_or_default()).await;
    }
}

/// Follows one connection. Ends well when nobody listens any more.
async fn follow(bus: Option<&str>, updates: &Sender<Update>, failed: &mut usize) -> Result<(), ClientError> {
    let client = Client::connect(bus).await?;
    let mut watch = client.watch().await?;
    *failed = 0;
    if updates.send(Update::Connected(client)).await.is_err() {
        return Ok(());
    }
    loop {
        let state = Update::State(Box::new(watch.state().clone()));
        if updates.send(state).await.is_err() {
            return Ok(());
        }
        while watch.next().await? == Event::Gone {
            let why = "gasd left the bus; waiting for it to come back".to_owned();
            if updates.send(Update::Lost(why)).await.is_err() {
                return Ok(());
            }
        }
    }
}
