// SPDX-License-Identifier: MIT OR Apache-2.0
//! R10: a register that goes back, or further than gas can pass, is the sensor's fault and never a leak.

use crate::engine::Engine;
use crate::finding::around;
use crate::units::{SECOND_NS, flow_m3_per_h};
use crate::verdict::{Estimate, Kind, Process, Rule, Severity, Verdict};

/// Each fault is not said again within this time, ns: a broken reader may do it at every reading, and all are
/// counted.
const QUIET_NS: u64 = 86_400 * SECOND_NS;

/// When each fault was said last, ns.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Faults {
    pub leapt_ns: Option<u64>,
    pub fell_ns: Option<u64>,
}

impl Faults {
    /// The register went on by `by_ul` (µL) from `from_ns` to `to_ns`, and at most `limit` m³/h can flow.
    pub fn leapt(
        &mut self,
        engine: &Engine,
        by_ul: u64,
        limit: f64,
        from_ns: u64,
        to_ns: u64,
    ) -> Option<Verdict> {
        if is_quiet(&mut self.leapt_ns, to_ns) {
            return None;
        }
        let flow = flow_m3_per_h(by_ul as f64, to_ns.saturating_sub(from_ns)) as f32;
        let process = Process { value: flow, threshold: limit as f32, unit: "m3/h" };
        let (kind, rule) = (Kind::ImplausibleRate, Rule::RegisterLeapt);
        Some(verdict(engine, (kind, rule), around(flow), process, by_ul, from_ns, to_ns))
    }

    /// The register went back by `by_ul` (µL), where steps of `resolution_ul` may be rounding.
    pub fn fell(
        &mut self,
        engine: &Engine,
        by_ul: u64,
        resolution_ul: u64,
        from_ns: u64,
        to_ns: u64,
    ) -> Option<Verdict> {
        if is_quiet(&mut self.fell_ns, to_ns) {
            return None;
        }
        let process = Process { value: by_ul as f32, threshold: resolution_ul as f32, unit: "uL" };
        let (kind, rule) = (Kind::ReverseFlow, Rule::RegisterFell);
        Some(verdict(engine, (kind, rule), Estimate::default(), process, 0, from_ns, to_ns))
    }

    /// All times are later by `by_ns`.
    pub fn shift(&mut self, by_ns: i64) {
        for said_ns in [&mut self.leapt_ns, &mut self.fell_ns].into_iter().flatten() {
            *said_ns = said_ns.saturating_add_signed(by_ns);
        }
    }
}

fn is_quiet(said_ns: &mut Option<u64>, now_ns: u64) -> bool {
    if said_ns.is_some_and(|said| now_ns.saturating_sub(said) < QUIET_NS) {
        return true;
    }
    *said_ns = Some(now_ns);
    false
}

fn verdict(
    engine: &Engine,
    (kind, rule): (Kind, Rule),
    after: Estimate,
    process: Process,
    released_ul: u64,
    from_ns: u64,
    to_ns: u64,
) -> Verdict {
    let mut evidence = engine.evidence(rule, from_ns);
    (evidence.after, evidence.process, evidence.released_ul) = (after, process, released_ul);
    Verdict { kind, severity: Severity::Warning, t_ns: from_ns, decided_ns: to_ns.max(from_ns), evidence }
}

crate::state::state!(Faults { leapt_ns, fell_ns });
