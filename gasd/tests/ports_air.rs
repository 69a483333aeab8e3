// SPDX-License-Identifier: MIT OR Apache-2.0
//! Meters that speak by themselves: LoRaWAN behind a packet forwarder and LwM2M, over links that lose, double and
//! reorder; with the keys of files.
#![allow(clippy::unwrap_used, reason = "test code")]

#[path = "bus_support.rs"]
mod support;

mod ports_house;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use gasd_lab::clock::now_ns;
use gasd_lab::lorawan::{Activation, Device, Forwarder, Payload, Settings};
use gasd_lab::loss::{Loss, Lossy};
use gasd_lab::truth::look;
use gasd_lab::udp::Peer;
use gasd_lab::{Habits, cjt188, lwm2m};
use gasd_meters::lorawan::Key;
use ports_house::{House, M3_PER_H, SECOND, answers, field, truth};

const LOSS: Loss = Loss { drop_ppm: 150_000, duplicate_ppm: 100_000, reorder_ppm: 100_000, seed: 5 };
const APP_KEY: [u8; 16] = *b"a key for tests!";

/// A port that nobody listens on now.
fn free_port() -> u16 {
    std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn key_file(house: &House, name: &str, text: &str, mode: u32) {
    let path = house.at(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

#[test]
fn lorawan_meters_join_and_are_read_with_the_keys_of_their_files() {
    let port = free_port();
    let mut house = House::prepare(&format!(
        r#"
[[port]]
id = "lora"
lorawan = {{ listen = "127.0.0.1:{port}" }}

[[meter]]
id = "joins"
port = "lora"
device = {{ protocol = "lorawan", address = "70B3D50000000001", payload = "ugm", key_file = "DIR/joins.key" }}
readings = {{ every = "2 s", resolution = "1 L" }}

[[meter]]
id = "wrong"
port = "lora"
device = {{ protocol = "lorawan", address = "01020304", payload = "ugm", key_file = "DIR/wrong.key" }}
readings = {{ every = "2 s", resolution = "1 L" }}

[[meter]]
id = "open"
port = "lora"
device = {{ protocol = "lorawan", address = "01020305", payload = "ugm", key_file = "DIR/open.key" }}
readings = {{ every = "2 s", resolution = "1 L" }}
"#
    ));
    key_file(&house, "joins.key", &format!("app_key = {}\n", hex(&APP_KEY)), 0o640);
    let wrong = format!("nwk_s_key = {0}\napp_s_key = {0}\n", hex(&[9; 16]));
    key_file(&house, "wrong.key", &wrong, 0o640);
    key_file(&house, "open.key", &wrong, 0o644);
    house.up();
    let state = house.wait("a key file that is open to all is refused", 20, |state| {
        state.meters.get("open").is_some_and(|meter| meter.health.contains("open to everybody"))
    });
    assert!(state.meters["open"].health.contains("chmod"), "{}", state.meters["open"].health);
    assert!(!house.said().contains(&hex(&[9; 16])) && !house.said().contains(&hex(&APP_KEY)));

    let (gas, other, stranger) = (truth(3_000_000_000, 2 * M3_PER_H), truth(1, 0), truth(1, 0));
    let device = |activation, dev_eui, truth: &gasd_lab::Shared, seed| {
        let settings = Settings {
            dev_eui,
            activation,
            payload: Payload::Ugm,
            every_ns: 2 * SECOND,
            confirmed: false,
            always_listens: false,
            unheard_ppm: 0,
        };
        Device::new(settings, truth.clone(), now_ns(), seed)
    };
    let session = |dev_addr| Activation::Session {
        dev_addr,
        network: Key::new([7; 16]),
        application: Key::new([8; 16]),
        counter: 0,
    };
    let devices = vec![
        device(Activation::Join { join_eui: 1, key: Key::new(APP_KEY) }, 0x70B3_D500_0000_0001, &gas, 1),
        device(session(0x0102_0304), 2, &other, 2),
        device(session(0x0A0B_0C0D), 3, &stranger, 3),
    ];
    let forwarder = Forwarder::new(0xAABB, devices, now_ns(), 4);
    let to = format!("127.0.0.1:{port}").parse().unwrap();
    let _peer = Peer::open(to, Lossy::new(forwarder, LOSS)).unwrap();
    let state = house.wait("a meter that has joined and is read", 90, |state| answers(state, "joins") > 3);
    let volume = field(&state, "joins", "volume").unwrap();
    assert!(volume.starts_with("3.0"), "{volume}");
    assert!(state.meters["joins"].volume_ul > 0 || look(&gas).register_ul(now_ns()) < 3_020_000_000);
    let state = house.wait("the wrong key is told", 60, |state| {
        let on = state.meters["wrong"].on_port.as_ref();
        on.is_some_and(|on| !on.last_error.is_empty()) && !state.ports["lora"].strangers.is_empty()
    });
    let on = state.meters["wrong"].on_port.as_ref().unwrap();
    assert!(on.fields.is_empty() && state.meters["wrong"].health != "ok", "{on:?}");
    assert!(
        state.ports["lora"].strangers.iter().any(|(what, _)| what.contains("0A0B0C0D")),
        "{:?}",
        state.ports
    );

    // A crash: the session and its counter are known, and nothing has to join again.
    let before = answers(&state, "joins");
    house.kill();
    house.up();
    let state = house.wait("read without joining again", 60, |state| answers(state, "joins") > 0);
    assert!(before > 3 && state.meters["joins"].health != "unknown");
}

#[test]
fn a_meter_on_nb_iot_registers_and_its_frames_are_read() {
    let port = free_port();
    let house = House::start(&format!(
        r#"
[[port]]
id = "nb"
lwm2m = {{ listen = "127.0.0.1:{port}" }}

[[meter]]
id = "far"
port = "nb"
device = {{ protocol = "lwm2m", address = "urn:imei:490154203237518/33780000000005" }}
readings = {{ every = "2 s", resolution = "10 L" }}
"#
    ));
    let gas = truth(8_000_000_000, M3_PER_H);
    let address = gasd_meters::cjt188::Address([5, 0, 0, 0, 0, 0x78, 0x33]);
    let meter = cjt188::GasMeter::new(cjt188::Settings::new(address), Habits::default(), gas.clone());
    let settings =
        lwm2m::Settings { report_ns: 2 * SECOND, ..lwm2m::Settings::new("urn:imei:490154203237518") };
    let client = lwm2m::Client::new(settings, meter, now_ns());
    let to = format!("127.0.0.1:{port}").parse().unwrap();
    let _peer = Peer::open(to, Lossy::new(client, LOSS)).unwrap();
    let state = house.wait("a meter that tells", 90, |state| answers(state, "far") > 3);
    assert!(
        field(&state, "far", "volume").unwrap().starts_with("8.0"),
        "{:?}",
        field(&state, "far", "volume")
    );
    assert_eq!(state.meters["far"].health, "ok");
    assert_eq!((state.ports["nb"].kind.as_str(), state.ports["nb"].health.as_str()), ("lwm2m", "ok"));
}
