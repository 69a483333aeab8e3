// SPDX-License-Identifier: MIT OR Apache-2.0
//! What people say of verdicts raises a meter's thresholds, within bounds.
//!
//! A home that is told twice of a leak that it has not got is not like those that the defaults were proved
//! for. So a false alarm raises the threshold of what raised it, a real leak puts it back at once, and both are
//! forgotten: half of what was raised within a year. Nothing is ever lowered below its proved default, nor raised
//! beyond [`Topic::most`], so that no number of clicks makes an engine deaf. Steps and bounds: no primary source.
//!
//! Rules that shut for safety know nothing of it: the meter's own limit (R1), a step too large (R2), use times
//! that close the valve (R3), rests (R4, R11) and all inputs (R5 to R9).

use core::fmt;

use crate::profile::Rules;
use crate::units::SECOND_NS;
use crate::verdict::Rule;

const DAY_NS: u64 = 86_400 * SECOND_NS;
/// Half of what was raised is forgotten within this time, days.
const HALF_DAYS: f32 = 365.25;
/// What is raised by less than this, as a logarithm, is not raised.
const LEAST: f32 = 0.01;

/// What a person says of a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// Nothing was wrong.
    FalseAlarm,
    /// Gas escaped, or would have.
    RealLeak,
}

/// Verdicts that share a threshold which people may raise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// The base flow: the mean time between false alarms that its e-detector is held to.
    BaseFlow,
    /// More than the home takes together: the same of its e-detector, below the meter's own limit.
    Overload,
    /// How long something may be on that closes no valve.
    LongUse,
    /// How much may pass in a quiet hour.
    UnusualHour,
}

impl Topic {
    /// All of them.
    pub const ALL: [Topic; 4] = [Topic::BaseFlow, Topic::Overload, Topic::LongUse, Topic::UnusualHour];

    /// The name of the verdict's kind.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Topic::BaseFlow => "base-flow",
            Topic::Overload => "overload",
            Topic::LongUse => "long-use",
            Topic::UnusualHour => "unusual-hour",
        }
    }

    /// The topic of a verdict by the name of the rule that decided ([`Rule::name`]); none where the rule is not
    /// to be moved.
    #[must_use]
    pub fn of_rule(name: &str) -> Option<Topic> {
        let of = |(rule, topic): (Rule, Topic)| (rule.name() == name).then_some(topic);
        [
            (Rule::LongestGap, Topic::BaseFlow),
            (Rule::ConnectedLoad, Topic::Overload),
            (Rule::ApplianceTime, Topic::LongUse),
            (Rule::UseTime, Topic::LongUse),
            (Rule::QuietHour, Topic::UnusualHour),
        ]
        .into_iter()
        .find_map(of)
    }

    /// What one false alarm multiplies the threshold by.
    #[must_use]
    pub const fn step(self) -> f32 {
        match self {
            Topic::BaseFlow | Topic::Overload => 2.0,
            Topic::LongUse => 1.1,
            Topic::UnusualHour => 1.15,
        }
    }

    /// What many multiply it by at the most. Four times the mean time is 1.4 nats more evidence, which an open
    /// pipe brings within an interval; a leak at a quiet hour shall be told within 150 L.
    #[must_use]
    pub const fn most(self) -> f32 {
        match self {
            Topic::BaseFlow => 8.0,
            Topic::Overload => 4.0,
            Topic::LongUse => 1.5,
            Topic::UnusualHour => 1.4,
        }
    }

    const fn about(self) -> &'static str {
        match self {
            Topic::BaseFlow => "base flow",
            Topic::Overload => "more flow than the home takes",
            Topic::LongUse => "long use",
            Topic::UnusualHour => "use at an unusual hour",
        }
    }
}

/// What was said of one topic.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Raised {
    /// Logarithm of what the threshold is multiplied by.
    pub log: f32,
    /// False alarms that people told of, ever.
    pub false_alarms: u16,
    /// Real leaks, ever.
    pub real_leaks: u16,
}

crate::state::state!(Raised { log, false_alarms, real_leaks });

/// What was said of one meter's verdicts.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Sensitivity {
    topics: [Raised; Topic::ALL.len()],
    /// Forgotten up to here, ns.
    forgot_ns: u64,
}

crate::state::state!(Sensitivity { topics, forgot_ns });

impl Sensitivity {
    /// A person said something of a verdict, at `now_ns`.
    pub fn hear(&mut self, topic: Topic, said: Said, now_ns: u64) {
        self.forget(now_ns);
        if self.topics.iter().all(|raised| raised.log <= 0.0) {
            self.forgot_ns = now_ns;
        }
        let raised = &mut self.topics[topic as usize];
        match said {
            Said::FalseAlarm => {
                raised.false_alarms = raised.false_alarms.saturating_add(1);
                raised.log = (raised.log.max(0.0) + topic.step().ln()).min(topic.most().ln());
            }
            Said::RealLeak => {
                raised.real_leaks = raised.real_leaks.saturating_add(1);
                raised.log = 0.0;
            }
        }
    }

    /// Time has come to `now_ns`: forgets, day by day.
    pub fn forget(&mut self, now_ns: u64) {
        let silent_ns = now_ns.saturating_sub(self.forgot_ns);
        if silent_ns < DAY_NS || self.topics.iter().all(|raised| raised.log <= 0.0) {
            return;
        }
        self.forgot_ns = now_ns;
        let kept = (-(silent_ns as f32 / DAY_NS as f32) / HALF_DAYS).exp2();
        for (raised, topic) in self.topics.iter_mut().zip(Topic::ALL) {
            // Not `clamp`, which keeps what is no number.
            raised.log = raised.log.max(0.0).min(topic.most().ln()) * kept;
            if raised.log < LEAST {
                raised.log = 0.0;
            }
        }
    }

    /// What the threshold is multiplied by: 1 up to [`Topic::most`], whatever is stored.
    pub fn times(&self, topic: Topic) -> f32 {
        let log = self.topics[topic as usize].log;
        // So that a pulse in a home of which nothing was said costs no exponential.
        if log > 0.0 { log.exp().min(topic.most()) } else { 1.0 }
    }

    /// As [`Sensitivity::times`] of long uses under these rules.
    pub fn times_of_use(&self, rules: &Rules) -> f32 {
        if rules.learns && !rules.use_time_closes { self.times(Topic::LongUse) } else { 1.0 }
    }

    /// All that anything was said of.
    pub fn heard(&self) -> impl Iterator<Item = Heard> {
        Topic::ALL.into_iter().filter_map(|topic| {
            let Raised { false_alarms, real_leaks, .. } = self.topics[topic as usize];
            let said = false_alarms > 0 || real_leaks > 0;
            said.then(|| Heard { topic, false_alarms, real_leaks, times: self.times(topic) })
        })
    }

    /// All times are later by `by_ns`.
    pub fn shift(&mut self, by_ns: i64) {
        self.forgot_ns = self.forgot_ns.saturating_add_signed(by_ns);
    }
}

/// What people said of one topic, and what became of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Heard {
    /// Of what.
    pub topic: Topic,
    /// False alarms, ever.
    pub false_alarms: u16,
    /// Real leaks, ever.
    pub real_leaks: u16,
    /// What the threshold is multiplied by now, 1 to [`Topic::most`].
    pub times: f32,
}

impl fmt::Display for Heard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let times = |n: u16| if n == 1 { "once".to_owned() } else { format!("{n} times") };
        write!(f, "its alarms about {} were called ", self.topic.about())?;
        match (self.false_alarms, self.real_leaks) {
            (n, 0) => write!(f, "false {}", times(n))?,
            (0, n) => write!(f, "real {}", times(n))?,
            (n, m) => write!(f, "false {} and real {}", times(n), times(m))?,
        }
        if self.times > 1.0 {
            write!(f, ": threshold x{}", (self.times * 10.0).round() / 10.0)
        } else {
            write!(f, ": threshold as proved")
        }
    }
}

#[cfg(test)]
#[path = "sensitivity_tests.rs"]
mod tests;
