// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the link layer says of a meter can be changed without its key: such a change makes nothing new, and nothing a
//! reading.
#![allow(clippy::unwrap_used, reason = "test code")]

mod common;

use common::{S, errors, memories, readings, volumes};
use gasd_meters::Error;
use gasd_meters::mbus::Address;
use gasd_meters::wmbus::{Format, Key, Lock, Seal, Telegram};
use gasd_ports::air::wmbus::{Device, Framing, Settings, Wmbus};
use gasd_ports::air::{Air, Output};

const KEY: u64 = 7;
const SECRET: [u8; 16] = [0x11; 16];
const RECORDS: &[u8] = &[0x0C, 0x13, 0x27, 0x04, 0x85, 0x02];
/// Where version and medium stand in the link layer.
const VERSION: usize = 8;
const MEDIUM: usize = 9;

fn meter() -> Address {
    "12345678.ELS.33.03".parse().unwrap()
}

fn core(address: &str, secret: Option<[u8; 16]>) -> Wmbus {
    let device = Device { key: KEY, address: address.parse().unwrap(), secret: secret.map(Key::new) };
    let framing = Framing::Binary(Some(Format::A));
    Wmbus::new(Settings { framing, ..Settings::default() }, vec![device])
}

fn telegram(meter: Address, lock: Lock<'_>, access: u8) -> Telegram {
    Seal { meter, sender: None, access, status: 0, lock, records: RECORDS, clear: 0 }.telegram().unwrap()
}

fn changed(telegram: &Telegram, at: usize) -> Telegram {
    let mut changed = telegram.clone();
    changed.bytes[at] ^= 7;
    changed
}

fn say(core: &mut Wmbus, at_s: u64, telegram: &Telegram) -> Vec<Output> {
    core.heard(at_s * S, &telegram.encode(Format::A).unwrap())
}

fn is_refused(out: &[Output], kind: &str) -> bool {
    readings(out).is_empty()
        && memories(out).is_empty()
        && matches!(errors(out)[..], [(KEY, error)] if error.kind() == kind)
}

/// Neither the code nor the key of a message covers what stands in the link layer.
#[test]
fn an_old_telegram_with_another_version_or_medium_is_a_replay() {
    let key = Key::new(SECRET);
    let sealed = |counter| telegram(meter(), Lock::Mode7(&key, counter), counter as u8);
    for address in ["12345678", "12345678.***.FF.03", "12345678.ELS.FF.FF"] {
        let mut core = core(address, Some(SECRET));
        assert_eq!(volumes(&say(&mut core, 1, &sealed(100))).len(), 1);
        assert_eq!(volumes(&say(&mut core, 2, &sealed(101))).len(), 1);
        for (n, at) in [VERSION, MEDIUM].into_iter().enumerate() {
            for (m, counter) in [100, 101].into_iter().enumerate() {
                let out = say(&mut core, 500 + 10 * n as u64 + m as u64, &changed(&sealed(counter), at));
                assert!(readings(&out).is_empty() && memories(&out).is_empty(), "{address}: {out:?}");
            }
        }
        // One that was caught on its way and never heard is not another meter's first.
        let out = say(&mut core, 600, &changed(&sealed(105), MEDIUM));
        assert!(matches!(errors(&out)[..], [] | [(_, Error::OtherAddress { .. })]), "{address}: {out:?}");
        assert!(readings(&out).is_empty());
        // And sets no counter.
        assert_eq!(volumes(&say(&mut core, 700, &sealed(102))).len(), 1, "{address}");
    }
}

#[test]
fn a_meter_named_by_its_number_is_the_first_that_was_read_with_it() {
    let key = Key::new(SECRET);
    for lock in [Lock::Mode5(&key), Lock::LinkLayer(&key, 9), Lock::Mode7(&key, 9)] {
        let mut core = core("12345678", Some(SECRET));
        // A stranger who has not the key pins nothing.
        let wrong = Key::new([9; 16]);
        let other = Address { version: 0x34, ..meter() };
        assert!(is_refused(&say(&mut core, 1, &telegram(other, Lock::Mode5(&wrong), 1)), "wrong_key"));
        let out = say(&mut core, 10, &telegram(meter(), lock, 1));
        assert_eq!((volumes(&out).len(), memories(&out).len()), (1, 1), "it is written down at once");
    }
    // Mode 5: the address is in what the first block is mixed with, so a change of it changes the volume.
    let mut first = core("12345678", Some(SECRET));
    let whole = telegram(meter(), Lock::Mode5(&key), 1);
    let kept = memories(&say(&mut first, 1, &whole)).remove(0).1;
    let mut again = core("12345678", Some(SECRET));
    again.restore(KEY, &kept, 0).unwrap();
    for core in [&mut first, &mut again] {
        for (n, at) in [VERSION, MEDIUM].into_iter().enumerate() {
            let out = say(core, 100 + n as u64, &changed(&whole, at));
            assert!(is_refused(&out, "address_mismatch"), "{out:?}");
            let words = errors(&out)[0].1.to_string();
            assert!(
                words.contains("12345678.ELS.33.03") && words.contains("configure the full address"),
                "{words}"
            );
        }
        assert_eq!(volumes(&say(core, 300, &whole)), [2_850_427_000_000]);
    }
}

#[test]
fn another_meter_of_that_number_is_told_as_one_whatever_else_is_wrong() {
    let (key, wrong) = (Key::new(SECRET), Key::new([9; 16]));
    let water = Address { medium: 7, ..meter() };
    let mut core = core("12345678", Some(SECRET));
    assert_eq!(volumes(&say(&mut core, 1, &telegram(meter(), Lock::Mode5(&key), 1))).len(), 1);
    for (n, lock) in [Lock::Mode5(&wrong), Lock::Open, Lock::Mode7(&wrong, 3)].into_iter().enumerate() {
        let out = say(&mut core, 10 * (n as u64 + 1), &telegram(water, lock, 2));
        assert!(is_refused(&out, "address_mismatch"), "{out:?}");
    }
    // The meter itself is told as before.
    assert!(is_refused(&say(&mut core, 100, &telegram(meter(), Lock::Mode5(&wrong), 3)), "wrong_key"));
}

#[test]
fn without_a_key_two_meters_of_one_number_are_not_mixed() {
    let water = Address { medium: 7, ..meter() };
    let mut core = core("12345678", None);
    assert_eq!(volumes(&say(&mut core, 1, &telegram(meter(), Lock::Open, 1))).len(), 1);
    assert!(is_refused(&say(&mut core, 2, &telegram(water, Lock::Open, 1)), "address_mismatch"));
    assert_eq!(volumes(&say(&mut core, 3, &telegram(meter(), Lock::Open, 2))).len(), 1);
}

/// Where digits of the number are open, another number is somebody else, who is told among those that are not configured.
#[test]
fn another_number_is_a_stranger() {
    let mut core = core("1234567F.ELS.FF.FF", None);
    assert_eq!(volumes(&say(&mut core, 1, &telegram(meter(), Lock::Open, 1))).len(), 1);
    let next = Address { id: [0x79, 0x56, 0x34, 0x12], ..meter() };
    assert!(readings(&say(&mut core, 2, &telegram(next, Lock::Open, 1))).is_empty());
    assert_eq!((core.counts().strange, core.counts().failed), (1, 0));
}

/// A full address is what it says, and another selection is another meter's.
#[test]
fn what_was_found_counts_for_what_was_configured() {
    let water = Address { medium: 7, ..meter() };
    let mut found = core("12345678", None);
    say(&mut found, 1, &telegram(water, Lock::Open, 1));
    let kept = found.memory(KEY);
    for address in ["12345678.ELS.33.03", "12345678.***.FF.03"] {
        let mut other = core(address, None);
        other.restore(KEY, &kept, 0).unwrap();
        assert_eq!(volumes(&say(&mut other, 2, &telegram(meter(), Lock::Open, 1))).len(), 1, "{address}");
    }
    // And a meter that took the place of another is one that nobody has read yet.
    let mut new = core("12345679", None);
    new.restore(KEY, &kept, 0).unwrap();
    let next = Address { id: [0x79, 0x56, 0x34, 0x12], ..meter() };
    assert_eq!(volumes(&say(&mut new, 2, &telegram(next, Lock::Open, 1))).len(), 1);
}

/// What was kept before addresses were holds its counters.
#[test]
fn memory_of_the_version_before_is_read() {
    let key = Key::new(SECRET);
    let mut first = core("12345678.ELS.33.03", Some(SECRET));
    say(&mut first, 1, &telegram(meter(), Lock::Mode7(&key, 9), 1));
    let mut kept = first.memory(KEY).to_vec();
    // With its pin: 1, what was configured, who it was.
    let pin: Vec<u8> = kept.drain(5..22).collect();
    assert_eq!((kept[0], pin[0]), (2, 1));
    kept[0] = 1;
    let mut again = core("12345678", Some(SECRET));
    again.restore(KEY, &kept, 0).unwrap();
    for at in [VERSION, MEDIUM] {
        let old = changed(&telegram(meter(), Lock::Mode7(&key, 9), 1), at);
        assert!(is_refused(&say(&mut again, 500 + at as u64, &old), "replay"));
    }
    kept[0] = 3;
    assert!(again.restore(KEY, &kept, 0).is_err());
}

/// A radio that speaks for several meters: whoever is configured by the radio's address is the first that it spoke for.
#[test]
fn of_a_radio_that_speaks_for_several_one_is_read() {
    let key = Key::new(SECRET);
    let radio: Address = "11223344.IDM.03.37".parse().unwrap();
    let next = Address { id: [0x79, 0x56, 0x34, 0x12], ..meter() };
    for (secret, lock) in [(None, Lock::Open), (Some(SECRET), Lock::Mode5(&key))] {
        let through = |meter, access| {
            let sender = (meter != radio).then_some(radio);
            Seal { meter, sender, access, status: 0, lock, records: RECORDS, clear: 0 }.telegram().unwrap()
        };
        for address in ["11223344.IDM.03.37", "11223344"] {
            let mut first = self::core(address, secret);
            let out = say(&mut first, 1, &through(meter(), 1));
            assert_eq!((volumes(&out).len(), memories(&out).len()), (1, 1), "{address}");
            let mut again = self::core(address, secret);
            again.restore(KEY, &memories(&out)[0].1, 0).unwrap();
            for core in [&mut first, &mut again] {
                let out = say(core, 2, &through(next, 1));
                assert!(is_refused(&out, "address_mismatch"), "{address}: {out:?}");
                let words = errors(&out)[0].1.to_string();
                assert!(words.contains("12345678") && words.contains("12345679"), "{words}");
                assert_eq!(volumes(&say(core, 3, &through(meter(), 2))).len(), 1, "{address}");
            }
        }
        // A meter that speaks for another one, too, is who is meant, whichever is heard first.
        let mut core = self::core("11223344.IDM.03.37", secret);
        assert_eq!(volumes(&say(&mut core, 1, &through(meter(), 1))).len(), 1);
        for at_s in [2, 20] {
            assert_eq!(volumes(&say(&mut core, at_s, &through(radio, at_s as u8))).len(), 1);
            assert!(is_refused(&say(&mut core, at_s + 1, &through(meter(), at_s as u8)), "address_mismatch"));
        }
        // What a radio says of itself and is no volume keeps it from no meter, and is read on.
        let status = |access| {
            let records = &[0x02, 0xFD, 0x74, 0x10, 0x0E];
            let seal = Seal { meter: radio, sender: None, access, status: 0, lock, records, clear: 0 };
            seal.telegram().unwrap()
        };
        let mut core = self::core("11223344.IDM.03.37", secret);
        for at_s in [1, 3] {
            assert_eq!(readings(&say(&mut core, at_s, &status(at_s as u8))).len(), 1);
            assert_eq!(volumes(&say(&mut core, at_s + 1, &through(meter(), at_s as u8))).len(), 1);
        }
    }
}
