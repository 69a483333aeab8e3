// SPDX-License-Identifier: MIT OR Apache-2.0
//! Meters and valves as the stream numbers them, and their present state as records.

use gasd_abi::records::meter_key;
use gasd_abi::stream::{Message, NO_FLOW, POSITIONS, Record, SIMULATED, code};

use crate::config::Config;
use crate::state::{MeterState, Snapshot, ValveState};

/// A meter or valve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Its id.
    pub id: String,
    /// [`meter_key`] of its id.
    pub key: u64,
    /// Volume of one pulse, µL; 0 for a valve.
    pub pulse_volume_ul: u64,
    /// A player makes its pulses.
    pub simulated: bool,
}

impl Named {
    /// A meter, or with 0 µL a valve.
    #[must_use]
    pub fn new(id: &str, pulse_volume_ul: u64, simulated: bool) -> Named {
        Named { id: id.to_owned(), key: meter_key(id), pulse_volume_ul, simulated }
    }

    fn flags(&self) -> u64 {
        if self.simulated { SIMULATED } else { 0 }
    }
}

/// All of them, each at its index.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct House {
    /// The meters, in the order of the configuration.
    pub meters: Vec<Named>,
    /// The valves, in the order of the snapshot.
    pub valves: Vec<Named>,
}

impl House {
    /// Those of a configuration.
    #[must_use]
    pub fn of(config: &Config) -> House {
        let meter =
            |m: &crate::config::MeterConfig| Named::new(&m.id, m.pulse_volume_ul, m.source.is_simulated());
        House {
            meters: config.meters.iter().map(meter).collect(),
            valves: config.valves.iter().map(|v| Named::new(&v.id, 0, false)).collect(),
        }
    }

    /// The same, and behind its valves those that are not configured any more.
    #[must_use]
    pub fn with_valves(mut self, ids: &[String]) -> House {
        self.valves.extend(ids.iter().map(|id| Named::new(id, 0, false)));
        self
    }

    /// What a reader that knows nothing is told: each meter, its total, and each valve.
    pub(super) fn state(&self, snapshot: &Snapshot, now_ns: u64) -> Vec<Record> {
        let mut records = Vec::with_capacity(2 * self.meters.len() + self.valves.len());
        for (at, meter) in self.meters.iter().enumerate() {
            let message = Message::Meter { pulse_volume_ul: meter.pulse_volume_ul, flags: meter.flags() };
            records.push(Record::new(at as u32, meter.key, now_ns, message));
            // By id: the snapshot may have other meters already, see `Stream::renumber`.
            if let Some(state) = snapshot.meters.iter().find(|state| state.id == meter.id) {
                records.push(self.reading(at, state, now_ns));
            }
        }
        for (at, valve) in self.valves.iter().enumerate() {
            if let Some(state) = snapshot.valves.get(at) {
                records.push(valve_record(at, valve.key, state, now_ns));
            }
        }
        records
    }

    /// A meter's total.
    #[must_use]
    pub fn reading(&self, at: usize, state: &MeterState, now_ns: u64) -> Record {
        let (key, flags) = self.meters.get(at).map_or((meter_key(&state.id), 0), |m| (m.key, m.flags()));
        let message = Message::Reading {
            volume_ul: state.volume_ul,
            pulses: state.pulses,
            flow_ul_per_h: flow_ul_per_h(state.flow_m3_per_h),
            last_pulse_ns: state.last_pulse_ns,
            flags,
        };
        Record::new(at as u32, key, now_ns, message)
    }
}

/// m³/h of the detector as µL/h.
fn flow_ul_per_h(flow_m3_per_h: Option<f64>) -> u64 {
    match flow_m3_per_h {
        // 1 m³ is 10⁹ µL. The cast saturates, and a meter never passes 10¹⁰ m³/h.
        Some(flow) if flow.is_finite() => ((flow.max(0.0) * 1e9).round() as u64).min(NO_FLOW - 1),
        _ => NO_FLOW,
    }
}

/// A valve's state.
pub(super) fn valve_record(at: usize, key: u64, state: &ValveState, now_ns: u64) -> Record {
    let message = Message::Valve {
        position: code(&POSITIONS, state.position.name()),
        holds: state.holds.len() as u64,
        fault: u64::from(state.health != "ok"),
    };
    Record::new(at as u32, key, now_ns, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn valves_that_are_not_configured_any_more_come_last_and_are_told_like_the_others() {
        let main = vec![Named::new("main", 0, false)];
        let house = House { meters: Vec::new(), valves: main }.with_valves(&["old".to_owned()]);
        let valve = |id: &str, health: &str| ValveState {
            id: id.into(),
            health: health.into(),
            ..ValveState::default()
        };
        let valves = vec![valve("main", "ok"), valve("old", "is not configured any more")];
        let records = house.state(&Snapshot { valves, ..Snapshot::default() }, 1);
        let old = Message::Valve { position: code(&POSITIONS, "unknown"), holds: 0, fault: 1 };
        assert_eq!(records[1], Record::new(1, meter_key("old"), 1, old));
    }

    #[test]
    fn a_flow_keeps_its_worth_and_nonsense_is_unknown() {
        assert_eq!(flow_ul_per_h(Some(1.25)), 1_250_000_000);
        assert_eq!(flow_ul_per_h(Some(0.0)), 0);
        assert_eq!(flow_ul_per_h(Some(-1.0)), 0);
        for none in [None, Some(f64::NAN), Some(f64::INFINITY)] {
            assert_eq!(flow_ul_per_h(none), NO_FLOW);
        }
    }
}
