// SPDX-License-Identifier: MIT OR Apache-2.0
//! The appliance register: which appliances there are, how long each is used, and which are on.
//!
//! A step up is an appliance that was lit, a step down one that was shut (Panasonic's idea of a register
//! of flows; a rate that comes back is an appliance, whatever its name). What is believed to be on
//! always adds up to the flow: a step that fits nothing is an entry of its own, a flow that fell below
//! the sum takes away what fits best. How long a flame stays is judged by [`super::steady`], which does not
//! depend on having told every step.

use super::dwell::Dwell;
use super::steps::Step;
use crate::units::SECOND_NS;

/// Rates that are told apart.
pub(crate) const APPLIANCES: usize = 12;
/// Entries that are on at a time.
pub(crate) const ON: usize = 6;
/// Two rates are the same appliance within this part.
const SAME: f32 = 0.15;
/// Less than this, m³/h, is no appliance of its own.
const LEAST: f32 = 0.012;
/// A step smaller than this part of what is on is the same appliance turned: boilers modulate.
const TURNED: f32 = 0.25;
/// After a fall a difference of more than this part of it is something else that was on all the time.
const HIDDEN: f32 = 0.05;
/// A rate that was seen so often is an appliance of the home.
const KNOWN: u32 = 5;

/// A rate that comes back.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Appliance {
    /// m³/h; 0 is a free place.
    pub rate: f32,
    /// How long it is on.
    pub dwell: Dwell,
}

/// Something that is on.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct On {
    /// m³/h now; 0 is a free place.
    pub rate: f32,
    /// What it was lit with, m³/h.
    pub lit: f32,
    /// Since when, ns.
    pub since_ns: u64,
}

/// The register of one meter.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Register {
    pub appliances: [Appliance; APPLIANCES],
    pub on: [On; ON],
}

impl Register {
    /// Takes a step of the flow.
    pub fn step(&mut self, step: &Step) {
        if step.to <= 0.0 {
            for at in 0..ON {
                self.off(at, step.at_ns);
            }
            return;
        }
        let change = step.to - self.believed();
        if change.abs() < LEAST {
            return;
        }
        if change > 0.0 {
            self.rise(change, step.at_ns);
        } else {
            self.fall(-change, step.at_ns);
            // What went was more than what came off the flow: the rest is something that was hidden in it.
            let rest = step.to - self.believed();
            if rest > LEAST.max(HIDDEN * -change) {
                self.light(rest, step.at_ns);
            }
        }
    }

    fn rise(&mut self, more: f32, at_ns: u64) {
        match self.largest() {
            Some(at) if more < TURNED * self.on[at].rate && self.match_rate(more).is_none() => {
                self.on[at].rate += more;
            }
            _ => self.light(more, at_ns),
        }
    }

    /// The flow fell by `less`: shuts what fits, or turns down the largest.
    fn fall(&mut self, less: f32, at_ns: u64) {
        let fits = |on: &On| on.rate > 0.0 && (on.rate - less).abs() <= SAME * on.rate.max(less);
        // Of several that fit the one that was lit last: short uses nest inside long ones.
        let fitting = (0..ON).filter(|&i| fits(&self.on[i])).max_by_key(|&i| self.on[i].since_ns);
        let mut less = less;
        if let Some(at) = fitting {
            let rest = less - self.on[at].rate;
            self.off(at, at_ns);
            if rest <= LEAST.max(HIDDEN * less) {
                return;
            }
            less = rest;
        }
        while less > LEAST {
            let Some(at) = self.largest() else { return };
            if less < self.on[at].rate * (1.0 - SAME) {
                self.on[at].rate -= less;
                return;
            }
            less -= self.on[at].rate;
            self.off(at, at_ns);
        }
    }

    fn light(&mut self, rate: f32, at_ns: u64) {
        let free = (0..ON).find(|&i| self.on[i].rate <= 0.0);
        // With all places taken the smallest takes it up.
        let at = free.unwrap_or_else(|| {
            (1..ON).fold(0, |best, i| if self.on[i].rate < self.on[best].rate { i } else { best })
        });
        if free.is_some() {
            self.on[at] = On { rate, lit: rate, since_ns: at_ns };
        } else {
            self.on[at].rate += rate;
        }
    }

    fn off(&mut self, at: usize, at_ns: u64) {
        let on = core::mem::take(&mut self.on[at]);
        if on.rate <= 0.0 {
            return;
        }
        let seconds = at_ns.saturating_sub(on.since_ns) as f32 / SECOND_NS as f32;
        self.learn(on.lit, seconds);
    }

    fn learn(&mut self, rate: f32, seconds: f32) {
        let at = self.match_rate(rate).unwrap_or_else(|| {
            // The least used place: what came once makes room for what comes often.
            (1..APPLIANCES).fold(0, |best, i| {
                let (a, b) = (&self.appliances[i], &self.appliances[best]);
                if a.dwell.seen < b.dwell.seen { i } else { best }
            })
        });
        let one = &mut self.appliances[at];
        if (one.rate - rate).abs() > SAME * one.rate.max(rate) {
            *one = Appliance { rate, dwell: Dwell::default() };
        } else {
            one.rate += (rate - one.rate) * 0.1;
        }
        one.dwell.learn(seconds);
    }

    /// The appliance with about this rate.
    fn match_rate(&self, rate: f32) -> Option<usize> {
        let far = |at: usize| (self.appliances[at].rate - rate).abs();
        (0..APPLIANCES)
            .filter(|&at| far(at) <= SAME * self.appliances[at].rate.max(rate))
            .min_by(|&a, &b| far(a).total_cmp(&far(b)))
    }

    fn largest(&self) -> Option<usize> {
        (0..ON)
            .filter(|&i| self.on[i].rate > 0.0)
            .max_by(|&a, &b| self.on[a].rate.total_cmp(&self.on[b].rate))
    }

    /// What is believed to be on adds up to this, m³/h.
    pub fn believed(&self) -> f32 {
        self.on.iter().map(|on| on.rate).sum()
    }

    /// What all known appliances take together, m³/h.
    pub fn load(&self) -> f32 {
        self.appliances.iter().filter(|a| a.dwell.seen >= KNOWN).map(|a| a.rate).sum()
    }
}

crate::state::state!(Appliance { rate, dwell });
crate::state::state!(On { rate, lit, since_ns });
crate::state::state!(Register { appliances, on });

#[cfg(test)]
mod tests {
    use super::*;

    fn step(register: &mut Register, at_s: u64, from: f32, to: f32) {
        register.step(&Step { at_ns: at_s * SECOND_NS, from, to });
    }

    /// A boiler of 2 m³/h for 20 minutes with a burner of 0.2 for 10 inside, `n` times.
    fn home(n: u64) -> Register {
        let mut register = Register::default();
        for day in 0..n {
            let t = day * 86_400;
            step(&mut register, t, 0.0, 2.0);
            step(&mut register, t + 300, 2.0, 2.2);
            step(&mut register, t + 900, 2.2, 2.0);
            step(&mut register, t + 1200, 2.0, 0.0);
            step(&mut register, t + 30_000, 0.0, 0.2);
            step(&mut register, t + 30_600, 0.2, 0.0);
        }
        register
    }

    #[test]
    fn appliances_are_told_apart_by_their_rates() {
        let register = home(30);
        assert!((register.load() - 2.2).abs() < 0.05, "{}", register.load());
        assert_eq!(register.believed(), 0.0);
        let mut seen: Vec<(f32, f32)> = register
            .appliances
            .iter()
            .filter(|a| a.dwell.seen > 0)
            .map(|a| (a.rate, a.dwell.longest))
            .collect();
        seen.sort_by(|a, b| a.0.total_cmp(&b.0));
        assert_eq!(seen.len(), 2, "{seen:?}");
        assert_eq!((seen[0].1, seen[1].1), (600.0, 1200.0));
    }

    #[test]
    fn a_boiler_that_modulates_is_one_appliance() {
        let mut register = home(30);
        let t = 40 * 86_400;
        step(&mut register, t, 0.0, 2.0);
        for (i, to) in [1.8, 1.5, 1.25, 1.5, 1.8].into_iter().enumerate() {
            step(&mut register, t + 100 * (i as u64 + 1), 0.0, to);
        }
        assert_eq!(register.on.iter().filter(|on| on.rate > 0.0).count(), 1);
        assert!((register.believed() - 1.8).abs() < 1e-3);
    }

    #[test]
    fn the_sum_is_always_the_flow() {
        let mut register = Register::default();
        let mut flow = 0.0_f32;
        let mut seed = 7_u32;
        for t in 0..10_000 {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let to = if seed >> 29 == 0 { 0.0 } else { (seed >> 16) as f32 / 65_536.0 * 5.0 };
            step(&mut register, t * 60, flow, to);
            flow = to;
            let off = (register.believed() - flow).abs();
            assert!(off < 0.02 + HIDDEN * 5.0, "{t}: {} {flow}", register.believed());
        }
    }
}
