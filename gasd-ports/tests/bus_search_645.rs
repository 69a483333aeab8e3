// SPDX-License-Identifier: MIT OR Apache-2.0
//! Meters of DL/T 645 on one line are found: several that answer the wildcard at once, several that answer it one after the
//! other, and one on a line that is disturbed.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "test code")]

mod house;

use gasd_lab::{Habits, Line, Meter, Noise};
use gasd_meters::detect::Protocol;
use gasd_meters::dlt645::{Address, Standard};
use gasd_meters::drive::scan::{Bounds, Search};
use gasd_ports::bus::Searched;
use house::{MINUTE, MS, START, Wire, truth};

/// A meter: its address, its edition, and from when to when it answers, ms.
type One = ([u8; 6], Standard, (u64, u64));

/// When a meter answers that is as most are, ms.
const SOON: (u64, u64) = (20, 60);

/// The addresses found on a line with these meters, and how many minutes it took.
fn found(meters: &[One], line: Line) -> (Vec<String>, u64) {
    let meter = |(n, (number, standard, think)): (usize, &One)| -> Box<dyn Meter> {
        let settings = gasd_lab::dlt645::Settings {
            standard: *standard,
            ..gasd_lab::dlt645::Settings::new(Address(*number))
        };
        let think_ns = (think.0 * MS, think.1 * MS);
        let habits = Habits { seed: line.seed + n as u64, think_ns, ..Habits::default() };
        Box::new(gasd_lab::dlt645::SwitchMeter::new(settings, habits, truth(n as u64)))
    };
    let mut wire = Wire::new(Line::new(2_400), Vec::new());
    wire.lab = gasd_lab::Bus::new(line, meters.iter().enumerate().map(meter).collect());
    wire.bus.search(Search::new(&[Protocol::Dlt645], &Bounds::default()));
    let mut found = Vec::new();
    for minute in 1..120 {
        wire.run(START + minute * MINUTE);
        for searched in wire.bus.searched() {
            match searched {
                Searched::Found(meter) => found.push(meter.address.unwrap_or(meter.words)),
                Searched::Done => {
                    found.sort();
                    return (found, minute);
                }
                Searched::Asking(_) | Searched::Slow { .. } => {}
            }
        }
    }
    panic!("a search without an end: {found:?}");
}

#[test]
fn meters_that_answer_at_once_are_found_by_parts_of_their_addresses() {
    let numbers = [
        [0x12, 0x90, 0x78, 0x56, 0x34, 0x12],
        [0x13, 0x90, 0x78, 0x56, 0x34, 0x12],
        [0x12, 0x91, 0x78, 0x56, 0x34, 0x12],
    ];
    for standard in [Standard::V2007, Standard::V1997] {
        for seed in [1, 20, 300, 4_000, 50_000] {
            let meters = numbers.map(|number| (number, standard, SOON));
            let (found, minutes) = found(&meters, Line { seed, ..Line::new(2_400) });
            assert_eq!(found, ["123456789012", "123456789013", "123456789112"], "{standard:?}, {seed}");
            assert!(minutes <= 12, "{minutes}");
            println!("{standard:?}, {seed}: {minutes} min");
        }
    }
}

#[test]
fn meters_that_answer_one_after_the_other_are_all_found_in_either_edition() {
    let (new, old) = (Standard::V2007, Standard::V1997);
    let number = |n| [n, 0x90, 0x78, 0x56, 0x34, 0x12];
    let meters = [
        (number(0x12), new, SOON),
        (number(0x13), new, (300, 450)),
        (number(0x14), old, SOON),
        (number(0x15), old, (300, 450)),
    ];
    for seed in [1, 20, 300, 4_000, 50_000] {
        let (found, minutes) = found(&meters, Line { seed, ..Line::new(2_400) });
        assert_eq!(found, ["123456789012", "123456789013", "123456789014", "123456789015"], "{seed}");
        assert!(minutes <= 1, "{minutes}");
    }
}

#[test]
fn a_meter_on_a_disturbed_line_is_found() {
    // One byte of fifty is another one: half of the exchanges fail.
    for seed in 1..40 {
        let noise = Noise::share(20_000);
        let meter = ([0x12, 0x90, 0x78, 0x56, 0x34, 0x12], Standard::V2007, SOON);
        let (found, minutes) = found(&[meter], Line { seed, noise, ..Line::new(2_400) });
        assert!(found.contains(&"123456789012".to_owned()), "{seed}: {found:?}");
        println!("{seed}: {minutes} min, {found:?}");
    }
}
