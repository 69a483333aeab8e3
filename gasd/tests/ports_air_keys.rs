// SPDX-License-Identifier: MIT OR Apache-2.0
//! Key files that are open, short, wrong or gone for a while, and meters that are removed for a while: what is repaired is
//! read on as if nothing had been, and what somebody has recorded stays old.
#![allow(clippy::unwrap_used, reason = "test code")]

#[path = "bus_support.rs"]
mod support;

mod ports_house;

use std::fs;
use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;

use gasd_meters::hex;
use gasd_meters::mbus::Address;
use gasd_meters::wmbus::{Format, Key, Lock, Seal};
use gasd_proxy::State;
use ports_house::{House, answers, field};

const SECRET: u8 = 0xA7;

/// Litres, as a meter sends them with this counter: 10 m³ and as many litres.
fn telegram(address: &str, lock: Lock<'_>, counter: u32) -> String {
    let meter: Address = address.parse().unwrap();
    let bcd = |n: u32| (n % 10 + n / 10 % 10 * 16) as u8;
    let records = [0x0C, 0x13, bcd(counter), bcd(counter / 100), 1, 0];
    let seal =
        Seal { meter, sender: None, access: counter as u8, status: 0, lock, records: &records, clear: 0 };
    format!("b{}\r\n", hex::Hex(&seal.telegram().unwrap().encode(Format::A).unwrap()))
}

fn sealed(counter: u32) -> String {
    telegram("12345678.ELS.33.03", Lock::Mode7(&Key::new([SECRET; 16]), counter), counter)
}

/// A gasd with a receiver behind a serial server.
struct Radio {
    house: House,
    server: TcpListener,
    air: Option<TcpStream>,
    said: u32,
}

impl Radio {
    fn prepare() -> Self {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let radio = Self { house: House::prepare(""), server, air: None, said: 0 };
        radio.configure(true);
        radio.key(&format!("{SECRET:02x}").repeat(16), 0o600);
        radio
    }

    fn configure(&self, has_meter: bool) {
        let meter = |id: &str, address: &str, key: &str| {
            format!(
                "\n[[meter]]\nid = \"{id}\"\nport = \"air\"\n\
                 device = {{ protocol = \"wmbus\", address = \"{address}\"{key} }}\n\
                 readings = {{ every = \"2 s\", resolution = \"1 L\" }}\n"
            )
        };
        let mut text = format!(
            "[[port]]\nid = \"air\"\nwmbus = {{ address = \"{}\", framing = \"lines\" }}\n",
            self.server.local_addr().unwrap()
        );
        text += &meter("witness", "00000001.KAM.01.03", "");
        if has_meter {
            text += &meter("gas", "12345678.ELS.33.03", ", key_file = \"DIR/gas.key\"");
        }
        self.house.configure(&text);
    }

    fn key(&self, text: &str, mode: u32) {
        let path = self.house.at("gas.key");
        fs::write(&path, text).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    fn up(&mut self) {
        self.house.up();
        self.air = Some(self.server.accept().unwrap().0);
    }

    /// Says something, and something of the witness that is waited for: all before it was heard.
    fn say(&mut self, text: &str) -> State {
        self.said += 1;
        let witness = telegram("00000001.KAM.01.03", Lock::Open, self.said);
        self.air.as_mut().unwrap().write_all(format!("{text}{witness}").as_bytes()).unwrap();
        let volume = format!("10.{:03} m³", self.said);
        self.house.wait("the witness", 20, |state| {
            field(state, "witness", "volume").is_some_and(|now| now == volume)
        })
    }

    /// Has the configuration read again, and waits until a meter's health is right.
    fn reload(&mut self, health: impl Fn(&str) -> bool) {
        self.house.reload();
        self.house.wait("a health that fits", 20, |state| {
            state.meters.get("gas").map_or_else(|| health("gone"), |meter| health(&meter.health))
        });
        // The line's thread looks for other meters before it reads.
        std::thread::sleep(std::time::Duration::from_millis(300));
    }

    /// What was recorded is old.
    fn replayed(&mut self, counter: u32, when: &str) {
        let before = self.house.wait("gas", 5, |state| state.meters.contains_key("gas"));
        let state = self.say(&sealed(counter));
        assert_eq!(answers(&state, "gas"), answers(&before, "gas"), "{when}: an old telegram was read");
        let latest = field(&state, "gas", "volume");
        assert_eq!(latest, field(&before, "gas", "volume"), "{when}");
    }
}

#[test]
fn no_trouble_with_a_key_file_makes_an_old_telegram_new() {
    let right = format!("{SECRET:02x}").repeat(16);
    let mut radio = Radio::prepare();
    radio.up();
    let state = radio.say(&sealed(5));
    assert_eq!(field(&state, "gas", "volume"), Some("10.005 m³"));
    radio.say(&sealed(6));
    let open = |health: &str| health.contains("open to everybody");
    let bad = |health: &str| health.contains("key");
    let gone = |health: &str| health == "gone";
    let good = |health: &str| !health.contains("key");
    let mut newest = 6;
    let other = "11".repeat(16);
    type Health<'a> = &'a dyn Fn(&str) -> bool;
    let troubles: [(&str, &str, u32, Health<'_>); 5] = [
        ("open", &right, 0o644, &open),
        ("short", "a7a7", 0o600, &bad),
        ("without a key", "app_key = 11111111111111111111111111111111", 0o600, &bad),
        ("empty", "", 0o600, &bad),
        ("wrong", &other, 0o600, &|_| true),
    ];
    for (trouble, text, mode, health) in troubles {
        // By reloads, and by a crash in between.
        for crash in [false, true] {
            radio.key(text, mode);
            radio.reload(health);
            if crash {
                radio.house.kill();
                radio.up();
            }
            // Neither what was recorded nor what nobody has encrypted is taken meanwhile.
            radio.replayed(newest, trouble);
            let state = radio.say(&telegram("12345678.ELS.33.03", Lock::Open, newest + 50));
            assert_ne!(field(&state, "gas", "volume"), Some(format!("10.{:03} m³", newest + 50).as_str()));
            radio.key(&right, 0o600);
            radio.reload(good);
            radio.replayed(newest, trouble);
            radio.replayed(newest - 1, trouble);
            newest += 1;
            let state = radio.say(&sealed(newest));
            let volume = format!("10.{newest:03} m³");
            assert_eq!(field(&state, "gas", "volume"), Some(volume.as_str()), "{trouble}");
        }
    }
    for crash in [false, true] {
        radio.configure(false);
        radio.reload(gone);
        if crash {
            radio.house.kill();
            radio.up();
        }
        radio.say(&sealed(newest));
        radio.configure(true);
        radio.reload(|health| !gone(health));
        radio.replayed(newest, "removed");
        radio.replayed(newest - 1, "removed");
        newest += 1;
        radio.say(&sealed(newest));
    }
    // Nor would a core dump tell: of what is mapped it has the first page of each program.
    let dumped = fs::read_to_string(format!("/proc/{}/coredump_filter", radio.house.pid())).unwrap();
    assert_eq!(dumped.trim(), "00000010");
    // What is told of it is true: a key is another, and nothing else is.
    let said = radio.house.said();
    let words: Vec<&str> = said.lines().filter(|line| line.contains("is not used")).collect();
    assert!(!words.is_empty() && words.iter().all(|line| line.contains("of another key")), "{words:?}");
    assert!(!said.contains(&right) && !said.contains(&other));
}
