// SPDX-License-Identifier: MIT OR Apache-2.0
//! Meters of wired M-Bus that encrypt what they say, on a line as a person would have them: read with the keys of their
//! files, over a restart as well, and not a word of theirs without.
#![allow(clippy::unwrap_used, reason = "test code")]

#[path = "bus_support.rs"]
mod support;

mod ports_house;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use gasd_lab::mbus::{Cipher, GasMeter, Settings};
use gasd_lab::{Habits, Line, Meter};
use gasd_meters::hex::Hex;
use gasd_meters::wmbus::Key;
use ports_house::{House, M3_PER_H, answers, field, truth};

const CELLAR: &str = r#"
[[port]]
id = "cellar"
serial = { device = "DIR/tty0", baud = 2400 }
answer = "300 ms"

[[meter]]
id = "five"
port = "cellar"
device = { protocol = "mbus", address = 5, key_file = "DIR/five.key", valve = { mask = 1, open = 0, closed = 1 } }
readings = { every = "2 s", resolution = "1 L" }
valve = "five"

[[valve]]
id = "five"
actuator = { meter = "five" }

[[meter]]
id = "seven"
port = "cellar"
device = { protocol = "mbus", address = "10000007", key_file = "DIR/seven.key" }
readings = { every = "2 s", resolution = "1 L" }

[[meter]]
id = "wrong"
port = "cellar"
device = { protocol = "mbus", address = 8, key_file = "DIR/wrong.key" }
readings = { every = "2 s", resolution = "1 L" }

[[meter]]
id = "none"
port = "cellar"
device = { protocol = "mbus", address = 9 }
readings = { every = "2 s", resolution = "1 L" }
"#;

const FIVE: [u8; 16] = *b"of the fifth one";
const SEVEN: [u8; 16] = *b"of number seven!";
const ANOTHER: [u8; 16] = *b"of another meter";

fn meter(primary: u8, cipher: Cipher, truth: &gasd_lab::Shared) -> Box<dyn Meter> {
    let settings = Settings::new(primary, [primary, 0, 0, 0x10]);
    Box::new(GasMeter::new(settings, Habits::default(), truth.clone()).encrypting(cipher))
}

#[test]
fn a_line_of_encrypting_meters_is_read_with_its_keys() {
    let mut house = House::prepare(CELLAR);
    for (name, key) in [("five", FIVE), ("seven", SEVEN), ("wrong", SEVEN)] {
        let path = house.at(&format!("{name}.key"));
        fs::write(&path, format!("{}\n", Hex(&key))).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o640)).unwrap();
    }
    house.up();
    let (five, seven) = (truth(5_000_000_000, 3 * M3_PER_H), truth(7_000_000_000, 0));
    let (wrong, none) = (truth(8_000_000_000, 0), truth(9_000_000_000, 0));
    let meters = |counter| {
        vec![
            meter(5, Cipher::Mode5(Key::new(FIVE)), &five),
            meter(7, Cipher::Mode7(Key::new(SEVEN), counter), &seven),
            meter(8, Cipher::Mode7(Key::new(ANOTHER), counter), &wrong),
            meter(9, Cipher::Mode5(Key::new(ANOTHER)), &none),
        ]
    };
    let line = house.line("tty0", Line::new(2_400), meters(100));
    let last_error = |state: &gasd_proxy::State, id: &str| {
        state.meters[id].on_port.as_ref().map(|on| on.last_error_kind.clone()).unwrap_or_default()
    };
    let state = house.wait("two that are read and two that are not", 30, |state| {
        answers(state, "five") > 1
            && answers(state, "seven") > 1
            && last_error(state, "wrong") == "wrong_key"
            && last_error(state, "none") == "key_missing"
    });
    assert_eq!(field(&state, "seven", "volume"), Some("7.000 m³"));
    assert!(field(&state, "five", "volume").is_some_and(|volume| volume.starts_with("5.0")), "{state:?}");
    assert_eq!(field(&state, "five", "valve"), Some("open"));
    for silent in ["wrong", "none"] {
        let shown = &state.meters[silent];
        assert_eq!(shown.on_port.as_ref().map(|on| on.fields.len()), Some(0), "{shown:?}");
        assert_eq!((shown.volume_ul, answers(&state, silent)), (0, 0));
        assert!(shown.health.contains("key"), "{}", shown.health);
    }

    // After a crash the counter that was kept still holds: what was recorded before is told as a replay.
    house.kill();
    drop(line);
    house.up();
    let recorded = house.line("tty0", Line::new(2_400), meters(1));
    let state = house.wait("an old counter", 30, |state| last_error(state, "seven") == "replay");
    assert_eq!(answers(&state, "seven"), 0);
    drop(recorded);
    let _line = house.line("tty0", Line::new(2_400), meters(100_000));
    house.wait("the meter itself", 60, |state| answers(state, "seven") > 0);
    let said = house.said();
    for key in [FIVE, SEVEN, ANOTHER] {
        assert!(!said.contains(&Hex(&key).to_string()), "{said}");
    }
}
