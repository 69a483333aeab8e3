// SPDX-License-Identifier: MIT OR Apache-2.0
//! Unit codes.

use crate::unit::Unit;

/// The code of each unit; one more is ten of it, two more a hundred.
const CODES: [(u8, Unit); 17] = [
    (0x02, Unit::WattHour),
    (0x05, Unit::KilowattHour),
    (0x08, Unit::MegawattHour),
    (0x0B, Unit::Kilojoule),
    (0x0E, Unit::Megajoule),
    (0x11, Unit::Gigajoule),
    (0x14, Unit::Watt),
    (0x17, Unit::Kilowatt),
    (0x1A, Unit::Megawatt),
    (0x29, Unit::Litre),
    (0x2C, Unit::CubicMetre),
    (0x32, Unit::LitrePerHour),
    (0x35, Unit::CubicMetrePerHour),
    (0x40, Unit::JoulePerHour),
    (0x43, Unit::KilojoulePerHour),
    (0x46, Unit::MegajoulePerHour),
    (0x49, Unit::GigajoulePerHour),
];

/// The unit of `code` and the power of ten it is taken by.
pub(super) fn unit(code: u8) -> Option<(Unit, i8)> {
    CODES.iter().find_map(|&(base, unit)| {
        let power = code.checked_sub(base).filter(|&power| power < 3)?;
        Some((unit, power as i8))
    })
}

/// The plain code of a unit.
pub(super) fn code(unit: Unit) -> Option<u8> {
    CODES.iter().find_map(|&(code, of)| (of == unit).then_some(code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_do_not_overlap() {
        for code in 0..=255 {
            let fits = CODES.iter().filter(|(base, _)| (*base..base + 3).contains(&code)).count();
            assert!(fits <= 1, "{code:02X}");
            assert_eq!(unit(code).is_some(), fits == 1);
        }
        assert_eq!(unit(0x2D), Some((Unit::CubicMetre, 1)));
        assert_eq!(unit(0x2A), Some((Unit::Litre, 1)));
        assert_eq!((unit(0x00), unit(0x2F)), (None, None));
        assert_eq!(code(Unit::CubicMetre), Some(0x2C));
    }
}
