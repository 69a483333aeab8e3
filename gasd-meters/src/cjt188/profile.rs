// SPDX-License-Identifier: MIT OR Apache-2.0
//! What differs from maker to maker, as data.

use crate::status::{Flag, Flags, Valve};
use crate::unit::Unit;

/// Some bits of the status word: ST0 is the low byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatusBits {
    /// The bits of the valve; 0 for a meter that has none.
    pub valve: u16,
    /// What they are when it is open.
    pub open: u16,
    /// What they are when it is closed.
    pub closed: u16,
    /// What they are when it is neither.
    pub abnormal: u16,
    /// Bits and what they mean when set; of the battery first.
    pub flags: &'static [(u16, Flag)],
}

/// In which order a meter sends its clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockOrder {
    /// ss mm hh DD MM YY CC, as the standard has it.
    LowFirst,
    /// CC YY MM DD hh mm ss.
    HighFirst,
    /// ss mm hh DD MM CC YY.
    CenturyBeforeYear,
}

/// How a kind of meter is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Its name.
    pub name: &'static str,
    /// Its status word.
    pub status: StatusBits,
    /// Its clock.
    pub clock: ClockOrder,
    /// The unit its volumes are in, whatever it says. Needed for meters that say none (00), or litres
    /// (29) when they mean m³. A code that is another unit, or a multiple, is in doubt.
    pub volume_unit: Option<Unit>,
    /// The function with which its valve is moved: 04, or the maker's own.
    pub valve_function: u8,
}

/// D1 D0 of ST0: 00 open, 01 closed, 11 abnormal. D2: battery low.
const STANDARD_BITS: StatusBits = StatusBits {
    valve: 0x0003,
    open: 0x0000,
    closed: 0x0001,
    abnormal: 0x0003,
    flags: &[(0x0004, Flag::BatteryLow)],
};

impl Profile {
    /// As the standard has it.
    pub const STANDARD: Self = Self {
        name: "standard",
        status: STANDARD_BITS,
        clock: ClockOrder::LowFirst,
        volume_unit: None,
        valve_function: 0x04,
    };

    /// As the standard has it, of a meter without a valve, whose bits would else say "open".
    pub const NO_VALVE: Self =
        Self { name: "no-valve", status: StatusBits { valve: 0, ..STANDARD_BITS }, ..Self::STANDARD };

    /// The valve in D7 D6 of ST0, the battery in D5.
    pub const HIGH_BITS: Self = Self {
        name: "high-bits",
        status: StatusBits {
            valve: 0x00C0,
            open: 0x0000,
            closed: 0x0040,
            abnormal: 0x00C0,
            flags: &[(0x0020, Flag::BatteryLow)],
        },
        ..Self::STANDARD
    };

    /// A valve that is moved by function 2A.
    pub const VALVE_2A: Self = Self { name: "valve-2a", valve_function: 0x2A, ..Self::STANDARD };

    /// Volumes in m³ whatever the unit byte says, and the century before the year.
    pub const CUBIC_METRES: Self = Self {
        name: "cubic-metres",
        volume_unit: Some(Unit::CubicMetre),
        clock: ClockOrder::CenturyBeforeYear,
        ..Self::STANDARD
    };

    /// Volumes in m³ whatever the unit byte says, and the clock from the century down.
    pub const CLOCK_HIGH_FIRST: Self = Self {
        name: "clock-high-first",
        volume_unit: Some(Unit::CubicMetre),
        clock: ClockOrder::HighFirst,
        ..Self::STANDARD
    };

    /// The profile of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        PROFILES.iter().find(|profile| profile.name == name)
    }
}

/// Every profile that has a name.
pub const PROFILES: &[Profile] = &[
    Profile::STANDARD,
    Profile::NO_VALVE,
    Profile::HIGH_BITS,
    Profile::VALVE_2A,
    Profile::CUBIC_METRES,
    Profile::CLOCK_HIGH_FIRST,
];

/// A status word and what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// ST1 ST0.
    pub word: u16,
    /// Where the valve is; `None` where the bits are none of those that the profile has, or are not filled.
    pub valve: Option<Valve>,
    /// The rest.
    pub flags: Flags,
}

impl StatusBits {
    /// What a status word says: one of all ones is not filled, and says nothing.
    #[must_use]
    pub fn status(&self, word: u16) -> Status {
        if word == u16::MAX {
            return Status { word, valve: None, flags: Flags::default() };
        }
        let mut flags = Flags::default();
        for &(bits, flag) in self.flags {
            flags.say(flag, word & bits != 0);
        }
        let valve = match word & self.valve {
            _ if self.valve == 0 => None,
            bits if bits == self.open => Some(Valve::Open),
            bits if bits == self.closed => Some(Valve::Closed),
            bits if bits == self.abnormal => Some(Valve::Abnormal),
            _ => None,
        };
        Status { word, valve, flags }
    }
}
