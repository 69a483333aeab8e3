// SPDX-License-Identifier: MIT OR Apache-2.0
//! Plays a trace on the meters that have no chip, through the filter wherever it runs: edges when
//! they happened (or as many times faster as asked), the level when the filter wants it.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use gasd_abi::{FilterState, Totals, outcome::PULSE, records::Event};

use crate::{
    config::{Config, MeterConfig},
    exit::{self, Fatal},
    kernel::sys::boottime_ns,
    pipeline::{filter::LineFilter, latency::Latencies},
    replay::{BackendError, FilterBackend, Row, household::Household, linemodel::LineModel, trace},
};

/// Name of the built-in trace.
pub const HOUSEHOLD: &str = "household";
/// Shortest sleep, and how often lines are read in a pause.
const STEP: Duration = Duration::from_millis(5);
/// How often a player's lines are told the time.
pub const TICK_NS: u64 = 1_000_000_000;
/// Time that runs on after the last row, so that what is pending is decided.
const AFTERMATH_NS: u64 = 40_000_000_000;

/// What to play and how fast.
#[derive(Clone, Debug)]
pub struct Play {
    trace: String,
    speed: f64,
}

impl Play {
    /// Checks that the trace can be opened.
    ///
    /// # Errors
    /// [`Fatal`] naming the file or the speed.
    pub fn new(trace: &str, speed: f64) -> Result<Self, Fatal> {
        if !(0.01..=100_000.0).contains(&speed) {
            return Err(Fatal::new(exit::BAD_INPUT, format!("--speed {speed}: expected 0.01 to 100000")));
        }
        if trace != HOUSEHOLD {
            trace::open(Path::new(trace)).map_err(|e| Fatal::new(exit::BAD_INPUT, e.to_string()))?;
        }
        Ok(Self { trace: trace.to_owned(), speed })
    }
}

/// A meter without a chip.
#[derive(Clone, Debug)]
pub struct Target {
    /// The trace's line.
    pub trace_line: u32,
    /// Index of the meter in the configuration.
    pub meter: usize,
    /// Index of the line in the filter.
    pub line: u32,
    model: LineModel,
}

impl Target {
    /// A line of its own that is played with a meter's settings.
    #[must_use]
    pub fn of(meter: &MeterConfig, line: u32) -> Target {
        let model = LineModel::new(0, meter.filter.abi, meter.filter.poll_ns);
        Target { trace_line: trace_line(meter), meter: 0, line, model }
    }
}

/// The line that a trace of this meter has; the first one where the meter has none.
#[must_use]
pub fn trace_line(meter: &MeterConfig) -> u32 {
    meter.source.trace_line().unwrap_or(0)
}

/// The meters that a trace plays on.
#[must_use]
pub fn targets(config: &Config, lines: &[u32]) -> Vec<Target> {
    let mut found = Vec::new();
    for (meter, (m, &line)) in config.meters.iter().zip(lines).enumerate() {
        if m.source.is_simulated() {
            let model = LineModel::new(found.len(), m.filter.abi, m.filter.poll_ns);
            found.push(Target { trace_line: trace_line(m), meter, line, model });
        }
    }
    found
}

/// What a player needs from the house.
pub struct House {
    /// Whether gas can flow through the meter with this index: its valve is not closed.
    pub gas_flows: Box<dyn Fn(usize) -> bool + Send>,
    /// Where moments are noted.
    pub latencies: Arc<Latencies>,
    /// Ends the play.
    pub stop: Arc<AtomicBool>,
    /// When it ends at the latest.
    pub until: Option<Instant>,
}

/// Steps of the player's lines, at the clock's time.
struct Stage<'a> {
    bank: &'a dyn LineFilter,
    lines: Vec<u32>,
    latencies: &'a Latencies,
}

impl Stage<'_> {
    fn step(
        &self,
        meter: usize,
        what: &'static str,
        step: impl Fn(u32) -> Result<u32, crate::kernel::KernelError>,
    ) -> Result<(), BackendError> {
        let line = self.lines.get(meter).copied().unwrap_or(u32::MAX);
        // The number of the pulse that this step may decide; nobody else steps this line.
        let before = boottime_ns();
        let next = self.bank.state(line).accepted + 1;
        self.latencies.mark(line, next, before);
        match step(line) {
            Ok(flags) => {
                if flags & PULSE == 0 {
                    self.latencies.mark(line, next, 0);
                }
                Ok(())
            }
            Err(error) => Err(BackendError { meter, what, why: error.to_string() }),
        }
    }
}

impl FilterBackend for Stage<'_> {
    fn edge(&mut self, meter: usize, t_ns: u64) -> Result<(), BackendError> {
        self.step(meter, "an edge", |line| self.bank.edge(line, t_ns))
    }

    fn sample(&mut self, meter: usize, t_ns: u64, level: u8, edges: u64) -> Result<(), BackendError> {
        // The replay's edges begin at zero, the kernel's go on from before.
        let _ = edges;
        self.step(meter, "a reading", |line| {
            self.bank.sample(line, t_ns, level != 0, self.bank.state(line).edges)
        })
    }

    fn state(&mut self, meter: usize) -> Result<FilterState, BackendError> {
        Ok(self.bank.state(self.lines.get(meter).copied().unwrap_or(u32::MAX)))
    }

    fn drain(&mut self, _: &mut Vec<Event>) -> Result<(), BackendError> {
        // The daemon's own threads work off the events.
        Ok(())
    }

    fn totals(&mut self, meter: usize) -> Result<Totals, BackendError> {
        let line = self.lines.get(meter).copied().unwrap_or(u32::MAX);
        self.bank.totals(line).map_err(|e| BackendError { meter, what: "counters", why: e.to_string() })
    }
}

/// Plays until the trace ends or the house says stop.
///
/// # Errors
/// In words, for the log: a bad row, or a step that the kernel refused.
pub fn play(play: &Play, targets: &[Target], bank: &dyn LineFilter, house: &House) -> Result<(), String> {
    let mut lines: Vec<Target> = targets.to_vec();
    // Times go on where the lines' own times are; a play before this one may have run ahead.
    let last = lines.iter().map(|t| bank.state(t.line).since_ns).max().unwrap_or(0);
    let base = boottime_ns().max(last + TICK_NS);
    if play.trace == HOUSEHOLD {
        let line = lines.first().map_or(1, |t| t.trace_line);
        let rows = Household::new(line).map(Ok);
        return play_rows(play.speed, &mut lines, bank, house, base, AFTERMATH_NS, rows).map(drop);
    }
    let rows = trace::open(Path::new(&play.trace)).map_err(|e| e.to_string())?;
    let rows = rows.map(|r| r.map_err(|e| e.to_string()));
    play_rows(play.speed, &mut lines, bank, house, base, AFTERMATH_NS, rows).map(drop)
}

/// Plays rows, the first at `base` of the lines' own time, and lets `aftermath_ns` pass after the last.
/// Returns whether it came to their end.
///
/// # Errors
/// In words: a bad row, or a step that the kernel refused.
pub fn play_rows(
    speed: f64,
    lines: &mut [Target],
    bank: &dyn LineFilter,
    house: &House,
    base: u64,
    aftermath_ns: u64,
    rows: impl Iterator<Item = Result<Row, String>>,
) -> Result<bool, String> {
    let mut on = Stage { bank, lines: lines.iter().map(|t| t.line).collect(), latencies: &house.latencies };
    let stage = &mut on;
    let mut clock = Clock { started: Instant::now(), speed, base, next_tick: base };
    let mut first = None;
    let mut end = base;
    for row in rows {
        let row = row?;
        let t = base + (row.t_ns - *first.get_or_insert(row.t_ns));
        end = t;
        if !clock.wait(t, lines, stage, house)? {
            return Ok(false);
        }
        for target in lines.iter_mut().filter(|l| l.trace_line == row.line) {
            // Behind a closed valve the meter stands still, in whatever position it is.
            if (house.gas_flows)(target.meter) {
                target.model.row(stage, base, t, row.level).map_err(|e| e.to_string())?;
            }
        }
    }
    clock.wait(end + aftermath_ns, lines, stage, house)
}

struct Clock {
    started: Instant,
    speed: f64,
    base: u64,
    next_tick: u64,
}

impl Clock {
    /// Lets time pass up to `until`; `false` when the house said stop.
    fn wait(
        &mut self,
        until: u64,
        lines: &mut [Target],
        stage: &mut Stage<'_>,
        house: &House,
    ) -> Result<bool, String> {
        loop {
            let late = house.until.is_some_and(|until| Instant::now() >= until);
            if late || house.stop.load(Ordering::Relaxed) {
                return Ok(false);
            }
            let now = self.base + (self.started.elapsed().as_nanos() as f64 * self.speed) as u64;
            let now = now.min(until);
            while self.next_tick <= now {
                for target in lines.iter_mut() {
                    target.model.run(stage, self.next_tick).map_err(|e| e.to_string())?;
                    stage.bank.tick(target.line, self.next_tick).map_err(|e| e.to_string())?;
                }
                self.next_tick += TICK_NS;
            }
            for target in lines.iter_mut() {
                target.model.run(stage, now).map_err(|e| e.to_string())?;
            }
            if now >= until {
                return Ok(true);
            }
            let left = Duration::from_nanos(((until - now) as f64 / self.speed) as u64);
            thread::sleep(left.min(STEP));
        }
    }
}
