// SPDX-License-Identifier: MIT OR Apache-2.0
//! Readings of a register, at any interval, as a source of an [`Engine`].
//!
//! The increment between two readings is drawn as a line (`line`), and where the line crosses a multiple of the
//! quantum the engine is given a pulse; so every layer judges the same flow. What the drawing must not do:
//!
//! * **lose or make volume**: quanta are counted on the register, the line only says when; what is left is carried;
//! * **invent a rate**: the line bends as little as the readings allow. A mean is a lower bound of the highest
//!   flow, so it may prove that too much flowed; over a gap (lost readings) it does nothing else, and the engine
//!   is told that it has missed the volume;
//! * **invent or hide a rest**: an interval without an increment has no pulse, and the engine's time stands still
//!   between readings, so no pulse is ever due that could not have come;
//! * **take a register that is renewed less often than it is read for one that leaps**: what it moves by has passed since
//!   it moved before, and proves the mean over that time and no more;
//! * **take what comes late for what passes now**: what a meter tells by itself after a silence it may have kept (`late`);
//! * **blame the valve for what passed before**: an interval in which it moved is missed as a whole;
//! * **take a broken sensor for gas**: what would close a valve waits for a second reading, and so does what is more
//!   than can pass when nobody knows how long it was; a register that leaps or falls is said to, and the interval
//!   after it is missed as well, because one that comes and goes only came back.
//!
//! What only single appliances or hours would show is left out where the readings are too far apart for it
//! (`config`), and [`Sight`] says it.

mod ask;
mod config;
mod counts;
mod faults;
mod held;
mod late;
mod line;
mod outlive;
mod register;
mod sight;
mod tell;

pub use config::{CheckedReadings, ReadingsConfig, ReadingsError};
pub use counts::Counts;
pub use outlive::RestoreError;
pub use sight::{Blind, Sight};

pub(crate) use config::SHARP_NS;

use config::MOST_QUANTA;
use faults::Faults;
use held::{Held, Sure};
use late::Lateness;
use line::Line;
use register::{Move, Register};

use crate::engine::{Engine, EngineConfig};
use crate::verdict::Verdict;

/// What became of a reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// The first of its register: what it shows has passed long ago.
    First,
    /// What passed since the last one was judged.
    Judged,
    /// What passed since the last one is counted, but nobody knows how it flowed.
    Missed,
    /// So much that it may close a valve: it waits for the next reading, which should be made now.
    Held,
    /// The same value at the same time again.
    Duplicate,
    /// Another value at the same time; the first one stands.
    Conflict,
    /// Older than the last one; ignored.
    Late,
    /// The register went back: it counts from there, and nothing is known of the time before.
    Fell,
    /// The register went further than gas can pass: it counts from there.
    Leapt,
}

/// A register, and the engine that judges what it shows.
///
/// Times are ns of one clock that does not jump; see [`Readings::clock_moved`].
#[derive(Clone, Debug)]
pub struct Readings {
    cfg: ReadingsConfig,
    quantum_ul: u64,
    engine: Engine,
    /// The last reading: what the register showed, µL, and when, ns.
    last: Option<(u64, u64)>,
    line: Line,
    /// What has passed and is less than a quantum, µL.
    carried_ul: u64,
    counts: Counts,
    faults: Faults,
    /// The register is another one from the next reading on.
    exchanged: bool,
    /// The clock is another one since the last reading.
    adrift: bool,
    /// The valve has moved since then.
    valve_moved: bool,
    /// The last reading was a fault: a register that comes and goes may have come back.
    doubtful: bool,
    /// A reading that waits for the next one.
    held: Option<Held>,
    /// The last one that waited was confirmed, and it goes on.
    trusted: bool,
    /// The last reading at which the register had moved, ns: one that is renewed less often than it is read shows only
    /// then what has passed since it did so before.
    moved_ns: u64,
    /// How old the last reading may be. It is not stored: after a restart nobody knows.
    late: Lateness,
}

impl Readings {
    /// A register that was never read.
    ///
    /// # Errors
    /// [`ReadingsError`] says what cannot be.
    pub fn new(cfg: ReadingsConfig) -> Result<Self, ReadingsError> {
        cfg.checked().map(Self::of)
    }

    /// A register that was never read, of a configuration that was checked before.
    #[must_use]
    pub fn of(checked: CheckedReadings) -> Self {
        let cfg = *checked;
        Self::around(cfg, Engine::new(Self::engine_config(&cfg)))
    }

    fn engine_config(cfg: &ReadingsConfig) -> EngineConfig {
        EngineConfig {
            pulse_volume_ul: cfg.quantum_ul(),
            max_flow_ul_per_h: cfg.max_flow_ul_per_h,
            thresholds_m3_per_h: cfg.thresholds_m3_per_h,
            rules: cfg.served(cfg.rules),
        }
    }

    fn around(cfg: ReadingsConfig, mut engine: Engine) -> Self {
        engine.set_poll(cfg.every_ns);
        Self {
            cfg,
            quantum_ul: cfg.quantum_ul(),
            engine,
            last: None,
            line: Line::default(),
            carried_ul: 0,
            counts: Counts::default(),
            faults: Faults::default(),
            exchanged: false,
            adrift: false,
            valve_moved: false,
            doubtful: false,
            held: None,
            trusted: false,
            moved_ns: 0,
            late: Lateness::UNKNOWN,
        }
    }

    /// The register showed `register_ul` (µL) at `t_ns`; `say` is told of each verdict, in their order.
    ///
    /// The first reading only says where the register stands. A verdict's `t_ns` lies between the readings that
    /// it rests on, its `decided_ns` is the time of the last.
    ///
    /// One reading alone closes no valve, since it may have been misread: what would is [`Taken::Held`] until
    /// the next reading is not below it.
    pub fn reading(&mut self, register_ul: u64, t_ns: u64, say: &mut dyn FnMut(Verdict)) -> Taken {
        self.counts.readings = self.counts.readings.saturating_add(1);
        let Some(last) = self.last else {
            return self.begin(register_ul, t_ns, Taken::First, say);
        };
        let (newest_ul, newest_ns) = self.held.map_or(last, |held| (held.register_ul, held.t_ns));
        // A reading of another clock may be earlier than the last; one that waits is of this clock.
        if (!self.adrift || self.held.is_some())
            && let Some(ignored) = self.ignored(register_ul == newest_ul, t_ns, newest_ns)
        {
            return ignored;
        }
        if self.exchanged {
            self.counts.exchanges = self.counts.exchanges.saturating_add(1);
            return self.begin(register_ul, t_ns, Taken::First, say);
        }
        if let Some(held) = self.held.take() {
            self.release(held, register_ul, t_ns, say);
        }
        self.judge(register_ul, t_ns, None, say)
    }

    /// Judges a reading against the last one; `sure`: it was confirmed. Then what passed may have begun before it,
    /// `since_ns`.
    fn judge(
        &mut self,
        register_ul: u64,
        t_ns: u64,
        sure: Option<Sure>,
        say: &mut dyn FnMut(Verdict),
    ) -> Taken {
        let Some((before_ul, before_ns)) = self.last else { return Taken::First };
        let longer_ns = self.longer_ns(before_ns, t_ns);
        let span_ns = t_ns.saturating_sub(before_ns).saturating_add(longer_ns);
        let most_ul = self.most_ul(span_ns.max(t_ns.saturating_sub(self.since_ns(before_ns, t_ns))));
        let (more_ul, rolled) = match self.register().moved(before_ul, register_ul, most_ul) {
            Move::Forward(more_ul) => (more_ul, false),
            Move::Rolled(more_ul) => (more_ul, true),
            Move::Leapt(by_ul) => {
                self.counts.leaps = self.counts.leaps.saturating_add(1);
                self.counts.refused_ul = self.counts.refused_ul.saturating_add(by_ul);
                let limit = self.engine.limit_m3_per_h();
                let said = self.faults.leapt(&self.engine, by_ul, limit, before_ns, t_ns);
                said.into_iter().for_each(&mut *say);
                return self.begin(register_ul, t_ns, Taken::Leapt, say);
            }
            Move::Fell(by_ul) => {
                self.counts.falls = self.counts.falls.saturating_add(1);
                self.fell(by_ul, before_ns, t_ns, say);
                return self.begin(register_ul, t_ns, Taken::Fell, say);
            }
        };
        let grave = self.is_grave(more_ul, span_ns, longer_ns > 0);
        // What nobody waits for is believed only as far as it can have passed between two readings.
        let unknown = self.adrift || self.valve_moved || self.doubtful;
        if unknown && sure.is_none() && self.is_much(more_ul) {
            self.held = Some(Held { register_ul, t_ns, valve_moved: self.valve_moved });
            return Taken::Held;
        }
        if grave && sure.is_none() && !self.trusted && !unknown {
            self.held = Some(Held { register_ul, t_ns, valve_moved: self.valve_moved });
            return Taken::Held;
        }
        self.trusted &= grave;
        self.counts.rollovers = self.counts.rollovers.saturating_add(u64::from(rolled));
        // Rounding back is no move: the register counts on from where it was.
        let shows_ul = if rolled { register_ul } else { register_ul.max(before_ul) };
        if more_ul > 0 {
            self.moved_ns = t_ns;
        }
        self.last = Some((shows_ul, t_ns));
        self.came(before_ns, t_ns);
        let earlier_ns = sure.map_or(0, |sure| before_ns.saturating_sub(sure.since_ns));
        let taken = self.passed(more_ul, [earlier_ns, longer_ns], before_ns, t_ns, say);
        (self.adrift, self.valve_moved, self.doubtful) = (false, false, false);
        taken
    }

    fn register(&self) -> Register {
        Register { resolution_ul: self.cfg.resolution_ul, modulus_ul: self.cfg.modulus_ul }
    }

    /// What can have passed, µL; `None` if nobody knows how long it was.
    fn most_ul(&self, span_ns: u64) -> Option<u64> {
        let most_ul = self.cfg.passes_ul(self.engine.limit_m3_per_h(), span_ns);
        // Half a turn is the most that can be told from one backwards.
        let turn_ul = if self.cfg.modulus_ul > 0 { self.cfg.modulus_ul / 2 } else { u64::MAX };
        (!self.adrift).then_some(most_ul.min(turn_ul))
    }

    fn fell(&mut self, by_ul: u64, from_ns: u64, to_ns: u64, say: &mut dyn FnMut(Verdict)) {
        let said = self.faults.fell(&self.engine, by_ul, self.cfg.resolution_ul, from_ns, to_ns);
        said.into_iter().for_each(say);
    }

    fn ignored(&mut self, same: bool, t_ns: u64, before_ns: u64) -> Option<Taken> {
        let (count, taken) = match (t_ns.cmp(&before_ns), same) {
            (core::cmp::Ordering::Greater, _) => return None,
            (core::cmp::Ordering::Less, _) => (&mut self.counts.late, Taken::Late),
            (core::cmp::Ordering::Equal, true) => (&mut self.counts.duplicates, Taken::Duplicate),
            (core::cmp::Ordering::Equal, false) => (&mut self.counts.conflicts, Taken::Conflict),
        };
        *count = count.saturating_add(1);
        Some(taken)
    }

    /// From here on the register counts, and nothing is known of the time before.
    fn begin(&mut self, register_ul: u64, t_ns: u64, taken: Taken, say: &mut dyn FnMut(Verdict)) -> Taken {
        if let Some((_, before_ns)) = self.last {
            self.engine.missed(1, t_ns);
            self.came(before_ns, t_ns);
        }
        if taken == Taken::First {
            self.late = Lateness::UNKNOWN;
        }
        self.last = Some((register_ul, t_ns));
        self.line = Line::default();
        (self.exchanged, self.adrift, self.valve_moved) = (false, false, false);
        (self.held, self.trusted, self.moved_ns) = (None, false, t_ns);
        self.doubtful = matches!(taken, Taken::Fell | Taken::Leapt);
        self.settle(t_ns, say);
        taken
    }

    /// `more_ul` passed until `to_ns`, and the engine's time has come to `from_ns` already. It may have begun earlier, ns:
    /// as the register had not moved, or as what was read came late.
    fn passed(
        &mut self,
        more_ul: u64,
        [stood_ns, longer_ns]: [u64; 2],
        from_ns: u64,
        to_ns: u64,
        say: &mut dyn FnMut(Verdict),
    ) -> Taken {
        let span_ns = to_ns.saturating_sub(from_ns);
        let earlier_ns = stood_ns.max(longer_ns);
        let gap = span_ns > self.cfg.gap_ns();
        let only_proves = gap || longer_ns > 0;
        let proves = !only_proves || self.proves(more_ul, span_ns.saturating_add(earlier_ns));
        let more_ul = self.miss_before(more_ul, earlier_ns, from_ns, to_ns);
        self.counts.gaps = self.counts.gaps.saturating_add(u64::from(gap));
        let have_ul = u128::from(self.carried_ul) + u128::from(more_ul);
        let quanta = (have_ul / u128::from(self.quantum_ul)) as u64;
        let unknown = self.adrift || self.valve_moved || self.doubtful || !proves;
        if unknown && quanta > 0 {
            self.carried_ul = (have_ul % u128::from(self.quantum_ul)) as u64;
            self.line = Line::default();
            self.miss(quanta, to_ns);
        } else if unknown {
            self.carried_ul = have_ul as u64;
            self.line = Line::default();
        } else {
            self.draw(more_ul, quanta, from_ns, to_ns, say);
            self.carried_ul = (have_ul % u128::from(self.quantum_ul)) as u64;
        }
        self.settle(to_ns, say);
        if unknown && quanta > 0 { Taken::Missed } else { Taken::Judged }
    }

    /// Whether so much in so long was too much at some time, however it flowed.
    fn proves(&self, more_ul: u64, span_ns: u64) -> bool {
        self.surely(more_ul, span_ns) > f64::from(self.engine.envelope_m3_per_h())
    }

    /// The engine is told of `quanta` whose times are not known, before `at_ns`.
    fn miss(&mut self, quanta: u64, at_ns: u64) {
        self.engine.missed(quanta, at_ns);
        let volume_ul = quanta.saturating_mul(self.quantum_ul);
        self.counts.missed_ul = self.counts.missed_ul.saturating_add(volume_ul);
    }

    /// Gives the engine a pulse where the line from `from_ns` to `to_ns` crosses a multiple of the quantum.
    fn draw(&mut self, more_ul: u64, quanta: u64, from_ns: u64, to_ns: u64, say: &mut dyn FnMut(Verdict)) {
        let span_ns = to_ns.saturating_sub(from_ns);
        let path = self.line.advance(more_ul, span_ns, self.cfg.resolution_ul);
        let before = self.carried_ul as f64 + path.ahead_ul;
        let first = quanta.saturating_sub(MOST_QUANTA);
        if first > 0 {
            self.miss(first, from_ns);
        }
        for i in first..quanta {
            let rise = (i + 1) as f64 * self.quantum_ul as f64 - before;
            let part = if path.rise_ul > 0.0 { (rise / path.rise_ul).clamp(0.0, 1.0) } else { 1.0 };
            let at_ns = from_ns.saturating_add((part * span_ns as f64) as u64).min(to_ns);
            self.engine.pulse(at_ns, to_ns).into_iter().for_each(&mut *say);
        }
        let given_ul = (quanta - first).saturating_mul(self.quantum_ul);
        self.counts.given_ul = self.counts.given_ul.saturating_add(given_ul);
    }

    /// The engine's time comes to a reading, and it says all that it has to say.
    fn settle(&mut self, t_ns: u64, say: &mut dyn FnMut(Verdict)) {
        // A call says one, four can wait, and the first may find more.
        for _ in 0..8 {
            let Some(verdict) = self.engine.tick(t_ns) else { return };
            say(verdict);
        }
    }
}
