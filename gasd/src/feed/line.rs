// SPDX-License-Identifier: MIT OR Apache-2.0
//! A fed line: entries in their order become steps of the filter, each once.
//!
//! An entry is known by its time. Whoever feeds sends again what was not answered, over another socket or to
//! another daemon; what is not later than the last entry was taken already. Over a restart the last entry's
//! time is read from the filter's own state, which the kernel keeps.

use gasd_abi::FilterConfig;
use gasd_abi::feed::{Entry, Level, Refusal};
use gasd_abi::filter;

use crate::kernel::KernelError;
use crate::pipeline::filter::LineFilter;

/// A clock of another process may be read a moment later than ours.
const AHEAD_NS: u64 = 1_000_000_000;
/// What is older is a clock that is wrong rather than a program that waited: a week.
const OLD_NS: u64 = 7 * 86_400_000_000_000;
/// A level is certain so long after it is due: entries that were on the way have arrived.
const SLACK_NS: u64 = 5_000_000;

/// What is known of a line beside the filter's state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// Time of the last entry that was taken in this process; 0 before the first.
    last_ns: u64,
    /// Where the contact is, if it was told.
    level: Option<bool>,
}

/// What became of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is counted, or was before.
    Taken,
    /// It is not, and never will be.
    Refused(Refusal),
}

/// Whether something can have happened then.
pub const fn is_now(t_ns: u64, now_ns: u64) -> bool {
    t_ns > 0 && t_ns <= now_ns.saturating_add(AHEAD_NS) && t_ns >= now_ns.saturating_sub(OLD_NS)
}

impl Line {
    /// Time of the last entry that the line has; 0 before the first.
    pub fn last_ns(&self, bank: &dyn LineFilter, line: u32) -> u64 {
        if self.last_ns > 0 {
            return self.last_ns;
        }
        let state = bank.state(line);
        state.last_edge_ns.max(state.pulse_ns)
    }

    /// Takes an entry in.
    ///
    /// # Errors
    /// What the kernel said; the entry is to be sent again.
    pub fn take(
        &mut self,
        bank: &dyn LineFilter,
        line: u32,
        config: &FilterConfig,
        entry: Entry,
        now_ns: u64,
    ) -> Result<Fate, KernelError> {
        let Some(level) = Level::of(entry.word) else { return Ok(Fate::Refused(Refusal::Level)) };
        if !is_now(entry.t_ns, now_ns) {
            return Ok(Fate::Refused(Refusal::Time));
        }
        if entry.t_ns <= self.last_ns {
            return Ok(Fate::Taken);
        }
        let t_ns = entry.t_ns;
        match level {
            Level::Pulse => self.pulse(bank, line, config, t_ns)?,
            Level::Unknown => self.edge(bank, line, t_ns, None)?,
            Level::Closed => self.edge(bank, line, t_ns, Some(true))?,
            Level::Open => self.edge(bank, line, t_ns, Some(false))?,
        }
        self.last_ns = t_ns;
        Ok(Fate::Taken)
    }

    /// An edge, as far as the line does not have it: a daemon before this one may have got half way.
    fn edge(
        &mut self,
        bank: &dyn LineFilter,
        line: u32,
        t_ns: u64,
        level: Option<bool>,
    ) -> Result<(), KernelError> {
        let had_ns = bank.state(line).last_edge_ns;
        if had_ns < t_ns {
            // The contact held what was told of it until now.
            self.look(bank, line, t_ns)?;
            bank.edge(line, t_ns)?;
        }
        if had_ns <= t_ns {
            self.level = level;
            let state = bank.state(line);
            if level.is_some_and(|closed| state.level != u8::from(closed)) {
                self.look(bank, line, t_ns)?;
            }
        }
        Ok(())
    }

    /// A pulse that was debounced elsewhere: closed for as long as the filter wants, then open for as long. So it
    /// counts if and only if it keeps the least interval.
    fn pulse(
        &mut self,
        bank: &dyn LineFilter,
        line: u32,
        config: &FilterConfig,
        t_ns: u64,
    ) -> Result<(), KernelError> {
        let opened_ns = t_ns.saturating_add(config.min_width_ns);
        if bank.state(line).pulse_ns < t_ns {
            self.edge(bank, line, t_ns, Some(true))?;
            self.look(bank, line, opened_ns)?;
        }
        self.edge(bank, line, opened_ns, Some(false))?;
        self.look(bank, line, opened_ns.saturating_add(config.min_idle_ns))
    }

    fn look(&self, bank: &dyn LineFilter, line: u32, t_ns: u64) -> Result<(), KernelError> {
        if let Some(closed) = self.level {
            bank.sample(line, t_ns, closed, bank.state(line).edges)?;
        }
        Ok(())
    }

    /// When the level that was told decides something; `None` while it does not.
    pub fn due_ns(&self, bank: &dyn LineFilter, line: u32, config: &FilterConfig) -> Option<u64> {
        self.level?;
        filter::due(config, &bank.state(line)).map(|due_ns| due_ns.saturating_add(SLACK_NS))
    }

    /// Lets the level that was told decide what is due by now, as of when it was due: an entry that was on the way
    /// is not pushed back by it.
    ///
    /// # Errors
    /// What the kernel said.
    pub fn settle(
        &self,
        bank: &dyn LineFilter,
        line: u32,
        config: &FilterConfig,
        now_ns: u64,
    ) -> Result<(), KernelError> {
        match self.due_ns(bank, line, config) {
            // Never before what the filter has seen: it would not look, and this be due for ever.
            Some(due_ns) if due_ns <= now_ns => {
                self.look(bank, line, (due_ns - SLACK_NS).max(bank.state(line).since_ns))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::pipeline::{filter::UserBank, queue::Queue};

    const MS: u64 = 1_000_000;
    const NOW: u64 = 1_000_000_000 * MS;

    fn bank() -> UserBank {
        let bank = UserBank::new(Queue::new().0, [1, 2]);
        bank.assign(7, FilterConfig::default(), 0).unwrap();
        bank
    }

    fn take(line: &mut Line, bank: &UserBank, t_ns: u64, level: Level) -> Fate {
        let entry = Entry { t_ns, word: level as u64 };
        line.take(bank, 0, &FilterConfig::default(), entry, NOW).unwrap()
    }

    #[test]
    fn a_debounced_pulse_counts_at_once_if_it_keeps_the_interval() {
        let (bank, mut line) = (bank(), Line::default());
        let t = NOW - 5_000 * MS;
        take(&mut line, &bank, t, Level::Pulse);
        assert_eq!((bank.state(0).accepted, bank.state(0).pulse_ns), (1, t));
        take(&mut line, &bank, t + 20 * MS, Level::Pulse);
        assert_eq!(bank.state(0).accepted, 2, "as close as the filter allows");
        take(&mut line, &bank, t + 39 * MS, Level::Pulse);
        assert_eq!(bank.state(0).accepted, 2, "closer than it allows");
        take(&mut line, &bank, t + 400 * MS, Level::Pulse);
        assert_eq!(bank.state(0).accepted, 3);
    }

    #[test]
    fn edges_with_levels_are_debounced_and_decided_without_another_edge() {
        let (bank, mut line) = (bank(), Line::default());
        let t = NOW - 5_000 * MS;
        for (ms, level) in [(0, Level::Closed), (1, Level::Open), (2, Level::Closed)] {
            take(&mut line, &bank, t + ms * MS, level);
        }
        assert_eq!(bank.state(0).accepted, 0);
        line.settle(&bank, 0, &FilterConfig::default(), NOW).unwrap();
        assert_eq!((bank.state(0).accepted, bank.state(0).decided_ns), (1, t + 12 * MS));
        assert_eq!(line.due_ns(&bank, 0, &FilterConfig::default()), None);
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let (bank, mut line) = (bank(), Line::default());
        assert_eq!(take(&mut line, &bank, NOW + 2_000 * MS, Level::Pulse), Fate::Refused(Refusal::Time));
        assert_eq!(
            take(&mut line, &bank, NOW - 604_801_000 * MS, Level::Pulse),
            Fate::Refused(Refusal::Time)
        );
        let strange = Entry { t_ns: NOW, word: 9 };
        let fate = line.take(&bank, 0, &FilterConfig::default(), strange, NOW).unwrap();
        assert_eq!(fate, Fate::Refused(Refusal::Level));
        assert_eq!(bank.state(0).edges, 0);
    }

    /// A bank whose daemon dies after so many steps.
    struct Dying<'a>(&'a UserBank, std::sync::atomic::AtomicU64);

    impl Dying<'_> {
        fn step(&self) -> Result<(), KernelError> {
            let left = self.1.load(std::sync::atomic::Ordering::Relaxed);
            self.1.store(left.saturating_sub(1), std::sync::atomic::Ordering::Relaxed);
            if left == 0 { Err(KernelError::NoFreeLine(0)) } else { Ok(()) }
        }
    }

    impl LineFilter for Dying<'_> {
        fn assign(&self, key: u64, filter: FilterConfig, flags: u32) -> Result<u32, KernelError> {
            self.0.assign(key, filter, flags)
        }
        fn edge(&self, line: u32, t_ns: u64) -> Result<u32, KernelError> {
            self.step()?;
            self.0.edge(line, t_ns)
        }
        fn sample(&self, line: u32, t_ns: u64, level: bool, edges: u64) -> Result<u32, KernelError> {
            self.step()?;
            self.0.sample(line, t_ns, level, edges)
        }
        fn tick(&self, line: u32, t_ns: u64) -> Result<u32, KernelError> {
            self.0.tick(line, t_ns)
        }
        fn state(&self, line: u32) -> gasd_abi::FilterState {
            self.0.state(line)
        }
        fn totals(&self, line: u32) -> Result<gasd_abi::Totals, KernelError> {
            self.0.totals(line)
        }
        fn generation(&self) -> [u64; 2] {
            self.0.generation()
        }
    }

    /// Hands entries in; the daemon dies after each of `lives` steps, and the next one is handed in again what
    /// was not answered.
    fn with_deaths(entries: &[Entry], lives: &[u64]) -> u64 {
        let bank = bank();
        let (mut at, mut lives) = (0, lives.iter());
        while at < entries.len() {
            let steps = lives.next().copied().unwrap_or(u64::MAX);
            let (dying, mut line) = (Dying(&bank, steps.into()), Line::default());
            while at < entries.len() {
                match line.take(&dying, 0, &FilterConfig::default(), entries[at], NOW) {
                    Ok(_) => at += 1,
                    Err(_) => break,
                }
            }
        }
        bank.tick(0, NOW).unwrap();
        bank.state(0).accepted
    }

    proptest! {
        #[test]
        fn a_daemon_that_dies_in_the_middle_of_a_step_loses_and_doubles_nothing(
            gaps in prop::collection::vec(45u64..5_000, 1..40),
            lives in prop::collection::vec(0u64..12, 0..40),
            whole in any::<bool>(),
        ) {
            let start = NOW - 1_000_000 * MS;
            let times = gaps.iter().scan(start, |t, gap| { *t += gap * MS; Some(*t) });
            let entry = |t_ns, level: Level| Entry { t_ns, word: level as u64 };
            let entries: Vec<Entry> = times
                .flat_map(|t| if whole {
                    vec![entry(t, Level::Pulse)]
                } else {
                    vec![entry(t, Level::Closed), entry(t + 20 * MS, Level::Open)]
                })
                .collect();
            prop_assert_eq!(with_deaths(&entries, &lives), gaps.len() as u64);
        }

        #[test]
        fn whatever_is_repeated_counts_once(
            gaps in prop::collection::vec(20u64..5_000, 1..60),
            cuts in prop::collection::vec((0usize..60, 0usize..60), 0..12),
        ) {
            let start = NOW - 1_000_000 * MS;
            let times: Vec<u64> = gaps.iter().scan(start, |t, gap| { *t += gap * MS; Some(*t) }).collect();
            let (bank, mut line) = (bank(), Line::default());
            let (mut at, mut cuts) = (0, cuts.into_iter());
            while at < times.len() {
                take(&mut line, &bank, times[at], Level::Pulse);
                at += 1;
                if let Some((every, back)) = cuts.next() {
                    if every % 3 == 0 {
                        // The daemon began anew, and knows what the kernel kept.
                        line = Line::default();
                    }
                    at = at.saturating_sub(back % (at + 1));
                }
            }
            prop_assert_eq!(bank.state(0).accepted, times.len() as u64);
        }
    }
}
