// SPDX-License-Identifier: MIT OR Apache-2.0
//! Keys in the memory of a running gasd: one copy while they are used, however often the configuration is read again, and
//! none once their meters are gone.
#![allow(clippy::unwrap_used, reason = "test code")]

#[path = "bus_support.rs"]
mod support;

mod ports_house;

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, UdpSocket};
use std::os::unix::fs::{FileExt as _, PermissionsExt as _};
use std::time::{Duration, Instant};

use gasd_meters::hex::Hex;
use gasd_meters::lorawan::{JoinRequest, Key};
use gasd_meters::wmbus::{Format, Lock, Seal};
use ports_house::{House, field};

/// The largest mapping that is looked through: nothing of gasd's own is larger.
const LARGEST: u64 = 1 << 28;

/// Bytes that nothing else in the world has.
fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    File::open("/dev/urandom").unwrap().read_exact(&mut bytes).unwrap();
    bytes
}

fn hex(bytes: &[u8]) -> String {
    Hex(bytes).to_string()
}

fn key_file(house: &House, name: &str, text: &str) {
    let path = house.at(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o640)).unwrap();
}

fn count(memory: &[u8], wanted: &[u8]) -> usize {
    memory.windows(wanted.len()).filter(|part| *part == wanted).count()
}

/// How often each of these stands in what a process can write to; `None` where nobody lets us look.
fn copies(pid: u32, wanted: &[Vec<u8>]) -> Option<Vec<usize>> {
    let memory = File::open(format!("/proc/{pid}/mem")).ok()?;
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
    let mut found = vec![0; wanted.len()];
    let (mut any, mut bytes) = (false, Vec::new());
    for line in maps.lines().filter(|line| line.split(' ').nth(1).is_some_and(|mode| mode.starts_with("rw")))
    {
        let (from, to) = line.split(' ').next().unwrap().split_once('-').unwrap();
        let [from, to] = [from, to].map(|at| u64::from_str_radix(at, 16).unwrap());
        if to - from > LARGEST {
            continue;
        }
        bytes.resize((to - from) as usize, 0);
        // It may be gone since, or be the kernel's.
        if memory.read_exact_at(&mut bytes, from).is_err() {
            continue;
        }
        any = true;
        // Most of it is zeros: only what begins as one of them is looked at.
        for (n, wanted) in wanted.iter().enumerate() {
            let first = wanted[0];
            let mut at = 0;
            while let Some(next) = bytes[at..].iter().position(|byte| *byte == first) {
                at += next;
                found[n] += usize::from(bytes[at..].starts_with(wanted));
                at += 1;
            }
        }
    }
    any.then_some(found)
}

/// Waits until none of them is there more often than `most`: a reading or a reload may be under way.
fn at_most(house: &House, what: &str, wanted: &[Vec<u8>], most: &[usize]) -> bool {
    let until = Instant::now() + Duration::from_secs(15);
    loop {
        let Some(found) = copies(house.pid(), wanted) else {
            eprintln!("SKIPPED: the memory of a child cannot be read here");
            return false;
        };
        if found.iter().zip(most).all(|(found, most)| found <= most) {
            return true;
        }
        assert!(Instant::now() < until, "{what}: {found:?} copies, {most:?} at the most");
        std::thread::sleep(Duration::from_millis(300));
    }
}

#[test]
fn a_key_is_in_memory_once_and_gone_with_its_meter() {
    assert_eq!(count(b"abcabc", b"abc"), 2);
    let (key, app_key): ([u8; 16], [u8; 16]) = (random(), random());
    let mut password: [u8; 8] = random();
    password[0] = 2;
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = server.local_addr().unwrap();
    let port = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let ports = format!(
        r#"
[[port]]
id = "air"
wmbus = {{ address = "{at}", framing = "lines" }}

[[port]]
id = "lora"
lorawan = {{ listen = "127.0.0.1:{port}" }}

[[port]]
id = "wire"
serial = {{ device = "DIR/nothing", baud = 2400 }}

[[meter]]
id = "stays"
port = "air"
device = {{ protocol = "wmbus", address = "00000001.KAM.01.03" }}
readings = {{ every = "2 s", resolution = "1 L" }}
"#
    );
    let meters = r#"
[[meter]]
id = "gas"
port = "air"
device = { protocol = "wmbus", address = "12345678.ELS.33.03", key_file = "DIR/gas.key" }
readings = { every = "2 s", resolution = "1 L" }

[[meter]]
id = "joins"
port = "lora"
device = { protocol = "lorawan", address = "70B3D50000000001", payload = "ugm", key_file = "DIR/joins.key" }
readings = { every = "2 s", resolution = "1 L" }

[[meter]]
id = "flat"
port = "wire"
device = { protocol = "dlt645", address = "000000000001", register = "00010000", unit = "m3", key_file = "DIR/flat.key" }
readings = { every = "2 s", resolution = "1 L" }
"#;
    let mut house = House::prepare(&format!("{ports}{meters}"));
    key_file(&house, "gas.key", &hex(&key));
    key_file(&house, "joins.key", &format!("app_key = {}\n", hex(&app_key)));
    key_file(&house, "flat.key", &format!("password = {}\n", hex(&password)));
    let digits = |bytes: &[u8]| hex(bytes).into_bytes();
    let wanted = [
        key.to_vec(),
        app_key.to_vec(),
        password.to_vec(),
        digits(&key),
        digits(&app_key),
        digits(&password),
    ];
    house.up();
    let (mut stream, _) = server.accept().unwrap();
    for counter in 1..20 {
        let records = [0x0C, 0x13, 0, counter, 0, 0];
        let own = Key::new(key);
        let meter = "12345678.ELS.33.03".parse().unwrap();
        let lock = if counter % 2 == 0 { Lock::Mode5(&own) } else { Lock::Mode7(&own, counter.into()) };
        let seal =
            Seal { meter, sender: None, access: counter, status: 0, lock, records: &records, clear: 0 };
        let telegram = seal.telegram().unwrap().encode(Format::A).unwrap();
        stream.write_all(format!("b{}\r\n", Hex(&telegram)).as_bytes()).unwrap();
    }
    house.wait("a reading", 30, |state| field(state, "gas", "volume").is_some());
    let request = JoinRequest::build(1, 0x70B3_D500_0000_0001, 7, &Key::new(app_key));
    let frame = gasd_meters::lorawan::base64::encode(&request);
    let json = format!(
        r#"{{"rxpk":[{{"tmst":9,"freq":868.1,"chan":0,"rfch":0,"stat":1,"modu":"LORA","datr":"SF7BW125","codr":"4/5","rssi":-50,"lsnr":9.5,"size":{},"data":"{frame}"}}]}}"#,
        request.len()
    );
    let gateway = UdpSocket::bind("127.0.0.1:0").unwrap();
    gateway.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    for (kind, json) in [(2, ""), (0, &json)] {
        let datagram = [&[2, 1, 1, kind][..], b"GATEWAY1", json.as_bytes()].concat();
        gateway.send_to(&datagram, ("127.0.0.1", port)).unwrap();
    }
    let mut answer = [0; 1_000];
    while gateway.recv(&mut answer).unwrap() < 4 || answer[3] != 3 {}

    // Of the password there is one more: what waits to ask that meter, as its port has no line, is a copy of the meter.
    if !at_most(&house, "in use", &wanted, &[1, 1, 2, 0, 0, 0]) {
        return;
    }
    for _ in 0..3 {
        house.reload();
        std::thread::sleep(Duration::from_millis(500));
    }
    at_most(&house, "after three reloads", &wanted, &[1, 1, 2, 0, 0, 0]);
    house.configure(&ports);
    house.reload();
    house.wait("they are gone", 20, |state| state.meters.len() == 1);
    at_most(&house, "their meters are gone", &wanted, &[0; 6]);
}
