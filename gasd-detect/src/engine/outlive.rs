// SPDX-License-Identifier: MIT OR Apache-2.0
//! An engine that outlives its process.

use super::{Engine, EngineConfig, limit};
use crate::state::{self, State, StateError};
use crate::windows::episode::Episode;
use crate::windows::implausible::Implausible;
use crate::windows::track::Track;

impl Engine {
    /// The state as bytes, at most 4 KiB; what waits to be said is not in it.
    #[must_use]
    pub fn save(&self) -> Vec<u8> {
        state::seal(self.pulse_volume_ul, |out| {
            self.track.save(out);
            self.episode.save(out);
            self.implausible.save(out);
            self.storm_said_ns.save(out);
            self.home.save(out);
            self.inputs.save(out);
        })
    }

    /// Any bytes as the inside of a state, with a check sum that fits: for those who test what reads it.
    #[doc(hidden)]
    #[must_use]
    pub fn seal_for_test(pulse_volume_ul: u64, body: &[u8]) -> Vec<u8> {
        state::seal(pulse_volume_ul, |out| out.extend_from_slice(body))
    }

    /// An engine that goes on where [`Engine::save`] was called, on the same clock. Rules, thresholds and
    /// civil time are the configuration's and the caller's.
    ///
    /// # Errors
    /// [`StateError`] says why the state cannot be taken; begin with [`Engine::new`] then.
    pub fn restore(cfg: EngineConfig, bytes: &[u8]) -> Result<Self, StateError> {
        let mut body = state::open(bytes, cfg.pulse_volume_ul)?;
        let from = &mut body;
        let mut engine = Self::new(cfg);
        let mut load = || {
            engine.track.load(from)?;
            engine.episode = State::load(from)?;
            engine.implausible = State::load(from)?;
            engine.storm_said_ns = State::load(from)?;
            engine.home = State::load(from)?;
            engine.inputs = State::load(from)?;
            from.is_empty().then_some(())
        };
        load().ok_or(StateError::Damaged)?;
        Ok(engine)
    }

    /// The clock is another one since the state was saved: what it called t is now t + `by_ns`. Windows and
    /// open intervals are forgotten, what was learned stays.
    pub fn clock_moved(&mut self, by_ns: i64) {
        let limit = limit(self.max_flow_ul_per_h, self.thresholds);
        self.track = Track::new(self.pulse_volume_ul, limit);
        self.episode = Episode::default();
        self.implausible = Implausible::default();
        self.storm_said_ns = None;
        self.home.shift(by_ns);
        self.advisor.forget();
        self.inputs = self.inputs.restarted();
    }
}
