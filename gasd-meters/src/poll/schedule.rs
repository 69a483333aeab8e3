// SPDX-License-Identifier: MIT OR Apache-2.0
//! When a meter is read: once in each interval of the clock, at a moment that differs from meter to meter and from
//! interval to interval, so that neither a port nor a radio cell is asked by all at once.

/// How often a meter is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// The interval, ns; 1 at least.
    pub every_ns: u64,
    /// How far into the interval it may be read, ns; less than the interval. 0: at its beginning.
    pub jitter_ns: u64,
    /// Tells meters apart: any number of its own.
    pub key: u64,
}

impl Schedule {
    /// Once in each interval, within its first tenth.
    #[must_use]
    pub const fn new(every_ns: u64, key: u64) -> Self {
        Self { every_ns, jitter_ns: every_ns / 10, key }
    }

    /// The first moment after `now_ns` at which it is read, ns. A reading that was missed is not made up for: the next
    /// one has what passed.
    #[must_use]
    pub fn after(&self, now_ns: u64) -> u64 {
        let every_ns = self.every_ns.max(1);
        let slot = now_ns / every_ns;
        let due = |slot: u64| slot.saturating_mul(every_ns).saturating_add(self.offset_ns(slot, every_ns));
        let this = due(slot);
        if this > now_ns { this } else { due(slot.saturating_add(1)) }
    }

    fn offset_ns(&self, slot: u64, every_ns: u64) -> u64 {
        let jitter_ns = self.jitter_ns.min(every_ns - 1);
        if jitter_ns == 0 { 0 } else { mix(self.key ^ slot.wrapping_mul(0x9E37_79B9_7F4A_7C15)) % jitter_ns }
    }
}

/// The finaliser of SplitMix64: every bit of the result depends on every bit of the number.
const fn mix(mut n: u64) -> u64 {
    n = (n ^ n >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    n = (n ^ n >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    n ^ n >> 31
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const S: u64 = 1_000_000_000;

    #[test]
    fn a_house_full_of_meters_is_spread_over_a_tenth_of_the_interval() {
        let every_ns = 900 * S;
        let mut tenths = [0; 10];
        for key in 0..1_000 {
            let due_ns = Schedule::new(every_ns, key).after(every_ns * 7 - 1) - every_ns * 7;
            assert!(due_ns < 90 * S);
            tenths[(due_ns / (9 * S)) as usize] += 1;
        }
        assert!(tenths.iter().all(|n| (60..140).contains(n)), "{tenths:?}");
    }

    proptest! {
        #[test]
        fn there_is_one_reading_in_each_interval(
            every_ns in 1u64..100_000,
            jitter_ns in 0u64..200_000,
            key in any::<u64>(),
            start_ns in 0u64..1_000_000,
        ) {
            let schedule = Schedule { every_ns, jitter_ns, key };
            let mut at_ns = schedule.after(start_ns);
            prop_assert!(at_ns > start_ns && at_ns - start_ns < 2 * every_ns);
            for _ in 0..50 {
                let next_ns = schedule.after(at_ns);
                prop_assert_eq!(next_ns / every_ns, at_ns / every_ns + 1);
                at_ns = next_ns;
            }
        }

        #[test]
        fn the_end_of_the_clock_is_no_overflow(every_ns in any::<u64>(), jitter_ns in any::<u64>(), now_ns in any::<u64>()) {
            let _ = Schedule { every_ns, jitter_ns, key: 1 }.after(now_ns);
        }
    }
}
