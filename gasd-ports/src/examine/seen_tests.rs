// SPDX-License-Identifier: MIT OR Apache-2.0
//! What was heard, taken apart.

use gasd_meters::hex;
use proptest::prelude::*;

use super::super::plan::harmless;
use super::*;
use crate::wire::Parity;

const ANSWER: &str =
    "FE FE 68 10 44332211003378 81 16 1F9000 007766552C 007766552C 31012211051520 2184 13 16";

fn asked(heard: Vec<u8>, early: usize) -> Asked {
    Asked {
        setting: Setting { baud: 2_400, parity: Parity::Even },
        protocol: Protocol::Cjt188,
        request: harmless(Protocol::Cjt188).remove(0),
        before: Vec::new(),
        heard,
        early,
        damage: None,
    }
}

fn answer() -> Vec<u8> {
    hex::parse(ANSWER).unwrap()
}

#[test]
fn an_answer_is_found_with_and_without_an_echo() {
    let parts = asked(answer(), 0).parts();
    assert_eq!((parts.echo, parts.answers, parts.garbage), (Echo::None, vec![Protocol::Cjt188], vec![]));
    let request = asked(Vec::new(), 0).request;
    let parts = asked([request.clone(), answer()].concat(), request.len()).parts();
    assert_eq!((parts.echo, parts.answers, parts.garbage), (Echo::Whole, vec![Protocol::Cjt188], vec![]));
    // A transceiver that turns eats some of the wake-up bytes.
    let parts = asked([&request[2..], &answer()].concat(), 3).parts();
    assert_eq!((parts.echo, parts.answers.len(), parts.garbage), (Echo::Whole, 1, vec![]));
    let parts = asked(request, 0).parts();
    assert_eq!((parts.echo, parts.answers.len(), parts.masters), (Echo::Whole, 0, 0));
}

#[test]
fn an_echo_with_other_bytes_in_it_is_damaged_and_an_answer_behind_it_is_one() {
    let mut request = asked(Vec::new(), 0).request;
    request[7] ^= 0x40;
    request[9] ^= 0x01;
    let parts = asked([request, answer()].concat(), 18).parts();
    assert_eq!((parts.echo, parts.answers), (Echo::Damaged, vec![Protocol::Cjt188]));
}

#[test]
fn whoever_talks_while_the_request_goes_out_is_told_from_whoever_answers() {
    let parts = asked(vec![0x12, 0x9C, 0x55], 3).parts();
    assert_eq!((parts.echo, parts.garbage.len()), (Echo::Damaged, 3));
    let parts = asked(vec![0x12, 0x9C, 0x55], 0).parts();
    assert_eq!((parts.echo, parts.garbage.len()), (Echo::None, 3));
}

#[test]
fn another_masters_request_is_no_answer() {
    for protocol in [Protocol::Dlt645, Protocol::Mbus, Protocol::Hart] {
        for other in harmless(protocol) {
            let parts = asked(other, 0).parts();
            assert_eq!((parts.answers.len(), parts.masters, parts.garbage.len()), (0, 1, 0), "{protocol}");
        }
    }
}

#[test]
fn an_exception_of_modbus_is_an_answer() {
    let request = harmless(Protocol::Modbus).remove(0);
    let exception = hex::parse("01 83 02 C0 F1").unwrap();
    let asked = Asked { protocol: Protocol::Modbus, request, ..asked(exception, 0) };
    assert_eq!(asked.parts().answers, [Protocol::Modbus]);
}

proptest! {
    #[test]
    fn nothing_that_is_heard_is_counted_twice(
        heard in proptest::collection::vec(any::<u8>(), 0..200), early in 0usize..40,
    ) {
        let parts = asked(heard.clone(), early.min(heard.len())).parts();
        prop_assert!(parts.garbage.len() <= heard.len());
        if heard.is_empty() {
            prop_assert_eq!(parts, Parts { echo: Echo::None, answers: vec![], late: vec![], masters: 0, garbage: vec![] });
        }
    }
}
