// SPDX-License-Identifier: MIT OR Apache-2.0
//! A user without any capability runs the daemon on pins that belong to it: reopens them, takes steps
//! through the twin, reads the levels' pages, drains the ring.
#![allow(clippy::unwrap_used, reason = "test code")]

mod kernel_house;

use std::{
    fs,
    os::unix::{
        fs::{MetadataExt, PermissionsExt},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::Command,
};

use gasd::kernel::{Events, Kernel};
use gasd_abi::{
    FilterConfig,
    outcome::PULSE,
    records::{EVENT_PULSE, LINE_SIMULATED, MAX_LINES, meter_key},
};
use kernel_house::{
    GASD, House,
    daemon::{Daemon, NOBODY},
    run, train, wait,
};

/// Where the helper finds the pins; set in the process that runs without capabilities.
const PINS: &str = "GASD_TEST_PINS";

fn give_away(path: &Path) {
    std::os::unix::fs::chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            let path = entry.unwrap().path();
            // The file system's own listings stay root's.
            if path.extension().is_none_or(|e| e != "debug") {
                give_away(&path);
            }
        }
    }
}

fn capabilities(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let field = |name: &str| {
        let line = status.lines().find_map(|l| l.strip_prefix(name)).unwrap();
        u64::from_str_radix(line.trim(), 16).unwrap()
    };
    field("CapEff:") | field("CapPrm:") | field("CapInh:") | field("CapAmb:")
}

fn public_copy(house: &House, program: &Path, name: &str) -> PathBuf {
    let copy = house.root.join(name);
    fs::copy(program, &copy).unwrap();
    fs::set_permissions(&copy, fs::Permissions::from_mode(0o755)).unwrap();
    copy
}

/// Runs in a process of its own, without capabilities; does nothing otherwise.
#[test]
fn helper_of_a_user_without_capabilities() {
    let Some(pins) = std::env::var_os(PINS) else { return };
    assert_eq!(capabilities(std::process::id()), 0);
    // SAFETY: no arguments.
    assert_eq!(unsafe { libc::geteuid() }, NOBODY);
    let kernel = Kernel::open(Path::new(&pins)).unwrap();
    let mut ring = Events::open(kernel.pins()).unwrap();
    let line = kernel.assign(77, FilterConfig::default(), LINE_SIMULATED).unwrap();
    kernel.edge(line, 1_000_000_000).unwrap();
    assert_eq!(kernel.sample(line, 1_020_000_000, true, 1).unwrap() & PULSE, PULSE);
    assert_eq!((kernel.state(line).accepted, kernel.totals(line).unwrap().accepted), (1, 1));
    let event = ring.take().unwrap();
    assert_eq!((event.kind, event.line, event.t_ns), (EVENT_PULSE, line, 1_000_000_000));
    assert_eq!(ring.take(), None);
    assert_eq!(kernel.fall_through().unwrap(), 0);
    // The live pages are frozen: nobody forges them, with or without capabilities.
    let live = kernel.pins().open_map("live").unwrap();
    let size = gasd::kernel::sys::map_info(std::os::fd::AsFd::as_fd(&live)).unwrap().value_size;
    let forged = vec![0u8; size as usize];
    let written = gasd::kernel::sys::update(std::os::fd::AsFd::as_fd(&live), &0u32.to_ne_bytes(), &forged);
    assert_eq!(written.unwrap_err().raw_os_error(), Some(libc::EPERM));
}

#[test]
fn a_user_without_capabilities_works_on_its_pins() {
    let Some(house) = House::new("kernel_zero_capability") else { return };
    house.must_load(&[]);
    give_away(&house.pins);
    let this = public_copy(&house, &std::env::current_exe().unwrap(), "helper");
    let mut helper = Command::new(this);
    helper
        .args(["--exact", "helper_of_a_user_without_capabilities", "--nocapture"])
        .env(PINS, &house.pins)
        .uid(NOBODY)
        .gid(NOBODY)
        .current_dir("/");
    let ended = run(helper);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.out.contains("1 passed"), "{ended:?}");
}

#[test]
fn the_daemon_runs_without_capabilities() {
    let Some(house) = House::new("kernel_zero_capability, daemon") else { return };
    house.must_load(&[]);
    give_away(&house.pins);
    let state = house.root.join("state");
    fs::create_dir(&state).unwrap();
    give_away(&state);
    let gasd = public_copy(&house, Path::new(GASD), "gasd");
    let store = state.join("store.redb");
    let daemon = || {
        let mut command = house.run_command(&gasd, &["--store"]);
        command.arg(&store).uid(NOBODY).gid(NOBODY).current_dir("/");
        Daemon::spawn(&house, command)
    };
    let mut first = daemon();
    first.wait_ready();
    assert_eq!(capabilities(first.pid()), 0);
    let kernel = Kernel::open(&house.pins).unwrap();
    let line_of = || {
        let key = meter_key("kitchen");
        (0..MAX_LINES).find(|l| kernel.line_config(*l).unwrap().key == key)
    };
    wait("the line", || line_of().is_some());
    let line = line_of().unwrap();
    let t = train::pulses(&kernel, line, 6, 1_000_000_000);
    first.wait_shown(6);
    first.kill9();
    train::pulses(&kernel, line, 2, t);
    let mut second = daemon();
    second.wait_ready();
    assert_eq!(capabilities(second.pid()), 0);
    second.wait_shown(8);
    second.stop();
    // It emptied the ring: what comes next is the first event there.
    let mut ring = Events::open(kernel.pins()).unwrap();
    assert_eq!(ring.take(), None);
    let bases = gasd::store::Store::open(&store).unwrap().load_bases().unwrap();
    assert_eq!((bases[0].1.pulses, bases[0].1.volume_ul), (8, 8_000_000));
}

#[test]
fn a_group_reads_what_it_was_let_and_nothing_else() {
    let Some(house) = House::new("kernel_zero_capability, readers") else { return };
    let refused = house.load_with(Path::new(GASD), &["--readers", "no-such-group"]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.err.contains("no such group in /etc/group"), "{refused:?}");
    assert!(!house.pins.join("dispatch").exists(), "nothing is loaded for a mistake");
    house.must_load(&["--readers", "65534"]);
    // Again after a swap, and without it nothing is taken back.
    house.must_load(&["--force"]);
    let mode = |pin: &str| {
        let found = fs::metadata(house.pins.join(pin)).unwrap();
        (found.gid(), found.permissions().mode() & 0o777)
    };
    assert_eq!(mode("v1"), (NOBODY, 0o750));
    assert_eq!(mode("v1/maps/live"), (NOBODY, 0o660));
    for pin in ["meta", "lines", "totals", "buckets"] {
        assert_eq!(mode(&format!("v1/maps/{pin}")), (NOBODY, 0o640), "{pin}");
    }
    for pin in ["v1/maps/events", "v1/maps/kept", "v1/progs/pulse", "v1/progs/twin", "dispatch/irq_lines"] {
        let (gid, mode) = mode(pin);
        assert!(gid == 0 && mode & 0o077 == 0, "{pin}: group {gid}, mode {mode:o}");
    }
}
