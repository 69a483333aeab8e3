// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a pulse volume cannot resolve, in numbers and in a sentence.

use core::fmt;

use crate::units::{Flow, Litres, Seconds, flow_m3_per_h, volume_ul};
use crate::windows::episode::{CONFIRM_AGE_NS, WINDOWS_NS};
use crate::windows::track::RUN;

/// A hose that comes off passes at least this, m³/h.
const HOSE_M3_PER_H: f64 = 8.0;

/// What rounding may add to a whole number of intervals.
const ROUNDING: f64 = 1e-9;

/// One window and one threshold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WindowResolution {
    /// Length of the window, ns.
    pub window_ns: u64,
    /// Threshold, m³/h.
    pub threshold_m3_per_h: f64,
    /// Flow of one pulse a window, m³/h: below it a window holds at most one pulse.
    pub one_pulse_m3_per_h: f64,
    /// Pulses a window at the threshold's flow.
    pub pulses_at_threshold: f64,
    /// Whether those are at least two.
    pub resolved: bool,
}

/// What one pulse volume can and cannot resolve at some thresholds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Resolution {
    /// Volume of one pulse, µL.
    pub pulse_volume_ul: u64,
    /// The three windows, short to long.
    pub windows: [WindowResolution; 3],
    /// Shortest window that resolves its threshold, ns; 0 if none does.
    pub finest_resolved_ns: u64,
}

impl Resolution {
    /// What `pulse_volume_ul` (µL) resolves at `thresholds` (m³/h over 1 s, 5 s, 30 s).
    pub(crate) fn new(pulse_volume_ul: u64, thresholds: [f64; 3]) -> Self {
        let volume = pulse_volume_ul as f64;
        let windows = core::array::from_fn(|i| {
            let window_ns = WINDOWS_NS[i];
            let threshold_m3_per_h = thresholds[i];
            let pulses_at_threshold = volume_ul(threshold_m3_per_h, window_ns) / volume.max(1.0);
            WindowResolution {
                window_ns,
                threshold_m3_per_h,
                one_pulse_m3_per_h: flow_m3_per_h(volume, window_ns),
                pulses_at_threshold,
                resolved: pulse_volume_ul > 0 && pulses_at_threshold >= 2.0,
            }
        });
        let finest = windows.iter().find(|w: &&WindowResolution| w.resolved);
        Self { pulse_volume_ul, windows, finest_resolved_ns: finest.map_or(0, |w| w.window_ns) }
    }

    /// Whole pulse intervals at a steady `m3_per_h` from idle that a surge needs so that one stray
    /// pulse could not have made it: the smallest n whose n − 1 pulse volumes reach the first two
    /// thresholds, over their windows and over the n intervals, and that last as long as a suspicion
    /// must. `None` for a flow that may never get there.
    #[must_use]
    pub fn intervals_needed(&self, m3_per_h: f64) -> Option<u32> {
        let pulse_ul = self.pulse_volume_ul as f64;
        let age = volume_ul(m3_per_h, CONFIRM_AGE_NS) / pulse_ul;
        let mut needed = age.max(2.0);
        for w in &self.windows[..2] {
            let spare = m3_per_h - w.threshold_m3_per_h;
            if self.pulse_volume_ul == 0 || !(spare > 0.0 && m3_per_h.is_finite()) {
                return None;
            }
            let by_intervals = m3_per_h / spare;
            let in_window = volume_ul(m3_per_h, w.window_ns) / pulse_ul;
            if (by_intervals - ROUNDING).ceil() > in_window.floor().max(RUN as f64) {
                return None;
            }
            needed = needed.max(by_intervals).max(1.0 + w.pulses_at_threshold);
        }
        Some((needed - ROUNDING).ceil() as u32)
    }

    /// A surge to a steady `m3_per_h` is confirmed within this many ns of its onset: 5 s, or the
    /// intervals that are needed and the one in which it begins. `None`: it may never be.
    #[must_use]
    pub fn confirmed_within_ns(&self, m3_per_h: f64) -> Option<u64> {
        let intervals = f64::from(self.intervals_needed(m3_per_h)?) + 1.0;
        let interval_ns = self.pulse_volume_ul as f64 / m3_per_h * 3600.0;
        Some(((intervals * interval_ns).ceil() as u64).max(WINDOWS_NS[1]))
    }
}

impl fmt::Display for Resolution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.pulse_volume_ul == 0 {
            return write!(f, "a pulse of 0 L says nothing about flow: set the pulse volume");
        }
        write!(f, "one pulse is {}", Litres(self.pulse_volume_ul))?;
        let mut sep = ": ";
        for w in self.windows.iter().filter(|w| !w.resolved) {
            write!(
                f,
                "{sep}a {} window holds at most one pulse below {} m3/h, so its threshold of {} m3/h is \
                 judged by the time between pulses",
                Seconds(w.window_ns),
                Flow(w.one_pulse_m3_per_h),
                Flow(w.threshold_m3_per_h),
            )?;
            sep = "; ";
        }
        if self.finest_resolved_ns > 0 {
            write!(f, "{sep}windows of {} and longer count pulses", Seconds(self.finest_resolved_ns))?;
            sep = "; ";
        }
        match self.confirmed_within_ns(HOSE_M3_PER_H) {
            Some(ns) => write!(
                f,
                "{sep}a surge to {} m3/h is confirmed within {} of its onset",
                Flow(HOSE_M3_PER_H),
                Seconds(ns)
            ),
            None => {
                write!(f, "{sep}a surge to {} m3/h is not confirmed at these thresholds", Flow(HOSE_M3_PER_H))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::DEFAULT_THRESHOLDS_M3_PER_H as TH;

    #[test]
    fn ten_litres_resolve_no_window() {
        let r = Resolution::new(10_000_000, TH);
        assert_eq!(r.finest_resolved_ns, 0);
        assert_eq!(r.intervals_needed(8.0), Some(3));
        assert_eq!(r.intervals_needed(10.0), Some(2));
        assert_eq!(r.confirmed_within_ns(8.0), Some(18_000_000_000));
        let said = r.to_string();
        assert!(
            said.starts_with("one pulse is 10 L: a 1 s window holds at most one pulse below 36 m3/h"),
            "{said}"
        );
        assert!(said.ends_with("a surge to 8 m3/h is confirmed within 18 s of its onset"), "{said}");
    }

    #[test]
    fn a_litre_resolves_five_seconds_and_a_decilitre_one() {
        assert_eq!(Resolution::new(1_000_000, TH).finest_resolved_ns, 5_000_000_000);
        assert_eq!(Resolution::new(100_000, TH).finest_resolved_ns, 1_000_000_000);
        assert_eq!(
            Resolution::new(100_000, TH).to_string(),
            "one pulse is 0.1 L: windows of 1 s and longer count pulses; a surge to 8 m3/h is confirmed \
             within 5 s of its onset"
        );
    }

    #[test]
    fn flows_at_the_threshold_are_not_promised() {
        let r = Resolution::new(10_000_000, TH);
        assert_eq!(r.intervals_needed(5.0), None);
        assert_eq!(r.intervals_needed(5.5), None);
        assert_eq!(r.intervals_needed(f64::NAN), None);
        assert_eq!(Resolution::new(10_000, TH).intervals_needed(5.5), Some(446));
        assert!(Resolution::new(0, TH).to_string().contains("set the pulse volume"));
    }
}
