// SPDX-License-Identifier: MIT OR Apache-2.0
//! A wired meter that encrypts what it says: read with its key, and nothing of it without.

mod common;
#[path = "common/line.rs"]
mod line;

use std::sync::Arc;

use gasd_meters::drive::{Device, Memory, SharedKey, volume_ul};
use gasd_meters::mbus::{Address, Target};
use gasd_meters::wmbus::{Key, Lock, Seal};
use gasd_meters::{Error, Kind, Reading};
use line::talk;

const SECRET: [u8; 16] = [0x11; 16];
/// A clock, and a volume of 2850.427 m³.
const RECORDS: &[u8] = &[0x04, 0x6D, 0x32, 0x37, 0x1F, 0x15, 0x0C, 0x13, 0x27, 0x04, 0x85, 0x02];

fn meter() -> Address {
    "12345678.ELS.33.03".parse().expect("an address")
}

fn device(target: Target, secret: [u8; 16]) -> Device {
    Device::SecureMbus { target, valve: None, key: SharedKey(Arc::new(Key::new(secret))) }
}

/// What follows the length of a long frame: with the meter's address in its header, or without.
fn message(lock: Lock<'_>, long: bool, clear: usize) -> Vec<u8> {
    let sender = long.then(meter);
    let seal = Seal { meter: meter(), sender, access: 7, status: 0, lock, records: RECORDS, clear };
    seal.telegram().expect("a telegram").bytes[10..].to_vec()
}

/// A meter that answers any request for data with this.
fn read(device: &Device, memory: &Memory, message: &[u8]) -> (Result<Reading, Error>, Memory) {
    let (finished, _) = talk(device.read(memory), |request| match request {
        [0x10, 0x5B | 0x7B, address, ..] => {
            let body = [&[0x08, *address][..], message].concat();
            let length = body.len() as u8;
            let sum = body.iter().fold(0u8, |sum, byte| sum.wrapping_add(*byte));
            [&[0x68, length, length, 0x68][..], &body, &[sum, 0x16]].concat()
        }
        _ => vec![0xE5],
    });
    (finished.result, finished.memory)
}

fn once(device: &Device, message: &[u8]) -> Result<Reading, Error> {
    read(device, &Memory::default(), message).0
}

#[test]
fn no_key_a_wrong_one_and_an_altered_answer_are_told_apart() {
    let key = Key::new(SECRET);
    let five = Target::Primary(5);
    for lock in [Lock::Mode5(&key), Lock::Mode7(&key, 9)] {
        let answer = message(lock, true, 0);
        let reading = once(&device(five, SECRET), &answer).expect("a reading");
        assert_eq!(volume_ul(&reading, None, None), Ok(2_850_427_000_000));
        assert_eq!(reading.meter.id, "12345678");
        assert_eq!(once(&device(five, [0x12; 16]), &answer), Err(Error::WrongKey));
    }
    let answer = message(Lock::Mode5(&key), true, 0);
    assert_eq!(once(&Device::Mbus { target: five, valve: None }, &answer), Err(Error::KeyMissing));
    let mut altered = message(Lock::Mode7(&key, 9), true, 0);
    altered[12] ^= 1;
    assert_eq!(once(&device(five, SECRET), &altered), Err(Error::Changed));
    // What is not encrypted is not read where a key is configured.
    let error = once(&device(five, SECRET), &message(Lock::Open, true, 0)).expect_err("open");
    assert!(error.to_string().contains("not encrypted"), "{error}");
    let reading = once(&device(five, SECRET), &message(Lock::Mode5(&key), true, 6)).expect("a clock");
    assert!(reading.get(Kind::Clock).is_some() && reading.get(Kind::Volume).is_none(), "{reading:?}");
    // A look opens it, too.
    let other = Target::Selected("12345679.ELS.33.03".parse().expect("an address"));
    assert_eq!(once(&device(other, SECRET), &answer), Err(Error::AddressMismatch));
}

#[test]
fn an_answer_without_an_address_wants_the_full_one() {
    let key = Key::new(SECRET);
    for lock in [Lock::Mode5(&key), Lock::Mode7(&key, 9)] {
        let answer = message(lock, false, 0);
        let full = Target::Selected(meter());
        assert!(once(&device(full, SECRET), &answer).is_ok());
        assert_eq!(once(&device(full, [0x12; 16]), &answer), Err(Error::WrongKey));
        for target in [Target::Primary(5), Target::Selected("12345678".parse().expect("a number"))] {
            // The number is all that mode 7 needs.
            let is_enough = matches!((lock, target), (Lock::Mode7(..), Target::Selected(_)));
            match once(&device(target, SECRET), &answer) {
                Ok(_) => assert!(is_enough),
                Err(error) => {
                    assert!(!is_enough && error.to_string().contains("full secondary address"), "{error}")
                }
            }
        }
    }
}

#[test]
fn the_counter_does_not_go_back_over_a_restart() {
    let key = Key::new(SECRET);
    let answer = |counter| message(Lock::Mode7(&key, counter), true, 0);
    let own = device(Target::Primary(5), SECRET);
    let (result, memory) = read(&own, &Memory::default(), &answer(9));
    assert!(result.is_ok());
    let memory = Memory::from_bytes(&memory.to_bytes()).expect("it is kept");
    assert_eq!(read(&own, &memory, &answer(8)).0, Err(Error::Replay { got: 8, last: 9 }));
    // Asked anew it may say the same once more.
    assert!(read(&own, &memory, &answer(9)).0.is_ok());
    let (_, memory) = read(&own, &memory, &answer(12));
    assert_eq!(read(&own, &memory, &answer(11)).0, Err(Error::Replay { got: 11, last: 12 }));
    // Nor does it stop.
    let why = read(&own, &memory, &message(Lock::Mode5(&key), true, 0)).0.unwrap_err();
    assert!(why.to_string().contains("give it a new key"), "{why}");
    // Another key begins anew.
    let other = Key::new([3; 16]);
    let fifth = message(Lock::Mode5(&other), true, 0);
    assert!(read(&device(Target::Primary(5), [3; 16]), &memory, &fifth).0.is_ok());
    let answer = message(Lock::Mode7(&other, 1), true, 0);
    let (result, memory) = read(&device(Target::Primary(5), [3; 16]), &memory, &answer);
    assert!(result.is_ok());
    // And back to the first one it goes on.
    let memory = Memory::from_bytes(&memory.to_bytes()).expect("it is kept");
    let old = message(Lock::Mode7(&key, 11), true, 0);
    assert_eq!(read(&own, &memory, &old).0, Err(Error::Replay { got: 11, last: 12 }));
    assert!(read(&own, &memory, &message(Lock::Mode7(&key, 13), true, 0)).0.is_ok());
}
