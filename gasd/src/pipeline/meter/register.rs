// SPDX-License-Identifier: MIT OR Apache-2.0
//! A meter whose register is read: its readings become volume and verdicts, each once.

use gasd_detect::{Taken, Verdict};

use crate::config::show::long;
use crate::pipeline::detector::Detector;
use crate::pipeline::learned::moved_ns;
use crate::response::clock::{Now, utc};
use crate::store::RegisterAt;

use super::MeterRun;

impl MeterRun {
    /// The register showed `register_ul` (µL) at `t_ns`. Returns what became of the reading, and what the engine
    /// finds; nothing for a meter that is not read.
    pub fn reading(&mut self, register_ul: u64, t_ns: u64, now: Now) -> (Option<Taken>, Vec<Verdict>) {
        let mut found = Vec::new();
        let Detector::Register(readings) = &mut self.detector else { return (None, found) };
        let before_ul = readings.passed_ul();
        let taken = readings.reading(register_ul, t_ns, &mut |verdict| found.push(verdict));
        let more_ul = readings.passed_ul().saturating_sub(before_ul);
        self.start.volume_ul = self.start.volume_ul.saturating_add(more_ul);
        if let Some((register_ul, t_ns)) = readings.last() {
            let known = self.start.register;
            if known.is_none_or(|known| (known.register_ul, known.t_ns) != (register_ul, t_ns)) {
                let unix_us = now.unix_us.saturating_sub(now.boottime_ns.saturating_sub(t_ns) / 1_000);
                self.start.register = Some(RegisterAt { register_ul, t_ns, unix_us, boot: now.boot });
            }
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
    pub fn resume(&mut self, now: Now) {
        let Detector::Register(readings) = &mut self.detector else {
            self.start.register = None;
            return;
        };
        let Some(at) = self.start.register else {
            // What was learned may be of a time when it was read; its register moved on, and others counted.
            readings.exchanged();
            return;
        };
        let saved = Now { unix_us: at.unix_us, boottime_ns: at.t_ns, boot: at.boot };
        let moved = moved_ns(saved, now);
        let t_ns = at.t_ns.saturating_add_signed(moved);
        readings.resume(at.register_ul, t_ns);
        if moved != 0 || at.boot != now.boot {
            // How long ago that was is only known by the clock on the wall, be it that both boots seem as old.
            readings.clock_moved(0);
        }
        self.start.register = Some(RegisterAt { t_ns, boot: now.boot, ..at });
        self.now_ns = self.now_ns.max(t_ns);
    }

    /// Time of the reading up to which its total goes, ns; `None` for a meter that was never read.
    #[must_use]
    pub fn read_ns(&self) -> Option<u64> {
        self.start.register.map(|at| at.t_ns)
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
