// SPDX-License-Identifier: MIT OR Apache-2.0
//! Wired M-Bus from both ends: what is encoded is decoded, what is damaged is refused.

mod common;

use common::own;
use gasd_meters::mbus::{
    Address, Frame, FrameCount, Link, Message, Progress, Readout, Request, SPEEDS, Target, ValveOutput,
    check_answer, decode, find, probe, probe_ack,
};
use gasd_meters::scan::{Found, Probe, Scanner};
use gasd_meters::{
    EncodeError, Error, Explanation, Fault, Field, Kind, Period, Reading, Unit, Value, Valve, hex,
};
use proptest::prelude::*;

const METER: &str = "12345678.ELS.33.03";
const OUTPUT: ValveOutput = ValveOutput { mask: 0x03, open: 0x01, closed: 0x02 };

fn meter() -> Address {
    METER.parse().expect("an address")
}

/// An answer with a long header and these records.
fn answer(records: &[u8]) -> Vec<u8> {
    let mut data = meter().to_wire().to_vec();
    data.extend([7, 0, 0, 0]);
    data.extend(records);
    Frame::Long(Link { control: 0x08, address: 1 }, 0x72, &data).encode().expect("short enough")
}

fn message(bytes: &[u8]) -> Result<Message, Error> {
    decode(&Frame::parse(bytes)?, &mut ())
}

fn reading(records: &[u8]) -> Reading {
    message(&answer(records)).and_then(Message::into_reading).expect("a reading")
}

fn only(records: &[u8]) -> Field {
    let mut reading = reading(records);
    assert_eq!(reading.fields.len(), 1, "{reading:?}");
    reading.fields.remove(0)
}

fn said(reading: &Reading) -> Vec<String> {
    reading
        .fields
        .iter()
        .map(|f| {
            let label = f.label.as_deref().map(|l| format!(" \"{l}\"")).unwrap_or_default();
            let doubt = f.doubt.map(|d| format!(", in doubt: {d}")).unwrap_or_default();
            format!("{}{label}: {}{doubt}", f.name(), f.value)
        })
        .collect()
}

/// Of the DIFs that end in F four mean something, and none begins a record.
#[test]
fn a_reserved_dif_is_no_record() {
    for dif in (0x0F..=0xFF).step_by(0x10).filter(|dif| !matches!(dif, 0x0F | 0x1F | 0x2F | 0x7F)) {
        for records in [&[dif, 0x00, 0x13, 0xC4, 0x01, 0x02, 0x03, 0x04][..], &[dif, 0x13, 0xC4, 1, 2, 3, 4]]
        {
            assert_eq!(
                message(&answer(records)).map(drop),
                Err(Error::Malformed { what: "a DIF that is reserved" }),
                "{dif:02X}"
            );
        }
    }
}

/// Frames of the project, with what they say.
#[test]
fn own_frames() {
    let mut wrong = vec![];
    for line in own("mbus.jsonl") {
        let says = said(&reading(&common::bytes(&line, "records")));
        let known: Vec<_> = line["fields"].as_array().unwrap().iter().filter_map(|f| f.as_str()).collect();
        if says != known {
            wrong.push((line["name"].clone(), says));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn requests_are_what_they_say() {
    let hex = |target: Target, request: Request<'_>| {
        hex::Hex(&request.encode(target).expect("can be asked")).to_string()
    };
    let one = Target::Primary(1);
    assert_eq!(hex(Target::Selected(meter()), Request::Reset), "1040FD3D16");
    assert_eq!(hex(one, Request::Data { fcb: true }), "107B017C16");
    assert_eq!(hex(one, Request::Data { fcb: false }), "105B015C16");
    assert_eq!(hex(one, Request::Alarm { fcb: true }), "107A017B16");
    assert_eq!(hex(Target::Any, Request::Data { fcb: true }), "107BFE7916");
    assert_eq!(hex(Target::Selected(Address::ANY), Request::Select), "680B0B6853FD52FFFFFFFFFFFFFFFF9A16");
    assert_eq!(
        hex(Target::Selected(meter()), Request::Select),
        "680B0B6853FD527856341293153303941 6".replace(' ', "")
    );
    assert_eq!(hex(Target::Any, Request::SetSpeed(9600)), "6803036853FEBD0E16");
    let valve = Request::Valve { fcb: true, output: OUTPUT, to: Valve::Closed };
    let bytes = valve.encode(one).unwrap();
    assert_eq!(message(&bytes), Ok(Message::Send(vec![0x01, 0xFD, 0x1A, 0x02])));
    assert_eq!(Frame::parse(&bytes).unwrap().link(), Some(Link { control: 0x73, address: 1 }));
    for speed in SPEEDS {
        assert_eq!(message(&Request::SetSpeed(speed).encode(one).unwrap()), Ok(Message::SetSpeed(speed)));
    }
    let reset = |code| message(&Request::ResetApplication(code).encode(one).unwrap());
    assert_eq!(reset(None), Ok(Message::ResetApplication(None)));
    assert_eq!(reset(Some(0x10)), Ok(Message::ResetApplication(Some(0x10))));
    assert_eq!(
        message(&Request::SetPrimary(8).encode(Target::Any).unwrap()),
        Ok(Message::Send(vec![0x01, 0x7A, 8]))
    );
}

#[test]
fn what_cannot_be_asked_is_not_encoded() {
    let wildcard = Target::Selected("1234567F".parse().unwrap());
    let valve = Request::Valve { fcb: false, output: OUTPUT, to: Valve::Open };
    for target in [Target::All, Target::Any, wildcard] {
        assert_eq!(valve.encode(target), Err(EncodeError::Wildcard), "{target:?}");
    }
    for target in [Target::All, wildcard] {
        assert_eq!(Request::SetPrimary(1).encode(target), Err(EncodeError::Wildcard));
    }
    assert_eq!(Request::Reset.encode(Target::Primary(251)), Err(EncodeError::Address));
    assert_eq!(Request::Data { fcb: true }.encode(Target::All), Err(EncodeError::Address));
    assert_eq!(Request::Select.encode(Target::Primary(1)), Err(EncodeError::Address));
    let out = |request: Request<'_>| request.encode(Target::Primary(1)).expect_err("out of range");
    assert!(matches!(out(Request::SetSpeed(9601)), EncodeError::OutOfRange { .. }));
    assert!(matches!(out(Request::SetPrimary(0)), EncodeError::OutOfRange { .. }));
    assert!(matches!(out(Request::SetPrimary(251)), EncodeError::OutOfRange { .. }));
    let same = ValveOutput { open: 4, closed: 8, mask: 3 };
    let request = Request::Valve { fcb: false, output: same, to: Valve::Open };
    assert!(matches!(out(request), EncodeError::OutOfRange { .. }));
    let request = Request::Valve { fcb: false, output: OUTPUT, to: Valve::Abnormal };
    assert!(matches!(out(request), EncodeError::OutOfRange { .. }));
    let long = Request::Send { fcb: false, records: &[0; 253] };
    assert_eq!(out(long), EncodeError::TooLong { most: 252 });
    assert!(Request::Send { fcb: false, records: &[0; 252] }.encode(Target::Primary(1)).is_ok());
}

#[test]
fn the_valve_is_where_the_profile_says() {
    let valve = |bits| OUTPUT.valve(&reading(&[0x01, 0xFD, 0x1A, bits]));
    assert_eq!(valve(0xF1), Some(Valve::Open));
    assert_eq!(valve(0x02), Some(Valve::Closed));
    assert_eq!(valve(0x03), Some(Valve::Abnormal));
    assert_eq!(OUTPUT.valve(&reading(&[0x01, 0x13, 0])), None);
}

#[test]
fn answers_are_told_from_what_is_none() {
    let request = Request::Data { fcb: true }.encode(Target::Primary(1)).unwrap();
    let request = Frame::parse(&request).unwrap();
    let good = answer(&[]);
    let answers = |bytes: &[u8]| check_answer(&request, &Frame::parse(bytes).unwrap());
    assert_eq!(answers(&good), Ok(()));
    assert_eq!(answers(&[0xE5]), Ok(()));
    assert_eq!(check_answer(&request, &request), Err(Error::Echo));
    let other = Frame::Long(Link { control: 0x08, address: 2 }, 0x78, &[]).encode();
    assert!(other.is_ok());
    assert_eq!(
        check_answer(&request, &Frame::Long(Link { control: 8, address: 2 }, 0x78, &[])),
        Err(Error::AddressMismatch)
    );
    let any = Frame::Short(Link { control: 0x7B, address: 254 });
    assert_eq!(check_answer(&any, &Frame::parse(&good).unwrap()), Ok(()));
    let select = Frame::Long(Link { control: 0x53, address: 253 }, 0x52, &[0; 8]);
    assert_eq!(check_answer(&select, &Frame::parse(&good).unwrap()).unwrap_err().kind(), "answer_mismatch");
    assert_eq!(check_answer(&request, &any).unwrap_err().kind(), "answer_mismatch");
}

#[test]
fn a_secret_is_neither_kept_nor_shown() {
    for code in [0x12, 0x13, 0x14, 0x15, 0x16, 0x19] {
        let bytes = answer(&[0x04, 0xFD, code, 0xAB, 0xCD, 0xAB, 0xCD]);
        let mut explanation = Explanation::default();
        let message = decode(&Frame::parse(&bytes).unwrap(), &mut explanation).unwrap();
        let shown = format!("{explanation} {explanation:?} {message:?}");
        assert!(shown.contains("hidden") && !shown.contains("ABCD") && !shown.contains("171"), "{shown}");
        let reading = message.into_reading().unwrap();
        assert_eq!(reading.fields[0].value, Value::Absent(Fault::Hidden, vec![]));
    }
}

#[test]
fn a_reading_of_several_telegrams() {
    let part =
        |n: u8, last: bool| message(&answer(&[0x01, 0x13, n, if last { 0x0F } else { 0x1F }])).unwrap();
    let mut count = FrameCount::after_reset();
    let mut readout = Readout::new();
    assert!(count.bit());
    assert_eq!(readout.push(part(1, false)), Ok(Progress::More));
    count.answered();
    assert!(!count.bit());
    // A meter that does not look at the bit.
    assert_eq!(readout.push(part(1, false)).unwrap_err().kind(), "malformed");
    assert_eq!(readout.push(part(2, false)), Ok(Progress::More));
    assert_eq!(readout.push(Message::Ack).unwrap_err().kind(), "answer_mismatch");
    assert_eq!(readout.push(Message::Refused(8)).unwrap_err().kind(), "device_error");
    assert_eq!(readout.push(part(3, true)), Ok(Progress::Done));
    let reading = readout.finish().unwrap();
    assert_eq!(said(&reading), ["volume: 0.001 m³", "volume: 0.002 m³", "volume: 0.003 m³"]);
    assert!(!reading.more);
    // One that never ends.
    let mut readout = Readout::new();
    let ends = (0..=255).map(|n| readout.push(part(n, false))).position(|progress| progress.is_err());
    assert_eq!(ends, Some(32));
    // One whose second telegram is another meter's.
    let mut readout = Readout::new();
    assert_eq!(readout.push(part(1, false)), Ok(Progress::More));
    let mut other = answer(&[0x01, 0x13, 2]);
    other[7] ^= 1;
    let n = other.len();
    other[n - 2] = gasd_meters::crc::sum(&other[4..n - 2]);
    assert_eq!(readout.push(message(&other).unwrap()), Err(Error::AddressMismatch));
}

#[test]
fn an_acknowledgement_is_one_only_where_it_is_awaited() {
    assert_eq!(probe_ack(&[0xE5]), Probe::Frame(1));
    assert_eq!(probe(&[0xE5]), Probe::No);
    let mut scanner = Scanner::new(1_000_000);
    let mut found = vec![];
    let mut damaged = answer(&[0x02, 0x13, 0xE5, 0xE5]);
    let n = damaged.len();
    damaged[n - 2] ^= 1;
    scanner.push(0, &[&damaged[..], &answer(&[])].concat(), probe, |f| found.push(format!("{f:?}")));
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].contains("Rejected") && found[1].contains("Frame"), "{found:?}");
    assert_eq!(find(&damaged).unwrap_err().kind(), "checksum");
}

fn records() -> impl Strategy<Value = Vec<u8>> {
    let record = (any::<u8>(), any::<u8>(), proptest::collection::vec(any::<u8>(), 0..12))
        .prop_map(|(dif, vif, data)| [&[dif & 0x7F, vif][..], &data].concat());
    proptest::collection::vec(record, 0..12).prop_map(|records| records.concat()).prop_map(|mut all| {
        all.truncate(200);
        all
    })
}

fn covers(bytes: &[u8]) -> Result<(), TestCaseError> {
    let mut explanation = Explanation::default();
    let frame = Frame::parse(bytes).expect("a frame");
    if decode(&frame, &mut explanation).is_err() {
        return Ok(());
    }
    let mut at = 0;
    for field in &explanation.0 {
        prop_assert_eq!(field.at, at, "{}", explanation);
        at += field.raw.len();
    }
    prop_assert_eq!(at, bytes.len(), "{}", explanation);
    Ok(())
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = (find(&bytes), probe(&bytes), probe_ack(&bytes));
        if let Ok(frame) = Frame::parse(&bytes) {
            let _ = decode(&frame, &mut Explanation::default());
        }
    }

    #[test]
    fn any_data_are_explained(
        control in any::<u8>(),
        ci in any::<u8>(),
        data in proptest::collection::vec(any::<u8>(), 0..253),
    ) {
        covers(&Frame::Long(Link { control, address: 1 }, ci, &data).encode().expect("short enough"))?;
        covers(&Frame::Control(Link { control, address: 1 }, ci).encode().expect("short enough"))?;
        covers(&answer(&data[..data.len().min(240)]))?;
    }

    #[test]
    fn any_records_are_explained(records in records()) {
        covers(&answer(&records))?;
    }

    #[test]
    fn half_a_frame_is_truncated(records in records(), cut in any::<prop::sample::Index>()) {
        let bytes = answer(&records);
        let n = cut.index(bytes.len() - 1) + 1;
        prop_assert_eq!(Frame::parse(&bytes[..n]).unwrap_err().kind(), "truncated");
    }

    #[test]
    fn one_wrong_bit_is_told(records in records(), bit in any::<prop::sample::Index>()) {
        let mut bytes = answer(&records);
        let bit = bit.index(bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(Frame::parse(&bytes).is_err());
    }

    #[test]
    fn frames_come_back(control in any::<u8>(), address in any::<u8>(), ci in any::<u8>(), data in proptest::collection::vec(any::<u8>(), 1..252)) {
        let link = Link { control: control & 0x7F, address };
        for frame in [Frame::Ack, Frame::Short(link), Frame::Control(link, ci), Frame::Long(link, ci, &data)] {
            let bytes = frame.encode().expect("short enough");
            prop_assert_eq!(Frame::parse(&bytes), Ok(frame));
            prop_assert_eq!(probe_ack(&bytes), Probe::Frame(bytes.len()));
        }
    }

    /// Volumes of every coding are exact, to the µL.
    #[test]
    fn volumes_come_back(number in -99_999_999i64..99_999_999, vif in 0x10u8..0x18, storage in 0u32..2) {
        let exact = number * 10i64.pow(u32::from(vif - 0x10)) * 1_000;
        let binary = number.to_le_bytes();
        let mut bcd = vec![0; 6];
        prop_assert!(gasd_meters::bcd::encode(number.unsigned_abs(), &mut bcd));
        let variable = [&[if number < 0 { 0xD6 } else { 0xC6 }][..], &bcd].concat();
        if number < 0 {
            bcd[5] |= 0xF0;
        }
        let storage_bit = (storage as u8) << 6;
        for (dif, data) in [(0x04, &binary[..4]), (0x06, &binary[..6]), (0x07, &binary[..]), (0x0E, &bcd), (0x0D, &variable)] {
            let field = only(&[&[dif | storage_bit, vif][..], data].concat());
            prop_assert_eq!(field.kind, Kind::Volume);
            prop_assert_eq!(field.volume_ul(), Ok(exact));
            let period = if storage == 0 { Period::Current } else { Period::Storage(1) };
            prop_assert_eq!(field.register.period, period);
        }
    }

    /// Storage, tariff and subunit of any number of DIFEs.
    #[test]
    fn registers_come_back(storage in 0u32..u32::MAX, tariff in 0u32..1 << 18, subunit in 0u32..1 << 9) {
        let mut head = vec![0x81 | (storage as u8 & 1) << 6];
        for n in 0..9u32 {
            let storage = (u64::from(storage) >> (1 + 4 * n)) as u8 & 0x0F;
            let tariff = (tariff >> (2 * n)) as u8 & 0x03;
            let subunit = (subunit >> n) as u8 & 0x01;
            head.push(0x80 | subunit << 6 | tariff << 4 | storage);
        }
        *head.last_mut().expect("nine") &= 0x7F;
        head.extend([0x13, 5]);
        let field = only(&head);
        let period = if storage == 0 { Period::Current } else { Period::Storage(storage) };
        prop_assert_eq!((field.register.period, field.register.tariff, field.register.subunit), (period, tariff, subunit));
        prop_assert_eq!(field.value.number().map(|n| n.unit), Some(Unit::CubicMetre));
    }

    #[test]
    fn streams_are_cut_anywhere(all in proptest::collection::vec(records(), 1..5), chunk in 1..300usize, noise in proptest::collection::vec(0u8..0x10, 0..20)) {
        let frames: Vec<_> = all.iter().map(|records| answer(records)).collect();
        let stream: Vec<u8> = frames.iter().flat_map(|frame| [&noise[..], frame].concat()).collect();
        let (mut scanner, mut found) = (Scanner::new(1_000), vec![]);
        for bytes in stream.chunks(chunk) {
            scanner.push(0, bytes, probe, |f| if let Found::Frame { bytes, .. } = f { found.push(bytes.to_vec()) });
        }
        prop_assert_eq!(found, frames);
    }
}
