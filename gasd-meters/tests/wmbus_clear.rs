// SPDX-License-Identifier: MIT OR Apache-2.0
//! What of a telegram is encrypted, and what stands in the clear behind it.

use gasd_meters::mbus::Address;
use gasd_meters::wmbus::{Access, Content, Key, Lock, Received, Receiver, Seal, Telegram};
use gasd_meters::{Error, Fault, Kind};

const KEY: [u8; 16] = [0x11; 16];
/// Volume, clock, error flags.
const RECORDS: &[u8] =
    &[0x0C, 0x13, 0x27, 0x04, 0x85, 0x02, 0x04, 0x6D, 0x32, 0x37, 0x1F, 0x15, 0x02, 0xFD, 0x17, 0, 0];

fn meter() -> Address {
    "12345678.ELS.33.03".parse().expect("an address")
}

fn seal(lock: Lock<'_>) -> Seal<'_> {
    Seal { meter: meter(), sender: None, access: 42, status: 0, lock, records: RECORDS, clear: 0 }
}

fn with(key: &Key) -> Access<'_> {
    Access { key: Some(key), plain: false }
}

fn receive(telegram: &Telegram, access: &Access<'_>) -> Result<Content, Error> {
    match Receiver::default().receive(0, telegram, access, &mut ())? {
        Received::New(content) => Ok(content),
        other => panic!("{other:?}"),
    }
}

/// Behind the blocks of mode 5 anybody can write; the code of mode 7 covers what stands there.
#[test]
fn what_is_not_encrypted_is_in_doubt_where_no_code_covers_it() {
    let key = Key::new(KEY);
    // The clock and 8 bytes of fillers are encrypted, the volume is not.
    let records = [&RECORDS[6..12], &RECORDS[..6]].concat();
    let part = |lock| Seal { records: &records, clear: 6, ..seal(lock) }.telegram().unwrap();
    let doubts = |telegram: &Telegram| -> Vec<(Kind, Option<Fault>)> {
        let content = receive(telegram, &with(&key)).unwrap();
        content.reading.fields.iter().map(|field| (field.kind, field.doubt)).collect()
    };
    let open = Some(Fault::Unprotected);
    assert_eq!(doubts(&part(Lock::Mode5(&key))), [(Kind::Clock, None), (Kind::Volume, open)]);
    assert_eq!(doubts(&part(Lock::Mode7(&key, 7))), [(Kind::Clock, None), (Kind::Volume, None)]);
    let content = receive(&part(Lock::Mode5(&key)), &with(&key)).unwrap();
    let volume = content.reading.get(Kind::Volume).unwrap();
    assert_eq!(
        (volume.value.to_string().as_str(), volume.volume_ul()),
        ("2850.427 m³", Err(Fault::Unprotected))
    );
    assert!(!content.learnt, "no format is learnt of it");
    // The code of mode 7 does cover each byte of it.
    let whole = part(Lock::Mode7(&key, 7));
    for at in whole.bytes.len() - 6..whole.bytes.len() {
        let mut changed = whole.clone();
        changed.bytes[at] ^= 1;
        assert_eq!(receive(&changed, &with(&key)), Err(Error::Changed), "byte {at}");
    }
    // One telegram of two blocks is made one of one block, with a register of somebody's own.
    let two = Seal { records: RECORDS, ..seal(Lock::Mode5(&key)) }.telegram().unwrap();
    let mut forged = two.clone();
    forged.bytes[13] = 0x10;
    forged.bytes.truncate(15 + 16);
    forged.bytes.extend([0x17, 0, 0, 0x0C, 0x13, 0x99, 0x99, 0x99, 0x99]);
    let doubts = doubts(&forged);
    assert_eq!(doubts[..2], [(Kind::Volume, None), (Kind::Clock, None)], "{doubts:?}");
    assert!(doubts.len() > 2 && doubts[2..].iter().all(|(_, doubt)| *doubt == open), "{doubts:?}");
}

/// A record that begins in what is encrypted and ends behind it is half anybody's; and whoever can write behind a unit
/// in plain text can say where that unit stands.
#[test]
fn half_a_record_is_not_protected() {
    let key = Key::new(KEY);
    let half =
        [0x04, 0x6D, 0x32, 0x37, 0x1F, 0x15, 0x02, 0xFD, 0x17, 0, 0, 0x0C, 0x13, 0x27, 0x04, 0x85, 0x02];
    let text = [
        0x01, 0xFC, 0x01, b'm', 0x3A, 5, 0x01, 0x13, 7, 0x2F, 0x2F, 0x2F, 0x2F, 0x2F, 0x0C, 0x13, 1, 0, 0, 0,
    ];
    for (records, clear, protected) in
        [(&half[..], 3, 2), (&half[..], 0, 3), (&text[..], 6, 0), (&text[..], 0, 3)]
    {
        let telegram = Seal { records, clear, ..seal(Lock::Mode5(&key)) }.telegram().unwrap();
        let content = receive(&telegram, &with(&key)).unwrap();
        let open = |doubt: Option<Fault>| doubt == Some(Fault::Unprotected);
        let sure = content.reading.fields.iter().take_while(|field| !open(field.doubt)).count();
        assert_eq!((content.reading.fields.len(), sure), (3, protected), "{:?}", content.reading.fields);
    }
}
