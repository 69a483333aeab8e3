// SPDX-License-Identifier: MIT OR Apache-2.0
//! DL/T 645: where several answer to the wildcard, two more digits are said, the lowest first, 00 to 99. A shortened
//! address, as the standards call it, has AA in place of the digits that are left out, and meters answer a reading with the
//! whole one.

use crate::dlt645::Address;

/// Bytes of an address, of two digits each.
const BYTES: usize = 6;
/// Questions of one search at the most: a line that is never quiet sounds like meters without end.
const MOST: u32 = 2_000;
/// Whole addresses that several answer to, at the most: two meters of one address are about, and not ten.
const MOST_WHOLE: u32 = 3;

/// What the line answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    Nothing,
    /// One meter.
    One,
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
    /// Several answered the last question, which is asked once more: it may have been noise.
    again: bool,
    asked: u32,
    whole: u32,
}

impl Shortened {
    /// Several have answered to the wildcard.
    pub(super) const fn new() -> Self {
        Self { digits: [0; BYTES], depth: 1, below: [false; BYTES], again: false, asked: 0, whole: 0 }
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

    /// What came of the last question.
    pub(super) fn heard(&mut self, said: Said) -> Option<Told> {
        if self.depth == 0 {
            return None;
        }
        self.asked += 1;
        if self.asked >= MOST || self.whole >= MOST_WHOLE {
            self.depth = 0;
            return Some(Told::GivenUp);
        }
        let again = core::mem::take(&mut self.again);
        if said == Said::Nothing && !again {
            return self.next();
        }
        if said == Said::Several && !again {
            self.again = true;
            return None;
        }
        // Noise that does not come again was nobody.
        if said != Said::Nothing
            && let Some(above) = self.depth.checked_sub(1)
        {
            self.below.iter_mut().take(above + 1).for_each(|below| *below = true);
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
        let mut search = Shortened::new();
        let (mut found, mut told) = (vec![], vec![]);
        while let Some(asked) = search.address() {
            let who: Vec<_> = meters.iter().filter(|meter| !deaf && meter.matches(asked)).collect();
            told.extend(search.heard(match who[..] {
                [] => Said::Nothing,
                [one] => {
                    found.push(*one);
                    Said::One
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
        assert_eq!((told, asked), (vec![], 302));
    }

    #[test]
    fn two_of_one_address_and_meters_that_know_no_short_ones_are_told() {
        let (found, told, _) = search(&[7, 7, 9].map(address), false);
        assert_eq!((found, told), (vec![address(9)], vec![Told::Several(address(7))]));
        let (found, told, asked) = search(&[7, 9].map(address), true);
        assert_eq!((found, told, asked), (vec![], vec![Told::Several(Address::WILDCARD)], 100));
    }

    #[test]
    fn noise_now_and_then_finds_nobody_and_a_line_that_is_never_quiet_is_given_up() {
        let mut search = Shortened::new();
        let mut n = 0;
        while search.address().is_some() {
            n += 1;
            let told = search.heard(if n % 7 == 0 { Said::Several } else { Said::Nothing });
            assert!(told.is_none_or(|told| told == Told::Several(Address::WILDCARD)));
        }
        assert!(n < 130, "{n}");
        let mut search = Shortened::new();
        let mut told = vec![];
        while search.address().is_some() {
            told.extend(search.heard(Said::Several));
        }
        assert_eq!((told.len(), told.last()), (4, Some(&Told::GivenUp)));
    }
}
