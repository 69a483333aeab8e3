// SPDX-License-Identifier: MIT OR Apache-2.0
//! Modbus from both ends: what is encoded is decoded, what answers another request is never taken, and a
//! total is never made of two.
#![allow(clippy::unwrap_used, reason = "test code")]

mod common;

use common::own;
use gasd_meters::modbus::{
    Answer, Frame, MapError, Memory, Order, Point, Readout, RegisterMap, Request, Scale, Space, Span, Step,
    Type, check_answer, decode_answer, decode_request, encode, find, probe, probe_answer, probe_request,
};
use gasd_meters::scan::{Found, Probe, Scanner};
use gasd_meters::{
    Decimal, EncodeError, Error, Explanation, Fault, Kind, Reading, Register, Unit, Value, crc,
};
use proptest::prelude::*;

fn frame(unit: u8, function: u8, data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![unit, function];
    bytes.extend(data);
    bytes.extend(crc::modbus(&bytes).to_le_bytes());
    bytes
}

/// The answer with these registers.
fn registers(unit: u8, function: u8, words: &[u16]) -> Vec<u8> {
    let mut data = vec![2 * words.len() as u8];
    data.extend(words.iter().flat_map(|word| word.to_be_bytes()));
    frame(unit, function, &data)
}

fn check(request: &[u8], answer: &[u8]) -> Result<(), Error> {
    check_answer(&Frame::parse(request).unwrap(), &Frame::parse(answer).unwrap())
}

fn read(map: &RegisterMap, words: &[u16]) -> Reading {
    let span = map.plan().unwrap()[0];
    let request = encode(7, &span.request()).unwrap();
    let answer = registers(7, request[1], words);
    let mut explanation = Explanation::default();
    let (request, answer) = (Frame::parse(&request).unwrap(), Frame::parse(&answer).unwrap());
    let reading = map.read(&request, &answer, &mut explanation).unwrap();
    let mut at = 0;
    for field in &explanation.0 {
        assert_eq!(field.at, at, "{field:?}");
        at += field.raw.len();
    }
    assert_eq!(at, answer.bytes.len(), "{explanation}");
    reading
}

/// Frames of the project, with what they say: a corrector's map read with each order of bytes.
#[test]
fn own_frames() {
    for line in own("modbus.jsonl") {
        let order = Order::ALL[line["order"].as_u64().unwrap() as usize];
        let map = corrector(order);
        let (request, answer) = (common::bytes(&line, "request"), common::bytes(&line, "hex"));
        let reading =
            map.read(&Frame::parse(&request).unwrap(), &Frame::parse(&answer).unwrap(), &mut ()).unwrap();
        let said: Vec<_> = reading.fields.iter().map(|f| format!("{}: {}", f.name(), f.value)).collect();
        let known: Vec<_> = line["fields"].as_array().unwrap().iter().filter_map(|f| f.as_str()).collect();
        assert_eq!(said, known, "{}", line["name"]);
        let [span] = map.plan().unwrap()[..] else { panic!() };
        assert_eq!(encode(request[0], &span.request()).unwrap(), request);
    }
}

fn corrector(order: Order) -> RegisterMap {
    let of = |kind, address, format, unit| Point { order, ..Point::new(kind, address, format, unit) };
    let cent = Scale::Fixed(Decimal::new(1, -2));
    RegisterMap {
        first: 1,
        ..RegisterMap::new(vec![
            Point { scale: cent, ..of(Kind::VolumeBase, 101, Type::U32, Unit::CubicMetre) },
            Point {
                scale: Scale::Power(Decimal::new(1, 0), 113),
                ..of(Kind::VolumeMeter, 103, Type::Bcd(2), Unit::CubicMetre)
            },
            of(Kind::Pressure, 105, Type::F32, Unit::Bar),
            Point {
                absent: Some(0x8000),
                scale: cent,
                ..of(Kind::Temperature, 107, Type::I16, Unit::Celsius)
            },
            of(Kind::ConversionFactor, 108, Type::F64, Unit::One),
            of(Kind::Status, 112, Type::Bits, Unit::One),
            of(Kind::Model, 114, Type::Text(3), Unit::One),
        ])
    }
}

fn any_request() -> impl Strategy<Value = Request> {
    let word = any::<u16>();
    prop_oneof![
        (word, 1..=2000u16).prop_map(|(at, n)| Request::ReadCoils(at.min(63_000), n)),
        (word, 1..=2000u16).prop_map(|(at, n)| Request::ReadInputs(at.min(63_000), n)),
        (word, 1..=125u16).prop_map(|(at, n)| Request::ReadHolding(at.min(65_400), n)),
        (word, 1..=125u16).prop_map(|(at, n)| Request::ReadInput(at.min(65_400), n)),
        (word, any::<bool>()).prop_map(|(at, on)| Request::WriteCoil(at, on)),
        (word, word).prop_map(|(at, value)| Request::WriteRegister(at, value)),
        (word, word).prop_map(|(which, word)| Request::Diagnose(which, word)),
        (word, prop::collection::vec(any::<bool>(), 1..=1968))
            .prop_map(|(at, bits)| Request::WriteCoils(at.min(63_000), bits)),
        (word, prop::collection::vec(word, 1..=123))
            .prop_map(|(at, words)| Request::WriteRegisters(at.min(65_400), words)),
        (word, word, word).prop_map(|(at, and, or)| Request::MaskRegister(at, and, or)),
        (word, 1..=125u16, word, prop::collection::vec(word, 1..=121)).prop_map(
            |(read, count, write, values)| {
                Request::ReadWrite { read: read.min(65_400), count, write: write.min(65_400), values }
            }
        ),
        (1..=4u8, any::<u8>()).prop_map(|(code, object)| Request::Identify(code, object)),
        Just(Request::ReadExceptionStatus),
        Just(Request::CountEvents),
        Just(Request::ReadEvents),
        Just(Request::ReadId),
    ]
}

proptest! {
    #[test]
    fn requests_there_and_back(unit in 1..=247u8, request in any_request()) {
        let bytes = encode(unit, &request).unwrap();
        prop_assert_eq!(probe_request(&bytes), Probe::Frame(bytes.len()));
        for end in 0..bytes.len() {
            prop_assert!(matches!(probe_request(&bytes[..end]), Probe::Need(n) if n > end) || end == 0);
            let half = Frame::parse(&bytes[..end]).map_err(|why| why.kind());
            // One in 65536 halves has a CRC that fits.
            if end < 4 || crc::modbus(&bytes[..end]) != 0 {
                // Half a request that writes may be as long as its answer.
                let whole = matches!(probe_answer(&bytes[..end]), Probe::Bad { len, .. } if len == end);
                prop_assert_eq!(half, Err(if whole { "checksum" } else { "truncated" }));
            }
        }
        let frame = Frame::parse(&bytes).unwrap();
        prop_assert_eq!(decode_request(&frame, &mut ()).unwrap(), request);
    }

    /// A CRC-16 finds every burst of up to 16 bits.
    #[test]
    fn no_flipped_bit_is_missed(request in any_request(), bit in 0..2048usize) {
        let mut bytes = encode(3, &request).unwrap();
        let bit = bit % (8 * bytes.len());
        bytes[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(Frame::parse(&bytes).is_err());
    }

    #[test]
    fn any_bytes_are_a_frame_or_say_why(bytes in prop::collection::vec(any::<u8>(), 0..300), function in 0..0x2Cu8) {
        let _ = (probe(&bytes), find(&bytes), Frame::parse(&bytes).map_err(|why| why.to_string()));
        // With a CRC that fits, whatever is inside.
        let made = frame(9, function, &bytes);
        if let Ok(frame) = Frame::parse(&made) {
            let mut explanation = Explanation::default();
            let _ = decode_request(&frame, &mut explanation);
            let answer = decode_answer(&frame, &mut ());
            prop_assert!(answer.is_ok() || decode_request(&frame, &mut ()).is_ok());
            prop_assert!(check_answer(&frame, &frame).is_err() || matches!(function, 5 | 6 | 8 | 0x16));
        }
    }

    /// Whatever request an answer belongs to, it is taken for no other.
    #[test]
    fn a_late_answer_is_never_taken(n in 1..=125u16, m in 1..=125u16, unit in 1..=247u8, other in 1..=247u8) {
        let words = vec![0xABCD; usize::from(n)];
        let answer = registers(unit, 3, &words);
        let asked = encode(other, &Request::ReadHolding(0, m)).unwrap();
        prop_assert_eq!(check(&asked, &answer).is_ok(), n == m && unit == other);
        let asked = encode(unit, &Request::ReadInput(0, n)).unwrap();
        prop_assert!(check(&asked, &answer).is_err());
    }

    #[test]
    fn integers_are_exact_in_every_order(value: u32, order in 0..4usize) {
        let order = Order::ALL[order];
        let point = Point { order, ..Point::new(Kind::Count, 0, Type::U32, Unit::One) };
        let [a, b, c, d] = value.to_be_bytes();
        let words = match order {
            Order::ABCD => [[a, b], [c, d]],
            Order::CDAB => [[c, d], [a, b]],
            Order::BADC => [[b, a], [d, c]],
            Order::DCBA => [[d, c], [b, a]],
        };
        let reading = read(&RegisterMap::new(vec![point]), &words.map(u16::from_be_bytes));
        prop_assert_eq!(reading.fields[0].value.number().unwrap().decimal, Decimal::new(i64::from(value), 0));
    }

    /// Every quantity is in exactly one request, whole, and no request is longer than the unit gives.
    #[test]
    fn a_plan_reads_everything_once(
        points in prop::collection::vec((0..400u16, 0..3usize, any::<bool>()), 1..40),
        most in 4..=125u16,
        gap in 0..20u16,
    ) {
        let points: Vec<Point> = points.iter().map(|&(at, format, input)| {
            let format = [Type::U16, Type::F32, Type::U64][format];
            let space = if input { Space::Input } else { Space::Holding };
            Point { space, ..Point::new(Kind::Variable, at, format, Unit::One) }
        }).collect();
        let map = RegisterMap { most, gap, ..RegisterMap::new(points) };
        let plan = map.plan().unwrap();
        for point in &map.points {
            let holds = |span: &&Span| {
                span.space == point.space
                    && span.address <= point.address
                    && point.address + point.format.words() <= span.address + span.count
            };
            prop_assert!(plan.iter().any(|span| holds(&span)));
        }
        prop_assert!(plan.iter().all(|span| (1..=most).contains(&span.count)));
        prop_assert!(plan.len() <= map.points.len());
    }
}

#[test]
fn what_must_not_be_sent_is_not_encoded() {
    assert_eq!(encode(0, &Request::ReadHolding(0, 1)), Err(EncodeError::Wildcard));
    assert!(encode(0, &Request::WriteRegister(0, 1)).is_ok());
    assert_eq!(encode(248, &Request::ReadId), Err(EncodeError::Address));
    for request in [
        Request::ReadHolding(0, 0),
        Request::ReadHolding(0, 126),
        Request::ReadInput(65_535, 2),
        Request::ReadCoils(0, 2001),
        Request::WriteRegisters(0, vec![]),
        Request::WriteRegisters(0, vec![0; 124]),
        Request::WriteCoils(0, vec![true; 1969]),
        Request::Identify(0, 0),
        Request::ReadWrite { read: 0, count: 1, write: 0, values: vec![0; 122] },
    ] {
        assert!(matches!(encode(1, &request), Err(EncodeError::OutOfRange { .. })), "{request:?}");
    }
}

#[test]
fn an_answer_answers_its_request_and_no_other() {
    let asked = encode(1, &Request::ReadHolding(0, 2)).unwrap();
    let right = registers(1, 3, &[10, 20]);
    assert_eq!(check(&asked, &right), Ok(()));
    assert_eq!(check(&asked, &asked), Err(Error::Echo));
    assert_eq!(check(&asked, &registers(2, 3, &[10, 20])), Err(Error::AddressMismatch));
    for late in [registers(1, 4, &[10, 20]), registers(1, 3, &[10]), frame(1, 6, &[0, 0, 0, 1])] {
        assert!(matches!(check(&asked, &late), Err(Error::AnswerMismatch { .. })));
    }
    let refused = frame(1, 0x83, &[2]);
    assert_eq!(check(&asked, &refused), Ok(()));
    let answer = decode_answer(&Frame::parse(&refused).unwrap(), &mut ()).unwrap();
    assert_eq!(
        answer.or_refusal(),
        Err(Error::DeviceError { code: 2, what: "it does not have these registers" })
    );
    // A unit repeats what was written.
    let written = encode(1, &Request::WriteRegister(3, 7)).unwrap();
    assert_eq!(check(&written, &written), Ok(()));
    let elsewhere = encode(1, &Request::WriteRegister(4, 7)).unwrap();
    assert!(matches!(check(&written, &elsewhere), Err(Error::AnswerMismatch { .. })));
    let all = encode(0, &Request::WriteRegister(3, 7)).unwrap();
    assert!(matches!(check(&all, &all), Err(Error::AnswerMismatch { .. })));
    let many = encode(1, &Request::WriteRegisters(3, vec![7, 8])).unwrap();
    assert_eq!(check(&many, &frame(1, 0x10, &[0, 3, 0, 2])), Ok(()));
    assert!(check(&many, &frame(1, 0x10, &[0, 3, 0, 1])).is_err());
    assert_eq!(check(&many, &many), Err(Error::Echo));
}

#[test]
fn who_a_unit_is() {
    let asked = encode(1, &Request::Identify(1, 0)).unwrap();
    let mut data = vec![0x0E, 1, 1, 0xFF, 2, 2, 0, 5];
    data.extend(b"Maker");
    data.extend([1, 3]);
    data.extend(b"GVC");
    let said = frame(1, 0x2B, &data);
    assert_eq!(probe_answer(&said), Probe::Frame(said.len()));
    assert_eq!(check(&asked, &said), Ok(()));
    let answer = decode_answer(&Frame::parse(&said).unwrap(), &mut ()).unwrap();
    let objects = vec![(0, b"Maker".to_vec()), (1, b"GVC".to_vec())];
    assert_eq!(answer, Answer::Identification { next: Some(2), objects });
}

/// An adapter that hears itself glues its request to the answer.
#[test]
fn frames_in_a_noisy_stream() {
    let request = encode(1, &Request::ReadInputs(0, 6)).unwrap();
    let answer = frame(1, 2, &[1, 0]);
    let stream = [&[0x00, 0xFF, 0x01, 0x04][..], &request, &answer, &[0x01]].concat();
    for chunk in [1, 2, 5, stream.len()] {
        let (mut scanner, mut found) = (Scanner::new(1_000), vec![]);
        for bytes in stream.chunks(chunk) {
            scanner.push(0, bytes, probe, |f| {
                if let Found::Frame { bytes, .. } = f {
                    found.push(bytes.to_vec());
                }
            });
        }
        scanner.flush(probe, |f| assert!(!matches!(f, Found::Frame { .. })));
        assert_eq!(found, [request.clone(), answer.clone()], "in chunks of {chunk}");
    }
}

#[test]
fn a_map_says_what_cannot_be() {
    let point = |at, format| Point::new(Kind::Volume, at, format, Unit::CubicMetre);
    let plan = |points: Vec<Point>| RegisterMap::new(points).plan();
    assert_eq!(plan(vec![]), Err(MapError::Empty));
    assert_eq!(plan(vec![point(5, Type::Bcd(5))]), Err(MapError::Size(5)));
    assert_eq!(plan(vec![point(65_535, Type::U32)]), Err(MapError::Address(65_535)));
    let far = Point { scale: Scale::Power(Decimal::new(1, 0), 300), ..point(5, Type::U32) };
    assert_eq!(plan(vec![far]), Err(MapError::Apart(5)));
    let from_one = RegisterMap { first: 1, ..RegisterMap::new(vec![point(0, Type::U32)]) };
    assert_eq!(from_one.plan(), Err(MapError::Address(0)));
    let none = RegisterMap { most: 0, ..RegisterMap::new(vec![point(0, Type::U32)]) };
    assert_eq!(none.plan(), Err(MapError::Most(0)));
}

#[test]
fn scales_and_gaps() {
    let power = Point {
        scale: Scale::Power(Decimal::new(5, -1), 2),
        ..Point::new(Kind::Volume, 0, Type::U32, Unit::CubicMetre)
    };
    let volume = |exponent: i16| {
        let map = RegisterMap::new(vec![power]);
        read(&map, &[0x0001, 0x0000, exponent as u16]).fields[0].clone()
    };
    assert_eq!(volume(-3).value.number().unwrap().decimal, Decimal::new(327_680, -4));
    assert_eq!(volume(-3).volume_ul(), Ok(32_768_000_000));
    assert_eq!(volume(300).value, Value::Absent(Fault::OutOfRange, vec![0, 1, 0, 0]));
    let factor = Point {
        scale: Scale::Factor(Decimal::new(1, -3), 4),
        ..Point::new(Kind::Volume, 1, Type::U16, Unit::CubicMetre)
    };
    let map = RegisterMap { gap: 9, ..RegisterMap::new(vec![factor]) };
    assert_eq!(map.plan().unwrap(), [Span { space: Space::Holding, address: 1, count: 4 }]);
    assert_eq!(read(&map, &[3, 0, 0, 10]).fields[0].value.to_string(), "0.030 m³");
}

fn totals() -> RegisterMap {
    RegisterMap::new(vec![
        Point::new(Kind::Volume, 0, Type::U32, Unit::Litre),
        Point::new(Kind::Flow, 2, Type::F32, Unit::LitrePerHour),
        Point::new(Kind::Pressure, 200, Type::U16, Unit::Kilopascal),
    ])
}

#[test]
fn a_total_whose_high_word_changed_is_read_again() {
    let map = totals();
    let mut memory = Memory::default();
    let mut answers = |words: &[[u16; 4]]| {
        let mut readout = Readout::new(&map, 7, core::mem::take(&mut memory)).unwrap();
        let mut steps = vec![];
        for words in words {
            assert_eq!(readout.request().unwrap().unwrap(), frame(7, 3, &[0, 0, 0, 4]));
            let answer = registers(7, 3, words);
            steps.push(readout.answer(&Frame::parse(&answer).unwrap(), &mut ()).unwrap());
        }
        assert_eq!(readout.request().unwrap().unwrap(), frame(7, 3, &[0, 200, 0, 1]));
        // What answers something else leaves it due.
        assert!(readout.answer(&Frame::parse(&registers(7, 3, &[1, 2])).unwrap(), &mut ()).is_err());
        let answer = registers(7, 3, &[101]);
        assert_eq!(readout.answer(&Frame::parse(&answer).unwrap(), &mut ()), Ok(Step::Done));
        assert!(readout.request().is_none());
        let (reading, kept) = readout.finish();
        memory = kept;
        assert_eq!(reading.fields.len(), 3);
        (steps, reading.fields[0].volume_ul())
    };
    use Step::{Again, Next};
    // The first time nothing is known: twice. A flow may change as it likes.
    assert_eq!(
        answers(&[[1, 0xFFFE, 0x4148, 0], [1, 0xFFFE, 0x4150, 0]]),
        (vec![Again, Next], Ok(131_070_000_000))
    );
    assert_eq!(answers(&[[1, 0xFFFF, 0x4248, 0]]), (vec![Next], Ok(131_071_000_000)));
    // Torn: the high word is new, the low one is not yet. Which of the first two was torn only a third one says.
    let torn = [[2, 0xFFFF, 0, 0], [2, 0x0001, 0, 0], [2, 0x0001, 0, 0]];
    assert_eq!(answers(&torn), (vec![Again, Again, Next], Ok(131_073_000_000)));
    // A total that never holds still is shown and in doubt.
    let jumps = [[3, 0, 0, 0], [4, 0, 0, 0], [5, 0, 0, 0], [6, 0, 0, 0]];
    assert_eq!(answers(&jumps), (vec![Again, Again, Again, Next], Err(Fault::Torn)));
}

#[test]
fn bits_text_and_what_is_agreed_to_be_none() {
    let map = RegisterMap::new(vec![
        Point { absent: Some(0xFFFF), ..Point::new(Kind::Pressure, 0, Type::U16, Unit::Kilopascal) },
        Point::new(Kind::Status, 1, Type::Bits, Unit::One),
        Point::new(Kind::Model, 2, Type::Text(2), Unit::One),
    ]);
    let reading = read(&map, &[0xFFFF, 0x0005, 0x4756, 0x4300]);
    assert_eq!(reading.fields[0].value, Value::Absent(Fault::NotFilled, vec![0xFF, 0xFF]));
    assert_eq!(reading.fields[1].value, Value::Bits(5));
    assert_eq!(reading.fields[2].value, Value::Text("GVC".into()));
    assert_eq!(reading.meter.id, "7");
    assert_eq!(reading.get_at(Kind::Status, Register::PLAIN), Some(&reading.fields[1]));
}
