// SPDX-License-Identifier: MIT OR Apache-2.0
//! Coming, going and coming back.
#![allow(clippy::unwrap_used, reason = "test code")]

#[path = "bus_support.rs"]
mod support;

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use gasd::bus::{BusAddress, BusError, BusStatus};
use gasd::state::Change;
use gasd_proxy::{Client, NAME};
use support::{PrivateBus, Service, run, snapshot, verdict};
use zbus::fdo::{DBusProxy, PropertiesProxy};
use zbus::names::InterfaceName;

#[test]
fn a_second_daemon_is_refused_and_told_by_whom() {
    let bus = PrivateBus::start();
    let first = Service::start(&bus);
    let BusStatus::Serving { unique_name } = first.bus.as_ref().unwrap().status() else {
        panic!("not serving");
    };
    let second = Service::launch(BusAddress::Address(bus.address()), snapshot());
    let status = second.wait_for(|status| matches!(status, BusStatus::Failed { .. }));
    let BusStatus::Failed { error, retry_in } = &status else { unreachable!() };
    assert_eq!(*error, BusError::NameTaken { owner: unique_name, pid: Some(std::process::id()) });
    assert_eq!(*retry_in, Duration::from_secs(1));
    assert!(status.to_string().contains(&format!("process {}", std::process::id())), "{status}");
    // The first is not disturbed, and when it goes the second takes over.
    assert!(matches!(first.bus.as_ref().unwrap().status(), BusStatus::Serving { .. }));
    drop(first);
    second.wait_for(|status| matches!(status, BusStatus::Serving { .. }));
}

#[test]
fn a_bus_that_restarts_is_found_again() {
    let mut bus = PrivateBus::start();
    let service = Service::start(&bus);
    bus.kill();
    let status = service.wait_for(|status| matches!(status, BusStatus::Failed { .. }));
    assert!(matches!(&status, BusStatus::Failed { error: BusError::Lost { .. }, .. }), "{status}");
    // Nobody is lost meanwhile: what happens without a bus is there afterwards.
    service.add_verdict(verdict(77, "warning"));
    for _ in 0..200 {
        service.change(Change::Meter(0), |snapshot| snapshot.meters[0].pulses += 1);
    }
    let status = service.wait_for(|status| matches!(status, BusStatus::Failed { .. }));
    assert!(matches!(&status, BusStatus::Failed { error: BusError::Unreachable { .. }, .. }), "{status}");
    bus.restart();
    service.wait_for(|status| matches!(status, BusStatus::Serving { .. }));
    run(async {
        let client = Client::connect(Some(&bus.address())).await.unwrap();
        let state = client.state().await.unwrap();
        assert!(state.verdicts.contains_key(&77));
        assert_eq!(state.meters["kitchen"].pulses, 123_656);
    });
}

#[test]
fn a_bus_that_comes_late_is_waited_for() {
    let mut bus = PrivateBus::start();
    bus.kill();
    let service = Service::launch(BusAddress::Address(bus.address()), snapshot());
    let status = service.wait_for(|status| matches!(status, BusStatus::Failed { .. }));
    assert!(status.to_string().contains("cannot reach the bus at unix:path="), "{status}");
    bus.restart();
    service.wait_for(|status| matches!(status, BusStatus::Serving { .. }));
}

#[test]
fn whoever_sees_the_name_finds_the_objects() {
    let bus = PrivateBus::start();
    run(async {
        let client = bus.client().await;
        let dbus = DBusProxy::new(&client).await.unwrap();
        let mut owners = dbus.receive_name_owner_changed().await.unwrap();
        for _ in 0..10 {
            let address = BusAddress::Address(bus.address());
            let service = Service::launch(address, snapshot());
            loop {
                let change = owners.next().await.unwrap();
                let args = change.args().unwrap();
                if args.name().as_str() == NAME && args.new_owner().is_some() {
                    break;
                }
            }
            for (path, interface) in [
                ("/io/gasd1", "io.gasd1.Manager"),
                ("/io/gasd1/meters/boiler_2d1", "io.gasd1.Meter"),
                ("/io/gasd1/valves/main", "io.gasd1.Valve"),
            ] {
                let properties = PropertiesProxy::new(&client, NAME, path).await.unwrap();
                properties.get_all(InterfaceName::try_from(interface).unwrap()).await.unwrap();
            }
            tokio::task::spawn_blocking(move || drop(service)).await.unwrap();
        }
    });
}

#[test]
fn stopping_releases_the_name_at_once() {
    let bus = PrivateBus::start();
    let mut service = Service::start(&bus);
    let before = Instant::now();
    service.bus.take().unwrap().stop();
    assert!(before.elapsed() < Duration::from_secs(2), "{:?}", before.elapsed());
    service.wait_for(|status| *status == BusStatus::Stopped);
    run(async {
        let dbus = DBusProxy::new(&bus.client().await).await.unwrap();
        assert!(!dbus.name_has_owner(NAME.try_into().unwrap()).await.unwrap());
    });
}

#[test]
fn a_dropped_change_channel_stops_the_bus() {
    let bus = PrivateBus::start();
    let shared = std::sync::Arc::new(std::sync::RwLock::new(snapshot()));
    let (changes, changed) = tokio::sync::mpsc::channel(4);
    let (requests, _requested) = std::sync::mpsc::sync_channel(1);
    let (tell, told) = std::sync::mpsc::channel();
    let notify = move |status: &BusStatus| drop(tell.send(status.clone()));
    let address = BusAddress::Address(bus.address());
    let _running = gasd::bus::serve(address, support::ports(&shared, changed, requests), notify).unwrap();
    assert!(matches!(told.recv_timeout(support::SOON).unwrap(), BusStatus::Serving { .. }));
    drop(changes);
    assert_eq!(told.recv_timeout(support::SOON).unwrap(), BusStatus::Stopped);
}
