// SPDX-License-Identifier: MIT OR Apache-2.0
//! Decimal numbers kept exact: a digit string and where its point stands, never a float.
//!
//! A meter's total is a sum over years of one pulse volume, so that volume must be what the
//! person wrote and not the nearest binary fraction.

/// More whole digits than any `u64` has.
const MAX_WHOLE: usize = 20;
/// More decimals than any unit here can resolve (an hour has 3.6e12 ns).
const MAX_PLACES: usize = 18;

/// A number of zero or more: `digits / 10^places`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Decimal {
    digits: u128,
    places: u32,
}

/// Why a number could not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DecimalError {
    /// Not of the form `12` or `12.5`.
    NotANumber,
    /// A remainder is left below the smallest unit.
    TooFine,
    /// More than a `u64` holds.
    TooLarge,
}

impl Decimal {
    /// Reads `12` or `12.5`; digits stand on both sides of a point, there is no sign and no exponent.
    pub(super) fn parse(text: &str) -> Result<Self, DecimalError> {
        let (whole, fraction) = match text.split_once('.') {
            Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
            Some(_) => return Err(DecimalError::NotANumber),
            None => (text, ""),
        };
        let digits_only = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !digits_only(whole) || !digits_only(fraction) {
            return Err(DecimalError::NotANumber);
        }
        let whole = whole.trim_start_matches('0');
        let fraction = fraction.trim_end_matches('0');
        if whole.len() > MAX_WHOLE {
            return Err(DecimalError::TooLarge);
        }
        if fraction.len() > MAX_PLACES {
            return Err(DecimalError::TooFine);
        }
        // At most 38 digits: fits a u128.
        let digits =
            whole.bytes().chain(fraction.bytes()).fold(0_u128, |sum, b| sum * 10 + u128::from(b - b'0'));
        Ok(Self { digits, places: fraction.len() as u32 })
    }

    /// Whether it is zero.
    pub(super) const fn is_zero(self) -> bool {
        self.digits == 0
    }

    /// `self × factor` as a whole number.
    pub(super) fn times(self, factor: u64) -> Result<u64, DecimalError> {
        // places is at most 18, so a product beyond u128 is beyond u64 after the division too.
        let product = self.digits.checked_mul(u128::from(factor)).ok_or(DecimalError::TooLarge)?;
        let scale = 10_u128.pow(self.places);
        if !product.is_multiple_of(scale) {
            return Err(DecimalError::TooFine);
        }
        u64::try_from(product / scale).map_err(|_| DecimalError::TooLarge)
    }

    /// `factor / self`, rounded to the nearest whole number, and whether nothing was rounded;
    /// `None` for a division by zero or a quotient beyond `u64`.
    pub(super) fn divides(self, factor: u64) -> Option<(u64, bool)> {
        if self.digits == 0 {
            return None;
        }
        // At most 1.8e19 × 1e18 = 1.8e37: fits a u128.
        let dividend = u128::from(factor) * 10_u128.pow(self.places);
        let rounded = dividend / self.digits + u128::from(dividend % self.digits >= self.digits.div_ceil(2));
        let quotient = u64::try_from(rounded).ok()?;
        Some((quotient, dividend.is_multiple_of(self.digits)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenth_is_a_tenth() {
        let tenth = Decimal::parse("0.1").unwrap();
        assert_eq!(tenth.times(1_000_000_000), Ok(100_000_000));
        assert_eq!(tenth.times(1), Err(DecimalError::TooFine));
    }

    #[test]
    fn padding_zeros_change_nothing() {
        let padded = Decimal::parse(&format!("{}1.5{}", "0".repeat(50), "0".repeat(50)));
        assert_eq!(padded, Decimal::parse("1.5"));
    }

    #[test]
    fn what_is_no_plain_number_is_refused() {
        for text in ["", ".", "1.", ".5", "-1", "+1", "1e3", "1_000", "1.2.3", "½", "١", "inf"] {
            assert_eq!(Decimal::parse(text), Err(DecimalError::NotANumber), "{text}");
        }
    }

    #[test]
    fn the_edge_of_u64_is_exact() {
        let max = Decimal::parse("18446744073709551615").unwrap();
        assert_eq!(max.times(1), Ok(u64::MAX));
        assert_eq!(max.times(2), Err(DecimalError::TooLarge));
        let over = Decimal::parse("18446744073709551616").unwrap();
        assert_eq!(over.times(1), Err(DecimalError::TooLarge));
        assert_eq!(Decimal::parse(&"9".repeat(21)), Err(DecimalError::TooLarge));
    }

    #[test]
    fn division_says_whether_it_was_exact() {
        assert_eq!(Decimal::parse("100").unwrap().divides(1_000_000_000), Some((10_000_000, true)));
        assert_eq!(Decimal::parse("3").unwrap().divides(10), Some((3, false)));
        assert_eq!(Decimal::parse("0.1").unwrap().divides(1), Some((10, true)));
        assert_eq!(Decimal::parse("0").unwrap().divides(1), None);
    }
}
