// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which bus.

use std::fmt;

/// The bus to serve on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BusAddress {
    /// The system bus; members of a group may control.
    System,
    /// The session bus of this user.
    Session,
    /// A bus at a D-Bus address, for instance `unix:path=/run/test/bus`. Treated as private: only
    /// this user and root may control.
    Address(String),
}

impl BusAddress {
    /// Reads `system`, `session` or a D-Bus address; gasctl takes the same words.
    #[must_use]
    pub fn parse(text: &str) -> BusAddress {
        match text {
            "" | "system" => BusAddress::System,
            "session" => BusAddress::Session,
            other => BusAddress::Address(other.to_owned()),
        }
    }

    pub(super) fn builder(&self) -> zbus::connection::Builder<'_> {
        match self {
            BusAddress::System => zbus::connection::Builder::system(),
            BusAddress::Session => zbus::connection::Builder::session(),
            BusAddress::Address(address) => zbus::connection::Builder::address(address.as_str()),
        }
    }
}

impl fmt::Display for BusAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BusAddress::System => f.write_str("system bus"),
            BusAddress::Session => f.write_str("session bus"),
            BusAddress::Address(address) => write!(f, "bus at {address}"),
        }
    }
}
