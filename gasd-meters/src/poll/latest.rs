// SPDX-License-Identifier: MIT OR Apache-2.0
//! The last readings of a meter, in memory: what is known of it while it cannot be read. Each has its time and a check
//! sum, since memory of a gateway that has lived for years in a cellar is not to be believed unseen.

use alloc::vec::Vec;

use crate::crc;

/// Readings that are kept of a meter.
pub const MOST: usize = 256;

/// A reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// When, ns.
    pub t_ns: u64,
    /// What the register showed, µL.
    pub register_ul: u64,
}

impl Sample {
    fn crc(&self) -> u16 {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.t_ns.to_le_bytes());
        bytes[8..].copy_from_slice(&self.register_ul.to_le_bytes());
        crc::en13757(&bytes)
    }
}

/// The last [`MOST`] readings of a meter.
#[derive(Clone, Debug, Default)]
pub struct Latest {
    ring: Vec<(Sample, u16)>,
    /// Where the next one goes once the ring is full.
    next: usize,
}

impl Latest {
    /// Keeps a reading; the oldest goes when there is no room.
    pub fn push(&mut self, sample: Sample) {
        let entry = (sample, sample.crc());
        match self.ring.get_mut(self.next) {
            Some(place) => *place = entry,
            None => self.ring.push(entry),
        }
        self.next = (self.next + 1) % MOST;
    }

    /// All that are what they were, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = Sample> + '_ {
        let (newer, older) = self.ring.split_at(self.next.min(self.ring.len()));
        older.iter().chain(newer).filter(|(sample, crc)| sample.crc() == *crc).map(|(sample, _)| *sample)
    }

    /// The newest one that is what it was.
    #[must_use]
    pub fn newest(&self) -> Option<Sample> {
        self.iter().last()
    }

    /// How many are not what they were.
    #[must_use]
    pub fn spoilt(&self) -> usize {
        self.ring.len() - self.iter().count()
    }

    /// How many are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ring.len()
    }

    /// Whether none is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ring.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sample(n: u64) -> Sample {
        Sample { t_ns: n, register_ul: n * 10 }
    }

    proptest! {
        #[test]
        fn the_last_ones_are_there_in_their_order(count in 0u64..1_000) {
            let mut latest = Latest::default();
            (0..count).for_each(|n| latest.push(sample(n)));
            let kept: Vec<Sample> = latest.iter().collect();
            let from = count.saturating_sub(MOST as u64);
            prop_assert_eq!(kept, (from..count).map(sample).collect::<Vec<_>>());
            prop_assert_eq!(latest.newest(), count.checked_sub(1).map(sample));
        }

        #[test]
        fn a_bit_that_flips_spoils_its_reading_and_no_other(count in 1u64..600, at in any::<proptest::sample::Index>(), bit in 0u32..64, time in any::<bool>()) {
            let mut latest = Latest::default();
            (0..count).for_each(|n| latest.push(sample(n)));
            let at = at.index(latest.ring.len());
            let hit = &mut latest.ring[at].0;
            if time { hit.t_ns ^= 1 << bit } else { hit.register_ul ^= 1 << bit }
            prop_assert_eq!(latest.spoilt(), 1);
            prop_assert_eq!(latest.iter().count() + 1, latest.len());
            prop_assert!(latest.iter().all(|s| s.register_ul == s.t_ns * 10));
        }
    }
}
