// SPDX-License-Identifier: MIT OR Apache-2.0
//! The search for meters, on lines that are played.

#[path = "common/line.rs"]
mod line;

use gasd_meters::cjt188::{self, Order};
use gasd_meters::detect::Protocol;
use gasd_meters::dlt645::{self, Standard};
use gasd_meters::drive::{Bounds, Device, FoundMeter, Search};
use gasd_meters::mbus::{ACK, Address, Frame, Function, Link};
use gasd_meters::{Medium, crc, hart, modbus};
use line::talk;
use proptest::prelude::*;

/// What a line with these answers has, and how often it was asked.
fn search(
    protocol: Protocol,
    bounds: &Bounds,
    mut answer: impl FnMut(&[u8]) -> Vec<u8>,
) -> (Vec<FoundMeter>, usize) {
    let (mut search, mut found, mut n) = (Search::new(&[protocol], bounds), vec![], 0);
    while let Some(probing) = search.next() {
        assert_eq!(probing.protocol, protocol);
        assert!(!probing.what.is_empty());
        let (finished, asked) = talk(probing.dialogue, &mut answer);
        assert!(asked.len() <= 2);
        n += asked.len();
        found.extend(search.heard(&finished));
        assert!(n < 20_000, "a search without an end");
    }
    assert!(search.next().is_none());
    (found, n)
}

fn addresses(found: &[FoundMeter]) -> Vec<&str> {
    found.iter().map(|meter| meter.address.as_deref().unwrap_or("?")).collect()
}

/// A frame of a CJ/T 188 gas meter.
fn frame188(control: u8, data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x68, 0x30, 2, 1, 0, 6, 0x16, 5, 0x23, control, data.len() as u8];
    bytes.extend(data);
    bytes.extend([crc::sum(&bytes), 0x16]);
    bytes
}

#[test]
fn a_cjt188_meter_is_found_in_either_order_with_and_without_an_address_to_read() {
    for (order, has_address, asks) in [
        (Order::HighFirst, true, 6),
        (Order::LowFirst, true, 6),
        (Order::HighFirst, false, 7),
        (Order::LowFirst, false, 7),
    ] {
        let (found, n) = search(Protocol::Cjt188, &Bounds::default(), |request| {
            let request = cjt188::Frame::parse(cjt188::find(request).unwrap()).unwrap();
            let high_first = request.data[0] >= 0x80 && request.data[0] != 0x8A;
            if high_first != (order == Order::HighFirst) || (request.function() == 3 && !has_address) {
                return vec![];
            }
            let more: &[u8] = if request.function() == 3 { &[] } else { &[0; 19] };
            frame188(request.control | 0x80, &[&request.data[..3], more].concat())
        });
        assert_eq!((addresses(&found), n), (vec!["23051606000102"], asks));
        assert_eq!(found[0].identity.medium, Medium::Gas);
        assert!(matches!(found[0].device, Some(Device::Cjt188 { kind: 0x30, .. })));
    }
    assert_eq!(search(Protocol::Cjt188, &Bounds::default(), |_| vec![]), (vec![], 8));
    assert_eq!(search(Protocol::Cjt188, &Bounds { quick: true, ..Bounds::default() }, |_| vec![]).1, 2);
}

#[test]
fn several_that_answer_a_wildcard_are_told() {
    for protocol in [Protocol::Cjt188, Protocol::Dlt645] {
        let (found, _) = search(protocol, &Bounds { quick: true, ..Bounds::default() }, |request| {
            let mut bytes = match protocol {
                Protocol::Cjt188 => frame188(0x83, &[0x81, 0x0A, 0]),
                _ => frame645(request[12] | 0x80, &[1, 2, 3, 4, 5, 6]),
            };
            let end = bytes.len() - 2;
            bytes[end] ^= 0x41;
            bytes
        });
        assert_eq!(addresses(&found), ["?"]);
        for words in ["several answer at once", "disconnect all but one", "on its label"] {
            assert!(found[0].words.contains(words), "{}", found[0].words);
        }
    }
    // One that is damaged once and understood then is found, and nothing else is said to be there.
    let mut n = 0;
    let (found, _) = search(Protocol::Cjt188, &Bounds::default(), |request| {
        n += 1;
        let request = cjt188::Frame::parse(cjt188::find(request).unwrap()).unwrap();
        let mut bytes = frame188(0x83, &request.data[..3]);
        bytes[3] ^= u8::from(n == 1);
        bytes
    });
    assert_eq!(addresses(&found), ["23051606000102"]);
    // Beside one that is whole others destroy each other, each time.
    let (found, _) = search(Protocol::Cjt188, &Bounds::default(), |request| {
        let request = cjt188::Frame::parse(cjt188::find(request).unwrap()).unwrap();
        let whole = frame188(request.control | 0x80, &request.data[..3]);
        let mut damaged = whole.clone();
        damaged[3] ^= 1;
        [whole, damaged].concat()
    });
    assert_eq!(addresses(&found), ["23051606000102", "?"]);
    assert!(found[1].words.contains("beside what was found"), "{}", found[1].words);
}

#[test]
fn cjt188_meters_that_answer_one_after_the_other_are_all_found() {
    let (found, n) = search(Protocol::Cjt188, &Bounds::default(), |request| {
        let request = cjt188::Frame::parse(cjt188::find(request).unwrap()).unwrap();
        let answer = |number: u8| {
            let mut bytes = frame188(request.control | 0x80, &request.data[..3]);
            bytes[2] = number;
            let end = bytes.len() - 2;
            bytes[end] = crc::sum(&bytes[..end]);
            bytes
        };
        // What an adapter says when it turns round is no meter.
        [answer(1), vec![0, 0xFF], answer(2), answer(2), vec![0]].concat()
    });
    assert_eq!(addresses(&found), ["23051606000101", "23051606000102", "?"]);
    assert!(found[2].words.contains("two answers of the address 23051606000102"), "{}", found[2].words);
    assert_eq!(n, 4);
}

fn frame645(control: u8, data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x68, 0x12, 0x90, 0x78, 0x56, 0x34, 0x12, 0x68, control, data.len() as u8];
    bytes.extend(data.iter().map(|byte| byte.wrapping_add(0x33)));
    bytes.extend([crc::sum(&bytes), 0x16]);
    bytes
}

#[test]
fn a_dlt645_meter_is_found_by_what_it_has() {
    for (function, standard) in [(0x13, Standard::V2007), (0x11, Standard::V2007), (0x01, Standard::V1997)] {
        let (found, _) = search(Protocol::Dlt645, &Bounds::default(), |request| {
            let request = dlt645::Frame::parse(dlt645::find(request).unwrap()).unwrap();
            match request.function() {
                asked if asked != function => vec![],
                0x13 => frame645(0x93, &[0x12, 0x90, 0x78, 0x56, 0x34, 0x12]),
                _ => frame645(request.control | 0x80, &[&request.data[..], &[0; 4]].concat()),
            }
        });
        assert_eq!(addresses(&found), ["123456789012"]);
        assert!(matches!(found[0].device, Some(Device::Dlt645 { standard: is, .. }) if is == standard));
    }
}

/// What the meters of an M-Bus say together: one alone is understood, several are not.
#[derive(Default)]
struct Bus {
    meters: Vec<(u8, Address)>,
    selected: Vec<usize>,
    /// Several acknowledgements sound like one.
    clean: bool,
    mute: bool,
}

impl Bus {
    fn answer(&mut self, request: &[u8]) -> Vec<u8> {
        let frame = Frame::parse(request).expect("a frame");
        let link = frame.link().expect("a request");
        if frame.ci() == Some(0x52) {
            let data = frame.data();
            let selection = Address {
                id: [data[0], data[1], data[2], data[3]],
                manufacturer: u16::from_le_bytes([data[4], data[5]]),
                version: data[6],
                medium: data[7],
            };
            let matches = |n: &usize| self.meters[*n].1.matches(&selection);
            self.selected = (0..self.meters.len()).filter(matches).collect();
            return self.together(&self.selected.clone(), |_| vec![ACK]);
        }
        let of =
            |n: &usize| link.address == 253 && self.selected.contains(n) || self.meters[*n].0 == link.address;
        let meters: Vec<usize> = (0..self.meters.len()).filter(of).collect();
        match link.function() {
            Function::Reset if self.mute => vec![],
            Function::Reset => self.together(&meters, |_| vec![ACK]),
            Function::RequestData => self.together(&meters, |n| {
                let (primary, address) = self.meters[n];
                let data = [&address.to_wire()[..], &[0, 0, 0, 0, 0x04, 0x13, 1, 0, 0, 0]].concat();
                Frame::Long(Link { control: 0x08, address: primary }, 0x72, &data)
                    .encode()
                    .expect("a telegram")
            }),
            other => panic!("{other:?}"),
        }
    }

    fn together(&self, meters: &[usize], say: impl Fn(usize) -> Vec<u8>) -> Vec<u8> {
        match meters {
            [] => vec![],
            &[one] => say(one),
            &[one, ..] => {
                let mut bytes = say(one);
                if bytes == [ACK] && !self.clean {
                    return vec![0x65];
                }
                if bytes.len() > 1 {
                    bytes[9] ^= 0x55;
                }
                bytes
            }
        }
    }
}

fn meter(number: u32) -> Address {
    let mut id = [0; 4];
    assert!(gasd_meters::bcd::encode(number.into(), &mut id));
    Address { id, manufacturer: 0x1593, version: 0x33, medium: 3 }
}

#[test]
fn primary_addresses_are_asked_one_by_one() {
    let bounds = Bounds { mbus_secondary: None, ..Bounds::default() };
    let meters = vec![(0, meter(1)), (0, meter(2)), (7, meter(12_345_678)), (250, meter(3))];
    for mute in [false, true] {
        let mut bus = Bus { meters: meters.clone(), mute, ..Bus::default() };
        let (found, _) = search(Protocol::Mbus, &bounds, |request| bus.answer(request));
        assert_eq!(addresses(&found), ["?", "7", "250"]);
        assert_eq!(found[1].identity.id, "12345678");
        assert!(found[1].words.contains("12345678.ELS.33.03"), "{}", found[1].words);
    }
    let (found, n) = search(Protocol::Mbus, &Bounds { quick: true, ..bounds.clone() }, |_| vec![]);
    assert_eq!((found, n), (vec![], 251));
    // It acknowledges everything and has no reading.
    let bounds = Bounds { mbus_primary: 5..=5, ..bounds };
    let (found, _) =
        search(Protocol::Mbus, &bounds, |request| if request[1] == 0x40 { vec![ACK] } else { vec![] });
    assert_eq!(addresses(&found), ["5"]);
    assert!(found[0].words.contains("no reading"));
}

#[test]
#[allow(clippy::reversed_empty_ranges, reason = "no primary address at all")]
fn a_line_that_is_never_quiet_ends_too() {
    let bounds = Bounds { mbus_primary: 1..=0, ..Bounds::default() };
    let (found, n) = search(Protocol::Mbus, &bounds, |_| vec![0x55; 7]);
    assert_eq!((n, found.len()), (5000, 17));
    assert!(found.last().unwrap().words.contains("given up"), "{found:?}");
}

fn modbus_frame(unit: u8, function: u8, data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![unit, function];
    bytes.extend(data);
    bytes.extend(crc::modbus(&bytes).to_le_bytes());
    bytes
}

#[test]
fn modbus_units_are_found_by_any_answer() {
    let (found, n) = search(Protocol::Modbus, &Bounds::default(), |request| {
        let request = modbus::Frame::parse(request).unwrap();
        match (request.unit, request.function) {
            (1, 0x2B) => {
                let objects = [&[0, 4][..], b"ACME", &[1, 5], b"EVC-1", &[2, 2], b"v2"].concat();
                modbus_frame(1, 0x2B, &[&[0x0E, 1, 1, 0, 0, 3][..], &objects].concat())
            }
            (1, 3) => modbus_frame(1, 3, &[2, 0, 7]),
            (9, function) => modbus_frame(9, function | 0x80, &[1]),
            (247, 0x11) => modbus_frame(247, 0x11, &[8, 1, 0xFF, b'R', b'T', b'U', b' ', b'4', b'2']),
            (30, 3) => modbus_frame(31, 3, &[2, 0, 7]),
            (40 | 50, 3) | (40, 0x11) => {
                let mut bytes = modbus_frame(request.unit, 3, &[2, 0, 7]);
                bytes[4] ^= 1;
                bytes
            }
            _ => vec![],
        }
    });
    assert_eq!(addresses(&found), ["1", "9", "?", "247"]);
    assert_eq!(found[0].identity.manufacturer.as_deref(), Some("ACME"));
    assert_eq!(found[0].words, "ACME, EVC-1, v2");
    assert_eq!(found[1].words, "it does not say what it is");
    assert!(found[2].words.contains("as unit 40"), "and one damaged answer, as unit 50's, is noise");
    assert_eq!(found[3].words, "RTU 42");
    assert_eq!(n, 247 * 3 - 1);
    let (_, n) = search(Protocol::Modbus, &Bounds { quick: true, ..Bounds::default() }, |_| vec![]);
    assert_eq!(n, 247);
}

#[test]
fn hart_devices_are_found_by_their_poll_addresses() {
    let (found, _) = search(Protocol::Hart, &Bounds::default(), |request| {
        let request = hart::Frame::parse(hart::find(request).unwrap()).unwrap();
        assert_eq!(request.master, hart::Master::Secondary);
        let hart::Address::Polling(poll) = request.address else { panic!("{:?}", request.address) };
        if !matches!(poll, 0 | 63 | 5) {
            return vec![];
        }
        let data = [0, 0, 0xFE, 0x26, 0x06, 5, 7, 1, 1, 8, 0, 0xBC, 0x61, poll];
        let mut bytes = vec![0x06, poll, 0, data.len() as u8];
        bytes.extend(data);
        bytes.push(crc::xor(&bytes) ^ u8::from(poll == 5));
        [vec![0xFF; 5], bytes].concat()
    });
    assert_eq!(addresses(&found), ["0", "?", "63"]);
    assert_eq!(
        (found[0].identity.id.as_str(), found[0].words.as_str()),
        ("BC6100", "long address 2606-BC6100, HART 7")
    );
}

#[test]
fn protocols_are_searched_one_after_the_other_and_without_a_word_on() {
    let mut search = Search::new(&Protocol::ALL, &Bounds { mbus_selects: 50, ..Bounds::default() });
    let (mut protocols, mut n) = (vec![], 0);
    while let Some(probing) = search.next() {
        protocols.push(probing.protocol);
        n += 1;
        assert!(n < 5000);
    }
    protocols.dedup();
    assert_eq!(protocols, Protocol::ALL);
    // Nobody asked: there is nothing to hear.
    let (finished, _) =
        talk(Search::new(&[Protocol::Hart], &Bounds::default()).next().unwrap().dialogue, |_| vec![]);
    assert_eq!(search.heard(&finished), vec![]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    #[allow(clippy::reversed_empty_ranges, reason = "no primary address at all")]
    fn every_secondary_address_is_found(
        numbers in proptest::collection::hash_set(prop_oneof![0..100_000_000u32, 12_345_600..12_345_700u32], 0..6),
        clean in any::<bool>(),
    ) {
        let meters = numbers.iter().enumerate().map(|(n, &number)| (n as u8, meter(number))).collect();
        let mut bus = Bus { meters, clean, ..Bus::default() };
        let bounds = Bounds { mbus_primary: 1..=0, ..Bounds::default() };
        let (found, _) = search(Protocol::Mbus, &bounds, |request| bus.answer(request));
        let mut found: Vec<String> = found.into_iter().filter_map(|meter| meter.address).collect();
        let mut all: Vec<String> = bus.meters.iter().map(|(_, address)| address.to_string()).collect();
        found.sort();
        all.sort();
        prop_assert_eq!(found, all);
    }

    #[test]
    fn a_search_ends_whatever_is_heard(
        heard in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..20), 1..20),
        protocol in 0..5usize,
    ) {
        let bounds = Bounds { mbus_primary: 0..=3, mbus_selects: 30, modbus: 1..=3, hart: 0..=3, ..Bounds::default() };
        let mut heard = heard.into_iter().cycle();
        let (_, n) = search(Protocol::ALL[protocol], &bounds, |_| heard.next().unwrap());
        prop_assert!(n < 2_500);
    }
}
