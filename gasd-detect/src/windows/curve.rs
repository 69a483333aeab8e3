// SPDX-License-Identifier: MIT OR Apache-2.0
//! The memory: volume over time as a curve through pulse times.
//!
//! Between two pulses the flow is V/Δt, so the curve of volume over time is a polyline through the
//! pulses. A ring of 256 points holds it. A point that would make the piece before it and the piece
//! after it together shorter than 250 ms is replaced instead of kept, which gives two things at once:
//!
//! * every piece is either **one exact pulse interval** or shorter than 250 ms, so coarse pulses
//!   (one every 18 s) are exact over as many intervals as one likes, and fine pulses (2 kHz) blur
//!   a window's edge by less than 250 ms and by no volume;
//! * two neighbouring pieces always span 250 ms, so 256 points reach back 31.75 s at any rate.
//!
//! Buckets of fixed length would need the same memory and would smear a coarse interval's ends.

use crate::state::{State, load_short, save_short};

/// Points held: a power of two.
pub(crate) const POINTS: usize = 256;
const MASK: usize = POINTS - 1;

/// Two neighbouring pieces are never shorter than this together, ns.
const PAIR_NS: u64 = 250_000_000;

/// A point of the curve: a pulse's time and what had passed by then.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Point {
    /// Time of the pulse, ns.
    pub t_ns: u64,
    /// Credited volume since the start, µL, wrapping.
    volume_ul: u64,
    /// Pulses since the start, wrapping.
    pulses: u32,
}

impl Point {
    /// Credited volume from here to `later`, µL.
    pub fn volume_to(self, later: Self) -> f64 {
        later.volume_ul.wrapping_sub(self.volume_ul) as f64
    }
}

/// What passed between a time and the last pulse.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Piece {
    /// Credited volume, µL.
    pub volume_ul: f64,
    /// Time it covers, ns; shorter than asked for when the memory does not reach back so far.
    pub span_ns: u64,
    /// Intervals touched, whole or in part.
    pub intervals: u32,
}

/// The curve. 5 KB, no heap.
#[derive(Clone, Debug)]
pub(crate) struct Curve {
    t_ns: [u64; POINTS],
    volume_ul: [u64; POINTS],
    pulses: [u32; POINTS],
    head: usize,
    len: usize,
}

impl Curve {
    pub const fn new() -> Self {
        Self { t_ns: [0; POINTS], volume_ul: [0; POINTS], pulses: [0; POINTS], head: 0, len: 0 }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.len = 0;
    }

    /// Points held.
    pub fn len(&self) -> usize {
        self.len
    }

    /// The point `back` places before the last one; `back < len`.
    pub fn back(&self, back: usize) -> Point {
        let i = self.head.wrapping_sub(back) & MASK;
        Point { t_ns: self.t_ns[i], volume_ul: self.volume_ul[i], pulses: self.pulses[i] }
    }

    /// The last pulse.
    pub fn last(&self) -> Option<Point> {
        (self.len > 0).then(|| self.back(0))
    }

    /// Adds a pulse at `t_ns`, which is not before the last one, with the volume it is credited with.
    pub fn push(&mut self, t_ns: u64, credited_ul: u64) {
        let last = self.back(0);
        let replace = self.len >= 2 && t_ns.saturating_sub(self.back(1).t_ns) < PAIR_NS;
        if !replace {
            self.head = (self.head + 1) & MASK;
            self.len = (self.len + 1).min(POINTS);
        }
        self.t_ns[self.head] = t_ns;
        self.volume_ul[self.head] = last.volume_ul.wrapping_add(credited_ul);
        self.pulses[self.head] = last.pulses.wrapping_add(1);
    }

    /// What passed from `start_ns` to the last pulse; `None` before there is an interval.
    pub fn since(&self, start_ns: u64) -> Option<Piece> {
        let end = self.last()?;
        let mut newer = end;
        for back in 1..self.len {
            let older = self.back(back);
            if older.t_ns <= start_ns {
                let part = share(older, newer, start_ns);
                let touched = part * f64::from(newer.pulses.wrapping_sub(older.pulses));
                return Some(Piece {
                    volume_ul: newer.volume_to(end) + part * older.volume_to(newer),
                    span_ns: end.t_ns.saturating_sub(start_ns),
                    intervals: end.pulses.wrapping_sub(newer.pulses).saturating_add(touched.ceil() as u32),
                });
            }
            newer = older;
        }
        (self.len >= 2).then(|| Piece {
            volume_ul: newer.volume_to(end),
            span_ns: end.t_ns - newer.t_ns,
            intervals: end.pulses.wrapping_sub(newer.pulses),
        })
    }
}

/// The share of the piece from `older` to `newer` that lies after `start_ns`, 0 to 1.
pub(crate) fn share(older: Point, newer: Point, start_ns: u64) -> f64 {
    let whole = newer.t_ns.saturating_sub(older.t_ns);
    if whole == 0 {
        return 0.0;
    }
    (newer.t_ns.saturating_sub(start_ns) as f64 / whole as f64).min(1.0)
}

/// Points older than this before the last one, ns, are looked at only for the last few intervals.
const REACH_NS: u64 = 32_000_000_000;
/// Points that are kept however old they are.
const LEAST_POINTS: usize = 10;

impl State for Curve {
    /// Only what any window can still see, as differences.
    fn save(&self, out: &mut Vec<u8>) {
        let last = self.back(0);
        let seen = |back: usize| {
            back < LEAST_POINTS || last.t_ns.saturating_sub(self.back(back - 1).t_ns) <= REACH_NS
        };
        let len = (0..self.len).take_while(|&back| seen(back)).count();
        save_short(len as u64, out);
        for back in 0..len {
            let point = self.back(back);
            if back == 0 {
                save_short(point.t_ns, out);
            } else {
                let newer = self.back(back - 1);
                save_short(newer.t_ns - point.t_ns, out);
                save_short(newer.volume_ul.wrapping_sub(point.volume_ul), out);
                save_short(u64::from(newer.pulses.wrapping_sub(point.pulses)), out);
            }
        }
    }

    fn load(from: &mut &[u8]) -> Option<Self> {
        let mut curve = Self::new();
        curve.len = usize::try_from(load_short(from)?).ok().filter(|len| *len <= POINTS)?;
        let mut point = Point { t_ns: 0, volume_ul: 0, pulses: 0 };
        for back in 0..curve.len {
            if back == 0 {
                point.t_ns = load_short(from)?;
            } else {
                point.t_ns = point.t_ns.checked_sub(load_short(from)?)?;
                point.volume_ul = point.volume_ul.wrapping_sub(load_short(from)?);
                point.pulses = point.pulses.wrapping_sub(u32::try_from(load_short(from)?).ok()?);
            }
            let i = curve.head.wrapping_sub(back) & MASK;
            (curve.t_ns[i], curve.volume_ul[i], curve.pulses[i]) =
                (point.t_ns, point.volume_ul, point.pulses);
        }
        Some(curve)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MS: u64 = 1_000_000;

    #[test]
    fn coarse_intervals_stay_exact() {
        let mut curve = Curve::new();
        for i in 0..10 {
            curve.push(i * 18_000 * MS, 100);
        }
        let piece = curve.since(162_000 * MS - 27_000 * MS).unwrap();
        assert_eq!((piece.volume_ul, piece.intervals), (150.0, 2));
    }

    #[test]
    fn two_kilohertz_reach_back_thirty_seconds() {
        let mut curve = Curve::new();
        for i in 0..200_000u64 {
            curve.push(i * MS / 2, 1);
        }
        let piece = curve.since(curve.back(0).t_ns - 30_000 * MS).unwrap();
        assert_eq!(piece.span_ns, 30_000 * MS);
        assert!((piece.volume_ul - 60_000.0).abs() < 1e-6);
        assert_eq!(piece.intervals, 60_000);
    }

    #[test]
    fn nothing_is_known_before_an_interval() {
        let mut curve = Curve::new();
        assert_eq!(curve.since(0), None);
        curve.push(5, 1);
        assert_eq!(curve.since(0), None);
        curve.push(9, 1);
        assert_eq!(curve.since(0).unwrap().span_ns, 4);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// The ring always reaches back 31 s once so much time has passed, whatever the rhythm.
        #[test]
        fn any_rhythm_reaches_back(gaps in prop::collection::vec(0u64..400 * MS, 600..1200)) {
            let mut curve = Curve::new();
            let mut t = 0;
            for gap in gaps {
                t += gap;
                curve.push(t, 1);
            }
            let oldest = curve.back(curve.len() - 1).t_ns;
            prop_assert!(t - oldest >= 31_000 * MS || curve.len() < POINTS);
            let piece = curve.since(t.saturating_sub(30_000 * MS)).unwrap();
            prop_assert!(piece.volume_ul >= 0.0 && piece.volume_ul <= 1200.0);
        }
    }
}
