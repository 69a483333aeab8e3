// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is wrong with one field of a good frame. It never rejects the frame: meters fill fields that
//! they do not have with FF, send clocks that were never set, and units that no table knows.

use core::fmt;

/// Why a field has no value, or one that is not to be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Filled with FF (or what the protocol has for "not available").
    NotFilled,
    /// A digit above 9 in a decimal field.
    NotBcd,
    /// All zero where zero is no value, as in a clock that was never set.
    NotSet,
    /// A number that cannot be, as a 60th second.
    OutOfRange,
    /// The meter itself says that the value is not valid.
    SaidInvalid,
    /// Not a finite number.
    NotANumber,
    /// More than the result can hold.
    TooLarge,
    /// Finer than a µL, which a volume is counted in.
    TooFine,
    /// A unit that the protocol's table does not have; the code.
    UnknownUnit(u8),
    /// A unit that meters of this kind send although they mean another; the code.
    DoubtfulUnit(u8),
    /// The unit that the meter says is not the one that its profile has; the code.
    OtherUnit(u8),
    /// Something behind the unit that the protocol's table does not have, and that may change what the
    /// value means; the code.
    UnknownExtension(u8),
    /// A password or key, which is not shown.
    Hidden,
    /// The unit measures something else than what was asked for.
    OtherDimension,
    /// The field is shorter or longer than its format.
    Length,
    /// Its parts changed while they were read, each time anew.
    Torn,
    /// Read twice over a disturbed line, and not the same.
    Unconfirmed,
    /// It stands behind what is encrypted, and no code covers it.
    Unprotected,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::NotFilled => f.write_str("the meter does not fill this field"),
            Self::NotBcd => f.write_str("not a decimal number"),
            Self::NotSet => f.write_str("never set"),
            Self::OutOfRange => f.write_str("out of range"),
            Self::SaidInvalid => f.write_str("the meter says that this value is not valid"),
            Self::NotANumber => f.write_str("not a number"),
            Self::TooLarge => f.write_str("too large"),
            Self::TooFine => f.write_str("finer than 1 µL"),
            Self::UnknownUnit(code) => {
                write!(f, "unit code {code:02X} is not known: set the meter's unit in its profile")
            }
            Self::DoubtfulUnit(code) => write!(
                f,
                "unit code {code:02X} is sent by meters that mean another unit: set the unit in the profile"
            ),
            Self::OtherUnit(code) => write!(
                f,
                "unit code {code:02X} is another unit than the one of the meter's profile: set the unit, or a profile (dialect) without one"
            ),
            Self::UnknownExtension(code) => {
                write!(f, "extension {code:02X} of the unit is not known, it may change what the value means")
            }
            Self::Hidden => f.write_str("a secret, not shown"),
            Self::OtherDimension => f.write_str("the unit measures something else"),
            Self::Length => f.write_str("the length does not fit the format"),
            Self::Torn => f.write_str("it changed while it was read"),
            Self::Unconfirmed => f.write_str("read twice over a disturbed line, and not the same"),
            Self::Unprotected => f.write_str("not encrypted, anybody can write it"),
        }
    }
}
