// SPDX-License-Identifier: MIT OR Apache-2.0
//! What drives a valve has one spelling, which is stored: it stays as it is.

use crate::config::{Config, parse};

fn config(text: &str) -> Config {
    parse("t.toml", text).unwrap_or_else(|errors| panic!("{errors}\n{text}"))
}

fn driven(text: &str) -> String {
    let config = config(text);
    config.driven_by(&config.valves[0])
}

fn gpio(actuator: &str) -> String {
    driven(&format!("[[valve]]\nid = \"main\"\nactuator = {actuator}\n"))
}

/// A valve in the meter of a device, on a port.
fn metered(port: &str, device: &str) -> String {
    driven(&format!(
        "[[port]]\nid = \"p\"\n{port}\n[[meter]]\nid = \"m\"\nport = \"p\"\ndevice = {device}\nreadings = {{ every = \"1 min\", resolution = \"1 L\", rollover = \"100000 m3\" }}\nvalve = \"main\"\n\
         [[valve]]\nid = \"main\"\nactuator = {{ meter = \"m\" }}\n"
    ))
}

#[test]
fn a_line_is_named_by_its_chip_however_that_is_spelt() {
    let line =
        |chip: &str| gpio(&format!("{{ gpio = {{ chip = \"{chip}\", line = 7 }}, closed = \"high\" }}"));
    for chip in ["gpiochip0", "/dev/gpiochip0", "/dev//gpiochip0", "/dev/./gpiochip0"] {
        assert_eq!(line(chip), "line 7 of chip gpiochip0");
    }
    assert_eq!(line("meters"), "line 7 of chip meters");
    let two = "{ gpio = { chip = \"a\", line = 1 }, closed = \"high\", pulse = \"100 ms\", open_line = { chip = \"a\", line = 2 } }";
    assert_eq!(gpio(two), "line 1 of chip a and line 2 of chip a");
    // The level that closes says how it is driven, not what is.
    assert_eq!(
        gpio("{ gpio = { chip = \"a\", line = 1 }, closed = \"low\" }"),
        gpio("{ gpio = { chip = \"a\", line = 1 }, closed = \"high\" }")
    );
    assert_eq!(gpio("\"simulated\""), "");
}

#[test]
fn a_meter_with_an_address_of_its_own_is_that_on_any_port() {
    const ONE: &str = "serial = { device = \"/dev/ttyS1\", baud = 2400 }";
    const OTHER: &str = "tcp = { address = \"192.0.2.7:4001\", baud = 2400 }";
    let cjt188 = "{ protocol = \"cjt188\", address = \"33780012345678\" }";
    assert_eq!(metered(ONE, cjt188), "the CJ/T 188 meter 33780012345678");
    assert_eq!(metered(ONE, cjt188), metered(OTHER, cjt188));
    let mbus = |address: &str| {
        format!(
            "{{ protocol = \"mbus\", address = \"{address}\", quantity = \"volume\", valve = {{ mask = 1, open = 1, closed = 0 }} }}"
        )
    };
    assert_eq!(metered(ONE, &mbus("12345678.ELS.33.03")), "the M-Bus meter 12345678.ELS.33.03");
    assert_eq!(metered(ONE, &mbus("5")), "the M-Bus meter 5 on /dev/ttyS1");
    assert_eq!(metered(OTHER, &mbus("5")), "the M-Bus meter 5 on 192.0.2.7:4001");
    let twice = "serial = { device = \"/dev//./ttyS1\", baud = 9600 }";
    assert_eq!(metered(twice, &mbus("5")), "the M-Bus meter 5 on /dev/ttyS1", "however it is spoken to");
}

#[test]
fn a_unit_of_modbus_is_as_many_valves_as_it_has_registers_for() {
    let unit = |from: u32, register: u32| {
        let (volume, count) = (from + 100, format!("count_from = {from}"));
        metered(
            "serial = { device = \"/dev/ttyS1\", baud = 2400 }",
            &format!(
                "{{ protocol = \"modbus\", address = 7, quantity = \"volume_b\", {count}, registers = [{{ quantity = \"volume_b\", \
                 address = {volume}, type = \"u32\", unit = \"m3\" }}], valve = {{ register = {register}, open = 1, closed = 0 }} }}"
            ),
        )
    };
    assert_eq!(unit(0, 8), "register 8 of the Modbus unit 7 on /dev/ttyS1");
    assert_ne!(unit(0, 9), unit(0, 8));
    assert_eq!(unit(1, 9), unit(0, 8), "however they are counted");
}
