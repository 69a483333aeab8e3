// SPDX-License-Identifier: MIT OR Apache-2.0
//! The base flow: what flows when nobody uses gas. A leak smaller than any appliance shows only there.
//!
//! Gas that never rests bounds every gap between pulses by V/q. So the longest gap of half a day
//! tells the base flow from above, whatever was cooked meanwhile. Four blocks of twelve hours, six
//! hours apart, each give one gap a day, which is taken as an interval of the renewal process with the
//! regularity that was learned, and judged by an e-detector of its own; the four are averaged, which keeps
//! the guarantee. A day is enough where the home has an hour without gas, a few where a pilot flame burns.
//!
//! **A cold day has shorter gaps**, so gaps are compared among days alike: by the volume that passed
//! beyond what a flow of V/gap would explain. A leak adds nothing to that, heating does.
//!
//! **The reference never follows a leak.** It is the mean of the logarithm of the gaps; once a class of
//! days is known it may only fall towards less flow, or towards more by so little (one part in a
//! thousand a day) that a leak growing by 1 % a day outruns it.

use super::reference::Reference;
use crate::stat::Mixture;
use crate::units::{SECOND_NS, flow_m3_per_h};

/// Blocks, and how far apart they begin.
pub(crate) const BLOCKS: usize = 4;
const APART_S: u64 = 6 * 3600;
const BLOCK_S: u64 = 12 * 3600;
const DAY_S: u64 = 86_400;

/// Classes of days, by what passed beyond the base flow, L: up to each of these, and more.
pub(crate) const CLASSES: usize = 5;
const UP_TO_L: [f32; CLASSES - 1] = [60.0, 300.0, 1200.0, 4000.0];

/// Less base flow than this, m³/h, is not told from none: diaphragm meters
/// start to turn at 3 to 5 L/h. With pulses of a litre that is a gap of twelve minutes.
const FLOOR: f32 = 0.005;
/// Days of a class that are learned before one is judged.
pub(crate) const LEARN_DAYS: u32 = 10;
/// Days in all before anything is.
const WARM_DAYS: u32 = 21;
/// The most base flow that means between readings tell, m³/h: pilots take no more, and a heated day is one that is alike to
/// heated days, and not to days on which so much flows when nobody uses gas.
const MEANS_M3_PER_H: f32 = 0.06;
/// Regularity that is believed of the gaps at most: of those that end at [`FLOOR`], which look more regular than
/// they are, and of those that a base flow ends, which are as regular as the meter turns.
const SHAPE_FLOOR: f32 = 25.0;
const SHAPE_BASE: f32 = 100.0;
/// A base flow ends gaps if they are usually shorter than this part of the longest that is told from none.
const ENDED: f32 = 0.8;
/// A gap of this part of the longest that is usual ends whatever was more than the base flow: a leak never rests.
const RESTED: f32 = 0.8;
/// Each time that happened it takes so many times the evidence, up to so often: nights are odd in this home.
const ODD: f32 = 100.0;
const ODD_MOST: u8 = 3;
/// Logarithm of what one block can prove at most. That is as much as is asked for, so that a leak is told within a day where
/// gaps were always alike; where they were not, a day on which guests stayed up is not enough by itself.
const MOST_A_DAY: f32 = 9.0;

/// How finely gas is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Grain {
    /// Volume of a pulse, µL.
    pub pulse_ul: u64,
    /// A gap is seen longer than it was by up to this, ns.
    pub poll_ns: u64,
    /// What a gap's end is known to, ns: the usual gap is taken to be shorter by so much.
    pub blur_ns: u64,
}

impl Grain {
    /// Longest gap that is told from none, s. Gaps are seen longer than they are, and this one with them: against the
    /// bare one a leak's would prove too little in a block.
    fn longest_s(self) -> f32 {
        let (litres, poll_s) = (self.pulse_ul as f32 * 1e-6, self.poll_ns as f32 / SECOND_NS as f32);
        (litres * 3.6 / FLOOR).max(60.0) + poll_s
    }

    /// Whether a base flow ends gaps that are usually so long, s.
    fn ends(self, usual_s: f32) -> bool {
        usual_s < ENDED * self.longest_s()
    }
}

/// One block of the day.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Block {
    /// What is usual, by class.
    pub references: [Reference; CLASSES],
    /// The longest gap of the block under way, s; negative if it was not seen from its beginning.
    pub gap_s: f32,
    /// Pulses in it.
    pub pulses: u32,
    /// What is believed.
    pub mixture: Mixture,
    /// The gap that was judged last, s, and what it was held against.
    pub judged_s: f32,
    /// See `judged_s`.
    pub held_to_s: f32,
    /// Gaps that were judged since nothing spoke for more flow.
    pub rising: u16,
}

/// The base flow of one meter.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Base {
    pub blocks: [Block; BLOCKS],
    /// The last pulse, ns, or since when none came.
    pub last_ns: Option<u64>,
    /// Civil second up to which time was worked off, and a day.
    pub civil_s: u64,
    /// Blocks that ended.
    pub ended: u32,
    /// The longest usual gap, s; 0 before one is learned.
    pub usual_s: f32,
    /// More base flow was told and has not rested since.
    pub open: bool,
    /// How often it was told and rested.
    pub odd: u8,
    /// What was told is a leak, a person said. Stored apart, since states before version 6 have none.
    pub leaks: bool,
}

/// What the gaps say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rise {
    /// The statistic, s.
    pub process: f32,
    /// Base flow that was learned and the one now, at most, m³/h.
    pub before: f32,
    /// See `before`.
    pub now: f32,
    /// None is known: what was learned is less than can be told from none.
    pub rests: bool,
    /// Days for which it has risen.
    pub days: u16,
}

impl Base {
    /// A pulse at `t_ns`, civil time `civil_s`.
    pub fn pulse(&mut self, t_ns: u64, civil_s: u64, grain: Grain) -> Option<Rise> {
        let gap_s = self.last_ns.map(|last| t_ns.saturating_sub(last) as f32 / SECOND_NS as f32);
        self.last_ns = Some(t_ns);
        let rise = self.advance(civil_s, gap_s.unwrap_or(0.0), grain);
        for block in &mut self.blocks {
            block.pulses = block.pulses.saturating_add(1);
        }
        rise
    }

    /// Time has come to `now_ns`, civil `civil_s`; the gap since the last pulse goes on.
    pub fn tick(&mut self, now_ns: u64, civil_s: u64, grain: Grain) -> Option<Rise> {
        // Before the first pulse it is watched from now on.
        let last_ns = *self.last_ns.get_or_insert(now_ns);
        let gap_s = now_ns.saturating_sub(last_ns) as f32 / SECOND_NS as f32;
        self.advance(civil_s, gap_s, grain)
    }

    /// Pulses were lost, the last of them by `at_ns` (0: nobody knows): the blocks under way say nothing. A silence that
    /// follows is one from then on.
    pub fn forget(&mut self, at_ns: u64) {
        self.last_ns = Some(at_ns).filter(|at| *at != 0);
        // Nor does the block into which the time leaps that nobody watched.
        self.civil_s = 0;
        for block in &mut self.blocks {
            block.gap_s = -1.0;
        }
    }

    fn advance(&mut self, civil_s: u64, gap_s: f32, grain: Grain) -> Option<Rise> {
        // A day later than it is, so that the first block of 1970, where a clock without a battery begins,
        // does not begin before 0. Zero is no time yet.
        let civil_s = if civil_s == 0 { 0 } else { civil_s.saturating_add(DAY_S) };
        let before_s = core::mem::replace(&mut self.civil_s, civil_s);
        // Most pulses and ticks lengthen no gap and end no block.
        let hours_alike = before_s / APART_S == civil_s / APART_S;
        if hours_alike && self.blocks.iter().all(|block| gap_s <= block.gap_s || block.gap_s < 0.0) {
            return None;
        }
        // The first call, a clock that went back or leapt by more than a day: blocks begin anew.
        if before_s == 0 || civil_s < before_s || civil_s - before_s > DAY_S {
            for block in &mut self.blocks {
                block.gap_s = -1.0;
            }
            return None;
        }
        let (mut judged, mut rested) = (false, false);
        for (i, block) in self.blocks.iter_mut().enumerate() {
            let first = i as u64 * APART_S;
            // The block that a second lies in, as its first second.
            let of = |s: u64| {
                let begin = s.checked_sub(first)? / DAY_S * DAY_S + first;
                (s < begin + BLOCK_S).then_some(begin)
            };
            let part = |begin: u64| {
                let from = civil_s.saturating_sub(gap_s as u64).max(begin);
                civil_s.min(begin + BLOCK_S).saturating_sub(from) as f32
            };
            let (old, new) = (of(before_s), of(civil_s));
            if let Some(begin) = old
                && block.gap_s >= 0.0
            {
                block.gap_s = block.gap_s.max(part(begin).min(gap_s));
            }
            if old != new {
                if old.is_some() && block.gap_s > 0.0 {
                    self.ended = self.ended.saturating_add(1);
                    let gap_s = block.gap_s;
                    rested |= self.usual_s > 0.0 && gap_s >= RESTED * self.usual_s;
                    judged |= block.end(grain, self.ended >= WARM_DAYS * BLOCKS as u32);
                }
                block.gap_s = new.map_or(-1.0, |begin| part(begin).min(gap_s));
                block.pulses = 0;
            }
        }
        if rested {
            // Whatever flowed before has ended, and is held against nothing that comes.
            self.drop_evidence();
            if core::mem::take(&mut self.open) && !core::mem::take(&mut self.leaks) {
                self.odd = self.odd.saturating_add(1).min(ODD_MOST);
            }
        }
        if judged {
            self.usual_s = self.usual();
        }
        judged.then(|| self.rise(grain))
    }

    fn rise(&self, grain: Grain) -> Rise {
        let process = self.blocks.iter().map(|b| b.mixture.seconds()).sum::<f32>() / BLOCKS as f32;
        let worst = self.blocks.iter().max_by(|a, b| a.mixture.seconds().total_cmp(&b.mixture.seconds()));
        let (now_s, held_to_s) = worst.map_or((0.0, 0.0), |b| (b.judged_s, b.held_to_s));
        let flow = |s: f32| flow_m3_per_h(grain.pulse_ul as f64, (s * SECOND_NS as f32) as u64) as f32;
        let days = worst.map_or(0, |b| b.rising);
        Rise { process, before: flow(held_to_s), now: flow(now_s), rests: !grain.ends(held_to_s), days }
    }

    /// The longest usual gap, s, once it is learned.
    pub fn longest_gap_s(&self) -> Option<f32> {
        (self.usual_s > 0.0).then_some(self.usual_s)
    }

    /// The longest usual gap, s, where a base flow ends it: a home that never rests for longer.
    pub fn ended_gap_s(&self, grain: Grain) -> Option<f32> {
        self.longest_gap_s().filter(|s| grain.ends(*s))
    }

    fn usual(&self) -> f32 {
        let all = self.blocks.iter().flat_map(|block| &block.references);
        let longest = all.filter(|r| r.days >= LEARN_DAYS).map(|r| r.log_gap).fold(0.0, f32::max);
        if longest > 0.0 { longest.exp() } else { 0.0 }
    }

    /// The base flow that was learned, m³/h; 0 before.
    pub fn flow(&self, pulse_ul: u64) -> f32 {
        let gap = self.longest_gap_s();
        gap.map_or(0.0, |s| flow_m3_per_h(pulse_ul as f64, (s * SECOND_NS as f32) as u64) as f32)
    }

    /// The base flow is what it is: learns anew, after a person said that it is all right.
    pub fn relearn(&mut self) {
        self.blocks = [Block { gap_s: -1.0, ..Block::default() }; BLOCKS];
        self.ended = 0;
        self.usual_s = 0.0;
        self.open = false;
        self.odd = 0;
    }

    /// Nothing is held against the gas any more, after it was said.
    pub fn calm(&mut self) {
        self.drop_evidence();
        self.open = true;
    }

    /// Nothing that has flowed is held against the gas.
    pub fn drop_evidence(&mut self) {
        self.blocks.iter_mut().for_each(|block| block.mixture.reset());
    }

    /// What was told was a leak, a person said: nights are not odd here for it.
    pub const fn leaked(&mut self) {
        (self.odd, self.leaks) = (0, self.open);
    }

    /// How many times the usual evidence it takes.
    pub fn doubt(&self) -> f32 {
        ODD.powi(i32::from(self.odd))
    }

    /// Whether enough days were seen.
    pub fn learned(&self) -> bool {
        self.ended >= WARM_DAYS * BLOCKS as u32
    }
}

impl Block {
    /// The block ended. Returns whether it was judged.
    fn end(&mut self, grain: Grain, warm: bool) -> bool {
        let (whole, gap) = (self.gap_s.max(1.0), self.gap_s.max(1.0).min(grain.longest_s()));
        let log = gap.ln();
        let (least, class) = self.classes(whole, grain);
        let known = |reference: &Reference| warm && reference.days >= LEARN_DAYS;
        // A day of a kind that is not known yet is held against the nearest kind that is, and learned beside that: of days
        // on which more flows first those that it may be one of, and then any, since gaps are shorter on those. So a leak
        // that begins while nobody is at home is held against the days on which somebody was.
        let is_known = |class: &usize| self.references.get(*class).is_some_and(known);
        let judged = (least..=class).rev().find(is_known).or_else(|| (class + 1..CLASSES).find(is_known));
        let reference = &mut self.references[class];
        let own = known(reference);
        reference.days = reference.days.saturating_add(1);
        if !own {
            reference.learn(log);
        }
        let Some(judged) = judged else { return false };
        let reference = &mut self.references[judged];
        // The mean of the gaps is above exp(mean of the logarithms); a shorter mean is the safe side. Where every gap
        // ends on the hour all seem alike, and one that is an hour shorter would be out of the question.
        let blur_s = grain.blur_ns as f32 / SECOND_NS as f32;
        let mean_s = (reference.log_gap.exp() - blur_s).max(1.0);
        let most = if grain.ends(mean_s) { SHAPE_BASE } else { SHAPE_FLOOR };
        let shape = (0.7 / reference.spread.max(1e-3)).clamp(1.0, most);
        if self.mixture.seconds() < DAY_S as f32 {
            self.rising = 0;
        }
        self.mixture.step_with(gap, mean_s.recip(), shape, DAY_S as f32, MOST_A_DAY);
        (self.judged_s, self.held_to_s, self.rising) = (gap, mean_s, self.rising.saturating_add(1));
        if own {
            reference.follow(log);
        }
        true
    }

    /// The kind of day of a block whose longest gap was `whole_s`: as if all that a flow without that gap explains were a base
    /// flow, and as it is taken.
    fn classes(&self, whole_s: f32, grain: Grain) -> (usize, usize) {
        let pulse_l = grain.pulse_ul as f32 * 1e-6;
        let class = |explains_s: f32| {
            let beyond = pulse_l * (self.pulses as f32 - BLOCK_S as f32 / explains_s).max(0.0);
            UP_TO_L.iter().position(|up_to| beyond <= *up_to).unwrap_or(CLASSES - 1)
        };
        let least = class(whole_s);
        // Between two readings a mean hides the rests of a boiler.
        let means_s = pulse_l * 3.6 / MEANS_M3_PER_H;
        (least, if grain.blur_ns > 0 { class(whole_s.max(means_s)) } else { least })
    }
}

crate::state::state!(Block { references, gap_s, pulses, mixture, judged_s, held_to_s, rising });
crate::state::state!(Base { blocks, last_ns, civil_s, ended, usual_s, open, odd } beside { leaks });

#[cfg(test)]
#[path = "base_tests.rs"]
mod tests;
