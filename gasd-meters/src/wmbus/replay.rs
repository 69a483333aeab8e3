// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tells what is new from what came before: repeaters say everything twice, an attacker later.
//!
//! A counter is kept by what its code vouches for, the meter's number: behind a short header neither the code nor the
//! keys that are made for a message cover manufacturer, version and medium of the link layer, and whoever changes these
//! must not make an old telegram new. So meters of one number have one counter, and [`Replay`] is for one key.

use alloc::vec::Vec;

use crate::error::Error;
use crate::mbus::Address;

/// How long the same telegram is a repetition of the one before, s.
pub const DUPLICATE_S: u64 = 120;

/// Most meters that are remembered; the one that was silent for longest makes room. Those with a message counter
/// are forgotten last, and only a MAC that fits brings one in.
pub const MAX_METERS: usize = 1024;

/// What is remembered of one meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Whose.
    pub meter: Address,
    /// The last access number.
    pub access: u8,
    /// The hash of the last telegram.
    pub hash: u64,
    /// When it came, s of the clock that the caller uses.
    pub at_s: u64,
    /// The last message counter that was authenticated.
    pub counter: Option<u32>,
}

/// What was seen of all meters that have one key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replay(Vec<Seen>);

impl Replay {
    /// What was kept before, as [`Replay::all`] gave it.
    #[must_use]
    pub fn restore(seen: impl IntoIterator<Item = Seen>) -> Self {
        Self(seen.into_iter().take(MAX_METERS).collect())
    }

    /// All of it, to be kept over a restart: what is lost opens the door to old telegrams.
    #[must_use]
    pub fn all(&self) -> &[Seen] {
        &self.0
    }

    /// Takes in what was kept elsewhere, at `now_s`: no counter goes back, and of what was said last the later counts.
    pub fn take_in(&mut self, now_s: u64, seen: impl IntoIterator<Item = Seen>) {
        // What seems to be yet to come is of a clock that began anew since.
        let at_s = |seen: &Seen| if seen.at_s > now_s { 0 } else { seen.at_s };
        for new in seen {
            match self.0.iter_mut().find(|known| known.meter == new.meter) {
                Some(known) => {
                    let counter = known.counter.max(new.counter);
                    if at_s(&new) >= at_s(known) {
                        *known = new;
                    }
                    known.counter = counter;
                }
                None => {
                    self.make_room();
                    self.0.push(new);
                }
            }
        }
    }

    /// Whether `new` is new (`true`) or repeats the last telegram of its meter (`false`). Its counter is
    /// there only where it was authenticated. Nothing is noted by this.
    ///
    /// # Errors
    ///
    /// [`Error::Replay`] of a counter that does not rise.
    pub fn check(&self, new: &Seen) -> Result<bool, Error> {
        let repeats = |seen: &Seen| {
            let recent = new.at_s.checked_sub(seen.at_s).is_some_and(|age| age < DUPLICATE_S);
            recent && seen.meter == new.meter && seen.access == new.access && seen.hash == new.hash
        };
        if self.0.iter().any(repeats) {
            return Ok(false);
        }
        let of_number = self.0.iter().filter(|seen| seen.meter.id == new.meter.id);
        match (new.counter, of_number.filter_map(|seen| seen.counter).max()) {
            (Some(got), Some(last)) if got <= last => Err(Error::Replay { got, last }),
            _ => Ok(true),
        }
    }

    /// Whether a message counter of this meter is known: what it sends is authenticated.
    #[must_use]
    pub fn counts(&self, meter: &Address) -> bool {
        self.0.iter().any(|seen| seen.meter.id == meter.id && seen.counter.is_some())
    }

    /// Notes what [`Replay::check`] called new.
    pub fn note(&mut self, new: Seen) {
        match self.0.iter_mut().find(|seen| seen.meter == new.meter) {
            Some(seen) => *seen = Seen { counter: new.counter.or(seen.counter), ..new },
            None => {
                self.make_room();
                self.0.push(new);
            }
        }
    }

    fn make_room(&mut self) {
        while self.0.len() >= MAX_METERS {
            let oldest =
                self.0.iter().enumerate().min_by_key(|(_, seen)| (seen.counter.is_some(), seen.at_s));
            let Some((n, _)) = oldest else { return };
            self.0.swap_remove(n);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meter(n: u32) -> Address {
        Address { id: n.to_le_bytes(), manufacturer: 1, version: 1, medium: 3 }
    }

    fn take(
        replay: &mut Replay,
        at_s: u64,
        meter: Address,
        access: u8,
        hash: u64,
        counter: Option<u32>,
    ) -> Result<bool, Error> {
        let new = Seen { meter, access, hash, at_s, counter };
        let fresh = replay.check(&new)?;
        if fresh {
            replay.note(new);
        }
        Ok(fresh)
    }

    #[test]
    fn counters_rise() {
        let mut replay = Replay::default();
        assert_eq!(take(&mut replay, 0, meter(1), 7, 1, Some(10)), Ok(true));
        assert_eq!(take(&mut replay, 1, meter(1), 7, 1, Some(10)), Ok(false));
        assert_eq!(take(&mut replay, 119, meter(1), 7, 1, Some(10)), Ok(false));
        let error = Err(Error::Replay { got: 10, last: 10 });
        assert_eq!(take(&mut replay, 120, meter(1), 7, 1, Some(10)), error);
        assert_eq!(take(&mut replay, 120, meter(1), 8, 2, Some(10)), error);
        assert_eq!(take(&mut replay, 121, meter(1), 8, 2, Some(12)), Ok(true));
        assert_eq!(
            take(&mut replay, 122, meter(1), 9, 3, Some(11)),
            Err(Error::Replay { got: 11, last: 12 })
        );
        // Another meter has another counter; a telegram without one keeps the last.
        assert_eq!(take(&mut replay, 122, meter(2), 9, 3, Some(11)), Ok(true));
        assert_eq!(take(&mut replay, 123, meter(1), 9, 3, None), Ok(true));
        assert!(take(&mut replay, 124, meter(1), 10, 4, Some(12)).is_err());
        let mut again = Replay::restore(replay.all().iter().copied());
        assert!(take(&mut again, 500, meter(1), 10, 4, Some(12)).is_err());
        // A clock that was set back makes nothing a repetition.
        assert_eq!(take(&mut again, 0, meter(2), 9, 3, None), Ok(true));
    }

    /// What the code does not cover makes nothing new.
    #[test]
    fn a_counter_is_that_of_the_number() {
        let mut replay = Replay::default();
        assert_eq!(take(&mut replay, 0, meter(1), 7, 1, Some(10)), Ok(true));
        for changed in [
            Address { version: 2, ..meter(1) },
            Address { medium: 7, ..meter(1) },
            Address { manufacturer: 2, ..meter(1) },
        ] {
            for counter in [9, 10] {
                let error = Err(Error::Replay { got: counter, last: 10 });
                assert_eq!(take(&mut replay, 1, changed, 7, 1, Some(counter)), error, "{changed}");
            }
        }
        // One that is new is taken with whatever address, and counts for all of them.
        let other = Address { version: 2, ..meter(1) };
        assert_eq!(take(&mut replay, 2, other, 8, 2, Some(11)), Ok(true));
        assert!(take(&mut replay, 3, meter(1), 9, 3, Some(11)).is_err());
        let mut again = Replay::restore(replay.all().iter().copied());
        assert!(take(&mut again, 500, meter(1), 9, 3, Some(11)).is_err());
    }

    #[test]
    fn what_is_taken_in_sets_no_counter_back() {
        let seen = |access, hash, at_s, counter| Seen { meter: meter(1), access, hash, at_s, counter };
        for (first, second) in [
            (seen(1, 1, 10, Some(5)), seen(2, 2, 20, Some(9))),
            (seen(1, 1, 10, None), seen(2, 2, 20, Some(9))),
            (seen(1, 1, 10, Some(9)), seen(2, 2, 20, None)),
            // Of an earlier start of the machine.
            (seen(1, 1, 9_999, Some(9)), seen(2, 2, 20, Some(5))),
        ] {
            for order in [[first, second], [second, first]] {
                let mut replay = Replay::default();
                order.into_iter().for_each(|seen| replay.take_in(30, [seen]));
                assert_eq!(take(&mut replay, 31, meter(1), 2, 2, Some(9)), Ok(false), "{order:?}");
                assert!(take(&mut replay, 31, meter(1), 3, 3, Some(9)).is_err(), "{order:?}");
                assert_eq!(take(&mut replay, 31, meter(1), 3, 3, Some(10)), Ok(true), "{order:?}");
            }
        }
        let mut replay = Replay::default();
        replay.take_in(0, (0..3000).map(|n| Seen { meter: meter(n), ..seen(0, 0, n.into(), None) }));
        assert_eq!(replay.all().len(), MAX_METERS);
    }

    #[test]
    fn strangers_push_out_no_counter() {
        let mut replay = Replay::default();
        assert_eq!(take(&mut replay, 0, meter(0), 0, 0, Some(5)), Ok(true));
        for n in 1..3000 {
            assert_eq!(take(&mut replay, n.into(), meter(n), 0, 0, None), Ok(true));
        }
        assert_eq!(replay.all().len(), MAX_METERS);
        assert!(take(&mut replay, 9999, meter(0), 1, 1, Some(5)).is_err());
    }
}
