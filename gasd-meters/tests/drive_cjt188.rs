// SPDX-License-Identifier: MIT OR Apache-2.0
//! CJ/T 188 meters, spoken to over a line that is played.

#[path = "common/line.rs"]
mod line;

use gasd_meters::cjt188::{Address, Frame, Message, Order, Profile, decode, find};
use gasd_meters::drive::{Device, Memory, NoValve, Oddities, REPEATS, volume_ul};
use gasd_meters::{Error, Valve, crc, hex};
use line::talk;

const ADDRESS: &str = "23051606000102";

fn address(text: &str) -> Address {
    text.parse().expect("an address")
}

fn gas() -> Device {
    Device::Cjt188 { address: address(ADDRESS), kind: 0x30, profile: Profile::STANDARD }
}

/// A meter that is played.
#[derive(Clone)]
struct Meter {
    kind: u8,
    address: Address,
    /// The order that it understands; `None`: either, and it answers in that of the request.
    order: Option<Order>,
    /// What it answers in place of the sequence number.
    ser: Option<u8>,
    status: u16,
    /// Whether a command reaches the valve before the answer goes out.
    quick: bool,
    refuses: bool,
    commands: usize,
}

impl Meter {
    fn new() -> Self {
        Self {
            kind: 0x30,
            address: address(ADDRESS),
            order: None,
            ser: None,
            status: 0,
            quick: true,
            refuses: false,
            commands: 0,
        }
    }

    fn frame(&self, control: u8, data: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0x68, self.kind];
        bytes.extend(self.address.0);
        bytes.extend([control, data.len() as u8]);
        bytes.extend(data);
        bytes.extend([crc::sum(&bytes), 0x16]);
        bytes
    }

    fn answer(&mut self, request: &[u8]) -> Vec<u8> {
        let request = Frame::parse(find(request).expect("a frame")).expect("a frame");
        let asked = decode(&request, &Profile::STANDARD, None, &mut ()).expect("a request");
        if !request.address.covers(self.address) || self.order.is_some_and(|order| asked.order != Some(order))
        {
            return vec![];
        }
        let ser = self.ser.or(asked.ser).expect("a number");
        let [st0, st1] = self.status.to_le_bytes();
        if self.refuses {
            return self.frame(0xC0 | request.function(), &[ser, st0, st1]);
        }
        let head = [request.data[0], request.data[1], ser];
        let mut bytes = vec![0xFE, 0xFE];
        bytes.extend(match asked.message {
            Message::Read => {
                let data = hex::parse("5634120029 0000000029 31012211051520").expect("hex");
                self.frame(0x81, &[&head[..], &data, &[st0, st1]].concat())
            }
            Message::Valve(code) => {
                self.commands += 1;
                let after = self.status & !3 | u16::from(code == 0x99);
                let shown = if self.quick { after } else { self.status };
                self.status = after;
                self.frame(0x84, &[&head[..], &shown.to_le_bytes()].concat())
            }
            other => panic!("{other:?}"),
        });
        bytes
    }
}

#[test]
fn a_meter_is_read_and_its_order_learnt() {
    for order in [Order::HighFirst, Order::LowFirst] {
        let mut meter = Meter { order: Some(order), status: 1, ..Meter::new() };
        let (finished, asked) = talk(gas().read(&Memory::default()), |request| meter.answer(request));
        let reading = finished.result.unwrap();
        assert_eq!(reading.valve, Some(Valve::Closed));
        // Litres are in doubt until the configuration says what they are.
        assert!(volume_ul(&reading, None, None).unwrap_err().to_string().contains("unit code 29"));
        assert_eq!(volume_ul(&reading, None, Some(gasd_meters::Unit::CubicMetre)), Ok(1_234_560_000_000));
        let odd = u16::from(order == Order::LowFirst);
        assert_eq!(asked.len(), 1 + usize::from(odd));
        assert_eq!(finished.oddities, Oddities { repeated: odd, ..Oddities::default() });
        // The next time it is asked as it answers.
        let (finished, asked) = talk(gas().read(&finished.memory), |request| meter.answer(request));
        assert!(finished.result.is_ok() && finished.oddities.is_clean());
        assert_eq!(asked.len(), 1);
    }
}

#[test]
fn nobody_is_asked_three_times_and_with_either_order() {
    let (finished, asked) = talk(gas().read(&Memory::default()), |_| vec![]);
    assert_eq!(finished.result, Err(Error::Timeout));
    assert_eq!(asked.len(), usize::from(REPEATS) + 1);
    let identifiers: Vec<_> =
        asked.iter().map(|bytes| bytes[bytes.len() - 5..bytes.len() - 3].to_vec()).collect();
    assert_eq!(identifiers, [[0x90, 0x1F], [0x1F, 0x90], [0x90, 0x1F]]);
}

#[test]
fn a_damaged_answer_is_asked_for_again_in_the_same_order() {
    let (mut meter, mut n) = (Meter::new(), 0);
    let (finished, asked) = talk(gas().read(&Memory::default()), |request| {
        n += 1;
        let mut bytes = meter.answer(request);
        if n == 1 {
            bytes[20] ^= 1;
        }
        bytes
    });
    assert!(finished.result.is_ok());
    assert_eq!((asked.len(), finished.oddities.repeated), (2, 1));
    assert_eq!(asked[0][15..17], asked[1][15..17]);
    // Another number: what comes late is not taken for the answer by its number.
    assert_ne!(asked[0][17], asked[1][17]);
}

#[test]
fn what_differs_in_a_reading_is_taken_and_counted() {
    let any = Device::Cjt188 { address: Address::WILDCARD, kind: 0xAA, profile: Profile::STANDARD };
    let mut meter = Meter { kind: 0x25, ser: Some(3), ..Meter::new() };
    let (finished, _) = talk(any.read(&Memory::default()), |request| meter.answer(request));
    assert_eq!(finished.result.unwrap().meter.id, ADDRESS);
    assert_eq!(finished.oddities, Oddities { sequence: 1, ..Oddities::default() });
    let (finished, _) = talk(gas().read(&Memory::default()), |request| meter.answer(request));
    assert_eq!(finished.oddities, Oddities { sequence: 1, kind: 1, ..Oddities::default() });
    assert!(finished.result.is_ok());

    // Another address is taken as long as the number is right, and is somebody else's if it is not.
    let other = Meter { address: address("23051606000103"), ..Meter::new() };
    for (ser, taken) in [(None, true), (Some(200), false)] {
        let mut meter = Meter { ser, ..other.clone() };
        let (finished, _) = talk(gas().read(&Memory::default()), |request| {
            let request = Frame::parse(find(request).unwrap()).unwrap();
            let ser = meter.ser.unwrap_or(request.data[2]);
            let data = hex::parse("5634120029 0000000029 31012211051520 0000").unwrap();
            meter.refuses = false;
            meter.frame(0x81, &[&request.data[..2], &[ser], &data].concat())
        });
        match taken {
            true => assert_eq!((finished.result.is_ok(), finished.oddities.address), (true, 1)),
            false => assert_eq!(finished.result, Err(Error::AddressMismatch)),
        }
    }
}

#[test]
fn an_answer_that_says_that_more_follows_is_read() {
    let mut meter = Meter { status: 1, ..Meter::new() };
    let (finished, asked) = talk(gas().read(&Memory::default()), |request| {
        let mut bytes = meter.answer(request);
        bytes[11] |= 0x20;
        let end = bytes.len() - 2;
        bytes[end] = crc::sum(&bytes[2..end]);
        bytes
    });
    let reading = finished.result.unwrap();
    assert_eq!((reading.valve, reading.more, reading.fields.len()), (Some(Valve::Closed), true, 4));
    // There is no request for what follows: it is said, and the meter is not asked again.
    assert_eq!((asked.len(), finished.oddities), (1, Oddities { more: 1, ..Oddities::default() }));
}

#[test]
fn a_refusal_is_an_answer() {
    let mut meter = Meter { refuses: true, ..Meter::new() };
    let (finished, asked) = talk(gas().read(&Memory::default()), |request| meter.answer(request));
    assert!(matches!(finished.result, Err(Error::DeviceError { .. })), "{:?}", finished.result);
    assert_eq!(asked.len(), 1);
}

#[test]
fn a_look_is_one_request_and_tries_either_order_in_turn() {
    let mut meter = Meter { order: Some(Order::LowFirst), ..Meter::new() };
    let (first, asked) = talk(gas().look(&Memory::default()), |request| meter.answer(request));
    assert_eq!((asked.len(), first.result), (1, Err(Error::Timeout)));
    let (second, asked) = talk(gas().look(&first.memory), |request| meter.answer(request));
    assert!(asked.len() == 1 && second.result.is_ok());
}

#[test]
fn a_valve_is_commanded_once_and_says_where_it_is() {
    for (to, quick, said) in [
        (Valve::Closed, true, Valve::Closed),
        (Valve::Closed, false, Valve::Open),
        (Valve::Open, true, Valve::Open),
    ] {
        let mut meter = Meter { quick, ..Meter::new() };
        let dialogue = gas().valve(to, &Memory::default()).unwrap();
        let (finished, asked) = talk(dialogue, |request| meter.answer(request));
        assert_eq!((asked.len(), meter.commands), (1, 1));
        let reading = finished.result.unwrap();
        assert_eq!((reading.valve, reading.meter.id.as_str()), (Some(said), ADDRESS));
    }
}

#[test]
fn a_command_is_never_repeated() {
    for answer in ["", "683002010006160523C4030100", "6830"] {
        let dialogue = gas().valve(Valve::Closed, &Memory::default()).unwrap();
        let (finished, asked) = talk(dialogue, |_| hex::parse(answer).unwrap());
        assert!(finished.result.is_err());
        assert_eq!(asked.len(), 1);
    }
    // Not even for someone who does not say what was heard.
    let mut dialogue = gas().valve(Valve::Closed, &Memory::default()).unwrap();
    assert!(dialogue.next().is_some());
    assert!(dialogue.next().is_none());
    assert_eq!(dialogue.finish().result, Err(Error::Timeout));
}

#[test]
fn the_answer_to_a_command_is_its_very_answer() {
    let changes: [&dyn Fn(&mut Meter); 3] =
        [&|m| m.kind = 0x31, &|m| m.address.0[0] ^= 1, &|m| m.ser = Some(77)];
    for change in changes {
        let mut meter = Meter::new();
        let dialogue = gas().valve(Valve::Closed, &Memory::default()).unwrap();
        let (finished, _) = talk(dialogue, |request| {
            let request = Frame::parse(find(request).unwrap()).unwrap();
            change(&mut meter);
            let ser = meter.ser.unwrap_or(request.data[2]);
            meter.frame(0x84, &[&request.data[..2], &[ser, 1, 0]].concat())
        });
        assert!(finished.result.is_err(), "{:?}", finished.result);
    }
    let mut meter = Meter { refuses: true, ..Meter::new() };
    let dialogue = gas().valve(Valve::Open, &Memory::default()).unwrap();
    let (finished, _) = talk(dialogue, |request| meter.answer(request));
    assert!(matches!(finished.result, Err(Error::DeviceError { .. })));
}

#[test]
fn no_command_goes_to_several_or_where_no_valve_is() {
    let valve = |address, kind, profile, to| {
        Device::Cjt188 { address, kind, profile }.valve(to, &Memory::default()).map(drop)
    };
    let one = address(ADDRESS);
    let standard = Profile::STANDARD;
    assert_eq!(valve(one, 0x30, standard, Valve::Closed), Ok(()));
    assert_eq!(valve(one, 0x30, standard, Valve::Abnormal), Err(NoValve::Position));
    assert_eq!(valve(one, 0xAA, standard, Valve::Closed), Err(NoValve::Wildcard));
    assert_eq!(valve(Address::WILDCARD, 0x30, standard, Valve::Closed), Err(NoValve::Wildcard));
    assert_eq!(valve(one, 0x30, Profile::NO_VALVE, Valve::Closed), Err(NoValve::NotConfigured));
    assert!(matches!(valve(one, 0x50, standard, Valve::Closed), Err(NoValve::Encode(_))));
}
