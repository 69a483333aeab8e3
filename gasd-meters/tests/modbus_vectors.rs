// SPDX-License-Identifier: MIT OR Apache-2.0
//! Modbus frames by others: every one is read as it is known to be, or refused for the right reason.

#![allow(clippy::unwrap_used, reason = "test code")]

mod common;

use common::{bytes, covers, vectors};
use gasd_meters::modbus::{
    Answer, Frame, Order, Request, Type, decode_answer, decode_request, encode, find, probe, probe_answer,
    probe_request,
};
use gasd_meters::scan::Probe;
use gasd_meters::{Error, Explanation, hex::Hex};
use serde_json::{Value as Json, json};

fn request(frame: &Frame<'_>) -> Json {
    let mut explanation = Explanation::default();
    let request = decode_request(frame, &mut explanation).unwrap();
    covers(&explanation, frame.bytes.len(), &Hex(frame.bytes));
    assert_eq!(encode(frame.unit, &request).unwrap(), frame.bytes, "what is decoded is encoded");
    match request {
        Request::ReadCoils(at, n)
        | Request::ReadInputs(at, n)
        | Request::ReadHolding(at, n)
        | Request::ReadInput(at, n) => json!({ "address": at, "quantity": n }),
        Request::WriteCoil(at, on) => json!({ "address": at, "coil": on }),
        Request::WriteRegister(at, value) => json!({ "address": at, "value": value }),
        Request::WriteCoils(at, coils) => json!({ "address": at, "quantity": coils.len(), "coils": coils }),
        Request::WriteRegisters(at, words) => {
            json!({ "address": at, "quantity": words.len(), "registers": words })
        }
        other => panic!("{other:?}"),
    }
}

fn answer(frame: &Frame<'_>) -> Json {
    let mut explanation = Explanation::default();
    let answer = decode_answer(frame, &mut explanation).unwrap();
    covers(&explanation, frame.bytes.len(), &Hex(frame.bytes));
    match answer {
        Answer::Bits(bits) => json!({ "bits_hex": Hex(&bits).to_string() }),
        Answer::Registers(words) => json!({ "registers": words }),
        Answer::Coil(at, on) => json!({ "address": at, "coil": on }),
        Answer::Register(at, value) => json!({ "address": at, "value": value }),
        Answer::Written(at, n) => json!({ "address": at, "quantity": n }),
        Answer::Exception(code) => json!({ "exception": code }),
        other => panic!("{other:?}"),
    }
}

#[test]
fn frames_by_others() {
    let Some(lines) = vectors("modbus/frames.jsonl") else { return };
    let (mut read, mut refused, mut floats) = (0, 0, 0);
    for line in &lines {
        let (id, wire, expect) = (&line["id"], bytes(line, "hex"), &line["expect"]);
        if expect["ok"] == false {
            assert_eq!(expect["error"], "crc", "{id}");
            let Err(Error::Checksum { want, .. }) = Frame::parse(&wire) else { panic!("{id}") };
            assert_eq!(Hex(&want.to_le_bytes()).to_string(), expect["computed"], "{id}");
            assert_eq!(find(&wire).map_err(|why| why.kind()), Err("checksum"), "{id}");
            refused += 1;
            continue;
        }
        let frame = Frame::parse(&wire).unwrap_or_else(|why| panic!("{id}: {why}"));
        assert_eq!(find(&wire), Ok(&wire[..]), "{id}");
        assert_eq!(probe(&wire), Probe::Frame(wire.len()), "{id}");
        let (role, mut said) = match expect["role"].as_str().unwrap() {
            "request" => (probe_request(&wire), request(&frame)),
            _ => (probe_answer(&wire), answer(&frame)),
        };
        assert_eq!(role, Probe::Frame(wire.len()), "{id}");
        said["ok"] = json!(true);
        said["role"] = expect["role"].clone();
        said["unit"] = json!(frame.unit);
        said["function"] = json!(frame.function & 0x7F);
        let mut known = expect.clone();
        if let Some(of) = known.as_object_mut().unwrap().remove("floats_CDAB") {
            let words: Vec<u16> = serde_json::from_value(said["registers"].clone()).unwrap();
            let values: Vec<f64> = words.chunks(2).map(|two| number(Type::F32, Order::CDAB, two)).collect();
            // Known to seven digits.
            for (value, known) in values.iter().zip(serde_json::from_value::<Vec<f64>>(of).unwrap()) {
                assert_eq!(format!("{value:.6e}"), format!("{known:.6e}"), "{id}");
            }
            floats += values.len();
        }
        assert_eq!(said, known, "{id}");
        read += 1;
    }
    println!("{read} read, {refused} refused, {floats} floats");
    assert!(read >= 28 && refused >= 1 && floats >= 12);
}

/// A number in registers, by a map of one point.
fn number(format: Type, order: Order, words: &[u16]) -> f64 {
    use gasd_meters::modbus::{Point, RegisterMap};
    use gasd_meters::{Kind, Unit, crc};
    let point = Point { order, ..Point::new(Kind::Variable, 0, format, Unit::One) };
    let map = RegisterMap::new(vec![point]);
    let request = encode(1, &map.plan().unwrap()[0].request()).unwrap();
    let mut answer = vec![1, 3, 2 * words.len() as u8];
    answer.extend(words.iter().flat_map(|word| word.to_be_bytes()));
    answer.extend(crc::modbus(&answer).to_le_bytes());
    let (request, answer) = (Frame::parse(&request).unwrap(), Frame::parse(&answer).unwrap());
    let reading = map.read(&request, &answer, &mut ()).unwrap();
    reading.fields[0].value.number().unwrap().decimal.to_f64()
}
