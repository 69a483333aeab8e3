// SPDX-License-Identifier: MIT OR Apache-2.0
//! Radio devices and a gasd that is killed at the moment when it has answered: what they count on, it knows.
#![allow(clippy::unwrap_used, reason = "test code")]

#[path = "bus_support.rs"]
mod support;

mod ports_house;

use std::fs;
use std::io::Write as _;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use gasd_meters::hex::Hex;
use gasd_meters::lorawan::{Direction, Draft, JoinRequest, Key, Keys, Radio, base64};
use gasd_meters::nbiot::{Code, Message, Type, option};
use gasd_meters::wmbus::{Format, Lock, Seal};
use ports_house::{House, field};

const SECRET: [u8; 16] = *b"a key for tests!";
const DEV_EUI: u64 = 0x70B3_D500_0000_0001;
/// PULL_DATA, PUSH_DATA and what gasd sends: PULL_RESP.
const PULL: u8 = 2;
const PUSH: u8 = 0;
const ANSWER: u8 = 3;

fn key_file(house: &House, name: &str, text: &str) {
    let path = house.at(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o640)).unwrap();
}

fn hex(bytes: &[u8]) -> String {
    Hex(bytes).to_string()
}

/// A gateway.
struct Gateway {
    socket: UdpSocket,
    tmst: u32,
}

impl Gateway {
    fn to(port: u16) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(("127.0.0.1", port)).unwrap();
        Self { socket, tmst: 0 }
    }

    fn send(&self, kind: u8, json: &str) {
        let mut datagram = vec![2, 0x12, 0x34, kind];
        datagram.extend(*b"GATEWAY1");
        datagram.extend(json.as_bytes());
        let _ = self.socket.send(&datagram);
    }

    fn push(&mut self, frame: &[u8]) {
        self.tmst += 5_000_000;
        let (tmst, size, data) = (self.tmst, frame.len(), base64::encode(frame));
        self.send(
            PUSH,
            &format!(
                r#"{{"rxpk":[{{"tmst":{tmst},"freq":868.1,"chan":0,"rfch":0,"stat":1,"modu":"LORA","datr":"SF7BW125","codr":"4/5","rssi":-50,"lsnr":9.5,"size":{size},"data":"{data}"}}]}}"#
            ),
        );
    }

    /// Whether a datagram of this kind comes in this time.
    fn hears(&self, kind: u8, within: Duration) -> bool {
        let until = Instant::now() + within;
        let mut bytes = [0; 2_000];
        while let Some(left) = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
            self.socket.set_read_timeout(Some(left)).unwrap();
            // A port that nobody listens on yet refuses.
            match self.socket.recv(&mut bytes) {
                Ok(count) if count >= 4 && bytes[3] == kind => return true,
                Ok(_) => {}
                Err(_) => std::thread::sleep(Duration::from_millis(5)),
            }
        }
        false
    }

    /// Waits until gasd listens.
    fn reach(&self) {
        let until = Instant::now() + Duration::from_secs(20);
        loop {
            self.send(PULL, "");
            if self.hears(4, Duration::from_millis(200)) {
                return;
            }
            assert!(Instant::now() < until, "nobody listens");
        }
    }
}

/// The device holds a session from that moment on: the same number must not make another one.
#[test]
fn a_join_that_was_answered_is_known_after_a_crash() {
    let port = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut house = House::prepare(&format!(
        r#"
[[port]]
id = "lora"
lorawan = {{ listen = "127.0.0.1:{port}" }}

[[meter]]
id = "gas"
port = "lora"
device = {{ protocol = "lorawan", address = "{DEV_EUI:016X}", payload = "ugm", key_file = "DIR/gas.key" }}
readings = {{ every = "2 s", resolution = "1 L" }}
"#
    ));
    key_file(&house, "gas.key", &format!("app_key = {}\n", hex(&SECRET)));
    let mut gateway = Gateway::to(port);
    for number in 100..106 {
        let request = JoinRequest::build(1, DEV_EUI, number, &Key::new(SECRET));
        house.up();
        gateway.reach();
        gateway.push(&request);
        assert!(gateway.hears(ANSWER, Duration::from_secs(10)), "{number} is answered\n{}", house.said());
        house.kill();
        house.up();
        gateway.reach();
        gateway.push(&request);
        assert!(!gateway.hears(ANSWER, Duration::from_secs(1)), "{number} is taken twice");
        house.kill();
    }
}

/// A telegram whose reading was seen is none after a crash.
#[test]
fn a_counter_that_was_read_is_known_after_a_crash() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = server.local_addr().unwrap();
    let mut house = House::prepare(&format!(
        r#"
[[port]]
id = "air"
wmbus = {{ address = "{at}", framing = "lines" }}

[[meter]]
id = "gas"
port = "air"
device = {{ protocol = "wmbus", address = "12345678", key_file = "DIR/gas.key" }}
readings = {{ every = "2 s", resolution = "1 L" }}
"#
    ));
    key_file(&house, "gas.key", &hex(&SECRET));
    let say = |stream: &mut TcpStream, counter: u8, access: u8| {
        let records = [0x0C, 0x13, 0, counter, 0, 0];
        let meter = "12345678.ELS.33.03".parse().unwrap();
        let key = Key::new(SECRET);
        let lock = Lock::Mode7(&key, counter.into());
        let seal = Seal { meter, sender: None, access, status: 0, lock, records: &records, clear: 0 };
        let telegram = seal.telegram().unwrap().encode(Format::A).unwrap();
        stream.write_all(format!("b{}\r\n", Hex(&telegram)).as_bytes()).unwrap();
    };
    for counter in 1..5 {
        house.up();
        let (mut stream, _) = server.accept().unwrap();
        say(&mut stream, counter, counter);
        house.wait("a reading", 20, |state| field(state, "gas", "volume").is_some());
        house.kill();
        house.up();
        let (mut stream, _) = server.accept().unwrap();
        // With another access number, so that it is no repeater's copy.
        say(&mut stream, counter, counter + 100);
        let state = house.wait("the same is a replay", 20, |state| {
            state.meters.get("gas").is_some_and(|meter| meter.health.contains("replayed frame"))
        });
        assert_eq!(field(&state, "gas", "volume"), None);
        house.kill();
    }
}

/// A device without joins, whose frames want an answer: what it is answered is on the disk, and one that was not answered is
/// answered when it comes again.
#[test]
fn a_frame_that_was_answered_is_counted_after_a_crash_and_one_that_was_not_is_answered() {
    let port = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut house = House::prepare(&format!(
        r#"
[[port]]
id = "lora"
lorawan = {{ listen = "127.0.0.1:{port}" }}

[[meter]]
id = "gas"
port = "lora"
device = {{ protocol = "lorawan", address = "01020304", payload = "vega-gm2", key_file = "DIR/gas.key" }}
readings = {{ every = "1 h", resolution = "1 L" }}
"#
    ));
    key_file(&house, "gas.key", &format!("nwk_s_key = {0}\napp_s_key = {0}\n", hex(&SECRET)));
    let mut gateway = Gateway::to(port);
    for number in 1..5u32 {
        let mut payload = vec![99, 0, 0, 0, 0, 20, 1, 0, 0, 0, 0, 0, 0];
        payload.extend((1_000 + number).to_le_bytes());
        payload.extend([0; 4]);
        let frame = confirmed(number, &payload);
        house.up();
        gateway.reach();
        gateway.push(&frame);
        assert!(gateway.hears(ANSWER, Duration::from_secs(10)), "{number} is answered\n{}", house.said());
        house.kill();
        house.up();
        gateway.reach();
        let read_ns = counts(&house, u64::from(number - 1) * 10);
        // It has not heard the answer.
        gateway.push(&frame);
        assert!(
            gateway.hears(ANSWER, Duration::from_secs(10)),
            "{number} is answered again\n{}",
            house.said()
        );
        counts(&house, u64::from(number - 1) * 10);
        house.kill();
        house.up();
        assert_eq!(
            counts(&house, u64::from(number - 1) * 10),
            read_ns,
            "it was read before, and not once more"
        );
        house.kill();
    }
}

fn confirmed(counter: u32, payload: &[u8]) -> Vec<u8> {
    let keys = Keys::V1_0 { network: Key::new(SECRET), application: Some(Key::new(SECRET)) };
    let draft = Draft {
        direction: Direction::Up,
        confirmed: true,
        dev_addr: 0x0102_0304,
        control: 0,
        counter,
        options: &[],
        payload: Some((2, payload)),
    };
    draft.seal(&keys, Radio::default()).unwrap()
}

/// So many litres have passed, and no other number was seen before. Returns when the register was read last, ns.
fn counts(house: &House, litres: u64) -> u64 {
    let state = house.wait("the meter", 20, |state| state.meters.contains_key("gas"));
    let gas = &state.meters["gas"];
    assert_eq!(gas.volume_ul, litres * 1_000_000, "{gas:?}");
    gas.last_pulse_ns
}

/// A meter of LwM2M forgets what is acknowledged.
#[test]
fn a_telling_that_was_acknowledged_is_counted_after_a_crash() {
    let port = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut house = House::prepare(&format!(
        r#"
[[port]]
id = "nb"
lwm2m = {{ listen = "127.0.0.1:{port}" }}

[[meter]]
id = "gas"
port = "nb"
device = {{ protocol = "lwm2m", address = "urn:imei:1", register = "3424/0/1", scale = "0.001", unit = "m3" }}
readings = {{ every = "1 h", resolution = "1 L" }}
"#
    ));
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(("127.0.0.1", port)).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    let hear = || {
        let mut bytes = [0; 2_000];
        let count = socket.recv(&mut bytes).ok()?;
        Message::parse(&bytes[..count], &mut ()).ok()
    };
    // As a module does: it is sent again until it is answered.
    let ask = |message: &Message| {
        for _ in 0..40 {
            let _ = socket.send(&message.encode().unwrap());
            match hear() {
                Some(answer) if answer.id == message.id => return,
                _ => std::thread::sleep(Duration::from_millis(50)),
            }
        }
        panic!("no answer");
    };
    house.up();
    let register = Message::new(Type::Confirmable, Code::POST, 1, &[7])
        .with(option::URI_PATH, b"rd")
        .with(option::URI_QUERY, b"ep=urn:imei:1")
        .with(option::URI_QUERY, b"lt=86400");
    ask(&Message { payload: b"</3424/0>".to_vec(), ..register });
    let asked = (0..20).find_map(|_| hear().filter(|message| message.code == Code::GET)).unwrap();
    let telling = |kind, id, number: u32, litres: u32| {
        let message = Message::new(kind, Code::CONTENT, id, &asked.token)
            .with_number(option::OBSERVE, number)
            .with_number(option::CONTENT_FORMAT, 0);
        Message { payload: litres.to_string().into_bytes(), ..message }
    };
    let first = telling(Type::Acknowledgement, asked.id, 1, 10_000);
    socket.send(&first.encode().unwrap()).unwrap();
    house.wait("a reading", 20, |state| field(state, "gas", "volume").is_some());
    for number in 1..5u16 {
        let litres = 150 * u32::from(number);
        let told = telling(Type::Confirmable, 100 + number, 1 + u32::from(number), 10_000 + litres);
        ask(&told);
        house.kill();
        house.up();
        let read_ns = counts(&house, litres.into());
        // The acknowledgement was lost: it comes again, and is what was read before.
        ask(&told);
        house.kill();
        house.up();
        assert_eq!(counts(&house, litres.into()), read_ns, "it is no reading of now");
    }
    house.kill();
}
