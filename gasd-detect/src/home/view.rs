// SPDX-License-Identifier: MIT OR Apache-2.0
//! The home as the learned model sees it: numbers that are there anyway, nothing is learned for them.

use super::levels::flow_of;
use super::register::{APPLIANCES, Appliance, On};
use super::{Home, LOAD_DAYS, Limits, TELL_UL};
use crate::learned::features::{FEATURES, View, log_flow};
use crate::units::SECOND_NS;

/// A rate is explained by an appliance that was seen so often and is within this part of it.
const KNOWN: u32 = 5;
const SAME: f32 = 0.15;
/// Smaller entries of the register, m³/h, are what is left over of larger ones.
const TOLD: f32 = 0.07;
/// No feature is further from 0.
const MOST: f32 = 4.0;

impl Home {
    /// How things are at `t_ns`, civil second `civil_s`.
    pub fn view(&self, t_ns: u64, civil_s: u64, limits: &Limits<'_>) -> View {
        let flow = self.steps.flow();
        let base = self.base.flow(limits.pulse_ul);
        let eldest = self.eldest();
        let appliance = eldest.and_then(|on| self.nearest(on.lit));
        let on_s = eldest.map_or(0.0, |on| seconds(on.since_ns, t_ns));
        let hour = (civil_s / 3600 % 24) as usize;
        let angle = (civil_s % 86_400) as f32 / 86_400.0 * core::f32::consts::TAU;
        let days = self.hours.days.max(1.0);
        let beside = self.hours.used[(hour + 23) % 24] + self.hours.used[(hour + 1) % 24];
        let (appliance_part, steady_s) = self.steady_part(limits);
        let (band_part, hour_part) = (self.band_part(t_ns, limits), self.hour_part(t_ns));
        let mut features: [f32; FEATURES] = [
            log_flow(flow),
            self.unexplained(),
            appliance_part,
            band_part,
            hour_part,
            angle.sin(),
            angle.cos(),
            self.hours.used[hour] / days,
            beside / days,
            log_flow(base) - log_flow(flow),
            (steady_s / 3600.0).ln_1p(),
            0.0,
            0.0,
            eldest.map_or(0.0, |on| on.rate / flow.max(0.005)),
            eldest.map_or(1.0, |on| appliance.map_or(1.0, |a| mismatch(a, on.lit))),
            appliance.map_or(0.0, |a| (a.dwell.seen as f32).ln_1p() / 7.0),
            appliance.map_or(0.0, |a| deviation(a, on_s)),
            flow / self.load.peak.max(0.1),
            (limits.pulse_ul as f32 * 1e-6).max(1e-6).ln(),
            0.0,
            0.0,
        ];
        for x in &mut features {
            // A damaged state may hold what is no number; the model is told nothing then.
            *x = if x.is_finite() { x.clamp(-MOST, MOST) } else { 0.0 };
        }
        let part = appliance_part.max(band_part).max(hour_part);
        View { features, flow, part, known: limits.rules.learns && self.knows_load() }
    }

    /// What has been on for the longest, of what is large enough to be told.
    fn eldest(&self) -> Option<&On> {
        self.register.on.iter().filter(|on| on.rate >= TOLD).min_by_key(|on| on.since_ns)
    }

    /// The appliance whose rate is next to `rate` (m³/h).
    fn nearest(&self, rate: f32) -> Option<&Appliance> {
        let known = self.register.appliances[..APPLIANCES].iter().filter(|a| a.dwell.seen >= KNOWN);
        known.min_by(|a, b| (a.rate - rate).abs().total_cmp(&(b.rate - rate).abs()))
    }

    /// Part of what is on that no known appliance takes.
    fn unexplained(&self) -> f32 {
        let on = self.register.on.iter().filter(|on| on.rate > 0.0);
        let strange = |on: &&On| self.nearest(on.lit).is_none_or(|a| mismatch(a, on.lit) > SAME);
        on.filter(strange).map(|on| on.rate).sum::<f32>() / self.register.believed().max(0.005)
    }

    /// See [`View::part`]: of a flame that stays for too long, and for how long it has, s.
    fn steady_part(&self, limits: &Limits<'_>) -> (f32, f32) {
        if self.hours.days < LOAD_DAYS {
            return (0.0, 0.0);
        }
        self.steady.nearest(self.least_rate(limits), self.hours.days)
    }

    /// See [`View::part`]: of a flow that lasts too long.
    fn band_part(&self, t_ns: u64, limits: &Limits<'_>) -> f32 {
        let least = self.least_band(limits);
        let on = self.levels.levels.iter().enumerate().filter(|(i, level)| {
            level.since_ns != 0 && self.levels.said & (1 << i) == 0 && flow_of(*i) >= least
        });
        let part = |(i, level): (usize, &super::levels::Level)| {
            let learned = level.dwell.allowed().filter(|_| limits.rules.learns).unwrap_or(0.0);
            seconds(level.since_ns, t_ns) / learned.max(limits.rules.use_time(flow_of(i)))
        };
        on.map(part).fold(0.0, f32::max)
    }

    /// See [`View::part`]: of a use in a quiet hour.
    fn hour_part(&self, t_ns: u64) -> f32 {
        let ended = seconds(self.hours.run_seen_ns, t_ns) > 600.0;
        if self.hours.said || ended || !self.oddity.hour_is_quiet() {
            0.0
        } else {
            self.hours.run_ul / TELL_UL as f32
        }
    }
}

fn seconds(since_ns: u64, now_ns: u64) -> f32 {
    now_ns.saturating_sub(since_ns) as f32 / SECOND_NS as f32
}

fn mismatch(appliance: &Appliance, rate: f32) -> f32 {
    (appliance.rate - rate).abs() / appliance.rate.max(rate).max(1e-3)
}

/// By how many of its deviations `on_s` seconds are longer than it is usually on, a quarter of it.
fn deviation(appliance: &Appliance, on_s: f32) -> f32 {
    let dwell = &appliance.dwell;
    let n = dwell.seen.clamp(2, 1000) as f32;
    let sigma = (dwell.spread / (n - 1.0)).max(0.0625).sqrt();
    (on_s.max(1.0).ln() - dwell.mean) / sigma / 4.0
}
