// SPDX-License-Identifier: MIT OR Apache-2.0
//! Gas that flows for a while, as one who watches for a leak sees it: how fast, and how steadily, by the time some
//! litres have passed.

use crate::household::calendar::{HOUR_NS, SECOND_NS};
use crate::household::flow::Step;

/// Looked at when so many litres have passed: early; at the last pulse of 10 L that surely is in time; and at the last
/// moment.
pub const LITRES: [f64; 3] = [100.0, 140.0, 150.0];

/// What a burner does first, its surge or its lighting at half power, says nothing yet: in this time less than a
/// pulse of 10 L passes.
const SETTLES_NS: u64 = 10 * SECOND_NS;
/// A pause as short as this is none, whatever the meter.
const NO_PAUSE_NS: u64 = SECOND_NS;

/// What has been seen when so many litres have passed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Look {
    /// The mean flow, m³/h.
    pub m3_per_h: f64,
    /// How far the flow went from its mean, as a share; infinite if it paused.
    pub off: f64,
}

/// One bout.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bout {
    /// When it began, out of rest, ns.
    pub start_ns: u64,
    /// By place in [`LITRES`]; `None` if it ended before.
    pub looks: [Option<Look>; 3],
}

fn litres(ul_per_h: i64, ns: u64) -> f64 {
    ul_per_h as f64 * 1e-6 * ns as f64 / HOUR_NS as f64
}

/// Mean flow, m³/h.
fn mean(litres: f64, ns: u64) -> f64 {
    litres * 1e-3 * HOUR_NS as f64 / ns.max(1) as f64
}

/// A bout that is going on.
struct Going {
    bout: Bout,
    /// Up to the end of the last flow, L and ns.
    litres: f64,
    end_ns: u64,
    /// Since it settled: L, and the least and the most flow, µL/h.
    settled_l: f64,
    least: i64,
    most: i64,
    paused: bool,
}

impl Going {
    const fn new(start_ns: u64) -> Self {
        let bout = Bout { start_ns, looks: [None; 3] };
        Self { bout, litres: 0.0, end_ns: start_ns, settled_l: 0.0, least: i64::MAX, most: 0, paused: false }
    }

    /// A pause of which a meter shows nothing: at the flow so far no pulse was due in it.
    fn hidden(&self, pause_ns: u64, pulse_l: f64) -> bool {
        let flow = mean(self.litres, self.end_ns - self.bout.start_ns);
        pause_ns <= NO_PAUSE_NS || mean(pulse_l, pause_ns) > flow
    }

    fn flow(&mut self, from_ns: u64, to_ns: u64, ul_per_h: i64) {
        let settled_ns = self.bout.start_ns + SETTLES_NS;
        if to_ns > settled_ns {
            (self.least, self.most) = (self.least.min(ul_per_h), self.most.max(ul_per_h));
        }
        for (look, after_l) in self.bout.looks.iter_mut().zip(LITRES) {
            let missing = after_l - self.litres;
            if look.is_some() || litres(ul_per_h, to_ns - from_ns) < missing {
                continue;
            }
            let at_ns = from_ns + (missing * 1e6 * HOUR_NS as f64 / ul_per_h as f64) as u64;
            let settled_l = self.settled_l + litres(ul_per_h, at_ns.saturating_sub(settled_ns.max(from_ns)));
            let steady = mean(settled_l, at_ns.saturating_sub(settled_ns)) * 1e9;
            let off = (self.most as f64 / steady - 1.0).max(1.0 - self.least as f64 / steady);
            *look = Some(Look {
                m3_per_h: mean(after_l, at_ns - self.bout.start_ns),
                off: if self.paused { f64::INFINITY } else { off },
            });
        }
        self.settled_l += litres(ul_per_h, to_ns.saturating_sub(settled_ns.max(from_ns)));
        self.litres += litres(ul_per_h, to_ns - from_ns);
        self.end_ns = to_ns;
    }
}

/// All bouts of at least the least of [`LITRES`] behind a meter of so many litres a pulse.
#[must_use]
pub fn bouts(steps: &[Step], pulse_l: f64) -> Vec<Bout> {
    let mut all = Vec::new();
    let mut going: Option<Going> = None;
    for pair in steps.windows(2) {
        let (from_ns, to_ns, ul_per_h) = (pair[0].t_ns, pair[1].t_ns, pair[0].ul_per_h);
        if ul_per_h <= 0 {
            continue;
        }
        match &mut going {
            Some(g) if g.hidden(from_ns - g.end_ns, pulse_l) => {
                g.paused |= from_ns - g.end_ns > NO_PAUSE_NS;
            }
            _ => all.extend(going.replace(Going::new(from_ns)).map(|g| g.bout)),
        }
        if let Some(g) = &mut going {
            g.flow(from_ns, to_ns, ul_per_h);
        }
    }
    all.extend(going.map(|g| g.bout));
    all.retain(|bout| bout.looks[0].is_some());
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Steps of so many m³/h from so many minutes on.
    fn steps(of: &[(f64, f64)]) -> Vec<Step> {
        let step = |(min, q): &(f64, f64)| Step {
            t_ns: (min * 60.0 * SECOND_NS as f64) as u64,
            ul_per_h: (q * 1e9) as i64,
        };
        of.iter().map(step).collect()
    }

    fn near(look: Option<Look>, m3_per_h: f64, off: f64) -> bool {
        look.is_some_and(|l| {
            (l.m3_per_h - m3_per_h).abs() < 1e-3 && ((l.off - off).abs() < 1e-3 || l.off == off)
        })
    }

    #[test]
    fn a_shower_is_steady_and_a_turned_down_flame_is_not() {
        // 1.2 m³/h are 20 L a minute: 120 L in six. Then a flame that goes from 1.2 to 0.6 after five minutes.
        let all = steps(&[(0.0, 1.2), (6.0, 0.0), (60.0, 1.2), (65.0, 0.6), (80.0, 0.0)]);
        let bouts = bouts(&all, 1.0);
        assert_eq!(bouts.len(), 2);
        assert!(near(bouts[0].looks[0], 1.2, 0.0), "{bouts:?}");
        assert_eq!(bouts[0].looks[1..], [None; 2], "it ended after 120 L");
        assert!(near(bouts[1].looks[0], 1.2, 0.0));
        // 100 L in five minutes and 50 in the next five: 0.9 on the average, from 0.6 to 1.2, but for the first seconds.
        let look = bouts[1].looks[2].unwrap();
        assert!((look.m3_per_h - 0.9).abs() < 1e-3 && (look.off - 0.34).abs() < 0.01, "{look:?}");
    }

    #[test]
    fn a_pause_is_hidden_by_a_coarse_meter_only() {
        // 1.2 m³/h: a pulse of 10 L comes each 30 s, one of 1 L each 3.
        let all = steps(&[(0.0, 1.2), (5.5, 0.0), (5.75, 1.2), (11.25, 0.0)]);
        let coarse = bouts(&all, 10.0);
        assert_eq!(coarse.len(), 1);
        assert!(coarse[0].looks[2].is_some_and(|l| l.off.is_infinite()), "but one who saw it knows");
        assert_eq!(bouts(&all, 1.0).len(), 2);
    }

    #[test]
    fn what_a_flame_does_first_says_nothing() {
        let all = steps(&[(0.0, 0.6), (8.0 / 60.0, 1.2), (9.0, 0.0)]);
        assert!(bouts(&all, 1.0)[0].looks[2].unwrap().off < 1e-9);
    }
}
