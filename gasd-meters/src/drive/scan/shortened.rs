// SPDX-License-Identifier: MIT OR Apache-2.0
//! DL/T 645: where several answer to the wildcard, two more digits are said, the lowest first, 00 to 99. A shortened
//! address, as the standards call it, has AA in place of the digits that are left out, and meters answer a reading with the
//! whole one.

use crate::dlt645::Address;

/// Bytes of an address, of two digits each.
const BYTES: usize = 6;
/// Questions of one search at the most: a line that is never quiet sounds like meters without end.
const MOST: u32 = 4_000;
/// Whole addresses that several answer to, at the most: two meters of one address are about, and not ten.
const MOST_WHOLE: u32 = 3;

/// So often is asked where nothing comes. A request of 12 bytes is lost one time in nine where one byte of a hundred is another
/// one, and nobody would know of whom it was to wake.
const QUIET: u8 = 2;
/// The same on a line that is known to be noisy.
const NOISY: u8 = 3;

/// What the line answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    Nothing,
    /// Meters, each of them whole.
    Whole,
    /// Several at once, or noise.
    Several,
}

/// What is to be told of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// Several answer to this address, and to no longer one that it stands for; or it has no digits left to say.
    Several(Address),
    /// It was given up.
    GivenUp,
}

/// The search, as a state machine without a line or a clock.
#[derive(Clone, Debug)]
pub(super) struct Shortened {
    /// Two digits each, the lowest first.
    digits: [u8; BYTES],
    /// So many of them are said.
    depth: usize,
    /// Something was heard of an address with so many and one more.
    below: [bool; BYTES],
    /// How often this address had several answers, and none.
    several: u8,
    silent: u8,
    /// What is heard is not heard each time: silence is believed when it came [`NOISY`] times.
    noisy: bool,
    /// That was known from the beginning.
    known_noisy: bool,
    asked: u32,
    whole: u32,
}

impl Shortened {
    /// Several have answered to the wildcard, and `noisy`: not each time.
    pub(super) const fn new(noisy: bool) -> Self {
        let (digits, below) = ([0; BYTES], [false; BYTES]);
        Self { digits, depth: 1, below, several: 0, silent: 0, noisy, known_noisy: noisy, asked: 0, whole: 0 }
    }

    /// Who is to be asked; `None` at the end.
    pub(super) fn address(&self) -> Option<Address> {
        (self.depth > 0).then(|| self.said(self.depth))
    }

    /// The address with so many of its bytes.
    fn said(&self, depth: usize) -> Address {
        let mut address = Address::WILDCARD;
        for (place, digits) in address.0.iter_mut().zip(self.digits).take(depth) {
            *place = digits / 10 * 16 + digits % 10;
        }
        address
    }

    /// Whether what is heard is not heard each time.
    pub(super) const fn is_noisy(&self) -> bool {
        self.noisy
    }

    /// What came of the last question.
    pub(super) fn heard(&mut self, said: Said) -> Option<Told> {
        let told = self.take(said);
        if self.depth == 0 && self.noisy && !self.known_noisy && told != Some(Told::GivenUp) {
            // Who was asked before that was known may have been lost in it.
            *self = Self { asked: self.asked, whole: self.whole, ..Self::new(true) };
            return told.filter(|told| *told != Told::Several(Address::WILDCARD));
        }
        told
    }

    fn take(&mut self, said: Said) -> Option<Told> {
        if self.depth == 0 {
            return None;
        }
        self.asked += 1;
        if self.asked >= MOST || self.whole >= MOST_WHOLE {
            self.depth = 0;
            return Some(Told::GivenUp);
        }
        match said {
            Said::Nothing => {
                // Noise that does not come again was nobody; but a request may be lost in it.
                self.silent += 1;
                self.noisy |= self.several > 0;
                if self.silent < if self.noisy { NOISY } else { QUIET } {
                    return None;
                }
            }
            Said::Several => {
                self.several += 1;
                if self.several < 2 + u8::from(self.noisy) {
                    return None;
                }
            }
            Said::Whole => {}
        }
        (self.several, self.silent) = (0, 0);
        if said != Said::Nothing {
            self.below.iter_mut().take(self.depth).for_each(|below| *below = true);
        }
        if said != Said::Several {
            return self.next();
        }
        if self.depth == BYTES {
            self.whole += 1;
            let address = self.said(BYTES);
            let _ = self.next();
            return Some(Told::Several(address));
        }
        if let (Some(digits), Some(below)) = (self.digits.get_mut(self.depth), self.below.get_mut(self.depth))
        {
            (*digits, *below) = (0, false);
        }
        self.depth += 1;
        None
    }

    /// The next two digits at this place, or at one before.
    fn next(&mut self) -> Option<Told> {
        let mut told = None;
        while let Some(last) = self.depth.checked_sub(1) {
            let Some(digits) = self.digits.get_mut(last) else { break };
            if *digits < 99 {
                *digits += 1;
                return told;
            }
            self.depth = last;
            // What several answered to, and nobody to any of a hundred longer ones.
            if !self.below.get(last).is_some_and(|below| *below) {
                told = Some(Told::Several(self.said(last)));
            }
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;
    use alloc::vec::Vec;

    use super::*;

    fn address(number: u64) -> Address {
        let mut bytes = [0; BYTES];
        assert!(crate::bcd::encode(number, &mut bytes));
        Address(bytes)
    }

    /// Who is found among these, what is told, and how often was asked.
    fn search(meters: &[Address], deaf: bool) -> (Vec<Address>, Vec<Told>, u32) {
        let mut search = Shortened::new(false);
        let (mut found, mut told) = (vec![], vec![]);
        while let Some(asked) = search.address() {
            let who: Vec<_> = meters.iter().filter(|meter| !deaf && meter.matches(asked)).collect();
            told.extend(search.heard(match who[..] {
                [] => Said::Nothing,
                [one] => {
                    found.push(*one);
                    Said::Whole
                }
                _ => Said::Several,
            }));
        }
        (found, told, search.asked)
    }

    #[test]
    fn meters_are_found_by_their_lowest_digits_and_by_more_where_those_are_alike() {
        let meters = [1, 2, 102, 30_102, 999_999_999_999].map(address);
        let (found, told, asked) = search(&meters, false);
        let mut sorted = found.clone();
        sorted.sort_by_key(|address| address.0.map(|byte| byte).into_iter().rev().collect::<Vec<_>>());
        assert_eq!(sorted, [1, 2, 102, 30_102, 999_999_999_999].map(address));
        // 2, 102 and 30102 end alike; 102 and 30102 in four digits.
        assert_eq!((told, asked), (vec![], 595));
    }

    #[test]
    fn two_of_one_address_and_meters_that_know_no_short_ones_are_told() {
        let (found, told, _) = search(&[7, 7, 9].map(address), false);
        assert_eq!((found, told), (vec![address(9)], vec![Told::Several(address(7))]));
        let (found, told, asked) = search(&[7, 9].map(address), true);
        assert_eq!((found, told, asked), (vec![], vec![Told::Several(Address::WILDCARD)], 200));
    }

    #[test]
    fn noise_now_and_then_finds_nobody_and_a_line_that_is_never_quiet_is_given_up() {
        let mut search = Shortened::new(false);
        let mut n = 0;
        while search.address().is_some() {
            n += 1;
            let told = search.heard(if n % 7 == 0 { Said::Several } else { Said::Nothing });
            assert!(told.is_none_or(|told| told == Told::Several(Address::WILDCARD)));
        }
        assert!(n < 700, "{n}");
        let mut search = Shortened::new(false);
        let mut told = vec![];
        while search.address().is_some() {
            told.extend(search.heard(Said::Several));
        }
        assert_eq!((told.len(), told.last()), (4, Some(&Told::GivenUp)));
    }
}
