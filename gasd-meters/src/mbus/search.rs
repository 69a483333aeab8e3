// SPDX-License-Identifier: MIT OR Apache-2.0
//! The search for meters by their secondary addresses, as a state machine without a line or a clock.

use alloc::vec::Vec;

use super::address::Address;

/// Digits of an identification number.
const DIGITS: usize = 8;

/// What is to be done next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Select the meters of this address.
    Select(Address),
    /// Ask what is selected for its reading, whose header has the whole address.
    Read,
}

/// What the line answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Nothing in the time that the standard allows.
    Nothing,
    /// E5, alone.
    Ack,
    /// Something that is neither: several answered at once.
    Collision,
    /// A reading, from the meter of this address.
    Meter(Address),
}

/// Finds every meter: where several answer to a wildcard, one more digit is tried, 0 to 9.
///
/// Meters that answer at the same time often sound like one: what selects is therefore always read, and
/// only a whole reading is a meter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    digits: [u8; DIGITS],
    /// How many digits are fixed, from the first.
    depth: usize,
    /// What the search is limited to.
    within: Address,
    reading: bool,
    done: bool,
    retries: u8,
    silences: u8,
    found: Vec<Address>,
    unresolved: Vec<Address>,
    selects: u32,
}

impl Search {
    /// A search among the meters that `within` matches ([`Address::ANY`]: all), whose number it has to
    /// leave open. A select that stays without an answer is repeated `retries` times.
    #[must_use]
    pub const fn new(within: Address, retries: u8) -> Self {
        Self {
            digits: [0; DIGITS],
            depth: 0,
            within,
            reading: false,
            done: false,
            retries,
            silences: 0,
            found: Vec::new(),
            unresolved: Vec::new(),
            selects: 0,
        }
    }

    /// What to do next; `None` where all is searched.
    #[must_use]
    pub fn step(&self) -> Option<Step> {
        if self.done {
            None
        } else if self.reading {
            Some(Step::Read)
        } else {
            Some(Step::Select(self.selection()))
        }
    }

    /// Takes what came of the last step. A meter that is new.
    pub fn heard(&mut self, heard: Heard) -> Option<Address> {
        if self.done {
            return None;
        }
        if !self.reading {
            self.selects += 1;
        }
        match (self.reading, heard) {
            (_, Heard::Nothing) if self.silences < self.retries => {
                self.silences += 1;
                return None;
            }
            (false, Heard::Nothing) => self.next(),
            (false, Heard::Ack) => self.reading = true,
            (false, Heard::Collision) => self.deeper(),
            // It was selected, and nothing or noise comes: several that speak at once.
            (true, Heard::Nothing | Heard::Ack | Heard::Collision) => self.deeper(),
            (_, Heard::Meter(meter)) => {
                // One whose number is not what was selected would be found without end.
                let new = !self.found.contains(&meter);
                if new {
                    self.found.push(meter);
                }
                self.next();
                self.silences = 0;
                return new.then_some(meter);
            }
        }
        self.silences = 0;
        None
    }

    /// The meters that were found.
    #[must_use]
    pub fn found(&self) -> &[Address] {
        &self.found
    }

    /// Selections that several meters answer to although every digit is fixed: of the same number.
    #[must_use]
    pub fn unresolved(&self) -> &[Address] {
        &self.unresolved
    }

    /// Selects that were sent.
    #[must_use]
    pub const fn selects(&self) -> u32 {
        self.selects
    }

    fn selection(&self) -> Address {
        let mut id = [0xFF; 4];
        let fixed = self.digits.iter().take(self.depth);
        for (n, &digit) in fixed.enumerate() {
            // The first digit is the high nibble of the last byte.
            if let Some(byte) = id.get_mut(3 - n / 2) {
                *byte = if n % 2 == 0 { digit << 4 | 0x0F } else { *byte & 0xF0 | digit };
            }
        }
        Address { id, ..self.within }
    }

    /// One more digit.
    fn deeper(&mut self) {
        self.reading = false;
        if self.depth == DIGITS {
            self.unresolved.push(self.selection());
            self.next();
            return;
        }
        if let Some(digit) = self.digits.get_mut(self.depth) {
            *digit = 0;
        }
        self.depth += 1;
    }

    /// The next digit at this place, or at one before.
    fn next(&mut self) {
        self.reading = false;
        while let Some(digit) = self.depth.checked_sub(1).and_then(|last| self.digits.get_mut(last)) {
            if *digit < 9 {
                *digit += 1;
                return;
            }
            self.depth -= 1;
        }
        self.done = true;
    }
}
