// SPDX-License-Identifier: MIT OR Apache-2.0
//! An engine that outlives its process.

use super::{Engine, EngineConfig, limit};
use crate::state::{self, State, StateError};
use crate::windows::episode::Episode;
use crate::windows::implausible::Implausible;
use crate::windows::track::Track;

/// What an engine has seen since its state was stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum SinceStored {
    /// Something: it runs.
    #[default]
    Seen,
    /// Nothing: it was restored.
    Nothing,
    /// Nothing, in another process on the same clock.
    Restarted,
}

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
            self.home.oddity.save(out);
            self.home.oddity.earlier.save(out);
            self.home.oddity.kept.save(out);
            self.home.base.leaks.save(out);
            self.home.runs.save(out);
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
        let (mut body, version) = state::open(bytes, cfg.pulse_volume_ul)?;
        let from = &mut body;
        let mut engine = Self::new(cfg);
        let mut load = || {
            engine.track.load(from)?;
            engine.episode = State::load(from)?;
            engine.implausible = State::load(from)?;
            engine.storm_said_ns = State::load(from)?;
            engine.home = State::load(from)?;
            engine.inputs = State::load(from)?;
            match version {
                3 => engine.home.know_no_oddity(),
                _ => engine.home.oddity = State::load(from)?,
            }
            if version > 4 {
                engine.home.oddity.earlier = State::load(from)?;
            }
            if version > 5 {
                engine.home.oddity.kept = State::load(from)?;
                engine.home.base.leaks = State::load(from)?;
                engine.home.runs = State::load(from)?;
            } else {
                engine.home.oddity.lose_earlier();
            }
            from.is_empty().then_some(())
        };
        load().ok_or(StateError::Damaged)?;
        engine.since_stored = SinceStored::Nothing;
        Ok(engine)
    }

    /// The clock is another one since the state was saved: what it called t is now t + `by_ns`. Windows and
    /// open intervals are forgotten, what was learned stays.
    ///
    /// With 0 an engine that was just restored has another process and the same clock: a use under way goes on, unless
    /// the first pulse or tick shows that pulses were missed or that nobody watched for long. One that runs forgets
    /// what is under way, as with any other clock.
    pub fn clock_moved(&mut self, by_ns: i64) {
        let limit = limit(self.max_flow_ul_per_h, self.thresholds);
        self.track = Track::new(self.pulse_volume_ul, limit);
        self.episode = Episode::default();
        self.implausible = Implausible::default();
        self.storm_said_ns = None;
        // Pulses that were drawn between readings have times that readings give them.
        if by_ns == 0 && self.poll_ns == 0 && self.since_stored != SinceStored::Seen {
            self.since_stored = SinceStored::Restarted;
        } else {
            self.since_stored = SinceStored::Seen;
            self.home.shift(by_ns);
        }
        self.advisor.forget();
        self.inputs = self.inputs.restarted();
    }

    /// Time has come to `now_ns`, with a pulse or without.
    #[inline]
    pub(super) fn resume(&mut self, now_ns: u64) {
        if self.since_stored == SinceStored::Seen {
            return;
        }
        if core::mem::take(&mut self.since_stored) == SinceStored::Restarted {
            let grain = self.limits().grain();
            self.home.resume(now_ns, grain);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::DEFAULT_THRESHOLDS_M3_PER_H;
    use crate::profile::Profile;
    use crate::units::SECOND_NS;

    #[test]
    fn what_an_engine_of_an_earlier_version_learned_is_known() {
        let cfg = EngineConfig {
            pulse_volume_ul: 10_000_000,
            max_flow_ul_per_h: 6_000_000_000,
            thresholds_m3_per_h: DEFAULT_THRESHOLDS_M3_PER_H,
            rules: Profile::EuG4.rules(),
        };
        let mut engine = Engine::new(cfg);
        engine.set_civil_offset(1_700_000_000 * SECOND_NS as i64);
        for t in (0..40 * 24u64).map(|h| (h * 3600 + 1) * SECOND_NS) {
            engine.pulse(t, t);
        }
        let (mut beside, mut earlier, mut newest) = (Vec::new(), Vec::new(), Vec::new());
        engine.home.oddity.save(&mut beside);
        engine.home.oddity.earlier.save(&mut earlier);
        engine.home.oddity.kept.save(&mut newest);
        engine.home.base.leaks.save(&mut newest);
        engine.home.runs.save(&mut newest);
        let new = engine.save();
        let (inside, _) = state::open(&new, cfg.pulse_volume_ul).unwrap();
        let restored = |version, without: usize| {
            let old = state::seal_as(version, cfg.pulse_volume_ul, |out| {
                out.extend_from_slice(&inside[..inside.len() - without]);
            });
            Engine::restore(cfg, &old).unwrap()
        };
        engine.home.runs = Default::default();
        assert_eq!(restored(5, newest.len()).save(), engine.save(), "runs are learned anew");
        assert_eq!(restored(4, newest.len() + earlier.len()).save(), engine.save(), "no use was under way");
        let restored = restored(3, newest.len() + earlier.len() + beside.len());
        assert_eq!(restored.days_learned(), engine.days_learned());
        engine.home.know_no_oddity();
        assert_eq!(restored.save(), engine.save());
        let cut = state::seal_as(3, cfg.pulse_volume_ul, |out| out.extend_from_slice(inside));
        assert_eq!(Engine::restore(cfg, &cut).err(), Some(StateError::Damaged));
    }
}
