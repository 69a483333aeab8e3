// SPDX-License-Identifier: MIT OR Apache-2.0
//! One meter, one [[meter]]; one valve, one [[valve]]: in whatever spelling, file or order.
#![allow(clippy::unwrap_used, reason = "a test may")]

use gasd::config::{Config, Errors, Source, parse, parse_all};

const READ: &str = "readings = { every = \"1 min\", resolution = \"10 L\" }\n";
const CJT: &str = "{ protocol = \"cjt188\", address = \"33780012345678\" }";

fn port(id: &str) -> String {
    format!("[[port]]\nid = \"{id}\"\nserial = {{ device = \"/dev/{id}\", baud = 2400 }}\n")
}

fn meter(id: &str, port: &str, device: &str) -> String {
    format!("[[meter]]\nid = \"{id}\"\nport = \"{port}\"\ndevice = {device}\n{READ}")
}

fn valve(id: &str, meter: &str) -> String {
    format!("[[valve]]\nid = \"{id}\"\nactuator = {{ meter = \"{meter}\" }}\n")
}

fn layers(texts: &[&str]) -> Result<Config, Errors> {
    let name = |n: usize| format!("{n}.toml");
    let source = |(n, text): (usize, &&str)| Source { name: name(n + 1), text: (*text).to_owned() };
    parse_all(&texts.iter().enumerate().map(source).collect::<Vec<_>>())
}

#[track_caller]
fn refused(text: &str, words: &str) {
    let errors = parse("gasd.toml", text).unwrap_err().to_string();
    assert!(errors.contains(words), "{errors}\n{text}");
}

#[test]
fn a_meter_is_the_actuator_of_one_valve() {
    let base = port("p") + &meter("flat", "p", CJT) + &valve("flat", "flat");
    let errors = parse("gasd.toml", &(base.clone() + &valve("other", "flat"))).unwrap_err().to_string();
    assert_eq!(
        errors,
        "gasd.toml:14:22: actuator.meter: \"flat\": is the actuator of valve \"flat\" already, on line 11: it is one valve, \
         and what holds one of the two would not keep the other from opening it (expected one [[valve]], which several meters \
         may name)"
    );
    let errors = layers(&[&base, &valve("other", "flat")]).unwrap_err().to_string();
    assert!(
        errors.starts_with("2.toml:3:22: actuator.meter: \"flat\": is the actuator of valve \"flat\" already, on line 11 of 1.toml:"),
        "{errors}"
    );
    // Whole in a later file is in its place, not beside it.
    assert_eq!(layers(&[&base, &valve("flat", "flat")]).unwrap().valves.len(), 1);
    let twice = "actuator = { meter = \"flat\" }";
    refused(
        &(base + &valve("other", "flat").replace(twice, "actuator.meter = 'flat'")),
        "already, on line 11",
    );
}

#[test]
fn a_line_is_of_one_valve() {
    let valve = |id: &str, chip: &str| {
        format!(
            "[[valve]]\nid = \"{id}\"\nactuator = {{ gpio = {{ chip = \"{chip}\", line = 7 }}, closed = \"high\" }}\n"
        )
    };
    let (one, other) = (valve("a", "gpiochip0"), valve("b", "/dev/gpiochip0"));
    refused(&(one.clone() + &other), "line 7 of /dev/gpiochip0 is taken already by the ");
    let errors = layers(&[&one, &other]).unwrap_err().to_string();
    assert!(errors.contains("on line 3 of 1.toml"), "{errors}");
}

#[test]
fn one_address_on_one_port_is_one_meter_in_any_spelling() {
    let two = |a: &str, b: &str| port("p") + &meter("a", "p", a) + &meter("b", "p", b);
    let device = |protocol: &str, address: &str| {
        let more = match protocol {
            "dlt645" => ", register = \"00010000\"",
            "modbus" => ", registers = [{ address = 1, type = \"u32\", unit = \"m3\" }]",
            _ => "",
        };
        format!("{{ protocol = \"{protocol}\", address = {address}{more} }}")
    };
    for (protocol, a, b) in [
        ("mbus", "7", "\"007\""),
        ("mbus", "\"12345678\"", "\"12345678.ELS.33.03\""),
        ("cjt188", "\"33780012345678\"", "\"337800123456AA\""),
        ("dlt645", "\"AAAAAAAA2233\"", "\"000000002233\""),
        ("hart", "\"ft-101\"", "\"FT-101\""),
    ] {
        refused(
            &two(&device(protocol, a), &device(protocol, b)),
            "meter \"a\" has this address on the same port already, ",
        );
    }
    refused(
        &two(&device("modbus", "7"), &device("modbus", "\"07\"")),
        "\"07\": meter \"a\" is this unit on the same port already, on line 7, and both have registers 1 to 2, `volume`",
    );
    // What they would be found as.
    refused(&two(&device("auto", "\"07\""), &device("mbus", "7")), "as \"07\" on line 7");
    for (a, b) in [
        (device("modbus", "7"), device("mbus", "7")),
        (device("mbus", "\"12345678.ELS.33.03\""), device("mbus", "\"12345678.SEN.33.03\"")),
        (device("cjt188", "\"33780012345678\""), device("cjt188", "\"33780012345679\"")),
    ] {
        parse("gasd.toml", &two(&a, &b)).unwrap();
    }
    let radio = "[[port]]\nid = \"p\"\nwmbus = { device = \"/dev/ttyACM0\" }\n".to_owned();
    let heard = |id: &str, address: &str| meter(id, "p", &device("wmbus", address));
    refused(
        &(radio + &heard("a", "\"12345678\"") + &heard("b", "\"12345678.ELS.33.03\"")),
        "what one sends would count for both",
    );
}

#[test]
fn one_address_on_two_ports_may_be_one_meter() {
    let two = |device: &str| {
        let text = port("p") + &port("q") + &meter("a", "p", device) + &meter("b", "q", device);
        parse("gasd.toml", &text).unwrap().warnings
    };
    let warnings = two(CJT);
    let words = "meter \"b\": has the address of meter \"a\" on port \"p\", on line 10: if it is one meter, its gas counts twice";
    assert!(warnings.iter().any(|warning| warning.contains(words)), "{warnings:?}");
    for device in
        ["{ protocol = \"mbus\", address = 1 }", "{ protocol = \"cjt188\", address = \"AAAAAAAAAAAAAA\" }"]
    {
        let warnings = two(device);
        assert!(!warnings.iter().any(|warning| warning.contains("counts twice")), "{warnings:?}");
    }
}

#[test]
fn a_wildcard_moves_no_valve() {
    let text = |address: &str, more: &str| {
        let device =
            format!("{{ protocol = \"dlt645\", address = \"{address}\", register = \"00010000\"{more} }}");
        port("p") + &meter("m", "p", &device) + &valve("v", "m")
    };
    let key = ", key_file = \"/k\"";
    for address in ["AAAAAAAA2233", "AAAAAAAAAAAA", "0000001122AA"] {
        refused(
            &text(address, key),
            &format!(
                "gasd.toml:11:22: actuator.meter: \"m\": meter \"m\" has an address or a type that stands for several meters: a valve \
                 is moved only by the meter's own (its address is \"{address}\", on line 7)"
            ),
        );
    }
    parse("gasd.toml", &text("000000112233", key)).unwrap();
    refused(
        &text("000000112233", ""),
        "meter \"m\" has no key_file, which holds the password that moves its valve",
    );
    let old = text("000000112233", key).replace("00010000\"", "9010\", edition = \"1997\"");
    refused(&old, "takes no command: the command cannot be made");
}

#[test]
fn a_map_that_never_gives_a_volume_is_refused() {
    let device = |registers: &str, more: &str| {
        port("p")
            + &meter(
                "m",
                "p",
                &format!("{{ protocol = \"modbus\", address = 1, registers = [{registers}]{more} }}"),
            )
    };
    let point = |quantity: &str, at: u32, unit: &str| {
        format!("{{ quantity = \"{quantity}\", address = {at}, type = \"u32\"{unit} }}")
    };
    let m3 = ", unit = \"m3\"";
    let two = format!("{}, {}", point("volume_m", 1, m3), point("volume_b", 3, m3));
    for (registers, more, words) in [
        (
            point("volume", 1, m3),
            ", quantity = \"volume_b\"",
            "device.quantity: \"volume_b\": is in no entry of `registers`, so it is never known (expected one of theirs, which \
             are volume)",
        ),
        (
            point("volume", 1, ", unit = \"m3/h\""),
            "",
            "device.registers: have volume in m3/h, which is no volume (expected unit = \"m3\" or \"L\")",
        ),
        (
            point("volume", 1, ""),
            "",
            "have volume without a unit, so nobody knows how much it is (expected unit",
        ),
        (
            point("flow", 1, ", unit = \"m3/h\""),
            "",
            "have no volume, only flow, so there is nothing to be judged (expected one",
        ),
        (
            two.clone(),
            "",
            "have volume_m and volume_b, and nothing says which of them is watched (expected a quantity",
        ),
        (String::new(), "", "the register map has no registers"),
        (
            point("volume", 1, m3).replace("u32", "bits"),
            "",
            "have volume as type = \"bits\", which is no number",
        ),
    ] {
        refused(&device(&registers, more), words);
    }
    for (registers, more) in [
        (two, ", quantity = \"volume_b\""),
        (point("volume", 1, ""), ", unit = \"L\""),
        (point("volume", 1, m3).replace("u32\"", "u32\", scale = \"0.000000000001\""), ""),
    ] {
        parse("gasd.toml", &device(&registers, more)).unwrap();
    }
    let auto = device(&point("flow", 1, ""), "").replace("modbus", "auto");
    refused(&auto, "have no volume, only flow");
}

#[test]
fn what_is_no_address_is_not_called_one() {
    let device = |more: &str| port("p") + &meter("m", "p", &format!("{{ {more} }}"));
    refused(
        &device("protocol = \"cjt188\", address = \"33780012345678\", type = 5"),
        "device.type: 5: is no type of a CJ/T 188 meter (expected 0x10 to 0x49",
    );
    refused(
        &device("protocol = \"dlt645\", address = \"000000112233\", register = \"9010\""),
        "device.register: \"9010\": is no identifier of the edition of 2007 (expected eight hex digits, like \"00010000\"; for \
         the four of 1997, like \"9010\", add edition = \"1997\")",
    );
    refused(
        &device(
            "protocol = \"dlt645\", address = \"000000112233\", edition = \"1997\", register = \"00010000\"",
        ),
        "is no identifier of the edition of 1997 (expected four hex digits",
    );
    let bare = port("p") + "[[meter]]\nid = \"m\"\nport = \"p\"\n";
    let errors = parse("gasd.toml", &bare).unwrap_err().to_string();
    assert!(errors.contains("`device` is missing") && errors.contains("`readings` is missing"), "{errors}");
    assert!(!errors.contains("pulse_volume"), "it counts no pulses: {errors}");
}

#[test]
fn a_tag_is_filled_up_with_spaces() {
    let hart = |tag: &str| format!("{{ protocol = \"hart\", address = \"{tag}\" }}");
    let two = |tag: &str| port("p") + &meter("a", "p", &hart("TAG1")) + &meter("b", "p", &hart(tag));
    refused(&two("tag1  "), "meter \"a\" has this address on the same port already");
    parse("gasd.toml", &two(" TAG1")).unwrap();
    refused(&(port("p") + &meter("a", "p", &hart("  "))), "is no address of this protocol");
}

#[test]
fn of_a_meter_that_is_wrong_itself_nothing_else_is_said() {
    let device = "{ protocol = \"cjt188\", address = \"3378\" }";
    let text = port("p") + &meter("flat", "p", device) + &valve("flat", "flat");
    let errors = parse("gasd.toml", &text).unwrap_err().to_string();
    assert!(
        errors.contains("is no address of this protocol") && !errors.contains("is on no port"),
        "{errors}"
    );
}

fn unit(first: u32, at: u32, valve: &str) -> String {
    format!(
        "{{ protocol = \"modbus\", address = 7, count_from = {first}, registers = [{{ address = {at}, type = \"u32\", \
         unit = \"m3\" }}]{valve} }}"
    )
}

#[test]
fn a_valve_is_not_moved_by_a_register_that_counts() {
    let one = |device: &str| port("p") + &meter("m", "p", device);
    let at = |register: u32| format!(", valve = {{ register = {register}, open = 1, closed = 0 }}");
    for register in [1, 2] {
        refused(
            &one(&unit(0, 1, &at(register))),
            &format!(
                "moves the valve by register {register}, which lies in registers 1 to 2, `volume` of `registers`: a command"
            ),
        );
    }
    for good in [at(3), at(0), ", valve = { coil = 1, open = 1, closed = 0 }".to_owned()] {
        parse("gasd.toml", &one(&unit(0, 1, &good))).unwrap();
    }
    let status =
        unit(0, 1, &at(9)).replace("}]", "}, { quantity = \"status\", address = 9, type = \"bits\" }]");
    parse("gasd.toml", &one(&status)).unwrap();
    let input = unit(0, 1, &at(1)).replace("type", "table = \"input\", type");
    parse("gasd.toml", &one(&input)).unwrap();
}

#[test]
fn a_unit_of_modbus_may_be_several_meters_with_registers_of_their_own() {
    let two = |a: &str, b: &str| port("p") + &meter("a", "p", a) + &meter("b", "p", b);
    let at = |register: u32| format!(", valve = {{ register = {register}, open = 1, closed = 0 }}");
    parse("gasd.toml", &two(&unit(0, 1, ""), &unit(0, 3, ""))).unwrap();
    parse("gasd.toml", &two(&unit(0, 1, &at(9)), &unit(0, 3, &at(10)))).unwrap();
    // On the wire 4 of one is 5 of the other.
    parse("gasd.toml", &two(&unit(0, 1, ""), &unit(1, 4, ""))).unwrap();
    for (a, b, why) in [
        (unit(0, 1, ""), unit(0, 2, ""), "both have registers 2 to 3, `volume` (expected another unit"),
        (unit(0, 1, ""), unit(1, 3, ""), "both have registers 3 to 4, `volume`"),
        (unit(0, 1, &at(9)), unit(0, 3, &at(9)), "both move their valve by the same register"),
        (unit(0, 1, &at(4)), unit(0, 3, ""), "would write into registers 3 to 4, `volume` of the other"),
        (unit(0, 1, ""), unit(0, 3, &at(1)), "would write into registers 1 to 2, `volume` of the other"),
    ] {
        refused(&two(&a, &b), why);
    }
}
