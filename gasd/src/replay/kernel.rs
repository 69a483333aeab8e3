// SPDX-License-Identifier: MIT OR Apache-2.0
//! A replay through the real kernel programs: each step is one run of the raw_tp twin, pulses come
//! back by the ring.

use gasd_abi::{
    FilterState, Totals,
    records::{Event, LINE_SIMULATED, meter_key},
};

use crate::{
    config::Config,
    kernel::{Events, Kernel, KernelError},
};

use super::backend::{BackendError, FilterBackend};

/// The kernel's filter, one line for each meter.
pub struct KernelFilter {
    kernel: Kernel,
    events: Events,
    lines: Vec<u32>,
}

impl KernelFilter {
    /// Gives each meter a line of a freshly loaded generation.
    ///
    /// # Errors
    /// [`KernelError`].
    pub fn new(kernel: Kernel, config: &Config) -> Result<Self, KernelError> {
        let events = Events::open(kernel.pins())?;
        let mut lines = Vec::new();
        for meter in &config.meters {
            lines.push(kernel.assign(meter_key(&meter.id), meter.filter.abi, LINE_SIMULATED)?);
        }
        Ok(Self { kernel, events, lines })
    }

    fn line(&self, meter: usize) -> u32 {
        self.lines.get(meter).copied().unwrap_or(u32::MAX)
    }
}

fn failed(meter: usize, what: &'static str) -> impl Fn(KernelError) -> BackendError {
    move |error| BackendError { meter, what, why: error.to_string() }
}

impl FilterBackend for KernelFilter {
    fn edge(&mut self, meter: usize, t_ns: u64) -> Result<(), BackendError> {
        self.kernel.edge(self.line(meter), t_ns).map(drop).map_err(failed(meter, "edge"))
    }

    fn sample(&mut self, meter: usize, t_ns: u64, level: u8, edges: u64) -> Result<(), BackendError> {
        self.kernel
            .sample(self.line(meter), t_ns, level != 0, edges)
            .map(drop)
            .map_err(failed(meter, "sample"))
    }

    fn state(&mut self, meter: usize) -> Result<FilterState, BackendError> {
        Ok(self.kernel.state(self.line(meter)))
    }

    fn drain(&mut self, events: &mut Vec<Event>) -> Result<(), BackendError> {
        while let Some(mut event) = self.events.take() {
            if let Some(meter) = self.lines.iter().position(|&l| l == event.line) {
                // The replay names lines by their meters.
                event.line = meter as u32;
                events.push(event);
            }
        }
        Ok(())
    }

    fn totals(&mut self, meter: usize) -> Result<Totals, BackendError> {
        self.kernel.totals(self.line(meter)).map_err(failed(meter, "counters"))
    }
}
