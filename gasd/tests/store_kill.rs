// SPDX-License-Identifier: MIT OR Apache-2.0
//! A process that writes is ended at any moment: what it was told is on the disk is there afterwards.
//! The writer itself is ended here by `kill -9`, the whole daemon by SIGTERM.
#![allow(clippy::unwrap_used, reason = "test code")]

mod kernel_house;

use std::{
    io::{BufRead, BufReader, Read, Write},
    path::Path,
    process::{Command, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use gasd::{
    kernel::Kernel,
    state::Hold,
    store::{AuditEntry, Change, Store, StoredHold, Writer},
};
use gasd_abi::records::{MAX_LINES, meter_key};
use kernel_house::{GASD, House, daemon::Daemon, die_with_parent, meter, random::Random, train};

/// Names the store that [`writes`] writes.
const CHILD: &str = "GASD_TEST_STORE_KILL";
const KILLS: usize = 25;
const SEED: u64 = 0x51_6b11;

fn hold(cookie: u64) -> Change {
    let hold = Hold {
        cookie,
        owner: "vendor".into(),
        reason: "r".into(),
        verdict: None,
        since_unix_us: 1,
        uid: None,
    };
    Change::PlaceHold(StoredHold { valve: "main".into(), hold, marks: Vec::new() })
}

/// The child: places a hold and an audit entry in each transaction, and says which are on the disk.
fn writes(path: &Path) {
    let store = Store::open(path).unwrap();
    let writer = Writer::start(store).unwrap();
    let handle = writer.handle();
    let mut out = std::io::stdout().lock();
    loop {
        let cookie = handle.next_cookie();
        let entry = AuditEntry { time_unix_us: cookie, ..AuditEntry::default() };
        handle.write_now(vec![hold(cookie), Change::Audit(entry)]).unwrap();
        writeln!(out, "ack {cookie}").unwrap();
        out.flush().unwrap();
    }
}

#[test]
fn what_was_acknowledged_survives_kill_9_at_any_moment() {
    if let Some(path) = std::env::var_os(CHILD) {
        return writes(Path::new(&path));
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("gasd.redb");
    let mut random = Random(SEED);
    let mut acknowledged: Vec<u64> = Vec::new();
    for round in 0..KILLS {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args([
                "--exact",
                "what_was_acknowledged_survives_kill_9_at_any_moment",
                "--nocapture",
                "--test-threads=1",
            ])
            .env(CHILD, &path)
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        die_with_parent(&mut command);
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        // The harness's own words come first; at least one transaction is done in each round.
        let mut line = String::new();
        while !line.contains("ack ") {
            line.clear();
            assert!(lines.read_line(&mut line).unwrap() > 0, "round {round}: the child wrote nothing");
        }
        std::thread::sleep(Duration::from_micros(random.below(30_000)));
        child.kill().unwrap();
        let mut rest = String::new();
        lines.read_to_string(&mut rest).unwrap();
        child.wait().unwrap();
        // A line that is cut off was not said.
        let whole = rest.rsplit_once('\n').map_or("", |(whole, _)| whole);
        let of = |text: &str| -> Vec<u64> {
            text.lines().filter_map(|l| l.rsplit_once("ack ")?.1.trim().parse().ok()).collect()
        };
        acknowledged.extend(of(&line));
        acknowledged.extend(of(whole));

        let store = Store::open(&path).unwrap();
        let held: Vec<u64> = store.holds().unwrap().iter().map(|hold| hold.hold.cookie).collect();
        let audited: Vec<u64> =
            store.audit_tail(usize::MAX).unwrap().iter().map(|(_, entry)| entry.time_unix_us).collect();
        for cookie in &acknowledged {
            assert!(held.contains(cookie), "round {round}: hold {cookie} was acknowledged and is gone");
        }
        assert_eq!(held, audited, "round {round}: half a transaction");
        let next = store.next_ids().unwrap().cookie;
        assert!(held.iter().all(|cookie| *cookie < next), "round {round}: {next} would be used twice");
    }
    assert!(acknowledged.len() >= KILLS);
    println!("{} transactions over {KILLS} kills, seed {SEED:#x}", acknowledged.len());
}

#[test]
fn a_daemon_that_is_told_to_stop_while_it_writes_has_every_pulse_written() {
    let Some(house) = House::new("store_kill, SIGTERM") else { return };
    // A write every 10 ms, and a pulse every 2.
    let config = meter("kitchen", 0, "max_flow = \"25 m3/h\"").replace("\"1 L\"", "\"20 mL\"");
    house.configure(&[config], "");
    let text = std::fs::read_to_string(&house.config).unwrap().replace("\"50 ms\"", "\"10 ms\"");
    std::fs::write(&house.config, text).unwrap();
    house.must_load(&[]);
    let kernel = Kernel::open(&house.pins).unwrap();
    Daemon::start(&house).stop();
    let key = meter_key("kitchen");
    let line = (0..MAX_LINES).find(|l| kernel.line_config(*l).unwrap().key == key).unwrap();
    let stop = AtomicBool::new(false);
    let mut random = Random(SEED);
    let mut last = 0;
    std::thread::scope(|scope| {
        let generator = scope.spawn(|| train::real_time(&kernel, &[line], &stop, SEED));
        for round in 0..20 {
            let mut daemon = Daemon::spawn(&house, house.run_command(Path::new(GASD), &[]));
            daemon.wait_ready();
            std::thread::sleep(Duration::from_millis(random.below(60)));
            let before = kernel.state(line).accepted;
            daemon.signal(libc::SIGTERM);
            let status = daemon.ended();
            assert!(status.success(), "round {round}: {status:?}: {}", daemon.said());
            let base = house.base("kitchen");
            assert_eq!(base.pulses, base.kernel_at, "round {round}");
            assert!(
                base.pulses >= before,
                "round {round}: {base:?} lacks pulses of before the stop, {before}"
            );
            assert!(base.pulses >= last, "round {round}");
            last = base.pulses;
        }
        stop.store(true, Ordering::Relaxed);
        generator.join().unwrap();
    });
    assert!(last > 100, "{last} pulses prove nothing");
}
