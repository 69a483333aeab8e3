// SPDX-License-Identifier: MIT OR Apache-2.0
//! Watching a meter's line: reading its level when the filter wants it, polling it while it is
//! settled, and finding it again when its chip comes back.

use std::{thread, time::Duration};

use gasd_abi::{filter, outcome::STALE};

use crate::{
    config::{FilterSettings, GpioLine},
    kernel::sys::boottime_ns,
    ports::gpio::{GpioError, InputLine},
};

use super::filter::LineFilter;

/// Least time between two readings of one line.
const READ_GAP_NS: u64 = 500_000;
/// How long the interrupt of a change that was just read may be on its way. An edge that comes within
/// it makes the reading stale, as it should be.
const INTERRUPT_DELAY: Duration = Duration::from_micros(50);
/// How long to wait before a reading that contradicts the edges is believed.
const SECOND_LOOK: Duration = Duration::from_micros(200);
/// How often a missing chip is looked for.
const RETRY_NS: u64 = 1_000_000_000;

/// What a visit found out.
#[derive(Debug)]
pub enum Found {
    /// Nothing new.
    Nothing,
    /// The line is lost or cannot be read, in words.
    Lost(String),
    /// The line works, again or for the first time.
    Back,
}

/// A meter's line.
#[derive(Debug)]
pub struct Watch {
    /// The meter's id.
    pub id: String,
    /// Index of the line in the filter.
    pub line: u32,
    /// Its filter.
    pub settings: FilterSettings,
    /// Where it is.
    pub gpio: GpioLine,
    /// The line itself, while it is there.
    pub io: Option<InputLine>,
    next_poll_ns: u64,
    not_before_ns: u64,
    /// The last reading could not be handed to the filter.
    failing: bool,
}

impl Watch {
    /// Watches a line; `io` is `None` while its chip is missing.
    #[must_use]
    pub fn new(
        id: String,
        line: u32,
        settings: FilterSettings,
        gpio: GpioLine,
        io: Option<InputLine>,
    ) -> Self {
        Self { id, line, settings, gpio, io, next_poll_ns: 0, not_before_ns: 0, failing: false }
    }

    /// Does what is due at `now`. Returns when to come again and what was found.
    ///
    /// `attach` makes a line that came back count: it finds the interrupt and maps it.
    pub fn visit(
        &mut self,
        bank: &dyn LineFilter,
        now: u64,
        attach: &mut dyn FnMut(&Watch, &InputLine) -> Result<(), String>,
    ) -> (u64, Found) {
        let Some(io) = &self.io else { return self.look_for_line(now, attach) };
        let state = bank.state(self.line);
        let wanted = filter::due(&self.settings.abi, &state).map_or(u64::MAX, |t| t.max(self.not_before_ns));
        let at = wanted.min(self.next_poll_ns);
        if now < at {
            return (at, Found::Nothing);
        }
        let level = match io.level() {
            Ok(level) => level,
            Err(error) => return self.lose(now, &error),
        };
        let t = boottime_ns();
        let contradicts = u8::from(level) != state.level;
        thread::sleep(if contradicts { SECOND_LOOK } else { INTERRUPT_DELAY });
        if bank.state(self.line).edges != state.edges {
            return (boottime_ns(), Found::Nothing);
        }
        if contradicts && !matches!(io.level(), Ok(again) if again == level) {
            return (boottime_ns(), Found::Nothing);
        }
        self.next_poll_ns = t + self.settings.poll_ns;
        self.not_before_ns = t + READ_GAP_NS;
        match bank.sample(self.line, t, level, state.edges) {
            Ok(flags) if flags & STALE != 0 => {
                self.next_poll_ns = t;
                (t, Found::Nothing)
            }
            Ok(_) => {
                let due = filter::due(&self.settings.abi, &bank.state(self.line));
                let next = due.map_or(u64::MAX, |d| d.max(self.not_before_ns));
                let found = if self.failing { Found::Back } else { Found::Nothing };
                self.failing = false;
                (next.min(self.next_poll_ns), found)
            }
            Err(error) => {
                self.failing = true;
                (self.next_poll_ns, Found::Lost(error.to_string()))
            }
        }
    }

    fn lose(&mut self, now: u64, error: &GpioError) -> (u64, Found) {
        self.io = None;
        self.failing = false;
        self.next_poll_ns = now + RETRY_NS;
        (self.next_poll_ns, Found::Lost(error.to_string()))
    }

    fn look_for_line(
        &mut self,
        now: u64,
        attach: &mut dyn FnMut(&Watch, &InputLine) -> Result<(), String>,
    ) -> (u64, Found) {
        if now < self.next_poll_ns {
            return (self.next_poll_ns, Found::Nothing);
        }
        self.next_poll_ns = now + RETRY_NS;
        let io = match InputLine::request(&self.gpio, &self.id) {
            Ok(io) => io,
            Err(error) => return (self.next_poll_ns, Found::Lost(error.to_string())),
        };
        if let Err(why) = attach(self, &io) {
            return (self.next_poll_ns, Found::Lost(why));
        }
        self.io = Some(io);
        self.next_poll_ns = now;
        (now, Found::Back)
    }
}
