// SPDX-License-Identifier: MIT OR Apache-2.0
//! DL/T 645 frames by others: every one is read as it is known to be, or refused for the right reason.

mod common;

use common::{bytes, covers, vectors};
use gasd_meters::dlt645::{Di, Frame, Message, Standard, decode, find, probe};
use gasd_meters::hex::Hex;
use gasd_meters::scan::{Found, Scanner, first};
use gasd_meters::{Explanation, Value};
use serde_json::Value as Json;

fn text(line: &Json, member: &str) -> String {
    line[member].as_str().unwrap_or_else(|| panic!("no {member} in {line}")).to_owned()
}

#[test]
fn frames_by_others() {
    let Some(lines) = vectors("dlt645/frames.jsonl") else { return };
    let (mut read, mut refused, mut values) = (0, 0, 0);
    for line in &lines {
        let (id, stream, expect) = (&line["id"], bytes(line, "hex"), &line["expect"]);
        if expect["ok"] == false {
            let error = find(&stream).expect_err("a negative case");
            assert_eq!(error.kind(), text(expect, "error"), "{id}");
            if let (gasd_meters::Error::Checksum { want, .. }, Some(known)) =
                (error, expect["computed_cs"].as_str())
            {
                assert_eq!(format!("{want:02X}"), known, "{id}");
            }
            refused += 1;
            continue;
        }
        let (offset, len) = first(&stream, probe).unwrap_or_else(|why| panic!("{id}: {why}"));
        assert_eq!(offset as u64, expect["offset"].as_u64().unwrap(), "{id}");
        let whole = &stream[offset..offset + len];
        assert_eq!(Hex(whole).to_string(), text(expect, "frame"), "{id}");
        assert_eq!(Hex(&stream[offset + len..]).to_string(), text(expect, "trailing"), "{id}");
        let frame = Frame::parse(whole).unwrap();
        assert_eq!(frame.address.to_string(), text(expect, "addr"), "{id}");
        assert_eq!(format!("{:02X}", frame.control), text(expect, "ctrl"), "{id}");
        assert_eq!(frame.from_meter(), text(expect, "dir") == "slave", "{id}");
        assert_eq!(frame.abnormal(), expect["abnormal"].as_bool().unwrap(), "{id}");
        assert_eq!(frame.more(), expect["followup"].as_bool().unwrap(), "{id}");
        assert_eq!(format!("{:02X}", frame.function()), text(expect, "func"), "{id}");
        assert_eq!(Hex(&frame.data).to_string(), text(expect, "data"), "{id}");
        let standard = if line["std"] == "1997" { Standard::V1997 } else { Standard::V2007 };
        assert_eq!(frame.standard(), Some(standard), "{id}");
        let mut explanation = Explanation::default();
        let message = decode(&frame, None, &mut explanation).unwrap_or_else(|why| panic!("{id}: {why}"));
        covers(&explanation, frame.bytes.len(), id);
        values += usize::from(means(&message, expect, id));
        read += 1;
    }
    println!("{read} read, {refused} refused, {values} values");
    assert!(read > 50 && refused > 2 && values > 20);
}

fn means(message: &Message, expect: &Json, id: &Json) -> bool {
    let di = match message {
        Message::Read(di, _) | Message::ReadNext(di, _) => Some(*di),
        Message::Data(data) => Some(data.di),
        _ => None,
    };
    assert_eq!(di.map(|di| di.to_string()).as_deref(), expect["di"].as_str(), "{id}");
    if let Some(err) = expect["err"].as_str() {
        let Message::Refused(_, code) = message else { panic!("{id}: {message:?}") };
        assert_eq!(format!("{code:02X}"), err, "{id}");
    }
    if let Some(known) = expect["reported_addr"].as_str() {
        let Message::Address(address) = message else { panic!("{id}: {message:?}") };
        assert_eq!(address.to_string(), known, "{id}");
    }
    let Message::Data(data) = message else { return false };
    if let Some(known) = expect["payload_le"].as_str() {
        assert_eq!(Hex(&data.payload).to_string(), known, "{id}");
        assert!(!data.reading.fields.is_empty(), "{id}");
    }
    if let Some(extra) = expect["extra"].as_str() {
        assert_eq!(data.seq.map(|seq| format!("{seq:02X}")).as_deref(), Some(extra), "{id}");
    }
    let Some(known) = expect["value"].as_str() else { return false };
    let field = &data.reading.fields[0];
    assert_eq!(data.reading.fields.len(), 1, "{id}");
    assert_eq!(field.name().to_string(), text(expect, "quantity"), "{id}");
    let Value::Number(number) = field.value else { panic!("{id}: {field:?}") };
    assert_eq!(number.decimal.to_string(), known, "{id}");
    assert_eq!(number.unit.symbol(), text(expect, "unit"), "{id}");
    true
}

#[test]
fn streams_by_others() {
    let Some(lines) = vectors("dlt645/streams.jsonl") else { return };
    for line in &lines {
        let stream = bytes(line, "hex");
        let known: Vec<(u64, String)> = line["frames"]
            .as_array()
            .unwrap()
            .iter()
            .map(|frame| (frame["offset"].as_u64().unwrap(), text(frame, "frame")))
            .collect();
        for chunk in [1, 3, stream.len()] {
            let (mut scanner, mut found) = (Scanner::new(1_500_000_000), vec![]);
            for bytes in stream.chunks(chunk) {
                scanner.push(0, bytes, probe, |f| {
                    if let Found::Frame { bytes, offset, .. } = f {
                        found.push((offset, Hex(bytes).to_string()));
                    }
                });
            }
            assert_eq!(found, known, "{} in chunks of {chunk}", line["id"]);
        }
    }
}

#[test]
fn what_the_table_does_not_have_is_delivered_raw() {
    let frame = gasd_meters::hex::parse("6860079204009168910833337733984C33335116").unwrap();
    let frame = Frame::parse(&frame).unwrap();
    let Message::Data(data) = decode(&frame, None, &mut ()).unwrap() else { panic!() };
    assert_eq!(data.di, Di::Long(0x0044_0000));
    assert_eq!(data.reading.fields[0].value, Value::Raw(vec![0x65, 0x19, 0, 0]));
}
