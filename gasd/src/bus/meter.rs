// SPDX-License-Identifier: MIT OR Apache-2.0
//! `io.gasd1.Meter`, one object a meter.

use std::collections::HashMap;

use gasd_abi::Reason;
use gasd_abi::records::meter_key;
use zbus::interface;

use super::look;
use crate::state::{MeterState, Shared};

/// A meter, by its id: its place in the snapshot changes with the configuration.
pub(super) struct Meter {
    pub(super) shared: Shared,
    pub(super) id: String,
}

impl Meter {
    fn get<T: Default>(&self, read: impl FnOnce(&MeterState) -> T) -> T {
        look(&self.shared).meters.iter().find(|m| m.id == self.id).map(read).unwrap_or_default()
    }
}

/// D-Bus carries not-a-number, but nobody expects it.
fn finite(value: f64) -> f64 {
    if value.is_finite() { value } else { 0.0 }
}

#[interface(name = "io.gasd1.Meter", introspection_docs = false)]
impl Meter {
    #[zbus(property(emits_changed_signal = "const"))]
    fn id(&self) -> String {
        self.get(|m| m.id.clone())
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn key(&self) -> u64 {
        self.get(|m| meter_key(&m.id))
    }

    #[zbus(property)]
    fn volume_microlitres(&self) -> u64 {
        self.get(|m| m.volume_ul)
    }

    #[zbus(property)]
    fn total_known(&self) -> bool {
        self.get(|m| m.total_known)
    }

    #[zbus(property)]
    fn pulses(&self) -> u64 {
        self.get(|m| m.pulses)
    }

    #[zbus(property)]
    fn flow_cubic_metres_per_hour(&self) -> f64 {
        self.get(|m| finite(m.flow_m3_per_h.unwrap_or_default()))
    }

    #[zbus(property)]
    fn flow_known(&self) -> bool {
        self.get(|m| m.flow_m3_per_h.is_some_and(f64::is_finite))
    }

    #[zbus(property)]
    fn slopes(&self) -> Vec<f64> {
        self.get(|m| m.slopes_m3_per_h.map(finite).to_vec())
    }

    #[zbus(property)]
    fn thresholds(&self) -> Vec<f64> {
        self.get(|m| m.thresholds_m3_per_h.map(finite).to_vec())
    }

    #[zbus(property)]
    fn last_pulse(&self) -> u64 {
        self.get(|m| m.last_pulse_ns)
    }

    #[zbus(property)]
    fn last_interval(&self) -> u64 {
        self.get(|m| m.last_interval_ns)
    }

    #[zbus(property)]
    fn edges(&self) -> u64 {
        self.get(|m| m.totals.edges)
    }

    #[zbus(property)]
    fn accepted(&self) -> u64 {
        self.get(|m| m.totals.accepted)
    }

    #[zbus(property)]
    fn recovered(&self) -> u64 {
        self.get(|m| m.totals.recovered)
    }

    #[zbus(property)]
    fn rejected(&self) -> HashMap<&'static str, u64> {
        self.get(|m| {
            Reason::ALL.iter().map(|&reason| (reason.name(), m.totals.rejected[reason as usize])).collect()
        })
    }

    #[zbus(property)]
    fn storms(&self) -> u64 {
        self.get(|m| m.totals.storms)
    }

    #[zbus(property)]
    fn resyncs(&self) -> u64 {
        self.get(|m| m.totals.resyncs)
    }

    #[zbus(property)]
    fn health(&self) -> String {
        self.get(|m| m.health.clone())
    }

    #[zbus(property)]
    fn valve(&self) -> String {
        self.get(|m| m.valve.clone())
    }

    #[zbus(property)]
    fn phase(&self) -> String {
        let phase = self.get(|m| m.phase.clone());
        if phase.is_empty() { "unknown".to_owned() } else { phase }
    }

    #[zbus(property)]
    fn days_learned(&self) -> f64 {
        self.get(|m| finite(m.days_learned))
    }

    #[zbus(property)]
    fn envelope(&self) -> f64 {
        self.get(|m| finite(m.envelope_m3_per_h))
    }
}
