// SPDX-License-Identifier: MIT OR Apache-2.0
//! CJ/T 188 from both ends: what is encoded is decoded, what is damaged is refused, and a valve has
//! moved only where everything says so.
#![allow(clippy::unwrap_used, reason = "test code")]

mod common;

use common::own;
use gasd_meters::cjt188::{
    Address, Decoded, Frame, Key, Leniency, LookAlike, Message, Order, Profile, Request, Target,
    ValveCommand, check_answer, check_valve, decode, encode, find, probe, resolve,
};
use gasd_meters::scan::{Found, Scanner};
use gasd_meters::{
    Date, Decimal, EncodeError, Error, Explanation, Fault, Flag, Kind, Moment, Reading, TimeOfDay, Unit,
    Value, Valve, crc, hex,
};
use proptest::prelude::*;

const GAS: Target = Target {
    kind: 0x30,
    address: Address([0x03, 0x00, 0x00, 0x00, 0x00, 0x33, 0x78]),
    order: Order::HighFirst,
};

fn frame(kind: u8, address: [u8; 7], control: u8, data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x68, kind];
    bytes.extend(address);
    bytes.extend([control, data.len() as u8]);
    bytes.extend(data);
    bytes.extend([crc::sum(&bytes), 0x16]);
    bytes
}

fn answer(control: u8, data: &[u8]) -> Vec<u8> {
    frame(GAS.kind, GAS.address.0, control, data)
}

fn decoded(bytes: &[u8], profile: &Profile) -> Decoded {
    decode(&Frame::parse(bytes).unwrap(), profile, None, &mut ()).unwrap()
}

fn reading(bytes: &[u8], profile: &Profile) -> Reading {
    decoded(bytes, profile).message.into_reading().unwrap()
}

fn noon() -> (Date, TimeOfDay) {
    (Date::new(2026, 2, 28).unwrap(), TimeOfDay::new(12, 34, Some(56)).unwrap())
}

/// 901F of a gas meter: volume and settlement digits with their unit codes, clock, status.
fn gas(volume: [u8; 5], clock: [u8; 7], status: [u8; 2]) -> Vec<u8> {
    let settled = [0, 0, 0, 0, 0x2C];
    answer(0x81, &[&[0x90, 0x1F, 7][..], &volume, &settled, &clock, &status].concat())
}

const CLOCK: [u8; 7] = [0x56, 0x34, 0x12, 0x28, 0x02, 0x26, 0x20];

/// Frames of the project, with what they say; made by the encoders and by `frame` above.
#[test]
fn own_frames() {
    for line in own("cjt188.jsonl") {
        let bytes = common::bytes(&line, "hex");
        let profile = Profile::named(line["profile"].as_str().unwrap()).unwrap();
        let reading = reading(find(&bytes).unwrap(), profile);
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
        let valve = reading.valve.map(|valve| valve.to_string());
        assert_eq!(valve.as_deref(), line["valve"].as_str(), "{}", line["name"]);
        assert_eq!(reading.flags.to_string(), line["set"].as_str().unwrap(), "{}", line["name"]);
    }
}

#[test]
fn requests_are_what_they_say() {
    let (date, time) = noon();
    let new = Address([9; 7]);
    for order in [Order::HighFirst, Order::LowFirst] {
        let of = |request: &Request<'_>| {
            let bytes = encode(&Target { order, ..GAS }, &Profile::STANDARD, 42, request, 0).unwrap();
            let decoded = decoded(&bytes, &Profile::STANDARD);
            assert_eq!((decoded.order, decoded.ser), (Some(order), Some(42)));
            (decoded.di.unwrap(), decoded.message)
        };
        assert_eq!(of(&Request::Read(0x901F)), (0x901F, Message::Read));
        assert_eq!(of(&Request::Read(0xD12B)), (0xD12B, Message::Read));
        assert_eq!(of(&Request::ReadAddress), (0x810A, Message::ReadAddress));
        assert_eq!(of(&Request::ReadKeyVersion), (0x8106, Message::Read));
        assert_eq!(of(&Request::Valve(ValveCommand::Open)), (0xA017, Message::Valve(0x55)));
        assert_eq!(of(&Request::Valve(ValveCommand::Close)), (0xA017, Message::Valve(0x99)));
        assert_eq!(of(&Request::WriteAddress(new)), (0xA018, Message::WriteAddress(new)));
        let clock = Message::WriteClock(Ok(Moment::new(date, time)));
        assert_eq!(of(&Request::WriteClock(date, time)), (0xA015, clock));
        let base = Request::WriteBase { value: Decimal::new(12_345_678, -2), unit: Unit::CubicMetre };
        let (0xA016, Message::WriteBase(field)) = of(&base) else { panic!() };
        assert_eq!(field.volume_ul(), Ok(123_456_780_000_000));
        let prices = Request::WritePrices { prices: [250, 300, 400], until: [220, 400] };
        let data = hex::parse("500200 200200 000300 000400 000400").unwrap();
        assert_eq!(of(&prices), (0xA010, Message::Request(data)));
        assert_eq!(of(&Request::WriteSettlementDay(31)), (0xA011, Message::Request(vec![0x31])));
        assert_eq!(of(&Request::WriteReadingDay(1)), (0xA012, Message::Request(vec![0x01])));
        let purchase = Request::WritePurchase { number: 12, amount: 10_050 };
        assert_eq!(of(&purchase), (0xA013, Message::Request(vec![0x12, 0x50, 0x00, 0x01, 0x00])));
        assert_eq!(of(&Request::Write { di: 0xA101, data: &[5] }), (0xA101, Message::Request(vec![5])));
    }
    // A maker's own function.
    let bytes = encode(&GAS, &Profile::VALVE_2A, 0, &Request::Valve(ValveCommand::Open), 2).unwrap();
    assert_eq!(bytes[..2], [0xFE, 0xFE]);
    assert_eq!(Frame::parse(&bytes[2..]).unwrap().control, 0x2A);
}

#[test]
fn no_key_is_shown() {
    let request = Request::WriteKey(Key(&[0xC0, 0xFF, 0xEE]));
    let bytes = encode(&GAS, &Profile::STANDARD, 0, &request, 0).unwrap();
    let mut explanation = Explanation::default();
    decode(&Frame::parse(&bytes).unwrap(), &Profile::STANDARD, None, &mut explanation).unwrap();
    let shown = format!("{explanation} {explanation:?} {request:?}");
    assert!(shown.contains("hidden") && !shown.contains("C0FFEE") && !shown.contains("192"), "{shown}");
}

#[test]
fn what_must_not_be_sent_is_not_encoded() {
    let of = |target: Target, request: &Request<'_>| encode(&target, &Profile::STANDARD, 0, request, 0);
    let close = Request::Valve(ValveCommand::Close);
    assert_eq!(of(Target { address: Address::WILDCARD, ..GAS }, &close), Err(EncodeError::Wildcard));
    assert_eq!(of(Target { kind: 0xAA, ..GAS }, &close), Err(EncodeError::Wildcard));
    assert!(of(Target { kind: 0xAA, address: Address::WILDCARD, ..GAS }, &Request::ReadAddress).is_ok());
    assert!(of(Target { kind: 0x50, ..GAS }, &Request::ReadAddress).is_err());
    assert_eq!(of(GAS, &Request::WriteAddress(Address::WILDCARD)), Err(EncodeError::Address));
    assert!(of(GAS, &Request::WriteSettlementDay(32)).is_err());
    assert!(of(GAS, &Request::WriteSettlementDay(0)).is_err());
    let base = |mantissa, exponent, unit| {
        of(GAS, &Request::WriteBase { value: Decimal::new(mantissa, exponent), unit })
    };
    assert!(base(99_999_999, -2, Unit::Unknown).is_ok());
    assert!(base(100_000_000, -2, Unit::CubicMetre).is_err(), "one digit too many");
    assert!(base(1, -3, Unit::CubicMetre).is_err(), "finer than the field");
    assert!(base(-1, 0, Unit::CubicMetre).is_err());
    assert!(base(1, 0, Unit::Bar).is_err());
    let long = Request::Write { di: 0xA101, data: &[0; 30] };
    assert_eq!(of(GAS, &long), Err(EncodeError::TooLong { most: 32 }));
    assert!("7833000000000".parse::<Address>().is_err());
    assert_eq!("78330000000003".parse(), Ok(GAS.address));
}

#[test]
fn the_order_shows_or_is_remembered() {
    use Order::{HighFirst, LowFirst};
    assert_eq!(resolve([0x90, 0x1F], None), (0x901F, Some(HighFirst)));
    assert_eq!(resolve([0x1F, 0x90], Some(HighFirst)), (0x901F, Some(LowFirst)), "what shows, shows");
    // D381 or 81D3: both bytes could be the high one.
    assert_eq!(resolve([0x81, 0xD3], None), (0x81D3, None));
    assert_eq!(resolve([0x81, 0xD3], Some(LowFirst)), (0xD381, None));
    assert_eq!(resolve([0x01, 0x02], Some(LowFirst)), (0x0201, None));
    for order in [HighFirst, LowFirst] {
        assert_eq!(order.from_wire(order.to_wire(0x901F)), 0x901F);
    }
}

#[test]
fn a_unit_that_is_not_to_be_trusted_makes_no_volume() {
    let m3 = reading(&gas([0x78, 0x56, 0x34, 0x12, 0x2C], CLOCK, [0, 0]), &Profile::STANDARD);
    assert_eq!(m3.get(Kind::Volume).unwrap().volume_ul(), Ok(123_456_780_000_000));
    assert_eq!(m3.clock(), Some(Ok(Moment::new(noon().0, noon().1))));
    for (code, fault) in [(0x00, Fault::UnknownUnit(0)), (0x29, Fault::DoubtfulUnit(0x29))] {
        let bytes = gas([0x78, 0x56, 0x34, 0x12, code], CLOCK, [0, 0]);
        let field = reading(&bytes, &Profile::STANDARD).get(Kind::Volume).unwrap().clone();
        assert_eq!(field.volume_ul(), Err(fault));
        assert_eq!(field.value.number().unwrap().decimal, Decimal::new(12_345_678, -2));
        let field = reading(&bytes, &Profile::CUBIC_METRES).get(Kind::Volume).unwrap().clone();
        assert_eq!(field.volume_ul(), Ok(123_456_780_000_000));
    }
    // Tens of m³.
    let tens = reading(&gas([0x78, 0x56, 0x34, 0x12, 0x2D], CLOCK, [0, 0]), &Profile::STANDARD);
    assert_eq!(tens.get(Kind::Volume).unwrap().volume_ul(), Ok(1_234_567_800_000_000));
}

#[test]
fn status_bits_are_the_profiles() {
    let of = |st0, profile: &Profile| {
        let reading = reading(&gas([0, 0, 0, 0, 0x2C], CLOCK, [st0, 0xFF]), profile);
        (reading.valve, reading.flags.get(Flag::BatteryLow))
    };
    assert_eq!(of(0x00, &Profile::STANDARD), (Some(Valve::Open), Some(false)));
    assert_eq!(of(0x05, &Profile::STANDARD), (Some(Valve::Closed), Some(true)));
    assert_eq!(of(0x03, &Profile::STANDARD), (Some(Valve::Abnormal), Some(false)));
    assert_eq!(of(0x02, &Profile::STANDARD), (None, Some(false)), "a code that the standard does not have");
    assert_eq!(of(0x05, &Profile::NO_VALVE), (None, Some(true)));
    assert_eq!(of(0x61, &Profile::HIGH_BITS), (Some(Valve::Closed), Some(true)));
    assert_eq!(of(0x05, &Profile::HIGH_BITS), (Some(Valve::Open), Some(false)));
    assert_eq!(Profile::named("high-bits"), Some(&Profile::HIGH_BITS));
    assert_eq!(Profile::named("none"), None);
}

#[test]
fn clocks_in_other_orders() {
    let of =
        |clock, profile: &Profile| reading(&gas([0, 0, 0, 0, 0x2C], clock, [0, 0]), profile).clock().unwrap();
    let noon = Moment::new(noon().0, noon().1);
    let (high, century) =
        ([0x20, 0x26, 0x02, 0x28, 0x12, 0x34, 0x56], [0x56, 0x34, 0x12, 0x28, 0x02, 0x20, 0x26]);
    assert_eq!(of(CLOCK, &Profile::STANDARD), Ok(noon));
    assert_eq!(of(high, &Profile::CLOCK_HIGH_FIRST), Ok(noon));
    assert_eq!(of(century, &Profile::CUBIC_METRES), Ok(noon));
    assert_eq!(of(high, &Profile::STANDARD), Err(Fault::OutOfRange));
    assert_eq!(of(century, &Profile::STANDARD), Err(Fault::OutOfRange));
    assert_eq!(of([0xFF; 7], &Profile::STANDARD), Err(Fault::NotFilled));
    assert_eq!(of([0; 7], &Profile::STANDARD), Err(Fault::NotSet));
}

#[test]
fn a_valve_has_moved_only_where_everything_says_so() {
    let close = encode(&GAS, &Profile::STANDARD, 7, &Request::Valve(ValveCommand::Close), 0).unwrap();
    let check = |answer: &[u8]| {
        let (request, answer) = (Frame::parse(&close).unwrap(), Frame::parse(answer).unwrap());
        check_valve(&request, &answer, &Profile::STANDARD, Some(Order::HighFirst))
    };
    let good = [0xA0, 0x17, 7, 0x01, 0x00];
    assert_eq!(check(&answer(0x84, &good)), Ok(()));
    // The battery is low, too: the valve has moved all the same.
    assert_eq!(check(&answer(0x84, &[0xA0, 0x17, 7, 0x05, 0x00])), Ok(()));
    let other = |data: &[u8]| check(&answer(0x84, data)).unwrap_err();
    for wrong in [
        &[0xA0, 0x17, 7, 0x00, 0x00][..], // open
        &[0xA0, 0x17, 7, 0x03, 0x00],     // abnormal
        &[0xA0, 0x17, 7, 0x02, 0x00],     // no code
        &[0xA0, 0x17, 8, 0x01, 0x00],     // another sequence number
        &[0x17, 0xA0, 7, 0x01, 0x00],     // the other order
        &[0xA0, 0x18, 7, 0x01, 0x00],     // another identifier
        &[0xA0, 0x17, 7],                 // no status
        &[0xA0, 0x17, 7, 0x01],
        &[0xA0, 0x17, 7, 0x01, 0x00, 0x00],
    ] {
        assert!(matches!(other(wrong), Error::AnswerMismatch { .. }), "{wrong:02X?}");
    }
    assert_eq!(check(&frame(0x30, [3; 7], 0x84, &good)), Err(Error::AddressMismatch));
    assert_eq!(check(&frame(0x30, [0xAA; 7], 0x84, &good)), Err(Error::AddressMismatch));
    assert!(matches!(check(&frame(0x10, GAS.address.0, 0x84, &good)), Err(Error::AnswerMismatch { .. })));
    assert!(matches!(check(&answer(0xAA, &good)), Err(Error::AnswerMismatch { .. })));
    assert_eq!(check(&close), Err(Error::Echo));
    assert_eq!(check(&answer(0xC4, &[7, 0x03, 0x00])), Err(Error::DeviceError { code: 3, what: "" }));
    // What is no command of a valve confirms none.
    let read = encode(&GAS, &Profile::STANDARD, 7, &Request::Read(0x901F), 0).unwrap();
    let read = Frame::parse(&read).unwrap();
    let result = check_valve(&read, &Frame::parse(&answer(0x84, &good)).unwrap(), &Profile::STANDARD, None);
    assert!(matches!(result, Err(Error::AnswerMismatch { .. })));
}

#[test]
fn a_reading_is_taken_leniently_and_it_is_told() {
    let ask = |target: Target| encode(&target, &Profile::STANDARD, 0x12, &Request::Read(0x901F), 0).unwrap();
    let check = |request: &[u8], answer: &[u8]| {
        check_answer(&Frame::parse(request).unwrap(), &Frame::parse(answer).unwrap(), None)
    };
    let data = |order: Order, ser| [&order.to_wire(0x901F)[..], &[ser]].concat();
    let plain = Leniency::default();
    let request = ask(GAS);
    assert_eq!(check(&request, &answer(0x81, &data(Order::HighFirst, 0x12))), Ok(plain));
    let lenient = Leniency { kind: true, ser: true, order: true, ..plain };
    let odd = frame(0x35, GAS.address.0, 0x81, &data(Order::LowFirst, 3));
    assert_eq!(check(&request, &odd), Ok(lenient));
    let stranger = frame(0x30, [1; 7], 0x81, &data(Order::HighFirst, 0x12));
    assert_eq!(check(&request, &stranger), Ok(Leniency { address: true, ..plain }));
    let echoed = frame(0x30, [0xAA; 7], 0x81, &data(Order::HighFirst, 0x12));
    assert_eq!(check(&request, &echoed), Ok(Leniency { address: true, ..plain }));
    // Whoever asks any meter is answered by any.
    let any = ask(Target { kind: 0xAA, address: Address::WILDCARD, ..GAS });
    assert_eq!(check(&any, &stranger), Ok(plain));
    assert!(matches!(check(&request, &answer(0x81, &[0x81, 0x05, 0x12])), Err(Error::AnswerMismatch { .. })));
    assert!(matches!(
        check(&request, &answer(0x84, &data(Order::HighFirst, 0x12))),
        Err(Error::AnswerMismatch { .. })
    ));
    assert_eq!(check(&request, &request), Err(Error::Echo));
    assert_eq!(check(&request, &answer(0xC1, &[0x12, 0, 0])), Ok(plain));
    let refused = decoded(&answer(0xC1, &[0x12, 1, 2]), &Profile::STANDARD);
    assert_eq!((refused.di, refused.ser), (None, Some(0x12)));
    assert_eq!(refused.message.into_reading(), Err(Error::DeviceError { code: 0x0201, what: "" }));
}

#[test]
fn the_lookalike_is_read_only_by_name() {
    let mut bytes = hex::parse("68 010203040506 68 81 0C00 56341228 0226 30 1F90 07 AABB").unwrap();
    bytes.extend([crc::sum(&bytes), 0x16]);
    let found = LookAlike::parse(&bytes).unwrap();
    assert_eq!((found.kind, found.di, found.seq, found.data), (0x30, [0x1F, 0x90], 7, &[0xAA, 0xBB][..]));
    assert!(find(&bytes).is_err() && gasd_meters::dlt645::find(&bytes).is_err());
    for n in 1..bytes.len() {
        assert!(matches!(LookAlike::parse(&bytes[..n]), Err(Error::Truncated { .. })), "{n}");
    }
    bytes[12] ^= 1;
    assert!(matches!(LookAlike::parse(&bytes), Err(Error::Checksum { .. })));
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = (find(&bytes), LookAlike::parse(&bytes));
        if let Ok(frame) = Frame::parse(&bytes) {
            let _ = decode(&frame, &Profile::STANDARD, None, &mut Explanation::default());
        }
    }

    /// Any data in a good frame: nothing panics, and the explanation has every byte once.
    #[test]
    fn any_data_are_explained(
        kind in prop_oneof![0x10..0x40u8, Just(0xAA)],
        control in prop_oneof![Just(0x81), Just(0xC1), Just(0x84), Just(0x04), Just(0x2A), Just(0x15), Just(0x16), Just(0x89), Just(0x01)],
        di in prop_oneof![any::<[u8; 2]>(), Just([0x1F, 0x90]), Just([0x90, 0x1F]), Just([0x91, 0x1F]), Just([0xA0, 0x17]), Just([0xA0, 0x14])],
        rest in prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..190),
            proptest::collection::vec(any::<u8>(), 20..=20),
            proptest::collection::vec(any::<u8>(), 44..=44),
            proptest::collection::vec(any::<u8>(), 60..=60),
        ],
        cut in 0..200usize,
        profile in proptest::sample::select(gasd_meters::cjt188::PROFILES),
    ) {
        let mut data = di.to_vec();
        data.extend(rest);
        data.truncate(cut);
        let bytes = frame(kind, [1, 2, 3, 4, 5, 6, 7], control, &data);
        let mut explanation = Explanation::default();
        if decode(&Frame::parse(&bytes).unwrap(), &profile, None, &mut explanation).is_ok() {
            let mut at = 0;
            for field in &explanation.0 {
                prop_assert_eq!(field.at, at);
                at += field.raw.len();
            }
            prop_assert_eq!(at, bytes.len());
        }
    }

    #[test]
    fn half_a_frame_is_truncated(data in proptest::collection::vec(any::<u8>(), 0..60)) {
        let bytes = answer(0x81, &data);
        for n in 1..bytes.len() {
            match Frame::parse(&bytes[..n]) {
                Err(Error::Truncated { need }) => prop_assert!(need <= bytes.len() - n),
                other => prop_assert!(false, "{n}: {other:?}"),
            }
        }
    }

    /// The sum finds any one wrong bit, in each byte of the frame.
    #[test]
    fn one_wrong_bit_is_refused(data in proptest::collection::vec(any::<u8>(), 0..60)) {
        let bytes = answer(0x81, &data);
        for bit in 0..bytes.len() * 8 {
            let mut wrong = bytes.clone();
            wrong[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(Frame::parse(&wrong).is_err(), "bit {bit}");
        }
    }

    /// A volume comes back to the µL, from a noisy line and in either order.
    #[test]
    fn volumes_come_back(
        n in 0..100_000_000u64,
        power in 0..3u8,
        low_first in any::<bool>(),
        noise in proptest::collection::vec(prop_oneof![Just(0u8), Just(0xFF), Just(0xFE), Just(b'R')], 0..30),
    ) {
        let mut digits = hex::parse(&format!("{n:08}")).unwrap();
        digits.reverse();
        let order = if low_first { Order::LowFirst } else { Order::HighFirst };
        let data = [&order.to_wire(0x901F)[..], &[1], &digits, &[0x2C + power], &[0xFF; 5], &CLOCK, &[0, 0]].concat();
        let line = [noise.clone(), answer(0x81, &data)].concat();
        let mut found = vec![];
        Scanner::new(1).push(0, &line, probe, |f| if let Found::Frame { bytes, garbage, .. } = f {
            found.push((bytes.to_vec(), garbage));
        });
        prop_assert_eq!(found.len(), 1);
        prop_assert_eq!(found[0].1, noise.iter().filter(|&&byte| byte != 0xFE).count());
        let message = decoded(&found[0].0, &Profile::STANDARD);
        prop_assert_eq!(message.order, Some(order));
        let reading = message.message.into_reading().unwrap();
        let ul = (n * 10_000_000) as i64 * 10i64.pow(power.into());
        prop_assert_eq!(reading.get(Kind::Volume).unwrap().volume_ul(), Ok(ul));
        prop_assert!(matches!(reading.fields[1].value, Value::Absent(Fault::NotFilled, _)));
    }

    #[test]
    fn base_readings_come_back(n in 0..100_000_000i64) {
        let request = Request::WriteBase { value: Decimal::new(n, -2), unit: Unit::CubicMetre };
        let bytes = encode(&GAS, &Profile::STANDARD, 0, &request, 0).unwrap();
        let Message::WriteBase(field) = decoded(&bytes, &Profile::STANDARD).message else { panic!() };
        prop_assert_eq!(field.volume_ul(), Ok(n * 10_000_000));
    }
}
