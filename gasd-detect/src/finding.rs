// SPDX-License-Identifier: MIT OR Apache-2.0
//! What was found, from whichever layer, in one form; and the few that wait to be said.

use crate::home::{Limits, Restless, Unexplained};
use crate::inputs::{Broken, Inputs, SPARE};
use crate::profile::Rules;
use crate::units::{SECOND_NS, flow_m3_per_h};
use crate::verdict::{Estimate, Kind, Process, Rule, Severity};
use crate::windows::episode::Finding;

/// A finding with the numbers that decided it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Found {
    pub finding: Finding,
    pub before: Estimate,
    pub after: Estimate,
    pub process: Process,
    /// Volume, µL, where it was measured and does not follow from the flows.
    pub released_ul: Option<u64>,
}

impl Found {
    /// One whose numbers are in the slopes.
    pub fn plain(finding: Finding) -> Self {
        Self {
            finding,
            before: Estimate::default(),
            after: Estimate::default(),
            process: Process::default(),
            released_ul: None,
        }
    }
}

/// Findings that wait: one is said a call, the gravest first.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Waiting([Option<Found>; 4]);

impl Waiting {
    /// Adds one. With all places taken the least grave is dropped: it was found beside four others.
    pub fn push(&mut self, found: Option<Found>) {
        let Some(mut new) = found else { return };
        for place in &mut self.0 {
            match place {
                None => {
                    *place = Some(new);
                    return;
                }
                Some(old) if new.finding.severity > old.finding.severity => core::mem::swap(old, &mut new),
                Some(_) => {}
            }
        }
    }

    /// Takes the gravest, of equals the first.
    pub fn pop(&mut self) -> Option<Found> {
        let found = self.0[0].take();
        self.0.rotate_left(1);
        found
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.0[0].is_none()
    }
}

/// A flow that is known within the error of a meter and of one pulse.
pub(crate) fn around(flow: f32) -> Estimate {
    Estimate { low: flow * 0.95, mid: flow, high: flow * 1.05 }
}

/// Less may flow, as uses cut gaps short.
const fn at_most(flow: f32) -> Estimate {
    Estimate { low: 0.0, mid: flow, high: flow }
}

fn seconds(value: f32, threshold: f32) -> Process {
    Process { value, threshold, unit: "s" }
}

fn since(t_ns: u64, now_ns: u64) -> f32 {
    now_ns.saturating_sub(t_ns) as f32 / SECOND_NS as f32
}

/// What the home does not explain, found at `now_ns`. `known`: the home is.
pub(crate) fn by_home(unexplained: &Unexplained, limits: &Limits<'_>, known: bool, now_ns: u64) -> Found {
    let closes = if limits.rules.use_time_closes { Severity::Critical } else { Severity::Warning };
    let new = |kind, severity, rule, t_ns| Found::plain(Finding { kind, severity, rule, t_ns });
    match *unexplained {
        Unexplained::Excess(e, plateau) => {
            let before = if plateau < e.envelope { plateau } else { 0.0 };
            let rule = if known { Rule::ConnectedLoad } else { Rule::TotalFlow };
            Found {
                before: Estimate { low: before, mid: before, high: e.envelope },
                after: around(e.flow),
                process: seconds(e.process, e.arl_s),
                ..new(Kind::Overload, Severity::Critical, rule, e.since_ns)
            }
        }
        Unexplained::Appliance(s) => Found {
            after: Estimate { low: s.rate.0, mid: (s.rate.0 * s.rate.1).sqrt(), high: s.rate.1 },
            process: seconds(s.run_s, s.allowed_s),
            ..new(
                Kind::LongUse,
                closes,
                Rule::ApplianceTime,
                now_ns.saturating_sub((s.run_s * SECOND_NS as f32) as u64),
            )
        },
        Unexplained::TooLong(t) => Found {
            after: Estimate { low: t.level, mid: t.level, high: t.level * 1.6 },
            process: seconds(since(t.since_ns, now_ns), t.allowed_s),
            ..new(Kind::LongUse, closes, Rule::UseTime, t.since_ns)
        },
        Unexplained::Hour(u, tell_ul, flow) => Found {
            // The use began up to ten minutes before its first pulse, so its mean is too low.
            after: around(if flow > 0.0 {
                flow
            } else {
                flow_m3_per_h(f64::from(u.volume_ul), now_ns.saturating_sub(u.since_ns)) as f32
            }),
            process: Process { value: u.volume_ul, threshold: tell_ul, unit: "uL" },
            released_ul: Some(u.volume_ul as u64),
            ..new(Kind::UnusualHour, Severity::Warning, Rule::QuietHour, u.since_ns)
        },
        Unexplained::Base(rise, arl_s) => {
            // A gap bounds what never rests from above only; another use may have cut it short.
            let upper = Estimate { low: rise.before.min(rise.now), mid: rise.now, high: rise.now * 1.05 };
            let none = Estimate { low: 0.0, mid: 0.0, high: rise.before };
            let ago_ns = HALF_DAY_NS + u64::from(rise.days.saturating_sub(1)) * 2 * HALF_DAY_NS;
            Found {
                before: if rise.rests { none } else { around(rise.before) },
                after: upper,
                process: seconds(rise.process, arl_s),
                ..new(Kind::BaseFlow, Severity::Warning, Rule::LongestGap, now_ns.saturating_sub(ago_ns))
            }
        }
        Unexplained::Increase(step, limit) => Found {
            before: around(step.from),
            after: around(step.to),
            process: Process { value: step.to - step.from, threshold: limit, unit: "m3/h" },
            ..new(Kind::Overload, Severity::Critical, Rule::SuddenIncrease, step.at_ns)
        },
        Unexplained::Rest(Restless::Never(t_ns, days)) => Found {
            process: seconds(since(t_ns, now_ns), days * 86_400.0),
            ..new(Kind::NeverZero, Severity::Warning, Rule::NoRest, t_ns)
        },
        Unexplained::Run(run) => Found {
            after: at_most(flow_m3_per_h(limits.pulse_ul as f64, run.gap_ns) as f32),
            process: seconds(since(run.since_ns, now_ns), run.allowed_s),
            ..new(Kind::NeverZero, Severity::Warning, Rule::NoRest, run.since_ns)
        },
        Unexplained::Rest(Restless::Still(t_ns, days)) => Found {
            process: seconds(since(t_ns, now_ns), days * 86_400.0),
            ..new(Kind::SilentMeter, Severity::Notice, Rule::Silence, t_ns)
        },
    }
}

/// A rise of the base flow began in the half day that was judged.
const HALF_DAY_NS: u64 = 43_200 * SECOND_NS;

/// A broken rule about inputs, at `t_ns`, with pulses of `pulse_ul` (µL).
pub(crate) fn by_input(broken: Broken, inputs: &Inputs, rules: &Rules, pulse_ul: u64, t_ns: u64) -> Found {
    let of = |value, threshold, unit| Process { value, threshold, unit };
    let pulses = inputs.pulses;
    let (kind, rule, since_ns, process) = match broken {
        Broken::AfterOpening => {
            let process = of(pulses as f32, SPARE as f32, "pulses");
            (Kind::FlowAfterOpening, Rule::RestoreCheck, inputs.valve_ns, process)
        }
        Broken::WhileClosed => {
            let process = of(pulses as f32, SPARE as f32 + 1.0, "pulses");
            (Kind::FlowWhileClosed, Rule::ValveClosed, inputs.first_ns, process)
        }
        Broken::Pressure => {
            let process = of(inputs.kpa, rules.low_pressure_kpa, "kPa");
            (Kind::LowPressure, Rule::Pressure, inputs.low_ns, process)
        }
        Broken::Seismic => {
            (Kind::Earthquake, Rule::Seismic, inputs.quake_ns, of(inputs.gal, rules.seismic_gal, "gal"))
        }
        Broken::AlarmLink => {
            let process = seconds(since(inputs.alarm_ns, t_ns), rules.alarm_link_s);
            (Kind::GasAlarm, Rule::AlarmLink, inputs.alarm_ns, process)
        }
    };
    // Only behind the valve is it known what should not have flowed.
    let behind = matches!(broken, Broken::AfterOpening | Broken::WhileClosed);
    let released_ul = if behind { pulse_ul.saturating_mul(u64::from(pulses)) } else { 0 };
    Found {
        process,
        released_ul: Some(released_ul),
        ..Found::plain(Finding { kind, severity: Severity::Critical, rule, t_ns: since_ns.min(t_ns) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gravest_is_said_first_and_equals_in_their_order() {
        let found = |severity, t_ns| {
            Some(Found::plain(Finding { kind: Kind::Surge, severity, rule: Rule::NoRest, t_ns }))
        };
        let mut waiting = Waiting::default();
        waiting.push(found(Severity::Info, 1));
        waiting.push(found(Severity::Warning, 2));
        waiting.push(found(Severity::Critical, 3));
        waiting.push(found(Severity::Warning, 4));
        waiting.push(found(Severity::Notice, 5));
        let order: Vec<u64> = std::iter::from_fn(|| waiting.pop().map(|f| f.finding.t_ns)).collect();
        assert_eq!(order, [3, 2, 4, 5]);
        assert!(waiting.is_empty());
    }
}
