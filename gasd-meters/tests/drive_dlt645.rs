// SPDX-License-Identifier: MIT OR Apache-2.0
//! DL/T 645 meters, spoken to over a line that is played.

#[path = "common/line.rs"]
mod line;

use std::sync::LazyLock;

use gasd_meters::dlt645::{Address, Authority, Di, Frame, Message, Standard, decode, find};
use gasd_meters::drive::{Device, Memory, NoValve, Oddities, volume_ul};
use gasd_meters::{EncodeError, Error, Kind, Unit, Valve, crc};
use line::talk;

static AUTHORITY: LazyLock<Authority> =
    LazyLock::new(|| Authority::new(2, &[0x56, 0x34, 0x12], &[1, 2, 3, 4]));

fn address() -> Address {
    "123456789012".parse().expect("an address")
}

fn meter(standard: Standard, authority: Option<Authority>) -> Device {
    let di = match standard {
        Standard::V1997 => Di::Short(0x9010),
        Standard::V2007 => Di::Long(0x0001_0000),
    };
    Device::Dlt645 { address: address(), standard, di, authority }
}

fn frame(address: Address, control: u8, data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0xFE, 0x68];
    bytes.extend(address.0);
    bytes.extend([0x68, control, data.len() as u8]);
    bytes.extend(data.iter().map(|byte| byte.wrapping_add(0x33)));
    let sum = crc::sum(&bytes[1..]);
    bytes.extend([sum, 0x16]);
    bytes
}

/// What a request is, and its identifier as on the wire.
fn question(request: &[u8]) -> (Message, Vec<u8>) {
    let request = Frame::parse(find(request).expect("a frame")).expect("a frame");
    (decode(&request, None, &mut ()).expect("a request"), request.data)
}

#[test]
fn a_counter_is_a_volume_once_its_unit_is_said() {
    let (finished, asked) = talk(meter(Standard::V2007, None).read(&Memory::default()), |request| {
        let (message, data) = question(request);
        assert_eq!(message, Message::Read(Di::Long(0x0001_0000), vec![]));
        frame(address(), 0x91, &[&data[..4], &[0x78, 0x56, 0x34, 0x12]].concat())
    });
    assert_eq!((asked.len(), finished.oddities.is_clean()), (1, true));
    let reading = finished.result.unwrap();
    assert_eq!(reading.meter.id, "123456789012");
    assert!(volume_ul(&reading, None, None).is_err());
    assert_eq!(volume_ul(&reading, None, Some(Unit::CubicMetre)), Ok(123_456_780_000_000));
    assert_eq!(volume_ul(&reading, Some(Kind::ActiveEnergy), Some(Unit::Litre)), Ok(123_456_780_000));
}

#[test]
fn parts_are_put_together_and_asked_for_again_when_lost() {
    let blocks: Vec<u8> = (0..40).collect();
    let mut lost = false;
    let (finished, asked) = talk(meter(Standard::V2007, None).read(&Memory::default()), |request| {
        let (message, data) = question(request);
        match message {
            Message::Read(..) => frame(address(), 0xB1, &[&data[..4], &blocks[..15]].concat()),
            Message::ReadNext(_, Some(1)) if !lost => {
                lost = true;
                vec![]
            }
            Message::ReadNext(_, Some(1)) => {
                frame(address(), 0xB2, &[&data[..4], &blocks[15..30], &[1]].concat())
            }
            Message::ReadNext(_, Some(2)) => {
                frame(address(), 0x92, &[&data[..4], &blocks[30..], &[2]].concat())
            }
            other => panic!("{other:?}"),
        }
    });
    assert_eq!((asked.len(), finished.oddities.repeated), (4, 1));
    let reading = finished.result.unwrap();
    assert!(!reading.more);
    assert_eq!(reading.fields[0].value.to_string(), "30201.00 kWh");
}

#[test]
fn parts_of_1997_begin_anew_as_they_have_no_numbers() {
    let mut n = 0;
    let (finished, asked) = talk(meter(Standard::V1997, None).read(&Memory::default()), |request| {
        n += 1;
        let (message, data) = question(request);
        match (message, n) {
            (Message::Read(..), 1 | 3) => frame(address(), 0xA1, &[&data[..2], &[0x78, 0x56]].concat()),
            (Message::ReadNext(..), 2) => vec![],
            (Message::ReadNext(..), 4) => frame(address(), 0x82, &[&data[..2], &[0x34, 0x12]].concat()),
            other => panic!("{other:?}"),
        }
    });
    assert_eq!(asked.len(), 4);
    assert_eq!(finished.result.unwrap().fields[0].value.to_string(), "123456.78 kWh");

    let (finished, asked) =
        talk(meter(Standard::V1997, None).read(&Memory::default()), |request| match question(request) {
            (Message::Read(..), data) => frame(address(), 0xA1, &[&data[..2], &[0x78, 0x56]].concat()),
            _ => vec![],
        });
    assert_eq!((asked.len(), finished.result), (6, Err(Error::Timeout)));
}

#[test]
fn a_meter_without_end_is_given_up() {
    let (finished, asked) =
        talk(meter(Standard::V2007, None).read(&Memory::default()), |request| match question(request) {
            (Message::Read(..), data) => frame(address(), 0xB1, &[&data[..4], &[1; 4]].concat()),
            (_, data) => frame(address(), 0xB2, &[&data[..4], &[1; 4], &data[4..5]].concat()),
        });
    assert!(matches!(finished.result, Err(Error::Malformed { .. })));
    assert!(asked.len() < 40, "{}", asked.len());
}

#[test]
fn a_wildcard_answers_for_the_meter_and_another_meter_does_not() {
    let answer = |from: Address| {
        talk(meter(Standard::V2007, None).read(&Memory::default()), move |request| {
            frame(from, 0x91, &[&question(request).1[..4], &[0x78, 0x56, 0x34, 0x12]].concat())
        })
        .0
    };
    let finished = answer(Address::WILDCARD);
    assert_eq!(finished.result.unwrap().meter.id, "123456789012");
    assert_eq!(finished.oddities, Oddities { wildcard: 1, ..Oddities::default() });
    let finished = answer(Address::BROADCAST);
    assert_eq!((finished.result.is_ok(), finished.oddities.address), (true, 1));
    let finished = answer("123456789013".parse().unwrap());
    assert_eq!(finished.result, Err(Error::AddressMismatch));
}

#[test]
fn a_refusal_is_not_asked_again() {
    let (finished, asked) =
        talk(meter(Standard::V2007, None).read(&Memory::default()), |_| frame(address(), 0xD1, &[0x02]));
    assert_eq!(finished.result, Err(Error::DeviceError { code: 2, what: "no such data" }));
    assert_eq!(asked.len(), 1);
}

#[test]
fn where_the_switch_is_stands_in_the_status_word() {
    for (word, valve) in
        [(Some(0x0000u16), Some(Valve::Open)), (Some(0x0010), Some(Valve::Closed)), (None, None)]
    {
        let (finished, _) = talk(
            meter(Standard::V2007, Some(AUTHORITY.clone())).read(&Memory::default()),
            |request| match (question(request), word) {
                ((Message::Read(Di::Long(0x0400_0503), _), data), Some(word)) => {
                    frame(address(), 0x91, &[&data[..4], &word.to_le_bytes()].concat())
                }
                ((Message::Read(Di::Long(0x0400_0503), _), _), None) => frame(address(), 0xD1, &[0x02]),
                ((_, data), _) => frame(address(), 0x91, &[&data[..4], &[0x78, 0x56, 0x34, 0x12]].concat()),
            },
        );
        let reading = finished.result.unwrap();
        assert_eq!(reading.valve, valve);
        assert_eq!(reading.fields.len(), 1);
        assert_eq!(finished.oddities.valve, u16::from(word.is_none()));
    }
}

#[test]
fn a_switch_is_commanded_once_by_its_own_address_alone() {
    for (to, code) in [(Valve::Closed, 0x1A), (Valve::Open, 0x1C)] {
        let dialogue = meter(Standard::V2007, Some(AUTHORITY.clone())).valve(to, &Memory::default()).unwrap();
        let (finished, asked) = talk(dialogue, |request| {
            let (message, data) = question(request);
            let Message::Switch(command, Ok(_)) = message else { panic!("{message:?}") };
            assert_eq!((command, &data[..8]), (code, &[2, 0x56, 0x34, 0x12, 1, 2, 3, 4][..]));
            frame(address(), 0x9C, &[])
        });
        assert_eq!(asked.len(), 1);
        // It is done, and where the valve is it does not say.
        assert_eq!(finished.result.unwrap().valve, None);
    }
    for (answer, error) in [
        (
            frame(address(), 0xDC, &[0x04]),
            Error::DeviceError { code: 4, what: "wrong password or no authority" },
        ),
        (frame(Address::WILDCARD, 0x9C, &[]), Error::AddressMismatch),
        (frame(address(), 0x94, &[]), Error::AnswerMismatch { what: "the function differs" }),
        (vec![], Error::Timeout),
    ] {
        let dialogue =
            meter(Standard::V2007, Some(AUTHORITY.clone())).valve(Valve::Closed, &Memory::default()).unwrap();
        let (finished, asked) = talk(dialogue, |_| answer.clone());
        assert_eq!((asked.len(), finished.result), (1, Err(error)));
    }
}

#[test]
fn no_switch_without_right_address_and_edition() {
    let valve = |device: &Device, to| device.valve(to, &Memory::default()).map(drop);
    let closed = Valve::Closed;
    assert_eq!(valve(&meter(Standard::V2007, None), closed), Err(NoValve::NotConfigured));
    assert_eq!(
        valve(&meter(Standard::V2007, Some(AUTHORITY.clone())), Valve::Abnormal),
        Err(NoValve::Position)
    );
    assert_eq!(
        valve(&meter(Standard::V1997, Some(AUTHORITY.clone())), closed),
        Err(NoValve::Encode(EncodeError::Standard))
    );
    let any = Device::Dlt645 {
        address: Address::WILDCARD,
        standard: Standard::V2007,
        di: Di::Long(0),
        authority: Some(AUTHORITY.clone()),
    };
    assert_eq!(valve(&any, closed), Err(NoValve::Wildcard));
    assert!(!format!("{any:?}").contains("password"));
}

#[test]
fn data_of_the_other_edition_cannot_be_asked_for() {
    let wrong =
        Device::Dlt645 { address: address(), standard: Standard::V1997, di: Di::Long(0), authority: None };
    assert!(wrong.check().is_err() && meter(Standard::V1997, None).check().is_ok());
    let (finished, asked) = talk(wrong.read(&Memory::default()), |_| vec![]);
    assert_eq!((asked.len(), finished.result), (0, Err(Error::Unaskable(EncodeError::Standard))));
}
