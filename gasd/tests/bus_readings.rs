// SPDX-License-Identifier: MIT OR Apache-2.0
//! Readings through the whole daemon: a register that another program reads is a total that is lost with nothing,
//! answered once it is on the disk, and judged as pulses are.
#![allow(clippy::unwrap_used, reason = "test code")]

#[path = "bus_support.rs"]
mod bus_support;
mod feed_house;
mod kernel_house;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use bus_support::{PrivateBus, run};
use feed_house::{Daemon, answer, connect, feed, hand_in, refused, wait_health};
use gasd::kernel::sys::boottime_ns;
use gasd_abi::feed::{Answer, EDGES, Entry, GREETING, Header, READINGS, REFUSED, Refusal, TAKEN};
use gasd_abi::records::meter_key;
use gasd_proxy::Client;
use kernel_house::SOON;

const CONFIG: &str = "[[meter]]\nid = \"flat\"\nsource = \"stack\"\nvalve = \"main\"\n\
    readings = { every = \"10 s\", resolution = \"1 L\", rollover = \"1000 m3\" }\n\
    [[meter]]\nid = \"kitchen\"\nsource = \"stack\"\npulse_volume = \"1 L\"\n\
    [[valve]]\nid = \"main\"\nactuator = \"simulated\"\n\
    [store]\npersist = \"200 ms\"\n";

const S: u64 = 1_000_000_000;
const L: u64 = 1_000_000;

/// Readings of the meter: litres, and when.
fn packet(first: u64, readings: &[(u64, u64)]) -> Vec<u8> {
    let header = Header { kind: READINGS, count: readings.len() as u32, key: meter_key("flat"), first };
    let mut bytes = header.to_bytes().to_vec();
    for &(litres, t_ns) in readings {
        bytes.extend(Entry { t_ns, word: litres * L }.to_bytes());
    }
    bytes
}

async fn litres(client: &Client) -> u64 {
    client.meter("flat").await.unwrap().volume_microlitres().await.unwrap() / L
}

async fn wait_litres(client: &Client, wanted: u64) {
    let start = Instant::now();
    while litres(client).await != wanted {
        assert!(start.elapsed() < SOON, "{} instead of {wanted}", litres(client).await);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[test]
fn readings_are_a_total_answered_once_each_and_what_cannot_be_is_refused() {
    let (bus, dir) = (PrivateBus::start(), tempfile::tempdir().unwrap());
    let _daemon = Daemon::start(CONFIG, &bus, dir.path(), &["--userspace"]);
    run(async {
        let client = connect(&bus).await;
        wait_health(&client, "flat", "nobody feeds it: the program that reads it").await;
        // A meter behind a closed valve is judged otherwise.
        client.valve("main").await.unwrap().open(HashMap::new()).await.unwrap();
        let key = meter_key("flat");
        let one = feed(&client, &["flat", "kitchen"]).await.unwrap();
        let hello = answer(&one).unwrap();
        assert_eq!(hello, Answer { kind: GREETING, code: 1, key, number: 0, t_ns: 0 });
        assert_eq!(answer(&one).unwrap().key, meter_key("kitchen"));
        let start_ns = boottime_ns() - 60 * S;
        // It rolls over on the way.
        let readings: Vec<(u64, u64)> =
            (0..80).map(|n| ((999_990 + n / 4) % 1_000_000, start_ns + n * S / 2)).collect();
        for (at, some) in readings.chunks(20).enumerate() {
            hand_in(&one, &packet(1 + 20 * at as u64, some));
        }
        let mut answered = 0;
        while answered < 80 {
            let taken = answer(&one).unwrap();
            assert_eq!((taken.kind, taken.key), (TAKEN, key));
            assert!(taken.number > answered, "{answered} before {}", taken.number);
            answered = taken.number;
        }
        wait_litres(&client, 19).await;
        wait_health(&client, "flat", "ok").await;
        let flat = client.meter("flat").await.unwrap();
        assert_eq!(flat.pulses().await.unwrap(), 0);
        assert_eq!(flat.last_pulse().await.unwrap(), readings[79].1);
        let sight = flat.sight().await.unwrap();
        assert!(sight.starts_with("readings of 1 L every 10 s"), "{sight}");

        // The same again; then a future among good ones: each has its answer, in order.
        hand_in(&one, &packet(81, &readings[60..]));
        assert_eq!(answer(&one).unwrap().number, 100);
        let now_ns = boottime_ns();
        hand_in(&one, &packet(101, &[(10, now_ns - 2 * S), (5, now_ns + 60 * S), (11, now_ns - S)]));
        let told: Vec<(u32, u32, u64)> = (0..3)
            .map(|_| answer(&one).unwrap())
            .map(|answer| (answer.kind, answer.code, answer.number))
            .collect();
        assert_eq!(told, [(TAKEN, 0, 101), (REFUSED, Refusal::Time as u32, 102), (TAKEN, 0, 103)]);
        wait_litres(&client, 21).await;

        // Each meter takes its own kind of entries.
        let mut edges = packet(104, &[(1, now_ns)]);
        edges[..4].copy_from_slice(&EDGES.to_ne_bytes());
        let mut foreign = packet(1, &[(1, now_ns)]);
        foreign[8..16].copy_from_slice(&meter_key("kitchen").to_ne_bytes());
        for bytes in [edges, foreign] {
            hand_in(&one, &bytes);
            assert_eq!(answer(&one).unwrap().code, Refusal::NotFed as u32);
        }
        let hose = client.simulate("flat", "hose", None, 1.0, false).await.unwrap_err();
        let (_, text) = refused(hose);
        assert!(text.contains("is read every 10 s"), "{text}");
        wait_litres(&client, 21).await;
    });
}

#[test]
fn what_was_answered_outlives_any_crash_and_the_rest_is_handed_in_again() {
    let (bus, dir) = (PrivateBus::start(), tempfile::tempdir().unwrap());
    run(async {
        let start_ns = boottime_ns() - 310 * S;
        // 1.8 m³/h: nothing that waits for the next reading.
        let rising: Vec<(u64, u64)> = (0..600).map(|n| (5_000 + n / 4, start_ns + n * S / 2)).collect();
        let (mut done, mut round) = (0, 0);
        while done < rising.len() {
            let mut daemon = Daemon::start(CONFIG, &bus, dir.path(), &["--userspace"]);
            let client = connect(&bus).await;
            if round == 0 {
                client.valve("main").await.unwrap().open(HashMap::new()).await.unwrap();
            }
            let one = feed(&client, &["flat"]).await.unwrap();
            let hello = answer(&one).unwrap();
            let known_ns = done.checked_sub(1).map_or(0, |last: usize| rising[last].1);
            assert!(hello.t_ns >= known_ns, "an answer was forgotten");
            let (mut first, mut answered) = (1, 0);
            for some in rising[done..].chunks(23).take(6) {
                hand_in(&one, &packet(first, some));
                first += some.len() as u64;
            }
            if round % 4 != 3 {
                answered = answer(&one).map_or(0, |answer| answer.number as usize);
            }
            done += answered;
            daemon.end(if round % 3 == 2 { libc::SIGTERM } else { libc::SIGKILL });
            round += 1;
        }
        let _daemon = Daemon::start(CONFIG, &bus, dir.path(), &["--userspace"]);
        let client = connect(&bus).await;
        wait_litres(&client, rising.last().unwrap().0 - rising[0].0).await;
    });
}

#[test]
fn a_program_that_dies_with_more_than_may_wait_is_noticed_while_the_disk_has_nothing() {
    let (bus, dir) = (PrivateBus::start(), tempfile::tempdir().unwrap());
    let never = CONFIG.replace("200 ms", "1 h");
    let _daemon = Daemon::start(&never, &bus, dir.path(), &["--userspace"]);
    run(async {
        let client = connect(&bus).await;
        let one = feed(&client, &["flat"]).await.unwrap();
        wait_health(&client, "flat", "ok").await;
        let start_ns = boottime_ns() - 60 * S;
        let many: Vec<(u64, u64)> =
            (0..20_000).map(|n| (1_000 + n / 1_000, start_ns + n * S / 1_000)).collect();
        let (mut first, mut some) = (1, many.chunks(255).peekable());
        rustix::io::ioctl_fionbio(&one, true).unwrap();
        let begun = Instant::now();
        // Until gasd has read as many as may wait.
        while client.meter("flat").await.unwrap().readings().await.unwrap()["readings"] < 16_384 {
            while let Some(chunk) = some.peek()
                && rustix::net::send(&one, &packet(first, chunk), rustix::net::SendFlags::NOSIGNAL).is_ok()
            {
                first += chunk.len() as u64;
                some.next();
            }
            assert!(begun.elapsed() < SOON, "{first} handed in");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        drop(one);
        wait_health(&client, "flat", "nobody feeds it").await;
    });
}

#[test]
fn a_hose_that_readings_show_is_a_verdict_and_closes_the_valve() {
    let (bus, dir) = (PrivateBus::start(), tempfile::tempdir().unwrap());
    let _daemon = Daemon::start(CONFIG, &bus, dir.path(), &["--userspace"]);
    run(async {
        let client = connect(&bus).await;
        client.valve("main").await.unwrap().open(HashMap::new()).await.unwrap();
        let one = feed(&client, &["flat"]).await.unwrap();
        // 9 m³/h, 25 L in 10 s, which goes on.
        let from_ns = boottime_ns() - 100 * S;
        let readings: Vec<(u64, u64)> = (0..10).map(|n| (1_000 + 25 * n, from_ns + n * 10 * S)).collect();
        hand_in(&one, &packet(1, &readings));
        let start = Instant::now();
        loop {
            let state = client.state().await.unwrap();
            let grave = state.verdicts.values().find(|v| v.severity == "critical" && v.meter == "flat");
            if grave.is_some() && state.valves["main"].position == "closed" {
                break;
            }
            assert!(start.elapsed() < SOON, "{state:#?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
}
