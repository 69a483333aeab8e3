// SPDX-License-Identifier: MIT OR Apache-2.0
//! What may be asked of a register.

use super::{Counts, Readings, ReadingsConfig, Sight};
use crate::engine::Engine;

impl Readings {
    /// The engine. Its time is that of the last reading, and so is every flow that it tells.
    #[must_use]
    pub const fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The last reading: what the register showed, µL, and when, ns.
    #[must_use]
    pub const fn last(&self) -> Option<(u64, u64)> {
        self.last
    }

    /// Volume of one virtual pulse, µL; see [`ReadingsConfig::quantum_ul`].
    #[must_use]
    pub const fn quantum_ul(&self) -> u64 {
        self.quantum_ul
    }

    /// What has passed and waits to be a quantum, µL.
    #[must_use]
    pub const fn carried_ul(&self) -> u64 {
        self.carried_ul
    }

    /// What the register has moved by, as far as gas can pass, since it was read first: a total that only rises, µL.
    #[must_use]
    pub const fn passed_ul(&self) -> u64 {
        let Counts { given_ul, missed_ul, .. } = self.counts;
        given_ul.saturating_add(missed_ul).saturating_add(self.carried_ul)
    }

    /// Time of the newest reading, ns, also of one that waits for the next.
    #[must_use]
    pub const fn newest_ns(&self) -> Option<u64> {
        match (self.held, self.last) {
            (Some(held), _) => Some(held.t_ns),
            (None, Some((_, t_ns))) => Some(t_ns),
            (None, None) => None,
        }
    }

    /// Whether nobody has read it for so long before `now_ns` that readings are missing; what flowed last is not
    /// what flows then.
    #[must_use]
    pub fn is_overdue(&self, now_ns: u64) -> bool {
        self.newest_ns().is_some_and(|t_ns| now_ns.saturating_sub(t_ns) > self.cfg.gap_ns())
    }

    /// How it is read.
    #[must_use]
    pub const fn config(&self) -> &ReadingsConfig {
        &self.cfg
    }

    /// What became of all readings and litres.
    #[must_use]
    pub const fn counts(&self) -> &Counts {
        &self.counts
    }

    /// What readings like these can and cannot show.
    #[must_use]
    pub fn sight(&self) -> Sight {
        Sight::of_readings(&self.cfg)
    }
}
