// SPDX-License-Identifier: MIT OR Apache-2.0
//! CJ/T 188 frames by others: every one is read as it is known to be, or refused for the right reason.
#![allow(clippy::unwrap_used, reason = "test code")]

mod common;

use common::{bytes, covers, vectors};
use gasd_meters::cjt188::{Decoded, Frame, Message, Order, Profile, Status, decode, find, probe};
use gasd_meters::hex::Hex;
use gasd_meters::scan::first;
use gasd_meters::{
    Error, Explanation, Fault, Field, Flag, Kind, Period, Reading, Register, Unit, Value, Valve, dlt645,
};
use serde_json::Value as Json;

fn text(line: &Json, member: &str) -> String {
    line[member].as_str().unwrap_or_else(|| panic!("no {member} in {line}")).to_owned()
}

#[test]
fn frames_by_others() {
    let Some(lines) = vectors("cjt188/frames.jsonl") else { return };
    let (mut read, mut refused, mut checked) = (0, 0, 0);
    for line in &lines {
        let (id, stream, expect) = (&line["id"], bytes(line, "hex"), &line["expect"]);
        if expect["ok"] == false {
            let error = find(&stream).expect_err("a negative case");
            assert_eq!(error.kind(), text(expect, "error"), "{id}");
            let Error::Checksum { want, .. } = error else { panic!("{id}: {error}") };
            assert_eq!(format!("{want:02X}"), text(expect, "computed_cs"), "{id}");
            refused += 1;
            continue;
        }
        let (offset, len) = first(&stream, probe).unwrap_or_else(|why| panic!("{id}: {why}"));
        assert_eq!(offset as u64, expect["offset"].as_u64().unwrap(), "{id}");
        let whole = &stream[offset..offset + len];
        assert_eq!(Hex(whole).to_string(), text(expect, "frame"), "{id}");
        assert_eq!(Hex(&stream[offset + len..]).to_string(), text(expect, "trailing"), "{id}");
        let frame = Frame::parse(whole).unwrap();
        assert_eq!(format!("{:02X}", frame.kind), text(expect, "type"), "{id}");
        assert_eq!(frame.address.to_string(), text(expect, "addr"), "{id}");
        assert_eq!(frame.address.maker(), text(expect, "vendor"), "{id}");
        assert_eq!(format!("{:02X}", frame.control), text(expect, "ctrl"), "{id}");
        assert_eq!(frame.from_meter(), text(expect, "dir") == "slave", "{id}");
        assert_eq!(frame.abnormal(), expect["abnormal"].as_bool().unwrap(), "{id}");
        assert_eq!(format!("{:02X}", frame.function()), text(expect, "func"), "{id}");
        assert_eq!(Hex(frame.data).to_string(), text(expect, "data"), "{id}");
        let mut explanation = Explanation::default();
        let decoded = decode(&frame, &Profile::STANDARD, None, &mut explanation)
            .unwrap_or_else(|why| panic!("{id}: {why}"));
        covers(&explanation, frame.bytes.len(), id);
        checked += means(&decoded, expect, id);
        read += 1;
    }
    println!("{read} read, {refused} refused, {checked} values and states");
    assert!(read > 40 && refused > 8 && checked > 100);
}

fn means(decoded: &Decoded, expect: &Json, id: &Json) -> usize {
    let mut checked = 0;
    assert_eq!(decoded.di.map(|di| format!("{di:04X}")).as_deref(), expect["di"].as_str(), "{id}");
    let order = if text(expect, "di_order") == "big" { Order::HighFirst } else { Order::LowFirst };
    assert_eq!(decoded.order, Some(order), "{id}");
    assert_eq!(decoded.ser.map(u64::from), expect["ser"].as_u64(), "{id}");
    // Members of `expect` that a message may have: each must be there, and only where it is.
    let has = |member: &str| !expect[member].is_null();
    match &decoded.message {
        Message::Valve(code) => {
            let word = if *code == 0x55 { "open" } else { "close" };
            assert_eq!(word, text(expect, "valve_cmd"), "{id}");
            checked += 1;
        }
        Message::WriteAddress(address) => {
            assert_eq!(address.to_string(), text(expect, "new_addr"), "{id}");
            checked += 1;
        }
        Message::WriteBase(field) => checked += amount(field, &expect["sync"], id),
        Message::Done(Some(status), _) if has("st") => checked += state(status, &expect["st"], id),
        Message::Data(reading) => checked += values(reading, expect, id),
        _ => assert!(!has("valve_cmd") && !has("new_addr") && !has("st") && !has("current"), "{id}"),
    }
    checked
}

fn values(reading: &Reading, expect: &Json, id: &Json) -> usize {
    let mut checked = 0;
    let settled = Register { period: Period::Settlement, ..Register::default() };
    let month = |n| Register { period: Period::Month(n), ..Register::default() };
    for (member, kind, register) in [
        ("current", Kind::Volume, Register::default()),
        ("settlement", Kind::Volume, settled),
        ("history", Kind::Volume, month(9)),
        ("current_heat", Kind::Energy, Register::default()),
        ("settle_heat", Kind::Energy, settled),
        ("power", Kind::Power, Register::default()),
        ("flow", Kind::Flow, Register::default()),
        ("volume", Kind::Volume, Register::default()),
    ] {
        if !expect[member].is_null() {
            let field = reading.get_at(kind, register).unwrap_or_else(|| panic!("{id}: no {member}"));
            checked += amount(field, &expect[member], id);
        }
    }
    for (member, kind) in
        [("supply_temp_c", Kind::SupplyTemperature), ("return_temp_c", Kind::ReturnTemperature)]
    {
        if let Some(known) = expect[member].as_str() {
            let number = reading.get(kind).unwrap().value.number().unwrap();
            assert_eq!((number.decimal.to_string().as_str(), number.unit), (known, Unit::Celsius), "{id}");
            checked += 1;
        }
    }
    if let Some(hours) = expect["hours"].as_i64() {
        let number = reading.get(Kind::OperatingTime).unwrap().value.number().unwrap();
        assert_eq!((number.decimal.mantissa, number.unit), (hours, Unit::Hour), "{id}");
        checked += 1;
    }
    if !expect["rtc"].is_null() {
        let rtc = &expect["rtc"];
        match (reading.clock().unwrap(), rtc["time"].as_str()) {
            (Ok(moment), Some(known)) => assert_eq!(moment.to_string(), known, "{id}"),
            (Err(fault), None) => {
                assert_eq!(
                    matches!(fault, Fault::NotSet | Fault::NotFilled),
                    rtc["invalid"].is_null(),
                    "{id}"
                );
                let Value::Absent(_, raw) = &reading.get(Kind::Clock).unwrap().value else { panic!() };
                assert_eq!(Hex(raw).to_string(), text(rtc, "raw"), "{id}");
            }
            other => panic!("{id}: {other:?}"),
        }
        checked += 1;
    }
    if !expect["st"].is_null() {
        let Value::Bits(word) = reading.get(Kind::Status).unwrap().value else { panic!("{id}") };
        let status = Status { word: word as u16, valve: reading.valve, flags: reading.flags };
        checked += state(&status, &expect["st"], id);
    }
    checked
}

fn state(status: &Status, expect: &Json, id: &Json) -> usize {
    assert_eq!(Hex(&status.word.to_le_bytes()).to_string(), text(expect, "raw"), "{id}");
    assert_eq!(status.valve.map(|v: Valve| v.to_string()).as_deref(), expect["valve"].as_str(), "{id}");
    assert_eq!(status.flags.get(Flag::BatteryLow), expect["battery_low"].as_bool(), "{id}");
    1
}

fn amount(field: &Field, expect: &Json, id: &Json) -> usize {
    match (&field.value, expect["value"].as_str()) {
        (Value::Number(number), Some(known)) => {
            let power = expect["mult"].as_u64().unwrap().ilog10() as i8;
            let shown = gasd_meters::Decimal::new(number.decimal.mantissa, number.decimal.exponent - power);
            assert_eq!(shown.to_string(), known, "{id}");
            match expect["unit"].as_str() {
                Some(unit) => assert_eq!(number.unit.symbol().replace('³', "3"), unit, "{id}"),
                None => {
                    assert_eq!(number.unit, Unit::Unknown, "{id}");
                    let code = u8::from_str_radix(&text(expect, "unit_code"), 16).unwrap();
                    assert_eq!(field.volume_ul(), Err(Fault::UnknownUnit(code)), "{id}");
                }
            }
        }
        (Value::Absent(fault, raw), None) => {
            assert!(matches!(fault, Fault::NotFilled | Fault::NotBcd), "{id}");
            assert_eq!(Hex(raw).to_string(), text(expect, "raw"), "{id}");
        }
        other => panic!("{id}: {other:?}"),
    }
    1
}

/// Both protocols on one line: no frame of one is taken for a frame of the other.
#[test]
fn neither_is_taken_for_the_other() {
    let (Some(ours), Some(others)) = (vectors("cjt188/frames.jsonl"), vectors("dlt645/frames.jsonl")) else {
        return;
    };
    for line in &ours {
        assert!(first(&bytes(line, "hex"), dlt645::probe).is_err(), "{}", line["id"]);
    }
    for line in &others {
        assert!(first(&bytes(line, "hex"), probe).is_err(), "{}", line["id"]);
    }
    for line in ours.iter().chain(&others).filter(|line| line["expect"]["ok"] == true) {
        let both = first(&bytes(line, "hex"), |b| probe(b).or(dlt645::probe(b)));
        assert_eq!(both.map(|(at, _)| at as u64).ok(), line["expect"]["offset"].as_u64(), "{}", line["id"]);
    }
}
