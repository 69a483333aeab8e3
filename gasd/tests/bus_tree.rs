// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is on the bus: the tree, its properties, and its promise in `dbus/*.xml`.
#![allow(clippy::unwrap_used, reason = "test code")]

#[path = "bus_support.rs"]
mod support;

use std::collections::BTreeMap;

use gasd_proxy::{Client, Event, NAME, meter_path, valve_path, verdict_path};
use support::{PrivateBus, Service, run, verdict};
use zbus::fdo::IntrospectableProxy;

/// Members of the `io.gasd1` interfaces in an introspection document: what each is, and its types.
fn members(xml: &str) -> BTreeMap<String, String> {
    let mut members = BTreeMap::new();
    let (mut interface, mut member) = (String::new(), String::new());
    let mut comment = String::new();
    let mut rest = xml;
    while let Some(at) = rest.find('<') {
        rest = &rest[at..];
        if let Some(tail) = rest.strip_prefix("<!--") {
            let end = tail.find("-->").unwrap();
            comment = tail[..end].to_owned();
            rest = &tail[end + 3..];
            continue;
        }
        let end = rest.find('>').unwrap();
        let tag = &rest[1..end];
        rest = &rest[end + 1..];
        let attribute = |name: &str| {
            let start = tag.find(&format!("{name}=\"")).map(|at| at + name.len() + 2);
            start.map(|start| tag[start..].split('"').next().unwrap().to_owned()).unwrap_or_default()
        };
        match tag.split([' ', '/']).next().unwrap() {
            "interface" => interface = attribute("name"),
            kind @ ("method" | "signal" | "property") if interface.starts_with("io.gasd1") => {
                member = format!("{interface}.{}", attribute("name"));
                let what = format!("{kind} {}{}", attribute("type"), attribute("access"));
                members.insert(member.clone(), what);
                if xml.contains("SPDX") {
                    assert!(comment.contains("Since: "), "{member} has no Since");
                    comment.clear();
                }
            }
            "arg" if interface.starts_with("io.gasd1") => {
                let what = members.get_mut(&member).unwrap();
                // Signals have no direction to speak of.
                let direction =
                    if what.starts_with("signal") { String::new() } else { attribute("direction") };
                what.push_str(&format!(" {}:{}{direction}", attribute("name"), attribute("type")));
            }
            "annotation" if interface.starts_with("io.gasd1") => {
                let what = members.get_mut(&member).unwrap();
                what.push_str(&format!(" {}={}", attribute("name"), attribute("value")));
            }
            _ => {}
        }
    }
    members
}

#[test]
fn live_introspection_is_what_the_xml_promises() {
    let bus = PrivateBus::start();
    let service = Service::start(&bus);
    service.add_verdict(verdict(3, "warning"));
    run(async {
        let client = bus.client().await;
        let mut live = BTreeMap::new();
        while !live.keys().any(|name: &String| name.starts_with("io.gasd1.Verdict")) {
            let proxy = IntrospectableProxy::builder(&client)
                .destination(NAME)
                .path("/io/gasd1")
                .build()
                .await
                .unwrap();
            live = members(&proxy.introspect().await.unwrap());
        }
        let mut promised = BTreeMap::new();
        for name in ["Manager", "Meter", "Port", "Simulation", "Valve", "Verdict"] {
            let file = format!("{}/../dbus/io.gasd1.{name}.xml", env!("CARGO_MANIFEST_DIR"));
            promised.extend(members(&std::fs::read_to_string(file).unwrap()));
        }
        assert_eq!(live, promised);
        assert_eq!(promised["io.gasd1.Valve.Close"], "method  reason:sin options:a{sv}in");
    });
}

#[test]
fn the_tree_holds_the_snapshot() {
    let bus = PrivateBus::start();
    let service = Service::start(&bus);
    run(async {
        let client = Client::connect(Some(&bus.address())).await.unwrap();
        let state = client.state().await.unwrap();
        assert_eq!(state.service.version, env!("CARGO_PKG_VERSION"));
        assert_eq!(state.service.mode, "kernel");
        assert_eq!(
            (state.service.store.as_str(), state.service.configuration.as_str()),
            ("good", "in-force")
        );
        let kitchen = &state.meters["kitchen"];
        assert_eq!((kitchen.volume_ul, kitchen.pulses), (1_234_567_890, 123_456));
        assert_eq!(kitchen.flow_m3_per_h, Some(1.25));
        assert_eq!(kitchen.slopes_m3_per_h, [1.3, 1.2, 1.1]);
        assert_eq!((kitchen.last_pulse_ns, kitchen.last_interval_ns), (5_000_000_000, 28_800_000));
        assert_eq!(kitchen.rejected["release"], 123_456);
        assert_eq!(kitchen.rejected.len(), gasd_abi::Reason::ALL.len());
        assert_eq!(kitchen.valve.as_deref(), Some("main"));
        let boiler = &state.meters["boiler-1"];
        assert_eq!((boiler.flow_m3_per_h, &boiler.valve), (None, &None));
        assert_eq!(state.valves["out_side"].position, "open");

        // The single proxies see the same.
        let meter = client.meter("boiler-1").await.unwrap();
        assert_eq!(meter.health().await.unwrap(), "no pulse for 3 days");
        assert!(!meter.flow_known().await.unwrap());
        assert!(client.valve("main").await.unwrap().holds().await.unwrap().is_empty());
        assert_eq!(client.manager().await.unwrap().problems().await.unwrap(), Vec::<String>::new());
        assert_eq!(meter_path("boiler-1"), "/io/gasd1/meters/boiler_2d1");
        assert_eq!(valve_path("out_side"), "/io/gasd1/valves/out_5fside");
    });
    drop(service);
}

#[test]
fn numbers_that_are_none_become_unknown() {
    let bus = PrivateBus::start();
    let service = Service::start(&bus);
    service.shared.write().unwrap().meters[0].flow_m3_per_h = Some(f64::NAN);
    service.shared.write().unwrap().meters[0].slopes_m3_per_h = [f64::INFINITY, 1.0, f64::NAN];
    run(async {
        let client = Client::connect(Some(&bus.address())).await.unwrap();
        let kitchen = &client.state().await.unwrap().meters["kitchen"];
        assert_eq!(kitchen.flow_m3_per_h, None);
        assert_eq!(kitchen.slopes_m3_per_h, [0.0, 1.0, 0.0]);
    });
}

#[test]
fn a_late_client_sees_an_older_verdict() {
    let bus = PrivateBus::start();
    let mut snapshot = support::snapshot();
    snapshot.verdicts.push(verdict(41, "critical"));
    let service = Service::launch(gasd::bus::BusAddress::Address(bus.address()), snapshot);
    service.wait_for(|status| matches!(status, gasd::bus::BusStatus::Serving { .. }));
    run(async {
        let client = Client::connect(Some(&bus.address())).await.unwrap();
        let state = client.state().await.unwrap();
        let old = &state.verdicts[&41];
        assert_eq!(
            (old.meter.as_str(), old.kind.as_str(), old.severity.as_str()),
            ("kitchen", "surge", "critical")
        );
        assert_eq!(
            (old.t_ns, old.decided_ns, old.unix_us),
            (4_000_000_000, 9_000_000_000, 1_700_000_000_000_000)
        );
        assert_eq!(old.evidence["rule"], "suspected-1s-confirmed-5s");
        assert_eq!(old.text, "flow of 6.1 m³/h confirmed over 5 s");
        assert_eq!(verdict_path(41), "/io/gasd1/verdicts/41");
    });
}

#[test]
fn verdicts_come_and_go_with_signals() {
    let bus = PrivateBus::start();
    let service = Service::start(&bus);
    run(async {
        let client = Client::connect(Some(&bus.address())).await.unwrap();
        let manager = client.manager().await.unwrap();
        let mut added = manager.receive_verdict_added().await.unwrap();
        let mut removed = manager.receive_verdict_removed().await.unwrap();
        let mut watch = client.watch().await.unwrap();
        service.add_verdict(verdict(5, "notice"));
        assert_eq!(watch.next().await.unwrap(), Event::VerdictAdded(5));
        assert_eq!(watch.state().verdicts[&5].severity, "notice");
        use futures_util::StreamExt;
        let signal = added.next().await.unwrap();
        let args = signal.args().unwrap();
        assert_eq!(args.verdict().as_str(), "/io/gasd1/verdicts/5");
        assert_eq!(args.properties().len(), 10, "all properties of io.gasd1.Verdict");
        client.verdict(5).await.unwrap().acknowledge(Default::default()).await.unwrap();
        assert_eq!(watch.next().await.unwrap(), Event::VerdictRemoved(5));
        assert!(watch.state().verdicts.is_empty());
        let signal = removed.next().await.unwrap();
        assert_eq!(signal.args().unwrap().verdict().as_str(), "/io/gasd1/verdicts/5");
        assert!(client.state().await.unwrap().verdicts.is_empty());
    });
}

#[test]
fn a_lost_hint_is_found_by_looking() {
    let bus = PrivateBus::start();
    let service = Service::start(&bus);
    run(async {
        let client = Client::connect(Some(&bus.address())).await.unwrap();
        let mut watch = client.watch().await.unwrap();
        service.shared.write().unwrap().verdicts.push(verdict(9, "info"));
        service.shared.write().unwrap().valves[1].health = "stuck".into();
        let mut seen = [watch.next().await.unwrap(), watch.next().await.unwrap()];
        seen.sort_by_key(|event| matches!(event, Event::VerdictAdded(_)));
        assert_eq!(seen[0], Event::Valve("out_side".into(), vec!["Health".into()]));
        assert_eq!(seen[1], Event::VerdictAdded(9));
    });
}

#[test]
fn every_property_tells_its_changes_unless_it_is_said_to_be_constant() {
    use futures_util::StreamExt;
    use zbus::fdo::PropertiesChanged;
    let bus = PrivateBus::start();
    let service = Service::start(&bus);
    let mut promised = BTreeMap::new();
    for name in ["Manager", "Meter", "Port", "Valve"] {
        let file = format!("{}/../dbus/io.gasd1.{name}.xml", env!("CARGO_MANIFEST_DIR"));
        promised.extend(members(&std::fs::read_to_string(file).unwrap()));
    }
    promised.retain(|_, what| what.starts_with("property") && !what.ends_with("EmitsChangedSignal=const"));
    let found = run(async {
        let client = bus.client().await;
        let rule = zbus::MatchRule::builder()
            .msg_type(zbus::message::Type::Signal)
            .interface("org.freedesktop.DBus.Properties")
            .build()
            .unwrap();
        let mut changes =
            zbus::MessageStream::for_match_rule(rule, &client, std::num::NonZero::new(256)).await.unwrap();
        let slow = service.stream.subscribe(0, &gasd::stream::Wish::default()).unwrap();
        for n in 0..500 {
            service.stream.tell(gasd_abi::stream::Record { kind: 3, t_ns: n, ..Default::default() });
        }
        service.change(gasd::state::Change::Service, |all| {
            let s = &mut all.service;
            (s.mode, s.mode_reason) = (gasd::state::Mode::Userspace, "no BTF".into());
            (s.ring_overrun, s.fall_through, s.queue_full, s.events_missed) = (1, 2, 3, 4);
            s.problems = vec!["the disk is full".into()];
            (s.store, s.store_reason) = (gasd::state::StoreState::Failing, "the disk is full".into());
            s.configuration = gasd::state::ConfigurationState::Refused;
            (s.configuration_reasons, s.configuration_warnings) = (vec!["a".into()], vec!["b".into()]);
            s.configuration_read_unix_us = 5;
            let meter = &mut all.meters[1];
            (meter.volume_ul, meter.pulses, meter.flow_m3_per_h) = (1, 2, Some(3.0));
            (meter.slopes_m3_per_h, meter.last_pulse_ns, meter.last_interval_ns) = ([4.0; 3], 5, 6);
            (meter.total_known, meter.thresholds_m3_per_h) = (!meter.total_known, [13.0; 3]);
            let totals = &mut meter.totals;
            (totals.edges, totals.accepted, totals.recovered, totals.rejected) = (7, 8, 9, [10; 8]);
            (totals.storms, totals.resyncs) = (11, 12);
            (meter.health, meter.valve) = ("ok".into(), "out_side".into());
            (meter.phase, meter.days_learned, meter.envelope_m3_per_h) = ("away".into(), 14.0, 15.0);
            (meter.read_every_ns, meter.sight) = (60_000_000_000, "far".into());
            meter.readings = Some(gasd_detect::Counts { readings: 7, ..gasd_detect::Counts::default() });
            meter.heard = vec![gasd_detect::Heard {
                topic: gasd_detect::Topic::BaseFlow,
                false_alarms: 2,
                real_leaks: 0,
                times: 4.0,
            }];
            let on = gasd::state::OnPortState {
                port: "other".into(),
                protocol: "mbus".into(),
                breaker: "half-open",
                failures: 9,
                last_error: "no".into(),
                last_error_kind: "checksum",
                next_probe_ns: 99,
                fields: vec![("flow".into(), "1 m³/h".into())],
                answers: 99,
                ..Default::default()
            };
            all.on_ports.insert(meter.id.clone(), on);
            let port = &mut all.ports[0];
            (port.kind, port.place, port.health) = ("tcp".into(), "there".into(), "gone".into());
            (port.meters, port.echo, port.supply) = (Vec::new(), "yes", "low");
            (port.counts, port.strangers) = ([("requests", 1)].into(), Vec::new());
            let valve = &mut all.valves[1];
            (valve.position, valve.actuator) = (gasd::state::Position::Unknown, "gpio".into());
            valve.health = "stuck".into();
            valve.holds = vec![gasd::state::Hold {
                cookie: 1,
                owner: "vendor".into(),
                reason: "test".into(),
                verdict: None,
                uid: Some(33),
                since_unix_us: 2,
            }];
        });
        let mut found = std::collections::BTreeSet::new();
        // A look at everything every 5 s finds what nobody hinted at.
        let end = tokio::time::Instant::now() + std::time::Duration::from_secs(12);
        while found.len() < promised.len()
            && let Ok(Some(message)) = tokio::time::timeout_at(end, changes.next()).await
        {
            let signal = PropertiesChanged::from_message(message.unwrap()).unwrap();
            let args = signal.args().unwrap();
            assert!(args.invalidated_properties().is_empty(), "values are sent, not taken back");
            let interface = args.interface_name().to_string();
            found.extend(args.changed_properties().keys().map(|name| format!("{interface}.{name}")));
        }
        drop(slow);
        found
    });
    assert_eq!(found, promised.into_keys().collect());
}
