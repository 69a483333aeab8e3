// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a meter says of itself besides numbers.

use core::fmt;

/// Where a valve is, as the meter says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Valve {
    /// Open.
    Open,
    /// Closed.
    Closed,
    /// Neither: stuck, moving, or a code that the protocol keeps for trouble.
    Abnormal,
}

impl fmt::Display for Valve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Abnormal => "abnormal",
        })
    }
}

macro_rules! flags {
    ($($(#[$doc:meta])* $flag:ident $words:literal),+ $(,)?) => {
        /// Something that is so or not.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Flag { $($(#[$doc])* $flag),+ }

        impl Flag {
            /// Every flag.
            pub const ALL: &'static [Self] = &[$(Self::$flag),+];

            /// In words.
            #[must_use]
            pub const fn words(self) -> &'static str {
                match self { $(Self::$flag => $words),+ }
            }
        }
    };
}

flags! {
    /// The battery is low.
    BatteryLow "battery low",
    /// The supply is low or was lost.
    PowerLow "power low",
    /// The meter is busy.
    Busy "busy",
    /// An error of the application.
    ApplicationError "application error",
    /// An error that stays until someone comes.
    PermanentError "permanent error",
    /// An error that may go by itself.
    TemporaryError "temporary error",
    /// An abnormal condition or alarm.
    Alarm "alarm",
    /// Opened or tampered with.
    Tamper "tamper",
    /// A magnet near the meter.
    Magnet "magnetic field",
    /// Removed from the pipe.
    Removed "removed",
    /// A leak.
    Leak "leak",
    /// No flow although it was expected.
    Blocked "blocked",
    /// Flow backwards.
    Backflow "backflow",
    /// More flow than the meter measures.
    Overflow "overflow",
    /// Air or gas where liquid should be.
    Dry "dry",
    /// A sensor is broken.
    SensorFault "sensor fault",
    /// The clock is wrong or was never set.
    ClockFault "clock fault",
    /// Memory is damaged.
    MemoryFault "memory fault",
    /// The configuration was changed.
    ConfigurationChanged "configuration changed",
    /// The device has restarted.
    Restarted "restarted",
    /// More of the status is to be asked for.
    MoreStatus "more status available",
    /// A value is frozen or saturated.
    Saturated "saturated",
    /// A measured value is out of its limits.
    OutOfLimits "out of limits",
    /// The output is held at one value, whatever is measured.
    OutputFixed "output fixed",
    /// The credit has run out.
    NoCredit "no credit",
}

/// Flags that a meter speaks of, each set or not.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Flags {
    said: u32,
    set: u32,
}

impl Flags {
    /// Of a meter that speaks of none.
    pub(crate) const NONE: Self = Self { said: 0, set: 0 };

    /// Notes that the meter says `value` of `flag`. What was set once stays set.
    #[inline]
    pub const fn say(&mut self, flag: Flag, value: bool) {
        self.said |= 1 << flag as u8;
        self.set |= (value as u32) << flag as u8;
    }

    /// What the meter says of `flag`; `None` where it says nothing.
    #[must_use]
    pub const fn get(self, flag: Flag) -> Option<bool> {
        let bit = 1 << flag as u8;
        if self.said & bit == 0 { None } else { Some(self.set & bit != 0) }
    }

    /// Those that are set.
    pub fn set(self) -> impl Iterator<Item = Flag> {
        Flag::ALL.iter().copied().filter(move |&flag| self.get(flag) == Some(true))
    }
}

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = Flag::ALL.iter().filter_map(|&flag| Some((flag, self.get(flag)?)));
        f.debug_map().entries(said).finish()
    }
}

impl fmt::Display for Flags {
    /// What is set, in words; `nothing` else.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut none = true;
        for flag in self.set() {
            write!(f, "{}{}", if none { "" } else { ", " }, flag.words())?;
            none = false;
        }
        if none { f.write_str("nothing") } else { Ok(()) }
    }
}

// A flag is a bit of a word.
const _: () = assert!(Flag::ALL.len() <= 32);

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn what_is_not_said_is_not_false() {
        let mut flags = Flags::default();
        flags.say(Flag::Leak, false);
        flags.say(Flag::BatteryLow, true);
        flags.say(Flag::BatteryLow, false);
        assert_eq!(flags.get(Flag::Leak), Some(false));
        assert_eq!(flags.get(Flag::BatteryLow), Some(true));
        assert_eq!(flags.get(Flag::Tamper), None);
        assert_eq!(flags.to_string(), "battery low");
        assert_eq!(Flags::default().to_string(), "nothing");
    }
}
