// SPDX-License-Identifier: MIT OR Apache-2.0
//! The real gasctl against the real bus service with a pretended pipeline behind it.
#![allow(clippy::unwrap_used, reason = "test code")]

#[path = "../../gasd/tests/bus_support.rs"]
mod support;

use std::process::{Command as Process, Output};

use gasd::state::{Command, Position, Report};
use support::{PrivateBus, Service, verdict};

fn gasctl(bus: &PrivateBus, args: &[&str]) -> Output {
    Process::new(env!("CARGO_BIN_EXE_gasctl"))
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
        out[5..].join("\n"),
        "  boiler-1: cjt188 on rs485, left alone after 3 failures (breaker open); last error: nothing came in time
  boiler-1: said last: volume 12.34 m³

Ports
  rs485  serial  /dev/ttyUSB0, 2400 baud 8E1  ok  9 answers
  rs485: a meter was heard that is not configured; `gasctl scan rs485` says more

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
    for (reason, says) in [
        ("jam", "feedback still reads open"),
        ("full", "no space left"),
        (
            "late",
            "\"main\" is not closed: this order was overtaken by one of uid 1000 (:1.9), which orders it open",
        ),
    ] {
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
    let mut status = Process::new(env!("CARGO_BIN_EXE_gasctl"));
    let output = status.arg("status").env("GASD_BUS_ADDRESS", bus.address()).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
}

#[test]
fn scripts_and_the_manual_need_no_bus() {
    for shell in ["bash", "zsh", "fish"] {
        let mut command = Process::new(env!("CARGO_BIN_EXE_gasctl"));
        let output = command.args(["completions", shell]).output().unwrap();
        assert!(text(&output.stdout).contains("valve"), "{shell}");
    }
    let output = Process::new(env!("CARGO_BIN_EXE_gasctl")).arg("man").output().unwrap();
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

#[test]
fn what_sensors_measure_is_reported_in_one_call_or_not_at_all() {
    let bus = PrivateBus::start();
    let service = Service::start(&bus);
    let args = ["report", "kitchen", "--pressure-kpa", "2.1", "--gas-alarm", "off"];
    assert_eq!(told(&gasctl(&bus, &args)), (0, "meter kitchen: reported\n".into(), String::new()));
    let (code, out, _) = told(&gasctl(&bus, &["--json", "report", "kitchen", "--seismic-gal", "0"]));
    let out: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &out["ok"], &out["meter"]), (0, &true.into(), &"kitchen".into()));
    let taken = service.commands.lock().unwrap().clone();
    let reports: Vec<&Report> = taken
        .iter()
        .map(|command| match command {
            Command::Report { report, .. } => report,
            other => panic!("{other:?}"),
        })
        .collect();
    let kitchen = || Report { meter: "kitchen".into(), ..Report::default() };
    let first = Report { pressure_kpa: Some(2.1), gas_alarm: Some(false), ..kitchen() };
    assert_eq!(reports, [&first, &Report { seismic_gal: Some(0.0), ..kitchen() }]);

    let (code, _, err) = told(&gasctl(&bus, &["report", "kitchen", "--pressure-kpa", "-11"]));
    assert!(code == 1 && err.contains("pressure_kpa") && err.contains("-10 to 1000"), "{err}");
    let (code, _, err) = told(&gasctl(&bus, &["report", "attic", "--gas-alarm", "on"]));
    assert!(code == 1 && err.contains("no meter is called \"attic\"; there is: "), "{err}");
    assert_eq!(told(&gasctl(&bus, &["report", "kitchen"])).0, 2, "nothing is reported");
    assert_eq!(service.commands.lock().unwrap().len(), 2);
}

#[test]
fn a_command_line_that_is_none_is_json_where_json_is_wanted() {
    let run = |args: &[&str]| told(&Process::new(env!("CARGO_BIN_EXE_gasctl")).args(args).output().unwrap());
    for args in
        [&["--json", "scan"][..], &["scan", "x", "--answer", "never", "--json"], &["--json", "nonsense"]]
    {
        let (code, out, err) = run(args);
        assert_eq!((code, out.as_str()), (2, ""), "{args:?}: {err}");
        let error: serde_json::Value = serde_json::from_str(&err).unwrap_or_else(|e| panic!("{e}: {err}"));
        assert_eq!((&error["error"], &error["exit"]), (&"Usage".into(), &2.into()), "{err}");
        let words = error["message"].as_str().unwrap();
        assert!(!words.starts_with("error") && !words.contains("Usage:"), "{words}");
    }
    let (code, _, err) = run(&["scan"]);
    assert!(code == 2 && err.starts_with("error: "), "{err}");
    assert!(run(&["--json", "--help"]).1.contains("Usage:"), "help stays help");
}
