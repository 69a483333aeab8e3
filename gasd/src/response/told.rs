// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a valve was last told, and by whom. Pure.

use std::borrow::Cow;

use crate::response::actuator::Target;
use crate::response::valves::{Step, Valves};
use crate::state::{CommandError, Hold, Position};
use crate::store::Change;

impl Valves {
    /// Tells a valve where to go, for `by`.
    pub(super) fn drive(
        &mut self,
        valve: usize,
        to: Target,
        force: bool,
        by: impl Into<Cow<'static, str>>,
    ) -> Step {
        let at = &mut self.valves[valve];
        (at.told, at.told_by) = (Some(to), by.into());
        at.known.told(to);
        // Nobody may read "opening" of a valve that is being closed.
        if to == Target::Open || at.state.health == Target::Open.under_way() {
            at.state.health = to.under_way().into();
        }
        Step::Drive { valve, to, force }
    }

    /// One more reason to keep a valve closed.
    pub(super) fn hold(&mut self, at: usize, hold: Hold) -> Vec<Change> {
        let valve = &mut self.valves[at];
        valve.epoch += 1;
        let mut rows = vec![self.keep(at, hold)];
        rows.extend(self.valves[at].rows_told(Position::Closed));
        rows
    }

    /// A closing that a newer order took over is under way again, by an order that came later still: what joins it.
    ///
    /// # Errors
    /// [`CommandError::Overtaken`]: the valve is being opened.
    pub fn join_closing(&self, valve: &str) -> Result<Vec<Step>, CommandError> {
        let at = self.configured(valve)?;
        match self.valves[at].told {
            Some(Target::Closed) => Ok(vec![Step::Drive { valve: at, to: Target::Closed, force: false }]),
            _ => Err(self.overtaken(valve, Target::Closed)),
        }
    }

    /// Which order took the place of one `to` somewhere.
    #[must_use]
    pub fn overtaken(&self, valve: &str, to: Target) -> CommandError {
        let last = self.find(valve).ok().map(|at| &self.valves[at]);
        CommandError::Overtaken {
            valve: valve.into(),
            asked: to.name(),
            told: last.and_then(|valve| valve.told).unwrap_or(to).name(),
            by: last.map_or_else(String::new, |valve| valve.told_by.to_string()),
        }
    }
}
