// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which byte of a data identifier comes first.
//!
//! 2004 has the high byte first, 2018 the low one, and meters of either do either. The high byte gives
//! itself away: few values are ever used for it. Where both bytes could be it, what this meter did
//! before decides. What a meter answered with is what it is asked with.

/// Which byte comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Order {
    /// `90 1F`.
    HighFirst,
    /// `1F 90`.
    LowFirst,
}

impl Order {
    /// The bytes of `di` in this order.
    #[must_use]
    pub const fn to_wire(self, di: u16) -> [u8; 2] {
        match self {
            Self::HighFirst => di.to_be_bytes(),
            Self::LowFirst => di.to_le_bytes(),
        }
    }

    /// The identifier that `wire` is in this order.
    #[must_use]
    pub const fn from_wire(self, wire: [u8; 2]) -> u16 {
        match self {
            Self::HighFirst => u16::from_be_bytes(wire),
            Self::LowFirst => u16::from_le_bytes(wire),
        }
    }
}

const fn is_high(byte: u8) -> bool {
    matches!(byte, 0x81 | 0x85 | 0x90 | 0x91 | 0xA0 | 0xA1 | 0xA5 | 0xD1..=0xD4)
}

/// The identifier that `wire` is, and the order it shows; `learnt` is what this meter showed before.
///
/// `None` for the order where the bytes do not show it: then there is nothing to remember, and what a
/// meter has learnt becomes `shown.or(learnt)`.
#[must_use]
pub const fn resolve(wire: [u8; 2], learnt: Option<Order>) -> (u16, Option<Order>) {
    let [first, second] = wire;
    let shown = match (is_high(first), is_high(second)) {
        (true, false) => Some(Order::HighFirst),
        (false, true) => Some(Order::LowFirst),
        _ => None,
    };
    let order = match (shown, learnt) {
        (Some(order), _) | (None, Some(order)) => order,
        (None, None) => Order::HighFirst,
    };
    (order.from_wire(wire), shown)
}
