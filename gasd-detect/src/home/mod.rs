// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the home is used to: its appliances, its hours, its base flow; and flow that none of it
//! explains.

mod base;
mod cell;
mod dwell;
mod flows;
mod hours;
mod levels;
mod limits;
mod load;
mod lost;
mod oddity;
mod reference;
mod register;
mod rest;
mod restless;
mod runs;
mod steady;
mod steps;
mod view;

pub(crate) use self::{
    base::Rise,
    hours::Unusual,
    levels::TooLong,
    limits::Limits,
    load::Excess,
    register::{ON, On},
    rest::Restless,
    runs::Run,
    steady::Stays,
    steps::Step,
};

use self::{
    base::Base,
    cell::{Cell, Gather},
    hours::{Hours, TELL_UL, TOLD, TOLD_MEANS},
    levels::Levels,
    load::Load,
    oddity::Oddity,
    register::Register,
    rest::Rest,
    runs::Runs,
    steady::Steady,
    steps::Steps,
};
use crate::sensitivity::{Sensitivity, Topic};
use crate::units::{SECOND_NS, flow_m3_per_h};

/// The flow counts as ended after so many times the time that the next pulse was due in.
const OVERDUE: f32 = 2.5;
/// And not before this, ns.
const LEAST_STOP_NS: u64 = 20 * SECOND_NS;
/// Where nothing tells the interval, ns.
const UNKNOWN_STOP_NS: u64 = 600 * SECOND_NS;
/// What lasts for hours is looked at so often, ns.
const LOOK_NS: u64 = 10 * SECOND_NS;
/// Pilot flames take no more together, m³/h: a burner of the cooker on its smallest flame takes half of it.
const PILOT_M3_PER_H: f32 = 0.07;
/// Times the largest flow of the meter that no home passes through it.
const IMPLAUSIBLE: f32 = 2.5;
/// Days after which the connected load is believed.
const LOAD_DAYS: f32 = 28.0;

/// What the home does not explain.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Unexplained {
    /// More than all appliances take together, and the plateau, m³/h: it follows later, so it is the flow before.
    Excess(Excess, f32),
    /// A flame that stays as it is for longer than ever.
    Appliance(Stays),
    /// A flow that lasts longer than ever.
    TooLong(TooLong),
    /// Gas at an hour at which the home hardly ever uses any, the volume that is told, µL, and the flow now, m³/h.
    Hour(Unusual, f32, f32),
    /// More base flow than there was, and what its statistic had to reach, s.
    Base(Rise, f32),
    /// One step up by more than an appliance takes, this limit in m³/h.
    Increase(Step, f32),
    /// Never at rest, or never moving.
    Rest(Restless),
    /// No pause for most of a day.
    Run(Run),
}

/// One home.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Home {
    gather: Gather,
    steps: Steps,
    register: Register,
    levels: Levels,
    steady: Steady,
    hours: Hours,
    /// Its answer of a person is stored apart, since states before version 6 have none.
    pub base: Base,
    load: Load,
    rest: Rest,
    last_ns: Option<u64>,
    /// Pulses were lost then, ns, and none came since: a use under way goes on only if the next one is not overdue;
    /// 0: none were.
    lost_ns: u64,
    /// The flow has been what it is since then, ns.
    since_ns: u64,
    base_said_ns: u64,
    /// The last step up that was not learned yet, m³/h.
    rose: f32,
    /// What lasts was looked at last, ns; [`u64::MAX`]: not since the clock is another one.
    looked_ns: u64,
    /// The envelope, m³/h, as of the last cell; 0 before.
    envelope: f32,
    /// What people said of verdicts.
    pub sensitivity: Sensitivity,
    /// The use under way; stored apart, since states of version 3 have none.
    pub oddity: Oddity,
    /// Time without a pause; stored apart, since states before version 6 have none.
    pub runs: Runs,
}

impl Home {
    /// The state was stored before oddities were: of hours no more is known than when they had large uses.
    pub fn know_no_oddity(&mut self) {
        self.oddity = Oddity::default();
        self.oddity.any = self.hours.season;
    }

    /// A pulse at `t_ns`, civil second `civil_s`. `plausible`: the meter can turn as fast as since the last one;
    /// what it cannot is the sensor's fault and no evidence of flow.
    /// `say` is told of each thing that the home does not explain.
    pub fn pulse(
        &mut self,
        t_ns: u64,
        civil_s: u64,
        plausible: bool,
        limits: &Limits<'_>,
        say: &mut dyn FnMut(Unexplained),
    ) {
        self.time(t_ns, civil_s, limits, say);
        if !plausible {
            return;
        }
        // After a loss it is silent since then.
        let silent_ns = self.last_ns.or(self.base.last_ns).unwrap_or(t_ns);
        let before = self.last_ns.replace(t_ns);
        let rise = self.base.pulse(t_ns, civil_s, limits.grain());
        self.risen(rise, t_ns, limits, say);
        self.runs(silent_ns, t_ns, limits, say);
        self.lost_ns = 0;
        let Some(before) = before else {
            self.gather.pulse(t_ns, limits.pulse_ul);
            self.hours.seen(t_ns);
            return;
        };
        if self.envelope <= 0.0 {
            self.envelope = self.envelope(limits);
        }
        let learned = limits.rules.learns && self.knows_load();
        let times = if learned { self.sensitivity.times(Topic::Overload) } else { 1.0 };
        let held_to = (times, limits.total());
        if let Some(excess) = self.load.interval((before, t_ns), limits.pulse_ul, self.envelope, held_to) {
            say(Unexplained::Excess(excess, self.steps.flow()));
        }
        self.rests(before, t_ns, true, limits, say);
        // A pulse after a rest is gas of now: it took no longer than the flow that it begins.
        let began = before.max(t_ns.saturating_sub(REST_NS));
        // Before the base flow is known a pilot flame may be some of it, and would make all hours used ones.
        let beneath = self.base.longest_gap_s().map_or(PILOT_M3_PER_H, |_| self.base.flow(limits.pulse_ul));
        let tell_ul = TELL_UL * f64::from(limits.share * self.sensitivity.times(Topic::UnusualHour));
        let span = (began, t_ns);
        let told = if limits.sharp() { TOLD } else { TOLD_MEANS };
        let hour = self.hours.volume(limits.pulse_ul, span, beneath, (tell_ul, told), &mut self.oddity);
        if let Some(hour) = hour.filter(|_| limits.rules.learns) {
            say(Unexplained::Hour(hour, tell_ul as f32, self.steps.flow()));
        }
        if let Some(cell) = self.gather.pulse(t_ns, limits.pulse_ul) {
            self.cell(cell, limits, say);
        }
        self.lasts(t_ns, limits, say);
    }

    /// Time has come to `now_ns` without a pulse.
    pub fn tick(&mut self, now_ns: u64, civil_s: u64, limits: &Limits<'_>, say: &mut dyn FnMut(Unexplained)) {
        let rise = self.base.tick(now_ns, civil_s, limits.grain());
        self.time(now_ns, civil_s, limits, say);
        self.risen(rise, now_ns, limits, say);
        // After a loss it is silent since then.
        if let Some(last) = self.last_ns.or(self.base.last_ns) {
            self.rests(last, now_ns, false, limits, say);
        }
        self.lasts(now_ns, limits, say);
    }

    /// The base flow is all right as it is: a person said so.
    pub fn relearn_base(&mut self) {
        self.base.relearn();
        self.base_said_ns = 0;
        self.runs.learn(self.last_ns.unwrap_or_default());
    }

    /// When it wants to be told the time next, ns.
    pub fn due_ns(&self, now_ns: u64, limits: &Limits<'_>) -> u64 {
        let hourly = now_ns.saturating_add(900 * SECOND_NS);
        match self.last_ns {
            Some(last) if self.steps.flow() > 0.0 || self.gather.pulses > 0 => last
                .saturating_add(self.stop_after(limits.pulse_ul))
                .max(now_ns.saturating_add(SECOND_NS))
                .min(hourly),
            _ => hourly,
        }
    }

    /// Whether the home is known well enough to say what it takes together.
    pub fn knows_load(&self) -> bool {
        self.hours.days >= LOAD_DAYS && self.load.peak > 0.0
    }

    /// What all appliances take together with the margin, m³/h; the meter's own limit before that
    /// is known.
    pub fn envelope(&self, limits: &Limits<'_>) -> f32 {
        if limits.sharp() && limits.rules.learns && self.knows_load() {
            self.load.envelope(self.register.load(), limits.total())
        } else {
            limits.total()
        }
    }

    /// The time in which the next pulse is due while something flows, s.
    fn due_after(&self, pulse_ul: u64) -> Option<f32> {
        let flow = self.steps.flow();
        (flow > 0.0).then(|| pulse_ul as f32 * 3.6e-6 / flow)
    }

    fn stop_after(&self, pulse_ul: u64) -> u64 {
        let Some(due_s) = self.due_after(pulse_ul) else { return UNKNOWN_STOP_NS };
        ((due_s * OVERDUE * SECOND_NS as f32) as u64).max(LEAST_STOP_NS)
    }

    /// Ends a flow whose next pulse is overdue, and turns the hours.
    fn time(&mut self, now_ns: u64, civil_s: u64, limits: &Limits<'_>, say: &mut dyn FnMut(Unexplained)) {
        self.hours.advance(civil_s, now_ns.saturating_sub(self.looked_ns), &mut self.oddity);
        self.looked_ns = self.looked_ns.min(now_ns);
        let Some(last) = self.last_ns else {
            if self.lost_ns != 0 && now_ns.saturating_sub(self.lost_ns) >= self.stop_after(limits.pulse_ul) {
                self.lose_uses();
            }
            return;
        };
        let silent = now_ns.saturating_sub(last);
        if silent < self.stop_after(limits.pulse_ul) {
            return;
        }
        if let Some(cell) = self.gather.stop(limits.pulse_ul) {
            self.cell(cell, limits, say);
        }
        if let Some(step) = self.steps.stop(last) {
            self.register.step(&step);
        }
        self.gather.forget();
        // What may still flow is less than a pulse in the silence.
        let bound = flow_m3_per_h(limits.pulse_ul as f64, silent) as f32;
        let rest = bound.min(self.base.flow(limits.pulse_ul));
        self.levels.flow(rest, last, last);
        self.steady.flow(rest, 0.0);
    }

    fn cell(&mut self, cell: Cell, limits: &Limits<'_>, say: &mut dyn FnMut(Unexplained)) {
        let mut leapt = false;
        self.steady.flow(cell.flow(), cell.span_ns() as f32 / SECOND_NS as f32);
        if let Some(step) = self.steps.cell(cell) {
            self.register.step(&step);
            self.since_ns = step.at_ns;
            let most = limits.rules.increase_times * limits.max_flow;
            let known = limits.sharp() && limits.rules.learns && self.knows_load();
            let learned = self.load.leap(step.from, step.to).filter(|_| known);
            let leap = learned.or((step.to - step.from > most).then_some(most)).filter(|_| most > 0.0);
            // What a meter cannot pass is its sensor's fault.
            let plausible = step.to < IMPLAUSIBLE * limits.max_flow;
            if let Some(limit) = leap.filter(|_| plausible) {
                leapt = true;
                say(Unexplained::Increase(step, limit));
            }
            self.rose = step.to - step.from;
        }
        if self.steps.cells >= 2 {
            let flow = self.steps.flow();
            self.levels.flow(flow, self.since_ns, cell.end_ns);
            // Nothing above the meter's own limit is learned, nor while the load is exceeded.
            if flow <= limits.total() && !self.load.said && !leapt {
                self.load.learn(flow, core::mem::take(&mut self.rose));
            }
        }
        self.envelope = self.envelope(limits);
    }

    fn lasts(&mut self, now_ns: u64, limits: &Limits<'_>, say: &mut dyn FnMut(Unexplained)) {
        if now_ns.saturating_sub(self.looked_ns) < LOOK_NS {
            return;
        }
        self.looked_ns = now_ns;
        self.sensitivity.forget(now_ns);
        let times = limits.share * self.sensitivity.times_of_use(limits.rules);
        let table = |flow| limits.rules.use_time(flow);
        if limits.rules.learns
            && limits.sharp()
            && self.hours.days >= LOAD_DAYS
            && let Some(stays) = self.steady.too_long(self.least_rate(limits), self.hours.days, times)
        {
            say(Unexplained::Appliance(stays));
            return;
        }
        let least = self.least_band(limits);
        if let Some(too_long) = self.levels.too_long(least, now_ns, limits.rules.learns, times, table) {
            say(Unexplained::TooLong(too_long));
        }
    }

    /// Flames below this, m³/h, are the base flow's.
    fn least_rate(&self, limits: &Limits<'_>) -> f32 {
        1.3 * self.base.flow(limits.pulse_ul)
    }

    /// Bands below this, m³/h, are the base flow's.
    fn least_band(&self, limits: &Limits<'_>) -> f32 {
        if self.base.learned() { 1.6 * self.base.flow(limits.pulse_ul) } else { 0.1 }
    }

    /// What is believed to be on.
    pub fn on(&self) -> &[On; ON] {
        &self.register.on
    }

    /// The flow by the last cells, m³/h.
    pub fn flow(&self) -> f32 {
        self.steps.flow()
    }

    /// Days that were learned.
    pub fn days(&self) -> f32 {
        self.hours.days
    }
}

crate::state::state!(Home {
    gather,
    steps,
    register,
    levels,
    steady,
    hours,
    base,
    load,
    rest,
    last_ns,
    lost_ns,
    since_ns,
    base_said_ns,
    rose,
    looked_ns,
    envelope,
    sensitivity,
} beside { oddity, runs });

/// A use begins at most so long before its first pulse, ns.
const REST_NS: u64 = 600 * SECOND_NS;

const _: () = assert!(size_of::<Home>() <= 2472, "the home must fit beside the windows into 4 KiB");
