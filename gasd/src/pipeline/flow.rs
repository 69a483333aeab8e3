// SPDX-License-Identifier: MIT OR Apache-2.0
//! The last flow of a meter, as a verdict's evidence shows it: the newest points pulse by pulse, older ones
//! coarser and coarser, so that few points reach back over seconds of a hose and hours of a lamp.

use std::collections::VecDeque;

/// Points that are kept.
pub const POINTS: usize = 128;
/// Points of the older half that two are made one of when there is no room.
const THINNED: usize = POINTS / 2;
/// What is longer ago than this says nothing of what is found now, ns.
const SPAN_NS: u64 = 48 * 3_600 * 1_000_000_000;
/// m³/h of one µL/ns.
const M3_PER_H: f64 = 3_600.0;

/// Points of a flow: each is the mean from the point before, m³/h.
#[derive(Clone, Debug, Default)]
pub struct Flow(VecDeque<(u64, f32)>);

impl Flow {
    /// A pulse of `volume_ul` at `t_ns`.
    pub fn pulse(&mut self, t_ns: u64, volume_ul: u64) {
        match self.0.back() {
            // The clock began anew: what was before is of another one.
            Some(&(last_ns, _)) if t_ns < last_ns => self.0.clear(),
            Some(&(last_ns, _)) if t_ns == last_ns => return,
            Some(&(last_ns, _)) => {
                let flow = volume_ul as f64 / (t_ns - last_ns) as f64 * M3_PER_H;
                self.put(t_ns, flow as f32);
                return;
            }
            None => {}
        }
        self.0.push_back((t_ns, 0.0));
    }

    /// Pulses were lost: no interval goes on.
    pub fn forget(&mut self) {
        self.0.clear();
    }

    fn put(&mut self, t_ns: u64, flow: f32) {
        if self.0.len() >= POINTS {
            self.thin();
        }
        self.0.push_back((t_ns, flow));
        while self.0.front().is_some_and(|(first_ns, _)| t_ns - first_ns > SPAN_NS) {
            self.0.pop_front();
        }
    }

    /// Makes one of two among the older points, but for the first, which only says where it begins. The volume
    /// stays.
    fn thin(&mut self) {
        let mut rest = self.0.split_off(THINNED);
        let mut thinned: VecDeque<(u64, f32)> = VecDeque::with_capacity(POINTS);
        let Some((&begin, older)) = self.0.make_contiguous().split_first() else { return };
        thinned.push_back(begin);
        let mut begin_ns = begin.0;
        for pair in older.chunks(2) {
            let volume: f64 = pair
                .iter()
                .scan(begin_ns, |from_ns, (t_ns, flow)| {
                    let span = t_ns - std::mem::replace(from_ns, *t_ns);
                    Some(f64::from(*flow) * span as f64)
                })
                .sum();
            let end_ns = pair[pair.len() - 1].0;
            thinned.push_back((end_ns, (volume / (end_ns - begin_ns).max(1) as f64) as f32));
            begin_ns = end_ns;
        }
        thinned.append(&mut rest);
        self.0 = thinned;
    }

    /// The points up to `now_ns`, at which the flow is `flow` if that is known.
    pub fn until(&self, now_ns: u64, flow: Option<f64>) -> impl Iterator<Item = (u64, f32)> {
        let last_ns = self.0.back().map_or(0, |(t_ns, _)| *t_ns);
        let now = flow.filter(|flow| flow.is_finite() && now_ns > last_ns).map(|flow| (now_ns, flow as f32));
        self.0.iter().copied().chain(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: u64 = 1_000_000_000;

    fn volume_ul(points: &[(u64, f32)]) -> f64 {
        points.windows(2).map(|pair| f64::from(pair[1].1) * (pair[1].0 - pair[0].0) as f64 / M3_PER_H).sum()
    }

    #[test]
    fn points_stay_few_and_keep_the_volume() {
        let mut flow = Flow::default();
        for i in 0..10_000 {
            flow.pulse((10 + 4 * i) * S, 1_000_000);
        }
        let points: Vec<_> = flow.until(0, None).collect();
        assert!(points.len() <= POINTS && points.len() >= THINNED, "{}", points.len());
        assert!(points.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert!(points[1..].iter().all(|(_, flow)| (flow - 0.9).abs() < 1e-4), "{points:?}");
        let newest = &points[points.len() - 60..];
        assert!(newest.windows(2).all(|pair| pair[1].0 - pair[0].0 == 4 * S), "the newest are exact");
        assert_eq!(points[0].0, 10 * S, "all of the time is still there");
        let litres = volume_ul(&points) / 1e6;
        let expected = (points[points.len() - 1].0 - points[0].0) as f64 / (4 * S) as f64;
        assert!((litres - expected).abs() < 0.1, "{litres} {expected}");
    }

    #[test]
    fn a_clock_that_began_anew_and_lost_pulses_end_it() {
        let mut flow = Flow::default();
        flow.pulse(100 * S, 1_000_000);
        flow.pulse(104 * S, 1_000_000);
        flow.pulse(2 * S, 1_000_000);
        assert_eq!(flow.until(3 * S, Some(0.5)).collect::<Vec<_>>(), [(2 * S, 0.0), (3 * S, 0.5)]);
        flow.forget();
        assert_eq!(flow.until(3 * S, None).count(), 0);
    }

    #[test]
    fn what_is_days_ago_is_left_out() {
        let mut flow = Flow::default();
        flow.pulse(S, 1_000_000);
        flow.pulse(5 * S, 1_000_000);
        flow.pulse(72 * 3_600 * S, 1_000_000);
        assert_eq!(flow.until(0, None).count(), 1);
    }
}
