// SPDX-License-Identifier: MIT OR Apache-2.0
//! How fast a meter's pulses can come: what its filter and thresholds are checked against.

use super::limits;

/// One hour, ns.
const HOUR_NS: u128 = 3_600_000_000_000;

/// A meter's pulse volume and largest flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pace {
    /// Volume of one pulse, µL.
    pub(super) pulse_volume_ul: u64,
    /// Largest flow, µL/h, not zero.
    pub(super) max_flow_ul_per_h: u64,
}

impl Pace {
    /// Interval between two pulses at the largest flow, ns, rounded down.
    pub(super) fn interval_ns(self) -> u64 {
        let ns = u128::from(self.pulse_volume_ul) * HOUR_NS / u128::from(self.max_flow_ul_per_h.max(1));
        u64::try_from(ns).unwrap_or(u64::MAX)
    }

    /// Interval at twice the largest flow, ns: a broken pipe does not keep to the plate, and
    /// its pulses are the ones that must not be lost.
    pub(super) fn fastest_ns(self) -> u64 {
        self.interval_ns() / 2
    }

    /// Edges a second at the largest flow, rounded up: two a pulse.
    pub(super) fn edges_per_s(self) -> u64 {
        2_000_000_000_u64.div_ceil(self.interval_ns().max(1))
    }

    /// Default of `min_width` and `min_idle`, ns: `usual`, or less for a fast meter: a quarter of
    /// the fastest interval each, so that a pulse may fill a quarter to three quarters of it.
    pub(super) fn width_ns(self, usual: u64) -> u64 {
        usual.min(self.fastest_ns() / 4)
    }

    /// Default of `min_interval`, ns: `usual`, or less for a fast meter: half of the fastest
    /// interval.
    pub(super) fn min_interval_ns(self, usual: u64) -> u64 {
        usual.min(self.fastest_ns() / 2)
    }

    /// Default of `storm_limit`, edges a second: `usual`, or more for a fast meter: twice the
    /// edges that the fastest pulses make.
    pub(super) fn storm_limit(self, usual: u32) -> u32 {
        let own = u32::try_from(4 * self.edges_per_s()).unwrap_or(u32::MAX);
        usual.max(own)
    }

    /// Whether no pulse output is as fast as this.
    pub(super) fn is_absurd(self) -> bool {
        self.interval_ns() < limits::LEAST_PULSE_INTERVAL_NS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUSEHOLD: Pace = Pace { pulse_volume_ul: 10_000_000, max_flow_ul_per_h: 6_000_000_000 };
    const TURBINE: Pace = Pace { pulse_volume_ul: 100_000, max_flow_ul_per_h: 25_000_000_000 };

    #[test]
    fn a_household_meter_keeps_the_usual_filter() {
        assert_eq!(HOUSEHOLD.interval_ns(), 6_000_000_000);
        assert_eq!(HOUSEHOLD.edges_per_s(), 1);
        assert_eq!(HOUSEHOLD.width_ns(10_000_000), 10_000_000);
        assert_eq!(HOUSEHOLD.min_interval_ns(20_000_000), 20_000_000);
        assert_eq!(HOUSEHOLD.storm_limit(1_000), 1_000);
    }

    #[test]
    fn a_fast_meter_gets_a_quarter_of_its_fastest_interval() {
        assert_eq!(TURBINE.interval_ns(), 14_400_000);
        assert_eq!(TURBINE.width_ns(10_000_000), 1_800_000);
        assert_eq!(TURBINE.min_interval_ns(20_000_000), 3_600_000);
        assert_eq!(TURBINE.edges_per_s(), 139);
        assert_eq!(TURBINE.storm_limit(500), 556);
    }
}
