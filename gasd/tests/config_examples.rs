// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a good configuration becomes.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::path::PathBuf;

use gasd::config::{Actuator, Bias, ClosedLevel, Config, GpioLine, MeterSource, parse};
use gasd_abi::FilterConfig;

const HOUSEHOLD: &str = r#"
[[meter]]
id = "kitchen"
gpio = { chip = "gpiochip0", line = 4 }
pulse_volume = "10 L"
max_flow = "6 m3/h"
filter = { min_interval = "20 ms", min_width = "10 ms" }
valve = "main"

[[valve]]
id = "main"
actuator = "simulated"
"#;

fn good(text: &str) -> Config {
    match parse("gasd.toml", text) {
        Ok(config) => config,
        Err(errors) => panic!("{errors}"),
    }
}

fn meter(keys: &str) -> Config {
    good(&format!("[[meter]]\nid = \"m\"\n{keys}\n"))
}

#[test]
fn a_household_meter_with_its_valve() {
    let config = good(HOUSEHOLD);
    assert_eq!(config.warnings, Vec::<String>::new());
    assert_eq!(config.store, PathBuf::from("/var/lib/gasd/gasd.redb"));
    assert_eq!(config.persist_ns, 10_000_000_000);
    assert_eq!(config.pins, PathBuf::from("/run/gasd/bpf"));
    let [meter] = &config.meters[..] else { panic!("one meter") };
    assert_eq!(meter.id, "kitchen");
    let line = GpioLine { chip: Some("gpiochip0".to_owned()), line: 4, active_low: false, bias: None };
    assert_eq!(meter.source, MeterSource::Chip(line));
    assert_eq!(meter.pulse_volume_ul, 10_000_000);
    assert_eq!(meter.max_flow_ul_per_h, 6_000_000_000);
    assert_eq!(meter.filter.abi, FilterConfig::default());
    assert_eq!(meter.filter.poll_ns, 50_000_000);
    assert_eq!(meter.thresholds.suspect_m3_per_h, 5.0);
    assert_eq!(meter.thresholds.confirm_m3_per_h, 3.2);
    assert_eq!(meter.thresholds.sustain_m3_per_h, 1.8);
    assert_eq!(meter.valve, Some(0));
    assert_eq!(config.valves[0].actuator, Actuator::Simulated);
    assert!(config.require_chips().is_ok());
}

#[test]
fn every_key_is_read() {
    let config = good(
        r#"
[store]
path = "/srv/gas.redb"
persist = "1 s"
[kernel]
pins = "/sys/fs/bpf/gas"

[[valve]]
id = "other"
actuator = "simulated"

[[valve]]
id = "main"
[valve.actuator]
gpio = { chip = "/dev/gpiochip1", line = 7 }
closed = "low"
pulse = "60 ms"
open_line = { chip = "gpiochip1", line = 8, active = "low" }
feedback = { chip = "gpiochip1", line = 9, bias = "disabled" }

[[meter]]
id = "a-1_B"
pulse_volume = "100 imp/m3"
max_flow = "100 L/min"
valve = "main"
[meter.gpio]
chip = "pinctrl-bcm2711"
line = 4
active = "low"
bias = "pull-up"
[meter.filter]
min_interval = "100 ms"
min_width = "30 ms"
min_idle = "25 ms"
storm_limit = "200 /s"
poll = "0.1 s"
[meter.thresholds]
suspect = "4 m3/h"
confirm = "50 L/min"
sustain = "1.5 m³/h"

[[meter]]
id = "b"
gpio = { chip = "gpiochip0", line = 5, bias = "pull-down" }
pulse_volume = "0.1 m³"
filter = { storm_limit = 300 }
valve = "other"
alarm = { chip = "gpiochip2", line = 3, active = "low" }
"#,
    );
    assert_eq!(config.store, PathBuf::from("/srv/gas.redb"));
    assert_eq!(config.persist_ns, 1_000_000_000);
    assert_eq!(config.pins, PathBuf::from("/sys/fs/bpf/gas"));
    let meter = &config.meters[0];
    let gpio = meter.source.chip().unwrap();
    assert_eq!(gpio.chip.as_deref(), Some("pinctrl-bcm2711"));
    assert!(gpio.active_low);
    assert_eq!(gpio.bias, Some(Bias::PullUp));
    assert_eq!(meter.pulse_volume_ul, 10_000_000);
    assert_eq!(meter.max_flow_ul_per_h, 6_000_000_000);
    let filter = FilterConfig {
        min_interval_ns: 100_000_000,
        min_width_ns: 30_000_000,
        min_idle_ns: 25_000_000,
        storm_limit: 200,
        reserved: 0,
    };
    assert_eq!(meter.filter.abi, filter);
    assert_eq!(meter.filter.poll_ns, 100_000_000);
    assert_eq!(meter.thresholds.suspect_m3_per_h, 4.0);
    assert_eq!(meter.thresholds.confirm_m3_per_h, 3.0);
    assert_eq!(meter.thresholds.sustain_m3_per_h, 1.5);
    assert_eq!(meter.valve, Some(1));
    assert_eq!(meter.alarm, None);
    let alarm = config.meters[1].alarm.as_ref().unwrap();
    assert_eq!((alarm.chip.as_deref(), alarm.line, alarm.active_low), (Some("gpiochip2"), 3, true));
    assert_eq!(config.meters[1].source.chip().unwrap().bias, Some(Bias::PullDown));
    assert_eq!(config.meters[1].filter.abi.storm_limit, 300);
    assert_eq!(config.meters[1].pulse_volume_ul, 100_000_000);
    let Actuator::Gpio { line, closed, pulse_ns, open_line, feedback } = &config.valves[1].actuator else {
        panic!("a GPIO valve")
    };
    assert_eq!((line.line, *closed, *pulse_ns), (7, ClosedLevel::Low, Some(60_000_000)));
    assert!(open_line.as_ref().unwrap().active_low);
    assert_eq!(feedback.as_ref().unwrap().bias, Some(Bias::Disabled));
    assert_eq!(config.warnings, Vec::<String>::new());
}

#[test]
fn a_traces_line_may_stand_alone() {
    for keys in ["line = 4", "gpio = { line = 4 }", "gpio.line = 4"] {
        let config = meter(&format!("{keys}\npulse_volume = \"10 L\""));
        let line = GpioLine { chip: None, line: 4, active_low: false, bias: None };
        assert_eq!(config.meters[0].source, MeterSource::Trace(line));
    }
}

#[test]
fn a_meter_may_be_fed_by_a_stack() {
    let config = meter("source = \"stack\"\npulse_volume = \"10 L\"\nfilter = { min_interval = \"40 ms\" }");
    let meter = &config.meters[0];
    assert_eq!(meter.source, MeterSource::Stack);
    assert!(meter.source.is_fed() && !meter.source.is_simulated(), "its pulses are of gas");
    assert_eq!((meter.source.chip(), meter.source.trace_line()), (None, None));
    assert_eq!(meter.filter.abi.min_interval_ns, 40_000_000);
    config.require_chips().unwrap();
}

#[test]
fn a_register_may_be_read_instead_of_pulses_counted() {
    let config = meter(
        "source = \"stack\"\nreadings = { every = \"1 h\", resolution = \"1 L\", rollover = \"100000 m3\" }",
    );
    let meter = &config.meters[0];
    assert_eq!(meter.register(), Some([3_600_000_000_000, 1_000_000, 100_000_000_000_000]));
    // A thousand steps at the most between two readings.
    assert_eq!(meter.pulse_volume_ul, 10_000_000);
    config.require_chips().unwrap();
}

#[test]
fn the_live_service_refuses_lines_without_a_chip() {
    let config = good(
        r#"
[[meter]]
id = "m"
line = 4
pulse_volume = "10 L"
valve = "v"
[[valve]]
id = "v"
actuator = { gpio = { line = 7 }, closed = "high", feedback = { line = 8 } }
"#,
    );
    let refused = config.require_chips().unwrap_err();
    assert_eq!(
        refused.to_string(),
        "meter \"m\": gpio: line 4 has no GPIO chip: a trace can play it, the service cannot \
         watch it; write e.g. gpio = { chip = \"gpiochip0\", line = 4 }\n\
         valve \"v\": actuator.gpio: line 7 has no GPIO chip: a trace can play it, the service \
         cannot watch it; write e.g. gpio = { chip = \"gpiochip0\", line = 7 }\n\
         valve \"v\": actuator.feedback: line 8 has no GPIO chip: a trace can play it, the service \
         cannot watch it; write e.g. gpio = { chip = \"gpiochip0\", line = 8 }"
    );
}

#[test]
fn a_fast_meter_gets_a_narrower_filter_and_is_told() {
    // 14.4 ms between pulses at max_flow, 7.2 ms at twice that.
    let config = meter("line = 4\npulse_volume = \"0.1 L\"\nmax_flow = \"25 m3/h\"");
    let filter = config.meters[0].filter.abi;
    assert_eq!(filter.min_width_ns, 1_800_000);
    assert_eq!(filter.min_idle_ns, 1_800_000);
    assert_eq!(filter.min_interval_ns, 3_600_000);
    assert_eq!(filter.storm_limit, 1_000);
    assert!(
        config.warnings.iter().any(|w| w
            == "gasd.toml:1:1: meter \"m\": at twice max_flow its pulses come every 7.2 ms, so \
                min_width is 1.8 ms instead of 10 ms; a contact that bounces longer is counted \
                more than once"),
        "{:?}",
        config.warnings
    );
}

#[test]
fn a_very_fast_meter_gets_a_higher_storm_limit() {
    // 720 us between pulses: 2,778 edges a second.
    let config = meter("line = 4\npulse_volume = \"20 mL\"\nmax_flow = \"100 m3/h\"");
    assert_eq!(config.meters[0].filter.abi.storm_limit, 11_112);
}

#[test]
fn what_is_worth_knowing_is_a_warning() {
    let config = good(
        "[[meter]]\nid = \"m\"\nline = 1\npulse_volume = \"10 L\"\nfilter.storm_limit = 0\n\
         [[meter]]\nid = \"big\"\nline = 2\npulse_volume = \"1 m3\"\nmax_flow = \"160 m3/h\"\n\
         [[valve]]\nid = \"v\"\nactuator = \"simulated\"\n",
    );
    assert_eq!(
        config.warnings,
        [
            "gasd.toml:1:1: meter \"m\": has no valve; its verdicts are told, nothing is closed",
            "gasd.toml:5:22: storm_limit 0 turns the storm alarm off: a line that chatters is \
             not reported",
            "gasd.toml:6:1: meter \"big\": max_flow 160 m3/h is more than a household's, but the \
             thresholds are a household's (5 m3/h, 3.2 m3/h, 1.8 m3/h): daily use will raise \
             verdicts; set `thresholds`",
            "gasd.toml:6:1: meter \"big\": has no valve; its verdicts are told, nothing is closed",
            "gasd.toml:11:1: valve \"v\": no meter names it, so no verdict closes it",
        ]
    );
    assert_eq!(config.meters[0].filter.abi.storm_limit, 0);
}

#[test]
fn an_empty_file_is_a_configuration_with_a_warning() {
    let config = good("");
    assert!(config.meters.is_empty());
    let told = [gasd::config::NO_METER];
    assert_eq!(config.warnings, told);
}

#[test]
fn two_meters_may_share_a_valve_and_two_chips_a_line_number() {
    let config = good(
        "[[meter]]\nid = \"a\"\ngpio = { chip = \"gpiochip0\", line = 4 }\n\
         pulse_volume = \"10 L\"\nvalve = \"v\"\n\
         [[meter]]\nid = \"b\"\ngpio = { chip = \"gpiochip1\", line = 4 }\n\
         pulse_volume = \"10 L\"\nvalve = \"v\"\n\
         [[valve]]\nid = \"v\"\nactuator = \"simulated\"\n",
    );
    assert_eq!(config.meters[1].valve, Some(0));
}
