// SPDX-License-Identifier: MIT OR Apache-2.0
//! The running daemon as the filter meets it: interrupts that come late and merge, readings that
//! come later still, and times when nobody reads.

use super::contact::{Cause, Change, Closure};
use super::{MS, Rng, US};
use gasd_abi::filter::{self, FilterConfig, FilterState};
use gasd_abi::outcome::{PULSE, RECOVERED, STALE};
use gasd_abi::{Outcome, Totals};

/// What goes wrong between the line and the filter.
#[derive(Clone, Copy, Debug, Default)]
pub struct Faults {
    /// Interrupts take 2 to 30 µs, and a change that comes sooner than that merges into the
    /// interrupt before it.
    pub merge: bool,
    /// One glitch edge in so many is lost; 0 for none.
    pub lose_glitch: u64,
    /// One edge of the contact in so many is lost; 0 for none.
    pub lose_contact: u64,
}

/// A level that was read and is on its way to the filter.
#[derive(Clone, Copy, Debug)]
struct Reading {
    t: u64,
    level: u8,
    edges: u64,
    commit: u64,
    again: bool,
}

/// How well it went.
#[derive(Clone, Debug, Default)]
pub struct Score {
    pub real: u64,
    pub counted: u64,
    pub missed: u64,
    pub spurious: u64,
    pub glitch_edges: u64,
    pub merged: u64,
    pub lost: u64,
    /// Decision minus the leading edge, of pulses that were counted.
    pub latency: Vec<u32>,
    pub first_faults: Vec<String>,
}

impl Score {
    pub fn percentile(&self, p: usize) -> f64 {
        let mut all = self.latency.clone();
        all.sort_unstable();
        all.get(all.len().saturating_sub(1) * p / 1000).map_or(0.0, |v| f64::from(*v) / 1e6)
    }
}

/// One line, its filter and its daemon.
pub struct Bench {
    pub cfg: FilterConfig,
    pub st: FilterState,
    pub totals: Totals,
    pub faults: Faults,
    pub score: Score,
    /// Whether the daemon runs.
    pub sampling: bool,
    pub poll: u64,
    rng: Rng,
    level: u8,
    irq: Option<u64>,
    wake: u64,
    next_poll: u64,
    reading: Option<Reading>,
    /// Closures that may still become pulses, oldest first, and whether they have.
    closures: Vec<(Closure, bool)>,
}

impl Bench {
    pub fn new(cfg: FilterConfig, faults: Faults, seed: u64) -> Self {
        Self {
            cfg,
            st: FilterState::default(),
            totals: Totals::default(),
            faults,
            score: Score::default(),
            sampling: true,
            poll: 50 * MS,
            rng: Rng::new(seed ^ 0x5eed),
            level: 0,
            irq: None,
            wake: 0,
            next_poll: 0,
            reading: None,
            closures: Vec::new(),
        }
    }

    /// A closure is about to begin.
    pub fn expect(&mut self, closure: Closure) {
        self.score.real += 1;
        self.closures.push((closure, false));
        let old = closure.lead.saturating_sub(2 * self.poll + 100 * MS);
        let score = &mut self.score;
        self.closures.retain(|(c, hit)| {
            let keep = c.trail >= old;
            if !keep && !hit {
                score.missed += 1;
                if score.first_faults.len() < 5 {
                    score.first_faults.push(format!("missed {c:?}"));
                }
            }
            keep
        });
    }

    /// The line changes.
    pub fn change(&mut self, c: Change) {
        self.run(c.t);
        self.level = c.level;
        let lose = match c.cause {
            Cause::Glitch => self.faults.lose_glitch,
            Cause::Contact => self.faults.lose_contact,
        };
        self.score.glitch_edges += u64::from(c.cause == Cause::Glitch);
        if self.rng.one_in(lose) {
            self.score.lost += 1;
        } else if self.irq.is_some() {
            self.score.merged += 1;
        } else if self.faults.merge {
            self.irq = Some(c.t + self.rng.log_between(2 * US, 30 * US));
        } else {
            self.interrupt(c.t);
        }
    }

    /// The daemon stops or starts.
    pub fn daemon(&mut self, runs: bool, now: u64) {
        self.run(now);
        self.sampling = runs;
        self.reading = None;
        self.wake = now;
    }

    /// Time passes without a change.
    pub fn run(&mut self, until: u64) {
        loop {
            let irq = self.irq.unwrap_or(u64::MAX);
            let daemon = match (self.sampling, self.reading) {
                (false, _) => u64::MAX,
                (true, Some(r)) => r.commit,
                (true, None) => self.wake,
            };
            if irq.min(daemon) > until {
                return;
            }
            if irq <= daemon {
                self.irq = None;
                self.interrupt(irq);
            } else if let Some(r) = self.reading.take() {
                self.commit(r);
            } else {
                self.look(daemon);
            }
        }
    }

    /// Ends the run: the pending candidate resolves, missed closures are counted.
    pub fn finish(&mut self, now: u64) {
        self.run(now);
        for (c, hit) in self.closures.drain(..) {
            if !hit {
                self.score.missed += 1;
                self.score.first_faults.push(format!("missed {c:?}"));
            }
        }
    }

    fn interrupt(&mut self, t: u64) {
        let o = filter::edge(&self.cfg, &mut self.st, t);
        self.totals.apply(true, &o);
        self.judge(&o, t);
        if let Some(due) = filter::due(&self.cfg, &self.st) {
            let wake = due.max(t) + self.jitter();
            self.wake = self.wake.min(wake);
        }
    }

    /// The daemon is awake: is anything due?
    fn look(&mut self, now: u64) {
        match filter::due(&self.cfg, &self.st) {
            Some(due) if due > now => self.wake = due + self.jitter(),
            None if self.next_poll > now => self.wake = self.next_poll,
            due => {
                if due.is_none() {
                    self.next_poll = now + self.poll;
                }
                self.read(now, false);
            }
        }
    }

    fn read(&mut self, t: u64, again: bool) {
        // The daemon lets interrupts under way arrive before it commits, so that a change that it
        // read before its interrupt makes the reading stale. Without the 50 µs the false pulses
        // are ten times as many.
        let commit = t + self.rng.between(50 * US, 90 * US);
        self.reading = Some(Reading { t, level: self.level, edges: self.st.edges, commit, again });
    }

    fn commit(&mut self, r: Reading) {
        self.wake = r.commit;
        if r.level != self.st.level && !r.again {
            // The guard: a level that contradicts the edges is read twice, for the interrupt of
            // the change that it shows may still be on its way.
            let at = r.t + 200 * US;
            self.run_irq(at);
            self.read(at, true);
            return;
        }
        let o = filter::sample(&self.cfg, &mut self.st, r.t, r.level, r.edges);
        self.totals.apply(false, &o);
        self.judge(&o, r.commit);
        if o.has(STALE) {
            self.wake = r.commit + self.jitter();
        }
    }

    /// An interrupt that comes while the daemon waits for its second reading.
    fn run_irq(&mut self, until: u64) {
        if let Some(t) = self.irq.filter(|t| *t <= until) {
            self.irq = None;
            self.interrupt(t);
        }
    }

    fn jitter(&mut self) -> u64 {
        self.rng.log_between(20 * US, MS)
    }

    fn judge(&mut self, o: &Outcome, now: u64) {
        if !o.has(PULSE) {
            return;
        }
        let t = self.st.pulse_ns;
        // A glitch just before the closing may be taken for its first bounce.
        let slack = 2 * self.cfg.min_width_ns;
        let hit =
            self.closures.iter_mut().find(|(c, hit)| !hit && c.lead <= t + slack && t <= c.trail + 30 * US);
        match hit {
            Some((c, hit)) => {
                *hit = true;
                self.score.counted += 1;
                if !o.has(RECOVERED) {
                    self.score.latency.push(u32::try_from(now - c.lead.min(now)).unwrap_or(u32::MAX));
                }
            }
            None => {
                self.score.spurious += 1;
                if self.score.first_faults.len() < 5 {
                    self.score.first_faults.push(format!("spurious at {t}, decided {now}"));
                }
            }
        }
    }
}
