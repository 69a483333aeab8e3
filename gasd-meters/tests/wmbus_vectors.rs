// SPDX-License-Identifier: MIT OR Apache-2.0
//! Telegrams by others: every one is read as it is known to be, or refused for the right reason.

mod common;

use common::{bytes, covers, shared, vectors};
use gasd_meters::hex::Hex;
use gasd_meters::wmbus::{Access, Content, Format, Key, Received, Receiver, Security, Telegram};
use gasd_meters::{Error, Explanation, Field, Function, Kind, Period, Unit, Value, hex};
use serde_json::Value as Json;

fn receive(telegram: &Telegram, key: Option<&Key>, plain: bool) -> Result<(Content, Explanation), Error> {
    let mut explanation = Explanation::default();
    let access = Access { key, plain };
    match Receiver::default().receive(0, telegram, &access, &mut explanation)? {
        Received::New(content) => Ok((content, explanation)),
        other => panic!("{other:?}"),
    }
}

fn register(field: &Field) -> (u64, u64) {
    let storage = match field.register.period {
        Period::Current => 0,
        Period::Storage(n) => n.into(),
        other => panic!("{other:?}"),
    };
    let function = match field.register.function {
        Function::Instant => 0,
        Function::Maximum => 1,
        Function::Minimum => 2,
        Function::AtError => 3,
    };
    (storage, function)
}

fn difference(field: &Field, known: &Json) -> Option<String> {
    let at = (
        known["storageNo"].as_u64().expect("as the vectors have it"),
        known["functionField"].as_u64().expect("as the vectors have it"),
    );
    if register(field) != at {
        return Some(format!(
            "{}, not {}",
            field.name(),
            known["type"].as_str().expect("as the vectors have it")
        ));
    }
    let says = &known["value"];
    let (number, text) = (says.as_f64(), says.as_str().unwrap_or_default());
    let near = |a: f64, b: f64| (a - b).abs() <= 1e-9 * a.abs().max(1.0);
    let same = match &field.value {
        Value::Number(n) => {
            let base = n.in_base().expect("as the vectors have it");
            let number = number.or_else(|| text.parse().ok());
            number.is_some_and(|number| near(base.decimal.to_f64(), number))
                && (base.unit.symbol() == known["unit"]
                    || matches!(base.unit, Unit::One | Unit::AllocatorUnit | Unit::Second))
        }
        Value::Moment(moment) => {
            moment.to_string().replace('T', " ").trim_end_matches(" summer time") == text
        }
        Value::Text(digits) => digits.parse().ok() == number || digits == text,
        Value::Bits(bits) => number == Some(*bits as f64),
        Value::Raw(_) | Value::Absent(..) => false,
    };
    (!same).then(|| format!("{}: {}, not {says} {}", field.name(), field.value, known["type"]))
}

#[test]
fn telegrams_by_others() {
    let Some(lines) = vectors("wmbus/lvogt_vectors.jsonl") else { return };
    let (mut telegrams, mut values, mut differences) = (0, 0, vec![]);
    for line in &lines {
        let name = line["name"].as_str().expect("as the vectors have it");
        let telegram =
            Telegram::parse(&bytes(line, "hex"), None).unwrap_or_else(|why| panic!("{name}: {why}"));
        let format = match line["dll_crc"].as_str().expect("as the vectors have it") {
            "A" => Format::A,
            "B" => Format::B,
            _ => Format::Plain,
        };
        assert_eq!(telegram.format, format, "{name}");
        assert_eq!(
            Hex(&telegram.bytes).to_string()[2..],
            line["hex_no_crc"].as_str().expect("as the vectors have it")[2..],
            "{name}"
        );
        let key = line["key"].as_str().map(|key| Key::from_hex(key).expect("as the vectors have it"));
        let (content, explanation) =
            receive(&telegram, key.as_ref(), true).unwrap_or_else(|why| panic!("{name}: {why}"));
        covers(&explanation, telegram.bytes.len(), &name);
        let device = &line["expected"]["deviceInformation"];
        let meter = &content.reading.meter;
        assert_eq!(meter.id, device["Id"].as_str().expect("as the vectors have it"), "{name}");
        assert_eq!(meter.manufacturer.as_deref(), device["Manufacturer"].as_str(), "{name}");
        assert_eq!(
            u64::from(meter.version.expect("as the vectors have it")),
            device["Version"].as_u64().expect("as the vectors have it"),
            "{name}"
        );
        assert_eq!(Hex(&telegram.sender.to_radio()).to_string().to_lowercase(), device["Address"], "{name}");
        let header = content.header.map_or((0, 0), |header| (header.access, header.status));
        assert_eq!(
            u64::from(header.0),
            device["AccessNumber"].as_u64().expect("as the vectors have it"),
            "{name}"
        );
        assert_eq!(u64::from(header.1), device["Status"].as_u64().expect("as the vectors have it"), "{name}");
        let known = line["expected"]["dataRecord"].as_array().expect("as the vectors have it");
        if content.reading.fields.len() != known.len() {
            differences.push(format!("{name}: {} fields, not {}", content.reading.fields.len(), known.len()));
        }
        for (n, (field, known)) in content.reading.fields.iter().zip(known).enumerate() {
            differences.extend(difference(field, known).map(|what| format!("{name} {n}: {what}")));
            values += 1;
        }
        telegrams += 1;
    }
    println!("{telegrams} telegrams, {values} values");
    assert_eq!(differences, DIFFERENCES);
}

/// Where the other decoder knows a manufacturer's own codes, shows dates that are not filled, or reads
/// bytes of a last block that is shorter than a block, which nobody can decipher.
const DIFFERENCES: &[&str] = &[
    "JMBus Test Case > Decryption Test - Good Key 0: manufacturer_data: bytes 0000, not 0 \"VIF_KAMSTRUP_INFO_20\"",
    "JMBus Test Case > Short Telegram Test #2 1: manufacturer_data: bytes 4E110000, not 4430000 \"VIF_ENERGY_E8\"",
    "JMBus Test Case > Short Telegram Test #2 2: manufacturer_data: bytes 13070000, not 1811000 \"VIF_ENERGY_E9\"",
    "JMBus Test Case > WMBus Demo Message Test #1 4: moment, at an error: no value (FFFF): the meter does not fill this field, not \"2128-03-31\" \"VIF_TIME_POINT_DATE\"",
    "JMBus Test Case > WMBus Demo Message Test #1 5: setting: bytes 00, not \"0\" \"VIF_UNKNOWN\"",
    "JMBus Test Case > WMBus Demo Message Test #2: 8 fields, not 10",
    "JMBus Test Case > WMBus Demo Message Test #2 7: unknown, not VIF_ENERGY_JOULE",
    "OMS Examples > DIF 64bit integer as manufacturer specific 0: manufacturer_data: bytes 8877665544332211, not \"1234605616436508552\" \"VIF_TYPE_MANUFACTURER_UNKOWN\"",
];

/// Telegrams with the values that are known of them; those of manufacturers with a format of their own
/// have values that are not read here, and the bytes instead.
#[test]
fn more_telegrams_by_others() {
    let Some(path) = shared("wmbus/mbus_parser_test_vectors.json") else { return };
    let text = std::fs::read_to_string(path).expect("as the vectors have it");
    let lines: Vec<Json> = serde_json::from_str(&text).expect("as the vectors have it");
    let (mut values, mut own, mut refused, mut missing) = (0, vec![], vec![], vec![]);
    for line in &lines {
        let (input, expect) = (line["input"].as_str().expect("as the vectors have it"), &line["expected"]);
        let telegram = Telegram::parse(&hex::parse(input).expect("as the vectors have it"), None)
            .expect("as the vectors have it");
        let id = expect["identification_number"].as_u64().expect("as the vectors have it");
        let content = match receive(&telegram, None, true) {
            Ok((content, explanation)) => {
                covers(&explanation, telegram.bytes.len(), &input);
                content
            }
            Err(error) => {
                refused.push((id, error));
                continue;
            }
        };
        let meter = &content.reading.meter;
        assert_eq!(meter.id.parse(), Ok(id), "{input}");
        assert_eq!(meter.manufacturer.as_deref(), expect["manufacturer"].as_str(), "{input}");
        assert_eq!(meter.version.map(u64::from), expect["version"].as_u64(), "{input}");
        if let Some(header) = content.header {
            assert_eq!(
                u64::from(header.access),
                expect["access_number"].as_u64().expect("as the vectors have it"),
                "{input}"
            );
            assert_eq!(
                u64::from(header.status),
                expect["status"].as_u64().expect("as the vectors have it"),
                "{input}"
            );
        }
        if content.reading.fields.iter().all(|field| field.kind == Kind::ManufacturerData) {
            assert_eq!(content.reading.fields.len(), 1, "{input}");
            own.push(id);
            continue;
        }
        for known in expect["data_records"].as_array().expect("as the vectors have it") {
            let storage = known["storage_number"].as_u64().expect("as the vectors have it");
            let exponent = known["exponent"].as_i64().unwrap_or(0);
            let thousand = if matches!(known["unit"].as_str(), Some("kWh" | "kJ")) { 3 } else { 0 };
            let value = known["value"].as_f64().expect("as the vectors have it")
                * 10f64.powi((exponent + thousand) as i32);
            let found = content.reading.fields.iter().any(|field| {
                let number = field.value.number().map(|n| n.in_base().expect("as the vectors have it"));
                register(field).0 == storage
                    && number
                        .is_some_and(|n| (n.decimal.to_f64() - value).abs() < 1e-9 * value.abs().max(1.0))
            });
            match found {
                true => values += 1,
                false => missing.push((id, value)),
            }
        }
    }
    assert_eq!(values, 25);
    // A format of the manufacturer's own, behind a CI field or a DIF that says so.
    assert_eq!(own, [11776622, 34333231, 2410120, 58234965, 20202020, 21202020, 22202020, 23202020]);
    // One whose last record breaks off (04 6D and two bytes), and five whose keys the file does not have.
    let (first, rest) = refused.split_first().expect("as the vectors have it");
    assert_eq!(*first, (12353648, Error::Truncated { need: 2 }));
    assert_eq!(rest.len(), 5);
    assert!(rest.iter().all(|(_, error)| *error == Error::KeyMissing));
    // What the file says and its bytes do not: 40H as a DIFE is subunit 1, not storage 1; digits in another order;
    // powers of ten of other VIFs (0E 03 is Wh, not 10⁻² Wh).
    let known = [
        (10206, 1234.0),
        (61243590, 40968.68),
        (61243590, 2200.0),
        (61243590, 1.8),
        (10101010, 15694.05),
        (10101010, 0.33),
        (10101010, 7.48),
        (254358, 9652.22),
        (254358, 1.055),
        (71727374, 16_059_000.0),
    ];
    assert_eq!(missing.len(), known.len(), "{missing:?}");
    for (a, b) in missing.iter().zip(known) {
        assert!(a.0 == b.0 && (a.1 - b.1).abs() < 1e-6, "{a:?} {b:?}");
    }
}

fn line(name: &str) -> Option<Json> {
    let lines = vectors("wmbus/lvogt_vectors.jsonl")?;
    lines.into_iter().find(|line| line["name"].as_str().is_some_and(|n| n.ends_with(name)))
}

/// Wrong key, no key, a changed message, a replayed one: each says what it is, and nothing comes out.
#[test]
fn what_fails_says_why() {
    let Some(line) = line("integrated radio and Security profile B") else { return };
    let bytes = bytes(&line, "hex_no_crc");
    let key =
        Key::from_hex(line["key"].as_str().expect("as the vectors have it")).expect("as the vectors have it");
    let wrong = Key::new([1; 16]);
    let telegram = Telegram::parse(&bytes, Some(Format::Plain)).expect("as the vectors have it");
    let access = Access { key: Some(&key), plain: false };
    let error = |key: Option<&Key>, telegram: &Telegram| {
        let mut explanation = Explanation::default();
        let error = Receiver::default()
            .receive(0, telegram, &Access { key, plain: false }, &mut explanation)
            .expect_err("it fails");
        assert!(explanation.0.iter().all(|field| !field.name.contains("volume")), "{explanation}");
        error
    };
    assert_eq!(error(None, &telegram), Error::KeyMissing);
    assert_eq!(error(Some(&wrong), &telegram), Error::WrongKey);
    // The last byte of the payload, the access number, the status, the MAC itself.
    let at = |byte: u8| bytes.iter().position(|&b| b == byte).expect("as the vectors have it");
    for n in [bytes.len() - 1, at(0x7A) + 1, at(0x7A) + 2, at(0x90) + 9] {
        let mut changed = telegram.clone();
        changed.bytes[n] ^= 1;
        assert_eq!(error(Some(&key), &changed), Error::Changed, "byte {n}");
    }
    let mut receiver = Receiver::default();
    let Ok(Received::New(content)) = receiver.receive(0, &telegram, &access, &mut ()) else { panic!() };
    assert_eq!((content.security, content.counter), (Security::Mode7, Some(0xAB3)));
    assert_eq!(
        content.reading.get(Kind::Volume).expect("as the vectors have it").volume_ul(),
        Ok(28_504_270_000_000)
    );
    assert_eq!(
        content.reading.clock().expect("as the vectors have it").expect("as the vectors have it").to_string(),
        "2008-05-31T23:50"
    );
    assert_eq!(receiver.receive(60, &telegram, &access, &mut ()), Ok(Received::Duplicate));
    let error = receiver.receive(600, &telegram, &access, &mut ());
    assert_eq!(error, Err(Error::Replay { got: 0xAB3, last: 0xAB3 }));
}

/// Any one bit that is wrong on the air is told by the CRC of its block.
#[test]
fn damage_on_the_air_is_told() {
    let Some(line) = line("wM-Bus Meter with Security profile A") else { return };
    let bytes = bytes(&line, "hex");
    for bit in 0..bytes.len() * 8 {
        let mut damaged = bytes.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        let result = Telegram::parse(&damaged, None);
        if bit < 8 {
            // The length itself: too long breaks off, too short fits no CRC.
            assert!(result.is_err(), "bit {bit}");
            continue;
        }
        let block = if bit < 96 { 0 } else { 1 + (bit / 8 - 12) / 18 };
        assert!(
            matches!(result, Err(Error::CrcDll { block: b, .. }) if usize::from(b) == block),
            "bit {bit}: {result:?}"
        );
    }
    for n in 0..bytes.len() {
        let error = Telegram::parse(&bytes[..n], Some(Format::A)).expect_err("it breaks off");
        assert_eq!(error.kind(), "truncated", "{n} bytes");
    }
}
