// SPDX-License-Identifier: MIT OR Apache-2.0
//! A meter whose register is read: its readings become volume and verdicts, each once.

use gasd_detect::{Taken, Verdict};

use crate::config::show::long;
use crate::pipeline::detector::Detector;
use crate::pipeline::learned::moved_ns;
use crate::response::clock::{Now, is_of_before, utc};
use crate::store::RegisterAt;

use super::MeterRun;

impl MeterRun {
    /// The register showed `register_ul` (µL) at `t_ns`. Returns what became of the reading, and what the engine
    /// finds; nothing for a meter that is not read.
    pub fn reading(&mut self, register_ul: u64, t_ns: u64, now: Now) -> (Option<Taken>, Vec<Verdict>) {
        let mut found = Vec::new();
        let Detector::Register(readings) = &mut self.detector else { return (None, found) };
        let (before_ul, before) = (readings.passed_ul(), readings.last());
        let taken = readings.reading(register_ul, t_ns, &mut |verdict| found.push(verdict));
        let more_ul = readings.passed_ul().saturating_sub(before_ul);
        self.start.volume_ul = self.start.volume_ul.saturating_add(more_ul);
        if let Some((register_ul, t_ns)) = readings.last()
            && (readings.last() != before || taken == Taken::First)
        {
            let unix_us = now.unix_us.saturating_sub(now.boottime_ns.saturating_sub(t_ns) / 1_000);
            self.start.register = Some(RegisterAt { register_ul, t_ns, unix_us, boot: now.boot });
            self.read_ns = Some(t_ns);
        }
        self.now_ns = self.now_ns.max(t_ns);
        match taken {
            Taken::Judged => self.flow.pulse(t_ns, more_ul),
            Taken::Duplicate | Taken::Conflict | Taken::Late | Taken::Held => {}
            Taken::First | Taken::Missed | Taken::Fell | Taken::Leapt => {
                self.flow.forget();
                self.flow.pulse(t_ns, 0);
            }
        }
        (Some(taken), found)
    }

    /// Whether its newest reading showed this, so that it says nothing new when it is told once more.
    #[must_use]
    pub fn has_shown(&self, register_ul: u64) -> bool {
        self.detector.register().is_some_and(|readings| readings.has_shown(register_ul))
    }

    /// Goes on from the reading up to which the total goes: what was learned may be older, and the clock another.
    /// A meter that is not read forgets it, because its register moves on meanwhile.
    ///
    /// What is stored stays as that reading was, by the clock of its boot, until there is a new one: a guess of when that
    /// was in this boot would be taken for a time that is known by a process that comes after this one.
    pub fn resume(&mut self, now: Now) {
        let Detector::Register(readings) = &mut self.detector else {
            (self.start.register, self.read_ns) = (None, None);
            return;
        };
        let Some(at) = self.start.register else {
            // What was learned may be of a time when it was read; its register moved on, and others counted.
            readings.exchanged();
            return;
        };
        let saved = Now { unix_us: at.unix_us, boottime_ns: at.t_ns, boot: at.boot };
        let moved = moved_ns(saved, now);
        // Guessed once: what was told to be on the disk goes no further while nothing is written.
        let t_ns = *self.read_ns.get_or_insert_with(|| {
            if is_of_before(at.boot, now.boot) { 0 } else { at.t_ns.saturating_add_signed(moved) }
        });
        readings.resume(at.register_ul, t_ns);
        if moved != 0 || at.boot != now.boot {
            // How long ago that was is only known by the clock on the wall, be it that both boots seem as old.
            readings.clock_moved(0);
        }
        self.now_ns = self.now_ns.max(t_ns);
    }

    /// Time of the reading up to which its total goes, ns of this boot's clock, and 0 for one of before it; `None` for a
    /// meter that was never read.
    #[must_use]
    pub fn read_ns(&self) -> Option<u64> {
        self.read_ns
    }

    /// Names it where readings are handed in.
    #[must_use]
    pub const fn key(&self) -> u64 {
        self.key
    }

    /// That readings are missing, in words.
    pub(super) fn overdue(&self) -> Option<String> {
        let readings = self.detector.register()?;
        let every = long(readings.config().every_ns);
        match self.start.register {
            Some(at) if readings.is_overdue(self.now_ns) => Some(format!(
                "no volume of it has come since {}, and one is to come every {every}",
                utc(at.unix_us / 1_000_000)
            )),
            None if readings.newest_ns().is_none() && self.is_late(readings.config().gap_ns()) => {
                Some(format!("no volume of it has come yet, and one is to come every {every}"))
            }
            _ => None,
        }
    }

    /// Whether it has been watched for so long.
    fn is_late(&self, patience_ns: u64) -> bool {
        self.watched_ns.is_some_and(|since_ns| self.now_ns.saturating_sub(since_ns) > patience_ns)
    }
}

#[cfg(test)]
#[path = "register_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "register_any_course.rs"]
mod any_course;
