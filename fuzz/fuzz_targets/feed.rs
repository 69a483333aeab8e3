// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a program puts into a feed: any packet, and what its entries do to a line.
#![no_main]

use gasd::feed::line::{Fate, Line};
use gasd::pipeline::filter::{LineFilter, UserBank};
use gasd::pipeline::queue::Queue;
use gasd_abi::FilterConfig;
use gasd_abi::feed::{ENTRY_BYTES, HEADER_BYTES, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok((header, entries)) = parse(bytes) else { return };
    let entries: Vec<_> = entries.collect();
    assert_eq!(bytes.len(), HEADER_BYTES + entries.len() * ENTRY_BYTES);
    assert_eq!(header.to_bytes(), bytes[..HEADER_BYTES]);
    let (bank, config) = (UserBank::new(Queue::new().0, [1, 1]), FilterConfig::default());
    let Ok(at) = bank.assign(7, config, 0) else { return };
    let mut line = Line::default();
    let now_ns = entries.iter().map(|entry| entry.t_ns).max().unwrap_or(0) / 2;
    for entry in &entries {
        let before = bank.state(at);
        let Ok(fate) = line.take(&bank, at, &config, *entry, now_ns) else { return };
        let after = bank.state(at);
        // One pulse of its own, and one before that it may decide.
        assert!(after.accepted <= before.accepted + 2);
        assert!(fate == Fate::Taken || after == before, "what is refused does nothing");
        // Sent again it is there already.
        assert_eq!(line.take(&bank, at, &config, *entry, now_ns).ok(), Some(fate));
        assert_eq!(bank.state(at), after);
        let _ = line.settle(&bank, at, &config, now_ns);
    }
});
