// SPDX-License-Identifier: MIT OR Apache-2.0
//! DL/T 645: any bytes of a line, and any data in a frame whose checksum is made to fit. An explanation
//! has each byte of a frame once, and asking for it changes nothing.
#![no_main]

use gasd_meters::dlt645::{Assembly, Frame, Message, Standard, check_answer, decode, find};
use gasd_meters::{Explanation, crc};
use libfuzzer_sys::fuzz_target;

fn look(bytes: &[u8]) {
    let Ok(frame) = Frame::parse(bytes) else { return };
    assert!(check_answer(&frame, &frame).is_err());
    for standard in [None, Some(Standard::V1997), Some(Standard::V2007)] {
        let mut explanation = Explanation::default();
        let message = decode(&frame, standard, &mut explanation);
        assert_eq!(message, decode(&frame, standard, &mut ()));
        let Ok(message) = message else { continue };
        let mut at = 0;
        for field in &explanation.0 {
            assert_eq!(field.at, at);
            at += field.raw.len();
        }
        assert_eq!(at, bytes.len());
        if let Message::Data(data) = &message {
            let mut whole = Assembly::begin(data);
            let _ = whole.push(data);
            let reading = whole.finish(frame.address);
            // Blocks may have nothing in them but their ends.
            assert!(data.payload.iter().all(|&byte| byte == 0xAA) || !reading.fields.is_empty());
        }
        let _ = message.into_reading().map_err(|why| why.to_string());
    }
}

fuzz_target!(|bytes: &[u8]| {
    if let Ok(frame) = find(bytes) {
        look(frame);
    }
    let [a, b, control, data @ ..] = bytes else { return };
    let data = &data[..data.len().min(200)];
    let mut frame = vec![0x68, *a, *b, 0x99, 0xAA, 0x12, 0x34, 0x68, *control, data.len() as u8];
    frame.extend(data.iter().map(|byte| byte.wrapping_add(0x33)));
    frame.extend([crc::sum(&frame), 0x16]);
    assert!(Frame::parse(&frame).is_ok());
    look(&frame);
});
