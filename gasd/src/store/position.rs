// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where a valve was when that was last known, for the words of the next start. Nothing is driven by it.

use crate::state::Position;

/// Layout of the row.
const VERSION: u8 = 1;

/// What was known of a valve.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LastKnown {
    /// Where it was; unknown if that was never known.
    pub at: Position,
    /// Where it was told to go and was not seen yet; unknown if no order was under way.
    pub ordered: Position,
}

impl LastKnown {
    pub(super) fn encode(self) -> [u8; 3] {
        [VERSION, number(self.at), number(self.ordered)]
    }

    /// `None` for bytes that are none of this gasd's: then nothing is known, and nothing else is spoilt.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [VERSION, at, ordered] => Some(LastKnown { at: position(*at)?, ordered: position(*ordered)? }),
            _ => None,
        }
    }
}

const fn number(position: Position) -> u8 {
    match position {
        Position::Unknown => 0,
        Position::Open => 1,
        Position::Closed => 2,
    }
}

const fn position(number: u8) -> Option<Position> {
    match number {
        0 => Some(Position::Unknown),
        1 => Some(Position::Open),
        2 => Some(Position::Closed),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_read_back_and_one_of_another_kind_is_nothing_known() {
        let all = [Position::Unknown, Position::Open, Position::Closed];
        for known in all.iter().flat_map(|at| all.map(|ordered| LastKnown { at: *at, ordered })) {
            assert_eq!(LastKnown::decode(&known.encode()), Some(known));
        }
        for bytes in [&[][..], &[1, 1], &[2, 1, 1], &[1, 3, 0], &[1, 1, 1, 1]] {
            assert_eq!(LastKnown::decode(bytes), None);
        }
    }
}
