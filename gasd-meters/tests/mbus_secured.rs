// SPDX-License-Identifier: MIT OR Apache-2.0
//! Wired M-Bus that says that it is encrypted, or seems to: nothing is made of ciphertext.
#![allow(clippy::unwrap_used, reason = "test code")]

use gasd_meters::mbus::{Frame, Link, decode, records};
use gasd_meters::{Error, Kind, Reading, hex};

/// An answer whose configuration word is this one.
fn answer(config: u16, data: &[u8]) -> Vec<u8> {
    let mut bytes = hex::parse("7856341293153303 0700").expect("hex");
    bytes.extend(config.to_le_bytes());
    bytes.extend(data);
    Frame::Long(Link { control: 0x08, address: 1 }, 0x72, &bytes).encode().expect("short enough")
}

/// What is read, which is the same for who looks at one record after the other.
fn read(config: u16, data: &[u8]) -> Result<Reading, Error> {
    let bytes = answer(config, data);
    let frame = Frame::parse(&bytes).unwrap();
    let reading = decode(&frame, &mut ()).and_then(gasd_meters::mbus::Message::into_reading);
    let each = records(&frame).and_then(|(_, mut records)| records.try_for_each(|record| record.map(drop)));
    assert_eq!(reading.as_ref().map(drop), each.as_ref().map(drop));
    reading
}

/// Bytes that look like ciphertext.
fn noise(seed: &mut u64, len: usize) -> Vec<u8> {
    let byte = || {
        *seed ^= *seed << 13;
        *seed ^= *seed >> 7;
        *seed ^= *seed << 17;
        (*seed >> 32) as u8
    };
    std::iter::repeat_with(byte).take(len).collect()
}

/// Volume, energy, flow and temperature: as plain as can be.
const PLAIN: &str = "0C1300010100 0306F93415 053D00000000 055B22F32642";

#[test]
fn nothing_is_read_of_a_mode_that_encrypts() {
    let plain = hex::parse(PLAIN).unwrap();
    for mode in [1, 2, 3, 4, 5, 7, 8, 9, 10, 13] {
        let config = mode << 8 | 0x20;
        let error = if matches!(mode, 5 | 7) {
            Error::KeyMissing
        } else {
            Error::UnsupportedMode { mode: mode as u8 }
        };
        // Whatever it looks like.
        assert_eq!(read(config, &plain), Err(error), "mode {mode}");
        let mut seed = 0x9E37_79B9 + u64::from(mode);
        for n in 0..2_000 {
            let data = noise(&mut seed, 16 * (1 + n % 4));
            assert_eq!(read(config, &data), Err(error), "mode {mode}: {}", hex::Hex(&data));
        }
        // What a meter or a reader has deciphered says so itself.
        let open = [&[0x2F, 0x2F], &plain[..]].concat();
        assert_eq!(read(config, &open).unwrap().fields.len(), 4);
    }
    // No encrypted bytes.
    for config in [0x0200, 0x0300, 0x0400, 0x0500, 0x0700, 0x0000, 0x00F0] {
        assert_eq!(read(config, &plain).unwrap().fields.len(), 4, "{config:04X}");
    }
}

#[test]
fn a_signature_of_old_is_no_encryption_where_all_of_the_data_are_sane() {
    // Modes that no standard has: the captures by others have 22 and 31.
    const RESERVED: [u16; 21] =
        [6, 11, 12, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31];
    let plain = hex::parse(PLAIN).unwrap();
    let refused = |mode| Err(Error::UnsupportedMode { mode });
    let (mut taken, mut volumes, mut seed) = (0, 0, 0x1234_5678);
    for mode in RESERVED {
        let config = mode << 8 | 0x27;
        assert_eq!(read(config, &plain).unwrap().fields.len(), 4, "mode {mode}");
        for odd in [
            // A digit above 9, a unit that is not known, one record too few, one that breaks off, what only the
            // manufacturer knows.
            "0C13000101A0 0306F93415 053D00000000 055B22F32642",
            "0C1300010100 036FF93415 053D00000000 055B22F32642",
            "0C1300010100 0306F93415 053D00000000",
            "0C1300010100 0306F93415 053D00000000 055B22F326",
            "0C1300010100 0306F93415 053D00000000 055B22F32642 0F0102",
        ] {
            assert_eq!(read(config, &hex::parse(odd).unwrap()), refused(mode as u8), "{odd}");
        }
        for n in 0..4_000 {
            let Ok(reading) = read(config, &noise(&mut seed, 16 * (1 + n % 4))) else { continue };
            taken += 1;
            volumes += usize::from(reading.get(Kind::Volume).is_some_and(|field| field.volume_ul().is_ok()));
        }
    }
    // Of 84,000; it was one of eight before.
    assert!(taken < 40 && volumes == 0, "{taken} of them, {volumes} with a volume");
}
