// SPDX-License-Identifier: MIT OR Apache-2.0
//! Wired M-Bus frames by others: every one is read as it is known to be, or refused for the right reason.

mod common;

use common::{bytes, shared, vectors};
use gasd_meters::mbus::{Frame, Function, Message, SPEEDS, decode, find, medium};
use gasd_meters::{Error, Explanation, Fault, Field, Kind, Period, Reading, Unit, Value, hex};
use serde_json::Value as Json;

fn read(bytes: &[u8], name: &str) -> Result<Message, Error> {
    let whole = find(bytes)?;
    let frame = Frame::parse(whole)?;
    let mut explanation = Explanation::default();
    let message = decode(&frame, &mut explanation)?;
    // The explanation has every byte once.
    let mut at = 0;
    for field in &explanation.0 {
        assert_eq!(field.at, at, "{name}: {field:?}\n{explanation}");
        assert_eq!(field.raw, whole[at..at + field.raw.len()], "{name}: {field:?}");
        at += field.raw.len();
    }
    assert_eq!(at, whole.len(), "{name}: {explanation}");
    Ok(message)
}

#[test]
fn link_layer() {
    let Some(lines) = vectors("mbus/link_frames.jsonl") else { return };
    for line in &lines {
        let (id, stream, expect) = (&line["id"], bytes(line, "hex"), &line["expect"]);
        if expect["ok"] == false {
            let error = find(&stream).expect_err("a negative case");
            match expect["error"].as_str().expect("as the vectors have it") {
                "length_mismatch" => {
                    assert_eq!(error, Error::Malformed { what: "its two lengths differ" }, "{id}");
                }
                kind => assert_eq!(error.kind(), kind, "{id}"),
            }
            if let (Error::Checksum { want, .. }, Some(known)) = (error, expect["computed_cs"].as_str()) {
                assert_eq!(format!("{want:02X}"), known, "{id}");
            }
            continue;
        }
        let whole = find(&stream).expect("as the vectors have it");
        assert_eq!(whole, stream, "{id}");
        let frame = Frame::parse(whole).expect("as the vectors have it");
        assert_eq!(frame.encode().expect("as the vectors have it"), stream, "{id}");
        let kind = match frame {
            Frame::Ack => "ack",
            Frame::Short(_) => "short",
            Frame::Control(..) => "control",
            Frame::Long(..) => "long",
        };
        assert_eq!(kind, expect["frame"], "{id}");
        let message =
            read(&stream, id.as_str().expect("as the vectors have it")).expect("as the vectors have it");
        let Some(link) = frame.link() else { continue };
        assert_eq!(format!("{:02X}", link.control), expect["c"], "{id}");
        assert_eq!(u64::from(link.address), expect["a"], "{id}");
        match expect["function"].as_str() {
            Some("SND_NKE") => assert_eq!(link.function(), Function::Reset),
            Some("REQ_UD2") => assert_eq!(link.function(), Function::RequestData),
            other => assert_eq!(other, None),
        }
        if kind == "short" {
            assert_eq!((link.fcb(), link.fcv()), (expect["fcb"] == true, expect["fcv"] == true), "{id}");
        }
        if let Some(select) = expect.get("select") {
            let Message::Select(address) = message else { panic!("{id}: {message:?}") };
            assert_eq!(gasd_meters::bcd::text(&address.id), select["id_mask"], "{id}");
            assert_eq!(format!("{:04X}", address.manufacturer), select["mfct"], "{id}");
            assert_eq!(format!("{:02X}", address.version), select["version"], "{id}");
            assert_eq!(format!("{:02X}", address.medium), select["medium"], "{id}");
        } else if expect["ci"] == "BD" {
            assert_eq!(message, Message::SetSpeed(SPEEDS[5]), "{id}");
        }
    }
}

/// A number as libmbus normalises it: of the base unit, spans of time in seconds.
fn normal(field: &Field) -> Option<(f64, &'static str)> {
    let Value::Number(number) = field.value else { return None };
    let base = number.in_base().expect("as the vectors have it");
    let (factor, unit) = match base.unit {
        Unit::Minute => (60.0, "s"),
        Unit::Hour => (3600.0, "s"),
        Unit::Day => (86_400.0, "s"),
        Unit::CubicMetrePerMinute => (60.0, "m^3/h"),
        Unit::CubicMetrePerHour => (1.0, "m^3/h"),
        Unit::CubicMetre => (1.0, "m^3"),
        Unit::Celsius => (1.0, "Â°C"),
        Unit::AllocatorUnit => (1.0, "Units for H.C.A."),
        Unit::Percent | Unit::Unknown => (1.0, "-"),
        Unit::One => (1.0, ""),
        unit => (1.0, unit.symbol()),
    };
    Some((base.decimal.to_f64() * factor, unit))
}

/// What differs between a field and what is known of it.
fn difference(field: &Field, known: &Json) -> Option<String> {
    let function = match known["Function"].as_str().unwrap_or_default() {
        "Instantaneous value" => "Instant",
        "Maximum value" => "Maximum",
        "Minimum value" => "Minimum",
        "Value during error state" => "AtError",
        other => panic!("{other}"),
    };
    let whole = |member: &str| {
        known[member].as_str().map_or(0, |n| n.parse::<u32>().expect("as the vectors have it"))
    };
    let storage = match field.register.period {
        Period::Current => 0,
        Period::Storage(n) => n,
        other => panic!("{other:?}"),
    };
    let register = (storage, field.register.tariff, field.register.subunit);
    let known_register = (whole("StorageNumber"), whole("Tariff"), whole("Device"));
    if format!("{:?}", field.register.function) != function || register != known_register {
        return Some(format!("register: {}, not {known}", field.name()));
    }
    let (says, unit) =
        (known["Value"].as_str().unwrap_or_default(), known["Unit"].as_str().unwrap_or_default());
    let number = |text: &str| text.parse::<f64>().ok();
    let same = match &field.value {
        Value::Number(_) => {
            let (n, symbol) = normal(field)?;
            let near = number(says).is_some_and(|says| (n - says).abs() <= 1e-6 * n.abs().max(1.0));
            near && (symbol == unit || unit == "Reserved")
        }
        Value::Moment(moment) => {
            // Seconds where the format has them; the other always shows some.
            let moment = moment.to_string();
            let moment = moment.trim_end_matches(" summer time");
            says == moment || says.trim_end_matches('Z') == moment || says == format!("{moment}:00Z")
        }
        Value::Text(text) => {
            text.trim() == says.trim() || (number(text).is_some() && number(text) == number(says))
        }
        Value::Bits(bits) => number(says) == Some(*bits as f64),
        // The other makes a number of bytes that only the manufacturer knows how to read.
        Value::Raw(_) if field.kind == Kind::ManufacturerData && !says.contains(' ') => true,
        Value::Raw(raw) => hex::parse(says).as_ref() == Some(raw),
        Value::Absent(..) => false,
    };
    (!same).then(|| format!("{}: {}, not {says} {unit}", field.name(), field.value))
}

/// Where the other decoder's expectation is wrong or says less:
/// it shows days that do not exist, numbers of digits above 9, VIFEs 50H and 6AH (how long and when a limit
/// was passed) as if they were not there, a wide number backwards, and 1900 for a clock that says that it is invalid.
const DIFFERENCES: &[&str] = &[
    "ACW_Itron-BM-plus-m 2: moment, storage 1: no value (0000): never set, not 2000-00-00 -",
    "ELS_Elster-F96-Plus 4: power, at an error: no value (BDEBDDDD): not a decimal number, not 13131113.000000 W",
    "ELS_Elster-F96-Plus 5: flow, at an error: no value (BDEBDD): not a decimal number, not 131.113000 m^3/h",
    "LGB_G350 5: setting: bytes 0F, not 15.000000 ",
    "REL-Relay-Padpuls2 1: clock: no value (A115E917): the meter says that this value is not valid, not 1900-01-00T00:00:00Z -",
    "SEN_Pollustat 12: duration: 11582321 s, not 11582321.000000 m^3/h",
    "SEN_Pollustat 13: duration: 756 s, not 756.000000 m^3/h",
    "abb_f95 2: power, at an error: no value (DDB4EBDD): not a decimal number, not 1311041.300000 W",
    "abb_f95 3: flow, at an error: no value (DDB4EB): not a decimal number, not 11.041300 m^3/h",
    "example_binary16_lvar 0: variable: bytes 96075B2A27A693013DB51AB3DCD13E17, not 17 3E D1 DC B3 1A B5 3D 01 93 A6 27 2A 5B 07 96 -",
    "itron_bm_+m 2: moment, storage 1: no value (0000): never set, not 2000-00-00 -",
    "landis+gyr_ultraheat_t230 19: moment, maximum, tariff 1: no value (00000000): never set, not 0.000000 W",
    "landis+gyr_ultraheat_t230 20: moment, maximum, tariff 1: no value (00000000): never set, not 0.000000 m^3/h",
    "landis+gyr_ultraheat_t230 21: moment, maximum, tariff 1: 2011-08-26T20:50, not 41065374.600000 Â°C",
    "landis+gyr_ultraheat_t230 22: moment, maximum, tariff 1: 2011-08-09T11:43, not 40953732.300000 Â°C",
    "landis+gyr_ultraheat_t230 32: moment, storage 510: no value (0000E1F1): never set, not 2027-01-01T00:00:00Z -",
    "siemens_water 3: moment, at an error: no value (0000): never set, not 2000-00-00 -",
    "siemens_wfh21 3: moment, at an error: no value (0000): never set, not 2000-00-00 -",
];

#[test]
fn frames_by_others() {
    let Some(lines) = vectors("mbus/libmbus_frames.jsonl") else { return };
    let (mut frames, mut values, mut differences) = (0, 0, vec![]);
    for line in &lines {
        let name = line["name"].as_str().expect("as the vectors have it");
        let message = read(&bytes(line, "hex"), name).unwrap_or_else(|why| panic!("{name}: {why}"));
        let Message::Data(header, reading) = message else { panic!("{name}: {message:?}") };
        let slave = &line["slave"];
        assert_eq!(
            reading.meter.id.trim_start_matches('0'),
            slave["Id"].as_str().expect("as the vectors have it").trim_start_matches('0'),
            "{name}"
        );
        let Some(header) = header else {
            fixed(name, &reading, line);
            frames += 1;
            continue;
        };
        assert_eq!(reading.meter.manufacturer.as_deref(), slave["Manufacturer"].as_str(), "{name}");
        assert_eq!(
            reading.meter.version.expect("as the vectors have it").to_string(),
            slave["Version"],
            "{name}"
        );
        assert_eq!(header.access.to_string(), slave["AccessNumber"], "{name}");
        assert_eq!(format!("{:02X}", header.status), slave["Status"], "{name}");
        assert_eq!(format!("{:04X}", header.config), slave["Signature"], "{name}");
        assert_eq!(reading.meter.medium, medium(header.meter.expect("as the vectors have it").medium));
        let mut fields = reading.fields.iter();
        let mut more = false;
        for (n, known) in line["records"].as_array().expect("as the vectors have it").iter().enumerate() {
            let Some(function) = known["Function"].as_str() else {
                // A VIF that the other gives up at; the record is here, with its digits.
                let field = fields.next().expect("as the vectors have it");
                assert_eq!((field.kind, field.doubt), (Kind::Unknown, Some(Fault::UnknownUnit(0x7B))));
                continue;
            };
            if matches!(function, "Manufacturer specific" | "More records follow") {
                more = function == "More records follow";
                match known["Value"].as_str() {
                    None => assert_eq!(fields.next(), None, "{name}"),
                    Some(raw) => {
                        let field = fields.next().expect("as the vectors have it");
                        assert_eq!(
                            field.value,
                            Value::Raw(hex::parse(raw).expect("as the vectors have it")),
                            "{name}"
                        );
                    }
                }
                continue;
            }
            let field = fields.next().unwrap_or_else(|| panic!("{name} {n}: {known}"));
            differences.extend(difference(field, known).map(|what| format!("{name} {n}: {what}")));
            values += 1;
        }
        assert_eq!(fields.next(), None, "{name}");
        assert_eq!(reading.more, more, "{name}");
        frames += 1;
    }
    println!("{frames} frames, {values} values");
    assert_eq!(differences, DIFFERENCES);
    assert_eq!(frames, 76);
}

fn fixed(name: &str, reading: &Reading, line: &Json) {
    for (field, known) in
        reading.fields.iter().zip(line["records"].as_array().expect("as the vectors have it"))
    {
        let Value::Number(number) = field.value else { panic!("{name}: {field:?}") };
        assert_eq!(number.decimal.to_string(), known["Value"], "{name}");
        assert!(
            number
                .unit
                .symbol()
                .eq_ignore_ascii_case(known["Unit"].as_str().expect("as the vectors have it"))
                || field.register.period == Period::Settlement,
            "{name}"
        );
    }
}

/// Each file of hexadecimal bytes in a folder, by name.
fn folder(name: &str) -> Option<Vec<(String, Vec<u8>)>> {
    let path = shared(&format!("mbus/libmbus/{name}"))?;
    let mut files: Vec<_> = std::fs::read_dir(path)
        .expect("as the vectors have it")
        .map(|entry| entry.expect("as the vectors have it").path())
        .filter(|path| path.extension().is_some_and(|e| e == "hex"))
        .map(|path| {
            let text = std::fs::read_to_string(&path).expect("as the vectors have it");
            let bytes = text
                .split_whitespace()
                .map(|b| u8::from_str_radix(b, 16).expect("as the vectors have it"))
                .collect();
            (
                path.file_stem()
                    .expect("as the vectors have it")
                    .to_str()
                    .expect("as the vectors have it")
                    .to_owned(),
                bytes,
            )
        })
        .collect();
    files.sort();
    Some(files)
}

fn outcome(name: &str, bytes: &[u8]) -> String {
    let error = match read(bytes, name).map(Message::into_reading) {
        Ok(Ok(reading)) => return format!("{} fields, more {}", reading.fields.len(), reading.more),
        Ok(Err(Error::AnswerMismatch { .. })) => return "a request".to_owned(),
        Ok(Err(error)) | Err(error) => error,
    };
    match error {
        Error::DeviceError { code, .. } => format!("device_error {code}"),
        Error::Truncated { need } => format!("truncated {need}"),
        Error::Malformed { what } => format!("malformed: {what}"),
        other => other.kind().to_owned(),
    }
}

#[test]
fn damaged_frames_are_told_apart() {
    let Some(mut files) = folder("error-frames") else { return };
    let known = [
        ("application_busy", "device_error 8"),
        ("buffer_too_long", "device_error 2"),
        ("error", "device_error 0"),
        ("premature_end_of_data1", "truncated 3"),
        ("premature_end_of_data2", "truncated 1"),
        ("premature_end_of_dif1", "truncated 1"),
        ("premature_end_of_dif2", "truncated 1"),
        ("premature_end_of_record", "device_error 4"),
        ("premature_end_of_var_vif1", "truncated 13"),
        ("premature_end_of_vif1", "truncated 1"),
        ("too_long_var_vif", "truncated 237"),
        ("too_many_dife", "malformed: more than 10 DIFEs"),
        ("too_many_difes", "device_error 5"),
        ("too_many_readouts", "device_error 9"),
        ("too_many_records", "device_error 3"),
        ("too_many_vife", "malformed: more than 10 VIFEs"),
        ("too_many_vifes", "device_error 6"),
        ("too_short_header", "truncated 3"),
        ("unimplemented_ci", "device_error 1"),
        ("unspecified_error", "device_error 0"),
        ("invalid_length", "malformed: its length is below 3"),
        // One byte less than the counters need.
        ("invalid_length2", "truncated 1"),
        // Its first byte is broken off: no frame at all.
        ("manual_frame1", "no_frame"),
        // Data to a meter: new addresses.
        ("manual_frame4", "a request"),
        ("manual_frame5", "a request"),
        ("manual_frame6", "a request"),
        // All of it is the manufacturer's.
        ("svm_f22_telegram2", "1 fields, more true"),
    ];
    files.extend(folder("unsupported-frames").expect("as the vectors have it"));
    let outcomes: Vec<_> = files.iter().map(|(name, bytes)| (&**name, outcome(name, bytes))).collect();
    assert_eq!(outcomes, known.map(|(name, what)| (name, what.to_owned())));
}
