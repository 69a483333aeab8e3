// SPDX-License-Identifier: MIT OR Apache-2.0
//! Commands: what reaches the pipeline, and what a refusal looks like on the wire.
#![allow(clippy::unwrap_used, reason = "test code")]

#[path = "bus_support.rs"]
mod support;

use std::collections::HashMap;

use gasd::state::{Command, Feedback};
use gasd_proxy::{NAME, valve_path, verdict_path};
use support::{PrivateBus, Service, run, verdict};
use zbus::{Connection, Variant};

/// Error name and text of a call, or empty strings.
async fn call<B>(client: &Connection, path: &str, interface: &str, member: &str, body: &B) -> (String, String)
where
    B: serde::Serialize + zbus::DynamicType,
{
    match client.call_method(Some(NAME), path, Some(interface), member, body).await {
        Ok(_) => Default::default(),
        Err(zbus::Error::MethodError(name, text, _)) => (name.to_string(), text.unwrap_or_default()),
        Err(zbus::Error::FDO(error)) => {
            use zbus::DBusError;
            (error.name().to_string(), error.description().unwrap_or_default().to_owned())
        }
        Err(other) => panic!("{other}"),
    }
}

fn none() -> HashMap<&'static str, Variant<'static>> {
    HashMap::new()
}

async fn close(client: &Connection, reason: &str) -> (String, String) {
    call(client, &valve_path("main"), "io.gasd1.Valve", "Close", &(reason, none())).await
}

async fn open(client: &Connection) -> (String, String) {
    call(client, &valve_path("main"), "io.gasd1.Valve", "Open", &(none(),)).await
}

async fn acknowledge(client: &Connection, id: u64) -> (String, String) {
    call(client, &verdict_path(id), "io.gasd1.Verdict", "Acknowledge", &(none(),)).await
}

#[test]
fn every_refusal_has_its_name_and_the_pipelines_words() {
    let bus = PrivateBus::start();
    let service = Service::start(&bus);
    service.shared.write().unwrap().verdicts.push(verdict(666, "info"));
    service.add_verdict(verdict(8, "critical"));
    run(async {
        let client = bus.client().await;
        for (reason, name) in [("jam", "Actuator"), ("full", "Store"), ("stop", "Stopping")] {
            let (found, text) = close(&client, reason).await;
            assert_eq!(found, format!("io.gasd1.Error.{name}"));
            assert!(!text.is_empty(), "{name}");
        }
        assert_eq!(close(&client, "other").await.0, "");
        let (name, text) = open(&client).await;
        assert_eq!(name, "io.gasd1.Error.Unacknowledged");
        assert!(text.contains("gasctl ack 8"), "{text}");
        assert_eq!(acknowledge(&client, 8).await.0, "");
        let (name, text) = open(&client).await;
        assert_eq!(name, "io.gasd1.Error.Held");
        assert!(text.contains("vendor"), "{text}");
        assert_eq!(acknowledge(&client, 666).await.0, "io.gasd1.Error.NotFound");
        assert_eq!(acknowledge(&client, 999).await.0, "org.freedesktop.DBus.Error.UnknownObject");
    });
}

#[test]
fn the_pipeline_learns_who_asks() {
    let bus = PrivateBus::start();
    let service = Service::start(&bus);
    run(async {
        let client = bus.client().await;
        assert_eq!(close(&client, "smell of gas\n").await.0, "");
        assert_eq!(open(&client).await.0, "");
        let name = client.unique_name().unwrap().to_string();
        // SAFETY: geteuid has no preconditions.
        let caller = format!("uid {} ({name})", unsafe { libc::geteuid() });
        let expected = [
            Command::Close { valve: "main".into(), reason: "smell of gas".into(), caller: caller.clone() },
            Command::Open { valve: "main".into(), reason: String::new(), caller },
        ];
        assert_eq!(*service.commands.lock().unwrap(), expected);
    });
}

#[test]
fn what_this_version_does_not_know_is_refused() {
    let bus = PrivateBus::start();
    let service = Service::start(&bus);
    run(async {
        let client = bus.client().await;
        let options = HashMap::from([("force", Variant::from(true))]);
        let path = valve_path("main");
        let (name, text) = call(&client, &path, "io.gasd1.Valve", "Open", &(options,)).await;
        assert_eq!(name, "org.freedesktop.DBus.Error.InvalidArgs");
        assert!(text.contains("force"), "{text}");
        let (name, _) = close(&client, &"x".repeat(600)).await;
        assert_eq!(name, "org.freedesktop.DBus.Error.InvalidArgs");
        let (name, _) = call(&client, &path, "io.gasd1.Valve", "Open", &()).await;
        assert_eq!(name, "org.freedesktop.DBus.Error.InvalidArgs");
        assert!(service.commands.lock().unwrap().is_empty());
    });
}

#[test]
fn a_property_cannot_be_written() {
    let bus = PrivateBus::start();
    let service = Service::start(&bus);
    run(async {
        let client = bus.client().await;
        let body = ("io.gasd1.Valve", "Position", Variant::from("open"));
        let (name, _) =
            call(&client, &valve_path("main"), "org.freedesktop.DBus.Properties", "Set", &body).await;
        assert!(name.starts_with("org.freedesktop.DBus.Error."), "{name}");
        assert!(service.commands.lock().unwrap().is_empty());
    });
}

#[test]
fn a_pipeline_that_is_gone_or_full_is_said_so() {
    let bus = PrivateBus::start();
    let shared = std::sync::Arc::new(std::sync::RwLock::new(support::snapshot()));
    let (_changes, changed) = tokio::sync::mpsc::channel(4);
    let (requests, requested) = std::sync::mpsc::sync_channel(1);
    let (tell, told) = std::sync::mpsc::channel();
    let address = gasd::bus::BusAddress::Address(bus.address());
    let notify = move |status: &gasd::bus::BusStatus| drop(tell.send(status.clone()));
    let running = gasd::bus::serve(address, support::ports(&shared, changed, requests), notify).unwrap();
    told.recv_timeout(support::SOON).unwrap();
    run(async {
        let client = bus.client().await;
        let waiting = bus.client().await;
        let first = tokio::spawn(async move { close(&waiting, "first").await });
        // The first fills the queue, as nobody takes it out.
        let second = loop {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            let answer =
                tokio::time::timeout(std::time::Duration::from_millis(500), close(&client, "second")).await;
            if let Ok(answer) = answer {
                break answer;
            }
        };
        assert_eq!(second.0, "org.freedesktop.DBus.Error.LimitsExceeded");
        drop(requested);
        assert_eq!(close(&client, "third").await.0, "io.gasd1.Error.Stopping");
        assert_eq!(first.await.unwrap().0, "io.gasd1.Error.Stopping");
    });
    running.stop();
}

#[test]
fn what_a_verdict_turned_out_to_be_is_handed_on_and_nonsense_is_not() {
    let bus = PrivateBus::start();
    let service = Service::start(&bus);
    for id in [1, 2, 3] {
        service.add_verdict(verdict(id, "info"));
    }
    run(async {
        let client = bus.client().await;
        let with = async |id: u64, feedback: Variant<'static>| {
            let options = HashMap::from([("Feedback", feedback)]);
            call(&client, &verdict_path(id), "io.gasd1.Verdict", "Acknowledge", &(options,)).await
        };
        let (name, text) = with(1, Variant::from("perhaps")).await;
        assert_eq!(name, "org.freedesktop.DBus.Error.InvalidArgs");
        assert!(text.contains("Feedback") && text.contains("real-leak"), "{text}");
        assert_eq!(with(1, Variant::from(7_u32)).await.0, "org.freedesktop.DBus.Error.InvalidArgs");
        assert!(service.commands.lock().unwrap().is_empty());
        assert_eq!(with(1, Variant::from("false-alarm")).await.0, "");
        assert_eq!(with(2, Variant::from("real-leak")).await.0, "");
        assert_eq!(acknowledge(&client, 3).await.0, "");
    });
    let said: Vec<_> = service
        .commands
        .lock()
        .unwrap()
        .iter()
        .map(|command| match command {
            Command::Acknowledge { feedback, .. } => *feedback,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(said, [Some(Feedback::FalseAlarm), Some(Feedback::RealLeak), None]);
}
