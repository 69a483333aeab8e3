// SPDX-License-Identifier: MIT OR Apache-2.0
//! HART from both ends: what is encoded is decoded, what is damaged is refused, and what a device says of
//! itself makes its values doubtful.
#![allow(clippy::unwrap_used, reason = "test code")]

mod common;

use common::{covers, own};
use gasd_meters::hart::{
    Address, Frame, MIN_PREAMBLE, Master, Message, Request, Type, check_answer, decode, encode, find, probe,
    probe_after_preamble,
};
use gasd_meters::scan::{Found, Probe, Scanner};
use gasd_meters::{
    EncodeError, Error, Explanation, Fault, Flag, Kind, Reading, Register, Unit, Value, crc, hex,
};
use proptest::prelude::*;

const DEVICE: Address = Address::Unique { kind: 0x2606, id: [0xBC, 0x61, 0x4E] };

/// An answer of [`DEVICE`] to the primary master.
fn answer(command: u8, status: [u8; 2], data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x86, 0xA6, 0x06, 0xBC, 0x61, 0x4E, command, data.len() as u8 + 2];
    bytes.extend(status);
    bytes.extend(data);
    bytes.push(crc::xor(&bytes));
    bytes
}

fn message(bytes: &[u8]) -> Message {
    let frame = Frame::parse(bytes).unwrap();
    let mut explanation = Explanation::default();
    let decoded = decode(&frame, &mut explanation).unwrap();
    covers(&explanation, bytes.len(), &frame.command);
    decoded.message
}

fn reading(bytes: &[u8]) -> Reading {
    message(bytes).into_reading().unwrap()
}

fn variable(unit: u8, value: f32) -> Vec<u8> {
    [&[unit][..], &value.to_be_bytes()].concat()
}

/// Frames of the project, with what they say.
#[test]
fn own_frames() {
    for line in own("hart.jsonl") {
        let bytes = common::bytes(&line, "hex");
        let reading = reading(find(&bytes).unwrap());
        let said: Vec<_> = reading
            .fields
            .iter()
            .map(|f| {
                let doubt = f.doubt.map_or(String::new(), |doubt| format!(" ({doubt})"));
                format!("{}: {}{doubt}", f.name(), f.value)
            })
            .collect();
        let known: Vec<_> = line["fields"].as_array().unwrap().iter().filter_map(|f| f.as_str()).collect();
        assert_eq!(said, known, "{}", line["name"]);
        assert_eq!(reading.flags.to_string(), line["set"].as_str().unwrap(), "{}", line["name"]);
    }
}

#[test]
fn requests_are_what_they_say() {
    let of = |request: &Request<'_>| {
        let bytes = encode(Master::Secondary, DEVICE, request, 5).unwrap();
        assert_eq!(bytes[..5], [0xFF; 5]);
        let frame = Frame::parse(&bytes[5..]).unwrap();
        assert_eq!((frame.kind, frame.address, frame.master), (Type::Request, DEVICE, Master::Secondary));
        assert_eq!(frame.command, request.command());
        let Message::Request(data) = message(&bytes[5..]) else { panic!() };
        (frame.command, data)
    };
    for (request, command) in [
        (Request::Identify, 0),
        (Request::Primary, 1),
        (Request::Loop, 2),
        (Request::Dynamic, 3),
        (Request::Message, 12),
        (Request::Tag, 13),
        (Request::Range, 15),
        (Request::LongTag, 20),
        (Request::ResetChanged(None), 38),
        (Request::MoreStatus, 48),
    ] {
        assert_eq!(of(&request), (command, vec![]));
    }
    assert_eq!(of(&Request::WithStatus(&[0, 246])), (9, vec![0, 246]));
    assert_eq!(of(&Request::ByCode(&[1])), (33, vec![1]));
    assert_eq!(of(&Request::ResetChanged(Some(316))), (38, vec![1, 0x3C]));
    assert_eq!(of(&Request::IdentifyByTag("FT-JPB01")), (11, hex::parse("194B4A402C31").unwrap()));
    let (21, tag) = of(&Request::IdentifyByLongTag("Übergabe 7")) else { panic!() };
    assert_eq!((tag.len(), tag[0], tag[10]), (32, 0xDC, 0));
    let bytes = encode(Master::Primary, Address::Polling(7), &Request::Identify, 0).unwrap();
    assert_eq!(hex::Hex(&bytes).to_string(), "0287000085");
}

#[test]
fn what_must_not_be_sent_is_not_encoded() {
    let of = |address, request: &Request<'_>| encode(Master::Primary, address, request, 5);
    assert_eq!(of(Address::Polling(64), &Request::Identify), Err(EncodeError::Address));
    let kind = Address::Unique { kind: 0x4000, id: [1; 3] };
    assert_eq!(of(kind, &Request::Identify), Err(EncodeError::Address));
    assert_eq!(of(Address::BROADCAST, &Request::Primary), Err(EncodeError::Wildcard));
    assert!(of(Address::BROADCAST, &Request::IdentifyByTag("A")).is_ok());
    assert!(of(DEVICE, &Request::IdentifyByTag("123456789")).is_err());
    assert!(of(DEVICE, &Request::IdentifyByLongTag("Δ")).is_err());
    assert!(of(DEVICE, &Request::WithStatus(&[])).is_err());
    assert!(of(DEVICE, &Request::ByCode(&[0; 5])).is_err());
    assert_eq!(of(DEVICE, &Request::Raw(6, &[0; 256])), Err(EncodeError::TooLong { most: 255 }));
}

#[test]
fn an_answer_answers_its_request_and_no_other() {
    let asked = encode(Master::Primary, DEVICE, &Request::Primary, 0).unwrap();
    let check = |bytes: &[u8]| check_answer(&Frame::parse(&asked).unwrap(), &Frame::parse(bytes).unwrap());
    let right = answer(1, [0, 0], &variable(7, 1.5));
    assert_eq!(check(&right), Ok(()));
    assert_eq!(check(&asked), Err(Error::Echo));
    assert_eq!(check(&answer(1, [64, 0], &[])), Ok(()), "a refusal is an answer");
    let change = |at: usize, to: u8| {
        let mut bytes = right.clone();
        bytes[at] = to;
        let last = bytes.len() - 1;
        bytes[last] = crc::xor(&bytes[..last]);
        bytes
    };
    assert_eq!(check(&change(5, 0x4F)), Err(Error::AddressMismatch));
    for other in [change(0, 0x81), change(0, 0x82), change(1, 0x26), change(6, 2)] {
        assert!(matches!(check(&other), Err(Error::AnswerMismatch { .. })), "{other:X?}");
    }
    let by_tag = encode(Master::Primary, Address::BROADCAST, &Request::IdentifyByTag("A"), 0).unwrap();
    let id = answer(11, [0, 0], &[0xFE, 0x26, 6, 5, 7, 1, 1, 0x08, 0, 0xBC, 0x61, 0x4E]);
    assert_eq!(check_answer(&Frame::parse(&by_tag).unwrap(), &Frame::parse(&id).unwrap()), Ok(()));
    let Message::Identity(who) = message(&id) else { panic!() };
    assert_eq!((who.address(), who.changes, who.hardware), (DEVICE, None, 1));
}

#[test]
fn what_the_device_says_of_itself() {
    let of = |status| reading(&answer(1, [0, status], &variable(43, 12.5))).fields[0].clone();
    assert_eq!(of(0x40).volume_ul(), Ok(12_500_000_000));
    assert_eq!(of(0x80).volume_ul(), Err(Fault::SaidInvalid), "malfunction");
    assert_eq!(of(0x01).volume_ul(), Err(Fault::OutOfRange), "PV out of limits");
    assert_eq!(of(0x02).volume_ul(), Ok(12_500_000_000), "another is");
    let flags = reading(&answer(1, [0, 0xF0], &variable(43, 12.5))).flags;
    for flag in [Flag::PermanentError, Flag::ConfigurationChanged, Flag::Restarted, Flag::MoreStatus] {
        assert_eq!(flags.get(flag), Some(true));
    }
    assert_eq!((flags.get(Flag::Saturated), flags.get(Flag::Leak)), (Some(false), None));
    // A warning comes with its data, an error does not.
    assert_eq!(reading(&answer(1, [8, 0], &variable(43, 1.0))).fields.len(), 1);
    let refused = message(&answer(1, [64, 0], &[]));
    let code = Error::DeviceError { code: 64, what: "it does not have this command" };
    assert_eq!(refused.into_reading(), Err(code));
    let damaged = message(&answer(1, [0x88, 0], &[]));
    let Message::Refused(Error::DeviceError { code: 0x88, what }) = damaged else { panic!() };
    assert!(what.contains("damaged"));
}

#[test]
fn values_that_are_none() {
    let of = |unit, value| reading(&answer(1, [0, 0], &variable(unit, value))).fields[0].clone();
    assert_eq!(of(250, 1.0).value, Value::Absent(Fault::NotFilled, vec![0x3F, 0x80, 0, 0]));
    assert_eq!(of(7, f32::NAN).volume_ul(), Err(Fault::NotANumber));
    let unknown = of(240, 1.0);
    assert_eq!((unknown.doubt, unknown.kind), (Some(Fault::UnknownUnit(240)), Kind::Variable));
    let base = of(166, 7.25);
    assert_eq!((base.kind, base.volume_ul()), (Kind::VolumeBase, Ok(7_250_000_000)));
    assert_eq!(of(121, 3.0).kind, Kind::FlowBase);
}

#[test]
fn variables_with_their_status() {
    let mut data = vec![0];
    for (code, unit, value, status) in [(246, 12, 101.3, 0xC0), (1, 32, -5.0, 0x00), (247, 19, 2.0, 0x40)] {
        data.extend([code, 0]);
        data.extend(variable(unit, value));
        data.push(status);
    }
    data.extend((3_600u32 * 32_000).to_be_bytes());
    let reading = reading(&answer(9, [0, 0], &data));
    let at = |kind, subunit| reading.get_at(kind, Register { subunit, ..Register::PLAIN }).unwrap();
    assert_eq!(at(Kind::Pressure, 0).doubt, None);
    assert_eq!(at(Kind::Temperature, 101).doubt, Some(Fault::SaidInvalid), "bad");
    assert_eq!(at(Kind::Flow, 1).doubt, None, "poor, but measured");
    assert_eq!(reading.fields[3].value.to_string(), "01:00:00");
}

#[test]
fn ranges_texts_and_counts() {
    let mut data = vec![1, 0];
    data.extend(variable(12, 700.0));
    data.extend(80f32.to_be_bytes());
    data.extend(0.5f32.to_be_bytes());
    data.extend([0, 250, 1]);
    let range = reading(&answer(15, [0, 0x01], &data));
    let said: Vec<_> = range.fields.iter().map(|f| format!("{}: {}", f.name(), f.value)).collect();
    assert_eq!(said, ["pressure, maximum: 700 kPa", "pressure, minimum: 80 kPa", "duration: 0.5 s"]);
    assert!(range.fields.iter().all(|field| field.doubt.is_none()), "a setting is no measured value");
    let mut tag = b"Station 12".to_vec();
    tag.resize(32, 0);
    assert_eq!(message(&answer(20, [0, 0], &tag)), Message::Text("Station 12".into()));
    assert_eq!(message(&answer(38, [0, 0], &[1, 60])), Message::Changes(Some(316)));
    assert_eq!(message(&answer(38, [0, 0], &[])), Message::Changes(None));
    assert_eq!(message(&answer(48, [0, 0], &[1, 2])), Message::MoreStatus(vec![1, 2]));
    assert_eq!(message(&answer(200, [0, 0], &[1, 2])), Message::Done(vec![1, 2]));
    let short = answer(1, [0, 0], &[7]);
    let error = decode(&Frame::parse(&short).unwrap(), &mut ()).unwrap_err();
    assert_eq!(error.kind(), "malformed");
    assert_eq!(
        reading(&answer(33, [0, 0], &[&[5][..], &variable(43, 2.0)].concat())).fields[0].register.subunit,
        105
    );
}

#[test]
fn a_preamble_is_no_garbage_and_may_be_wanted() {
    let bytes = answer(1, [0, 0], &variable(7, 1.5));
    let stream = [&[0x00, 0x42][..], &[0xFF; 5], &bytes, &[0xFF; 7], &bytes].concat();
    for chunk in [1, 3, stream.len()] {
        let (mut scanner, mut found) = (Scanner::new(1_000), vec![]);
        for bytes in stream.chunks(chunk) {
            scanner.push(0, bytes, probe, |f| {
                if let Found::Frame { bytes, garbage, .. } = f {
                    found.push((bytes.to_vec(), garbage));
                }
            });
        }
        assert_eq!(found, [(bytes.clone(), 2), (bytes.clone(), 0)], "in chunks of {chunk}");
    }
    for preamble in 0..50 {
        let stream = [vec![0xFF; preamble], bytes.clone()].concat();
        let (mut scanner, mut found) = (Scanner::new(1_000), vec![]);
        for byte in &stream {
            scanner.push(0, &[*byte], probe_after_preamble, |f| {
                if let Found::Frame { bytes, .. } = f {
                    found.push(bytes.len());
                }
            });
        }
        let wanted = preamble >= MIN_PREAMBLE;
        assert_eq!(found.len(), usize::from(wanted), "{preamble}");
        assert!(!wanted || (bytes.len() + MIN_PREAMBLE..=bytes.len() + 40).contains(&found[0]));
    }
}

proptest! {
    #[test]
    fn requests_there_and_back(
        command: u8, poll in 0..64u8, kind in 0..0x4000u16, id: [u8; 3], short: bool, primary: bool,
        data in prop::collection::vec(any::<u8>(), 0..255),
    ) {
        let address = if short { Address::Polling(poll) } else { Address::Unique { kind, id } };
        prop_assume!(address != Address::BROADCAST);
        let master = if primary { Master::Primary } else { Master::Secondary };
        let bytes = encode(master, address, &Request::Raw(command, &data), 0).unwrap();
        for end in 0..bytes.len() {
            prop_assert!(matches!(probe(&bytes[..end]), Probe::Need(n) if n > end) || end == 0);
            let half = Frame::parse(&bytes[..end]).map_err(|why| why.kind());
            prop_assert_eq!(half, Err(if end == 0 { "no_frame" } else { "truncated" }));
        }
        let frame = Frame::parse(&bytes).unwrap();
        prop_assert_eq!((frame.address, frame.master, frame.command), (address, master, command));
        prop_assert_eq!(frame.data, data);
    }

    /// One flipped bit is always found: by the check byte, the length or the delimiter.
    #[test]
    fn no_flipped_bit_is_missed(data in prop::collection::vec(any::<u8>(), 0..40), bit in 0..400usize) {
        let mut bytes = answer(3, [0, 0], &data);
        let bit = bit % (8 * bytes.len());
        bytes[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(Frame::parse(&bytes).is_err());
    }

    #[test]
    fn any_bytes_are_a_frame_or_say_why(bytes in prop::collection::vec(any::<u8>(), 0..300), command in 0..50u8) {
        let _ = (probe(&bytes), probe_after_preamble(&bytes), find(&bytes).map_err(|why| why.to_string()));
        let data = &bytes[..bytes.len().min(250)];
        for status in [[0, 0], [8, 0x83], [0x80, 0], [64, 0]] {
            let bytes = answer(command, status, data);
            let frame = Frame::parse(&bytes).unwrap();
            let mut explanation = Explanation::default();
            let decoded = decode(&frame, &mut explanation);
            prop_assert_eq!(&decoded, &decode(&frame, &mut ()));
            if decoded.is_ok() {
                prop_assert_eq!(explanation.0.iter().map(|f| f.raw.len()).sum::<usize>(), bytes.len());
            }
        }
    }

    #[test]
    fn a_float_keeps_its_digits(value: f32) {
        prop_assume!(value.is_finite());
        let Value::Number(number) = reading(&answer(1, [0, 0], &variable(43, value))).fields[0].value else { panic!() };
        prop_assert_eq!(number.unit, Unit::CubicMetre);
        prop_assert_eq!(number.decimal.to_f64() as f32, value);
    }
}
