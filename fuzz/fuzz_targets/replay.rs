// SPDX-License-Identifier: MIT OR Apache-2.0
//! Any bytes as a trace, played through the filters and engines of two meters to the end: it comes
//! to an end, every edge is accounted for, and every line of the report is JSON.
#![no_main]

use std::sync::LazyLock;

use gasd::config::{Config, parse};
use gasd::replay::{ReplayError, UserFilter, filters, replay};
use libfuzzer_sys::fuzz_target;

const CONFIG: &str = r#"
[[meter]]
id = "coarse"
line = 4
pulse_volume = "10 L"
[[meter]]
id = "fine"
line = 300
pulse_volume = "0.1 L"
filter = { min_interval = "1 ms", min_width = "300 us", min_idle = "300 us", poll = "1 ms", storm_limit = 40 }
"#;

static METERS: LazyLock<Config> = LazyLock::new(|| parse("t", CONFIG).expect("a good configuration"));

fuzz_target!(|rows: &[u8]| {
    // The header is what the trace's own target is about.
    let trace = [b"t_ns,line,level\n", rows].concat();
    let config = &*METERS;
    let mut backend = UserFilter::new(&filters(config));
    let mut out = Vec::new();
    let played = replay(config, "t", trace.as_slice(), &mut backend, &mut out);
    let text = String::from_utf8(out).expect("a report is text");
    for line in text.lines() {
        let value: serde_json::Value = serde_json::from_str(line).expect("a line of the report is JSON");
        assert!(!line.contains("null"), "{value}");
    }
    match played {
        Ok(summary) => {
            let edges: u64 = summary.meters.iter().map(|meter| meter.edges).sum();
            assert_eq!(edges + summary.unconfigured_lines.rows(), summary.rows);
            for meter in &summary.meters {
                let rejected: u64 = meter.rejected.0.iter().sum();
                let resolved = meter.accepted + rejected;
                assert!(resolved <= meter.edges + meter.recovered, "{meter:?}");
            }
        }
        Err(ReplayError::Trace(_)) => {}
        Err(other) => panic!("{other}"),
    }
});
