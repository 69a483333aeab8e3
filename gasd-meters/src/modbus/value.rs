// SPDX-License-Identifier: MIT OR Apache-2.0
//! How registers make a number.

use alloc::string::String;
use alloc::vec::Vec;

use crate::bcd;
use crate::fault::Fault;
use crate::number::Decimal;

/// In which order the bytes of a number come, A the highest. For eight bytes it goes on alike: CDAB is
/// GHEFCDAB. Numbers of one register have no order of words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[allow(clippy::upper_case_acronyms, reason = "so they are known")]
pub enum Order {
    /// The high word first, the high byte first: as the standard has registers.
    #[default]
    ABCD,
    /// The low word first.
    CDAB,
    /// The low byte of each word first.
    BADC,
    /// The lowest byte first.
    DCBA,
}

impl Order {
    /// Every order.
    pub const ALL: [Self; 4] = [Self::ABCD, Self::CDAB, Self::BADC, Self::DCBA];

    /// The bytes with the highest first.
    #[must_use]
    pub fn arrange(self, words: &[u16]) -> Vec<u8> {
        let swap_bytes = matches!(self, Self::BADC | Self::DCBA);
        let bytes = |word: &u16| if swap_bytes { word.to_le_bytes() } else { word.to_be_bytes() };
        match self {
            Self::ABCD | Self::BADC => words.iter().flat_map(bytes).collect(),
            Self::CDAB | Self::DCBA => words.iter().rev().flat_map(bytes).collect(),
        }
    }
}

/// What registers hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    /// One register, without a sign.
    U16,
    /// One register, with a sign.
    I16,
    /// Two registers, without a sign.
    U32,
    /// Two registers, with a sign.
    I32,
    /// Four registers, without a sign.
    U64,
    /// Four registers, with a sign.
    I64,
    /// Two registers, IEEE 754.
    F32,
    /// Four registers, IEEE 754.
    F64,
    /// Decimal digits, four a register; 1–4 registers.
    Bcd(u8),
    /// Text, two characters a register.
    Text(u8),
    /// Bits of one register: no number.
    Bits,
}

impl Type {
    /// Registers that it takes.
    #[must_use]
    pub const fn words(self) -> u16 {
        match self {
            Self::U16 | Self::I16 | Self::Bits => 1,
            Self::U32 | Self::I32 | Self::F32 => 2,
            Self::U64 | Self::I64 | Self::F64 => 4,
            Self::Bcd(words) | Self::Text(words) => words as u16,
        }
    }

    /// The number in `bytes`, the highest first.
    pub(super) fn decimal(self, bytes: &[u8]) -> Result<Decimal, Fault> {
        let unsigned = || -> Result<u64, Fault> {
            let mut whole = [0; 8];
            let place = 8usize.checked_sub(bytes.len()).and_then(|free| whole.get_mut(free..));
            place.ok_or(Fault::TooLarge)?.copy_from_slice(bytes);
            Ok(u64::from_be_bytes(whole))
        };
        let whole = |number: u64| i64::try_from(number).map_err(|_| Fault::TooLarge);
        let mantissa = match self {
            Self::U16 | Self::U32 | Self::U64 => whole(unsigned()?)?,
            Self::I16 => i64::from(unsigned()? as u16 as i16),
            Self::I32 => i64::from(unsigned()? as u32 as i32),
            Self::I64 => unsigned()? as i64,
            Self::F32 => return Decimal::from_f32(f32::from_bits(unsigned()? as u32)),
            Self::F64 => return Decimal::from_f64(f64::from_bits(unsigned()?)),
            Self::Bcd(_) => {
                let low_first: Vec<u8> = bytes.iter().rev().copied().collect();
                bcd::decode(&low_first)?
            }
            Self::Text(_) | Self::Bits => return Err(Fault::OtherDimension),
        };
        Ok(Decimal::new(mantissa, 0))
    }
}

/// Text that ends with the first zero, without blanks at the end; what is no ASCII becomes `?`.
pub(super) fn text(bytes: &[u8]) -> String {
    let printable = |&byte: &u8| if matches!(byte, 0x20..=0x7E) { char::from(byte) } else { '?' };
    let text: String = bytes.iter().take_while(|&&byte| byte != 0).map(printable).collect();
    text.trim_end().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_order_of_one_number() {
        // 5866.1426, as a flow computer sends it: 45B7 5124 with the words swapped.
        let sent = [[0x45B7, 0x5124], [0x5124, 0x45B7], [0xB745, 0x2451], [0x2451, 0xB745]];
        for (order, words) in Order::ALL.into_iter().zip(sent) {
            let bytes = order.arrange(&words);
            assert_eq!(Type::F32.decimal(&bytes), Ok(Decimal::new(58_661_426, -4)), "{order:?}");
        }
        let words = [0x0123, 0x4567, 0x89AB, 0xCDEF];
        assert_eq!(Order::CDAB.arrange(&words), [0xCD, 0xEF, 0x89, 0xAB, 0x45, 0x67, 0x01, 0x23]);
        assert_eq!(Order::DCBA.arrange(&words), [0xEF, 0xCD, 0xAB, 0x89, 0x67, 0x45, 0x23, 0x01]);
        assert_eq!(Order::BADC.arrange(&words), [0x23, 0x01, 0x67, 0x45, 0xAB, 0x89, 0xEF, 0xCD]);
    }

    #[test]
    fn every_type() {
        let of = |kind: Type, bytes: &[u8]| kind.decimal(bytes);
        assert_eq!(of(Type::U16, &[0xFF, 0xFE]), Ok(Decimal::new(65_534, 0)));
        assert_eq!(of(Type::I16, &[0xFF, 0xFE]), Ok(Decimal::new(-2, 0)));
        assert_eq!(of(Type::U32, &[0xFF; 4]), Ok(Decimal::new(4_294_967_295, 0)));
        assert_eq!(of(Type::I32, &[0xFF; 4]), Ok(Decimal::new(-1, 0)));
        assert_eq!(of(Type::U64, &[0xFF; 8]), Err(Fault::TooLarge));
        assert_eq!(of(Type::I64, &[0xFF; 8]), Ok(Decimal::new(-1, 0)));
        assert_eq!(of(Type::F64, &0.1f64.to_be_bytes()), Ok(Decimal::new(1, -1)));
        assert_eq!(of(Type::F32, &f32::NAN.to_be_bytes()), Err(Fault::NotANumber));
        assert_eq!(of(Type::Bcd(2), &[0x12, 0x34, 0x56, 0x78]), Ok(Decimal::new(12_345_678, 0)));
        assert_eq!(of(Type::Bcd(1), &[0xFF, 0xFF]), Err(Fault::NotFilled));
        assert_eq!(of(Type::Bcd(1), &[0x0A, 0x00]), Err(Fault::NotBcd));
        assert_eq!(text(b"GVC-1 \0zz"), "GVC-1");
    }
}
