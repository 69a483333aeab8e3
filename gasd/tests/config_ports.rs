// SPDX-License-Identifier: MIT OR Apache-2.0
//! Ports and the meters on them, as a configuration says them: what it becomes, and everything that can be wrong.
#![allow(clippy::unwrap_used, reason = "a test may")]

use gasd::config::{Actuator, Config, LoRaAddress, PortLine, Talk, parse};
use gasd_meters::drive::{Device, HartSelect, ModbusValve};
use gasd_meters::poll::Echo;
use gasd_meters::{Kind, Unit, dlt645, mbus, modbus};
use gasd_ports::wire::{Parity, Transceiver, WireSpec};

const PORT: &str = "[[port]]\nid = \"p\"\nserial = { device = \"/dev/ttyS1\", baud = 2400 }\n";
const READ: &str = "readings = { every = \"1 min\", resolution = \"10 L\" }\n";

fn good(text: &str) -> Config {
    match parse("gasd.toml", text) {
        Ok(config) => config,
        Err(errors) => panic!("{errors}\n{text}"),
    }
}

/// A meter on the port with this device.
fn device(device: &str) -> String {
    format!("{PORT}[[meter]]\nid = \"m\"\nport = \"p\"\ndevice = {device}\n{READ}")
}

fn talk(text: &str) -> Talk {
    good(text).meters[0].source.on_port().unwrap().device.talk.clone()
}

#[track_caller]
fn refused(text: &str, words: &str) {
    let errors = parse("gasd.toml", text).unwrap_err().to_string();
    assert!(errors.contains(words), "{errors}\n{text}");
}

#[test]
fn every_key_of_a_port_is_read() {
    let config = good(
        "[[port]]\nid = \"p\"\necho = \"no\"\nanswer = \"2 s\"\nbreaker = { failures = 5, open = \"1 min\", longest = \"1 h\" }\n\
         low_power = { chip = \"gpiochip0\", line = 3 }\n\
         serial = { device = \"/dev/ttyS1\", baud = 1200, parity = \"odd\", stop_bits = 2, rs485 = \"kernel\" }\n",
    );
    let port = &config.ports[0];
    let PortLine::Wire(WireSpec::Serial(serial)) = &port.line else { panic!("serial") };
    assert_eq!((serial.baud, serial.parity, serial.two_stops), (1200, Parity::Odd, true));
    assert_eq!((serial.transceiver, serial.bits()), (Transceiver::Kernel, 12));
    assert_eq!((port.echo, port.answer_ns), (Echo::Never, Some(2_000_000_000)));
    let breaker = port.breaker;
    assert_eq!(
        (breaker.failures, breaker.open_ns, breaker.longest_ns),
        (5, 60_000_000_000, 3_600_000_000_000)
    );
    assert_eq!(port.low_power.as_ref().map(|line| line.line), Some(3));
    assert!(config.warnings.iter().any(|warning| warning.contains("gasctl scan")), "{:?}", config.warnings);
    for (line, kind) in [
        ("tcp = { address = \"192.0.2.7:4001\", baud = 2400 }", "tcp"),
        ("wmbus = { device = \"/dev/ttyACM0\", framing = \"lines\", greeting = \"brt\" }", "wmbus"),
        ("wmbus = { address = \"[::1]:4001\" }", "wmbus"),
        ("lorawan = { listen = \"127.0.0.1:1700\", region = \"cn470\" }", "lorawan"),
        ("lwm2m = { listen = \"[::]:5683\" }", "lwm2m"),
    ] {
        let config = good(&format!("[[port]]\nid = \"p\"\n{line}\n"));
        assert_eq!(config.ports[0].line.kind(), kind);
        assert!(!config.ports[0].line.place().is_empty());
    }
}

#[test]
fn every_protocol_has_its_device() {
    let cjt188 = talk(&device(
        "{ protocol = \"cjt188\", address = \"33780012345678\", dialect = \"no-valve\", type = 0x31 }",
    ));
    assert!(
        matches!(cjt188, Talk::Wired(Device::Cjt188 { kind: 0x31, profile, .. }) if profile.name == "no-valve")
    );
    let dlt645 = talk(&device(
        "{ protocol = \"dlt645\", address = \"123456789012\", register = \"9010\", edition = \"1997\" }",
    ));
    assert!(matches!(dlt645, Talk::Wired(Device::Dlt645 { di: dlt645::Di::Short(0x9010), .. })));
    let primary = talk(&device("{ protocol = \"mbus\", address = 250, valve = { open = 1, closed = 0 } }"));
    let output = mbus::ValveOutput { mask: 0xFF, open: 1, closed: 0 };
    assert_eq!(
        primary,
        Talk::Wired(Device::Mbus { target: mbus::Target::Primary(250), valve: Some(output) })
    );
    let secondary = talk(&device("{ protocol = \"mbus\", address = \"12345678.ELS.33.03\" }"));
    assert!(matches!(
        secondary,
        Talk::Wired(Device::Mbus { target: mbus::Target::Selected(_), valve: None })
    ));
    let registers = "{ protocol = \"modbus\", address = 7, count_from = 1, valve = { coil = 5, open = 0, closed = 1 }, \
                     registers = [{ address = 100, type = \"u32\", order = \"CDAB\", scale = \"0.01\", unit = \"m3\" }] }";
    let Talk::Wired(Device::Modbus { unit: 7, map, valve }) = talk(&device(registers)) else {
        panic!("modbus")
    };
    assert_eq!(valve, Some(ModbusValve::Coil { address: 5, open: false }));
    let point = map.points[0];
    assert_eq!(
        (map.first, point.address, point.order, point.unit),
        (1, 100, modbus::Order::CDAB, Unit::CubicMetre)
    );
    assert_eq!(point.scale, modbus::Scale::Fixed(gasd_meters::Decimal::new(1, -2)));
    let hart = talk(&device("{ protocol = \"hart\", address = \"ft-101\" }"));
    assert!(
        matches!(hart, Talk::Wired(Device::Hart { select: HartSelect::Tag(tag), .. }) if tag == "FT-101")
    );
    let text = device("{ protocol = \"mbus\", address = 1, quantity = \"volume_b\", unit = \"L\" }");
    let on = good(&text).meters[0].source.on_port().unwrap().device.clone();
    assert_eq!((on.quantity, on.unit), (Some(Kind::VolumeBase), Some(Unit::Litre)));
}

#[test]
fn a_protocol_that_nobody_knows_is_every_one_with_such_an_address() {
    let speaks = |text: &str| match talk(&device(text)) {
        Talk::Auto(devices) => devices.iter().map(|device| device.protocol().name()).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    assert_eq!(speaks("{ protocol = \"auto\", address = \"33780012345678\", type = 0x31 }"), ["cjt188"]);
    assert_eq!(speaks("{ protocol = \"auto\", address = \"123456789012\" }"), ["dlt645", "dlt645"]);
    assert_eq!(speaks("{ protocol = \"auto\", address = 7 }"), ["mbus", "hart"]);
    let registers = "registers = [{ address = 100, type = \"u32\", unit = \"m3\" }]";
    assert_eq!(
        speaks(&format!("{{ protocol = \"auto\", address = 7, {registers} }}")),
        ["mbus", "modbus", "hart"]
    );
    let any = "{ protocol = \"auto\", address = \"any\" }";
    assert_eq!(speaks(any), ["cjt188", "cjt188", "dlt645", "dlt645", "mbus", "hart"]);

    refused(
        &device("{ protocol = \"auto\", address = \"urn:imei:1\" }"),
        "or \"any\" for a meter that is alone",
    );
    refused(
        &device("{ protocol = \"auto\", address = 7, valve = { open = 1, closed = 0 } }"),
        "means nothing for",
    );
    let beside = |device: &str, other: &str| {
        let second = format!("[[meter]]\nid = \"n\"\nport = \"p\"\ndevice = {other}\n{READ}");
        format!("{}{second}", self::device(device))
    };
    refused(&beside(any, "{ protocol = \"mbus\", address = 9 }"), "give this meter's own address");
    refused(
        &beside("{ protocol = \"mbus\", address = 9 }", "{ protocol = \"auto\", address = 9 }"),
        "they would answer at once",
    );
    good(&beside("{ protocol = \"mbus\", address = 9 }", "{ protocol = \"auto\", address = 8 }"));
    let valve = "valve = \"v\"\n[[valve]]\nid = \"v\"\nactuator = { meter = \"m\" }\n";
    refused(&format!("{}{valve}", device(any)), "by a protocol that somebody has named");
}

#[test]
fn what_speaks_by_itself_has_its_device_and_its_keys() {
    let on = |line: &str, device: &str| {
        format!(
            "[[port]]\nid = \"p\"\n{line}\n[[meter]]\nid = \"m\"\nport = \"p\"\ndevice = {device}\n{READ}"
        )
    };
    let lora = "lorawan = { listen = \"127.0.0.1:1700\" }";
    let config = good(&on(
        lora,
        "{ protocol = \"lorawan\", address = \"70B3D50000000001\", payload = \"jooby-mxi\", \
                                 pulse_volume = \"10 L\", key_file = \"/etc/gasd/keys/m\" }",
    ));
    let device = &config.meters[0].source.on_port().unwrap().device;
    assert_eq!(device.key_file.as_deref(), Some(std::path::Path::new("/etc/gasd/keys/m")));
    let Talk::LoRaWan { address, pulse_volume_ul, .. } = &device.talk else { panic!("lorawan") };
    assert_eq!((*address, *pulse_volume_ul), (LoRaAddress::DevEui(0x70B3_D500_0000_0001), Some(10_000_000)));
    let nb = "lwm2m = { listen = \"0.0.0.0:5683\" }";
    let framed = talk(&on(nb, "{ protocol = \"lwm2m\", address = \"urn:imei:1/33780012345678\" }"));
    assert!(matches!(framed, Talk::LwM2m { carried: Some(_), register: None, .. }));
    let own = talk(&on(
        nb,
        "{ protocol = \"lwm2m\", address = \"urn:imei:1\", register = \"3424/0/1\", scale = \"0.001\" }",
    ));
    assert!(
        matches!(own, Talk::LwM2m { register: Some(at), .. } if (at.path, at.exponent) == ([3424, 0, 1], -3))
    );
    let radio = "wmbus = { device = \"/dev/ttyACM0\" }";
    assert!(matches!(talk(&on(radio, "{ protocol = \"wmbus\", address = \"12345678\" }")), Talk::Wmbus(_)));
    refused(
        &on(lora, "{ protocol = \"lorawan\", address = \"1\", payload = \"ugm\", key_file = \"/k\" }"),
        "DevEUI",
    );
    refused(
        &on(lora, "{ protocol = \"lorawan\", address = \"01020304\", payload = \"ugm\" }"),
        "needs `key_file`",
    );
    refused(&on(nb, "{ protocol = \"lwm2m\", address = \"urn:imei:1\" }"), "endpoint");
    refused(
        &on(lora, "{ protocol = \"mbus\", address = 1 }"),
        "mbus is not spoken on a port of kind lorawan",
    );
}

#[test]
fn what_is_wrong_with_a_port_is_said() {
    refused("[[port]]\nid = \"p\"\n", "says not what it is");
    refused(
        "[[port]]\nid = \"p\"\nserial = { device = \"/d\", baud = 9600 }\ntcp = { address = \"a:1\", baud = 9600 }\n",
        "is given twice",
    );
    refused("[[port]]\nid = \"p\"\nserial = { device = \"ttyUSB0\", baud = 9600 }\n", "no absolute path");
    refused("[[port]]\nid = \"p\"\nserial = { device = \"/d\", baud = 50 }\n", "300 to 1000000 baud");
    refused("[[port]]\nid = \"p\"\nserial = { device = \"/d\" }\n", "`baud` is missing");
    refused("[[port]]\nid = \"p\"\ntcp = { address = \"host\", baud = 9600 }\n", "no host with a port");
    refused("[[port]]\nid = \"p\"\nlorawan = { listen = \"1700\" }\n", "no address with a port");
    refused(
        "[[port]]\nid = \"p\"\nserial = { device = \"/d\", baud = 9600, parity = \"evn\" }\n",
        "did you mean `even`",
    );
    refused(&format!("{PORT}breaker = {{ failures = 0 }}\n"), "1 or more");
    refused(&format!("{PORT}{PORT}"), "another port is called so already, on line 2");
    refused(
        &format!("{PORT}[[port]]\nid = \"q\"\nserial = {{ device = \"/dev/ttyS1\", baud = 9600 }}\n"),
        "is taken already by port \"p\"",
    );
    refused(
        &device("{ protocol = \"mbus\", address = 1 }").replace("port = \"p\"", "port = \"pp\""),
        "did you mean `p`",
    );
}

#[test]
fn what_is_wrong_with_a_device_is_said() {
    for (text, words) in [
        ("{ address = 1 }", "`protocol` is missing"),
        ("{ protocol = \"mbuss\", address = 1 }", "did you mean `mbus`"),
        ("{ protocol = \"mbus\" }", "`address` is missing"),
        ("{ protocol = \"mbus\", address = 251 }", "no address of this protocol"),
        ("{ protocol = \"cjt188\", address = \"1234\" }", "14 digits"),
        ("{ protocol = \"cjt188\", address = \"33780012345678\", type = 0x50 }", "0x"),
        (
            "{ protocol = \"cjt188\", address = \"33780012345678\", dialect = \"no-valv\" }",
            "did you mean `no-valve`",
        ),
        ("{ protocol = \"dlt645\", address = \"123456789012\" }", "`register` is missing"),
        (
            "{ protocol = \"dlt645\", address = \"999999999999\", register = \"00010000\" }",
            "the broadcast address, which nobody answers",
        ),
        ("{ protocol = \"auto\", address = \"999999999999\" }", "address of any protocol"),
        ("{ protocol = \"dlt645\", address = \"123456789012\", register = \"9010\" }", "eight hex digits"),
        ("{ protocol = \"modbus\", address = 1 }", "needs `registers`"),
        (
            "{ protocol = \"modbus\", address = 300, registers = [{ address = 1, type = \"u16\" }] }",
            "1 to 247",
        ),
        (
            "{ protocol = \"modbus\", address = 1, registers = [{ address = 1, type = \"u16\", scale = \"0\" }] }",
            "above 0",
        ),
        (
            "{ protocol = \"modbus\", address = 1, count_from = 1, registers = [{ address = 0, type = \"u16\" }] }",
            "counted from 0 or from 1",
        ),
        (
            "{ protocol = \"modbus\", address = 1, registers = [], valve = { coil = 1, open = 1, closed = 1 } }",
            "are the same",
        ),
        ("{ protocol = \"hart\", address = 64 }", "0 to 63"),
        (
            "{ protocol = \"hart\", address = 1, dialect = \"standard\" }",
            "means nothing for protocol = \"hart\"",
        ),
        ("{ protocol = \"hart\", address = 1, key_file = \"k\" }", "means nothing"),
        ("{ protocol = \"mbus\", address = 1, key_file = \"k\" }", "/etc/gasd/keys"),
    ] {
        refused(&device(text), words);
    }
    let one = device("{ protocol = \"mbus\", address = 1 }");
    let again = one.replace(PORT, "").replace("\"m\"", "\"n\"");
    refused(&format!("{one}{again}"), "has this address on the same port already");
    refused(&one.replace(READ, ""), "`readings` is missing");
    refused(&format!("{one}gpio = {{ chip = \"gpiochip0\", line = 1 }}\n"), "is given twice");
    refused(&format!("{one}pulse_volume = \"10 L\"\n"), "goes with no `readings`");
    refused(&one.replace("port = \"p\"\n", ""), "not where");
}

#[test]
fn a_valve_in_a_meter_is_one_that_can_be_moved() {
    let valve = |meter: &str, device_text: &str| {
        format!("{}[[valve]]\nid = \"v\"\nactuator = {{ meter = \"{meter}\" }}\n", device(device_text))
    };
    let config = good(&valve("m", "{ protocol = \"cjt188\", address = \"33780012345678\" }"));
    assert_eq!(config.valves[0].actuator, Actuator::Meter { meter: "m".into() });
    good(&valve(
        "m",
        "{ protocol = \"dlt645\", address = \"123456789012\", register = \"00010000\", key_file = \"/k\" }",
    ));
    refused(&valve("n", "{ protocol = \"mbus\", address = 1 }"), "no meter is called so; known are `m`");
    refused(
        &valve("m", "{ protocol = \"mbus\", address = 1 }"),
        "meter \"m\" has a device that does not say how its valve is moved",
    );
    refused(
        &valve("m", "{ protocol = \"hart\", address = 1 }"),
        "meter \"m\" speaks hart, which has no command that moves a valve",
    );
    refused(
        &valve("m", "{ protocol = \"cjt188\", address = \"AAAAAAAAAAAAAA\" }"),
        "meter \"m\" has an address or a type that stands for several meters: a valve is moved only by the meter's own",
    );
    refused(
        &valve("m", "{ protocol = \"cjt188\", address = \"33780012345678\" }")
            .replace("actuator = { meter = \"m\" }", "actuator = { meter = \"m\", closed = \"high\" }"),
        "goes with no `meter`",
    );
}
