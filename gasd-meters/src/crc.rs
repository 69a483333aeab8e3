// SPDX-License-Identifier: MIT OR Apache-2.0
//! Checksums and CRCs of the protocols. Frames are short: no tables.

/// The sum of all bytes, modulo 256 (M-Bus, DL/T 645, CJ/T 188).
#[must_use]
pub fn sum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, &byte| sum.wrapping_add(byte))
}

/// All bytes by exclusive or (HART).
#[must_use]
pub fn xor(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, &byte| sum ^ byte)
}

/// CRC-16 of Modbus RTU: polynomial 8005 reflected, start FFFF. Sent with the low byte first.
#[must_use]
pub fn modbus(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xFFFF, |crc, &byte| {
        (0..8).fold(crc ^ u16::from(byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xA001 } else { crc >> 1 })
    })
}

/// CRC of EN 13757-4: polynomial 3D65, start 0, inverted. Sent with the high byte first in the radio
/// frame, with the low byte first inside the application layer.
#[must_use]
pub fn en13757(bytes: &[u8]) -> u16 {
    !bytes.iter().fold(0, |crc: u16, &byte| {
        (0..8).fold(
            crc ^ u16::from(byte) << 8,
            |crc, _| {
                if crc & 0x8000 != 0 { crc << 1 ^ 0x3D65 } else { crc << 1 }
            },
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The check values of the catalogue of CRCs: of the ASCII digits 1 to 9.
    #[test]
    fn check_values() {
        let digits = b"123456789";
        assert_eq!(modbus(digits), 0x4B37);
        assert_eq!(en13757(digits), 0xC2B7);
        assert_eq!(sum(digits), 0xDD);
        assert_eq!(xor(digits), 0x31);
        assert_eq!((sum(&[]), xor(&[]), modbus(&[]), en13757(&[])), (0, 0, 0xFFFF, 0xFFFF));
    }
}
