// SPDX-License-Identifier: MIT OR Apache-2.0
//! Checksums and CRCs of the protocols. The tables of 512 bytes are made by the compiler.

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

/// What each byte adds to a CRC whose lowest bit goes first.
static MODBUS: [u16; 256] = {
    let (mut table, mut byte) = ([0; 256], 0);
    while byte < 256 {
        let (mut crc, mut bit) = (byte as u16, 0);
        while bit < 8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xA001 } else { crc >> 1 };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
};

/// What each byte adds to a CRC whose highest bit goes first.
static EN13757: [u16; 256] = {
    let (mut table, mut byte) = ([0; 256], 0);
    while byte < 256 {
        let (mut crc, mut bit) = ((byte as u16) << 8, 0);
        while bit < 8 {
            crc = if crc & 0x8000 != 0 { crc << 1 ^ 0x3D65 } else { crc << 1 };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
};

/// The entry of a byte, which every table has.
fn entry(table: &'static [u16; 256], byte: u8) -> u16 {
    table.get(usize::from(byte)).copied().unwrap_or_default()
}

/// CRC-16 of Modbus RTU: polynomial 8005 reflected, start FFFF. Sent with the low byte first.
#[must_use]
pub fn modbus(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xFFFF, |crc, &byte| crc >> 8 ^ entry(&MODBUS, crc as u8 ^ byte))
}

/// CRC of EN 13757-4: polynomial 3D65, start 0, inverted. Sent with the high byte first in the radio
/// frame, with the low byte first inside the application layer.
#[must_use]
pub fn en13757(bytes: &[u8]) -> u16 {
    !bytes.iter().fold(0, |crc: u16, &byte| crc << 8 ^ entry(&EN13757, (crc >> 8) as u8 ^ byte))
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
