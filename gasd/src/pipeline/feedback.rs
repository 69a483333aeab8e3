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
    fn said(&self) -> Option<(Topic, Said)> {
        let said = match self.feedback? {
            Feedback::FalseAlarm => Said::FalseAlarm,
            Feedback::RealLeak => Said::RealLeak,
        };
        self.topic.filter(|_| !self.simulated).map(|topic| (topic, said))
    }

    /// Whether what flows at the meter is all right, and is to be learned anew.
    fn accepts_base_flow(&self) -> bool {
        let of_base = [Kind::BaseFlow, Kind::NeverZero].iter().any(|kind| self.kind == kind.name());
        !self.simulated && self.feedback == Some(Feedback::FalseAlarm) && of_base
    }
}

impl Engine {
    /// A person has acknowledged a verdict.
    pub(super) fn acknowledged(&mut self, what: &Acknowledged) {
        let Some(meter) = self.meters.iter_mut().find(|meter| meter.id == what.meter) else { return };
        if what.accepts_base_flow() {
            meter.accept_base_flow();
        }
        if let Some((topic, said)) = what.said() {
            meter.hear(topic, said, boottime_ns());
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
        assert!(of("never-zero", alarm, false).accepts_base_flow(), "a pilot flame is new");
        for other in [
            of("base-flow", None, false),
            of("base-flow", Some(Feedback::RealLeak), false),
            of("base-flow", alarm, true),
            of("surge", alarm, false),
        ] {
            assert!(!other.accepts_base_flow(), "{other:?}");
        }
        assert_eq!(of("base-flow", alarm, false).said(), Some((Topic::BaseFlow, Said::FalseAlarm)));
        let leak = of("long-use", Some(Feedback::RealLeak), false);
        assert_eq!(leak.said(), Some((Topic::LongUse, Said::RealLeak)));
        for nothing in [of("base-flow", None, false), of("base-flow", alarm, true), of("surge", alarm, false)]
        {
            assert_eq!(nothing.said(), None, "{nothing:?}");
        }
    }
}
