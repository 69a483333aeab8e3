// SPDX-License-Identifier: MIT OR Apache-2.0
//! A register that outlives its process, and its clock.

use super::late::Lateness;
use super::{Readings, ReadingsConfig, ReadingsError};
use crate::engine::Engine;
use crate::state::{self, State, StateError};

/// Why a stored state cannot be gone on from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestoreError {
    /// The configuration is none.
    Config(ReadingsError),
    /// The state cannot be taken.
    State(StateError),
}

impl core::fmt::Display for RestoreError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Config(why) => why.fmt(f),
            Self::State(why) => why.fmt(f),
        }
    }
}

impl core::error::Error for RestoreError {}

impl Readings {
    /// Register and engine as bytes, at most 4 KiB.
    #[must_use]
    pub fn save(&self) -> Vec<u8> {
        let front = state::seal(self.cfg.resolution_ul, |out| {
            self.last.save(out);
            self.line.save(out);
            self.carried_ul.save(out);
            self.counts.save(out);
            self.faults.save(out);
            self.exchanged.save(out);
            self.adrift.save(out);
            self.valve_moved.save(out);
            self.doubtful.save(out);
            self.held.save(out);
            self.trusted.save(out);
            self.moved_ns.save(out);
        });
        let mut all = Vec::with_capacity(state::MOST);
        (front.len() as u16).save(&mut all);
        all.extend_from_slice(&front);
        all.extend_from_slice(&self.engine.save());
        all
    }

    /// Goes on where [`Readings::save`] was called, on the same clock.
    ///
    /// # Errors
    /// [`RestoreError`] says why not; begin with [`Readings::new`] then. A state of another quantum (another
    /// resolution, or an interval that asks for a coarser one) is refused.
    pub fn restore(cfg: ReadingsConfig, bytes: &[u8]) -> Result<Self, RestoreError> {
        let state = RestoreError::State;
        let mut rest = bytes;
        let len = u16::load(&mut rest).ok_or(state(StateError::NotAState))?;
        let (front, engine) = rest.split_at_checked(usize::from(len)).ok_or(state(StateError::NotAState))?;
        let (mut body, _) = state::open(front, cfg.resolution_ul).map_err(state)?;
        let cfg = *cfg.checked().map_err(RestoreError::Config)?;
        let engine = Engine::restore(Self::engine_config(&cfg), engine).map_err(state)?;
        let mut readings = Self::around(cfg, engine);
        let from = &mut body;
        let mut load = || {
            readings.last = State::load(from)?;
            readings.line = State::load(from)?;
            readings.carried_ul = u64::load(from).filter(|ul| *ul < readings.quantum_ul)?;
            readings.counts = State::load(from)?;
            readings.faults = State::load(from)?;
            readings.exchanged = State::load(from)?;
            readings.adrift = State::load(from)?;
            readings.valve_moved = State::load(from)?;
            readings.doubtful = State::load(from)?;
            readings.held = State::load(from)?;
            readings.trusted = State::load(from)?;
            readings.moved_ns = State::load(from)?;
            from.is_empty().then_some(())
        };
        load().ok_or(state(StateError::Damaged))?;
        Ok(readings)
    }

    /// The register showed `register_ul` (µL) at `t_ns` when it was read last, as somebody knows who wrote it down
    /// more often than this state. What passed up to there is not this state's to count; how it flowed is not known.
    pub fn resume(&mut self, register_ul: u64, t_ns: u64) {
        if self.last == Some((register_ul, t_ns)) {
            return;
        }
        if self.last.is_some() {
            self.engine.missed(1, t_ns);
        }
        self.last = Some((register_ul, t_ns));
        self.line = super::Line::default();
        (self.held, self.trusted, self.doubtful, self.exchanged) = (None, false, false, false);
        (self.moved_ns, self.late) = (t_ns, Lateness::UNKNOWN);
    }

    /// The clock is another one since the last reading: what it called t is now t + `by_ns`. How long it is to
    /// the next reading is not known for sure then, so what passes until it is counted and no rate follows.
    pub fn clock_moved(&mut self, by_ns: i64) {
        self.engine.clock_moved(by_ns);
        if let Some((_, t_ns)) = &mut self.last {
            *t_ns = t_ns.saturating_add_signed(by_ns);
        }
        self.moved_ns = self.moved_ns.saturating_add_signed(by_ns);
        (self.held, self.trusted, self.late) = (None, false, Lateness::UNKNOWN);
        self.line = super::Line::default();
        self.faults.shift(by_ns);
        self.adrift = self.last.is_some();
    }

    /// Any bytes as the inside of a stored register, with a check sum that fits: for those who test what reads
    /// it.
    #[doc(hidden)]
    #[must_use]
    pub fn seal_for_test(&self, body: &[u8]) -> Vec<u8> {
        let front = state::seal(self.cfg.resolution_ul, |out| out.extend_from_slice(body));
        let mut all = Vec::new();
        (front.len() as u16).save(&mut all);
        all.extend_from_slice(&front);
        all.extend_from_slice(&self.engine.save());
        all
    }
}
