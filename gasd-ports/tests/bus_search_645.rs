// SPDX-License-Identifier: MIT OR Apache-2.0
//! Several meters of DL/T 645 on one line are found, though they answer the wildcard all at once.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "test code")]

mod house;

use gasd_lab::{Habits, Line, Meter};
use gasd_meters::detect::Protocol;
use gasd_meters::dlt645::{Address, Standard};
use gasd_meters::drive::scan::{Bounds, Search};
use gasd_ports::bus::Searched;
use house::{MINUTE, START, Wire, truth};

/// The addresses found on a line with meters of these, and how many minutes it took.
fn found(numbers: &[[u8; 6]], standard: Standard, seed: u64) -> (Vec<String>, u64) {
    let meter = |(n, number): (usize, &[u8; 6])| -> Box<dyn Meter> {
        let settings =
            gasd_lab::dlt645::Settings { standard, ..gasd_lab::dlt645::Settings::new(Address(*number)) };
        let habits = Habits { seed: seed + n as u64, ..Habits::default() };
        Box::new(gasd_lab::dlt645::SwitchMeter::new(settings, habits, truth(n as u64)))
    };
    let mut wire = Wire::new(Line::new(2_400), Vec::new());
    wire.lab = gasd_lab::Bus::new(
        Line { seed, ..Line::new(2_400) },
        numbers.iter().enumerate().map(meter).collect(),
    );
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
                Searched::Asking(_) => {}
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
            let (found, minutes) = found(&numbers, standard, seed);
            assert_eq!(found, ["123456789012", "123456789013", "123456789112"], "{standard:?}, {seed}");
            assert!(minutes <= 12, "{minutes}");
            println!("{standard:?}, {seed}: {minutes} min");
        }
    }
}
