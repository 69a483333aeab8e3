// SPDX-License-Identifier: MIT OR Apache-2.0
//! Two values of a register: what happened between them.

/// Without a clock that says how long it took, a register that went back has rolled over if it moved by less
/// than this part of what it can show.
const PART: u64 = 10;

/// What can happen between two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Move {
    /// So many µL passed, maybe none.
    Forward(u64),
    /// So many µL passed, and the register began anew.
    Rolled(u64),
    /// So many µL more than can have passed.
    Leapt(u64),
    /// Back by so many µL.
    Fell(u64),
}

/// What a register is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Register {
    /// Its smallest step, µL.
    pub resolution_ul: u64,
    /// It shows volumes below this, µL; 0 if it never begins anew.
    pub modulus_ul: u64,
}

impl Register {
    /// From `before` to `after` (µL), where at most `most_ul` can have passed; `None` if nobody knows.
    pub fn moved(self, before: u64, after: u64, most_ul: Option<u64>) -> Move {
        let Some(back) = before.checked_sub(after).filter(|back| *back > 0) else {
            let more = after.saturating_sub(before);
            return if most_ul.is_none_or(|most| more <= most) {
                Move::Forward(more)
            } else {
                Move::Leapt(more)
            };
        };
        // A value that is rounded now up and now down went nowhere.
        if back <= self.resolution_ul {
            return Move::Forward(0);
        }
        let most = most_ul.unwrap_or(self.modulus_ul / PART);
        match self.modulus_ul.checked_sub(back) {
            Some(more) if before < self.modulus_ul && more <= most => Move::Rolled(more),
            _ => Move::Fell(back),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIAL: Register = Register { resolution_ul: 10, modulus_ul: 100_000 };

    #[test]
    fn only_what_the_meter_can_pass_is_a_rollover() {
        assert_eq!(DIAL.moved(99_990, 30, Some(100)), Move::Rolled(40));
        assert_eq!(DIAL.moved(99_990, 300, Some(100)), Move::Fell(99_690));
        assert_eq!(DIAL.moved(50_000, 49_000, Some(100)), Move::Fell(1_000));
        assert_eq!(Register { modulus_ul: 0, ..DIAL }.moved(99_990, 30, Some(100)), Move::Fell(99_960));
        assert_eq!(
            DIAL.moved(200_000, 150_000, Some(60_000)),
            Move::Fell(50_000),
            "it shows more than it can"
        );
    }

    #[test]
    fn rounding_is_no_reverse_flow() {
        assert_eq!(DIAL.moved(500, 490, Some(100)), Move::Forward(0));
        assert_eq!(DIAL.moved(500, 480, Some(100)), Move::Fell(20));
    }

    #[test]
    fn more_than_can_pass_is_a_leap_unless_nobody_knows_how_long_it_took() {
        assert_eq!(DIAL.moved(500, 600, Some(100)), Move::Forward(100));
        assert_eq!(DIAL.moved(500, 700, Some(100)), Move::Leapt(200));
        assert_eq!(DIAL.moved(500, 90_000, None), Move::Forward(89_500));
        assert_eq!(DIAL.moved(99_000, 500, None), Move::Rolled(1_500));
        assert_eq!(DIAL.moved(50_000, 0, None), Move::Fell(50_000));
    }
}
