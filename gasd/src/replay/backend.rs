// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where a replay's filter runs: in this process, or behind the kernel's programs.

use gasd_abi::outcome::{PULSE, RESYNC, STORM};
use gasd_abi::records::{EVENT_PULSE, EVENT_RESYNC, EVENT_STORM, Event};
use gasd_abi::{FilterConfig, FilterState, Outcome, Totals, filter};

/// A step that the filter's keeper could not take.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("meter {meter}, {what}: {why}")]
pub struct BackendError {
    /// Index of the meter.
    pub meter: usize,
    /// What was tried.
    pub what: &'static str,
    /// Why it failed and what to do about it.
    pub why: String,
}

/// A filter for each meter, driven step by step.
///
/// Lines are named by the index of their meter in the configuration. Steps of one line come in the
/// order of time; those of different lines may be up to a second apart. What a step decided is
/// fetched later by [`drain`](Self::drain), so that an implementation may hand steps on in batches;
/// only [`state`](Self::state) must tell the outcome of all steps before it.
pub trait FilterBackend {
    /// An interrupt at `t_ns`.
    fn edge(&mut self, meter: usize, t_ns: u64) -> Result<(), BackendError>;

    /// The line's level (1 active), read at `t_ns` when `edges` interrupts had been seen.
    fn sample(&mut self, meter: usize, t_ns: u64, level: u8, edges: u64) -> Result<(), BackendError>;

    /// The line's state after all steps so far.
    fn state(&mut self, meter: usize) -> Result<FilterState, BackendError>;

    /// Appends the events since the last call, in order for each line. Kinds other than pulses and
    /// storms are ignored. Called at least every 128 rows, with at most eight steps a row and four
    /// more for each meter.
    fn drain(&mut self, events: &mut Vec<Event>) -> Result<(), BackendError>;

    /// The line's counters after all steps so far, counted from the start of the replay.
    fn totals(&mut self, meter: usize) -> Result<Totals, BackendError>;
}

#[derive(Clone, Debug)]
struct Line {
    config: FilterConfig,
    state: FilterState,
    totals: Totals,
}

/// The filter in this process.
#[derive(Clone, Debug)]
pub struct UserFilter {
    lines: Vec<Line>,
    events: Vec<Event>,
}

impl UserFilter {
    /// A filter for each of `configs`, at its start.
    #[must_use]
    pub fn new(configs: &[FilterConfig]) -> Self {
        let line = |config: &FilterConfig| Line {
            config: *config,
            state: FilterState::default(),
            totals: Totals::default(),
        };
        Self { lines: configs.iter().map(line).collect(), events: Vec::new() }
    }

    fn line(&mut self, meter: usize, what: &'static str) -> Result<&mut Line, BackendError> {
        self.lines.get_mut(meter).ok_or_else(|| BackendError {
            meter,
            what,
            why: "there is no filter for it; make one for each meter".to_owned(),
        })
    }

    #[inline]
    fn note(&mut self, meter: usize, t_ns: u64, edge: bool, out: &Outcome) {
        let Some(line) = self.lines.get_mut(meter) else { return };
        line.totals.apply(edge, out);
        if out.flags & (PULSE | STORM | RESYNC) == 0 {
            return;
        }
        for (flag, kind) in [(PULSE, EVENT_PULSE), (STORM, EVENT_STORM), (RESYNC, EVENT_RESYNC)] {
            if out.has(flag) {
                self.events.push(Event {
                    kind,
                    line: u32::try_from(meter).unwrap_or(u32::MAX),
                    seq: line.state.accepted,
                    t_ns: if kind == EVENT_PULSE { line.state.pulse_ns } else { t_ns },
                    decided_ns: line.state.decided_ns,
                    interval_ns: line.state.interval_ns,
                    edges: line.state.edges,
                });
            }
        }
    }
}

impl FilterBackend for UserFilter {
    #[inline]
    fn edge(&mut self, meter: usize, t_ns: u64) -> Result<(), BackendError> {
        let line = self.line(meter, "edge")?;
        let out = filter::edge(&line.config, &mut line.state, t_ns);
        self.note(meter, t_ns, true, &out);
        Ok(())
    }

    #[inline]
    fn sample(&mut self, meter: usize, t_ns: u64, level: u8, edges: u64) -> Result<(), BackendError> {
        let line = self.line(meter, "sample")?;
        let out = filter::sample(&line.config, &mut line.state, t_ns, level, edges);
        self.note(meter, t_ns, false, &out);
        Ok(())
    }

    #[inline]
    fn state(&mut self, meter: usize) -> Result<FilterState, BackendError> {
        Ok(self.line(meter, "state")?.state)
    }

    fn drain(&mut self, events: &mut Vec<Event>) -> Result<(), BackendError> {
        events.append(&mut self.events);
        Ok(())
    }

    fn totals(&mut self, meter: usize) -> Result<Totals, BackendError> {
        Ok(self.line(meter, "totals")?.totals)
    }
}
