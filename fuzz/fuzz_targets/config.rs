// SPDX-License-Identifier: MIT OR Apache-2.0
//! Any text as a configuration: refused in whole lines, or accepted with numbers that everything
//! behind it can use.
#![no_main]

use gasd::config::{Config, limits, parse};
use gasd::replay::judge::engine_config;
use gasd_detect::Engine;
use libfuzzer_sys::fuzz_target;

fn usable(config: &Config) {
    for meter in &config.meters {
        assert!(limits::PULSE_VOLUME_UL.contains(&meter.pulse_volume_ul));
        assert!(limits::MAX_FLOW_UL_PER_H.contains(&meter.max_flow_ul_per_h));
        assert!(limits::POLL_NS.contains(&meter.filter.poll_ns));
        assert!(meter.valve.is_none_or(|valve| valve < config.valves.len()));
        let thresholds = meter.thresholds;
        for value in [thresholds.suspect_m3_per_h, thresholds.confirm_m3_per_h, thresholds.sustain_m3_per_h] {
            assert!(value.is_finite() && value > 0.0, "{value}");
        }
        let said = Engine::new(engine_config(meter)).resolution().to_string();
        assert!(!said.contains("NaN") && !said.contains("inf"), "{said}");
    }
    for warning in &config.warnings {
        assert_eq!(warning.lines().count(), 1, "{warning}");
    }
    // Whether every line names a chip is asked of a configuration that is to run.
    let _ = config.require_chips();
}

fuzz_target!(|text: &str| {
    match parse("t", text) {
        Ok(config) => usable(&config),
        Err(errors) => {
            assert!(!errors.problems().is_empty());
            assert!(!errors.to_string().contains("no configuration could be made"));
            for problem in errors.problems() {
                assert_eq!(problem.to_string().lines().count(), 1, "{problem}");
            }
        }
    }
});
