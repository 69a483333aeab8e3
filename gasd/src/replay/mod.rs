// SPDX-License-Identifier: MIT OR Apache-2.0
//! Playing a recorded trace through the filter and the engine, as the live service would have
//! judged it.
//!
//! * [`trace`]: rows out of a CSV file.
//! * [`linemodel`]: what the running system would have seen of them.
//! * [`backend`]: the filter, in this process or in the kernel.
//! * [`judge`]: the engines, in the order of time.
//! * [`report`]: verdicts and counts as JSON.
//! * [`household`]: a trace to try it with.
//!
//! A meter plays the trace's line of its `line` number, whatever its chip; the trace's level 1 is
//! active, so `active = "low"` changes nothing here.

pub mod backend;
pub mod household;
pub mod judge;
pub mod kernel;
pub mod linemodel;
pub mod report;
pub mod trace;

use std::collections::HashMap;
use std::io::{self, BufRead, Write};

use gasd_abi::FilterConfig;
use gasd_abi::records::Event;

use crate::config::Config;

pub use backend::{BackendError, FilterBackend, UserFilter};
pub use report::{MeterSummary, Summary};
pub use trace::{Row, Trace, TraceError};

use judge::{Found, Judges};
use linemodel::LineModel;

/// How long time runs on after the last row, ns: candidates and 30 s follow-ups resolve.
pub const AFTERMATH_NS: u64 = 60_000_000_000;

/// Rows between two looks at the filter's events. A row is at most eight steps, so their events
/// fit into the kernel's ring of 256 KiB more than once.
const ROWS_A_DRAIN: u64 = 128;

/// Lines below this number are looked up in an array.
const NEAR_LINES: usize = 256;

/// Why a replay ended early.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The trace cannot be read.
    #[error(transparent)]
    Trace(#[from] TraceError),
    /// Two meters play one line.
    #[error(
        "meters \"{first}\" and \"{second}\" both have line {line}; a trace has no chips, so give each meter \
         of a replay a line of its own"
    )]
    SharedLine {
        /// The line.
        line: u32,
        /// The meter that is configured first.
        first: String,
        /// The other one.
        second: String,
    },
    /// The filter failed.
    #[error(transparent)]
    Backend(#[from] BackendError),
    /// The verdicts cannot be written.
    #[error("the verdicts cannot be written: {0}")]
    Output(#[from] io::Error),
}

/// The filters that `config`'s meters need, in their order.
#[must_use]
pub fn filters(config: &Config) -> Vec<FilterConfig> {
    config.meters.iter().map(|meter| meter.filter.abi).collect()
}

/// Replays the CSV `trace`, which errors call `file`; see [`play`].
pub fn replay<B: FilterBackend + ?Sized>(
    config: &Config,
    file: &str,
    trace: impl BufRead,
    backend: &mut B,
    out: &mut impl Write,
) -> Result<Summary, ReplayError> {
    play(config, Trace::new(file, trace), backend, out)
}

/// Plays `rows` through `backend`, which has a filter for each meter of `config`, and writes
/// verdicts and a summary to `out`, one JSON object a line. Memory does not grow with the trace.
pub fn play<B: FilterBackend + ?Sized>(
    config: &Config,
    rows: impl Iterator<Item = Result<Row, TraceError>>,
    backend: &mut B,
    out: &mut impl Write,
) -> Result<Summary, ReplayError> {
    play_from(config, None, rows, backend, out)
}

/// As [`play`], of a trace whose first row was at civil time `start_ns` (local, ns since 1970). Without it
/// trace time itself is taken as civil time, as it is in a trace that was recorded with Unix time.
pub fn play_from<B: FilterBackend + ?Sized>(
    config: &Config,
    start_ns: Option<u64>,
    rows: impl Iterator<Item = Result<Row, TraceError>>,
    backend: &mut B,
    out: &mut impl Write,
) -> Result<Summary, ReplayError> {
    let mut player = Player::new(config, backend, out)?;
    player.civil_start_ns = start_ns;
    for row in rows {
        player.row(row?)?;
    }
    player.finish()
}

/// Trace time that counts from no date but from a boot, or from nothing, ends before this, ns: 52 weeks.
const DATELESS_NS: u64 = 52 * 7 * 86_400 * 1_000_000_000;

/// Civil time minus trace time, ns, of a trace whose first row is at `first_ns`, and was at `start_ns` of civil time
/// if that is known. Without that the time of day and the day of the week are the trace's own.
fn civil_offset_ns(start_ns: Option<u64>, first_ns: u64) -> i64 {
    match start_ns {
        Some(start_ns) => start_ns.cast_signed().wrapping_sub_unsigned(first_ns),
        None if first_ns < DATELESS_NS => DATELESS_NS.cast_signed(),
        None => 0,
    }
}

/// A replay under way.
struct Player<'a, B: ?Sized, W> {
    config: &'a Config,
    backend: &'a mut B,
    out: &'a mut W,
    lines: Vec<LineModel>,
    meters: MeterOfLine,
    judges: Judges,
    summary: Summary,
    events: Vec<Event>,
    found: Vec<Found>,
    /// Trace time of the next thing the engines have to do.
    due_ns: u64,
    /// Civil time of the first row, if it is known.
    civil_start_ns: Option<u64>,
}

impl<'a, B: FilterBackend + ?Sized, W: Write> Player<'a, B, W> {
    fn new(config: &'a Config, backend: &'a mut B, out: &'a mut W) -> Result<Self, ReplayError> {
        let line = |(i, meter): (usize, &crate::config::MeterConfig)| {
            LineModel::new(i, meter.filter.abi, meter.filter.poll_ns)
        };
        Ok(Self {
            config,
            backend,
            out,
            lines: config.meters.iter().enumerate().map(line).collect(),
            meters: MeterOfLine::new(config)?,
            judges: Judges::new(&config.meters),
            summary: Summary::default(),
            events: Vec::new(),
            found: Vec::new(),
            due_ns: 0,
            civil_start_ns: None,
        })
    }

    #[inline]
    fn row(&mut self, row: Row) -> Result<(), ReplayError> {
        if self.summary.rows == 0 {
            self.summary.start_ns = row.t_ns;
            let civil = civil_offset_ns(self.civil_start_ns, row.t_ns);
            self.judges.begin(row.t_ns, civil);
            self.due_ns = self.judges.due_ns();
        }
        if row.t_ns > self.due_ns {
            self.run(row.t_ns - 1)?;
        }
        self.summary.rows += 1;
        self.summary.end_ns = row.t_ns;
        match self.meters.find(row.line) {
            Some(meter) => {
                let start_ns = self.summary.start_ns;
                self.lines[meter].row(self.backend, start_ns, row.t_ns, row.level)?;
            }
            None => self.summary.unconfigured_lines.count(row.line),
        }
        if self.summary.rows.is_multiple_of(ROWS_A_DRAIN) {
            self.drain()?;
        }
        Ok(())
    }

    /// Trace time has come to `now_ns` on all lines.
    fn run(&mut self, now_ns: u64) -> Result<(), ReplayError> {
        for line in &mut self.lines {
            line.run(self.backend, now_ns)?;
        }
        self.drain()?;
        self.judges.advance(now_ns, &mut self.found);
        self.due_ns = self.judges.due_ns();
        self.write()
    }

    fn drain(&mut self) -> Result<(), ReplayError> {
        self.backend.drain(&mut self.events)?;
        for event in self.events.drain(..) {
            self.judges.take(event);
        }
        Ok(())
    }

    fn write(&mut self) -> Result<(), ReplayError> {
        for Found { meter, verdict } in self.found.drain(..) {
            self.summary.verdicts += 1;
            report::write_verdict(self.out, &self.config.meters[meter].id, &verdict)?;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Summary, ReplayError> {
        let end_ns = self.summary.end_ns.saturating_add(AFTERMATH_NS);
        self.run(end_ns)?;
        self.judges.finish(end_ns, &mut self.found);
        self.write()?;
        for (i, meter) in self.config.meters.iter().enumerate() {
            let totals = self.backend.totals(i)?;
            self.summary.meters.push(MeterSummary::new(
                &meter.id,
                meter.source.trace_line(),
                &totals,
                meter.pulse_volume_ul,
            ));
        }
        report::write_summary(self.out, &self.summary)?;
        self.out.flush()?;
        Ok(self.summary)
    }
}

/// Which meter has which line.
struct MeterOfLine {
    near: [Option<u16>; NEAR_LINES],
    far: HashMap<u32, u16>,
}

impl MeterOfLine {
    fn new(config: &Config) -> Result<Self, ReplayError> {
        let mut all: HashMap<u32, u16> = HashMap::new();
        let mut near = [None; NEAR_LINES];
        for (i, meter) in (0..).zip(&config.meters) {
            // Edges that a feed brings are on no line of a trace.
            let Some(line) = meter.source.trace_line() else { continue };
            if let Some(first) = all.insert(line, i) {
                return Err(ReplayError::SharedLine {
                    line,
                    first: config.meters[usize::from(first)].id.clone(),
                    second: meter.id.clone(),
                });
            }
            if let Some(place) = near.get_mut(line as usize) {
                *place = Some(i);
            }
        }
        Ok(Self { near, far: all })
    }

    #[inline]
    fn find(&self, line: u32) -> Option<usize> {
        match self.near.get(line as usize) {
            Some(meter) => meter.map(usize::from),
            None => self.far.get(&line).copied().map(usize::from),
        }
    }
}
