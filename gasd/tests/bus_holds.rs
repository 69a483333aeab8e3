// SPDX-License-Identifier: MIT OR Apache-2.0
//! Holds of applications, over the bus down to the store.
#![allow(clippy::unwrap_used, reason = "test code")]

#[path = "bus_support.rs"]
mod support;

use std::collections::HashMap;
use std::path::Path;
use std::sync::mpsc::{channel, sync_channel};
use std::sync::{Arc, RwLock};

use gasd::bus::{AuditReader, Bus, BusAddress, BusStatus, Ports, Request, VerdictReader, serve};
use gasd::response::{Response, publish, unconfigured};
use gasd::state::{MeterState, Shared, Snapshot};
use gasd::store::{Store, Writer};
use gasd::stream::{House, Stream};
use gasd_proxy::{Client, ClientError, ValveProxy};
use support::{PrivateBus, SOON, run};

/// The valve is gone from it.
const WITHOUT: &str = "[[meter]]\nid = \"kitchen\"\nline = 1\npulse_volume = \"10 L\"\n";
const CONFIG: &str = "[[meter]]\nid = \"kitchen\"\nline = 1\npulse_volume = \"10 L\"\nvalve = \"main\"\n\
    [[valve]]\nid = \"main\"\nactuator = \"simulated\"\n";

/// A daemon as far as commands go: bus, response, store.
struct Daemon {
    bus: Option<Bus>,
    response: Response,
    writer: Option<Writer>,
}

impl Daemon {
    fn start(bus: &PrivateBus, path: &Path) -> Daemon {
        Daemon::configured(bus, path, CONFIG)
    }

    fn configured(bus: &PrivateBus, path: &Path, config: &str) -> Daemon {
        let config = gasd::config::parse("test.toml", config).unwrap();
        let store = Store::open(path).unwrap();
        let loaded = store.load().unwrap();
        let writer = Writer::start(store).unwrap();
        let meters = vec![MeterState { id: "kitchen".into(), ..MeterState::default() }];
        let shared: Shared = Arc::new(RwLock::new(Snapshot { meters, ..Snapshot::default() }));
        let house = House::of(&config).with_valves(&unconfigured::ids(&config, &loaded));
        let stream = Stream::start(Arc::clone(&shared), house).unwrap();
        let (signal, changes) = tokio::sync::mpsc::channel(64);
        let publish = publish(Arc::clone(&shared), move |change| drop(signal.try_send(change)));
        let told = stream.clone();
        let hook = Box::new(move |update: gasd::response::Update<'_>| {
            told.tell_update(&update);
            publish(update);
        });
        let response =
            Response::start(&config, &loaded, writer.handle(), HashMap::new(), hook, &Default::default());
        let (commands, asked) = sync_channel::<Request>(4);
        let answers = response.clone();
        std::thread::spawn(move || {
            while let Ok((command, reply)) = asked.recv() {
                let _ = reply.send(answers.command(&command));
            }
        });
        let records = writer.handle();
        let audit: AuditReader =
            Arc::new(move |page, reply| records.audit_page(page, move |entries| drop(reply.send(entries))));
        let records = writer.handle();
        let verdicts: VerdictReader =
            Arc::new(move |id, reply| records.verdict(id, move |verdict| drop(reply.send(verdict))));
        let (tell, told) = channel();
        let ports = Ports { shared, changes, commands, stream, audit, verdicts, doors: Default::default() };
        let notify = move |status: &BusStatus| drop(tell.send(status.clone()));
        let bus = serve(BusAddress::Address(bus.address()), ports, notify).unwrap();
        assert!(matches!(told.recv_timeout(SOON).unwrap(), BusStatus::Serving { .. }));
        Daemon { bus: Some(bus), response, writer: Some(writer) }
    }

    fn stop(mut self) {
        self.bus.take().unwrap().stop();
        self.response.stop();
        self.writer.take().unwrap().stop().unwrap();
    }
}

async fn valve(bus: &PrivateBus) -> ValveProxy<'static> {
    Client::connect(Some(&bus.address())).await.unwrap().valve("main").await.unwrap()
}

/// Where the valve is now; a proxy remembers what it read before.
async fn position(bus: &PrivateBus) -> String {
    let client = Client::connect(Some(&bus.address())).await.unwrap();
    client.state().await.unwrap().valves["main"].position.clone()
}

async fn holds(bus: &PrivateBus) -> Vec<gasd_proxy::Hold> {
    let client = Client::connect(Some(&bus.address())).await.unwrap();
    client.state().await.unwrap().valves["main"].holds.clone()
}

fn refusal(error: zbus::Error) -> (String, String) {
    match error.into() {
        ClientError::Refused { name, text } => (name, text),
        other => panic!("{other}"),
    }
}

#[test]
fn a_hold_outlives_the_application_and_the_daemon_and_gives_no_gas_when_released() {
    let bus = PrivateBus::start();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store.redb");
    let daemon = Daemon::start(&bus, &path);
    let cookie = run(async {
        let main = valve(&bus).await;
        main.open(HashMap::new()).await.unwrap();
        assert_eq!(position(&bus).await, "open");
        let cookie = main.hold("leak test\n", "com.example.vendor", HashMap::new()).await.unwrap();
        assert_eq!(position(&bus).await, "closed", "closed when the cookie is there");
        assert_eq!(main.hold("leak test", "com.example.vendor", HashMap::new()).await.unwrap(), cookie);
        cookie
        // The application's connection ends here.
    });
    run(async {
        let main = valve(&bus).await;
        let (name, text) = refusal(main.open(HashMap::new()).await.unwrap_err());
        assert_eq!(name, "Held");
        let way_out = format!("gasctl valve release main {cookie}");
        assert!(text.contains("com.example.vendor") && text.contains(&way_out), "{text}");
    });
    daemon.stop();

    let daemon = Daemon::start(&bus, &path);
    run(async {
        let client = Client::connect(Some(&bus.address())).await.unwrap();
        let hold = client.state().await.unwrap().valves["main"].holds[0].clone();
        // SAFETY: geteuid has no preconditions.
        let me = unsafe { libc::geteuid() };
        assert_eq!((hold.cookie, hold.owner.as_str(), hold.uid), (cookie, "com.example.vendor", Some(me)));
        assert_eq!(hold.reason, "leak test");
        let main = valve(&bus).await;
        assert_eq!(refusal(main.open(HashMap::new()).await.unwrap_err()).0, "Held");
        assert_eq!(refusal(main.release(cookie + 1, HashMap::new()).await.unwrap_err()).0, "NotFound");
        main.release(cookie, HashMap::new()).await.unwrap();
        assert_eq!(position(&bus).await, "closed", "releasing opens nothing");
        assert!(holds(&bus).await.is_empty());
        main.close("inspection", HashMap::new()).await.unwrap();
        let of_operator = client.state().await.unwrap().valves["main"].holds[0].cookie;
        let (name, text) = refusal(main.release(of_operator, HashMap::new()).await.unwrap_err());
        assert_eq!(name, "NotReleasable");
        assert!(text.contains("gasctl valve open main"), "{text}");
        main.open(HashMap::new()).await.unwrap();
        assert_eq!(position(&bus).await, "open");

        // All of it is in the record.
        let entries = client.manager().await.unwrap().audit(HashMap::new()).await.unwrap();
        let text = |entry: &HashMap<String, zbus::OwnedVariant>, key: &str| {
            String::try_from(entry[key].try_clone().unwrap()).unwrap()
        };
        for (action, outcome) in
            [("hold", "asked"), ("release", "done"), ("release", "refused"), ("open", "refused")]
        {
            assert!(
                entries.iter().any(|e| text(e, "Action") == action && text(e, "Outcome") == outcome),
                "{action} {outcome}: {entries:?}"
            );
        }
    });
    daemon.stop();
}

#[test]
fn holds_of_a_valve_that_is_not_configured_any_more_are_seen_and_released() {
    let bus = PrivateBus::start();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store.redb");
    let daemon = Daemon::start(&bus, &path);
    let cookie = run(async {
        let main = valve(&bus).await;
        main.open(HashMap::new()).await.unwrap();
        main.close("inspection", HashMap::new()).await.unwrap();
        main.hold("leak test", "vendor", HashMap::new()).await.unwrap()
    });
    daemon.stop();

    let daemon = Daemon::configured(&bus, &path, WITHOUT);
    run(async {
        let client = Client::connect(Some(&bus.address())).await.unwrap();
        let seen = client.state().await.unwrap().valves["main"].clone();
        assert_eq!(
            (seen.position.as_str(), seen.actuator.as_str(), seen.holds.len()),
            ("unknown", "none", 2)
        );
        assert!(seen.health.contains("not configured any more"), "{}", seen.health);
        let main = valve(&bus).await;
        for refused in [
            main.close("x", HashMap::new()).await.unwrap_err(),
            main.open(HashMap::new()).await.unwrap_err(),
            main.hold("x", "vendor", HashMap::new()).await.unwrap_err(),
        ] {
            let (name, text) = refusal(refused);
            assert_eq!(name, "NotConfigured");
            assert!(text.contains("gasctl valve release main"), "{text}");
        }
        main.release(cookie, HashMap::new()).await.unwrap();
        let left = holds(&bus).await;
        assert_eq!((left.len(), left[0].owner.as_str()), (1, "operator"));
        main.release(left[0].cookie, HashMap::new()).await.unwrap();
        let seen = client.state().await.unwrap().valves["main"].clone();
        assert!(seen.holds.is_empty() && seen.health.contains("nothing is held"), "{seen:?}");
        let entries = client.audit(100, None).await.unwrap();
        let released: Vec<_> =
            entries.iter().filter(|e| e.action == "release" && e.outcome == "done").collect();
        assert_eq!(released.len(), 2, "{entries:?}");
        assert!(released[1].detail.contains("of operator: inspection"), "{released:?}");
        let moved = entries.iter().filter(|e| e.action == "drive").count();
        assert_eq!(moved, 3, "an opening and two closings before, nothing since: {entries:?}");
    });
    daemon.stop();

    let daemon = Daemon::configured(&bus, &path, WITHOUT);
    run(async {
        let client = Client::connect(Some(&bus.address())).await.unwrap();
        assert!(client.state().await.unwrap().valves.is_empty(), "it is gone");
    });
    daemon.stop();
    let daemon = Daemon::start(&bus, &path);
    run(async { assert!(holds(&bus).await.is_empty()) });
    daemon.stop();
}

#[test]
fn what_is_no_application_holds_nothing() {
    let bus = PrivateBus::start();
    let dir = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(&bus, &dir.path().join("store.redb"));
    run(async {
        let main = valve(&bus).await;
        for app in ["gasd", "operator", "", "a b"] {
            let (name, _) = refusal(main.hold("x", app, HashMap::new()).await.unwrap_err());
            assert_eq!(name, "InvalidArgs", "{app:?}");
        }
        assert!(holds(&bus).await.is_empty());
        for n in 0..gasd::response::holds::MOST_OF_USER {
            main.hold(&n.to_string(), "vendor", HashMap::new()).await.unwrap();
        }
        let (name, text) = refusal(main.hold("more", "vendor", HashMap::new()).await.unwrap_err());
        assert_eq!(name, "LimitsExceeded");
        assert!(text.contains("at most 8"), "{text}");
    });
    daemon.stop();
}
