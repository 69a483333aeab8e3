// SPDX-License-Identifier: MIT OR Apache-2.0
//! From loading to unloading: nothing is done twice, nothing is left, what was killed heals, and what
//! does not fit is counted.
#![allow(clippy::unwrap_used, reason = "test code")]

#[path = "bus_support.rs"]
mod bus_support;
mod kernel_house;

use std::{
    fs,
    os::fd::AsFd,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use gasd::kernel::{Kernel, handover::Generation};
use gasd_abi::{
    FilterConfig,
    records::{LINE_SIMULATED, MAX_LINES, meter_key},
};
use gasd_proxy::Client;
use kernel_house::{
    GASD, House, bpf, daemon::Daemon, die_with_parent, meter, next::next_layout, program_id, random::Random,
    run, skip, train, wait,
};

/// The pins of a house in good order.
fn whole(house: &House) {
    let kernel = Kernel::open(&house.pins).unwrap();
    drop(kernel);
    let names = |dir: &str| {
        let entries = fs::read_dir(house.pins.join(dir)).unwrap();
        let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    assert_eq!(names("v1/progs"), ["pulse", "twin"]);
    assert!(!house.pins.join("new-generation").exists());
    assert!(!house.pins.join("new-dispatch").exists());
}

#[test]
fn loading_again_changes_nothing() {
    let Some(house) = House::new("kernel_lifecycle, load") else { return };
    let said = house.must_load(&[]);
    assert!(said.contains("attached and counting"), "{said}");
    whole(&house);
    let before = house.listing();
    for _ in 0..3 {
        let said = house.must_load(&[]);
        assert!(said.contains("already in place"), "{said}");
        assert_eq!(house.listing(), before);
    }
    let json: serde_json::Value = serde_json::from_str(&house.must_load(&["--json"])).unwrap();
    assert_eq!(json["swapped"], false);
    // By force the programs are others and everything else is the same.
    let (dispatcher, pulse) = (house.pins.join("dispatch/dispatcher"), house.pins.join("v1/progs/pulse"));
    let ids = (program_id(&dispatcher), program_id(&pulse));
    let said = house.must_load(&["--force"]);
    assert!(said.contains("no edge lost"), "{said}");
    assert_eq!(program_id(&dispatcher), ids.0);
    assert_ne!(program_id(&pulse), ids.1);
    let maps = |listing: &[String]| {
        let of_maps = |l: &&String| !l.contains("progs/");
        listing.iter().filter(of_maps).cloned().collect::<Vec<_>>()
    };
    assert_eq!(maps(&house.listing()), maps(&before));
    whole(&house);
}

#[test]
fn unloading_leaves_nothing() {
    let Some(house) = House::new("kernel_lifecycle, unload") else { return };
    let empty = house.listing();
    house.must_load(&[]);
    let programs: Vec<u32> = ["dispatch/dispatcher", "dispatch/twin", "v1/progs/pulse", "v1/progs/twin"]
        .iter()
        .map(|pin| program_id(&house.pins.join(pin)).unwrap())
        .collect();
    // What a killed loader leaves, a dispatcher that is attached among it, and older generations.
    fs::create_dir(house.pins.join("new-generation")).unwrap();
    fs::create_dir(house.pins.join("old0")).unwrap();
    fs::rename(house.pins.join("dispatch"), house.pins.join("new-dispatch")).unwrap();
    let ended = house.unload();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(house.listing(), empty);
    wait("the end of the programs", || !programs.iter().any(|id| bpf::program_exists(*id)));
    // Once more is no error.
    assert_eq!(house.unload().code, Some(0));
}

#[test]
fn a_load_that_is_killed_heals_with_the_next() {
    let Some(house) = House::new("kernel_lifecycle, crash") else { return };
    // Remains, as a crash leaves them.
    house.must_load(&[]);
    fs::rename(house.pins.join("dispatch"), house.pins.join("new-dispatch")).unwrap();
    fs::rename(house.pins.join("v1"), house.pins.join("new-generation")).unwrap();
    let said = house.must_load(&[]);
    assert!(said.contains("attached and counting"), "{said}");
    whole(&house);
    // Slots of which only one, or none, was written.
    let kernel = Kernel::open(&house.pins).unwrap();
    let line = kernel.assign(1, FilterConfig::default(), LINE_SIMULATED).unwrap();
    for emptied in [&["slots"][..], &["twin_slots"], &["slots", "twin_slots"]] {
        for slot in emptied {
            bpf::delete(kernel.pins().open_dispatch(slot).unwrap().as_fd(), 0);
        }
        let said = house.must_load(&[]);
        assert!(said.contains("programs replaced"), "{emptied:?}: {said}");
        train::pulses(&kernel, line, 1, kernel.state(line).last_edge_ns);
    }
    assert_eq!(kernel.state(line).accepted, 3);
    // At any moment of a first load, of a swap, of both.
    let length = duration_of(|| drop(house.must_load(&["--force"])));
    let mut random = Random(0xc4a5);
    for round in 0..24 {
        if round % 4 == 0 {
            house.unload();
        }
        kill_in_the_middle(&house, Path::new(GASD), None, length.mul_f64(random.below(100) as f64 / 100.0));
        if round % 4 == 3 {
            house.must_load(&[]);
            whole(&house);
        }
    }
}

fn duration_of(what: impl FnOnce()) -> Duration {
    let start = Instant::now();
    what();
    start.elapsed()
}

/// Loads and kills that after some time, or that long after `sign` appeared.
fn kill_in_the_middle(house: &House, gasd: &Path, sign: Option<&Path>, after: Duration) {
    let mut command = Command::new(gasd);
    command.args(["load", "--force", "--pins"]).arg(&house.pins);
    die_with_parent(&mut command);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    if let Some(sign) = sign {
        while !sign.exists() && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_micros(50));
        }
    }
    std::thread::sleep(after);
    let _ = child.kill();
    child.wait().unwrap();
}

#[test]
fn a_takeover_that_is_killed_is_finished_by_the_next_load() {
    let Some(house) = House::new("kernel_lifecycle, takeover") else { return };
    let Some(next) = next_layout() else { return };
    let mut random = Random(0x7a4e);
    let (mut interrupted, mut length) = (0, Duration::ZERO);
    for round in 0..12 {
        house.unload();
        length = length.max(duration_of(|| drop(house.must_load(&[]))));
        let kernel = Kernel::open(&house.pins).unwrap();
        let line = kernel.assign(1, FilterConfig::default(), LINE_SIMULATED).unwrap();
        let mut t = train::pulses(&kernel, line, 3, 1_000_000_000);
        // Half a pulse under way.
        t += 50_000_000;
        kernel.edge(line, t).unwrap();
        // Every other time around the switch, which is short.
        if round % 2 == 0 {
            let after = Duration::from_micros(random.below(20_000));
            kill_in_the_middle(&house, &next, Some(&house.pins.join("v2")), after);
        } else {
            kill_in_the_middle(&house, &next, None, length.mul_f64(random.below(100) as f64 / 100.0));
        }
        let begun = house.pins.join("v2").exists();
        interrupted += u32::from(begun && Kernel::open(&house.pins).is_err());
        let ended = house.load_with(&next, &[]);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        t += 50_000_000;
        kernel.edge(line, t).unwrap();
        train::pulses(&kernel, line, 2, t);
        let v1 = Generation::open(&house.pins.join("v1")).unwrap();
        let v2 = Generation::open(&house.pins.join("v2")).unwrap();
        let (old, new) = (v1.line(line).unwrap().unwrap(), v2.line(line).unwrap().unwrap());
        assert_eq!((old.accepted, old.edges), (3, 7));
        assert_eq!((new.accepted, new.edges), (3, 5), "{new:?}");
        let mut sum = v1.totals(line, kernel.cpus()).unwrap();
        sum.add(&v2.totals(line, kernel.cpus()).unwrap());
        let pending = u64::from(new.handover.pending);
        assert_eq!(sum.accepted + sum.rejected_total() + pending, sum.edges, "{sum:?}");
        assert_eq!(
            house.listing().iter().filter(|l| l.starts_with("old") || l.starts_with("new")).count(),
            0
        );
        assert_eq!(kernel.fall_through().unwrap(), 0);
    }
    println!("{interrupted} of 12 takeovers were killed after the slot was written");
}

#[test]
fn an_empty_slot_is_counted_and_said() {
    let Some(house) = House::new("kernel_lifecycle, slot") else { return };
    house.must_load(&[]);
    let kernel = Kernel::open(&house.pins).unwrap();
    let line = kernel.assign(1, FilterConfig::default(), LINE_SIMULATED).unwrap();
    assert!(kernel.edge(line, 1_000_000_000).is_ok());
    bpf::delete(kernel.pins().open_dispatch("twin_slots").unwrap().as_fd(), 0);
    assert!(kernel.edge(line, 1_050_000_000).is_err(), "an edge that nobody took passed for one");
    assert_eq!(kernel.fall_through().unwrap(), 1);
    assert_eq!(kernel.state(line).edges, 1);
    // A line that does not exist is an error, too.
    house.must_load(&[]);
    assert!(kernel.edge(MAX_LINES, 1_100_000_000).is_err());
    bpf::delete(kernel.pins().open_dispatch("slots").unwrap().as_fd(), 0);
    let ended = run(house.run_command(Path::new(GASD), &[]));
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(ended.err.contains("gasd load"), "{ended:?}");
}

#[test]
fn an_interrupt_that_no_meter_has_any_more_counts_nowhere() {
    let Some(house) = House::new("kernel_lifecycle, interrupt") else { return };
    house.must_load(&[]);
    let kernel = Kernel::open(&house.pins).unwrap();
    // Of a meter that somebody else gives its edges, and one that was taken out of the configuration.
    let [played, gone] = ["kitchen", "gone"]
        .map(|meter| kernel.assign(meter_key(meter), FilterConfig::default(), LINE_SIMULATED).unwrap());
    kernel.map_irq(played, 4_000).unwrap();
    kernel.map_irq(gone, 4_001).unwrap();
    let daemon = Daemon::start(&house);
    assert_eq!([4_000, 4_001].map(|irq| kernel.line_of_irq(irq).unwrap()), [Some(played), None]);
    daemon.stop();
}

#[test]
fn without_a_bpf_file_system_the_filter_runs_in_user_space_and_says_so() {
    let Some(house) = House::new("kernel_lifecycle, user space") else { return };
    let mut command = house.run_command(Path::new(GASD), &["--pins"]);
    command.arg(&house.root);
    let mut daemon = Daemon::spawn(&house, command);
    daemon.wait_ready();
    daemon.wait_shown(0);
    let said = daemon.said();
    let lines: Vec<&str> =
        said.lines().filter(|l| !l.contains("warning") && !l.contains("watches")).collect();
    assert_eq!(lines.len(), 1, "{said}");
    assert!(lines[0].contains("user space") && lines[0].contains("no BPF file system"), "{said}");
    daemon.stop();
}

#[test]
fn what_does_not_fit_is_counted_and_no_volume_is_lost() {
    const PULSES: u64 = 20_000;
    let Some(house) = House::new("kernel_lifecycle, overrun") else { return };
    if Command::new("dbus-daemon").arg("--version").stdout(Stdio::null()).status().is_err() {
        return skip("kernel_lifecycle, overrun", "no dbus-daemon");
    }
    house.configure(&[meter("kitchen", 0, ""), meter("boiler", 1, "")], "");
    house.must_load(&[]);
    let bus = bus_support::PrivateBus::start();
    let mut command = Command::new(GASD);
    command.args(["run", "--simulated", "--bus", &bus.address(), "--config"]).arg(&house.config);
    let mut daemon = Daemon::spawn(&house, command);
    daemon.wait_ready();
    let kernel = Kernel::open(&house.pins).unwrap();
    let key = meter_key("kitchen");
    let line = (0..MAX_LINES).find(|l| kernel.line_config(*l).unwrap().key == key).unwrap();
    let t = train::pulses(&kernel, line, 5, 1_000_000_000);
    daemon.wait_shown(5);
    daemon.signal(libc::SIGSTOP);
    let stopped = format!("/proc/{}/task", daemon.pid());
    let asleep = |task: &Path| fs::read_to_string(task.join("stat")).is_ok_and(|s| s.contains(") T "));
    wait("the stop", || fs::read_dir(&stopped).unwrap().all(|task| asleep(&task.unwrap().path())));
    let t = train::pulses(&kernel, line, PULSES, t);
    let overrun = kernel.totals(line).unwrap().overrun;
    assert_eq!(kernel.state(line).accepted, PULSES + 5);
    // The ring is 256 KiB; an event takes 56 bytes of it.
    assert!((15_000..16_000).contains(&overrun), "{overrun}");
    daemon.signal(libc::SIGCONT);
    let state = || {
        bus_support::run(async {
            Client::connect(Some(&bus.address())).await.unwrap().state().await.unwrap()
        })
    };
    // With no pulse after them to tell of the gap.
    wait("the count of missed events", || {
        let service = state().service;
        service.events_missed == overrun + service.queue_full
    });
    let seen = state();
    println!(
        "overrun {overrun}, queue full {}, missed {}",
        seen.service.queue_full, seen.service.events_missed
    );
    assert_eq!(seen.service.ring_overrun, overrun);
    assert_eq!(seen.service.fall_through, 0);
    assert_eq!(seen.service.mode, "kernel");
    assert_eq!(seen.meters["kitchen"].pulses, PULSES + 5);
    assert_eq!(seen.meters["kitchen"].volume_ul, (PULSES + 5) * 1_000_000);
    assert_eq!(seen.meters["boiler"].pulses, 0);
    // Later events arrive and are not taken for lost.
    train::pulses(&kernel, line, 3, t);
    daemon.wait_shown(PULSES + 8);
    assert_eq!(state().service.events_missed, seen.service.events_missed);
    daemon.stop();
    assert_eq!(house.base("kitchen").pulses, PULSES + 8);
    assert_eq!(house.base("kitchen").volume_ul, (PULSES + 8) * 1_000_000);
}
