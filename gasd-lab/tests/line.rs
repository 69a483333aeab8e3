// SPDX-License-Identifier: MIT OR Apache-2.0
//! The line itself, with meters that say one thing; and every meter with nonsense.
#![allow(clippy::unwrap_used, reason = "test code")]

mod common;

use common::{MS, SECOND, truth};
use gasd_lab::{Bus, Habits, Line, Meter, Noise, Reply, Shared, cjt188, dlt645, hart, mbus, modbus};
use gasd_meters::dlt645::Standard;
use proptest::prelude::*;

/// Answers a byte 1 with `says` after `after_ns`, and remembers all it hears.
struct Parrot {
    after_ns: u64,
    says: Vec<u8>,
    truth: Shared,
    heard: std::sync::Arc<std::sync::Mutex<Vec<(u64, u8)>>>,
}

impl Meter for Parrot {
    fn heard(&mut self, now_ns: u64, bytes: &[u8]) -> Vec<Reply> {
        self.heard.lock().unwrap().extend(bytes.iter().map(|byte| (now_ns, *byte)));
        if bytes == [1] {
            vec![Reply { after_ns: self.after_ns, bytes: self.says.clone() }]
        } else {
            Vec::new()
        }
    }

    fn due_ns(&self) -> Option<u64> {
        None
    }

    fn truth(&self) -> &Shared {
        &self.truth
    }
}

/// What each of a line's parrots has heard, and when, ns.
type Heard = Vec<std::sync::Arc<std::sync::Mutex<Vec<(u64, u8)>>>>;

fn parrots(line: Line, of: &[(u64, &[u8])]) -> (Bus, Heard) {
    let heard: Heard = of.iter().map(|_| Default::default()).collect();
    let meters = of.iter().zip(&heard).map(|((after_ns, says), heard)| {
        let (says, heard) = (says.to_vec(), heard.clone());
        Box::new(Parrot { after_ns: *after_ns, says, truth: truth(0), heard }) as Box<_>
    });
    (Bus::new(line, meters.collect()), heard)
}

const LINE: Line = Line { byte_ns: MS, ..Line::new(2400) };

#[test]
fn bytes_take_their_time_and_wait_for_each_other() {
    let (mut bus, heard) = parrots(LINE, &[(10 * MS, &[7, 8])]);
    assert_eq!(bus.due_ns(), None);
    bus.sent(100 * MS, &[9, 1]);
    bus.sent(100 * MS, &[9]);
    assert_eq!(bus.due_ns(), Some(101 * MS));
    assert!(bus.take(112 * MS).is_empty());
    assert_eq!(heard[0].lock().unwrap()[..], [(101 * MS, 9), (102 * MS, 1), (103 * MS, 9)]);
    assert_eq!((bus.take(113 * MS), bus.due_ns()), (vec![7], Some(114 * MS)));
    assert_eq!((bus.take(114 * MS), bus.due_ns()), (vec![8], None));
    assert_eq!(bus.corrupted(), (0, 5));
    assert_eq!(heard[0].lock().unwrap().len(), 3, "it does not hear itself");
}

#[test]
fn two_at_once_spoil_each_other_unless_they_say_the_same() {
    let (mut bus, _) = parrots(LINE, &[(5 * MS, &[0xE5]), (5 * MS, &[0xE5])]);
    bus.sent(0, &[1]);
    assert_eq!(bus.take(SECOND), [0xE5]);
    let (mut bus, _) = parrots(LINE, &[(5 * MS, &[0xF0]), (5 * MS, &[0x3C])]);
    bus.sent(0, &[1]);
    assert_eq!(bus.take(SECOND), [0x30], "the level that is driven wins");
    // Half a byte apart: as many bytes as the longer one has, and none of them is whole.
    let said = [0x55; 40];
    let (mut bus, heard) = parrots(LINE, &[(5 * MS, &said), (5 * MS + MS / 2, &said), (500 * MS, &[3])]);
    bus.sent(0, &[1]);
    let spoiled = bus.take(100 * MS);
    assert_eq!(spoiled.len(), 40);
    assert!(spoiled.iter().filter(|byte| **byte == 0x55).count() < 5, "{spoiled:02X?}");
    let third: Vec<u8> = heard[2].lock().unwrap().iter().skip(1).map(|(_, byte)| *byte).collect();
    assert_eq!(third, spoiled, "all hear the same");
    // The host while a meter speaks.
    for echo in [false, true] {
        let (mut bus, _) = parrots(Line { echo, ..LINE }, &[(5 * MS, &said)]);
        bus.sent(0, &[1]);
        bus.sent(10 * MS + MS / 2, &said[..10]);
        let arrived = bus.take(SECOND);
        let whole = arrived.iter().filter(|byte| **byte == 0x55).count();
        assert!((28..=32).contains(&whole), "{echo} {arrived:02X?}");
        assert_eq!(arrived.len(), if echo { 41 } else { 30 }, "without echo it hears nothing while it sends");
    }
}

/// One meter of each kind.
fn zoo(line: Line, habits: &Habits) -> Bus {
    let of = |n| (habits.clone(), truth(n));
    let mut meters: Vec<Box<dyn Meter>> = Vec::new();
    let (habits, truth) = of(0);
    let settings = cjt188::Settings::new("33780000000001".parse().unwrap());
    meters.push(Box::new(cjt188::GasMeter::new(settings, habits, truth)));
    for standard in [Standard::V2007, Standard::V1997] {
        let (habits, truth) = of(1);
        let settings = dlt645::Settings::new("202600000001".parse().unwrap());
        let settings = dlt645::Settings { standard, part: 0, tariffs: 255, ..settings };
        meters.push(Box::new(dlt645::SwitchMeter::new(settings, habits, truth)));
    }
    let (habits, truth) = of(2);
    let quirks = mbus::Quirks { own: 255, fillers: 255, ..mbus::Quirks::ALL };
    let settings = mbus::Settings { telegrams: 255, quirks, ..mbus::Settings::new(1, [1, 0, 0, 0]) };
    meters.push(Box::new(mbus::GasMeter::new(settings, habits, truth)));
    let (habits, truth) = of(3);
    meters.push(Box::new(modbus::Corrector::new(modbus::Settings::new(1), habits, truth)));
    let (habits, truth) = of(4);
    meters.push(Box::new(hart::FlowComputer::new(hart::Settings::new(1, 7), habits, truth)));
    Bus::new(line, meters)
}

/// Frames to the zoo, with their checks made right; or nonsense.
fn words() -> impl Strategy<Value = Vec<u8>> {
    let sum = |head: Vec<u8>| {
        move |body: Vec<u8>| {
            let mut bytes = [&head[..], &body].concat();
            bytes.extend([gasd_meters::crc::sum(&bytes), 0x16]);
            bytes
        }
    };
    let any_bytes = |n| prop::collection::vec(any::<u8>(), 0..n);
    let cjt188 = (0u8..64, any_bytes(12)).prop_map(move |(control, data)| {
        let head = vec![0x68, 0xAA, 1, 0, 0, 0, 0, 0x78, 0x33, control, data.len() as u8];
        sum(head)(data)
    });
    let dlt645 = (0u8..32, any_bytes(20)).prop_map(move |(control, data)| {
        let head = vec![0x68, 0xAA, 0xAA, 0xAA, 0xAA, 0xAA, 0xAA, 0x68, control, data.len() as u8];
        let data = data.iter().map(|byte| byte.wrapping_add(0x33)).collect();
        sum(head)(data)
    });
    let mbus = (any::<u8>(), prop_oneof![Just(1u8), Just(253), Just(254), Just(255)], any_bytes(20))
        .prop_map(|(control, address, data)| {
            let link = gasd_meters::mbus::Link { control: control | 0x40, address };
            match data.split_first() {
                Some((ci, data)) => gasd_meters::mbus::Frame::Long(link, *ci, data).encode().unwrap(),
                None => gasd_meters::mbus::Frame::Short(link).encode().unwrap(),
            }
        });
    let modbus = (0u8..2, any::<u8>(), any_bytes(12)).prop_map(|(unit, function, data)| {
        let mut bytes = [&[unit, function][..], &data].concat();
        bytes.extend(gasd_meters::crc::modbus(&bytes).to_le_bytes());
        bytes
    });
    let hart = (any::<u8>(), any_bytes(12)).prop_map(|(command, data)| {
        let mut bytes = [&[0x02, 0x81, command, data.len() as u8][..], &data].concat();
        bytes.push(gasd_meters::crc::xor(&bytes));
        bytes
    });
    prop_oneof![cjt188, dlt645, mbus, modbus, hart, any_bytes(40)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn no_meter_breaks_whatever_it_hears(words in prop::collection::vec((words(), 1u64..2_000), 1..20), seed in any::<u64>()) {
        let noise = Noise { corrupt_ppm: 5_000, burst: 2, stray_ppm: 1_000 };
        let line = Line { noise, seed, ..Line::new(9600) };
        let mut bus = zoo(line, &Habits { seed, ..Habits::quirky(seed, 300 * MS) });
        let mut now = 0;
        for (bytes, wait) in words {
            bus.sent(now, &bytes);
            now += wait * MS;
            bus.take(now);
        }
        bus.take(now + 20 * SECOND);
        let (corrupted, all) = bus.corrupted();
        prop_assert!(corrupted <= all);
    }
}
