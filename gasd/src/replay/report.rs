// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a replay says: one JSON object a line for each verdict, a last one for the counts.

use std::collections::BTreeMap;
use std::io::{self, Write};

use gasd_abi::{Reason, Totals};
use gasd_detect::{Verdict, sentence};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use crate::evidence::evidence_json;

/// Lines without a meter that are counted one by one; the rest together, as `other`.
const NAMED_LINES: usize = 64;

/// A verdict in JSON.
#[derive(Debug, Serialize)]
struct VerdictJson<'a> {
    t_ns: u64,
    decided_ns: u64,
    meter: &'a str,
    kind: &'static str,
    severity: &'static str,
    evidence: serde_json::Value,
    text: String,
}

/// Writes `verdict` about the meter called `meter` as one line.
pub fn write_verdict(out: &mut impl Write, meter: &str, verdict: &Verdict) -> io::Result<()> {
    let line = VerdictJson {
        t_ns: verdict.t_ns,
        decided_ns: verdict.decided_ns,
        meter,
        kind: verdict.kind.name(),
        severity: verdict.severity.name(),
        evidence: evidence_json(&verdict.evidence),
        text: sentence(meter, verdict),
    };
    serde_json::to_writer(&mut *out, &line)?;
    out.write_all(b"\n")
}

/// Rows of lines that no meter has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unconfigured {
    lines: BTreeMap<u32, u64>,
    other: u64,
}

impl Unconfigured {
    /// Counts a row of `line`.
    pub fn count(&mut self, line: u32) {
        if let Some(rows) = self.lines.get_mut(&line) {
            *rows += 1;
        } else if self.lines.len() < NAMED_LINES {
            self.lines.insert(line, 1);
        } else {
            self.other += 1;
        }
    }

    /// Rows of all those lines.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.lines.values().sum::<u64>() + self.other
    }
}

impl Serialize for Unconfigured {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (line, rows) in &self.lines {
            map.serialize_entry(line, rows)?;
        }
        if self.other > 0 {
            map.serialize_entry("other", &self.other)?;
        }
        map.end()
    }
}

/// Rejected edges by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rejected(pub [u64; Reason::ALL.len()]);

impl Serialize for Rejected {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(Reason::ALL.iter().map(|r| (r.name(), self.0[*r as usize])))
    }
}

/// What became of one meter's line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct MeterSummary {
    /// The meter's id.
    pub meter: String,
    /// The trace's line; none for a meter that a feed brings edges for.
    pub line: Option<u32>,
    /// Transitions in the trace.
    pub edges: u64,
    /// Pulses counted.
    pub accepted: u64,
    /// Those of them whose leading edge was lost.
    pub recovered: u64,
    /// Edges that are no leading edge of a pulse.
    pub rejected: Rejected,
    /// Edge storms.
    pub storms: u64,
    /// Times the presumed level was corrected.
    pub resyncs: u64,
    /// Volume of the pulses counted, µL.
    pub volume_ul: u64,
}

impl MeterSummary {
    /// Out of a line's counters; pulses are of `pulse_volume_ul` µL.
    #[must_use]
    pub fn new(meter: &str, line: Option<u32>, totals: &Totals, pulse_volume_ul: u64) -> Self {
        Self {
            meter: meter.to_owned(),
            line,
            edges: totals.edges,
            accepted: totals.accepted,
            recovered: totals.recovered,
            rejected: Rejected(Reason::ALL.map(|reason| totals.rejected[reason as usize])),
            storms: totals.storms,
            resyncs: totals.resyncs,
            volume_ul: totals.accepted.saturating_mul(pulse_volume_ul),
        }
    }
}

/// What became of the whole trace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Rows read.
    pub rows: u64,
    /// Time of the first row, ns; 0 in an empty trace.
    pub start_ns: u64,
    /// Time of the last row, ns.
    pub end_ns: u64,
    /// Verdicts written.
    pub verdicts: u64,
    /// Rows by line, of the lines that no meter has.
    pub unconfigured_lines: Unconfigured,
    /// The meters in the order of the configuration.
    pub meters: Vec<MeterSummary>,
}

/// Writes the last line.
pub fn write_summary(out: &mut impl Write, summary: &Summary) -> io::Result<()> {
    #[derive(Serialize)]
    struct Last<'a> {
        summary: &'a Summary,
    }
    serde_json::to_writer(&mut *out, &Last { summary })?;
    out.write_all(b"\n")
}
