// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a person said of a verdict, as far as the engine can use it.

use gasd_detect::{Kind, Said, Topic};

use crate::kernel::sys::boottime_ns;
use crate::response::clock::now;
use crate::state::{Feedback, VerdictRecord};

use super::engine::Engine;

/// A verdict that was acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledged {
    /// The meter's id.
    pub meter: String,
    /// What it turned out to be, if somebody said so.
    pub feedback: Option<Feedback>,
    /// [`Kind::name`].
    pub kind: String,
    /// What its threshold is, if that may be moved.
    pub topic: Option<Topic>,
    /// A simulation made it.
    pub simulated: bool,
}

impl Acknowledged {
    /// Of that verdict.
    #[must_use]
    pub fn new(record: &VerdictRecord, feedback: Option<Feedback>) -> Self {
        let simulated = record.simulated();
        let topic = record.rule().and_then(|rule| Topic::of_rule(&rule));
        Self { meter: record.meter.clone(), feedback, kind: record.kind.clone(), topic, simulated }
    }

    /// What the engine is to hear: of a simulation nothing.
    fn said(&self) -> Option<Said> {
        let said = match self.feedback? {
            Feedback::FalseAlarm => Said::FalseAlarm,
            Feedback::RealLeak => Said::RealLeak,
        };
        (!self.simulated).then_some(said)
    }

    /// And of a threshold that may be moved.
    fn of_threshold(&self) -> Option<(Topic, Said)> {
        Some((self.topic?, self.said()?))
    }

    /// And of gas that does not rest.
    fn of_rest(&self) -> Option<Said> {
        self.said().filter(|_| self.kind == Kind::NeverZero.name())
    }

    /// Whether what flows at the meter is all right, and is to be learned anew.
    fn accepts_base_flow(&self) -> bool {
        self.said() == Some(Said::FalseAlarm) && self.kind == Kind::BaseFlow.name()
    }
}

impl Engine {
    /// A person has acknowledged a verdict.
    pub(super) fn acknowledged(&mut self, what: &Acknowledged) {
        let Some(meter) = self.meters.iter_mut().find(|meter| meter.id == what.meter) else { return };
        if what.accepts_base_flow() {
            meter.accept_base_flow();
        }
        if let Some((topic, said)) = what.of_threshold() {
            meter.hear(topic, said, boottime_ns());
        }
        if let Some(said) = what.of_rest() {
            meter.hear_no_rest(said);
        }
        self.save_learned(now(), |meter| meter.id == what.meter);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_false_alarm_about_the_base_flow_changes_what_is_learned() {
        let of = |kind: &str, feedback, simulated| Acknowledged {
            meter: "m".into(),
            feedback,
            kind: kind.into(),
            topic: Topic::ALL.into_iter().find(|topic| topic.name() == kind),
            simulated,
        };
        let alarm = Some(Feedback::FalseAlarm);
        assert!(of("base-flow", alarm, false).accepts_base_flow());
        for other in [
            of("base-flow", None, false),
            of("base-flow", Some(Feedback::RealLeak), false),
            of("base-flow", alarm, true),
            of("surge", alarm, false),
        ] {
            assert!(!other.accepts_base_flow(), "{other:?}");
        }
        assert_eq!(of("base-flow", alarm, false).of_threshold(), Some((Topic::BaseFlow, Said::FalseAlarm)));
        let leak = of("long-use", Some(Feedback::RealLeak), false);
        assert_eq!(leak.of_threshold(), Some((Topic::LongUse, Said::RealLeak)));
        for nothing in [of("base-flow", None, false), of("base-flow", alarm, true), of("surge", alarm, false)]
        {
            assert_eq!(nothing.of_threshold(), None, "{nothing:?}");
        }
        let rest = |feedback, simulated| of("never-zero", feedback, simulated).of_rest();
        assert_eq!(rest(alarm, false), Some(Said::FalseAlarm));
        assert_eq!(rest(Some(Feedback::RealLeak), false), Some(Said::RealLeak));
        assert_eq!(
            (rest(None, false), rest(alarm, true), of("base-flow", alarm, false).of_rest()),
            (None, None, None)
        );
    }
}
