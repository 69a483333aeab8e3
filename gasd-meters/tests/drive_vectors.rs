// SPDX-License-Identifier: MIT OR Apache-2.0
//! Answers by others, with everything around them, to the requests of dialogues: what the codec reads of them is what a
//! dialogue reads, and what is damaged is no reading.

mod common;
#[path = "common/line.rs"]
mod line;

use common::{bytes, vectors};
use gasd_meters::cjt188::Profile;
use gasd_meters::dlt645::{Di, Standard};
use gasd_meters::drive::{Device, Finished, Memory};
use gasd_meters::hex::{self, Hex};
use gasd_meters::mbus::{ACK, Target};
use gasd_meters::{Error, Reading, Value, mbus};
use line::talk;
use serde_json::Value as Json;

fn text<'a>(line: &'a Json, member: &str) -> &'a str {
    line[member].as_str().unwrap_or_else(|| panic!("no {member} in {line}"))
}

/// The line has these bytes after every request.
fn read(device: &Device, stream: &[u8]) -> Finished {
    talk(device.read(&Memory::default()), |_| stream.to_vec()).0
}

/// Whether the frame of `line` answers a reading: function and no refusal.
fn answers(line: &Json, functions: &[&str]) -> bool {
    let expect = &line["expect"];
    expect["ok"] == true
        && expect["dir"] == "slave"
        && expect["abnormal"] == false
        && functions.contains(&text(expect, "func"))
}

#[test]
fn cjt188_answers() {
    let Some(lines) = vectors("cjt188/frames.jsonl") else { return };
    let (mut taken, mut refused) = (0, 0);
    for line in &lines {
        let (id, stream, expect) = (&line["id"], bytes(line, "hex"), &line["expect"]);
        let any = Device::Cjt188 {
            address: gasd_meters::cjt188::Address::WILDCARD,
            kind: 0xAA,
            profile: Profile::STANDARD,
        };
        if expect["ok"] == false {
            assert!(read(&any, &stream).result.is_err(), "{id}");
            refused += 1;
        }
        if !answers(line, &["01"]) || expect["di"] != "901F" {
            continue;
        }
        let kind = u8::from_str_radix(text(expect, "type"), 16).expect("as the vectors have it");
        let address = text(expect, "addr").parse().expect("as the vectors have it");
        for device in [Device::Cjt188 { address, kind, profile: Profile::STANDARD }, any] {
            let finished = read(&device, &stream);
            let reading = finished.result.unwrap_or_else(|why| panic!("{id}: {why}"));
            assert_eq!(reading.meter.id, text(expect, "addr"), "{id}");
            let frame = finished.frame.expect("what answered");
            assert_eq!(Hex(&frame).to_string(), text(expect, "frame"), "{id}");
            taken += 1;
        }
    }
    println!("{taken} taken, {refused} refused");
    assert!(taken > 20 && refused > 0);
}

#[test]
fn dlt645_answers() {
    let Some(lines) = vectors("dlt645/frames.jsonl") else { return };
    let (mut taken, mut refused) = (0, 0);
    for line in &lines {
        let (id, stream, expect) = (&line["id"], bytes(line, "hex"), &line["expect"]);
        let di = |text: &str| {
            let digits = u32::from_str_radix(text, 16).expect("as the vectors have it");
            if text.len() == 4 { Di::Short(digits as u16) } else { Di::Long(digits) }
        };
        let device = |address: &str, of: Di| Device::Dlt645 {
            address: address.parse().expect("an address"),
            standard: of.standard(),
            di: of,
            authority: None,
        };
        if expect["ok"] == false {
            assert!(read(&device("AAAAAAAAAAAA", Di::Long(0x0001_0000)), &stream).result.is_err(), "{id}");
            refused += 1;
        }
        if !answers(line, &["01", "11"]) || expect["followup"] == true {
            continue;
        }
        let device = device(text(expect, "addr"), di(text(expect, "di")));
        let Device::Dlt645 { standard, .. } = device else { panic!("what was made") };
        assert_eq!(standard == Standard::V1997, line["std"] == "1997", "{id}");
        let finished = read(&device, &stream);
        let reading = finished.result.unwrap_or_else(|why| panic!("{id}: {why}"));
        assert!(!reading.fields.is_empty(), "{id}");
        assert_eq!(Hex(&finished.frame.expect("what answered")).to_string(), text(expect, "frame"), "{id}");
        taken += 1;
    }
    println!("{taken} taken, {refused} refused");
    assert!(taken > 20 && refused > 0);
}

#[test]
fn mbus_answers() {
    let Some(lines) = vectors("mbus/libmbus_frames.jsonl") else { return };
    let (mut taken, mut others) = (0, 0);
    for line in lines.iter().filter(|line| line["link_ok"] == true) {
        let (name, stream) = (text(line, "name"), bytes(line, "hex"));
        let codec = || -> Result<Reading, Error> {
            mbus::decode(&mbus::Frame::parse(mbus::find(&stream)?)?, &mut ())?.into_reading()
        };
        let address = line["a"].as_u64().and_then(|a| u8::try_from(a).ok()).expect("as the vectors have it");
        let target = if address <= 250 { Target::Primary(address) } else { Target::Any };
        let device = Device::Mbus { target, valve: None };
        let (finished, _) = talk(device.read(&Memory::default()), |request| {
            if request[1] == 0x40 { vec![ACK] } else { stream.clone() }
        });
        match (finished.result, codec()) {
            (Ok(reading), Ok(known)) => {
                assert_eq!(reading, known, "{name}");
                taken += 1;
            }
            // There are more telegrams, and this one comes again and again.
            (Err(Error::Malformed { .. }), Ok(known)) if known.more => others += 1,
            (Err(error), Err(known)) => {
                assert_eq!(error, known, "{name}");
                others += 1;
            }
            (result, known) => panic!("{name}: {result:?}, where the codec says {known:?}"),
        }
    }
    println!("{taken} taken, {others} others");
    assert!(taken > 50);
}

/// A gas meter that says no unit and the century before the year, as one of the profiles has it.
#[test]
fn a_gas_meter_in_a_wrapper_is_read() {
    let stream = hex::parse(
        "AA30420000AA010268300201000616052381161F9001177200000000000000000000120101201635002E1681D655",
    );
    let stream = stream.expect("hex");
    let device = Device::Cjt188 {
        address: "23051606000102".parse().expect("an address"),
        kind: 0x30,
        profile: Profile::CUBIC_METRES,
    };
    let finished = read(&device, &stream);
    let reading = finished.result.expect("a reading");
    assert_eq!(gasd_meters::drive::volume_ul(&reading, None, None), Ok(72_170_000_000));
    assert!(matches!(reading.clock(), Some(Ok(_))), "{:?}", reading.clock());
    assert!(matches!(reading.fields[0].value, Value::Number(_)));
    assert_eq!(finished.oddities.order, 1);
}
