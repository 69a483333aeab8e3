// SPDX-License-Identifier: MIT OR Apache-2.0
//! Feeds through the whole daemon: edges that another program hands in are counted once, over restarts and
//! crashes; what cannot be is refused in words; a hose becomes a verdict and closes the valve.
#![allow(clippy::unwrap_used, reason = "test code")]

#[path = "bus_support.rs"]
mod bus_support;
mod feed_house;
mod kernel_house;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use bus_support::{PrivateBus, run};
use feed_house::{Daemon, answer, connect, feed, hand_in, refused, wait_health};
use gasd::kernel::{live::LivePages, sys::boottime_ns};
use gasd_abi::feed::{Answer, EDGES, Entry, GREETING, Header, Level, PACKET_BYTES, REFUSED, Refusal, TAKEN};
use gasd_abi::records::meter_key;
use gasd_proxy::Client;
use kernel_house::{House, SOON};
use zbus::OwnedVariant;

const CONFIG: &str = "[[meter]]\nid = \"kitchen\"\nsource = \"stack\"\npulse_volume = \"1 L\"\nvalve = \"main\"\n\
    [[meter]]\nid = \"played\"\nline = 2\npulse_volume = \"10 L\"\n\
    [[valve]]\nid = \"main\"\nactuator = \"simulated\"\n";

const MS: u64 = 1_000_000;

fn packet(first: u64, entries: &[(u64, Level)]) -> Vec<u8> {
    let header = Header { kind: EDGES, count: entries.len() as u32, key: meter_key("kitchen"), first };
    let mut bytes = header.to_bytes().to_vec();
    for &(t_ns, level) in entries {
        bytes.extend(Entry { t_ns, word: level as u64 }.to_bytes());
    }
    bytes
}

fn pulses(from_ns: u64, every_ms: u64, n: u64) -> Vec<(u64, Level)> {
    (0..n).map(|i| (from_ns + i * every_ms * MS, Level::Pulse)).collect()
}

async fn total(client: &Client) -> u64 {
    client.meter("kitchen").await.unwrap().pulses().await.unwrap()
}

async fn wait_total(client: &Client, wanted: u64) {
    let start = Instant::now();
    while total(client).await != wanted {
        assert!(start.elapsed() < SOON, "{} instead of {wanted}", total(client).await);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[test]
fn what_is_handed_in_is_counted_and_answered_and_what_cannot_be_is_refused() {
    let (bus, dir) = (PrivateBus::start(), tempfile::tempdir().unwrap());
    let _daemon = Daemon::start(CONFIG, &bus, dir.path(), &["--userspace"]);
    run(async {
        let client = connect(&bus).await;
        for (meters, word) in [
            (&["cellar"][..], "no meter is called \"cellar\""),
            (&["played"], "write source = \"stack\""),
            (&[], "which meter?"),
        ] {
            let (name, text) = refused(feed(&client, meters).await.unwrap_err());
            assert_eq!(name, "InvalidArgs");
            assert!(text.contains(word), "{text}");
        }
        wait_health(&client, "kitchen", "nobody feeds it").await;

        let one = feed(&client, &["kitchen"]).await.unwrap();
        let key = meter_key("kitchen");
        assert_eq!(answer(&one).unwrap(), Answer { kind: GREETING, code: 1, key, number: 0, t_ns: 0 });
        let now_ns = boottime_ns();
        let times = pulses(now_ns - 60_000 * MS, 500, 100);
        hand_in(&one, &packet(1, &times));
        let taken = answer(&one).unwrap();
        assert_eq!((taken.kind, taken.key, taken.number), (TAKEN, key, 100));
        wait_total(&client, 100).await;
        wait_health(&client, "kitchen", "ok").await;

        // The same again, a future, and what is none.
        hand_in(&one, &packet(101, &times));
        assert_eq!(answer(&one).unwrap().number, 200);
        hand_in(&one, &packet(201, &[(now_ns + 60_000 * MS, Level::Pulse)]));
        let future = answer(&one).unwrap();
        assert_eq!((future.kind, future.code, future.number), (REFUSED, Refusal::Time as u32, 201));
        for bytes in [&[0u8; 3][..], &[0; PACKET_BYTES + 1], &packet(1, &[])] {
            hand_in(&one, bytes);
            assert_eq!(answer(&one).unwrap().code, Refusal::Malformed as u32);
        }
        wait_total(&client, 100).await;

        // Another program takes the meter over.
        let two = feed(&client, &["kitchen"]).await.unwrap();
        assert_eq!(answer(&one).unwrap().code, Refusal::TakenOver as u32);
        assert_eq!(answer(&one), None, "the first one has ended");
        assert_eq!(answer(&two).unwrap().t_ns, times.last().unwrap().0);
        hand_in(&two, &packet(1, &pulses(now_ns - 5_000 * MS, 500, 1)));
        assert_eq!(answer(&two).unwrap().number, 1);
        wait_total(&client, 101).await;
    });
}

#[test]
fn a_hose_that_is_fed_is_a_verdict_and_closes_the_valve() {
    let (bus, dir) = (PrivateBus::start(), tempfile::tempdir().unwrap());
    let _daemon = Daemon::start(CONFIG, &bus, dir.path(), &["--userspace"]);
    run(async {
        let client = connect(&bus).await;
        client.valve("main").await.unwrap().open(HashMap::new()).await.unwrap();
        let one = feed(&client, &["kitchen"]).await.unwrap();
        // 7 m³/h, which ends now: a pulse of 1 L every 514 ms.
        let now_ns = boottime_ns();
        hand_in(&one, &packet(1, &pulses(now_ns - 80 * 514 * MS, 514, 80)));
        let start = Instant::now();
        loop {
            let state = client.state().await.unwrap();
            let surge = state.verdicts.values().find(|v| v.kind == "surge" && v.meter == "kitchen");
            if surge.is_some() && state.valves["main"].position == "closed" {
                break;
            }
            assert!(start.elapsed() < SOON, "{state:#?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
}

#[test]
fn a_page_is_handed_out_only_where_the_kernel_counts() {
    let (bus, dir) = (PrivateBus::start(), tempfile::tempdir().unwrap());
    let _daemon = Daemon::start(CONFIG, &bus, dir.path(), &["--userspace"]);
    run(async {
        let client = connect(&bus).await;
        let error = client.manager().await.unwrap().live(HashMap::new()).await.unwrap_err();
        let (name, text) = refused(error.into());
        assert_eq!(name, "NoPage");
        assert!(text.contains("user space"), "{text}");
    });
}

#[test]
fn in_the_kernel_nothing_is_lost_or_doubled_over_crashes_and_the_page_agrees() {
    let Some(house) = House::new("feeds over crashes") else { return };
    house.must_load(&[]);
    let (bus, dir) = (PrivateBus::start(), tempfile::tempdir().unwrap());
    let pins = house.pins.to_str().unwrap().to_owned();
    let more = ["--pins", pins.as_str()];
    run(async {
        let start_ns = boottime_ns() - 600_000 * MS;
        let all = pulses(start_ns, 200, 1_000);
        let (mut done, mut round) = (0, 0);
        while done < all.len() {
            let mut daemon = Daemon::start(CONFIG, &bus, dir.path(), &more);
            let client = connect(&bus).await;
            let one = feed(&client, &["kitchen"]).await.unwrap();
            assert_eq!(answer(&one).unwrap().kind, GREETING);
            // Handed in, and only some of the answers are waited for: the rest is sent again.
            let (mut first, mut sent) = (1, 0);
            for entries in all[done..].chunks(17).take(12) {
                hand_in(&one, &packet(first, entries));
                first += entries.len() as u64;
                sent += 1;
            }
            let mut answered = 0;
            for _ in 0..(3 + round % 5).min(sent) {
                answered = answer(&one).map_or(answered, |answer| answer.number as usize);
            }
            done += answered.min(all.len() - done);
            if round % 3 == 2 {
                daemon.end(libc::SIGTERM);
            }
            round += 1;
        }
        let _daemon = Daemon::start(CONFIG, &bus, dir.path(), &more);
        let client = connect(&bus).await;
        wait_total(&client, 1_000).await;

        let (page, meters) = client.manager().await.unwrap().live(HashMap::new()).await.unwrap();
        let pages = LivePages::map(std::os::fd::AsFd::as_fd(&page)).unwrap();
        let number = |meter: &HashMap<String, OwnedVariant>, name: &str| {
            u64::try_from(meter[name].try_clone().unwrap()).unwrap()
        };
        let key = meter_key("kitchen");
        let kitchen = meters.iter().find(|meter| number(meter, "Key") == key).unwrap();
        let line = u32::try_from(kitchen["Line"].try_clone().unwrap()).unwrap();
        let accepted = pages.read(line).unwrap().accepted;
        assert_eq!(number(kitchen, "PulsesBase").wrapping_add(accepted), 1_000);
        let worth = accepted.wrapping_mul(number(kitchen, "PulseVolumeMicrolitres"));
        assert_eq!(number(kitchen, "VolumeBaseMicrolitres").wrapping_add(worth), 1_000_000_000);
    });
}
