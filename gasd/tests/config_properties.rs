// SPDX-License-Identifier: MIT OR Apache-2.0
//! What holds for every text and every quantity.
#![allow(clippy::unwrap_used, reason = "a test may")]

use gasd::config::units::{duration, flow, pulse_volume, rate, volume};
use gasd::config::{parse, show};
use proptest::prelude::*;

/// Pieces from which almost-configurations are made: more of them get past the TOML parser than
/// of random characters.
const PIECES: &[&str] = &[
    "[[meter]]\n",
    "[[valve]]\n",
    "[store]\n",
    "[meter.filter]\n",
    "[meter]\n",
    "id = \"a\"\n",
    "id = \"\"\n",
    "line = 4\n",
    "line = -4\n",
    "gpio = { chip = \"gpiochip0\", line = 4 }\n",
    "gpio = {}\n",
    "gpio.line = 4\n",
    "pulse_volume = \"10 L\"\n",
    "pulse_volume = \"1 mL\"\n",
    "pulse_volume = 0x10\n",
    "max_flow = \"0.01 m3/h\"\n",
    "max_flow = \"10000 m3/h\"\n",
    "filter = { poll = 1 }\n",
    "min_width = \"5 ms\"\n",
    "storm_limit = 0\n",
    "valve = \"a\"\n",
    "valve = \"v\"\n",
    "actuator = \"simulated\"\n",
    "actuator = { closed = \"high\" }\n",
    "persist = \"1 s\"\n",
    "path = \"\\u0000\"\n",
    "é = \"ö\"\r\n",
    "\"\" = 1\n",
    "a.b.c = nan\n",
    "meter = [1, [], {}]\n",
    "'''",
    "\"\"\"",
    "{",
    "]",
    "= ",
    "\u{feff}",
    "\0",
];

/// The text of `digits / 10^places`.
fn decimal(digits: u64, places: usize) -> String {
    let digits = format!("{digits:0width$}", width = places + 1);
    let (whole, fraction) = digits.split_at(digits.len() - places);
    if places == 0 { whole.to_owned() } else { format!("{whole}.{fraction}") }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn parsing_never_panics_on_any_text(text in any::<String>()) {
        let _ = parse("x", &text).map_err(|e| e.to_string());
    }

    #[test]
    fn parsing_never_panics_on_almost_configurations(
        pieces in prop::collection::vec(prop::sample::select(PIECES), 0..12)
    ) {
        let text = pieces.concat();
        if let Err(errors) = parse("x", &text) {
            prop_assert!(!errors.problems().is_empty());
            prop_assert!(!errors.to_string().contains("no configuration could be made"));
            for problem in errors.problems() {
                prop_assert_eq!(problem.to_string().lines().count(), 1, "{}", problem);
            }
        }
    }

    #[test]
    fn a_value_never_panics(value in "\\PC{0,20}", key in prop::sample::select(&[
        "pulse_volume", "max_flow", "filter.poll", "filter.storm_limit", "thresholds.confirm",
        "id", "valve", "gpio.chip", "line",
    ][..])) {
        let text = format!("[[meter]]\n{key} = '''{value}'''\n");
        let _ = parse("x", &text).map_err(|e| e.to_string());
    }

    #[test]
    fn what_is_shown_reads_back_the_same(n in 1_u64..) {
        prop_assert_eq!(volume(&show::volume(n)), Ok(n));
        prop_assert_eq!(pulse_volume(&show::volume(n)), Ok(n));
        prop_assert_eq!(flow(&show::flow(n)), Ok(n));
        prop_assert_eq!(duration(&show::duration(n)), Ok(n));
    }

    #[test]
    fn every_unit_is_exact(
        digits in 1_u64..1_000_000_000_000,
        places in 0_usize..=12,
        gap in "[ \u{a0}]?",
    ) {
        let number = decimal(digits, places);
        let exact = |factor: u64| {
            let product = u128::from(digits) * u128::from(factor);
            let scale = 10_u128.pow(places as u32);
            (product % scale == 0).then(|| u64::try_from(product / scale).ok()).flatten()
        };
        for (unit, factor) in [
            ("L", 1_000_000), ("l", 1_000_000), ("ml", 1_000), ("mL", 1_000), ("uL", 1),
            ("µL", 1), ("m3", 1_000_000_000), ("m³", 1_000_000_000), ("dm3", 1_000_000),
            ("dm³", 1_000_000), ("cm3", 1_000),
        ] {
            let text = format!("{number}{gap}{unit}");
            prop_assert_eq!(volume(&text).ok(), exact(factor), "{}", text);
            for (time, per_hour) in [("h", 1), ("min", 60), ("s", 3_600)] {
                let text = format!("{number}{gap}{unit}/{time}");
                prop_assert_eq!(flow(&text).ok(), exact(factor * per_hour), "{}", text);
            }
        }
        for (unit, factor) in [
            ("ns", 1), ("us", 1_000), ("µs", 1_000), ("μs", 1_000), ("ms", 1_000_000),
            ("s", 1_000_000_000), ("min", 60_000_000_000), ("h", 3_600_000_000_000),
        ] {
            let text = format!("{number}{gap}{unit}");
            prop_assert_eq!(duration(&text).ok(), exact(factor), "{}", text);
        }
        prop_assert_eq!(rate(&format!("{number} /s")).ok(), exact(1));
    }

    #[test]
    fn pulses_to_a_volume_are_the_volume_of_a_pulse(n in 1_u64..2_000_000_000) {
        match pulse_volume(&format!("{n} imp/m3")) {
            Ok(ul) => prop_assert_eq!(ul * n, 1_000_000_000),
            Err(_) => prop_assert!(1_000_000_000 % n != 0),
        }
    }

    #[test]
    fn less_than_one_more_than_zero_and_a_comma_are_refused(n in 0_u64..) {
        let negative = format!("-{} L", decimal(n, 3));
        let comma = format!("{} L", decimal(n, 3).replace('.', ","));
        prop_assert!(volume(&negative).is_err());
        prop_assert!(volume(&comma).is_err());
    }
}
