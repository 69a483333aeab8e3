// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a person said of a verdict, as far as the engine can use it.

use gasd_detect::Kind;

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
    /// A simulation made it.
    pub simulated: bool,
}

impl Acknowledged {
    /// Of that verdict.
    #[must_use]
    pub fn new(record: &VerdictRecord, feedback: Option<Feedback>) -> Self {
        let simulated = record.simulated();
        Self { meter: record.meter.clone(), feedback, kind: record.kind.clone(), simulated }
    }

    /// Whether what flows at the meter is all right, and is to be learned anew.
    fn accepts_base_flow(&self) -> bool {
        !self.simulated && self.feedback == Some(Feedback::FalseAlarm) && self.kind == Kind::BaseFlow.name()
    }
}

impl Engine {
    /// A person has acknowledged a verdict.
    pub(super) fn acknowledged(&mut self, what: &Acknowledged) {
        let Some(meter) = self.meters.iter_mut().find(|meter| meter.id == what.meter) else { return };
        if what.accepts_base_flow() {
            meter.accept_base_flow();
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
    }
}
