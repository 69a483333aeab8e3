// SPDX-License-Identifier: MIT OR Apache-2.0
//! A diaphragm meter with a contact: volume in, pulses out, with the flaws of both.
//!
//! - Intervals at steady flow are not equal: the contact closes a little early or late, and the meter
//!   runs unevenly within a revolution of its cyclic volume (1.2 L; 0.6–4 L by size and maker).
//! - Some pulses get lost, some bounces get through the filter, and a few times a year a stray
//!   comes from nowhere.

use core::f64::consts::TAU;

use super::calendar::DAY_NS;
use super::flow::{Flow, Step};
use crate::leak::Leak;
use crate::random::splitmix::{Rng, STEP, bell, mix, unit};

/// Litres that pass in a revolution of the measuring unit.
const CYCLIC_L: f64 = 1.2;
/// Litres in a nanosecond at 1 µL/h.
const L_PER_NS: f64 = 1e-6 / 3.6e12;

/// What a meter is and how well it works.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Meter {
    /// Volume of a pulse, L.
    pub pulse_l: f64,
    /// Largest flow that it is made for, m³/h.
    pub max_m3_per_h: f64,
    /// Deviation of the place where the contact closes, as a share of a pulse.
    pub jitter: f64,
    /// Deviation of the rate within a revolution, as a share of it.
    pub cyclic: f64,
    /// Chance that a pulse is lost.
    pub lost: f64,
    /// Chance that a pulse brings a bounce that counts.
    pub bounced: f64,
    /// Pulses from nowhere, a day.
    pub strays: f64,
    /// What its flaws are drawn from.
    pub seed: u64,
}

impl Meter {
    /// A meter for a home whose appliances can take `load` m³/h together: the smallest of G2.5, G4
    /// and G6 (4, 6 and 10 m³/h) that 85 % of it fits into, since not all burn at once.
    pub fn draw(rng: &mut Rng, load: f64, weights: [f64; 3]) -> Self {
        let mut pick = rng.unit() * weights.iter().sum::<f64>();
        let mut pulse_l = 10.0;
        for (weight, volume) in weights.into_iter().zip([10.0, 1.0, 0.1]) {
            pulse_l = volume;
            pick -= weight;
            if pick < 0.0 {
                break;
            }
        }
        let most = load * 0.85;
        Self {
            pulse_l,
            max_m3_per_h: if most > 6.0 {
                10.0
            } else if most > 4.0 || rng.chance(0.4) {
                6.0
            } else {
                4.0
            },
            jitter: rng.log_range(0.004, 0.05),
            cyclic: rng.range(0.005, 0.04),
            lost: rng.log_range(1e-6, 1e-4),
            bounced: rng.log_range(1e-6, 1e-4),
            strays: rng.range(0.0, 4.0) / 365.0,
            seed: rng.bits(),
        }
    }

    /// One without flaws.
    #[must_use]
    pub const fn ideal(pulse_l: f64, max_m3_per_h: f64) -> Self {
        Self {
            pulse_l,
            max_m3_per_h,
            jitter: 0.0,
            cyclic: 0.0,
            lost: 0.0,
            bounced: 0.0,
            strays: 0.0,
            seed: 0,
        }
    }

    /// The volume at which pulse `k` comes, L since the meter was made. A function of `k` alone, so
    /// that it does not matter where a run begins.
    fn volume_l(&self, k: u64) -> f64 {
        let bits = mix(self.seed ^ k.wrapping_mul(STEP));
        let nominal = (k as f64 + unit(self.seed)) * self.pulse_l;
        let contact = (bell(bits) * self.jitter).clamp(-0.3, 0.3) * self.pulse_l;
        // A rate that swings by √2·a over a revolution has the deviation a and this integral.
        let swing = self.cyclic * core::f64::consts::SQRT_2 * CYCLIC_L / TAU;
        nominal + contact + swing * wave((nominal / CYCLIC_L).fract())
    }

    /// How long after the one before stray `i` comes, ns.
    fn stray_wait_ns(&self, i: u64) -> u64 {
        let wait = -(1.0 - unit(mix(self.seed ^ mix(i ^ 0x57a4)))).ln() / self.strays;
        // None: the quotient is infinite, and the cast stays at the largest number.
        (wait * DAY_NS as f64) as u64
    }
}

/// A sine over [0, 1) as two parabolas, within 0.06 of it. It is one a pulse, and no meter's error is
/// a sine to the third digit.
fn wave(x: f64) -> f64 {
    let half = |x: f64| 16.0 * x * (0.5 - x);
    if x < 0.5 { half(x) } else { -half(x - 0.5) }
}

/// The pulses of a flow, in order of time; constant memory. A copy goes on from where it was taken.
#[derive(Clone, Debug)]
pub struct Pulses<F> {
    flow: F,
    leak: Option<Leak>,
    meter: Meter,
    base: Step,
    leaking: i64,
    /// The last change of flow, and the volume that had passed by then.
    t_ns: u64,
    volume_l: f64,
    k: u64,
    threshold_l: f64,
    bounce_ns: u64,
    strays: u64,
    stray_ns: u64,
    last_ns: u64,
}

impl<F: Flow> Pulses<F> {
    /// The pulses that `meter` makes of `flow`.
    #[must_use]
    pub fn new(flow: F, meter: Meter) -> Self {
        Self {
            flow,
            leak: None,
            meter,
            base: Step { t_ns: 0, ul_per_h: 0 },
            leaking: 0,
            t_ns: 0,
            volume_l: 0.0,
            k: 0,
            threshold_l: meter.volume_l(0).max(0.0),
            bounce_ns: u64::MAX,
            strays: 0,
            stray_ns: meter.stray_wait_ns(0),
            last_ns: 0,
        }
    }

    /// Adds a leak that begins after everything that was asked for so far.
    pub fn inject(&mut self, leak: Leak) {
        self.leak = Some(leak);
    }

    /// The flow, to be changed from now on.
    pub fn flow_mut(&mut self) -> &mut F {
        &mut self.flow
    }

    /// The next pulse if it comes before `limit_ns`.
    pub fn next_before(&mut self, limit_ns: u64) -> Option<u64> {
        loop {
            let turn_ns = self.turn(limit_ns);
            let other_ns = self.bounce_ns.min(self.stray_ns);
            if turn_ns.min(other_ns) >= limit_ns {
                return None;
            }
            if other_ns < turn_ns {
                if self.bounce_ns <= self.stray_ns {
                    self.bounce_ns = u64::MAX;
                } else {
                    self.next_stray();
                }
                return Some(self.say(other_ns));
            }
            if let Some(t_ns) = self.turned(turn_ns) {
                return Some(self.say(t_ns));
            }
        }
    }

    /// Goes on to `t_ns` without saying the pulses before it.
    pub fn skip_to(&mut self, t_ns: u64) {
        while self.next_before(t_ns).is_some() {}
    }

    /// When the meter's next pulse comes, with every change of flow before that (and before
    /// `limit_ns`) gone past.
    fn turn(&mut self, limit_ns: u64) -> u64 {
        loop {
            let next_leak = self.leak.as_ref().map_or(Step::NEVER, Leak::peek);
            let next = self.flow.peek();
            let change_ns = next.t_ns.min(next_leak.t_ns);
            let flow = self.base.ul_per_h + self.leaking;
            let turn_ns = if flow > 0 {
                let wait = (self.threshold_l - self.volume_l).max(0.0) / (flow as f64 * L_PER_NS);
                self.t_ns.saturating_add(wait as u64)
            } else {
                u64::MAX
            };
            if turn_ns < change_ns || change_ns >= limit_ns {
                return turn_ns;
            }
            self.volume_l += flow as f64 * L_PER_NS * (change_ns - self.t_ns) as f64;
            self.t_ns = change_ns;
            if next.t_ns == change_ns {
                self.base = next;
                self.flow.advance();
            }
            if next_leak.t_ns == change_ns
                && let Some(leak) = &mut self.leak
            {
                self.leaking = next_leak.ul_per_h;
                leak.advance();
            }
        }
    }

    /// The meter has turned by a pulse at `t_ns`; it may be lost, and may bounce.
    fn turned(&mut self, t_ns: u64) -> Option<u64> {
        let bits = mix(self.meter.seed ^ mix(self.k));
        self.k += 1;
        self.threshold_l = self.meter.volume_l(self.k).max(self.threshold_l);
        let luck = unit(bits);
        if luck < self.meter.lost {
            return None;
        }
        if luck > 1.0 - self.meter.bounced {
            // A bounce that the filter lets through comes late: 20–220 ms.
            self.bounce_ns = t_ns + 20_000_000 + mix(bits) % 200_000_000;
        }
        Some(t_ns)
    }

    fn next_stray(&mut self) {
        self.strays += 1;
        self.stray_ns = self.stray_ns.saturating_add(self.meter.stray_wait_ns(self.strays));
    }

    fn say(&mut self, t_ns: u64) -> u64 {
        self.last_ns = t_ns.max(self.last_ns);
        self.last_ns
    }
}
