// SPDX-License-Identifier: MIT OR Apache-2.0
//! The filter wherever it runs: in the kernel, or the same function in this process.

use std::sync::Mutex;

use gasd_abi::{
    FilterConfig, FilterState, Outcome, Totals, filter,
    outcome::{PULSE, RESYNC, STORM},
    records::{EVENT_PULSE, EVENT_RESYNC, EVENT_STORM, EVENT_TICK, Event, MAX_LINES},
};

use crate::kernel::{Kernel, KernelError};

use super::queue::{Input, Queue};

/// A bank of lines with the filter behind it. Steps return the outcome's flags.
pub trait LineFilter: Send + Sync {
    /// Finds the line of a key, or gives it a free one, and makes these its settings. The line's state
    /// and counters stay.
    ///
    /// # Errors
    /// [`KernelError::NoFreeLine`] when every line has a key, or what the kernel said.
    fn assign(&self, key: u64, filter: FilterConfig, flags: u32) -> Result<u32, KernelError>;
    /// An interrupt of a line that no chip feeds.
    fn edge(&self, line: u32, t_ns: u64) -> Result<u32, KernelError>;
    /// The line's real level, read at `t_ns` when `edges` interrupts had been seen.
    fn sample(&self, line: u32, t_ns: u64, level: bool, edges: u64) -> Result<u32, KernelError>;
    /// What time it is on a line that no chip feeds.
    fn tick(&self, line: u32, t_ns: u64) -> Result<u32, KernelError>;
    /// A line's state.
    fn state(&self, line: u32) -> FilterState;
    /// A line's counters.
    fn totals(&self, line: u32) -> Result<Totals, KernelError>;
    /// Names the counters; new when they begin at zero.
    fn generation(&self) -> [u64; 2];
}

impl LineFilter for Kernel {
    fn assign(&self, key: u64, filter: FilterConfig, flags: u32) -> Result<u32, KernelError> {
        Kernel::assign(self, key, filter, flags)
    }
    fn edge(&self, line: u32, t_ns: u64) -> Result<u32, KernelError> {
        Kernel::edge(self, line, t_ns)
    }
    fn sample(&self, line: u32, t_ns: u64, level: bool, edges: u64) -> Result<u32, KernelError> {
        Kernel::sample(self, line, t_ns, level, edges)
    }
    fn tick(&self, line: u32, t_ns: u64) -> Result<u32, KernelError> {
        Kernel::tick(self, line, t_ns)
    }
    fn state(&self, line: u32) -> FilterState {
        Kernel::state(self, line)
    }
    fn totals(&self, line: u32) -> Result<Totals, KernelError> {
        Kernel::totals(self, line)
    }
    fn generation(&self) -> [u64; 2] {
        Kernel::generation(self)
    }
}

#[derive(Clone, Copy)]
struct UserLine {
    key: u64,
    config: FilterConfig,
    state: FilterState,
    totals: Totals,
}

/// The filter in this process: nothing is counted while the daemon is down.
pub struct UserBank {
    lines: Mutex<Vec<UserLine>>,
    queue: Queue,
    generation: [u64; 2],
}

impl UserBank {
    /// A bank without a line; see [`LineFilter::assign`]. `generation` must be new.
    #[must_use]
    pub fn new(queue: Queue, generation: [u64; 2]) -> Self {
        Self { lines: Mutex::new(Vec::new()), queue, generation }
    }

    fn step(
        &self,
        line: u32,
        t_ns: u64,
        edge: bool,
        step: impl Fn(&FilterConfig, &mut FilterState) -> Outcome,
    ) -> u32 {
        let mut lines = self.lines.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let Some(l) = lines.get_mut(line as usize) else { return 0 };
        let out = step(&l.config, &mut l.state);
        l.totals.apply(edge, &out);
        for (flag, kind) in [(PULSE, EVENT_PULSE), (STORM, EVENT_STORM), (RESYNC, EVENT_RESYNC)] {
            if out.has(flag) {
                let st = &l.state;
                let event = Event {
                    kind,
                    line,
                    seq: st.accepted,
                    t_ns: if kind == EVENT_PULSE { st.pulse_ns } else { t_ns },
                    decided_ns: st.decided_ns,
                    interval_ns: st.interval_ns,
                    edges: st.edges,
                };
                l.totals.overrun += u64::from(!self.queue.push(Input::Event(event)));
            }
        }
        out.flags
    }
}

impl LineFilter for UserBank {
    fn assign(&self, key: u64, filter: FilterConfig, _flags: u32) -> Result<u32, KernelError> {
        let mut lines = self.lines.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let at = match lines.iter().position(|line| line.key == key) {
            Some(at) => at,
            None if lines.len() < MAX_LINES as usize => {
                let (state, totals) = (FilterState::default(), Totals::default());
                lines.push(UserLine { key, config: filter, state, totals });
                lines.len() - 1
            }
            None => return Err(KernelError::NoFreeLine(MAX_LINES)),
        };
        lines[at].config = filter;
        Ok(at as u32)
    }
    fn edge(&self, line: u32, t_ns: u64) -> Result<u32, KernelError> {
        Ok(self.step(line, t_ns, true, |c, s| filter::edge(c, s, t_ns)))
    }
    fn sample(&self, line: u32, t_ns: u64, level: bool, edges: u64) -> Result<u32, KernelError> {
        Ok(self.step(line, t_ns, false, |c, s| filter::sample(c, s, t_ns, u8::from(level), edges)))
    }
    fn tick(&self, line: u32, t_ns: u64) -> Result<u32, KernelError> {
        let event = Event { kind: EVENT_TICK, line, t_ns, ..Event::default() };
        self.queue.push_wait(Input::Event(event));
        Ok(0)
    }
    fn state(&self, line: u32) -> FilterState {
        let lines = self.lines.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        lines.get(line as usize).map(|l| l.state).unwrap_or_default()
    }
    fn totals(&self, line: u32) -> Result<Totals, KernelError> {
        let lines = self.lines.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        Ok(lines.get(line as usize).map(|l| l.totals).unwrap_or_default())
    }
    fn generation(&self) -> [u64; 2] {
        self.generation
    }
}
