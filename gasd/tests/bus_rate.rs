// SPDX-License-Identifier: MIT OR Apache-2.0
//! Signals stay at human rates, counted by a monitor on the bus.
#![allow(clippy::unwrap_used, reason = "test code")]

#[path = "bus_support.rs"]
mod support;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use gasd::bus::{BusAddress, BusStatus};
use gasd::state::{Change, MeterState};
use support::{PrivateBus, Service, run, snapshot, verdict};
use zbus::MessageStream;
use zbus::fdo::MonitoringProxy;

const SECONDS: u64 = 4;

/// Everything that crosses the bus within [`SECONDS`] under 1 kHz of pulses on `meters` meters:
/// messages, and of these the changed properties of each path.
fn busy(meters: usize) -> (usize, BTreeMap<String, usize>) {
    let bus = PrivateBus::start();
    let mut start = snapshot();
    start.meters = (0..meters).map(|i| MeterState { id: format!("m{i}"), ..MeterState::default() }).collect();
    let service = Service::launch(BusAddress::Address(bus.address()), start);
    service.wait_for(|status| matches!(status, BusStatus::Serving { .. }));
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = Arc::clone(&stop);
    let pulses = std::thread::spawn(move || {
        let (origin, mut count) = (Instant::now(), 0u64);
        while !stopped.load(Ordering::Relaxed) {
            let due = u64::try_from(origin.elapsed().as_millis()).unwrap();
            while count < due {
                count += 1;
                let index = usize::try_from(count).unwrap() % meters;
                let mut shared = service.shared.write().unwrap();
                shared.service.queue_full += 1;
                shared.meters[index].pulses += 1;
                shared.meters[index].last_pulse_ns = count * 1_000_000;
                drop(shared);
                // As the pipeline does it: a full channel is no reason to wait.
                let _ = service.changes.try_send(Change::Meter(index));
                let _ = service.changes.try_send(Change::Service);
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        (service, count)
    });
    let (messages, paths) = run(async {
        let monitor = bus.client().await;
        let mut stream = MessageStream::from(&monitor);
        MonitoringProxy::new(&monitor).await.unwrap().become_monitor(&[], 0).await.unwrap();
        // The reply and the bus's own words about the new monitor are not counted.
        tokio::time::sleep(Duration::from_millis(300)).await;
        while tokio::time::timeout(Duration::ZERO, stream.next()).await.is_ok() {}
        let (mut messages, mut paths) = (0, BTreeMap::new());
        let end = tokio::time::Instant::now() + Duration::from_secs(SECONDS);
        while let Ok(Some(message)) = tokio::time::timeout_at(end, stream.next()).await {
            let message = message.unwrap();
            messages += 1;
            *paths
                .entry(message.header().path().map(ToString::to_string).unwrap_or_default())
                .or_default() += 1;
        }
        (messages, paths)
    });
    stop.store(true, Ordering::Relaxed);
    let (_service, count) = pulses.join().unwrap();
    assert!(count > 900 * SECONDS, "only {count} pulses");
    (messages, paths)
}

#[test]
fn a_kilohertz_on_one_meter_is_two_signals_a_second() {
    let (messages, paths) = busy(1);
    eprintln!("{messages} messages in {SECONDS} s: {paths:?}");
    let most = usize::try_from(2 * SECONDS + 1).unwrap();
    assert!(paths.values().all(|&count| count <= most), "{paths:?}");
    assert!(messages <= usize::try_from(10 * SECONDS).unwrap(), "{messages}");
    assert!(paths["/io/gasd1/meters/m0"] >= usize::try_from(SECONDS).unwrap(), "{paths:?}");
}

#[test]
fn a_kilohertz_on_sixty_four_meters_is_ten_messages_a_second_at_most() {
    let (messages, paths) = busy(64);
    eprintln!("{messages} messages in {SECONDS} s, {} objects", paths.len());
    assert!(messages <= usize::try_from(10 * SECONDS).unwrap(), "{messages}");
    assert!(paths.len() > 20, "the meters take turns: {paths:?}");
}

#[test]
fn a_verdict_does_not_wait_for_the_pulses() {
    let bus = PrivateBus::start();
    let service = Service::start(&bus);
    run(async {
        let client = gasd_proxy::Client::connect(Some(&bus.address())).await.unwrap();
        let mut watch = client.watch().await.unwrap();
        for id in 1..=20 {
            service.shared.write().unwrap().meters[0].pulses += 1;
            let _ = service.changes.try_send(Change::Meter(0));
            let before = Instant::now();
            service.shared.write().unwrap().verdicts.push(verdict(id, "notice"));
            service.changes.try_send(Change::VerdictAdded(id)).unwrap();
            while watch.next().await.unwrap() != gasd_proxy::Event::VerdictAdded(id) {}
            assert!(before.elapsed() < Duration::from_millis(300), "{:?}", before.elapsed());
        }
    });
}
