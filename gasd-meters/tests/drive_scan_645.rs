// SPDX-License-Identifier: MIT OR Apache-2.0
//! The search for several meters of DL/T 645 on one line, which is played.

#![allow(clippy::unwrap_used, reason = "test code")]

#[path = "common/line.rs"]
mod line;

use gasd_meters::detect::Protocol;
use gasd_meters::dlt645::{Address, Frame, Standard, find};
use gasd_meters::drive::{Bounds, Device, FoundMeter, Search};
use gasd_meters::{bcd, crc};
use line::talk;

fn address(number: u64) -> Address {
    let mut bytes = [0; 6];
    assert!(bcd::encode(number, &mut bytes));
    Address(bytes)
}

/// A meter: its address, its edition, whether it knows shortened addresses, and how many answers later it answers: those of
/// one time destroy each other.
type Meter = (u64, Standard, bool, u8);

const NEW: Standard = Standard::V2007;
const OLD: Standard = Standard::V1997;

fn answer(request: &Frame<'_>, meter: Address) -> Vec<u8> {
    let data = match request.function() {
        0x13 => meter.0.to_vec(),
        _ => [&request.data[..], &[0; 4]].concat(),
    };
    let mut bytes = vec![0x68];
    bytes.extend(meter.0);
    bytes.extend([0x68, request.control | 0x80, data.len() as u8]);
    bytes.extend(data.iter().map(|byte| byte.wrapping_add(0x33)));
    bytes.extend([crc::sum(&bytes), 0x16]);
    bytes
}

/// What meters say to a request, together.
fn together(meters: &[Meter], request: &Frame<'_>) -> Vec<u8> {
    let hears = |(number, standard, short, _): &&Meter| {
        let whole = request.address == Address::WILDCARD || request.address == address(*number);
        request.standard() == Some(*standard)
            && (whole || *short && address(*number).matches(request.address))
    };
    let heard: Vec<_> = meters.iter().filter(hears).collect();
    let at = |time: u8| match heard.iter().filter(|meter| meter.3 == time).collect::<Vec<_>>()[..] {
        [] => vec![],
        [(number, ..)] => answer(request, address(*number)),
        [(number, ..), ..] => {
            let mut bytes = answer(request, address(*number));
            bytes[11] ^= 0x14;
            bytes
        }
    };
    (0..4).flat_map(at).collect()
}

/// What a line of these meters has, and how often it was asked.
fn search(meters: &[Meter]) -> (Vec<FoundMeter>, usize) {
    search_line(|request| together(meters, request))
}

fn search_line(mut line: impl FnMut(&Frame<'_>) -> Vec<u8>) -> (Vec<FoundMeter>, usize) {
    let (mut search, mut found, mut n) = (Search::new(&[Protocol::Dlt645], &Bounds::default()), vec![], 0);
    while let Some(probing) = search.next() {
        let (finished, asked) =
            talk(probing.dialogue, |request| line(&Frame::parse(find(request).unwrap()).unwrap()));
        n += asked.len();
        found.extend(search.heard(&finished));
        assert!(n < 20_000, "a search without an end");
    }
    (found, n)
}

fn addresses(found: &[FoundMeter]) -> Vec<&str> {
    found.iter().map(|meter| meter.address.as_deref().unwrap_or("?")).collect()
}

#[test]
fn several_meters_are_found_by_the_last_digits_of_their_addresses() {
    let (found, n) = search(&[
        (123_456_789_012, NEW, true, 0),
        (123_456_789_013, NEW, true, 0),
        (500_000_000_012, NEW, true, 0),
    ]);
    assert_eq!(addresses(&found), ["500000000012", "123456789012", "123456789013"]);
    assert!(found.iter().all(|found| matches!(found.device, Some(Device::Dlt645 { standard: NEW, .. }))));
    assert!(n < 610, "{n}");
}

#[test]
fn meters_of_both_editions_are_found_in_their_own() {
    let (found, _) = search(&[(1, NEW, true, 0), (2, NEW, true, 0), (3, OLD, true, 0), (4, OLD, true, 0)]);
    assert_eq!(addresses(&found), [1u64, 2, 3, 4].map(|n| format!("{n:012}")));
    let standard = |found: &FoundMeter| match found.device {
        Some(Device::Dlt645 { standard, .. }) => standard,
        _ => panic!("{found:?}"),
    };
    assert_eq!(found.iter().map(standard).collect::<Vec<_>>(), [NEW, NEW, OLD, OLD]);
}

#[test]
fn two_of_one_address_are_told_and_so_are_meters_that_know_no_shortened_ones() {
    let (found, _) = search(&[(7, NEW, true, 0), (7, NEW, true, 0), (8, NEW, true, 0)]);
    assert_eq!(addresses(&found), ["000000000008", "?"]);
    assert!(found[1].words.contains("to the address 000000000007"), "{}", found[1].words);
    let (found, _) = search(&[(7, NEW, true, 0), (7, NEW, true, 0), (9, NEW, true, 0), (9, NEW, true, 0)]);
    assert_eq!(addresses(&found), ["?"]);
    assert!(found[0].words.contains("addresses 000000000007, 000000000009"), "{}", found[0].words);
    // The last one asked for is a meter: what is told at the end is told after it.
    let (found, _) = search(&[(7, NEW, true, 0), (7, NEW, true, 0), (99, NEW, true, 0)]);
    assert_eq!(addresses(&found), ["000000000099", "?"]);
    assert!(found[1].words.contains("to the address 000000000007"), "{}", found[0].words);
    let (found, n) = search(&[(7, NEW, false, 0), (8, NEW, false, 0)]);
    assert_eq!((addresses(&found), n), (vec!["?"], 212));
    assert!(found[0].words.contains("none to a part of its address"), "{}", found[0].words);
}

#[test]
fn a_line_of_one_meter_or_none_is_soon_searched() {
    // Silence is believed when it came twice.
    assert_eq!(search(&[]).1, 6);
    let (found, n) = search(&[(7, NEW, true, 0)]);
    assert_eq!((addresses(&found), n), (vec!["000000000007"], 4));
    let (found, n) = search(&[(7, OLD, true, 0)]);
    assert_eq!((addresses(&found), n), (vec!["000000000007"], 5));
}

#[test]
fn meters_that_answer_one_after_the_other_are_all_found() {
    let (found, n) =
        search(&[(7, NEW, false, 0), (8, NEW, false, 1), (9, OLD, false, 0), (9, OLD, false, 2)]);
    assert_eq!(addresses(&found), ["000000000007", "000000000008", "000000000009", "?"]);
    assert!(found[3].words.contains("two answers of the address 000000000009"), "{}", found[3].words);
    assert!(matches!(found[2].device, Some(Device::Dlt645 { standard: OLD, .. })));
    assert_eq!(n, 3);
}

#[test]
fn meters_beside_one_that_answers_alone_are_found_by_parts_of_their_addresses() {
    let (found, _) =
        search(&[(7, NEW, true, 0), (107, NEW, true, 1), (207, NEW, true, 1), (8, NEW, true, 1)]);
    assert_eq!(addresses(&found), ["000000000007", "000000000107", "000000000207", "000000000008"]);
    // Where those know no shortened addresses that is told.
    let (found, _) = search(&[(7, NEW, true, 0), (107, NEW, false, 1), (207, NEW, false, 1)]);
    assert_eq!(addresses(&found), ["000000000007", "?"]);
    assert!(found[1].words.contains("nobody else to a part of its address"), "{}", found[1].words);
}

#[test]
fn a_meter_that_refuses_one_edition_is_found_in_the_other() {
    let meter = address(42);
    let refuse = |request: &Frame<'_>| {
        let mut bytes = vec![0x68];
        bytes.extend(meter.0);
        bytes.extend([0x68, request.control | 0xC0, 1, 0x35]);
        bytes.extend([crc::sum(&bytes), 0x16]);
        bytes
    };
    for edition in [Some(OLD), Some(NEW), None] {
        let (found, _) =
            search_line(
                |request| {
                    if request.standard() == edition { answer(request, meter) } else { refuse(request) }
                },
            );
        assert_eq!(addresses(&found), ["000000000042"]);
        let Some(Device::Dlt645 { standard, .. }) = found[0].device else { panic!("{found:?}") };
        assert_eq!(standard, edition.unwrap_or(NEW));
        assert_eq!(found[0].words.contains("it refuses what it was asked"), edition.is_none());
    }
}

#[test]
fn a_meter_whose_answers_are_lost_now_and_then_is_found() {
    for lost in [0b_0011, 0b_1101, 0b_0111_0110] {
        let mut n = 0;
        let (found, _) = search_line(|request| {
            n += 1;
            let mut bytes = together(&[(7, NEW, true, 0)], request);
            if lost >> (n - 1) & 1 == 1 && !bytes.is_empty() {
                bytes[11] ^= 0x14;
            }
            bytes
        });
        assert_eq!(addresses(&found), ["000000000007"]);
    }
}

#[test]
fn one_that_knows_no_short_addresses_is_told_beside_one_that_does() {
    let (found, _) = search(&[(7, NEW, true, 0), (8, NEW, false, 0)]);
    assert_eq!(addresses(&found), ["000000000007", "?"]);
    assert!(found[1].words.contains("one alone to a part of its address"), "{}", found[1].words);
}

#[test]
fn answers_that_leave_no_frame_are_told_though_nobody_knows_short_addresses() {
    let (found, _) = search_line(|request| {
        let whole = request.address == Address::WILDCARD && request.standard() == Some(NEW);
        if whole { vec![0x00, 0x28, 0x55, 0x12, 0x34, 0x00, 0x11, 0x91, 0x08, 0x16] } else { vec![] }
    });
    assert_eq!(addresses(&found), ["?"]);
    assert!(found[0].words.contains("none to a part of its address"), "{}", found[0].words);
}

#[test]
fn a_line_that_is_never_quiet_is_told_in_one_row() {
    let (mut search, mut found, mut n) = (Search::new(&[Protocol::Dlt645], &Bounds::default()), vec![], 0);
    while let Some(probing) = search.next() {
        let (finished, asked) = talk(probing.dialogue, |_| vec![0x68, 0, 0x55, 0x16]);
        n += asked.len();
        found.extend(search.heard(&finished));
    }
    // Of each edition.
    assert_eq!(addresses(&found), ["?", "?"], "{found:?}");
    assert!(found.iter().all(|found| found.words.contains("on a noisy line")), "{found:?}");
    assert!(n < 100, "{n}");
}
