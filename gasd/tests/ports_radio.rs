// SPDX-License-Identifier: MIT OR Apache-2.0
//! Meters of wireless M-Bus around a receiver on a serial port, read by the service with the keys of files: what it tells
//! is what a meter said, and each telegram that is not to be believed says why.
#![allow(clippy::unwrap_used, reason = "test code")]

#[path = "bus_support.rs"]
mod support;

mod ports_house;

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use gasd_lab::clock::now_ns;
use gasd_lab::truth::look;
use gasd_lab::wmbus::{Air, Fate, Form, Protection, Receiver, Settings, Transmitter, look_at};
use gasd_lab::{Line, Shared, wmbus};
use gasd_meters::wmbus::{Format, Key};
use gasd_proxy::{Client, State};
use ports_house::{House, M3_PER_H, SECOND, answers, field, truth};
use support::run;

const ALL: u32 = 1_000_000;

/// A meter: what it is called, how it protects what it says, the key of its file, and the air around it.
struct Radio {
    id: &'static str,
    protection: Protection,
    file: Option<u8>,
    air: Air,
}

fn radios() -> Vec<Radio> {
    let radio = |id, protection, file, air| Radio { id, protection, file, air };
    let lossy = Air { lost_ppm: 150_000, damaged_ppm: 150_000, repeated_ppm: 400_000, ..Air::default() };
    vec![
        radio("open", Protection::Open, None, lossy.clone()),
        radio("link-layer", Protection::LinkLayer, Some(1), lossy.clone()),
        radio("mode5", Protection::Mode5, Some(2), lossy.clone()),
        radio("mode7", Protection::Mode7, Some(3), lossy),
        radio("replayed", Protection::Mode7, Some(4), Air { replayed_ppm: ALL, ..Air::default() }),
        // What the meter sends itself is not heard, only what somebody made of it.
        radio(
            "altered",
            Protection::Mode7,
            Some(5),
            Air { lost_ppm: ALL, altered_ppm: ALL, ..Air::default() },
        ),
        // The files of the next two hold another key than the meter has.
        radio("wrong5", Protection::Mode5, Some(0xF0), Air::default()),
        radio("wrong7", Protection::Mode7, Some(0xF1), Air::default()),
        radio("keyless", Protection::Mode5, None, Air::default()),
        // A key is configured, and the meter speaks openly: anybody could.
        radio("unprotected", Protection::Open, Some(9), Air::default()),
    ]
}

/// The meter's own key: that of its file, unless the file is wrong.
fn own(n: usize, radio: &Radio) -> [u8; 16] {
    [radio.file.filter(|byte| *byte < 0xF0).unwrap_or(n as u8 + 0x40); 16]
}

fn settings(n: usize, radio: &Radio) -> Settings {
    Settings {
        every_ns: 2 * SECOND,
        air: radio.air.clone(),
        ..Settings::new([n as u8 + 1, 0, 0, 0x20], radio.protection, Key::new(own(n, radio)))
    }
}

fn config(radios: &[Radio]) -> String {
    let mut text = "[[port]]\nid = \"air\"\nwmbus = { device = \"DIR/tty0\" }\n".to_owned();
    for (n, radio) in radios.iter().enumerate() {
        let (id, address) = (radio.id, settings(n, radio).address);
        let key = radio.file.map_or(String::new(), |_| format!(", key_file = \"DIR/{id}.key\""));
        write!(
            text,
            "\n[[meter]]\nid = \"{id}\"\nport = \"air\"\ndevice = {{ protocol = \"wmbus\", address = \"{address}\"{key} }}\n\
             readings = {{ every = \"2 s\", resolution = \"1 L\" }}\n"
        )
        .unwrap();
    }
    text
}

/// The receiver and its meters on `DIR/tty0`, and what each meter really says.
fn air(house: &House, radios: &[Radio], counter: u32) -> (ports_house::Plugged, Vec<(Shared, wmbus::Log)>) {
    let mut meters = Vec::new();
    for (n, radio) in radios.iter().enumerate() {
        // So much that the register, which moves by 10 L, shows another value each time.
        let gas = truth(1_000_000_000 * (100 + n as u64), 72 * M3_PER_H);
        let settings = Settings { counter, ..settings(n, radio) };
        let first_ns = now_ns() + SECOND / 8 * n as u64;
        meters.push(Transmitter::new(settings, gas, first_ns, n as u64 + 1));
    }
    // A neighbour's.
    let neighbour = Settings::new([0x99, 0, 0, 0x20], Protection::Mode5, Key::new([0x77; 16]));
    meters.push(Transmitter::new(neighbour, truth(1, 0), now_ns(), 99));
    let truths = meters.iter().map(|meter| (meter.truth().clone(), meter.log().clone())).collect();
    let receiver = Receiver::new(Form::Binary(Format::A), meters);
    (house.line("tty0", Line::new(115_200), vec![Box::new(receiver)]), truths)
}

fn latest(house: &House, id: &str) -> Vec<(u64, u64)> {
    run(async {
        let client = Client::connect(Some(&house.bus.address())).await.unwrap();
        client.meter(id).await.unwrap().latest(HashMap::new()).await.unwrap()
    })
}

/// The kinds of what was heard of a meter and not believed.
fn rejected(house: &House, id: &str) -> Vec<String> {
    run(async {
        let client = Client::connect(Some(&house.bus.address())).await.unwrap();
        client.rejected_answers(id).await.unwrap().into_iter().map(|(_, kind, _)| kind).collect()
    })
}

fn last_error<'a>(state: &'a State, id: &str) -> (&'a str, &'a str) {
    let on = state.meters.get(id).and_then(|meter| meter.on_port.as_ref());
    on.map_or(("", ""), |on| (on.last_error_kind.as_str(), on.last_error.as_str()))
}

#[test]
fn what_is_told_of_radio_meters_is_what_they_said_and_the_rest_says_why() {
    let radios = radios();
    let mut house = House::prepare(&config(&radios));
    for radio in &radios {
        if let Some(byte) = radio.file {
            let path = house.at(&format!("{}.key", radio.id));
            fs::write(&path, format!("{byte:02x}").repeat(16)).unwrap();
            fs::set_permissions(path, fs::Permissions::from_mode(0o640)).unwrap();
        }
    }
    let (line, truths) = air(&house, &radios, 1_000);
    house.up();
    let good = ["open", "link-layer", "mode5", "mode7", "replayed"];
    house.wait("meters that are heard", 60, |state| good.iter().all(|id| answers(state, id) > 4));
    let state = house.wait("the reasons of the others", 30, |state| {
        ["altered", "wrong5", "wrong7", "keyless", "unprotected"]
            .iter()
            .all(|id| !last_error(state, id).0.is_empty())
    });
    for (id, kind, words) in [
        ("altered", "mac", "the frame was changed"),
        ("wrong5", "wrong_key", "is not its key"),
        ("wrong7", "wrong_key", "is not its key"),
        ("keyless", "key_missing", "no key is configured"),
        ("unprotected", "not_encrypted", "anybody can have sent it"),
    ] {
        let (got, said) = last_error(&state, id);
        assert!(got == kind && said.contains(words), "{id}: {got}, {said}");
        assert!(state.meters[id].health.contains(words), "{id}: {}", state.meters[id].health);
        let on = state.meters[id].on_port.as_ref().unwrap();
        assert!(on.fields.is_empty() && answers(&state, id) == 0 && latest(&house, id).is_empty(), "{on:?}");
        assert!(rejected(&house, id).iter().all(|found| found == kind));
    }
    let state = house.wait("the replay is told", 30, |state| last_error(state, "replayed").0 == "replay");
    assert!(last_error(&state, "replayed").1.contains("not above the last one"));
    assert!(rejected(&house, "replayed").iter().all(|kind| kind == "replay"));
    assert!(state.ports["air"].strangers.iter().any(|(what, _)| what.contains("20000099.GSD")));

    // Each value is one that this meter said, at that time, and none is there twice.
    let whole = |log: &wmbus::Log, ul| {
        look_at(log)
            .iter()
            .any(|sent| sent.said_ul == ul && matches!(sent.fate, Fate::Heard | Fate::Repeated))
    };
    for (n, radio) in radios.iter().enumerate().filter(|(_, radio)| good.contains(&radio.id)) {
        let (gas, log) = &truths[n];
        let latest = latest(&house, radio.id);
        assert!(latest.len() > 4 && latest.is_sorted(), "{}: {latest:?}", radio.id);
        for (t_ns, ul) in &latest {
            let gas = look(gas);
            let said =
                gas.answered().iter().any(|(at, said)| said == ul && at <= t_ns && t_ns - at < 4 * SECOND);
            assert!(said && whole(log, *ul), "{} never said {ul} µL by {t_ns}", radio.id);
        }
        assert!(latest.windows(2).all(|pair| pair[0].1 < pair[1].1), "{}: {latest:?}", radio.id);
        assert!(field(&state, radio.id, "volume").is_some());
    }
    let said = house.said();
    assert!((0..radios.len()).all(|n| !said.contains(&format!("{:02x}", own(n, &radios[n])[0]).repeat(16))));

    // A crash, and a recording of before it: the counter is remembered, and nothing old is new.
    let before = latest(&house, "mode7").len();
    house.kill();
    drop(line);
    let (_line, _) = air(&house, &radios, 900);
    house.up();
    let state = house.wait("an old recording", 40, |state| last_error(state, "mode7").0 == "replay");
    assert!(before > 4 && answers(&state, "mode7") == 0);
    house.wait("a meter without a counter is read on", 30, |state| answers(state, "mode5") > 0);
}
