// SPDX-License-Identifier: MIT OR Apache-2.0
//! The search for meters, on lines with any meters.

use gasd_meters::mbus::{Address, Heard, Search, Step};
use proptest::prelude::*;

fn meter() -> Address {
    "12345678.ELS.33.03".parse().expect("an address")
}

/// A line with meters: what a select or a reading is answered with. `clean`: several E5 sound like one.
fn heard(meters: &[Address], selected: &mut Vec<Address>, step: Step, clean: bool) -> Heard {
    match step {
        Step::Select(selection) => {
            *selected = meters.iter().copied().filter(|meter| meter.matches(&selection)).collect();
            match selected.len() {
                0 => Heard::Nothing,
                1 => Heard::Ack,
                _ if clean => Heard::Ack,
                _ => Heard::Collision,
            }
        }
        Step::Read => match selected[..] {
            [] => Heard::Nothing,
            [meter] => Heard::Meter(meter),
            _ => Heard::Collision,
        },
    }
}

fn bcd_id(number: u32) -> [u8; 4] {
    let mut id = [0; 4];
    assert!(gasd_meters::bcd::encode(number.into(), &mut id));
    id
}

#[test]
fn two_meters_of_one_number_are_told() {
    let meters = [meter(), Address { version: 0x34, ..meter() }];
    let (mut search, mut selected) = (Search::new(Address::ANY, 0), vec![]);
    while let Some(step) = search.step() {
        search.heard(heard(&meters, &mut selected, step, false));
    }
    assert_eq!(search.found(), []);
    assert_eq!(search.unresolved(), ["12345678".parse().unwrap()]);
    // Within one version only it is found.
    let within = Address { version: 0x34, ..Address::ANY };
    let mut search = Search::new(within, 0);
    while let Some(step) = search.step() {
        search.heard(heard(&meters, &mut selected, step, false));
    }
    assert_eq!(search.found(), [meters[1]]);
}

#[test]
fn a_lost_answer_loses_no_meter() {
    let (mut search, mut selected, mut n) = (Search::new(Address::ANY, 1), vec![], 0);
    while let Some(step) = search.step() {
        n += 1;
        let heard = if n % 2 == 1 { Heard::Nothing } else { heard(&[meter()], &mut selected, step, false) };
        search.heard(heard);
    }
    assert_eq!(search.found(), [meter()]);
}

proptest! {
    #[test]
    fn every_meter_is_found(
        numbers in proptest::collection::hash_set(prop_oneof![0..100_000_000u32, 12_345_600..12_345_700u32], 0..24),
        clean in any::<bool>(),
    ) {
        let meters: Vec<_> = numbers.iter().map(|&n| Address { id: bcd_id(n), ..meter() }).collect();
        let (mut search, mut selected) = (Search::new(Address::ANY, 0), vec![]);
        while let Some(step) = search.step() {
            search.heard(heard(&meters, &mut selected, step, clean));
            // Ten branches for each digit at which several part.
            prop_assert!(search.selects() as usize <= 1 + 80 * meters.len());
        }
        let mut found = search.found().to_vec();
        let mut known = meters;
        found.sort();
        known.sort();
        prop_assert_eq!(found, known);
        prop_assert_eq!(search.unresolved(), &[]);
    }
}
