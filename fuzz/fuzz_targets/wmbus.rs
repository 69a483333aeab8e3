// SPDX-License-Identifier: MIT OR Apache-2.0
//! Wireless M-Bus: any bytes as a telegram of any format, and a receiver that any telegrams come to, sealed
//! by the key or not. What comes out is explained, and nothing comes out of what failed.
#![no_main]

use arbitrary::Arbitrary;
use gasd_meters::Explanation;
use gasd_meters::mbus::Address;
use gasd_meters::wmbus::{Access, Format, Key, Lock, MAX_FORMATS, Received, Receiver, Seal, Telegram};
use libfuzzer_sys::fuzz_target;

#[derive(Debug, Arbitrary)]
struct Call {
    wait_s: u8,
    /// Whether the telegram is made by the encoder, and how; the rest is as it comes.
    sealed: Option<(u8, u32)>,
    bytes: Vec<u8>,
    meter: bool,
    plain: bool,
    key: bool,
}

#[derive(Debug, Arbitrary)]
struct Input {
    raw: Vec<u8>,
    calls: Vec<Call>,
}

fn telegram(call: &Call, key: &Key) -> Option<Telegram> {
    let meter = Address { id: [0x78, 0x56, 0x34, 0x12], manufacturer: 0x1593, version: 0x33, medium: 3 };
    let data = &call.bytes[..call.bytes.len().min(200)];
    let Some((how, counter)) = call.sealed else {
        let mut bytes = vec![data.len() as u8 + 9, 0x44];
        bytes.extend(meter.to_radio());
        bytes.extend(data);
        return Telegram::parse(&bytes, Some(Format::Plain)).ok();
    };
    let lock = match how % 4 {
        0 => Lock::Open,
        1 => Lock::LinkLayer(key, counter),
        2 => Lock::Mode5(key),
        _ => Lock::Mode7(key, counter),
    };
    let sender = call.meter.then_some(Address { medium: 0x37, ..meter });
    Seal { meter, sender, access: how, status: 0, lock, records: data, clear: usize::from(how) }
        .telegram()
        .ok()
}

fuzz_target!(|input: Input| {
    for format in [None, Some(Format::A), Some(Format::B), Some(Format::Plain)] {
        let Ok(telegram) = Telegram::parse(&input.raw, format) else { continue };
        let bytes = telegram.encode(telegram.format).expect("it came so");
        assert_eq!(bytes, input.raw[..bytes.len()]);
        let _ = Receiver::default().receive(0, &telegram, &Access::default(), &mut ());
    }
    let (key, mut receiver, mut now_s) = (Key::new([7; 16]), Receiver::default(), 0);
    for call in &input.calls {
        now_s += u64::from(call.wait_s);
        let Some(telegram) = telegram(call, &key) else { continue };
        let access = Access { key: call.key.then_some(&key), plain: call.plain };
        let mut explanation = Explanation::default();
        let mut twin = receiver.clone();
        let received = receiver.receive(now_s, &telegram, &access, &mut explanation);
        assert_eq!(received, twin.receive(now_s, &telegram, &access, &mut ()));
        assert_eq!(receiver, twin);
        assert!(receiver.formats.all().len() <= MAX_FORMATS);
        match received {
            Ok(Received::New(content)) => {
                for field in &content.reading.fields {
                    let _ = (field.volume_ul(), field.value.to_string());
                }
                // What was put together of parts has the places of the last.
                let mut at = 0;
                let whole = explanation.0.iter().all(|field| {
                    let next = field.at == at;
                    at += field.raw.len();
                    next
                });
                assert!(
                    telegram.bytes.get(10) == Some(&0x90)
                        || telegram.bytes.contains(&0x90)
                        || (whole && at == telegram.bytes.len())
                );
            }
            Ok(_) => {}
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
});
