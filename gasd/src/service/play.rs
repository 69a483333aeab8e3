// SPDX-License-Identifier: MIT OR Apache-2.0
//! A trace on the meters that have no chip.

use std::{
    sync::{Arc, atomic::AtomicBool},
    thread,
};

use crate::{
    config::Config,
    exit::Fatal,
    pipeline::{filter::LineFilter, latency::Latencies},
    player::{self, House, Play},
    state::{Position, Shared},
};

use super::run::spawn;

/// Starts the player of a trace. Gas flows through a meter while its valve is not closed.
pub fn start(
    play: &Play,
    config: &Config,
    numbers: &[u32],
    bank: Arc<dyn LineFilter>,
    shared: &Shared,
    latencies: &Arc<Latencies>,
    stop: Arc<AtomicBool>,
) -> Result<thread::JoinHandle<Result<(), String>>, Fatal> {
    let valves: Vec<Option<usize>> = config.meters.iter().map(|m| m.valve).collect();
    let shared = shared.clone();
    let house = House {
        gas_flows: Box::new(move |meter| {
            let snapshot = shared.read().unwrap_or_else(std::sync::PoisonError::into_inner);
            let valve = valves.get(meter).copied().flatten().and_then(|v| snapshot.valves.get(v));
            valve.is_none_or(|v| v.position != Position::Closed)
        }),
        latencies: latencies.clone(),
        stop,
        until: None,
    };
    let targets = player::targets(config, numbers);
    let play = play.clone();
    spawn("gasd-player", move || player::play(&play, &targets, bank.as_ref(), &house))
}
