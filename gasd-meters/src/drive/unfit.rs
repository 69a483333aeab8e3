// SPDX-License-Identifier: MIT OR Apache-2.0
//! Why a meter cannot be asked for something, before anything is sent.

use core::fmt;

use crate::error::EncodeError;
use crate::modbus::MapError;

/// Why no command moves a valve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoValve {
    /// The protocol has no command for it.
    Protocol,
    /// The configuration does not say how this meter's valve is moved, or that it has one.
    NotConfigured,
    /// The address or type stands for several meters.
    Wildcard,
    /// A valve is sent to open or closed, nowhere else.
    Position,
    /// The command cannot be made into a frame.
    Encode(EncodeError),
}

impl fmt::Display for NoValve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Protocol => f.write_str("this protocol has no command that moves a valve"),
            Self::NotConfigured => {
                f.write_str("the configuration of this meter does not say how its valve is moved")
            }
            Self::Wildcard => f.write_str(
                "a valve is moved only by the meter's own address and type, not by one that stands for several",
            ),
            Self::Position => f.write_str("a valve can be opened or closed, nothing else"),
            Self::Encode(why) => write!(f, "the command cannot be made: {why}"),
        }
    }
}

impl core::error::Error for NoValve {}

impl From<EncodeError> for NoValve {
    fn from(why: EncodeError) -> Self {
        match why {
            EncodeError::Wildcard => Self::Wildcard,
            why => Self::Encode(why),
        }
    }
}

/// Why a meter cannot be read as it is configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// No request can be made for it.
    Encode(EncodeError),
    /// Its register map cannot be (Modbus).
    Map(MapError),
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Encode(why) => write!(f, "this meter cannot be asked: {why}"),
            Self::Map(why) => why.fmt(f),
        }
    }
}

impl core::error::Error for Unfit {}

impl From<EncodeError> for Unfit {
    fn from(why: EncodeError) -> Self {
        Self::Encode(why)
    }
}

impl From<MapError> for Unfit {
    fn from(why: MapError) -> Self {
        Self::Map(why)
    }
}
