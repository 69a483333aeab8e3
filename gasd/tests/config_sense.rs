// SPDX-License-Identifier: MIT OR Apache-2.0
//! Every way a readable configuration can make no sense, with the line a person reads.

mod config_support;

use config_support::{meter, only, refused, valve, whole};
use gasd::config::parse;

#[test]
fn ids_chips_lines_and_paths() {
    only(
        refused("[[valve]]\nid = \"haupt ventil\"\nactuator = \"simulated\"\n"),
        "2:6: id: \"haupt ventil\": an id is 1 to 64 of the characters A-Z a-z 0-9 _ -; ` ` is \
         none of them",
    );
    for id in [String::new(), "x".repeat(65)] {
        let lines = refused(&format!("[[valve]]\nid = \"{id}\"\nactuator = \"simulated\"\n"));
        assert!(lines[0].ends_with("an id is 1 to 64 of the characters A-Z a-z 0-9 _ -"));
    }
    for chip in ["", "/etc/passwd", "a/b", "/dev/", "/dev/../etc", " gpiochip0", "a\\u0000"] {
        let lines = meter(&format!("gpio = {{ chip = \"{chip}\", line = 4 }}\npulse_volume = \"10 L\""));
        only(
            lines,
            &format!(
                "6:17: gpio.chip: \"{chip}\": is no name of a GPIO chip (expected a name like \
                 \"gpiochip0\", a path like \"/dev/gpiochip0\", or a chip's label as \
                 `gpiodetect` lists it)"
            ),
        );
    }
    only(
        meter("line = -1\npulse_volume = \"10 L\""),
        "6:8: line: -1: must be a whole number from 0 to 4294967295 (expected the line's offset \
         on its chip, like 4)",
    );
    only(whole("gpio = { line = 4 }"), "6:8: line: 4: is given twice, here and as `gpio`; keep one of them");
    only(
        refused("[store]\npath = \"gasd.redb\"\n"),
        "2:8: store.path: \"gasd.redb\": is no absolute path; a service has no directory of its \
         own to start from (expected a path like \"/var/lib/gasd/gasd.redb\")",
    );
    only(
        refused("[kernel]\npins = \"bpf\"\n"),
        "2:8: kernel.pins: \"bpf\": is no absolute path; a service has no directory of its own \
         to start from (expected a path like \"/run/gasd/bpf\")",
    );
}

#[test]
fn volumes_and_flows_of_no_gas_meter() {
    for (value, shown) in [("0.5 mL", "500 uL"), ("10.1 m3", "10.1 m3")] {
        only(
            meter(&format!("line = 4\npulse_volume = \"{value}\"")),
            &format!(
                "7:16: pulse_volume: \"{value}\": one pulse would be {shown}; gas meters make a \
                 pulse every 1 mL to 10 m3 (check the unit: the meter's plate says e.g. \"1 imp \
                 = 0.01 m3\")"
            ),
        );
    }
    for (value, shown) in [("1 L/h", "0.001 m3/h"), ("10001 m3/h", "10001 m3/h")] {
        only(
            whole(&format!("max_flow = \"{value}\"")),
            &format!(
                "8:12: max_flow: \"{value}\": a largest flow of {shown} is outside 0.01 m3/h to \
                 10000 m3/h, what gas meters are made for (the meter's plate has it as Qmax)"
            ),
        );
    }
    only(
        meter("line = 4\npulse_volume = \"1 mL\"\nmax_flow = \"100 m3/h\""),
        "7:16: pulse_volume: \"1 mL\": a pulse of 1 mL at a max_flow of 100 m3/h comes every \
         36 us; no pulse output is faster than one every 100 us, so one of the two is wrong",
    );
}

#[test]
fn filters_that_would_reject_real_pulses() {
    only(
        whole("filter = { min_interval = \"7 s\" }"),
        "8:27: filter.min_interval: \"7 s\": would reject real pulses: at max_flow 6 m3/h a pulse \
         of 10 L comes every 6 s (expected at most that)",
    );
    only(
        whole("filter = { min_width = \"4 s\", min_idle = \"2500 ms\" }"),
        "8:24: filter.min_width: \"4 s\": would reject real pulses: min_width 4 s and min_idle \
         2.5 s together take 6.5 s, but at max_flow 6 m3/h a pulse of 10 L comes every 6 s",
    );
    only(
        whole("filter = { min_idle = \"6 s\" }"),
        "8:23: filter.min_idle: \"6 s\": would reject real pulses: min_width 10 ms and min_idle \
         6 s together take 6.01 s, but at max_flow 6 m3/h a pulse of 10 L comes every 6 s",
    );
    only(
        meter("line = 4\npulse_volume = \"0.1 L\"\nmax_flow = \"25 m3/h\"\nfilter.storm_limit = 100"),
        "9:22: filter.storm_limit: 100: the meter itself makes 139 edges a second at max_flow \
         25 m3/h: two for each pulse of 100 mL (expected at least that, or 0 to turn the storm \
         alarm off)",
    );
    only(
        whole("filter.poll = \"10 us\""),
        "8:15: filter.poll: \"10 us\": 10 us is outside 1 ms to 60 s: how often a settled line \
         is read",
    );
    only(
        refused("[store]\npersist = \"2 h\"\n"),
        "2:11: store.persist: \"2 h\": 7200 s is outside 10 ms to 3600 s: how often totals are \
         written down",
    );
}

#[test]
fn an_interval_exactly_as_long_as_the_shortest_is_accepted() {
    let text = "[[meter]]\nid = \"m\"\nline = 4\npulse_volume = \"10 L\"\n\
                filter = { min_interval = \"6 s\", min_width = \"3 s\", min_idle = \"3 s\" }\n";
    assert!(parse("gasd.toml", text).is_ok());
}

#[test]
fn thresholds_out_of_order_or_out_of_reach() {
    only(
        whole("thresholds = { suspect = \"3 m3/h\" }"),
        "8:26: thresholds.suspect: \"3 m3/h\": the threshold `confirm` (3.2 m3/h) is above \
         `suspect` (3 m3/h): it is measured over a longer time and could not be reached first \
         (expected suspect >= confirm >= sustain)",
    );
    only(
        whole("thresholds = { confirm = \"2 m3/h\", sustain = \"2.5 m3/h\" }"),
        "8:46: thresholds.sustain: \"2.5 m3/h\": the threshold `sustain` (2.5 m3/h) is above \
         `confirm` (2 m3/h): it is measured over a longer time and could not be reached first \
         (expected suspect >= confirm >= sustain)",
    );
    only(
        whole("thresholds = { suspect = \"12.1 m3/h\" }"),
        "8:26: thresholds.suspect: \"12.1 m3/h\": the threshold `suspect` of 12.1 m3/h could \
         never be reached: the meter is made for 6 m3/h and passes no more than twice that, \
         12 m3/h",
    );
    only(
        whole("max_flow = \"2 m3/h\""),
        "8:12: max_flow: \"2 m3/h\": the default threshold `suspect` of 5 m3/h could never be \
         reached: the meter is made for 2 m3/h and passes no more than twice that, 4 m3/h; set \
         `thresholds` for this meter",
    );
}

#[test]
fn ids_and_lines_used_twice() {
    let meter =
        |id: &str, gpio: &str| format!("[[meter]]\nid = \"{id}\"\ngpio = {gpio}\npulse_volume = \"10 L\"\n");
    let a = meter("a", "{ chip = \"gpiochip0\", line = 4 }");
    only(
        refused(&(a.clone() + &meter("a", "{ line = 5 }"))),
        "6:6: id: \"a\": another meter is called so already, on line 2",
    );
    only(
        refused(&(a.clone() + &meter("b", "{ chip = \"/dev/gpiochip0\", line = 4 }"))),
        "7:8: gpio: line 4 of /dev/gpiochip0 is taken already by meter \"a\", on line 3",
    );
    only(
        refused(&(a.clone() + &meter("b", "{ line = 4 }"))),
        "7:8: gpio: line 4 is taken already by meter \"a\", on line 3",
    );
    let v = |id: &str, line: u32| {
        format!(
            "[[valve]]\nid = \"{id}\"\nactuator = {{ gpio = {{ chip = \"gpiochip0\", line = \
             {line} }}, closed = \"high\", feedback = {{ chip = \"gpiochip0\", line = 9 }} }}\n"
        )
    };
    only(
        refused(&(a + &v("v", 4))),
        "7:21: actuator.gpio: line 4 of gpiochip0 is taken already by meter \"a\", on line 3",
    );
    assert_eq!(
        refused(&(v("v", 7) + &v("v", 7))),
        [
            "gasd.toml:5:6: id: \"v\": another valve is called so already, on line 2",
            "gasd.toml:6:21: actuator.gpio: line 7 of gpiochip0 is taken already by the line of \
             valve \"v\", on line 3",
            "gasd.toml:6:83: actuator.feedback: line 9 of gpiochip0 is taken already by the \
             feedback line of valve \"v\", on line 3",
        ]
    );
}

#[test]
fn valves_that_are_not_there() {
    only(whole("valve = \"mian\""), "8:9: valve: \"mian\": no valve is called so; did you mean `main`?");
    only(whole("valve = \"garden\""), "8:9: valve: \"garden\": no valve is called so; known are `main`");
    only(
        refused("[[meter]]\nid = \"m\"\nline = 4\npulse_volume = \"10 L\"\nvalve = \"main\"\n"),
        "5:9: valve: \"main\": no valve is called so; none is known here",
    );
}

#[test]
fn actuators_that_make_no_sense() {
    let range = "is outside 1 ms to 60 s: how long a latching valve's coil is fed";
    for (pulse, shown) in [("0.5 ms", "500 us"), ("2 min", "120 s")] {
        only(
            valve(&format!("actuator = {{ gpio = {{ line = 7 }}, closed = \"high\", pulse = \"{pulse}\" }}")),
            &format!("3:60: actuator.pulse: \"{pulse}\": {shown} {range}"),
        );
    }
    only(
        valve("actuator = { gpio = { line = 7 }, closed = \"high\", open_line = { line = 8 } }"),
        "3:64: actuator.open_line: a line that opens belongs to a latching valve, whose coils are \
         pulsed; add e.g. pulse = \"60 ms\", or drop it",
    );
    only(
        valve("actuator = { gpio = { line = 7, active = \"low\" }, closed = \"high\" }"),
        "3:42: actuator.gpio.active: \"low\": `closed` alone says which level of this line closes \
         the valve; drop `active`",
    );
}

#[test]
fn more_meters_than_lines() {
    let all: String =
        (0..65).map(|n| format!("[[meter]]\nid = \"m{n}\"\nline = {n}\npulse_volume = \"10 L\"\n")).collect();
    only(refused(&all), "258:6: id: \"m64\": there are 65 meters; one gateway counts at most 64");
}

#[test]
fn a_filter_that_would_not_see_a_broken_pipe_is_warned_of() {
    for filter in ["min_interval = \"4 s\"", "min_width = \"2 s\", min_idle = \"2 s\""] {
        let text =
            format!("[[meter]]\nid = \"m\"\nline = 1\npulse_volume = \"10 L\"\nfilter = {{ {filter} }}\n");
        let warnings = parse("t.toml", &text).unwrap().warnings;
        assert!(
            warnings.iter().any(|w| w.contains("a broken pipe has: at twice max_flow they come every 3 s")),
            "{warnings:?}"
        );
    }
}
