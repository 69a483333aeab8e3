// SPDX-License-Identifier: MIT OR Apache-2.0
//! HART: any bytes of a line, any data behind any command and status with a check byte that fits. An
//! explanation has each byte of a frame once, and asking for it changes nothing.
#![no_main]

use gasd_meters::hart::{
    Address, Frame, Master, Message, Request, check_answer, decode, encode, find, pack, probe,
    probe_after_preamble, unpack,
};
use gasd_meters::scan::Scanner;
use gasd_meters::{Explanation, crc};
use libfuzzer_sys::fuzz_target;

fn look(bytes: &[u8]) {
    let Ok(frame) = Frame::parse(bytes) else { return };
    assert!(check_answer(&frame, &frame).is_err());
    let mut explanation = Explanation::default();
    let decoded = decode(&frame, &mut explanation);
    assert_eq!(decoded, decode(&frame, &mut ()));
    let Ok(decoded) = decoded else { return };
    let mut at = 0;
    for field in &explanation.0 {
        assert_eq!(field.at, at);
        at += field.raw.len();
    }
    assert_eq!(at, bytes.len());
    if let Message::Request(data) = &decoded.message {
        let again = encode(frame.master, frame.address, &Request::Raw(frame.command, data), 0);
        // What was read with bytes of expansion, or as PSK, is written without.
        if let (Ok(again), 0x02 | 0x82) = (again, bytes[0]) {
            assert_eq!(again, bytes);
        }
    }
    if let Ok(reading) = decoded.message.into_reading() {
        for field in &reading.fields {
            let _ = (field.volume_ul(), field.value.to_string(), field.name().to_string());
        }
    }
}

fuzz_target!(|bytes: &[u8]| {
    if let Ok(frame) = find(bytes) {
        look(frame);
    }
    let mut frames = 0;
    Scanner::new(1).push(0, bytes, probe, |_| frames += 1);
    Scanner::new(1).push(0, bytes, probe_after_preamble, |_| frames += 1);
    assert!(frames <= 2 * bytes.len());
    let text = unpack(bytes);
    if text.len() <= 32 {
        assert!(pack(&text, 24).is_some());
    }
    let _ = encode(Master::Primary, Address::BROADCAST, &Request::IdentifyByTag(&text), 5);
    let [delimiter, command, response, device, data @ ..] = bytes else { return };
    let data = &data[..data.len().min(253)];
    for head in [&[delimiter & 0x87, 0x80][..], &[delimiter & 0x87 | 0x80, 0xA6, 6, 1, 2, 3]] {
        let mut frame = head.to_vec();
        frame.extend([*command, data.len() as u8 + 2, *response, *device]);
        frame.extend(data);
        frame.push(crc::xor(&frame));
        look(&frame);
    }
});
