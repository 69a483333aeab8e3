// SPDX-License-Identifier: MIT OR Apache-2.0
//! The daemon's own states on the bus: store, configuration, and a valve that is gone from the files.
#![allow(clippy::unwrap_used, reason = "test code")]

#[path = "bus_support.rs"]
mod support;

use std::collections::HashMap;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use gasd::config::parse;
use gasd::pipeline::{detector::Detector, learned};
use gasd::replay::judge::engine_config;
use gasd::response::clock::{self, Now};
use gasd::state::{Hold, VerdictRecord};
use gasd::store::{Change, Store, StoredHold};
use gasd_proxy::{Client, ClientError, State};
use support::{PrivateBus, SOON, run, verdict};

/// With a valve that no meter names, which is worth a warning.
const GOOD: &str = "[[meter]]\nid = \"kitchen\"\nline = 1\npulse_volume = \"10 L\"\n\
    [[valve]]\nid = \"spare\"\nactuator = \"simulated\"\n";

struct Daemon(Child);

impl Daemon {
    fn start(bus: &PrivateBus, dir: &Path) -> Daemon {
        let child = Command::new(env!("CARGO_BIN_EXE_gasd"))
            .args(["run", "--userspace", "--simulated", "--bus", &bus.address()])
            .arg("--config")
            .arg(dir.join("gasd.toml"))
            .arg("--store")
            .arg(dir.join("gasd.redb"))
            .env_remove("NOTIFY_SOCKET")
            .env_remove("JOURNAL_STREAM")
            .stderr(File::create(dir.join("stderr")).unwrap())
            .spawn();
        Daemon(child.unwrap())
    }

    fn signal(&self, signal: i32) {
        // SAFETY: our own child, not waited for yet.
        assert_eq!(unsafe { libc::kill(self.0.id() as i32, signal) }, 0);
    }

    fn stop(mut self) {
        self.signal(libc::SIGTERM);
        assert!(self.0.wait().unwrap().success());
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Asks until it is so.
async fn wait(bus: &PrivateBus, what: &str, so: impl Fn(&State) -> bool) -> State {
    let start = Instant::now();
    loop {
        let client = Client::connect(Some(&bus.address())).await.unwrap();
        let state = client.state().await;
        if let Ok(state) = &state
            && so(state)
        {
            return state.clone();
        }
        assert!(start.elapsed() < SOON, "{what}: {state:#?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[test]
fn a_refused_configuration_is_a_state_until_a_good_one_comes() {
    let bus = PrivateBus::start();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("gasd.toml");
    fs::write(&file, GOOD).unwrap();
    let daemon = Daemon::start(&bus, dir.path());
    run(async {
        let first = wait(&bus, "the start", |s| s.service.store == "good").await.service;
        assert_eq!((first.configuration.as_str(), first.store_reason.as_str()), ("in-force", ""));
        assert!(first.configuration_reasons.is_empty() && first.configuration_read_unix_us > 0);
        assert!(first.configuration_warnings.iter().any(|text| text.contains("spare")), "{first:?}");
        assert_eq!(first.problems, first.configuration_warnings, "nothing else is to be said");

        fs::write(&file, "nonsense = 1\n").unwrap();
        daemon.signal(libc::SIGHUP);
        let bad = wait(&bus, "the refusal", |s| s.service.configuration == "refused").await.service;
        assert!(bad.configuration_reasons[0].contains("nonsense"), "{bad:?}");
        assert!(bad.configuration_reasons.iter().all(|why| bad.problems.contains(why)), "{bad:?}");
        assert_eq!(bad.configuration_read_unix_us, first.configuration_read_unix_us, "the one before runs");
        assert_eq!(bad.configuration_warnings, first.configuration_warnings);

        fs::write(&file, GOOD.replace("10 L", "100 L")).unwrap();
        daemon.signal(libc::SIGHUP);
        let good = wait(&bus, "the good one", |s| s.service.configuration == "in-force").await.service;
        assert!(good.configuration_reasons.is_empty(), "{good:?}");
        assert!(good.configuration_read_unix_us > first.configuration_read_unix_us);
    });
    daemon.stop();
}

#[test]
fn a_damaged_store_was_replaced_until_the_next_start() {
    let bus = PrivateBus::start();
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("gasd.toml"), GOOD).unwrap();
    fs::write(dir.path().join("gasd.redb"), vec![7; 4096]).unwrap();
    let daemon = Daemon::start(&bus, dir.path());
    run(async {
        let state = wait(&bus, "the start", |s| s.service.store == "replaced").await;
        assert!(state.service.problems.contains(&state.service.store_reason), "{state:#?}");
        assert!(state.service.store_reason.contains("set aside"), "{}", state.service.store_reason);
    });
    daemon.stop();
    let daemon = Daemon::start(&bus, dir.path());
    run(async {
        let state = wait(&bus, "the next start", |s| s.service.store == "good").await;
        assert_eq!(state.service.store_reason, "");
        assert_eq!(state.valves["spare"].holds.len(), 1, "what was held then still is");
    });
    daemon.stop();
}

#[test]
fn a_hold_of_a_valve_that_is_gone_is_a_problem_until_it_is_released() {
    let bus = PrivateBus::start();
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("gasd.toml"), GOOD).unwrap();
    let hold = Hold {
        cookie: 4,
        owner: "operator".into(),
        reason: "smell of gas".into(),
        verdict: None,
        since_unix_us: 7,
        uid: None,
    };
    let store = Store::open(&dir.path().join("gasd.redb")).unwrap();
    store.commit(&[Change::PlaceHold(StoredHold { valve: "old".into(), hold, marks: Vec::new() })]).unwrap();
    drop(store);
    let daemon = Daemon::start(&bus, dir.path());
    run(async {
        let mentioned =
            |state: &State| state.service.problems.iter().any(|p| p.starts_with("valve \"old\" "));
        let state = wait(&bus, "the start", |s| mentioned(s) && s.valves.len() == 2).await;
        assert_eq!(state.valves["old"].actuator, "none");
        assert_eq!(state.valves["spare"].actuator, "simulated");
        let client = Client::connect(Some(&bus.address())).await.unwrap();
        client.valve("old").await.unwrap().release(4, HashMap::new()).await.unwrap();
        let state = wait(&bus, "the release", |s| !mentioned(s)).await;
        assert!(state.valves["old"].health.contains("nothing is held"), "{:?}", state.valves["old"]);
    });
    let said = fs::read_to_string(dir.path().join("stderr")).unwrap();
    assert_eq!(said.matches("valve \"old\" is not configured any more").count(), 1, "{said}");
    daemon.stop();
}

/// An engine for meter "kitchen" that lived in its home for some days until a minute ago, on the clock of a boot that is
/// over, as it is stored.
fn lived(days: u64) -> Vec<u8> {
    let config = parse("t.toml", GOOD).unwrap();
    let mut engine = gasd_detect::Engine::new(engine_config(&config.meters[0]));
    let saved = Now {
        unix_us: clock::now().unix_us - 60_000_000,
        boottime_ns: days * 86_400 * 1_000_000_000,
        boot: 1,
    };
    engine.set_civil_offset((saved.unix_us * 1_000 - saved.boottime_ns).cast_signed());
    for hour in 1..days * 24 {
        let t_ns = hour * 3_600_000_000_000;
        engine.pulse(t_ns, t_ns);
    }
    assert!(engine.days_learned() > 0.0);
    learned::save(&Detector::Pulses(Box::new(engine)), config.meters[0].pulse_volume_ul, saved)
}

#[test]
fn what_was_learned_outlives_the_daemon_and_a_change_of_the_rules() {
    let bus = PrivateBus::start();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("gasd.toml");
    fs::write(&file, GOOD).unwrap();
    let store = dir.path().join("gasd.redb");
    let bytes = lived(6);
    Store::open(&store).unwrap().commit(&[Change::Learned { key: "kitchen".into(), bytes }]).unwrap();
    for _ in 0..2 {
        let daemon = Daemon::start(&bus, dir.path());
        run(async {
            let known = |state: &State| state.meters["kitchen"].days_learned > 3.0;
            let state = wait(&bus, "what was learned before", known).await;
            assert_eq!(state.meters["kitchen"].phase, "learning");
        });
        daemon.stop();
        let learned = Store::open(&store).unwrap().load().unwrap().learned;
        assert_eq!(learned.len(), 1, "it was saved at the stop");
    }
    // Other rules and another largest flow are the same home; another volume of a pulse is not.
    let daemon = Daemon::start(&bus, dir.path());
    run(async {
        wait(&bus, "there again", |state| state.meters["kitchen"].days_learned > 3.0).await;
        let client = Client::connect(Some(&bus.address())).await.unwrap();
        for more in ["profile = \"jp-micom\"", "profile = \"jp-micom\"\nmax_flow = \"4 m3/h\""] {
            fs::write(&file, GOOD.replace("line = 1", &format!("line = 1\n{more}"))).unwrap();
            client.manager().await.unwrap().reload(HashMap::new()).await.unwrap();
            let top = if more.contains("max_flow") { 7.2 } else { 10.8 };
            let changed = |state: &State| (state.meters["kitchen"].envelope_m3_per_h - top).abs() < 0.01;
            let state = wait(&bus, more, changed).await;
            assert!(state.meters["kitchen"].days_learned > 3.0, "{more}");
        }
        fs::write(&file, GOOD.replace("10 L", "1 L")).unwrap();
        client.manager().await.unwrap().reload(HashMap::new()).await.unwrap();
        wait(&bus, "begun anew", |state| state.meters["kitchen"].days_learned == 0.0).await;
    });
    daemon.stop();
    let said = fs::read_to_string(dir.path().join("stderr")).unwrap();
    assert!(said.contains("pulses of 10 L") && said.contains("kept aside"), "{said}");
}

#[test]
fn what_people_say_of_an_alarm_raises_its_threshold_and_outlives_the_daemon() {
    let bus = PrivateBus::start();
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("gasd.toml"), GOOD).unwrap();
    let path = dir.path().join("gasd.redb");
    let store = Store::open(&path).unwrap();
    store.commit(&[Change::Learned { key: "kitchen".into(), bytes: lived(6) }]).unwrap();
    for id in 1..=3 {
        let evidence_json = "{\"rule\":\"longest-gap\"}".into();
        let verdict = VerdictRecord { kind: "base-flow".into(), evidence_json, ..verdict(id, "warning") };
        store.add_verdict(verdict).unwrap();
    }
    drop(store);
    let said = |state: &State| {
        let all = &state.meters["kitchen"].sensitivity;
        all.first().map(|said| (said.topic.clone(), said.false_alarms, said.real_leaks, said.times.round()))
    };
    let is = |n, m, times| Some(("base-flow".to_owned(), n, m, times));
    let acknowledge = async |id, feedback| {
        let client = Client::connect(Some(&bus.address())).await.unwrap();
        client.acknowledge(id, Some(feedback)).await.unwrap();
    };
    let daemon = Daemon::start(&bus, dir.path());
    run(async {
        wait(&bus, "the start", |s| s.verdicts.len() == 3 && said(s).is_none()).await;
        acknowledge(1, "false-alarm").await;
        wait(&bus, "one false alarm", |s| said(s) == is(1, 0, 2.0)).await;
        acknowledge(2, "false-alarm").await;
        wait(&bus, "two", |s| said(s) == is(2, 0, 4.0)).await;
    });
    daemon.stop();
    let daemon = Daemon::start(&bus, dir.path());
    run(async {
        let state = wait(&bus, "after a restart", |s| said(s) == is(2, 0, 4.0)).await;
        assert!(state.meters["kitchen"].days_learned > 3.0, "only the base flow is learned anew");
        acknowledge(3, "real-leak").await;
        wait(&bus, "a real leak", |s| said(s) == is(2, 1, 1.0)).await;
        let client = Client::connect(Some(&bus.address())).await.unwrap();
        let old = client.recorded(1).await.unwrap();
        assert_eq!((old.id, old.kind.as_str()), (1, "base-flow"));
        assert!(old.acknowledged_by.is_some_and(|by| by.ends_with(" as false-alarm")));
        assert!(
            matches!(client.recorded(9).await, Err(ClientError::Refused { name, .. }) if name == "NotFound")
        );
    });
    daemon.stop();
}

#[test]
fn a_memory_that_is_damaged_is_kept_aside_loudly_and_stops_nothing() {
    let bus = PrivateBus::start();
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("gasd.toml"), GOOD).unwrap();
    let mut bytes = lived(6);
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let store = dir.path().join("gasd.redb");
    Store::open(&store).unwrap().commit(&[Change::Learned { key: "kitchen".into(), bytes }]).unwrap();
    let daemon = Daemon::start(&bus, dir.path());
    run(async {
        let state = wait(&bus, "learning", |state| state.meters["kitchen"].phase == "learning").await;
        assert_eq!(state.meters["kitchen"].days_learned.to_bits(), 0.0_f64.to_bits());
    });
    daemon.stop();
    let said = fs::read_to_string(dir.path().join("stderr")).unwrap();
    assert!(said.contains("meter \"kitchen\": what was learned of its home is not used"), "{said}");
}
