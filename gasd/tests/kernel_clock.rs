// SPDX-License-Identifier: MIT OR Apache-2.0
//! The time of day jumps by a year, forth and back, under a running daemon: nothing is decided by it.
//! A small library in front of the C library's `clock_gettime` makes the daemon believe it.
#![allow(clippy::unwrap_used, reason = "test code")]

mod kernel_house;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use gasd::{kernel::Kernel, state::VerdictRecord, store::Store};
use gasd_abi::records::{MAX_LINES, meter_key};
use kernel_house::{GASD, House, daemon::Daemon, meter, skip, wait};

const YEAR_S: i64 = 365 * 86_400;

/// Adds the seconds in the file `GASD_TEST_CLOCK` to `CLOCK_REALTIME`, read anew at each call.
const SHIM: &str = r#"
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *time)
{
    long ret = syscall(SYS_clock_gettime, clock, time);
    const char *path = getenv("GASD_TEST_CLOCK");
    if (ret == 0 && clock == CLOCK_REALTIME && path) {
        FILE *file = fopen(path, "r");
        long seconds = 0;
        if (file) {
            if (fscanf(file, "%ld", &seconds) == 1)
                time->tv_sec += seconds;
            fclose(file);
        }
    }
    return ret ? -1 : 0;
}
"#;

/// Builds the library; `None`, said loudly, without a compiler.
fn shim(dir: &Path) -> Option<PathBuf> {
    let (source, library) = (dir.join("clock.c"), dir.join("clock.so"));
    fs::write(&source, SHIM).unwrap();
    let built =
        Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(&source).output();
    match built {
        Ok(output) if output.status.success() => Some(library),
        Ok(output) => panic!("{}", String::from_utf8_lossy(&output.stderr)),
        Err(error) => {
            skip("kernel_clock", &format!("no C compiler: {error}"));
            None
        }
    }
}

#[test]
fn totals_verdicts_and_the_record_stand_a_clock_that_jumps_by_a_year() {
    let Some(house) = House::new("kernel_clock") else { return };
    let Some(library) = shim(&house.root) else { return };
    let offset = house.root.join("offset");
    let jump = |seconds: i64| {
        // In one step: the daemon must not read half a number.
        let new = house.root.join("offset.new");
        fs::write(&new, seconds.to_string()).unwrap();
        fs::rename(&new, &offset).unwrap();
    };
    jump(0);
    house.configure(
        &[meter("kitchen", 0, "valve = \"main\"")],
        "[[valve]]\nid = \"main\"\nactuator = \"simulated\"\n",
    );
    house.must_load(&[]);
    let mut command = house.run_command(Path::new(GASD), &[]);
    command.env("LD_PRELOAD", &library).env("GASD_TEST_CLOCK", &offset);
    let mut daemon = Daemon::spawn(&house, command);
    daemon.wait_ready();
    let kernel = Kernel::open(&house.pins).unwrap();
    let key = meter_key("kitchen");
    let line = (0..MAX_LINES).find(|l| kernel.line_config(*l).unwrap().key == key).unwrap();

    // A hose comes off three times, and the clock is another one before and in the midst of each.
    let mut now_ns = 1_000_000_000u64;
    let mut pulses = 0;
    let jumps = [[-YEAR_S, YEAR_S], [YEAR_S, -YEAR_S], [-YEAR_S, 0]];
    for (seen, [before, amidst]) in (1..).zip(jumps) {
        jump(before);
        for edge in 0..40 {
            if edge == 10 {
                jump(amidst);
            }
            kernel.edge(line, now_ns + edge * 200_000_000).unwrap();
        }
        pulses += 20;
        daemon.wait_shown(pulses);
        wait("the verdict", || daemon.said().matches("critical: Meter kitchen").count() >= seen);
        // Long enough for the episode to end; the line's own time, not the clock's.
        now_ns += 40 * 200_000_000;
        for _ in 0..3 {
            now_ns += 400_000_000_000;
            for edge in 0..2 {
                kernel.edge(line, now_ns + edge * 100_000_000).unwrap();
            }
            pulses += 1;
        }
        now_ns += 400_000_000_000;
        daemon.wait_shown(pulses);
    }
    // The daemon goes on saying that it lives: its own clocks do not jump.
    jump(-YEAR_S);
    let start = Instant::now();
    daemon.status.clear();
    wait("a status", || {
        daemon.listen();
        !daemon.status.is_empty()
    });
    assert!(start.elapsed().as_secs() < 10);
    daemon.stop();

    assert_eq!(house.base("kitchen").pulses, pulses);
    assert_eq!(house.base("kitchen").volume_ul, pulses * 1_000_000);
    let store = Store::open(&house.store).unwrap();
    let verdicts = store.unacknowledged().unwrap();
    let is_critical = |verdict: &&VerdictRecord| verdict.severity == "critical";
    let holding = verdicts.iter().filter(is_critical).count();
    // Gas behind the valve that the first of them closed is another one, if the clock of the engine comes to it.
    let critical: Vec<_> =
        verdicts.iter().filter(is_critical).filter(|verdict| verdict.kind == "surge").collect();
    assert_eq!(critical.len(), 3, "{verdicts:?}");
    // By number and by the clock of decisions they are in order; by the time of day they are not.
    assert!(verdicts.is_sorted_by_key(|verdict| (verdict.id, verdict.decided_ns)), "{verdicts:?}");
    assert!(!critical.is_sorted_by_key(|verdict| verdict.unix_us), "the clock did not jump: {critical:?}");
    let audit = store.audit_tail(1000).unwrap();
    assert!(audit.is_sorted_by_key(|(number, _)| *number));
    let drives = audit.iter().filter(|(_, entry)| entry.action == "drive");
    assert!(drives.clone().count() >= 1 && drives.clone().all(|(_, entry)| entry.boottime_ns > 0));
    assert_eq!(store.holds().unwrap().len(), holding, "a hold for each");
    let real = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64;
    let years = |unix_us: u64| ((unix_us / 1_000_000) as i64 - real) as f64 / YEAR_S as f64;
    assert!(critical.iter().any(|verdict| years(verdict.unix_us) < -0.9), "{critical:?}");
}
