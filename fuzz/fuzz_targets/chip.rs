// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a GPIO chip says: records of its event queue, and the text about an open request.
#![no_main]

use gasd::pipeline::user_events::decode;
use gasd::response::line::parse_fdinfo;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Some(edge) = decode(bytes) {
        assert_eq!(edge.monotonic_ns.to_ne_bytes(), bytes[..8]);
        assert_eq!(edge.number.to_ne_bytes(), bytes[20..24]);
    } else {
        assert!(bytes.len() < 24);
    }
    let text = String::from_utf8_lossy(bytes);
    if let Some((chip, lines)) = parse_fdinfo(&text) {
        assert!(text.contains("gpio-chip:") && text.contains(&chip));
        assert!(lines.len() <= text.lines().count());
    }
});
