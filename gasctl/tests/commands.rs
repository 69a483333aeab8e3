// SPDX-License-Identifier: MIT OR Apache-2.0
//! The real gasctl against the real bus service with a pretended pipeline behind it.
#![allow(clippy::unwrap_used, reason = "test code")]

#[path = "../../gasd/tests/bus_support.rs"]
mod support;

use std::process::{Command, Output};

use gasd::state::Position;
use support::{PrivateBus, Service, verdict};

fn gasctl(bus: &PrivateBus, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gasctl"))
        .args(["--bus", &bus.address()])
        .args(args)
        .env("TZ", "UTC")
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Exit status, standard output, standard error.
fn told(output: &Output) -> (i32, String, String) {
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

/// Waits until gasctl shows the verdict.
fn shown(bus: &PrivateBus, id: u64) {
    for _ in 0..100 {
        let (_, status, _) = told(&gasctl(bus, &["--json", "status"]));
        let status: serde_json::Value = serde_json::from_str(&status).unwrap();
        if status["verdicts"].as_array().unwrap().iter().any(|v| v["id"] == id) {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    panic!("verdict {id} was never shown");
}

#[test]
fn status_is_tidy() {
    let bus = PrivateBus::start();
    let service = Service::start(&bus);
    service.add_verdict(verdict(8, "critical"));
    shown(&bus, 8);
    assert_eq!(told(&gasctl(&bus, &["valve", "close", "main", "--reason", "smell of gas"])).0, 0);
    let (code, out, err) = told(&gasctl(&bus, &["status"]));
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(!out.contains('\x1b'), "no colour into a pipe");
    // How long ago the last pulse was depends on this machine.
    let out = out.lines().map(|line| match line.split_once(" ago") {
        Some((before, after)) => {
            let cut = before.rfind("m³/h").unwrap() + "m³/h".len();
            format!("{} AGO{after}", &before[..cut])
        }
        None => line.to_owned(),
    });
    let out: Vec<String> = out.collect();
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(out[0], format!("gasd {version}, counting in the kernel"));
    assert_eq!(out[2], "Meters");
    assert!(out[3].starts_with("  boiler-1  10.000 L   flow unknown  "), "{}", out[3]);
    assert!(out[3].ends_with("no pulse yet  no valve    no pulse for 3 days"), "{}", out[3]);
    assert_eq!(out[4], "  kitchen    1.234 m³    1.250 m³/h AGO  valve main  ok");
    assert_eq!(
        out[6..].join("\n"),
        "\
Valves
  main      closed  simulated  ok
  out_side  open    simulated  ok
  main: held by operator since 2023-11-14 22:13:20: smell of gas

Verdicts that wait for `gasctl ack N`
  8  critical  surge  kitchen  2023-11-14 22:13:20  flow of 6.1 m³/h confirmed over 5 s"
    );
}

#[test]
fn status_as_json_is_exact() {
    let bus = PrivateBus::start();
    let service = Service::start(&bus);
    service.add_verdict(verdict(8, "critical"));
    shown(&bus, 8);
    let (code, out, _) = told(&gasctl(&bus, &["status", "--json"]));
    assert_eq!((code, out.lines().count()), (0, 1));
    let status: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(status["service"]["mode"], "kernel");
    let kitchen = &status["meters"][1];
    assert_eq!(kitchen["volume_ul"], 1_234_567_890_u64);
    assert_eq!(kitchen["flow_m3_per_h"], 1.25);
    assert_eq!(kitchen["rejected"]["release"], 123_456);
    assert_eq!(status["meters"][0]["flow_m3_per_h"], serde_json::Value::Null);
    assert_eq!(status["valves"][0]["position"], "open");
    assert_eq!(status["verdicts"][0]["evidence"]["rule"], "suspected-1s-confirmed-5s");
}

#[test]
fn an_applications_hold_has_a_cookie_and_goes_with_it() {
    let bus = PrivateBus::start();
    let _service = Service::start(&bus);
    let hold = ["valve", "hold", "main", "--app", "leak-test", "--reason", "pressure test"];
    let held = "valve main: closed, hold 100\n";
    assert_eq!(told(&gasctl(&bus, &hold)), (0, held.into(), String::new()));
    let (_, status, _) = told(&gasctl(&bus, &["status"]));
    let line = status.lines().find(|line| line.contains("held by leak-test")).unwrap();
    assert!(line.contains("hold 100)") && line.ends_with(": pressure test"), "{line}");
    let (code, _, err) = told(&gasctl(&bus, &["valve", "open", "main"]));
    assert!(code == 1 && err.contains("gasctl valve release main 100"), "{err}");
    let (code, _, err) = told(&gasctl(&bus, &["valve", "release", "main", "101"]));
    assert!(code == 1 && err.contains("no hold 101"), "{err}");
    let (code, out, _) = told(&gasctl(&bus, &["--json", "valve", "release", "main", "100"]));
    let out: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &out["command"], &out["position"]), (0, &"release".into(), &"closed".into()));
    assert_eq!(out["cookie"], 100);
    assert_eq!(told(&gasctl(&bus, &["valve", "open", "main"])).0, 0);
}

#[test]
fn what_is_held_for_a_valve_that_is_not_configured_any_more_can_be_released() {
    let bus = PrivateBus::start();
    let mut start = support::snapshot();
    let hold = |cookie, owner: &str, uid| gasd::state::Hold {
        cookie,
        owner: owner.into(),
        reason: "inspection".into(),
        verdict: None,
        uid,
        since_unix_us: 1_700_000_000_000_000,
    };
    start.valves.push(gasd::state::ValveState {
        id: "old".into(),
        actuator: gasd::state::NO_ACTUATOR.into(),
        holds: vec![hold(7, "operator", None), hold(8, "vendor", Some(33))],
        health: "is not configured any more".into(),
        ..Default::default()
    });
    let service = Service::launch(gasd::bus::BusAddress::Address(bus.address()), start);
    service.wait_for(|status| matches!(status, gasd::bus::BusStatus::Serving { .. }));
    let (_, out, _) = told(&gasctl(&bus, &["status"]));
    for line in [
        "  old       unknown  none       is not configured any more",
        "  old: held by operator since 2023-11-14 22:13:20 (hold 7): inspection",
        "  old: held by vendor since 2023-11-14 22:13:20 (uid 33, hold 8): inspection",
    ] {
        assert!(out.lines().any(|shown| shown == line), "{line}\n{out}");
    }
    for verb in [&["close", "old"][..], &["open", "old"], &["hold", "old", "--app", "x"]] {
        let (code, out, err) = told(&gasctl(&bus, &[&["--json", "valve"], verb].concat()));
        assert_eq!((code, out.as_str()), (1, ""), "{verb:?}");
        assert!(err.contains("\"error\":\"NotConfigured\"") && err.contains("valve release old"), "{err}");
    }
    let released = "valve old: unknown, hold 7 released\n".to_owned();
    assert_eq!(told(&gasctl(&bus, &["valve", "release", "old", "7"])), (0, released, String::new()));
    assert_eq!(service.shared.read().unwrap().valves[2].holds.len(), 1);
}

#[test]
fn the_way_from_a_verdict_to_an_open_valve() {
    let bus = PrivateBus::start();
    let service = Service::start(&bus);
    service.add_verdict(verdict(8, "critical"));
    shown(&bus, 8);
    let close = gasctl(&bus, &["valve", "close", "main"]);
    assert_eq!(told(&close), (0, "valve main: closed\n".into(), String::new()));
    assert_eq!(service.shared.read().unwrap().valves[0].holds[0].reason, "closed with gasctl");

    let (code, out, err) = told(&gasctl(&bus, &["valve", "open", "main"]));
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(err.starts_with("gasctl: ") && err.contains("`gasctl ack 8`"), "{err}");

    let ack = gasctl(&bus, &["ack", "8"]);
    assert_eq!(told(&ack), (0, "verdict 8: acknowledged\n".into(), String::new()));
    let open = gasctl(&bus, &["--json", "valve", "open", "main"]);
    let (code, out, _) = told(&open);
    assert_eq!(code, 0);
    let done: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(done, serde_json::json!({"ok": true, "command": "open", "valve": "main", "position": "open"}));
    assert_eq!(service.shared.read().unwrap().valves[0].position, Position::Open);
}

#[test]
fn a_refusal_is_one_and_says_what_to_do() {
    let bus = PrivateBus::start();
    let service = Service::start(&bus);
    for (reason, says) in [("jam", "feedback still reads open"), ("full", "no space left")] {
        let (code, out, err) = told(&gasctl(&bus, &["valve", "close", "main", "--reason", reason]));
        assert_eq!((code, out.as_str()), (1, ""));
        assert!(err.contains(says), "{err}");
    }
    let (code, _, err) = told(&gasctl(&bus, &["valve", "open", "cellar"]));
    assert_eq!(code, 1);
    assert_eq!(err, "gasctl: no valve is called \"cellar\"; there is: main, out_side\n");
    let (code, _, err) = told(&gasctl(&bus, &["ack", "99"]));
    assert_eq!(code, 1);
    assert!(err.contains("no unacknowledged verdict has the number 99"), "{err}");
    let (code, out, err) = told(&gasctl(&bus, &["--json", "valve", "close", "main", "--reason", "jam"]));
    assert_eq!((code, out.as_str()), (1, ""));
    let error: serde_json::Value = serde_json::from_str(&err).unwrap();
    assert_eq!(
        (&error["ok"], &error["error"], &error["exit"]),
        (&false.into(), &"Actuator".into(), &1.into())
    );
    drop(service);
}

#[test]
fn one_refused_acknowledgement_does_not_stop_the_others() {
    let bus = PrivateBus::start();
    let service = Service::start(&bus);
    service.add_verdict(verdict(1, "notice"));
    service.add_verdict(verdict(3, "notice"));
    shown(&bus, 3);
    let (code, out, err) = told(&gasctl(&bus, &["ack", "1", "2", "3"]));
    assert_eq!((code, out.as_str()), (1, "verdict 1: acknowledged\nverdict 3: acknowledged\n"));
    assert!(err.contains("number 2;") && err.contains("1 of 3 verdicts were not acknowledged"), "{err}");
    assert!(service.shared.read().unwrap().verdicts.is_empty());
}

#[test]
fn wrong_usage_is_two() {
    let bus = PrivateBus::start();
    for args in [&["ack"][..], &["ack", "x"], &["ack", "--all"], &["valve", "shut", "main"], &[]] {
        assert_eq!(gasctl(&bus, args).status.code(), Some(2), "{args:?}");
    }
}

#[test]
fn nobody_there_is_three_and_says_how_to_start() {
    let mut bus = PrivateBus::start();
    for args in [&["status"][..], &["watch"], &["valve", "close", "main"], &["ack", "1"]] {
        let (code, _, err) = told(&gasctl(&bus, args));
        assert_eq!(code, 3, "{args:?}");
        assert!(err.contains("systemctl start gasd"), "{err}");
    }
    bus.kill();
    let (code, _, err) = told(&gasctl(&bus, &["status"]));
    assert_eq!(code, 3);
    assert!(err.contains(&format!("cannot reach the bus at {}", bus.address())), "{err}");
}

#[test]
fn the_environment_names_the_bus() {
    let bus = PrivateBus::start();
    let _service = Service::start(&bus);
    let mut status = Command::new(env!("CARGO_BIN_EXE_gasctl"));
    let output = status.arg("status").env("GASD_BUS_ADDRESS", bus.address()).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
}

#[test]
fn scripts_and_the_manual_need_no_bus() {
    for shell in ["bash", "zsh", "fish"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gasctl"));
        let output = command.args(["completions", shell]).output().unwrap();
        assert!(text(&output.stdout).contains("valve"), "{shell}");
    }
    let output = Command::new(env!("CARGO_BIN_EXE_gasctl")).arg("man").output().unwrap();
    let page = text(&output.stdout);
    assert!(page.contains(".TH gasctl") && page.contains("GASD_BUS_ADDRESS"), "{page}");
}

#[test]
fn the_record_is_read_in_pages_while_the_service_runs() {
    let bus = PrivateBus::start();
    let _service = Service::start(&bus);
    let numbers = |args: &[&str]| {
        let (code, out, err) = told(&gasctl(&bus, &[&["--json", "audit"], args].concat()));
        assert_eq!((code, err.as_str()), (0, ""));
        let entries = serde_json::from_str::<serde_json::Value>(&out).unwrap()["entries"].take();
        let entries = entries.as_array().unwrap().clone();
        assert!(entries.iter().all(|e| e["action"] == "close"), "{entries:?}");
        entries.iter().map(|e| e["number"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(numbers(&["-n", "3"]), [28, 29, 30]);
    assert_eq!(numbers(&["-n", "2", "--before", "28"]), [26, 27]);
    let (code, out, _) = told(&gasctl(&bus, &["audit", "-n", "1"]));
    assert_eq!(code, 0);
    assert!(out.contains("30  2023-11-14 22:13:20") && out.contains("close"), "{out}");
    assert_eq!(told(&gasctl(&bus, &["audit", "-n", "0"])).0, 2);
}

/// A verdict with a flow: two litres a minute, then a hose.
fn with_flow(id: u64) -> gasd::state::VerdictRecord {
    const S: u64 = 1_000_000_000;
    let mut flow: Vec<(u64, f64)> = (0..20).map(|i| (1_000 * S + i * 30 * S, 0.12)).collect();
    flow.extend((1..=20).map(|i| (1_570 * S + i * S, 3.6)));
    let evidence = serde_json::json!({
        "rule": "total-flow", "pulse_volume_ul": 1_000_000, "released_ul": 19_333_333, "flow": flow,
        "after_m3_per_h": { "low": 3.42, "mid": 3.6, "high": 3.78 },
        "process": { "value": 9.0e8, "threshold": 3.15576e8, "unit": "s" },
    });
    gasd::state::VerdictRecord {
        kind: "overload".into(),
        t_ns: 1_570 * S,
        decided_ns: 1_590 * S,
        evidence_json: evidence.to_string(),
        text: "Meter kitchen: too much; keep the valve closed.".into(),
        ..verdict(id, "critical")
    }
}

#[test]
fn a_verdict_is_explained_in_words_and_in_a_picture() {
    let bus = PrivateBus::start();
    let service = Service::start(&bus);
    service.add_verdict(with_flow(8));
    shown(&bus, 8);
    let (code, out, err) = told(&gasctl(&bus, &["explain", "8"]));
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(!out.contains('\x1b'), "no colour into a pipe");
    assert!(out.starts_with("Verdict 8 on meter kitchen: more gas than this home uses, critical\n"), "{out}");
    assert!(out.contains("  released    19.333 L beyond what flowed before\n"), "{out}");
    assert!(out.contains("2023-11-14 22:13:00, decided 20 s later at 22:13:20"), "{out}");
    assert!(out.contains('█') && out.contains("m³/h ┼") && out.contains("began 20 s before"), "{out}");
    assert!(out.contains("What to do: keep the valve closed."), "{out}");
    assert!(out.lines().all(|line| line.chars().count() <= 80), "{out}");

    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("8.svg");
    let (code, out, _) = told(&gasctl(&bus, &["--json", "explain", "8", "--svg", file.to_str().unwrap()]));
    let out: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &out["verdict"]["id"]), (0, &8.into()));
    assert_eq!(out["began_unix_us"], 1_699_999_980_000_000_u64);
    let svg = std::fs::read_to_string(&file).unwrap();
    assert!(svg.starts_with("<svg ") && svg.contains("class=\"hot\""), "{svg}");
    let (_, alone, _) = told(&gasctl(&bus, &["explain", "8", "--svg", "-"]));
    assert_eq!(alone, svg);

    let (code, _, err) = told(&gasctl(&bus, &["explain", "8", "--svg", "/nowhere/8.svg"]));
    assert!(code == 1 && err.contains("/nowhere/8.svg cannot be written"), "{err}");
    let (code, _, err) = told(&gasctl(&bus, &["explain", "9"]));
    assert!(code != 0 && err.contains("no unacknowledged verdict has the number 9"), "{err}");
}

#[test]
fn a_verdict_without_a_flow_is_told_without_a_picture() {
    let bus = PrivateBus::start();
    let service = Service::start(&bus);
    service.add_verdict(verdict(8, "critical"));
    shown(&bus, 8);
    let (code, out, _) = told(&gasctl(&bus, &["explain", "8"]));
    assert_eq!(code, 0);
    assert!(out.contains("suspected-1s-confirmed-5s, the flow over 1 s") && !out.contains('┼'), "{out}");
    let (code, _, err) = told(&gasctl(&bus, &["explain", "8", "--svg", "-"]));
    assert!(code != 0 && err.contains("without a flow"), "{err}");
}

#[test]
fn it_is_said_what_a_verdict_turned_out_to_be() {
    let bus = PrivateBus::start();
    let service = Service::start(&bus);
    for id in [8, 9] {
        service.add_verdict(verdict(id, "warning"));
        shown(&bus, id);
    }
    let ack = gasctl(&bus, &["ack", "8", "--false-alarm"]);
    assert_eq!(told(&ack), (0, "verdict 8: acknowledged as false alarm\n".into(), String::new()));
    let (_, out, _) = told(&gasctl(&bus, &["--json", "ack", "9", "--real-leak"]));
    let out: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(out["feedback"], "real-leak");
    assert_eq!(told(&gasctl(&bus, &["ack", "8", "--false-alarm", "--real-leak"])).0, 2);
}

#[test]
fn status_says_how_well_a_home_is_known() {
    let bus = PrivateBus::start();
    let service = Service::start(&bus);
    for (phase, words) in [
        ("learning", "ok, learning the home, 3 days seen"),
        ("watching", "ok, home known, up to 2.9 m³/h"),
        ("away", "ok, nobody at home"),
        ("asleep", "ok"),
    ] {
        let mut snapshot = service.shared.write().unwrap();
        let kitchen = &mut snapshot.meters[0];
        (kitchen.phase, kitchen.days_learned, kitchen.envelope_m3_per_h) = (phase.into(), 3.7, 2.94);
        drop(snapshot);
        let (_, out, _) = told(&gasctl(&bus, &["status"]));
        let line = out.lines().find(|line| line.contains("kitchen")).unwrap();
        assert!(line.ends_with(&format!("  {words}")), "{line}");
    }
}
