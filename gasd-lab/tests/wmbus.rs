// SPDX-License-Identifier: MIT OR Apache-2.0
//! Meters of wireless M-Bus in virtual time: what is on the air is what the log and the truth say, and the same seed gives
//! the same course. That what they send is understood is tested where it is read, in gasd-ports.
#![allow(clippy::unwrap_used, reason = "test code")]

mod common;

use common::{SECOND, truth};
use gasd_lab::truth::look;
use gasd_lab::wmbus::{Air, Fate, Form, Log, Protection, Receiver, Settings, Transmitter, look_at};
use gasd_lab::{Bus, Line, Noise};
use gasd_meters::wmbus::{Format, Key, Telegram};

const NUMBER: [u8; 4] = [0x78, 0x56, 0x34, 0x12];

fn bus(settings: Settings, seed: u64, line: Line) -> (Bus, Log, gasd_lab::Shared) {
    let gas = truth(0);
    let meter = Transmitter::new(settings, gas.clone(), SECOND, seed);
    let log = meter.log().clone();
    (Bus::new(line, vec![Box::new(Receiver::new(Form::Binary(Format::A), vec![meter]))]), log, gas)
}

fn bad() -> Air {
    Air {
        lost_ppm: 200_000,
        damaged_ppm: 100_000,
        repeated_ppm: 200_000,
        replayed_ppm: 100_000,
        altered_ppm: 100_000,
        dead: std::iter::once(500 * SECOND..600 * SECOND).collect(),
    }
}

fn settings(protection: Protection, air: Air) -> Settings {
    Settings { air, ..Settings::new(NUMBER, protection, Key::new([1; 16])) }
}

#[test]
fn it_sends_by_itself_at_its_interval_and_the_truth_knows_each_value() {
    let (mut bus, log, gas) = bus(settings(Protection::Mode7, Air::default()), 1, Line::new(115_200));
    assert!(bus.take(SECOND - 1).is_empty());
    let mut telegrams = 0;
    while bus.due_ns().unwrap() < 95 * SECOND {
        let due = bus.due_ns().unwrap();
        let bytes = bus.take(due + SECOND / 10);
        if !bytes.is_empty() {
            let telegram = Telegram::parse(&bytes, Some(Format::A)).unwrap();
            assert_eq!(telegram.sender.to_string(), "12345678.GSD.01.03");
            telegrams += 1;
        }
    }
    let (log, gas) = (look_at(&log), look(&gas));
    assert_eq!((telegrams, log.len(), gas.answered().len()), (10, 10, 10));
    for (n, (sent, answered)) in log.iter().zip(gas.answered()).enumerate() {
        assert_eq!((sent.at_ns, sent.said_ul), *answered);
        assert_eq!(
            (sent.at_ns, sent.counter, sent.fate),
            ((1 + 10 * n as u64) * SECOND, 1 + n as u32, Fate::Heard)
        );
    }
}

#[test]
fn shares_are_as_asked_and_a_dead_meter_is_silent() {
    let (mut bus, log, _) = bus(settings(Protection::Mode7, bad()), 5, Line::new(115_200));
    bus.take(20_000 * SECOND);
    let log = look_at(&log);
    let count = |fate| log.iter().filter(|sent| sent.fate == fate).count();
    let own = |sent: &&gasd_lab::wmbus::Sent| matches!(sent.fate, Fate::Heard | Fate::Lost | Fate::Damaged);
    assert_eq!(log.iter().filter(own).count(), 1_990);
    assert!(log.iter().filter(own).all(|sent| !(500..600).contains(&(sent.at_ns / SECOND))));
    let shares = [Fate::Lost, Fate::Damaged, Fate::Repeated, Fate::Replayed, Fate::Altered].map(count);
    let wanted = [398.0, 159.0, 398.0, 199.0, 199.0];
    for (got, wanted) in shares.into_iter().zip(wanted) {
        assert!((got as f64 - wanted).abs() < 0.25 * wanted, "{shares:?} for {wanted:?}");
    }
    // Without a code nobody could tell: it is not made.
    let (mut open, log, _) = self::bus(settings(Protection::Open, bad()), 5, Line::new(115_200));
    open.take(2_000 * SECOND);
    assert!(look_at(&log).iter().all(|sent| sent.fate != Fate::Altered));
}

#[test]
fn the_same_seed_gives_the_same_air_and_the_line_has_its_own_noise() {
    let course = |seed| {
        let (mut bus, log, _) = bus(settings(Protection::Mode5, bad()), seed, Line::new(115_200));
        let bytes = bus.take(3_000 * SECOND);
        (bytes, look_at(&log).clone())
    };
    assert_eq!(course(7), course(7));
    assert_ne!(course(7).1, course(8).1);
    let line = Line { noise: Noise::share(50_000), ..Line::new(115_200) };
    let (mut bus, ..) = bus(settings(Protection::Open, Air::default()), 1, line);
    bus.take(1_000 * SECOND);
    assert!(bus.corrupted().0 > 50, "{:?}", bus.corrupted());
}

#[test]
fn compact_telegrams_follow_a_full_one_where_there_are_any() {
    for (protection, compact) in [(Protection::Open, 3), (Protection::LinkLayer, 3), (Protection::Mode7, 3)] {
        let settings = Settings { compact, ..settings(protection, Air::default()) };
        let (mut bus, log, _) = bus(settings, 1, Line::new(115_200));
        bus.take(75 * SECOND);
        let compact: Vec<bool> = look_at(&log).iter().map(|sent| sent.compact).collect();
        let wanted = [false, true, true, true].repeat(2);
        let none = protection == Protection::Mode7;
        assert_eq!(compact, if none { vec![false; 8] } else { wanted }, "{protection:?}");
    }
}
