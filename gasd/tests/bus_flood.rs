// SPDX-License-Identifier: MIT OR Apache-2.0
//! Clients that flood the bus do not stop verdicts, valves or other clients. A whole daemon as the user
//! gasd on a system bus with the shipped policy, strangers and a reader that misbehave. Needs root.
//!
//! The figures are printed; asserted is only what no machine may miss. One test only: it names the
//! system bus by an environment variable of the whole process.
#![allow(clippy::unwrap_used, reason = "test code")]

mod pipeline_house;
#[path = "bus_support.rs"]
mod support;
mod system_bus;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use gasd::bus::BusAddress;
use gasd::pipeline::queue::Input;
use gasd::response::clock::boottime_ns;
use gasd_abi::records::{EVENT_PULSE, EVENT_STORM, Event};
use gasd_proxy::{NAME, ROOT as TREE, valve_path};
use pipeline_house::{Pipeline, config, quantiles};
use system_bus::{CONTROLLER, GASD, READER, STRANGER, System, User, become_user};
use zbus::{Message, Variant};

/// Phases that are measured.
const PHASES: usize = 3;
/// Verdicts measured in each phase; each of a meter of its own, because a meter's warnings have a quiet time.
const VERDICTS: usize = 20;
/// What gasctl waits for a command.
const PATIENCE: Duration = Duration::from_secs(90);
/// Far above what is aimed at, far below what would be a stop.
const MUST: Duration = Duration::from_secs(3);

/// Makes warnings one after another, and then a surge that closes a valve; returns the latencies of the
/// warnings, and of the valve.
fn measure(pipeline: &Pipeline, phase: usize) -> (Vec<u64>, u64) {
    let lines = &pipeline.lines[phase * VERDICTS..(phase + 1) * VERDICTS];
    let mut samples = Vec::with_capacity(VERDICTS);
    for &line in lines {
        let now = boottime_ns();
        let event = Event { kind: EVENT_STORM, line, t_ns: now, decided_ns: now, ..Event::default() };
        assert!(pipeline.queue.push(Input::Event(event)));
        samples.push(pipeline.made.recv_timeout(MUST).expect("verdicts stopped").after_ns);
        std::thread::sleep(Duration::from_millis(50));
    }
    let line = lines[0];
    // 8.6 m³/h for eight seconds that end now: 10 L pulses, one every 4.2 s, would be too coarse.
    let now = boottime_ns();
    for n in 0..=200u64 {
        let t_ns = now - (200 - n) * 42_000_000;
        let event = Event { kind: EVENT_PULSE, line, seq: n + 1, t_ns, decided_ns: now, ..Event::default() };
        assert!(pipeline.queue.push(Input::Event(event)));
    }
    let valve = pipeline.driven.recv_timeout(MUST).expect("the valve was not driven");
    while pipeline.made.recv_timeout(Duration::from_millis(200)).is_ok() {}
    (samples, valve)
}

fn show(what: &str, (mut samples, valve): (Vec<u64>, u64)) {
    let (p50, p99, max) = quantiles(&mut samples);
    eprintln!(
        "{what}: verdict made after {p50:.3} ms (p50) {p99:.3} (p99) {max:.3} (max); valve {:.3} ms",
        valve as f64 / 1e6
    );
    assert!(max < 1e3 * MUST.as_secs_f64(), "{what}: {max} ms");
}

/// Sends a call again and again without waiting for answers, until told to stop; returns how often.
fn flood(system: &System, user: User, make: &(dyn Fn() -> Message + Sync), stop: &AtomicBool) -> u64 {
    support::runtime().block_on(async {
        let mut client = system.client(user).await;
        let mut sent = 0;
        while !stop.load(Ordering::Relaxed) {
            match tokio::time::timeout(Duration::from_millis(100), client.send(&make())).await {
                Ok(Ok(())) => sent += 1,
                // The bus hangs up on a client that goes too far.
                Ok(Err(_)) => client = system.client(user).await,
                // Or does not read on.
                Err(_) => {}
            }
            tokio::task::yield_now().await;
        }
        sent
    })
}

/// Ends the floods however the test ends.
struct StopWhenDropped<'a>(&'a AtomicBool);

impl Drop for StopWhenDropped<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn message(path: &str, interface: &str, member: &str, reason: &str) -> Message {
    let none: HashMap<&str, Variant<'_>> = HashMap::new();
    let builder = Message::method_call(path, member).destination(NAME).interface(interface);
    match member {
        "Close" => builder.build(&(reason, none)),
        "GetManagedObjects" => builder.build(&()),
        other => panic!("{other} is not flooded"),
    }
    .unwrap()
}

/// The bus holds as much for gasd as it may, and tells so whoever calls next.
fn bus_is_full(error: &zbus::Error) -> bool {
    error.to_string().contains("full message queue")
}

/// What a caller behind a flood may be told: gasd or the bus says in words why a command is not served.
fn refused_in_words(error: &zbus::Error) -> bool {
    bus_is_full(error) || error.to_string().contains("the bus does not say who is calling")
}

/// Subscribes 1,000 times and keeps or drops what it gets.
async fn subscribe(client: &zbus::Connection, keep: bool) -> (usize, usize) {
    let (mut kept, mut granted, mut refused) = (Vec::new(), 0, 0);
    for _ in 0..1_000 {
        let none: HashMap<&str, Variant<'_>> = HashMap::new();
        let body = (none,);
        let ask = || client.call_method(Some(NAME), TREE, Some("io.gasd1.Manager"), "Subscribe", &body);
        let mut answer = ask().await;
        // The bus still has more for gasd than it holds.
        while answer.as_ref().is_err_and(bus_is_full) {
            tokio::time::sleep(Duration::from_millis(100)).await;
            answer = ask().await;
        }
        match answer {
            Ok(reply) => {
                granted += 1;
                if keep {
                    kept.push(reply);
                }
            }
            Err(error) => {
                assert!(error.to_string().contains("16 subscriptions"), "{error}");
                refused += 1;
            }
        }
    }
    (granted, refused)
}

#[test]
fn clients_that_flood_the_bus_do_not_stop_verdicts() {
    let Some(system) = System::start("clients_that_flood_the_bus_do_not_stop_verdicts", "") else { return };
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::chown(folder.path(), Some(GASD.uid), Some(GASD.uid)).unwrap();
    let store = folder.path().join("store.redb");
    let start = move || {
        become_user(GASD);
        Pipeline::start(&config(PHASES * VERDICTS, "0.1 L"), &store, None, BusAddress::System)
    };
    let pipeline = std::thread::spawn(start).join().unwrap();
    show("quiet", measure(&pipeline, 0));

    let long = "x".repeat(1 << 20);
    // Each call is a message of its own: the bus answers a repeated number itself.
    let valve = valve_path("v0");
    let close = |reason: &str| message(&valve, "io.gasd1.Valve", "Close", reason);
    let floods: [(&str, User, &(dyn Fn() -> Message + Sync)); 3] = [
        ("closes", STRANGER, &|| close("flood")),
        ("closes with 1 MiB of reason", STRANGER, &|| close(&long)),
        ("reads", READER, &|| message(TREE, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", "")),
    ];
    let (stop, system) = (&AtomicBool::new(false), &system);
    std::thread::scope(|scope| {
        let _stop = StopWhenDropped(stop);
        let sent: Vec<_> = floods
            .iter()
            .map(|(what, user, make)| (what, scope.spawn(move || flood(system, *user, *make, stop))))
            .collect();
        std::thread::sleep(Duration::from_millis(300));
        show("flooded", measure(&pipeline, 1));

        // Somebody else closes a valve meanwhile. It waits its turn at the bus, and so does gasd's question who
        // is calling: on a busy machine the answer may take longer than gasd waits, and then it says so.
        support::runtime().block_on(async {
            let controller = system.client(CONTROLLER).await;
            let before = Instant::now();
            let none: HashMap<&str, Variant<'_>> = HashMap::new();
            let path = valve_path("v0");
            let interface = Some("io.gasd1.Valve");
            let body = ("smell", none);
            let close = controller.call_method(Some(NAME), path, interface, "Close", &body);
            let closed = tokio::time::timeout(PATIENCE, close).await.expect("no answer");
            eprintln!("a command of somebody else took {:?} meanwhile", before.elapsed());
            if let Err(error) = closed {
                assert!(refused_in_words(&error), "{error}");
                eprintln!("and was refused: {error}");
            }
        });
        stop.store(true, Ordering::Relaxed);
        for (what, thread) in sent {
            let sent = thread.join().unwrap();
            eprintln!("{sent} calls: {what}");
            assert!(sent > 0, "{what}");
        }
    });
    // The flood is over: once what waits at the bus is worked off, the same command is served.
    support::runtime().block_on(async {
        let controller = system.client(CONTROLLER).await;
        let (path, interface) = (valve_path("v0"), Some("io.gasd1.Valve"));
        let closed = async {
            loop {
                let none: HashMap<&str, Variant<'_>> = HashMap::new();
                let body = ("smell", none);
                match controller.call_method(Some(NAME), path.as_str(), interface, "Close", &body).await {
                    Ok(_) => return,
                    Err(error) => assert!(refused_in_words(&error), "{error}"),
                }
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        };
        tokio::time::timeout(PATIENCE, closed).await.expect("the same command is not served");
    });

    std::thread::scope(|scope| {
        let subscribed = scope.spawn(|| {
            support::runtime().block_on(async {
                let client = system.client(READER).await;
                (subscribe(&client, false).await, subscribe(&client, true).await)
            })
        });
        show("1,000 subscriptions dropped, 1,000 kept", measure(&pipeline, 2));
        let (dropped, kept) = subscribed.join().unwrap();
        eprintln!("granted and refused: {dropped:?} of those dropped at once, {kept:?} of those kept");
        assert_eq!(dropped, (1_000, 0), "a descriptor that was dropped leaves its room");
        assert_eq!(kept, (16, 984));
    });
    pipeline.stop();
}
