// SPDX-License-Identifier: MIT OR Apache-2.0
//! DL/T 645 from both ends: what is encoded is decoded, what is damaged is refused.

mod common;

use std::sync::LazyLock;

use common::own;
use gasd_meters::dlt645::{
    Address, Assembly, Authority, BaudTable, Data, Di, Frame, Match, Message, Request, Standard,
    SwitchCommand, baud_code, check_answer, decode, encode, find, probe,
};
use gasd_meters::scan::{Found, Scanner};
use gasd_meters::{
    Date, EncodeError, Error, Explanation, Fault, Kind, Medium, Moment, TimeOfDay, Value, crc, hex,
};
use proptest::prelude::*;

static RIGHT: LazyLock<Authority> = LazyLock::new(|| Authority::new(2, &[0x11, 0x22, 0x33], &[1, 2, 3, 4]));

fn frame(address: [u8; 6], control: u8, data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x68];
    bytes.extend(address);
    bytes.extend([0x68, control, data.len() as u8]);
    bytes.extend(data.iter().map(|byte| byte.wrapping_add(0x33)));
    bytes.extend([crc::sum(&bytes), 0x16]);
    bytes
}

fn message(bytes: &[u8]) -> Message {
    decode(&Frame::parse(bytes).expect("a good frame"), None, &mut ()).expect("data enough")
}

fn data(bytes: &[u8]) -> Data {
    match message(bytes) {
        Message::Data(data) => data,
        other => panic!("{other:?}"),
    }
}

fn meter() -> Address {
    "123456789012".parse().expect("an address")
}

fn noon() -> (Date, TimeOfDay) {
    (Date::new(2026, 2, 28).expect("a day"), TimeOfDay::new(12, 34, Some(56)).expect("a time"))
}

/// Frames of the project, with what they say; made by the encoders and by `frame` above.
#[test]
fn own_frames() {
    for line in own("dlt645.jsonl") {
        let bytes = common::bytes(&line, "hex");
        let data = data(find(&bytes).unwrap());
        let said: Vec<_> = data.reading.fields.iter().map(|f| format!("{}: {}", f.name(), f.value)).collect();
        let known: Vec<_> = line["fields"].as_array().unwrap().iter().filter_map(|f| f.as_str()).collect();
        assert_eq!(said, known, "{}", line["name"]);
        let raw = line["name"] == "unknown identifier";
        let medium = if raw { Medium::Unknown } else { Medium::Electricity };
        assert_eq!(data.reading.meter.medium, medium, "{}", line["name"]);
    }
}

#[test]
fn a_block_that_is_only_its_end_has_no_field_and_is_no_error() {
    let data = data(&frame([1; 6], 0xA1, &[0xFF, 0x95, 0xAA]));
    assert_eq!((data.di, &data.payload[..], data.reading.fields.len()), (Di::Short(0x95FF), &[0xAA][..], 0));
}

#[test]
fn requests_are_what_they_say() {
    let of = |standard, request: &Request<'_>| message(&encode(standard, meter(), request, 0).unwrap());
    let (v97, v07) = (Standard::V1997, Standard::V2007);
    let (long, short) = (Di::Long(0x0400_0101), Di::Short(0x9010));
    let (date, time) = noon();
    let read = Request::Read { di: long, blocks: None };
    assert_eq!(of(v07, &read), Message::Read(long, vec![]));
    assert_eq!(of(v07, &Request::Read { di: long, blocks: Some(12) }), Message::Read(long, vec![0x12]));
    assert_eq!(of(v97, &Request::Read { di: short, blocks: None }), Message::Read(short, vec![]));
    assert_eq!(of(v07, &Request::ReadNext { di: long, seq: 3 }), Message::ReadNext(long, Some(3)));
    assert_eq!(of(v97, &Request::ReadNext { di: short, seq: 3 }), Message::ReadNext(short, None));
    assert_eq!(of(v07, &Request::ReadAddress), Message::ReadAddress);
    let write = Request::Write { di: long, authority: &RIGHT, data: &[9, 8] };
    assert_eq!(of(v07, &write), Message::Write(long, vec![9, 8]));
    let write = Request::Write { di: short, authority: &RIGHT, data: &[9, 8] };
    assert_eq!(of(v97, &write), Message::Write(short, vec![9, 8]));
    for standard in [v97, v07] {
        let clock = Message::WriteClock(Ok(Moment::new(date, time)));
        assert_eq!(of(standard, &Request::WriteClock(date, time)), clock);
        assert_eq!(of(standard, &Request::Baud(8)), Message::Baud(8));
        let other = "000000000007".parse().unwrap();
        assert_eq!(of(standard, &Request::WriteAddress(other)), Message::WriteAddress(other));
    }
    let switch = Request::Switch { command: SwitchCommand::Trip, authority: &RIGHT, expires: noon() };
    assert_eq!(of(v07, &switch), Message::Switch(0x1A, Ok(Moment::new(date, time))));
    let freeze = of(v07, &Request::Freeze { at: [0x99; 4] });
    assert_eq!(freeze, Message::Request(0x16, vec![0x99; 4]));
    assert!(matches!(of(v07, &Request::ClearDemand(&RIGHT)), Message::Request(0x19, _)));
    // 1997, function 03, needs the edition: 2007 has another meaning.
    let again = encode(v97, meter(), &Request::ReadAgain, 0).unwrap();
    let again = decode(&Frame::parse(&again).unwrap(), Some(v97), &mut ());
    assert_eq!(again, Ok(Message::ReadAgain));
}

#[test]
fn what_cannot_be_asked_is_not_encoded() {
    let read = Request::Read { di: Di::Short(0x9010), blocks: None };
    assert_eq!(encode(Standard::V2007, meter(), &read, 0), Err(EncodeError::Standard));
    assert_eq!(encode(Standard::V1997, meter(), &Request::ReadAddress, 0), Err(EncodeError::Standard));
    let trip = Request::Switch { command: SwitchCommand::Trip, authority: &RIGHT, expires: noon() };
    for many in [Address::WILDCARD, Address::BROADCAST, "AA3456789012".parse().unwrap()] {
        assert_eq!(encode(Standard::V2007, many, &trip, 0), Err(EncodeError::Wildcard));
    }
    let long = Request::Write { di: Di::Long(1), authority: &RIGHT, data: &[0; 39] };
    assert_eq!(encode(Standard::V2007, meter(), &long, 0), Err(EncodeError::TooLong { most: 50 }));
    let old = Request::WriteClock(Date::new(1999, 1, 1).unwrap(), noon().1);
    assert!(matches!(encode(Standard::V2007, meter(), &old, 0), Err(EncodeError::OutOfRange { .. })));
    assert!("12345678901".parse::<Address>().is_err() && "12345678901F".parse::<Address>().is_err());
}

#[test]
fn no_secret_is_shown() {
    let trip = Request::Switch { command: SwitchCommand::Trip, authority: &RIGHT, expires: noon() };
    let bytes = encode(Standard::V2007, meter(), &trip, 0).unwrap();
    let mut explanation = Explanation::default();
    decode(&Frame::parse(&bytes).unwrap(), None, &mut explanation).unwrap();
    let shown = format!("{explanation} {explanation:?} {trip:?}");
    assert!(
        shown.contains("hidden") && !shown.contains("112233") && !shown.contains("17, 34, 51"),
        "{shown}"
    );
}

#[test]
fn half_a_frame_is_half_a_frame_whatever_is_in_it() {
    // Inside stands a header of a frame of three bytes that ends in the middle of something.
    let inner = [0x68, 1, 2, 3, 4, 5, 6, 0x68, 0x91, 3].map(|byte: u8| byte.wrapping_sub(0x33));
    let bytes = frame(meter().0, 0x91, &[&inner[..], &[0; 20]].concat());
    assert!(find(&bytes).is_ok());
    for n in 1..bytes.len() {
        assert!(matches!(find(&bytes[..n]), Err(Error::Truncated { .. })), "{n}");
    }
}

#[test]
fn speeds_are_of_a_table() {
    assert_eq!(baud_code(BaudTable::FromBit1, 2400), Some(0x08));
    assert_eq!(baud_code(BaudTable::FromBit0, 2400), Some(0x04));
    assert_eq!(baud_code(BaudTable::FromBit1, 19_200), Some(0x40));
    assert_eq!(baud_code(BaudTable::FromBit1, 300), None);
}

#[test]
fn a_block_is_its_fields() {
    let mut bytes = vec![0x00, 0xFF, 0x01, 0x02];
    bytes.extend([0x01, 0x22, 0xFF, 0xFF, 0x03, 0x22]);
    let fields = data(&frame(meter().0, 0x91, &bytes)).reading.fields;
    let said: Vec<_> = fields.iter().map(|f| format!("{}: {}", f.name(), f.value)).collect();
    assert_eq!(
        said,
        [
            "voltage_a: 220.1 V",
            "voltage_b: no value (FFFF): the meter does not fill this field",
            "voltage_c: 220.3 V",
        ]
    );
}

#[test]
fn blocks_of_1997_end_with_aa() {
    let item = |n: u8| [n, 0, 0, 0];
    let bytes = [&[0xFF, 0x90][..], &item(1), &item(2), &[0xAA], &item(3), &[0xAA]].concat();
    let answer = data(&frame(meter().0, 0x81, &bytes));
    let said: Vec<_> = answer.reading.fields.iter().map(|f| format!("{}: {}", f.name(), f.value)).collect();
    assert_eq!(
        said,
        [
            "forward_active_energy: 0.01 kWh",
            "forward_active_energy, tariff 1: 0.02 kWh",
            "reverse_active_energy: 0.03 kWh",
        ]
    );
    assert_eq!(answer.seq, None);
    // Nothing forward.
    let bytes = [&[0xFF, 0x90][..], &[0xAA], &item(3), &[0xAA]].concat();
    let fields = data(&frame(meter().0, 0x81, &bytes)).reading.fields;
    assert_eq!(fields.len(), 1);
    assert_eq!(fields[0].name().to_string(), "reverse_active_energy");
    // 2007 has no such end: there it is a digit that is none.
    let bytes = [&[0x00, 0xFF, 0x01, 0x00][..], &item(1), &[0xAA, 0, 0, 0], &item(3)].concat();
    let fields = data(&frame(meter().0, 0x91, &bytes)).reading.fields;
    assert_eq!(fields.len(), 3);
    assert_eq!(fields[1].value, Value::Absent(Fault::NotBcd, vec![0xAA, 0, 0, 0]));
}

#[test]
fn minus_is_the_highest_bit_where_there_is_a_sign() {
    let current = data(&frame(meter().0, 0x91, &[0, 1, 2, 2, 0x23, 0x01, 0x80]));
    assert_eq!(current.reading.fields[0].value.to_string(), "-0.123 A");
    // Voltage has none: its digit cannot be above 9.
    let voltage = data(&frame(meter().0, 0x91, &[0, 1, 1, 2, 0x23, 0xA1]));
    assert_eq!(voltage.reading.fields[0].value, Value::Absent(Fault::NotBcd, vec![0x23, 0xA1]));
}

#[test]
fn parts_are_put_together() {
    let di = [0x00, 0xFF, 0x01, 0x00];
    let first = data(&frame(meter().0, 0xB1, &[&di[..], &[1, 0, 0, 0, 2, 0]].concat()));
    let second = data(&frame(meter().0, 0x92, &[&di[..], &[0, 0, 3, 0, 0, 0, 1]].concat()));
    assert_eq!((first.seq, second.seq), (None, Some(1)));
    let mut whole = Assembly::begin(&first);
    assert_eq!(whole.wanted(), Some(1));
    let mut other = second.clone();
    other.seq = Some(2);
    assert!(matches!(whole.push(&other), Err(Error::AnswerMismatch { .. })));
    other.di = Di::Long(1);
    assert!(matches!(whole.push(&other), Err(Error::AnswerMismatch { .. })));
    assert_eq!(whole.push(&second), Ok(()));
    assert_eq!(whole.wanted(), None);
    assert!(whole.push(&second).is_err());
    let values: Vec<_> = whole.finish(meter()).fields.iter().map(|f| f.value.to_string()).collect();
    assert_eq!(values, ["0.01 kWh", "0.02 kWh", "0.03 kWh"]);
    // A first part that ends a byte into a field has no number.
    let first = data(&frame(meter().0, 0xB1, &[&di[..], &[1, 0, 0, 0, 2]].concat()));
    assert_eq!((first.seq, first.reading.fields.len()), (None, 2));
    let second = data(&frame(meter().0, 0x92, &[&di[..], &[0, 0, 0, 1]].concat()));
    let mut whole = Assembly::begin(&first);
    assert_eq!(whole.push(&second), Ok(()));
    let values: Vec<_> = whole.finish(meter()).fields.iter().map(|f| f.value.to_string()).collect();
    assert_eq!(values, ["0.01 kWh", "0.02 kWh"]);
    // 1997 numbers nothing.
    let first = data(&frame(meter().0, 0xA1, &[0x1F, 0x90, 1, 0, 0, 0, 2, 0]));
    let second = data(&frame(meter().0, 0x82, &[0x1F, 0x90, 0, 0, 0xAA]));
    assert_eq!((second.seq, &second.payload[..]), (None, &[0, 0, 0xAA][..]));
    let mut whole = Assembly::begin(&first);
    assert_eq!(whole.push(&second), Ok(()));
    let values: Vec<_> = whole.finish(meter()).fields.iter().map(|f| f.value.to_string()).collect();
    assert_eq!(values, ["0.01 kWh", "0.02 kWh"]);
}

#[test]
fn parts_without_end_are_given_up() {
    let di = [0x00, 0xFF, 0x01, 0x00];
    let first = data(&frame(meter().0, 0xB1, &[&di[..], &[1, 0, 0, 0, 2, 0]].concat()));
    let mut endless = Assembly::begin(&first);
    let mut part = first.clone();
    let given_up = (1..200u8).find_map(|seq| {
        part.seq = Some(seq);
        endless.push(&part).err()
    });
    assert!(matches!(given_up, Some(Error::Malformed { .. })));
}

#[test]
fn only_an_answer_answers() {
    let of = |bytes: &[u8]| bytes.to_vec();
    let request =
        encode(Standard::V2007, meter(), &Request::Read { di: Di::Long(0x0001_0000), blocks: None }, 0)
            .unwrap();
    let check = |request: &[u8], answer: Vec<u8>| {
        check_answer(&Frame::parse(request).unwrap(), &Frame::parse(&answer).unwrap())
    };
    let di = [0, 0, 1, 0, 1, 0, 0, 0];
    assert_eq!(check(&request, frame(meter().0, 0x91, &di)), Ok(Match::Exact));
    assert_eq!(check(&request, frame([0xAA; 6], 0x91, &di)), Ok(Match::Wildcard));
    assert_eq!(check(&request, frame([7; 6], 0x91, &di)), Ok(Match::OtherAddress));
    assert_eq!(check(&request, frame(meter().0, 0xD1, &[2])), Ok(Match::Exact));
    assert_eq!(check(&request, of(&request)), Err(Error::Echo));
    assert!(matches!(check(&request, frame(meter().0, 0x94, &[])), Err(Error::AnswerMismatch { .. })));
    assert!(matches!(
        check(&request, frame(meter().0, 0x91, &[0, 0, 2, 0, 1])),
        Err(Error::AnswerMismatch { .. })
    ));
    let trip = Request::Switch { command: SwitchCommand::Trip, authority: &RIGHT, expires: noon() };
    let trip = encode(Standard::V2007, meter(), &trip, 0).unwrap();
    assert_eq!(check(&trip, frame(meter().0, 0x9C, &[])), Ok(Match::Exact));
    for other in [[0xAA; 6], [7; 6]] {
        assert_eq!(check(&trip, frame(other, 0x9C, &[])), Err(Error::AddressMismatch));
    }
    let refused = message(&frame(meter().0, 0xDC, &[0x04])).into_reading();
    let sentence = refused.unwrap_err().to_string();
    assert_eq!(sentence, "the meter refused: wrong password or no authority (code 04)");
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = find(&bytes);
        if let Ok(frame) = Frame::parse(&bytes) {
            let _ = decode(&frame, None, &mut Explanation::default());
        }
    }

    /// Any data in a good frame: nothing panics, and the explanation has every byte once.
    #[test]
    fn any_data_are_explained(
        control in any::<u8>(),
        di in prop_oneof![any::<u32>(), (0..5u32, 0..3u32, prop_oneof![0..4u32, Just(0xFF)], prop_oneof![0..14u32, Just(0xFF)])
            .prop_map(|(a, b, c, d)| a << 24 | b << 16 | c << 8 | d)],
        rest in proptest::collection::vec(any::<u8>(), 0..196),
        standard in prop_oneof![Just(None), Just(Some(Standard::V1997))],
        cut in 0..200usize,
    ) {
        let mut all = di.to_le_bytes().to_vec();
        all.extend(rest);
        all.truncate(cut);
        let bytes = frame([1, 2, 3, 4, 5, 6], control, &all);
        let frame = Frame::parse(&bytes).unwrap();
        let mut explanation = Explanation::default();
        if decode(&frame, standard, &mut explanation).is_ok() {
            let mut at = 0;
            for field in &explanation.0 {
                prop_assert_eq!(field.at, at);
                at += field.raw.len();
            }
            prop_assert_eq!(at, bytes.len());
        }
    }

    #[test]
    fn half_a_frame_is_truncated(control in any::<u8>(), data in proptest::collection::vec(any::<u8>(), 0..60)) {
        let bytes = frame([1, 2, 3, 4, 5, 6], control, &data);
        for n in 1..bytes.len() {
            match Frame::parse(&bytes[..n]) {
                Err(Error::Truncated { need }) => prop_assert!(need <= bytes.len() - n),
                other => prop_assert!(false, "{n}: {other:?}"),
            }
        }
    }

    /// The sum finds any one wrong bit, in each byte of the frame.
    #[test]
    fn one_wrong_bit_is_refused(control in any::<u8>(), data in proptest::collection::vec(any::<u8>(), 0..60)) {
        let bytes = frame([1, 2, 3, 4, 5, 6], control, &data);
        for bit in 0..bytes.len() * 8 {
            let mut wrong = bytes.clone();
            wrong[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(Frame::parse(&wrong).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn energy_comes_back(n in 0..100_000_000u32, tariff in 0..64u8, wake in 0..14usize) {
        let mut bytes = vec![0, tariff, 1, 0];
        let digits = format!("{n:08}");
        bytes.extend(hex::parse(&digits).unwrap().iter().rev());
        let line = [vec![0xFE; wake], frame(meter().0, 0x91, &bytes)].concat();
        let mut found = vec![];
        Scanner::new(1).push(0, &line, probe, |f| if let Found::Frame { bytes, garbage, .. } = f {
            found.push((bytes.to_vec(), garbage));
        });
        prop_assert_eq!(found.len(), 1);
        prop_assert_eq!(found[0].1, 0);
        let answer = data(&found[0].0);
        let field = &answer.reading.fields[0];
        prop_assert_eq!((field.kind, field.register.tariff), (Kind::ActiveEnergy, u32::from(tariff)));
        let number = field.value.number().unwrap();
        prop_assert_eq!((number.decimal.mantissa, number.decimal.exponent), (i64::from(n), -2));
    }

    /// Wherever data are cut into parts, together they say what they say in one.
    #[test]
    fn parts_say_what_the_whole_says(
        values in proptest::collection::vec(any::<[u8; 4]>(), 1..40),
        cuts in proptest::collection::vec(0..160usize, 0..5),
        old in any::<bool>(),
    ) {
        let di: &[u8] = if old { &[0x1F, 0x90] } else { &[0x00, 0xFF, 0x01, 0x00] };
        let all = values.concat();
        let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(all.len())).collect();
        cuts.extend([0, all.len()]);
        cuts.sort_unstable();
        let parts: Vec<_> = cuts.windows(2).map(|w| &all[w[0]..w[1]]).collect();
        let mut whole: Option<Assembly> = None;
        for (n, part) in parts.iter().enumerate() {
            let more = if n + 1 < parts.len() { 0x20 } else { 0 };
            let function = match (old, n) { (true, 0) => 0x81, (true, _) => 0x82, (_, 0) => 0x91, _ => 0x92 };
            let number = if n > 0 && !old { vec![n as u8] } else { vec![] };
            let part = data(&frame(meter().0, function | more, &[di, part, &number].concat()));
            match &mut whole {
                None => whole = Some(Assembly::begin(&part)),
                Some(whole) => prop_assert_eq!(whole.push(&part), Ok(())),
            }
        }
        let together = whole.unwrap().finish(meter());
        let function = if old { 0x81 } else { 0x91 };
        prop_assert_eq!(together, data(&frame(meter().0, function, &[di, &all].concat())).reading);
    }

    #[test]
    fn requests_come_back(di in any::<u32>(), address in 0..1_000_000_000_000u64, wake in 0..5usize) {
        let address: Address = format!("{address:012}").parse().unwrap();
        let di = Di::Long(di);
        let bytes = encode(Standard::V2007, address, &Request::Read { di, blocks: None }, wake).unwrap();
        let frame = Frame::parse(find(&bytes).unwrap()).unwrap();
        prop_assert_eq!(frame.address, address);
        prop_assert_eq!(decode(&frame, None, &mut ()), Ok(Message::Read(di, vec![])));
    }
}
