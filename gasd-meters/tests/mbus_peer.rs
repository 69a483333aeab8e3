// SPDX-License-Identifier: MIT OR Apache-2.0
//! Compared with another decoder, `m-bus-parser` 0.5.3: every code of every table, and frames by others.
//! Where the two disagree is written down here, class by class; anything else fails.

mod common;

use std::collections::BTreeMap;

use common::{bytes, vectors};
use gasd_meters::mbus::{Frame, Link, Message, decode};
use gasd_meters::{Field, Function, Kind, Period, Unit, Value};
use m_bus_parser::WiredFrame;
use m_bus_parser::mbus_data::MbusData;
use m_bus_parser::user_data::data_information::{DataType, FunctionField, SingleEveryOrInvalid as Single};
use m_bus_parser::user_data::data_record::DataRecord;

/// One record, as both can say it.
#[derive(Clone, Debug, PartialEq)]
struct Said {
    /// Function, storage, tariff, subunit.
    register: (u8, u64, u64, u64),
    value: What,
}

#[derive(Clone, Debug, PartialEq)]
enum What {
    /// Of base units.
    Number(f64),
    Moment(String),
    Text(String),
    Bytes(Vec<u8>),
    Nothing,
}

fn ours(field: &Field) -> Said {
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
    let value = match &field.value {
        Value::Number(number) => {
            // The other keeps these units as they are.
            let own = match number.unit {
                Unit::Bar => 1e-5,
                Unit::Tonne => 1e-3,
                Unit::KilovoltAmpereHour => 1e3,
                _ => 1.0,
            };
            What::Number(number.in_base().map_or(f64::NAN, |n| n.decimal.to_f64() * own))
        }
        Value::Moment(moment) => What::Moment(moment.to_string().trim_end_matches(" summer time").to_owned()),
        Value::Text(text) => match text.parse() {
            Ok(number) if field.kind != Kind::Model => What::Number(number),
            _ => What::Text(text.clone()),
        },
        Value::Bits(bits) => What::Number(*bits as f64),
        Value::Raw(bytes) => What::Bytes(bytes.clone()),
        Value::Absent(..) => What::Nothing,
    };
    let (tariff, subunit) = (field.register.tariff.into(), field.register.subunit.into());
    Said { register: (function, storage, tariff, subunit), value }
}

fn one<T: std::fmt::Display>(part: &Single<T>) -> String {
    match part {
        Single::Single(value) => format!("{value:0>2}"),
        Single::Every() => "every".to_owned(),
        Single::Invalid() => "invalid".to_owned(),
        _ => "?".to_owned(),
    }
}

fn month(part: &Single<m_bus_parser::user_data::data_information::Month>) -> String {
    match part {
        Single::Single(month) => format!("{:02}", *month as u8 + 1),
        Single::Every() => "every".to_owned(),
        _ => "invalid".to_owned(),
    }
}

fn theirs(record: &DataRecord<'_>) -> Said {
    let info = record.data_information();
    let register = info.map_or((0, 0, 0, 0), |info| {
        let function = match info.function_field {
            FunctionField::InstantaneousValue => 0,
            FunctionField::MaximumValue => 1,
            FunctionField::MinimumValue => 2,
            _ => 3,
        };
        (function, info.storage_number, info.tariff, info.device)
    });
    let scale = record.value_information().map_or(0, |info| info.decimal_scale_exponent);
    let value = match record.value() {
        None => What::Nothing,
        Some(DataType::Number(n) | DataType::LossyNumber(n)) => {
            What::Number(format!("{n}e{scale}").parse().unwrap_or(f64::NAN))
        }
        Some(DataType::Date(d, m, y)) => What::Moment(format!("{}-{}-{}", one(y), month(m), one(d))),
        Some(DataType::Time(s, m, h)) => What::Moment(format!("{}:{}:{}", one(h), one(m), one(s))),
        Some(DataType::DateTime(d, m, y, h, min)) => {
            What::Moment(format!("{}-{}-{}T{}:{}", one(y), month(m), one(d), one(h), one(min)))
        }
        Some(DataType::DateTimeWithSeconds(d, m, y, h, min, s)) => {
            What::Moment(format!("{}-{}-{}T{}:{}:{}", one(y), month(m), one(d), one(h), one(min), one(s)))
        }
        Some(DataType::ManufacturerSpecific(bytes)) => What::Bytes((*bytes).into()),
        Some(_) => What::Text(String::new()),
    };
    Said { register, value }
}

fn manufacturer(record: &DataRecord<'_>) -> Said {
    Said { register: (0, 0, 0, 0), value: What::Bytes(record.raw_bytes()[1..].into()) }
}

fn agree(a: &Said, b: &Said) -> bool {
    a.register == b.register
        && match (&a.value, &b.value) {
            // Its letters are not to be had without more of the other crate.
            (What::Text(_), What::Text(_)) => true,
            (What::Number(a), What::Number(b)) => (a - b).abs() <= 1e-7 * a.abs(),
            (a, b) => a == b,
        }
}

fn frame(records: &[u8]) -> Vec<u8> {
    let header = [0x78, 0x56, 0x34, 0x12, 0x93, 0x15, 0x33, 0x03, 7, 0, 0, 0];
    let data = [&header[..], records].concat();
    Frame::Long(Link { control: 8, address: 1 }, 0x72, &data).encode().expect("short enough")
}

/// What both say of a frame; `None` where one refuses it.
fn both(bytes: &[u8]) -> (Option<Vec<Said>>, Option<Vec<Said>>) {
    let frame = Frame::parse(bytes).expect("a frame");
    let mine = match decode(&frame, &mut ()) {
        // Fixed data, which the other has in another form.
        Ok(Message::Data(None, _)) => None,
        Ok(Message::Data(_, reading)) => Some(reading.fields.iter().map(ours).collect()),
        _ => None,
    };
    let peer = MbusData::<WiredFrame<'_>>::try_from(bytes).ok();
    let peer = peer.and_then(|peer| {
        let records: Result<Vec<_>, _> = peer.data_records?.collect();
        // It makes a record of the manufacturer's data where there are none, too, and gives it a register.
        let own = |record: &DataRecord<'_>| matches!(record.raw_bytes(), [0x0F | 0x1F, ..]);
        Some(
            records
                .ok()?
                .iter()
                .filter(|record| !own(record) || record.raw_bytes().len() > 1)
                .map(|record| if own(record) { manufacturer(record) } else { theirs(record) })
                .collect(),
        )
    });
    (mine, peer)
}

/// What kind of disagreement it is; `None` where there is none.
fn class(mine: Option<&Said>, peer: Option<&Said>) -> Option<String> {
    let (a, b) = match (mine, peer) {
        (Some(a), Some(b)) if agree(a, b) => return None,
        (None, None) => return None,
        (Some(a), Some(b)) if a.register != b.register => return Some("another register".to_owned()),
        other => other,
    };
    let name = |said: Option<&Said>| match said.map(|said| &said.value) {
        None => "refused",
        Some(What::Number(_)) => "a number",
        Some(What::Moment(text)) if text.contains("every") => "every so often",
        Some(What::Moment(text)) if text.contains("invalid") => "an invalid time",
        Some(What::Moment(_)) => "a time",
        Some(What::Text(_)) => "text",
        Some(What::Bytes(_)) => "bytes",
        Some(What::Nothing) => "no value",
    };
    Some(format!("{} here, {} there", name(a), name(b)))
}

fn compare(differences: &mut BTreeMap<String, Vec<String>>, name: &str, bytes: &[u8]) {
    let (mine, peer) = both(bytes);
    let (Some(mine), Some(peer)) = (&mine, &peer) else {
        if mine.is_some() != peer.is_some() {
            let class = if mine.is_some() { "refused there" } else { "refused here" };
            differences.entry(class.to_owned()).or_default().push(name.to_owned());
        }
        return;
    };
    if mine.len() != peer.len() {
        differences.entry("another number of records".to_owned()).or_default().push(name.to_owned());
    }
    for (n, (a, b)) in mine.iter().zip(peer).enumerate() {
        if let Some(class) = class(Some(a), Some(b)) {
            let name = if mine.len() == 1 { name.to_owned() } else { format!("{name} {n}") };
            differences.entry(class).or_default().push(name);
        }
    }
}

/// The differences are these and no others.
fn agrees_but_for(differences: BTreeMap<String, Vec<String>>, known: &[(&str, &str)]) {
    let found: Vec<_> = differences.iter().map(|(class, names)| (class.as_str(), names.join(", "))).collect();
    let found: Vec<_> = found.iter().map(|(class, names)| (*class, names.as_str())).collect();
    assert_eq!(found, known);
}

/// VIFs behind `04`, of FB, of FD, and VIFEs behind `93`, with the data of 2008-05-31 23:50.
const TABLES: &[(&str, &str)] = &[
    // FB: calories, feet, gallons, angles and °F, which are left without a unit here. VIFEs: for each GJ, kW and the
    // like there is no unit here; limits that were passed are counts and spans of time here (41, 49, 50-67), and
    // plain volumes there; what is to be added (7A, 7B) is not added there.
    (
        "a number here, a number there",
        "FB 06, FB 0C, FB 0D, FB 0E, FB 0F, FB 21, FB 23, FB 2A, FB 2B, FB 60, FB 61, FB 62, 93 30, 93 31, 93 32, \
         93 3D, 93 41, 93 49, 93 50, 93 51, 93 52, 93 53, 93 54, 93 55, 93 56, 93 57, 93 58, 93 59, 93 5A, 93 5B, \
         93 5C, 93 5D, 93 5E, 93 5F, 93 60, 93 61, 93 62, 93 63, 93 64, 93 65, 93 66, 93 67, 93 7A, 93 7B",
    ),
    // When tariff, battery or a limit began: a date as a number there.
    (
        "a time here, a number there",
        "FD 30, FD 70, 93 39, 93 42, 93 43, 93 46, 93 47, 93 4A, 93 4B, 93 4E, 93 4F, 93 6A, 93 6B, 93 6E, 93 6F",
    ),
    // Four bytes behind 6C are a date and a time here, as their length says; there two are read and the others
    // are the next record.
    ("a time here, a time there", "6C"),
    // The 31st is "every day" there.
    ("a time here, every so often there", "6D"),
    ("another number of records", "6C"),
    // What only the manufacturer or another layout explains.
    (
        "bytes here, a number there",
        "7F, FD 23, FD 2A, FD 3B, FD 65, FD 67, FD 72, FD 73, FD 76, 93 13, 93 1E, 93 1F, 93 3F",
    ),
    // A manufacturer in four bytes; passwords and keys, which are not shown; records that the meter itself
    // says are in error.
    (
        "no value here, a number there",
        "FD 0A, FD 12, FD 13, FD 14, FD 15, FD 16, FD 19, 93 01, 93 02, 93 03, 93 04, 93 05, 93 06, 93 07, 93 0B, 93 0C, \
         93 0D, 93 0E, 93 0F, 93 15, 93 16, 93 17, 93 18, 93 1C",
    ),
    ("refused there", "6F"),
];

/// DIF, VIF, and what the data are full of.
const CODINGS: &[(&str, &str)] = &[
    // 1985 here and 2085 there.
    ("a time here, a time there", "02 6C AB"),
    // The lowest number is none (type B), and so is a float that is no number.
    ("no value here, a number there", "01 13 80, 05 13 FF"),
    // The bit that says that the time is invalid is set.
    ("no value here, a time there", "04 6D 99, 04 6D AB, 06 6D 99, 06 6D AB"),
    ("no value here, an invalid time there", "04 6D 00, 04 6D 80, 06 6D 00, 06 6D 80"),
    // No fields that are filled, or a date that comes every month: no date here.
    (
        "no value here, every so often there",
        "02 6C FF, 02 6C 00, 02 6C F1, 02 6C 80, 04 6D FF, 04 6D F1, 06 6D FF, 06 6D F1",
    ),
    // Times of day (type J), and digits above 9: one field without a value here, no record at all there.
    (
        "refused there",
        "03 6D ones, 03 6D FF, 03 6D 00, 03 6D 99, 03 6D AB, 03 6D F1, 03 6D 80, 09 13 FF, 09 13 AB, 0A 13 FF, 0A 13 AB, \
         0A 13 F1, 0B 13 FF, 0B 13 AB, 0B 13 F1, 0C 13 FF, 0C 13 AB, 0C 13 F1, 0E 13 FF, 0E 13 AB, 0E 13 F1",
    ),
];

/// Frames of libmbus, and which of their records.
const FRAMES: &[(&str, &str)] = &[
    // The time of a maximum (VIFE 6B).
    ("a time here, a number there", "landis+gyr_ultraheat_t230 21, landis+gyr_ultraheat_t230 22"),
    // 1996 here, as libmbus has it.
    ("a time here, a time there", "amt_calec_mb 6"),
    // The 31st.
    ("a time here, every so often there", "oms_frame1 1, rel_padpuls3 1"),
    (
        "bytes here, a number there",
        "EMU_EMU-Professional-375-M-Bus 26, EMU_EMU-Professional-375-M-Bus 27, EMU_EMU-Professional-375-M-Bus 28, \
         EMU_EMU-Professional-375-M-Bus 29, LGB_G350 5, SBC_Saia-Burgess-ALE3 16, SBC_Saia-Burgess-ALE3 19, \
         SEN_Pollustat 15, abb_delta 10, abb_delta 11, abb_delta 13, berg_dz_plus 10, berg_dz_plus 11, berg_dz_plus 12, \
         berg_dz_plus 13, berg_dz_plus 15, example_binary16_lvar",
    ),
    ("no value here, a number there", "landis+gyr_ultraheat_t230 19, landis+gyr_ultraheat_t230 20"),
    ("no value here, a time there", "REL-Relay-Padpuls2 1"),
    (
        "no value here, every so often there",
        "ACW_Itron-BM-plus-m 2, itron_bm_+m 2, landis+gyr_ultraheat_t230 32, siemens_water 3, siemens_wfh21 3",
    ),
    // Digits above 9, in a value or in the meter's number; a unit in plain text before its VIFEs.
    (
        "refused there",
        "ELS_Elster-F96-Plus, ELV-Elvaco-CMa10, THI_cma10, abb_f95, electricity-meter-1, electricity-meter-2, elv_temp_humid",
    ),
];

#[test]
fn every_code_of_every_table() {
    let mut differences = BTreeMap::new();
    for (table, before) in [("", &[][..]), ("FB ", &[0xFB]), ("FD ", &[0xFD]), ("93 ", &[0x93])] {
        for code in 0..0x80u8 {
            let record = [&[0x04][..], before, &[code, 0x32, 0x37, 0x1F, 0x15]].concat();
            compare(&mut differences, &format!("{table}{code:02X}"), &frame(&record));
        }
    }
    agrees_but_for(differences, TABLES);
}

#[test]
fn every_coding() {
    let mut differences = BTreeMap::new();
    let data: [(&str, [u8; 8]); 7] = [
        ("ones", [1; 8]),
        ("FF", [0xFF; 8]),
        ("00", [0; 8]),
        ("99", [0x99; 8]),
        ("AB", [0xAB; 8]),
        ("F1", [0xF1; 8]),
        ("80", [0x80; 8]),
    ];
    for dif in (0x00..0x0Fu8).filter(|dif| *dif != 0x0D) {
        for (name, data) in &data {
            let vifs: &[u8] = match dif {
                0x02 => &[0x13, 0x6C],
                0x03 | 0x04 | 0x06 => &[0x13, 0x6D],
                _ => &[0x13],
            };
            for &vif in vifs {
                let n = match dif {
                    0x0..=0x4 | 0x6 => usize::from(dif),
                    0x5 => 4,
                    0x7 => 8,
                    0x9..=0xC => usize::from(dif - 8),
                    0xE => 6,
                    _ => 0,
                };
                let record = [&[dif, vif][..], &data[..n]].concat();
                compare(&mut differences, &format!("{dif:02X} {vif:02X} {name}"), &frame(&record));
            }
        }
    }
    agrees_but_for(differences, CODINGS);
}

#[test]
fn frames_by_others() {
    let Some(lines) = vectors("mbus/libmbus_frames.jsonl") else { return };
    let mut differences = BTreeMap::new();
    for line in &lines {
        compare(&mut differences, line["name"].as_str().expect("a name"), &bytes(line, "hex"));
    }
    agrees_but_for(differences, FRAMES);
}
