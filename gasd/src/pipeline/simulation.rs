// SPDX-License-Identifier: MIT OR Apache-2.0
//! The engine thread's part in a simulation: the shadow beside the real meters.

use std::sync::PoisonError;

use gasd_abi::records::Event;

use crate::journal::{self, Note, what::What};
use crate::kernel::sys::boottime_ns;
use crate::simulation::{Step, mark};
use crate::state::{Change, Phase, SimulatedVerdict};

use super::engine::{Engine, record};

impl Engine {
    /// A simulation begins or ends.
    pub(super) fn simulation(&mut self, step: Step) {
        match step {
            Step::Begin(mut shadow) => {
                if let Some(real) = self.meters.iter().find(|meter| meter.id == shadow.id()) {
                    shadow.learn_from(real);
                }
                self.shadow = Some(shadow);
            }
            Step::End(outcome, problem) => {
                self.show();
                self.shadow = None;
                let mut snapshot = self.shared.write().unwrap_or_else(PoisonError::into_inner);
                let shown = &mut snapshot.simulation;
                let why = if problem.is_empty() { String::new() } else { format!(": {problem}") };
                let text = format!("simulation on meter \"{}\": {outcome}{why}", shown.meter);
                journal::tell(Note::new(What::Simulation, text).meter(&shown.meter));
                (shown.phase, shown.outcome, shown.problem) = (Phase::Ended, outcome.to_owned(), problem);
                drop(snapshot);
                // A full channel is no loss: the bus looks at everything now and then.
                let _ = self.changes.try_send(Change::Simulation);
            }
        }
    }

    /// An event of a line that is no meter's: the shadow's, or that of a meter that is gone.
    pub(super) fn shadow_event(&mut self, event: &Event) {
        let Some(shadow) = self.shadow.as_mut().filter(|shadow| shadow.line() == event.line) else { return };
        let Some(verdict) = shadow.event(event, boottime_ns()) else { return };
        let mut record = record(shadow.run(), &verdict);
        mark(&mut record);
        let mut shown = SimulatedVerdict {
            id: None,
            kind: record.kind.clone(),
            severity: record.severity.clone(),
            after_ns: shadow.after_ns(verdict.decided_ns),
            evidence_json: record.evidence_json.clone(),
            text: record.text.clone(),
        };
        let meter = shadow.id().to_owned();
        // Without the valve a verdict is told and kept nowhere: it must not keep a real valve closed.
        if shadow.valve
            && let Some(at) = self.meters.iter().position(|meter| meter.id == shadow.id())
        {
            shown.id = Some(self.response.on_verdict(at, record));
        }
        // Under an id of its own: whoever waits for real verdicts must not be woken by it.
        let note = Note::new(What::Simulation, format!("verdict, {}: {}", shown.severity, shown.text));
        journal::tell(Note {
            verdict: shown.id.map(|id| id.to_string()),
            kind: Some(shown.kind.clone()),
            severity: Some(shown.severity.clone()),
            ..note.meter(&meter)
        });
        let mut snapshot = self.shared.write().unwrap_or_else(PoisonError::into_inner);
        snapshot.simulation.verdicts.push(shown);
    }
}
