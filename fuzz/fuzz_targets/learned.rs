// SPDX-License-Identifier: MIT OR Apache-2.0
//! Any bytes as the stored state of an engine: refused with a reason, or an engine that goes on.
#![no_main]

use gasd_detect::{DEFAULT_THRESHOLDS_M3_PER_H, Engine, EngineConfig, Profile};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let config = EngineConfig {
        pulse_volume_ul: 1_000_000,
        max_flow_ul_per_h: 6_000_000_000,
        thresholds_m3_per_h: DEFAULT_THRESHOLDS_M3_PER_H,
        rules: Profile::EuG4.rules(),
    };
    // The check sum would keep every change out: the fuzzer's bytes are sealed as they are.
    let sealed = Engine::seal_for_test(1_000_000, bytes);
    for bytes in [bytes, &sealed] {
        let Ok(mut engine) = Engine::restore(config, bytes) else { continue };
        engine.set_civil_offset(1_700_000_000_000_000_000);
        for i in 0..50 {
            let t = 1_000_000_000_000 + i * 700_000_000_000;
            let _ = engine.tick(t);
            let _ = engine.pulse(t, t);
        }
        engine.clock_moved(-5_000_000_000);
        assert!(engine.save().len() <= 4096);
    }
});
