// SPDX-License-Identifier: MIT OR Apache-2.0
//! Time in which nothing but pilots burns: there a leak of 20 L/h shows, pulse by pulse.

use crate::household::calendar::{HOUR_NS, SECOND_NS};
use crate::household::flow::Step;

/// The leak, L/h.
pub const LEAK_L_PER_H: f64 = 20.0;
/// A shorter rest is not told from a pause between two pulses of a use.
const SHORT_NS: u64 = 600 * SECOND_NS;
/// Two pulses tell a flow to a factor of two: so much is taken for the leak, L/h.
const LIKE_L_PER_H: [f64; 2] = [10.0, 40.0];

/// Rests of a span of time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rests {
    /// The longest, ns.
    pub longest_ns: u64,
    /// All of ten minutes or more together, ns.
    pub all_ns: u64,
}

/// Pulses that the leak gives in a rest, beyond the pilots'.
#[must_use]
pub fn pulses(rest_ns: u64, pulse_l: f64) -> f64 {
    LEAK_L_PER_H * rest_ns as f64 / HOUR_NS as f64 / pulse_l
}

/// Flows of `[from, to)` ns, with their ends; rest before the first step.
fn pieces(steps: &[Step], from_ns: u64, to_ns: u64) -> impl Iterator<Item = (u64, u64, i64)> + '_ {
    let first = steps.partition_point(|s| s.t_ns <= from_ns).saturating_sub(1);
    let begins_ns = steps.first().map_or(u64::MAX, |s| s.t_ns);
    let before = (begins_ns > from_ns).then(|| (from_ns, begins_ns.min(to_ns), 0));
    let ends = steps[first..].iter().skip(1).map(|s| s.t_ns).chain([u64::MAX]);
    let all = steps[first..].iter().zip(ends).map(|(s, end_ns)| (s.t_ns, end_ns, s.ul_per_h));
    before
        .into_iter()
        .chain(all.take_while(move |p| p.0 < to_ns))
        .map(move |(start_ns, end_ns, ul_per_h)| (start_ns.max(from_ns), end_ns.min(to_ns), ul_per_h))
}

/// The rests of `[from, to)` ns.
#[must_use]
pub fn rests(steps: &[Step], from_ns: u64, to_ns: u64) -> Rests {
    let mut rests = Rests::default();
    let mut since_ns = None;
    let mut end = |since_ns: Option<u64>, now_ns: u64| {
        let rest_ns = since_ns.map_or(0, |since| now_ns - since);
        rests.longest_ns = rests.longest_ns.max(rest_ns);
        rests.all_ns += if rest_ns >= SHORT_NS { rest_ns } else { 0 };
    };
    for (start_ns, _, ul_per_h) in pieces(steps, from_ns, to_ns) {
        if ul_per_h > 0 {
            end(since_ns.take(), start_ns);
        } else {
            since_ns = since_ns.or(Some(start_ns));
        }
    }
    end(since_ns, to_ns);
    rests
}

/// Litres of each flow in `[from, to)` ns that burns alone, pilots aside, and no faster or slower than what two pulses
/// take for the leak.
#[must_use]
pub fn alike(steps: &[Step], from_ns: u64, to_ns: u64) -> Vec<f64> {
    let mut all = vec![0.0];
    for (start_ns, end_ns, ul_per_h) in pieces(steps, from_ns, to_ns) {
        let l_per_h = ul_per_h as f64 * 1e-6;
        if (LIKE_L_PER_H[0]..=LIKE_L_PER_H[1]).contains(&l_per_h) {
            if let Some(last) = all.last_mut() {
                *last += l_per_h * (end_ns - start_ns) as f64 / HOUR_NS as f64;
            }
        } else {
            all.push(0.0);
        }
    }
    all.retain(|litres| *litres > 0.0);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    const H: u64 = HOUR_NS;

    fn steps(of: &[(u64, i64)]) -> Vec<Step> {
        of.iter().map(|(h, l)| Step { t_ns: h * H, ul_per_h: l * 1_000_000 }).collect()
    }

    #[test]
    fn the_longest_rest_and_all_of_them() {
        let all = steps(&[(1, 300), (2, 0), (4, 300), (5, 200), (6, 0), (6, 0), (16, 300), (20, 0)]);
        assert_eq!(rests(&all, 0, 30 * H), Rests { longest_ns: 10 * H, all_ns: 23 * H });
        assert_eq!(rests(&all, 3 * H, 7 * H), Rests { longest_ns: H, all_ns: 2 * H }, "cut at both ends");
        assert_eq!(rests(&all, 17 * H, 19 * H), Rests::default());
        assert_eq!(rests(&[], 0, H), Rests { longest_ns: H, all_ns: H });
    }

    #[test]
    fn an_hour_shows_two_pulses_of_ten_litres() {
        assert!((pulses(H, 10.0) - 2.0).abs() < 1e-12);
        assert!((pulses(H / 10, 1.0) - 2.0).abs() < 1e-12);
    }

    #[test]
    fn a_stew_alone_looks_like_the_leak() {
        let all = steps(&[(1, 36), (3, 0), (4, 36), (5, 20), (6, 136), (7, 36), (8, 0), (9, 300), (10, 0)]);
        let mut litres = alike(&all, 0, 20 * H);
        litres.sort_by(f64::total_cmp);
        assert_eq!(litres.iter().map(|l| l.round() as u64).collect::<Vec<_>>(), [36, 56, 72]);
    }
}
