// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a play measured, for scripts.

use crate::{
    pipeline::latency::Latencies,
    state::{MeterState, Shared},
};

/// What was measured, one JSON object on standard output.
pub fn print(shared: &Shared, latencies: &Latencies) {
    let snapshot = shared.read().unwrap_or_else(std::sync::PoisonError::into_inner);
    let service = &snapshot.service;
    let sum = |of: &dyn Fn(&MeterState) -> u64| snapshot.meters.iter().map(of).sum::<u64>();
    println!(
        "{}",
        serde_json::json!({
            "mode": service.mode.name(),
            "edges": sum(&|m| m.totals.edges),
            "accepted": sum(&|m| m.totals.accepted),
            "rejected": sum(&|m| m.totals.rejected_total()),
            "volume_ul": sum(&|m| m.volume_ul),
            "lost": service.queue_full + service.ring_overrun + service.events_missed,
            "fall_through": service.fall_through,
            "pulse_latency": latencies.pulse.quantiles(),
            "valve_latency": latencies.valve.quantiles(),
        })
    );
}
