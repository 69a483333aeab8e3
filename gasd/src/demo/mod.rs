// SPDX-License-Identifier: MIT OR Apache-2.0
//! The demonstration: sets the stage, starts the real daemon, watches it over the bus like any
//! client, and sums up.

mod stage;
mod view;

use std::{
    collections::HashMap,
    io::{BufRead, BufReader},
    time::{Duration, Instant},
};

use gasd_proxy::{Client, Event};

use crate::{
    exit::{self, Fatal},
    player::Play,
};

use stage::Stage;
use view::View;

/// How long the daemon may take to come up.
const START: Duration = Duration::from_secs(15);

/// Sets the stage, plays, sums up.
///
/// # Errors
/// [`Fatal`] when a part of it cannot be started.
pub fn run(speed: f64) -> Result<(), Fatal> {
    Play::new(crate::player::HOUSEHOLD, speed)?;
    let stage = Stage::set()?;
    if let Some(why) = &stage.userspace {
        println!("This machine forbids BPF here, so the same filter runs in user space: {why}");
    }
    let mut daemon = stage.daemon(speed)?;
    let output = daemon.stdout.take();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| Fatal::new(exit::FAILED, e.to_string()))?;
    let mut view = View::new(speed, stage.userspace.is_none());
    let watched =
        runtime.block_on(follow(&stage.address(), &mut view, || matches!(daemon.try_wait(), Ok(Some(_)))));
    if watched.is_err() {
        let _ = daemon.kill();
    }
    let status = daemon.wait().map_err(|e| Fatal::new(exit::FAILED, e.to_string()))?;
    watched?;
    let report = output.and_then(|o| BufReader::new(o).lines().map_while(Result::ok).last());
    match report.as_deref().map(serde_json::from_str) {
        Some(Ok(report)) if status.success() => {
            view.summary(&report);
            Ok(())
        }
        _ => Err(Fatal::new(
            exit::FAILED,
            format!("the daemon ended with {status} and said:\n{}", stage.log().trim_end()),
        )),
    }
}

/// Follows the daemon over the bus until it leaves.
async fn follow(address: &str, view: &mut View, mut ended: impl FnMut() -> bool) -> Result<(), Fatal> {
    let failed = |e: &dyn std::fmt::Display| Fatal::new(exit::FAILED, format!("watching the daemon: {e}"));
    let started = Instant::now();
    let client = Client::connect(Some(address)).await.map_err(|e| failed(&e))?;
    let mut watch = loop {
        match client.watch().await {
            Ok(watch) => break watch,
            Err(error) if started.elapsed() > START => return Err(failed(&error)),
            Err(_) if ended() => return Ok(()),
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    };
    view.begin(watch.state());
    // gasd never opens a valve by itself: somebody has to, here as in a house.
    let valve = client.valve(stage::VALVE).await.map_err(|e| failed(&e))?;
    valve.open(HashMap::new()).await.map_err(|e| failed(&e))?;
    loop {
        match tokio::time::timeout(Duration::from_millis(200), watch.next()).await {
            Err(_) if ended() => return Ok(()),
            Err(_) => view.tick(watch.state()),
            Ok(Ok(Event::Gone)) => return Ok(()),
            Ok(Ok(event)) => view.event(&event, watch.state()),
            Ok(Err(_)) if ended() => return Ok(()),
            Ok(Err(error)) => return Err(failed(&error)),
        }
    }
}
