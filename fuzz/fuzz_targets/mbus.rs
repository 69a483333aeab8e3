// SPDX-License-Identifier: MIT OR Apache-2.0
//! Wired M-Bus: any bytes of a line, and any data in a frame whose checksum is made to fit. An explanation
//! has each byte of a frame once, and asking for it changes nothing.
#![no_main]

use gasd_meters::Explanation;
use gasd_meters::mbus::{Frame, Link, Message, Readout, check_answer, decode, find};
use libfuzzer_sys::fuzz_target;

fn look(bytes: &[u8]) {
    let Ok(frame) = Frame::parse(bytes) else { return };
    assert_eq!(frame.encode().as_deref(), Ok(bytes));
    assert!(check_answer(&frame, &frame).is_err());
    let mut explanation = Explanation::default();
    let message = decode(&frame, &mut explanation);
    assert_eq!(message, decode(&frame, &mut ()));
    let Ok(message) = message.map_err(|why| why.to_string()) else { return };
    let mut at = 0;
    for field in &explanation.0 {
        assert_eq!(field.at, at);
        at += field.raw.len();
    }
    assert_eq!(at, bytes.len());
    if let Message::Data(_, reading) = &message {
        for field in &reading.fields {
            let _ = (field.volume_ul(), field.value.to_string(), field.name().to_string());
        }
    }
    let mut readout = Readout::new();
    let _ = readout.push(message.clone()).map_err(|why| why.to_string());
    let _ = readout.push(message);
    let _ = readout.finish();
}

fuzz_target!(|bytes: &[u8]| {
    if let Ok(frame) = find(bytes) {
        look(frame);
    }
    let [control, ci, data @ ..] = bytes else { return };
    let link = Link { control: *control, address: 1 };
    let frame = |ci, data: &[u8]| Frame::Long(link, ci, data).encode().expect("short enough");
    look(&frame(*ci, &data[..data.len().min(252)]));
    // A header that is right, so that all of the rest is records.
    let mut records = vec![0x78, 0x56, 0x34, 0x12, 0x93, 0x15, 0x33, *ci & 0x0F, 7, 0, 0, 0];
    records.extend(&data[..data.len().min(240)]);
    look(&frame(0x72, &records));
});
