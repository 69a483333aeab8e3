// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the documentation of the pins says about this layout.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::mem::{offset_of, size_of};

use gasd_abi::FilterState;
use gasd_abi::layout::{FINGERPRINT, OFFSETS, VERSION};
use gasd_abi::live::LivePage;
use gasd_abi::records::{Meta, Offsets};
use gasd_abi::takeover::Kept;

const PAGE: &str = include_str!("../../docs/pin-protocol.md");

#[test]
fn the_fingerprint_and_the_sizes_are_those_of_this_build() {
    if VERSION != 1 {
        return;
    }
    for said in [
        format!("{FINGERPRINT:#018x} for layout 1"),
        format!("### Meta, {} bytes", size_of::<Meta>()),
        format!("### LivePage, {} bytes", size_of::<LivePage>()),
        format!("### FilterState, {} bytes", size_of::<FilterState>()),
        format!("| `Kept`, {} B |", size_of::<Kept>()),
        format!("{} × u32", size_of::<Offsets>() / 4),
    ] {
        assert!(PAGE.contains(&said), "docs/pin-protocol.md does not say: {said}");
    }
}

#[test]
fn every_offset_is_in_the_table() {
    if VERSION != 1 {
        return;
    }
    let at = offset_of!(Meta, offsets);
    for (n, (name, value)) in [
        ("page", OFFSETS.page),
        ("slots", OFFSETS.slots),
        ("slot", OFFSETS.slot),
        ("edges", OFFSETS.edges),
        ("accepted", OFFSETS.accepted),
        ("last_edge", OFFSETS.last_edge),
        ("first", OFFSETS.first),
        ("pulse", OFFSETS.pulse),
        ("pending", OFFSETS.pending),
        ("level", OFFSETS.level),
        ("contact", OFFSETS.contact),
        ("counted", OFFSETS.counted),
        ("line", OFFSETS.line),
        ("key", OFFSETS.key),
        ("since", OFFSETS.since),
        ("evidence", OFFSETS.evidence),
        ("candidate", OFFSETS.candidate),
        ("pulse_first", OFFSETS.pulse_first),
        ("checked", OFFSETS.checked),
    ]
    .into_iter()
    .enumerate()
    {
        let row = PAGE
            .lines()
            .find(|row| row.starts_with(&format!("| {} |", at + 4 * n)) && row.contains(&format!("`{name}`")))
            .unwrap_or_else(|| panic!("no row for {name} at {}", at + 4 * n));
        assert!(row.ends_with(&format!("| {value} |")), "{row}: {value}");
    }
}
