// SPDX-License-Identifier: MIT OR Apache-2.0
//! CJ/T 188: any bytes of a line, and any data in a frame whose checksum is made to fit, by every
//! profile. An explanation has each byte of a frame once, and asking for it changes nothing; and no valve
//! has moved because of a frame that is not the command's very answer.
#![no_main]

use gasd_meters::cjt188::{
    Frame, LookAlike, Order, PROFILES, Request, Target, ValveCommand, check_answer, check_valve, decode,
    encode, find,
};
use gasd_meters::{Explanation, Valve, crc};
use libfuzzer_sys::fuzz_target;

fn look(bytes: &[u8]) {
    let Ok(frame) = Frame::parse(bytes) else { return };
    assert!(check_answer(&frame, &frame, None).is_err());
    for profile in PROFILES {
        for learnt in [None, Some(Order::HighFirst), Some(Order::LowFirst)] {
            let mut explanation = Explanation::default();
            let decoded = decode(&frame, profile, learnt, &mut explanation);
            assert_eq!(decoded, decode(&frame, profile, learnt, &mut ()));
            let Ok(decoded) = decoded else { continue };
            let mut at = 0;
            for field in &explanation.0 {
                assert_eq!(field.at, at);
                at += field.raw.len();
            }
            assert_eq!(at, bytes.len());
            let _ = decoded.message.into_reading().map_err(|why| why.to_string());
        }
        for (command, valve) in [(ValveCommand::Open, Valve::Open), (ValveCommand::Close, Valve::Closed)] {
            let target = Target { kind: frame.kind, address: frame.address, order: Order::HighFirst };
            let Ok(sent) = encode(&target, profile, 7, &Request::Valve(command), 0) else { continue };
            let sent = Frame::parse(&sent).expect("what is encoded is a frame");
            if check_valve(&sent, &frame, profile, None).is_ok() {
                let &[0xA0, 0x17, 7, st0, st1] = frame.data else { panic!("{:02X?}", frame.data) };
                let status = profile.status.status(u16::from_le_bytes([st0, st1]));
                assert_eq!(status.valve, Some(valve));
                assert_eq!(frame.control, 0x80 | profile.valve_function);
            }
        }
    }
}

fuzz_target!(|bytes: &[u8]| {
    if let Ok(frame) = find(bytes) {
        look(frame);
    }
    let _ = LookAlike::parse(bytes);
    let [kind, address, control, data @ ..] = bytes else { return };
    let data = &data[..data.len().min(200)];
    let mut frame = vec![0x68, *kind, *address, 0, 0, 0, 0, 0x33, 0x78, *control, data.len() as u8];
    frame.extend(data);
    frame.extend([crc::sum(&frame), 0x16]);
    look(&frame);
});
