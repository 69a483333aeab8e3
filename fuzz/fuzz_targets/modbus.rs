// SPDX-License-Identifier: MIT OR Apache-2.0
//! Modbus: any bytes of a line, any data behind any function with a CRC that fits, any registers behind any
//! map. An explanation has each byte of a frame once; what is decoded is encoded to the same bytes.
#![no_main]

use arbitrary::Arbitrary;
use gasd_meters::modbus::{
    Frame, Memory, Order, Point, Readout, RegisterMap, Scale, Space, Type, check_answer, decode_answer,
    decode_request, encode, find, probe,
};
use gasd_meters::scan::Scanner;
use gasd_meters::{Decimal, Explanation, Kind, Unit, crc};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
struct Input {
    bytes: Vec<u8>,
    unit: u8,
    function: u8,
    points: Vec<(u16, u8, u8, i64, i8, Option<u16>, Option<u64>)>,
    first: u16,
    most: u16,
    gap: u16,
}

fn tiles(explanation: &Explanation, len: usize) {
    let mut at = 0;
    for field in &explanation.0 {
        assert_eq!(field.at, at);
        at += field.raw.len();
    }
    assert_eq!(at, len);
}

fn framed(unit: u8, function: u8, data: &[u8]) -> Vec<u8> {
    let mut frame = vec![unit, function];
    frame.extend(data);
    frame.extend(crc::modbus(&frame).to_le_bytes());
    frame
}

fn look(bytes: &[u8]) {
    let Ok(frame) = Frame::parse(bytes) else { return };
    let mut explanation = Explanation::default();
    if let Ok(request) = decode_request(&frame, &mut explanation) {
        tiles(&explanation, bytes.len());
        // Units above 247 and counts that are too large are read and not written.
        if let Ok(again) = encode(frame.unit, &request) {
            assert!(again == bytes || matches!(frame.function, 5 | 0x0F));
        }
    }
    let mut explanation = Explanation::default();
    if decode_answer(&frame, &mut explanation).is_ok() {
        tiles(&explanation, bytes.len());
    }
    assert!(check_answer(&frame, &frame).is_err() || matches!(frame.function, 5 | 6 | 8 | 0x16));
}

fuzz_target!(|input: Input| {
    if let Ok(frame) = find(&input.bytes) {
        look(frame);
    }
    let mut frames = 0;
    Scanner::new(1).push(0, &input.bytes, probe, |_| frames += 1);
    assert!(frames <= input.bytes.len());
    look(&framed(input.unit, input.function, &input.bytes[..input.bytes.len().min(252)]));

    let types = [
        Type::U16,
        Type::I16,
        Type::U32,
        Type::I32,
        Type::U64,
        Type::I64,
        Type::F32,
        Type::F64,
        Type::Bcd(1),
        Type::Bcd(2),
        Type::Bcd(4),
        Type::Text(3),
        Type::Bits,
    ];
    let kinds = [Kind::Volume, Kind::Flow, Kind::Count];
    let points =
        input.points.iter().take(20).map(|&(address, format, how, mantissa, exponent, scale, absent)| {
            let by = Decimal::new(mantissa, exponent);
            let scale = match scale {
                None => Scale::Fixed(by),
                Some(at) if how & 4 == 0 => Scale::Power(by, at),
                Some(at) => Scale::Factor(by, at),
            };
            Point {
                space: if how & 8 == 0 { Space::Holding } else { Space::Input },
                order: Order::ALL[usize::from(how & 3)],
                scale,
                absent,
                ..Point::new(
                    kinds[usize::from(how >> 4) % 3],
                    address,
                    types[usize::from(format) % types.len()],
                    Unit::CubicMetre,
                )
            }
        });
    let map = RegisterMap { first: input.first, most: input.most, gap: input.gap, points: points.collect() };
    let Ok(mut readout) = Readout::new(&map, input.unit.clamp(1, 247), Memory::default()) else { return };
    for round in 0..8u8 {
        let Some(request) = readout.request() else { break };
        let request = request.expect("a plan has only requests that there are");
        let count = usize::from(request[5]) * 2;
        let mut data = vec![count as u8];
        data.extend(input.bytes.iter().map(|byte| byte.wrapping_add(round)).chain([0; 250]).take(count));
        let answer = framed(request[0], request[1], &data);
        let mut explanation = Explanation::default();
        readout.answer(&Frame::parse(&answer).expect("a frame"), &mut explanation).expect("an answer");
        tiles(&explanation, answer.len());
    }
    for field in readout.finish().0.fields {
        let _ = (field.volume_ul(), field.value.to_string());
    }
});
