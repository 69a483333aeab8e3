// SPDX-License-Identifier: MIT OR Apache-2.0
//! What an older or newer gasd left pinned, read through the offsets that it left with it.
#![no_main]

use arbitrary::Arbitrary;
use gasd::kernel::handover::OldLine;
use gasd_abi::layout::OFFSETS;
use gasd_abi::records::Offsets;
use libfuzzer_sys::fuzz_target;

#[derive(Debug, Arbitrary)]
struct Input<'a> {
    /// This layout's offsets with some replaced, so that some inputs get as far as a line.
    replaced: Vec<(u8, u32)>,
    config: &'a [u8],
    page: &'a [u8],
}

fn offsets(replaced: &[(u8, u32)]) -> Offsets {
    let mut at = OFFSETS;
    for (which, value) in replaced {
        let fields = [
            &mut at.page,
            &mut at.slots,
            &mut at.slot,
            &mut at.edges,
            &mut at.accepted,
            &mut at.last_edge,
            &mut at.first,
            &mut at.pulse,
            &mut at.pending,
            &mut at.level,
            &mut at.contact,
            &mut at.counted,
            &mut at.line,
            &mut at.key,
        ];
        let n = fields.len();
        if let Some(field) = fields.into_iter().nth(usize::from(*which) % n) {
            *field = *value;
        }
    }
    at
}

fuzz_target!(|input: Input<'_>| {
    let at = offsets(&input.replaced);
    if let Some(line) = OldLine::read(7, &at, input.config, input.page) {
        assert_eq!(line.line, 7);
        assert_ne!(line.key, 0);
    }
});
