// SPDX-License-Identifier: MIT OR Apache-2.0
//! Flow from pulse times: means over windows, and what is sure even if one pulse was a stray.
//!
//! **Means.** A mean over a window that ends at the last pulse is the volume of the curve over that
//! window. After the last pulse the flow is unknown but at most V/(now − last): until the next pulse
//! is due the last flow is taken to go on, then the bound falls.
//!
//! **Sure flow.** One glitch that slipped through the filter splits an interval in two. With coarse
//! pulses that doubles the flow on *both* sides: 10 L at 2.6 m³/h and a stray in the middle reads
//! 5.2, 5.2, so no rule about "the last two intervals" is safe. What is safe: of n + 1 pulses at
//! least n are real whenever at most one is a stray, so (n − 1)·V truly passed in their span. The
//! *sure flow* of a span is (its volume − V) / span. If the true mean flow of every span is below a
//! threshold, the sure flow with one stray is below it too, for every V, phase and profile. It costs
//! a coarse meter pulses: 8 m³/h against 5.0 needs three intervals (⅔ · 8 = 5.33), 10 m³/h needs two.
//! Two strays within one span can still raise it: at one stray in a thousand pulses and 10 L that is
//! at most about once in a million intervals of a boiler at 2.8 m³/h, 150 days of burning.

use crate::state::State;
use crate::units::{SECOND_NS, flow_m3_per_h, volume_ul};
use crate::windows::curve::{Curve, share};

/// A sure flow looks at most so many points back beyond its window: 8 exact intervals of a coarse
/// meter, with which 5.72 m³/h are surely above 5.0 (⅞ · 5.72).
pub(crate) const RUN: usize = 8;

/// Silence after which the bound V/silence is worth saying although no interval is known, ns.
const SILENCE_NS: u64 = 30 * SECOND_NS;

/// A mean flow.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Mean {
    /// m³/h.
    pub flow: f64,
    /// Time it rests on, ns; 0 when nothing is known.
    pub span_ns: u64,
    /// Intervals it rests on.
    pub intervals: u32,
}

/// The pulses of one meter.
#[derive(Clone, Debug)]
pub(crate) struct Track {
    curve: Curve,
    pulse_ul: u64,
    /// Flow above which an interval is implausibly short, m³/h.
    limit: f64,
    /// Flow of the last four intervals, newest first; `None` is implausible.
    recent: [Option<f64>; 4],
    /// Flow and length of the last plausible interval.
    last: Option<(f64, u64)>,
    /// No pulse was seen since then: the last pulse, a restart, or the first tick.
    anchor_ns: Option<u64>,
}

/// An interval that a pulse closed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Interval {
    /// Where it began, ns.
    pub start_ns: u64,
    /// Whether the meter can turn so fast.
    pub plausible: bool,
}

impl Track {
    pub fn new(pulse_ul: u64, limit: f64) -> Self {
        Self { curve: Curve::new(), pulse_ul, limit, recent: [None; 4], last: None, anchor_ns: None }
    }

    /// Changes the flow above which an interval is implausible, m³/h.
    pub fn set_limit(&mut self, limit: f64) {
        self.limit = limit;
    }

    /// Time of the last pulse of the memory, ns.
    pub fn last_ns(&self) -> Option<u64> {
        self.curve.last().map(|p| p.t_ns)
    }

    /// Takes a pulse at `t_ns`, not before the last one.
    pub fn accept(&mut self, t_ns: u64) -> Option<Interval> {
        let before = self.last_ns();
        self.anchor_ns = Some(t_ns);
        let Some(start_ns) = before else {
            self.curve.push(t_ns, 0);
            return None;
        };
        let span_ns = t_ns.saturating_sub(start_ns);
        let most_ul = volume_ul(self.limit, span_ns);
        let plausible = self.pulse_ul as f64 <= most_ul;
        let flow = flow_m3_per_h(self.pulse_ul as f64, span_ns);
        // An interval too short for the meter is credited with what the meter could have passed.
        let credited = if plausible { self.pulse_ul } else { most_ul as u64 };
        self.curve.push(t_ns, credited);
        self.recent.rotate_right(1);
        self.recent[0] = plausible.then_some(flow);
        if plausible {
            self.last = Some((flow, span_ns));
        }
        Some(Interval { start_ns, plausible })
    }

    /// Forgets the intervals: pulses are known to have come whose times are not.
    pub fn restart(&mut self, now_ns: u64) {
        self.curve.clear();
        self.recent = [None; 4];
        self.last = None;
        self.anchor_ns = Some(now_ns);
    }

    /// Notes that no pulse was seen up to now.
    pub fn idle(&mut self, now_ns: u64) {
        self.anchor_ns.get_or_insert(now_ns);
    }

    /// ns without a pulse.
    pub fn silence(&self, now_ns: u64) -> u64 {
        self.anchor_ns.map_or(0, |t| now_ns.saturating_sub(t))
    }

    /// Whether the next pulse should have come by now if the flow went on.
    pub fn overdue(&self, now_ns: u64) -> bool {
        let due = self.last.map_or(0, |(_, ns)| ns.saturating_mul(2));
        self.silence(now_ns) > due.max(SECOND_NS)
    }

    /// The flow now, m³/h: the mean of the last second, and at most V/silence.
    pub fn flow(&self, now_ns: u64) -> Option<f64> {
        let mean = self.mean(SECOND_NS, now_ns);
        let silence = self.silence(now_ns);
        let bound = flow_m3_per_h(self.pulse_ul as f64, silence);
        (mean.span_ns > 0).then(|| if silence > 0 { mean.flow.min(bound) } else { mean.flow })
    }

    /// Mean flow over the `window_ns` before `now_ns`.
    pub fn mean(&self, window_ns: u64, now_ns: u64) -> Mean {
        let silence = self.silence(now_ns);
        let bound = flow_m3_per_h(self.pulse_ul as f64, silence);
        let (Some(end), Some((last_flow, last_ns))) = (self.curve.last(), self.last) else {
            return if silence >= SILENCE_NS {
                Mean { flow: bound, span_ns: silence, intervals: 0 }
            } else {
                Mean::default()
            };
        };
        let tail_flow = if silence > 0 { bound.min(last_flow) } else { last_flow };
        if silence >= window_ns {
            return Mean {
                flow: tail_flow,
                span_ns: silence.max(last_ns),
                intervals: u32::from(silence < last_ns),
            };
        }
        let want_ns = window_ns - silence;
        let Some(piece) = self.curve.since(end.t_ns.saturating_sub(want_ns)) else {
            return Mean::default();
        };
        let known_ns = piece.span_ns.saturating_add(silence);
        let volume = piece.volume_ul + volume_ul(tail_flow, silence);
        let interval_ns = now_ns.saturating_sub(self.curve.back(1).t_ns);
        Mean {
            flow: flow_m3_per_h(volume, known_ns),
            // A window inside one interval rests on the whole interval.
            span_ns: if piece.span_ns == want_ns { known_ns.max(interval_ns) } else { known_ns },
            intervals: piece.intervals,
        }
    }

    /// The largest flow, m³/h, that surely passed over the window before the last pulse or over a
    /// run of up to [`RUN`] intervals at least as long, even if one pulse was a stray.
    pub fn sure(&self, window_ns: u64) -> f64 {
        let Some(end) = self.curve.last() else {
            return 0.0;
        };
        let stray_ul = self.pulse_ul as f64;
        let (mut best, mut newer, mut reached) = (0.0_f64, end, false);
        for back in 1..self.curve.len() {
            let older = self.curve.back(back);
            let span_ns = end.t_ns.saturating_sub(older.t_ns);
            if span_ns >= window_ns {
                if !reached {
                    reached = true;
                    let part = share(older, newer, end.t_ns - window_ns);
                    let volume = newer.volume_to(end) + part * older.volume_to(newer);
                    best = best.max(flow_m3_per_h(volume - stray_ul, window_ns));
                }
                let volume = older.volume_to(end);
                best = best.max(flow_m3_per_h(volume - stray_ul, span_ns));
                if back >= RUN {
                    break;
                }
            }
            newer = older;
        }
        best
    }

    /// Whether the last two plausible intervals, both among the last four, each reach `threshold`
    /// (m³/h). Noise too fast for the meter alone never does; a contact that bounces on every pulse
    /// (short, long, short, long) still can.
    pub fn each_reaches(&self, threshold: f64) -> bool {
        let mut plausible = self.recent.iter().flatten();
        matches!((plausible.next(), plausible.next()),
            (Some(a), Some(b)) if *a >= threshold && *b >= threshold)
    }

    /// Since when the flow is above `threshold` (m³/h), ns: of the last [`RUN`] points the one with
    /// the most volume above the threshold after it (the change point of a CUSUM).
    pub fn onset(&self, threshold: f64) -> u64 {
        let Some(end) = self.curve.last() else {
            return 0;
        };
        let (mut onset_ns, mut most) = (end.t_ns, f64::NEG_INFINITY);
        for back in 1..self.curve.len().min(RUN + 1) {
            let point = self.curve.back(back);
            let above = point.volume_to(end) - volume_ul(threshold, end.t_ns - point.t_ns);
            if above > most {
                (onset_ns, most) = (point.t_ns, above);
            }
        }
        onset_ns
    }
}

impl Track {
    /// What is stored of it; volume and limit are the configuration's.
    pub fn save(&self, out: &mut Vec<u8>) {
        self.curve.save(out);
        self.recent.save(out);
        self.last.save(out);
        self.anchor_ns.save(out);
    }

    /// Takes what [`Track::save`] stored.
    pub fn load(&mut self, from: &mut &[u8]) -> Option<()> {
        self.curve = State::load(from)?;
        self.recent = State::load(from)?;
        self.last = State::load(from)?;
        self.anchor_ns = State::load(from)?;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEN_L: u64 = 10_000_000;

    fn track(times_s: &[f64]) -> Track {
        let mut track = Track::new(TEN_L, 20.0);
        for t in times_s {
            track.accept((t * 1e9) as u64);
        }
        track
    }

    #[test]
    fn a_coarse_pulse_is_not_a_rate_of_its_own() {
        let mean = track(&[0.0, 18.0]).mean(SECOND_NS, 18 * SECOND_NS);
        assert!((mean.flow - 2.0).abs() < 1e-9);
        assert_eq!((mean.span_ns, mean.intervals), (18 * SECOND_NS, 1));
    }

    #[test]
    fn silence_bounds_the_flow() {
        let track = track(&[0.0, 18.0]);
        let at = |s: u64| track.flow(s * SECOND_NS).unwrap();
        assert!((at(30) - 2.0).abs() < 1e-9);
        assert!((at(54) - 1.0).abs() < 1e-9);
        assert!((at(18 + 3600) - 0.01).abs() < 1e-9);
        assert!(!track.overdue(54 * SECOND_NS) && track.overdue(55 * SECOND_NS));
    }

    #[test]
    fn a_window_over_several_intervals_takes_part_of_the_first() {
        // 20 s at 1.8 m³/h, then 5 s at 7.2: the last 10 s hold 5 s of each.
        let mean = track(&[0.0, 20.0, 25.0]).mean(10 * SECOND_NS, 25 * SECOND_NS);
        assert!((mean.flow - 4.5).abs() < 1e-9);
        assert_eq!((mean.span_ns, mean.intervals), (10 * SECOND_NS, 2));
    }

    #[test]
    fn a_stray_in_the_middle_does_not_raise_the_sure_flow() {
        let stray = track(&[0.0, 14.0, 21.0, 28.0]);
        assert!(stray.mean(SECOND_NS, 28 * SECOND_NS).flow > 5.0);
        assert!(stray.sure(SECOND_NS) < 2.6);
    }

    #[test]
    fn three_intervals_at_eight_are_surely_above_five() {
        let track = track(&[0.0, 1000.0, 1004.5, 1009.0, 1013.5]);
        assert!((track.sure(SECOND_NS) - 16.0 / 3.0).abs() < 1e-9);
        assert_eq!(track.onset(5.0), 1000 * SECOND_NS);
    }

    #[test]
    fn a_bounce_is_credited_with_next_to_nothing() {
        let track = track(&[0.0, 18.0, 18.005]);
        let mean = track.mean(SECOND_NS, 18_005_000_000);
        assert!((2.0..2.2).contains(&mean.flow), "{mean:?}");
    }

    #[test]
    fn after_a_restart_only_a_long_silence_says_something() {
        let mut track = track(&[0.0, 18.0]);
        track.restart(20 * SECOND_NS);
        assert_eq!(track.flow(21 * SECOND_NS), None);
        assert!((track.flow(60 * SECOND_NS).unwrap() - 0.9).abs() < 1e-9);
    }
}
