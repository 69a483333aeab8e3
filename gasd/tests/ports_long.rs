// SPDX-License-Identifier: MIT OR Apache-2.0
//! Ten minutes of 32 meters in five protocols on four serial lines at their own speeds, disturbed, with echoes and silent
//! meters, read by the service itself. Long, so it is left out unless asked for:
//!
//! ```sh
//! cargo test -p gasd --test ports_long -- --ignored --nocapture
//! ```
#![allow(clippy::unwrap_used, reason = "test code")]

#[path = "bus_support.rs"]
mod support;

mod ports_house;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use gasd_lab::clock::now_ns;
use gasd_lab::truth::look;
use gasd_lab::{Habits, Line, Meter, Noise, Shared, cjt188, dlt645, hart, mbus, modbus};
use gasd_proxy::Client;
use ports_house::{House, M3_PER_H, SECOND, answers, truth};
use support::run;

const MINUTES: u64 = 10;

/// Bytes in twenty arrive as others, in bursts as on real lines.
const NOISE: Noise = Noise { corrupt_ppm: 50_000, burst: 40, stray_ppm: 0 };

/// Meters that are silent, from minute to minute.
const SILENT: [(u64, u64, u64); 5] = [(3, 0, 99), (9, 2, 5), (17, 3, 6), (25, 0, 99), (30, 1, 4)];

fn habits(key: u64, start_ns: u64) -> Habits {
    let minute = |n: u64| start_ns + n * 60 * SECOND;
    let dead = SILENT.iter().filter(|(silent, ..)| *silent == key);
    Habits {
        seed: key,
        dead: dead.map(|(_, from, until)| minute(*from)..minute(*until)).collect(),
        ..Habits::default()
    }
}

/// A meter, and its device in the configuration.
fn meter(key: u64, habits: Habits, gas: &Shared) -> (Box<dyn Meter>, &'static str, String) {
    let (n, gas) = (key as u8, gas.clone());
    // Addresses are decimal digits, two a byte.
    let digits = ((n / 10) << 4) | (n % 10);
    match key {
        1..=6 => {
            let address = gasd_meters::cjt188::Address([digits, 0, 0, 0, 0, 0x78, 0x33]);
            let device = format!("protocol = \"cjt188\", address = \"{address}\"");
            (Box::new(cjt188::GasMeter::new(cjt188::Settings::new(address), habits, gas)), "1 min", device)
        }
        7..=12 => {
            let address = gasd_meters::dlt645::Address([digits, 0, 0, 0, 0, 0x12]);
            let device = format!(
                "protocol = \"dlt645\", address = \"{address}\", register = \"00010000\", unit = \"m3\""
            );
            (Box::new(dlt645::SwitchMeter::new(dlt645::Settings::new(address), habits, gas)), "1 min", device)
        }
        13..=22 => {
            let settings = mbus::Settings::new(n, [digits, 0, 0, 0x10]);
            let address = if key < 18 { n.to_string() } else { format!("\"{}\"", settings.secondary) };
            let device = format!("protocol = \"mbus\", address = {address}");
            (Box::new(mbus::GasMeter::new(settings, habits, gas)), "1 min", device)
        }
        23..=28 => {
            let device = format!(
                "protocol = \"modbus\", address = {n}, registers = [{{ address = 0, table = \"input\", type = \"u32\", scale = \"0.01\", unit = \"m3\" }}]"
            );
            (Box::new(modbus::Corrector::new(modbus::Settings::new(n), habits, gas)), "15 s", device)
        }
        _ => {
            let settings = hart::Settings::new(n, key as u16);
            let device = format!("protocol = \"hart\", address = {n}");
            (Box::new(hart::FlowComputer::new(settings, habits, gas)), "30 s", device)
        }
    }
}

/// CPU time and resident memory of a process: s and MiB.
fn cost(pid: u32) -> (f64, f64) {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let rss = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let kib: f64 = rss.split_whitespace().next().unwrap().parse().unwrap();
    (ticks as f64 / 100.0, kib / 1024.0)
}

#[test]
#[ignore = "takes ten minutes"]
fn ten_minutes_of_a_noisy_house_on_serial_lines() {
    let start_ns = now_ns();
    let lines = [("a", 2_400, 1..=12), ("b", 2_400, 13..=22), ("c", 9_600, 23..=28), ("d", 1_200, 29..=32)];
    let (mut text, mut truths) = (String::new(), BTreeMap::new());
    let mut simulated: BTreeMap<&str, Vec<Box<dyn Meter>>> = BTreeMap::new();
    for (name, baud, keys) in lines.clone() {
        let parity = if name == "d" { "odd" } else { "even" };
        writeln!(text, "[[port]]\nid = \"{name}\"\nserial = {{ device = \"DIR/{name}\", baud = {baud}, parity = \"{parity}\" }}\n").unwrap();
        for key in keys {
            let gas = truth(1_000_000_000 * (100 + key), M3_PER_H / 4 * (1 + key % 7));
            let (meter, every, device) = meter(key, habits(key, start_ns), &gas);
            simulated.entry(name).or_default().push(meter);
            writeln!(text, "[[meter]]\nid = \"m{key}\"\nport = \"{name}\"\ndevice = {{ {device} }}\nreadings = {{ every = \"{every}\", resolution = \"10 L\" }}\n").unwrap();
            truths.insert(key, gas);
        }
    }
    let mut house = House::prepare(&text);
    let ptys: Vec<_> = lines
        .iter()
        .map(|(name, baud, _)| {
            let line = Line { echo: *name != "b", noise: NOISE, seed: *baud, ..Line::new(*baud as u32) };
            house.line(name, line, simulated.remove(name).unwrap())
        })
        .collect();
    house.up();
    house.wait("the first meter", 60, |state| answers(state, "m1") > 0);
    let (cpu, _) = cost(house.pid());
    let began = Instant::now();
    let mut opened = BTreeSet::new();
    while began.elapsed() < Duration::from_secs(60 * MINUTES) {
        std::thread::sleep(Duration::from_secs(5));
        let state = house.wait("gasd", 10, |_| true);
        for (id, meter) in &state.meters {
            if meter.on_port.as_ref().is_some_and(|on| on.breaker == "open") {
                opened.insert(id.clone());
            }
        }
    }
    let state = house.wait("gasd", 10, |_| true);
    let (cpu_end, rss) = cost(house.pid());
    let (mut readings, mut wrong) = (0, 0);
    for (key, gas) in &truths {
        let id = format!("m{key}");
        let latest: Vec<(u64, u64)> = run(async {
            let client = Client::connect(Some(&house.bus.address())).await.unwrap();
            client.meter(&id).await.unwrap().latest(HashMap::new()).await.unwrap()
        });
        let gas = look(gas);
        for (t_ns, ul) in &latest {
            readings += 1;
            let said =
                gas.answered().iter().any(|(at, said)| said == ul && at <= t_ns && t_ns - at < 5 * SECOND);
            wrong += u32::from(!said);
            assert!(said, "{id} never said {ul} µL at {t_ns}: {:?}", gas.answered());
        }
        let on = state.meters[&id].on_port.as_ref().unwrap();
        match SILENT.iter().find(|(silent, ..)| silent == key) {
            Some((.., until)) => {
                assert!(opened.contains(&id), "{id} is silent, and its breaker stayed closed");
                assert_eq!(on.breaker == "closed", *until < MINUTES, "{id}: {on:?}");
            }
            None => assert!(latest.len() > 4, "{id} was read {} times: {on:?}", latest.len()),
        }
    }
    let (changed, all) =
        ptys.iter().map(|pty| pty.bus().corrupted()).fold((0, 0), |(a, b), (c, d)| (a + c, b + d));
    println!(
        "{MINUTES} min, 32 meters, 4 lines: {readings} readings, {wrong} wrong; {changed} of {all} bytes changed \
         ({:.1} %); breakers opened: {opened:?}; {:.2} s of CPU ({:.2} %), {rss:.1} MiB resident",
        100.0 * changed as f64 / all as f64,
        cpu_end - cpu,
        100.0 * (cpu_end - cpu) / began.elapsed().as_secs_f64()
    );
}
