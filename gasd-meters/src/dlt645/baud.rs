// SPDX-License-Identifier: MIT OR Apache-2.0
//! Codes of speeds. Sources contradict each other by one bit, and a wrong code leaves a meter at a speed
//! that nobody knows: which table a meter has is part of its profile, and without one none is sent.

/// Which bit is which speed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BaudTable {
    /// Bit 1 is 600 bit/s, bit 3 2400, bit 6 19200: what a meter was seen to take.
    FromBit1,
    /// Bit 0 is 600 bit/s, bit 2 2400, bit 5 19200.
    FromBit0,
}

/// The code of `speed`, bit/s; `None` where the table has none.
#[must_use]
pub const fn baud_code(table: BaudTable, speed: u32) -> Option<u8> {
    let step = match speed {
        600 => 0,
        1200 => 1,
        2400 => 2,
        4800 => 3,
        9600 => 4,
        19_200 => 5,
        _ => return None,
    };
    let first = match table {
        BaudTable::FromBit1 => 1,
        BaudTable::FromBit0 => 0,
    };
    Some(1 << (first + step))
}
