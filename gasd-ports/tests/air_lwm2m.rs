// SPDX-License-Identifier: MIT OR Apache-2.0
//! Meters on NB-IoT from the datagram to the reading: object 19, registers of their own, strangers, restarts.
#![allow(clippy::unwrap_used, reason = "test code")]

mod common;

use std::net::SocketAddr;

use common::{S, again, errors, is_in_order, memories, readings, sent, strangers, volumes};
use gasd_meters::cjt188::{Address, Profile};
use gasd_meters::nbiot::{Code, Message, Path, Settings, Type, option};
use gasd_meters::{Error, Kind, Unit, hex};
use gasd_ports::air::lwm2m::{Carries, Device, Lwm2m};
use gasd_ports::air::{Air, Event, NotRestored, Output};
use proptest::prelude::*;

const KEY: u64 = 7;
const IMEI: &str = "864000000000001";
const GAS: &str = "FEFEFEFE6830420000000033788116901F07785634122C001200002C5634122802262005006116";

fn from() -> SocketAddr {
    "192.0.2.9:5683".parse().unwrap()
}

fn cjt188() -> Carries {
    Carries::Cjt188 { address: "78330000000042".parse().unwrap(), profile: Profile::STANDARD }
}

fn server(carries: Carries) -> Lwm2m {
    let device = Device { key: KEY, endpoint: IMEI.to_owned(), carries };
    Lwm2m::new(Settings::default(), vec![device], 0x1234_5678_9ABC_DEF0)
}

fn register(id: u16, endpoint: &str, objects: &str) -> Message {
    let message = Message::new(Type::Confirmable, Code::POST, id, &[7])
        .with(option::URI_PATH, b"rd")
        .with_number(option::CONTENT_FORMAT, 40)
        .with(option::URI_QUERY, format!("ep={endpoint}").as_bytes())
        .with(option::URI_QUERY, b"lt=86400");
    Message { payload: objects.as_bytes().into(), ..message }
}

fn hear(server: &mut Lwm2m, at_ns: u64, message: &Message) -> Vec<Output> {
    server.heard(at_ns, from(), &message.encode().unwrap())
}

fn messages(outputs: &[Output]) -> Vec<Message> {
    sent(outputs).iter().map(|(_, bytes)| Message::parse(bytes, &mut ()).unwrap()).collect()
}

fn telling(id: u16, token: &[u8], number: u32, format: u32, payload: &[u8]) -> Message {
    let message = Message::new(Type::Confirmable, Code::CONTENT, id, token)
        .with_number(option::OBSERVE, number)
        .with_number(option::CONTENT_FORMAT, format);
    Message { payload: payload.into(), ..message }
}

/// A meter that has registered and is asked; the token of what it was asked for.
fn observed(server: &mut Lwm2m, objects: &str) -> Vec<u8> {
    let out = hear(server, 0, &register(1, IMEI, objects));
    assert_eq!(memories(&out).len(), 1);
    let [created, asked] = &messages(&out)[..] else { panic!("{out:?}") };
    assert_eq!((created.code, asked.number(option::OBSERVE)), (Code::CREATED, Some(0)));
    let mut answer = telling(asked.id, &asked.token, 1, 42, &[]);
    answer.kind = Type::Acknowledgement;
    let out = hear(server, S, &answer);
    assert_eq!(memories(&out).len(), 1, "what is observed is to be kept");
    asked.token.clone()
}

fn gas() -> Vec<u8> {
    hex::parse(GAS).unwrap()
}

#[test]
fn a_frame_in_object_19_is_a_reading() {
    let mut server = server(cjt188());
    let token = observed(&mut server, "</19/0>");
    let out = hear(&mut server, 2 * S, &telling(10, &token, 2, 42, &gas()));
    let [(key, reading)] = readings(&out)[..] else { panic!("{out:?}") };
    assert_eq!((key, reading.meter.radio_id.as_deref()), (KEY, Some(IMEI)));
    assert_eq!(volumes(&out), [123_456_780_000_000], "{reading:?}");
    assert!(is_in_order(&out), "it is acknowledged when it is written down");
    assert_eq!(messages(&out)[0].kind, Type::Acknowledgement);
    // The same message again is acknowledged and not read.
    let out = hear(&mut server, 3 * S, &telling(10, &token, 2, 42, &gas()));
    assert!(readings(&out).is_empty() && sent(&out).len() == 1);
    // Two frames with a header and noise in one telling.
    let two = [b"CTRL:", &at_hour(0x10, 0x78)[..], &[0, 0xFF], &at_hour(0x11, 0x79)].concat();
    assert_eq!(readings(&hear(&mut server, 4_000 * S, &telling(11, &token, 3, 42, &two))).len(), 2);
    // What is told out of order says that it is, and is not read.
    let out = hear(&mut server, 4_001 * S, &telling(12, &token, 1, 42, &gas()));
    assert!(matches!(errors(&out)[..], [(KEY, Error::AnswerMismatch { .. })]) && readings(&out).is_empty());
    assert!(is_in_order(&out));
}

#[test]
fn what_is_no_frame_of_this_meter_is_told() {
    let mut server = server(cjt188());
    let token = observed(&mut server, "</19/0>");
    let mut other = gas();
    (other[6], other[37]) = (0x43, 0x62);
    let mut damaged = gas();
    damaged[20] ^= 1;
    let mut request = gas();
    (request[13], request[37]) = (0x01, 0xE1);
    for (n, (frame, kind)) in [
        (other, "address_mismatch"),
        (damaged, "checksum"),
        (request, "answer_mismatch"),
        (gas()[..30].to_vec(), "truncated"),
        (vec![1, 2, 3], "no_frame"),
    ]
    .into_iter()
    .enumerate()
    {
        let n = n as u32 + 1;
        let out = hear(&mut server, u64::from(n) * S, &telling(20 + n as u16, &token, 2 + n, 42, &frame));
        assert_eq!(errors(&out).iter().map(|(_, error)| error.kind()).collect::<Vec<_>>(), [kind]);
        assert!(readings(&out).is_empty());
        let raw = out.iter().find_map(|output| match output {
            Output::Event(Event::Failed { raw, .. }) => Some(raw.clone()),
            _ => None,
        });
        assert!(frame.ends_with(&raw.unwrap()));
    }
    // Whose it is may be left open, in part.
    let carries = Carries::Cjt188 { address: Address::WILDCARD, profile: Profile::STANDARD };
    let mut any = self::server(carries);
    let token = observed(&mut any, "</19/0>");
    assert_eq!(volumes(&hear(&mut any, S, &telling(30, &token, 2, 42, &gas()))).len(), 1);
}

#[test]
fn other_formats_and_registers() {
    let mut raw = server(Carries::Raw);
    let token = observed(&mut raw, "</19/0>");
    let out = hear(&mut raw, 2 * S, &telling(10, &token, 2, 42, b"anything"));
    assert_eq!(readings(&out)[0].1.fields[0].value.to_string(), "bytes 616E797468696E67");
    let path = Path::new(&[3424, 0, 1]);
    let register = Carries::Resource { path, exponent: -2, unit: Unit::CubicMetre, float: false };
    let mut server = server(register);
    let token = observed(&mut server, "</3424/0>");
    let out = hear(&mut server, 2 * S, &telling(10, &token, 2, 0, b"123456"));
    assert_eq!(volumes(&out), [1_234_560_000_000]);
    let out = hear(&mut server, 3 * S, &telling(11, &token, 3, 11_542, &[0xC2, 1, 0x04, 0xD2]));
    assert_eq!(volumes(&out), [12_340_000_000]);
    let out = hear(&mut server, 4 * S, &telling(12, &token, 4, 0, b"much"));
    assert_eq!(errors(&out)[0].1.kind(), "malformed");
    // It will not tell it: that is the meter's failure.
    let refused = Message::new(Type::Confirmable, Code::NOT_FOUND, 13, &token);
    assert_eq!(errors(&hear(&mut server, 5 * S, &refused))[0].1.kind(), "device_error");
}

#[test]
fn the_device_and_its_signal_are_readings_too() {
    let mut server = server(cjt188());
    let token = observed(&mut server, "</3/0>");
    let out =
        hear(&mut server, 2 * S, &telling(10, &token, 2, 11_542, &hex::parse("C10950C2070E10").unwrap()));
    assert_eq!(readings(&out)[0].1.get(Kind::Battery).unwrap().value.to_string(), "80 %");
}

#[test]
fn who_is_not_configured_is_refused_and_noted() {
    let mut server = server(cjt188());
    let out = hear(&mut server, 0, &register(1, "8640\"\n1", "</19/0>"));
    assert_eq!(strangers(&out), ["endpoint = \"8640\\\"\\n1\""]);
    assert_eq!(messages(&out)[0].code.to_string(), "4.03");
    assert!(server.clients().is_empty() && memories(&out).is_empty());
    for n in 0..2_000u16 {
        hear(&mut server, S, &register(n, &format!("x{n}"), "</19/0>"));
    }
    assert_eq!((server.clients().len(), server.strangers().iter().count()), (0, 32));
    // Nor behind or before the name of one that is.
    for (id, names) in [(2_001, [IMEI, "evil"]), (2_002, ["evil", IMEI])] {
        let message =
            register(id, names[0], "</19/0>").with(option::URI_QUERY, format!("ep={}", names[1]).as_bytes());
        let out = hear(&mut server, 2 * S, &message);
        assert_eq!(messages(&out)[0].code.to_string(), "4.03", "{names:?}");
        assert!(server.clients().is_empty());
    }
    observed(&mut server, "</19/0>");
}

#[test]
fn after_a_restart_it_is_understood_at_once() {
    let mut before = server(cjt188());
    let token = observed(&mut before, "</19/0>");
    let out = hear(&mut before, 2 * S, &telling(10, &token, 2, 42, &gas()));
    let kept = memories(&out).remove(0);
    assert_eq!(kept, (KEY, before.memory(KEY)));
    let mut forgot = server(cjt188());
    assert!(readings(&hear(&mut forgot, 3 * S, &telling(11, &token, 3, 42, &gas()))).is_empty());
    // The clock may have begun anew.
    let mut after = server(cjt188());
    after.restore(KEY, &kept.1, 0).unwrap();
    assert_eq!(after.clients()[0].expires_ns, 86_400 * S);
    // What was told last comes once more, as it was not acknowledged, and says that it may have been read.
    let out = hear(&mut after, S / 2, &telling(10, &token, 2, 42, &gas()));
    assert_eq!((volumes(&out).len(), again(&out)), (1, vec![true]));
    let out = hear(&mut after, S, &telling(11, &token, 3, 42, &gas()));
    assert_eq!((volumes(&out).len(), again(&out)), (1, vec![false]));
    for end in 1..kept.1.len() {
        let cut = server(cjt188()).restore(KEY, &kept.1[..end], 0);
        assert!(cut == Err(NotRestored::Damaged) || (end == 2 && cut.is_ok()), "{end} bytes");
    }
    let device = Device { key: KEY, endpoint: "another".into(), carries: cjt188() };
    let mut other = Lwm2m::new(Settings::default(), vec![device], 1);
    assert_eq!(other.restore(KEY, &kept.1, 0), Err(NotRestored::OtherMeter));
    assert_eq!(other.restore(1, &kept.1, 0), Err(NotRestored::NoMeter));
    // A meter that goes is forgotten.
    let expired = after.tick(90_000 * S);
    assert_eq!(memories(&expired).len(), 1);
    assert!(after.clients().is_empty() && after.due_ns().is_none());
}

#[test]
fn a_request_is_sent_again() {
    let mut server = server(cjt188());
    let out = hear(&mut server, 0, &register(1, IMEI, "</19/0>"));
    let asked = sent(&out).remove(1);
    assert_eq!(server.due_ns(), Some(10 * S));
    assert_eq!(sent(&server.tick(10 * S)), [asked]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn any_bytes_are_something_or_nothing(
        payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 1..10),
        format in prop_oneof![Just(0u32), Just(42), Just(11_542), Just(60)],
        which in 0..3,
    ) {
        let path = Path::new(&[3424, 0, 1]);
        let (carries, objects) = match which {
            0 => (cjt188(), "</19/0>"),
            1 => (Carries::Raw, "</19/0>"),
            _ => (Carries::Resource { path, exponent: 127, unit: Unit::CubicMetre, float: true }, "</3424/0>"),
        };
        let mut server = server(carries);
        let token = observed(&mut server, objects);
        for (n, payload) in payloads.iter().enumerate() {
            let _ = server.heard(0, from(), payload);
            let out = hear(&mut server, S, &telling(100 + n as u16, &token, 2 + n as u32, format, payload));
            prop_assert!(out.len() <= 70);
            let _ = server.restore(KEY, payload, 0);
            let _ = server.restore(KEY, &[&[1, 1][..], payload].concat(), 0);
        }
    }
}

/// A meter counts on the registration that it was granted: what is kept of it is on the disk before it hears of that.
#[test]
fn what_a_meter_is_answered_is_kept_before() {
    let mut server = server(cjt188());
    for (id, at_ns) in [(1, 0), (1, 10 * S), (2, 20 * S)] {
        let out = hear(&mut server, at_ns, &register(id, IMEI, "</19/0>"));
        assert!(is_in_order(&out));
        let is_kept = |output: &Output| match output {
            Output::Answer { key, until_ns, .. } => *key == KEY && *until_ns > at_ns,
            Output::Send { .. } => false,
            Output::Event(_) => true,
        };
        assert!(!sent(&out).is_empty() && out.iter().all(is_kept), "{out:?}");
    }
    // Who is nobody's is refused at once.
    let out = hear(&mut server, 30 * S, &register(3, "another", "</19/0>"));
    assert!(out.iter().any(|output| matches!(output, Output::Send { .. })));
}

/// A frame of that hour and volume.
fn at_hour(hour: u8, low: u8) -> Vec<u8> {
    let mut frame = gas();
    let begin = frame.iter().position(|byte| *byte == 0x68).unwrap();
    // Identifier, the volume's low byte, the clock's hour.
    (frame[begin + 14], frame[begin + 26]) = (low, hour);
    let end = frame.len() - 2;
    frame[end] = frame[begin..end].iter().fold(0, |sum: u8, byte| sum.wrapping_add(*byte));
    frame
}

#[test]
fn frames_of_several_hours_in_one_telling_are_of_their_hours() {
    let mut server = server(cjt188());
    let token = observed(&mut server, "</19/0>");
    let now_ns = 100_000 * S;
    let times = |out: &[Output]| -> Vec<u64> {
        let read = out.iter().filter_map(|output| match output {
            Output::Event(Event::Read { t_ns, .. }) => Some(now_ns.saturating_sub(*t_ns) / S),
            _ => None,
        });
        read.collect()
    };
    let three = [at_hour(0x12, 0x80), at_hour(0x10, 0x78), at_hour(0x11, 0x79)].concat();
    let out = hear(&mut server, now_ns, &telling(10, &token, 2, 42, &three));
    assert_eq!(times(&out), [7_200, 3_600, 0], "{out:?}");
    assert!(volumes(&out).is_sorted() && volumes(&out).len() == 3);
    // Where the register falls nothing says which is right.
    let two = [at_hour(0x10, 0x80), at_hour(0x11, 0x79)].concat();
    let out = hear(&mut server, now_ns + S, &telling(11, &token, 3, 42, &two));
    assert!(volumes(&out).is_empty() && matches!(errors(&out)[..], [(KEY, Error::Malformed { .. })]));
}

/// A meter that was not heard for hours tells of each of them when it is heard again.
#[test]
fn a_frame_that_was_kept_is_of_its_own_time() {
    let mut server = server(cjt188());
    let token = observed(&mut server, "</19/0>");
    let (begin_ns, hour_ns) = (100_000 * S, 3_600 * S);
    let mut number = 2;
    let mut age_s = |at_ns: u64, hour: u8, low: u8| {
        number += 1;
        let frame = at_hour(hour, low);
        let out = hear(&mut server, at_ns, &telling(number, &token, number.into(), 42, &frame));
        let read = out.iter().find_map(|output| match output {
            Output::Event(Event::Read { t_ns, .. }) => Some((at_ns - t_ns) / S),
            _ => None,
        });
        read.unwrap()
    };
    assert_eq!(age_s(begin_ns, 0x10, 0x70), 0);
    assert_eq!(age_s(begin_ns + hour_ns + 9 * S, 0x11, 0x71), 0);
    let back_ns = begin_ns + 5 * hour_ns;
    assert_eq!(age_s(back_ns, 0x12, 0x72), 3 * 3_600);
    assert_eq!(age_s(back_ns + 4 * S, 0x13, 0x73), 2 * 3_600 + 4);
    assert_eq!(age_s(back_ns + 8 * S, 0x15, 0x74), 0);
    // The clock is set back.
    assert_eq!(age_s(back_ns + hour_ns, 0x13, 0x75), 0);
}

#[test]
fn a_telling_that_was_not_answered_before_a_crash_is_read_when_it_comes_again() {
    let mut before = server(cjt188());
    let token = observed(&mut before, "</19/0>");
    let telling = telling(10, &token, 2, 42, &gas());
    let out = hear(&mut before, 1_000 * S, &telling);
    let told = volumes(&out);
    assert_eq!(told.len(), 1);
    // What is to be kept of the meter is on the disk, the reading is not, nothing was answered, and gasd ends.
    let kept = memories(&out).remove(0).1;
    let mut after = server(cjt188());
    after.restore(KEY, &kept, 1_003 * S).unwrap();
    // The meter has heard no answer, and says it again. Had it been read before, too, its register is the same: no flow.
    let out = hear(&mut after, 1_005 * S, &telling);
    assert_eq!((volumes(&out), sent(&out).len(), errors(&out)), (told.clone(), 1, vec![]));
    assert!(is_in_order(&out));
    // Once more it is answered, and not read; and it is not, either, where it has a message of its own.
    let out = hear(&mut after, 1_008 * S, &telling);
    assert_eq!((volumes(&out).len(), sent(&out).len()), (0, 1));
    let out = hear(&mut after, 1_009 * S, &self::telling(11, &token, 2, 42, &gas()));
    assert_eq!((volumes(&out).len(), sent(&out).len(), errors(&out).len()), (0, 1, 1));
    let out = hear(&mut after, 1_010 * S, &self::telling(12, &token, 3, 42, &gas()));
    assert_eq!(volumes(&out), told);
}
