// SPDX-License-Identifier: MIT OR Apache-2.0
//! Descriptors of anything stand for requests here: which valve gets which is decided by their names.

use std::os::fd::AsRawFd as _;

use super::*;
use crate::config::parse;

fn kept(names: &[String]) -> (Kept, HashMap<String, i32>) {
    let fds: Vec<(String, OwnedFd)> =
        names.iter().map(|name| (name.clone(), std::fs::File::open("/dev/null").unwrap().into())).collect();
    let numbers = fds.iter().map(|(name, fd)| (name.clone(), fd.as_raw_fd())).collect();
    (Kept(fds.into_iter().collect()), numbers)
}

fn on_lines(valves: [(&str, u32); 2]) -> Config {
    let valve = |(id, line): (&str, u32)| {
        format!(
            "[[valve]]\nid = \"{id}\"\nactuator = {{ gpio = {{ chip = \"valves\", line = {line} }}, closed = \"high\" }}\n"
        )
    };
    parse("t.toml", &valves.map(valve).concat()).unwrap()
}

fn name(line: u32) -> String {
    valve_name(&GpioLine { chip: Some("valves".into()), line, active_low: false, bias: None })
}

#[test]
fn a_request_goes_to_the_valve_that_has_its_line_now() {
    let names = [name(1), name(2)];
    for (valves, front, back) in [
        ([("front", 1), ("back", 2)], 0, 1),
        ([("front", 2), ("back", 1)], 1, 0),
        ([("porch", 1), ("back", 2)], 0, 1),
    ] {
        let (mut kept, numbers) = kept(&names);
        let found = kept.valves(&on_lines(valves));
        for ((id, _), name) in valves.into_iter().zip([front, back]) {
            let held = &found[id];
            assert_eq!((&held.name, held.fd.as_raw_fd()), (&names[name], numbers[&names[name]]));
        }
        assert!(kept.0.is_empty());
    }
}

#[test]
fn what_nobody_has_any_more_is_given_up_before_anything_is_requested() {
    let with = |more: &str| {
        let gpio = format!("{{ chip = \"meters\", line = 4{more} }}");
        parse("t.toml", &format!("[[meter]]\nid = \"kitchen\"\ngpio = {gpio}\npulse_volume = \"10 L\"\n"))
            .unwrap()
    };
    let config = with("");
    let its = line_name("kitchen", config.meters[0].source.chip().unwrap());
    let (mut kept, _) = kept(&[its.clone(), "line-cellar-0".into(), name(1), "valve-main".into()]);
    assert!(kept.valves(&config).is_empty());
    kept.discard_but_meters(&config);
    assert_eq!(kept.0.keys().collect::<Vec<_>>(), [&its]);
    // The same line with another level on it is another request.
    kept.discard_but_meters(&with(", active = \"low\""));
    assert!(kept.0.is_empty());
}
