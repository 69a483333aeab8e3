// SPDX-License-Identifier: MIT OR Apache-2.0
//! Refusals: each says in words what is wrong and what to do, ends with its exit code, and leaves
//! pins and store as they were.
#![allow(clippy::unwrap_used, reason = "test code")]

mod kernel_house;

use std::{
    fs::{self, File},
    os::{
        fd::{AsFd, AsRawFd},
        unix::{fs::PermissionsExt, process::CommandExt},
    },
    path::{Path, PathBuf},
    process::Command,
};

use gasd::{
    kernel::{Kernel, bytes::as_bytes, pins::read_meta, sys},
    state::Hold,
    store::{Change, Store, StoredHold},
};
use gasd_abi::records::{MAX_LINES, Meta};
use kernel_house::{
    Ended, GASD, House, bpf,
    daemon::{Daemon, NOBODY},
    meter, run,
};

const VALVE: &str = "[[valve]]\nid = \"main\"\nactuator = \"simulated\"\n";

/// A house with a valve that is held closed; the programs loaded if asked for.
fn held_house(test: &str, load: bool) -> Option<House> {
    let house = House::new(test)?;
    house.configure(&[meter("kitchen", 0, "valve = \"main\"")], VALVE);
    hold_valve(&house.store);
    if load {
        house.must_load(&[]);
    }
    Some(house)
}

fn hold_valve(store: &Path) {
    let hold = Hold {
        cookie: 4,
        owner: "operator".into(),
        reason: "smell of gas".into(),
        verdict: None,
        uid: None,
        since_unix_us: 7,
    };
    let placed = Change::PlaceHold(StoredHold { valve: "main".into(), hold, marks: Vec::new() });
    let writer = gasd::store::Writer::start(Store::open(store).unwrap()).unwrap();
    writer.handle().write_now(vec![placed]).unwrap();
    writer.stop().unwrap();
}

/// The configuration of what counts: none of it may change by a refusal.
fn settings(house: &House) -> Vec<String> {
    let Ok(kernel) = Kernel::open(&house.pins) else { return Vec::new() };
    let given = (0..MAX_LINES).map(|l| kernel.line_config(l).unwrap()).filter(|c| c.key != 0);
    given.map(|c| format!("{c:?}")).collect()
}

/// Runs it and checks that it refuses, in these words, with this code, and does nothing else.
fn refuses(house: &House, command: Command, code: i32, words: &[&str]) -> Ended {
    let before = (house.listing(), settings(house));
    let ended = run(command);
    assert_eq!(ended.code, Some(code), "{ended:?}");
    for word in words {
        assert!(ended.err.contains(word), "{word:?} is missing in {ended:?}");
    }
    let said = ended.err.lines().filter(|l| !l.starts_with("gasd: warning")).count();
    assert!((1..=4).contains(&said), "too many or too few words: {ended:?}");
    assert!(!ended.err.contains("panicked"), "{ended:?}");
    assert_eq!((house.listing(), settings(house)), before, "something was half done: {ended:?}");
    let holds = Store::open(&house.store).unwrap().holds().unwrap();
    assert_eq!(holds.len(), 1, "the hold is gone");
    assert_eq!(holds[0].hold.reason, "smell of gas");
    ended
}

fn load(pins: &Path) -> Command {
    let mut command = Command::new(GASD);
    command.arg("load").arg("--pins").arg(pins);
    command
}

fn daemon(house: &House) -> Command {
    house.run_command(Path::new(GASD), &[])
}

/// The program where any user can run it.
fn public_copy(house: &House) -> PathBuf {
    let copy = house.root.join("gasd");
    fs::copy(GASD, &copy).unwrap();
    fs::set_permissions(&copy, fs::Permissions::from_mode(0o755)).unwrap();
    copy
}

#[test]
fn what_is_missing_is_named() {
    let Some(house) = held_house("kernel_refusals, missing", false) else { return };
    // No BPF file system there, and no directory at all.
    refuses(&house, load(&house.root), 3, &["no BPF file system", "mount -t bpf"]);
    refuses(&house, load(&house.root.join("nowhere")), 3, &["no BPF file system", "mkdir -p"]);
    // A BPF file system with nothing in it.
    refuses(&house, daemon(&house), 3, &["nothing is loaded", "gasd load"]);
    // A kernel without type information.
    let mut blind = Command::new("unshare");
    let script = "mount -t tmpfs none /sys/kernel/btf && exec \"$@\"";
    blind.args(["-m", "sh", "-c", script, "sh", GASD, "load", "--pins"]).arg(&house.pins);
    refuses(&house, blind, 3, &["no BTF", "CONFIG_DEBUG_INFO_BTF"]);
}

#[test]
fn what_is_not_permitted_names_the_capability_or_the_user() {
    let Some(house) = held_house("kernel_refusals, permission", true) else { return };
    // Root without capabilities owns the directory and may not call bpf(2).
    let bare = |pins: &Path| {
        let mut command = Command::new("setpriv");
        command.args(["--bounding-set", "-all", "--inh-caps", "-all", GASD, "load", "--pins"]).arg(pins);
        command
    };
    refuses(&house, bare(&house.pins), 4, &["CAP_BPF"]);
    house.unload();
    let ended = refuses(&house, bare(&house.pins), 4, &["CAP_BPF"]);
    assert!(house.listing().iter().all(|l| l.ends_with("no object")), "{ended:?} left {:?}", house.listing());
    house.must_load(&[]);
    // Another user: neither load nor run.
    let copy = public_copy(&house);
    let mut other = Command::new(&copy);
    other.uid(NOBODY).gid(NOBODY).arg("load").arg("--pins").arg(&house.pins);
    refuses(&house, other, 4, &["permi"]);
    let mut other = house.run_command(&copy, &[]);
    other.uid(NOBODY).gid(NOBODY);
    refuses(&house, other, 4, &["no permission to open", "gasd load"]);
}

#[test]
fn foreign_pins_are_named_and_left_alone() {
    let Some(house) = held_house("kernel_refusals, foreign", true) else { return };
    // Somebody else's map of another shape.
    let lines = house.pins.join("v1/maps/lines");
    let foreign = bpf::create_map(bpf::ARRAY, 4, 8, 3, 0).unwrap();
    bpf::pin(foreign.as_fd(), &lines);
    let words = ["foreign or older pin", "lines", "3 entries", "nothing was touched"];
    refuses(&house, daemon(&house), 6, &words);
    refuses(&house, load(&house.pins), 6, &words);
    let mut force = load(&house.pins);
    force.arg("--force");
    refuses(&house, force, 6, &words);
    // The same in place of the dispatcher's.
    house.unload();
    house.must_load(&[]);
    bpf::pin(foreign.as_fd(), &house.pins.join("dispatch/irq_lines"));
    refuses(&house, daemon(&house), 6, &["foreign or older pin", "irq_lines"]);
    refuses(&house, load(&house.pins), 6, &["foreign or older pin", "irq_lines"]);
    // A map of the right shape, made by a build with other records.
    house.unload();
    house.must_load(&[]);
    let path = house.pins.join("v1/maps/meta");
    let meta = Meta { fingerprint: 0xbad, ..read_meta(&path).unwrap() };
    let other = bpf::create_map(bpf::ARRAY, 4, size_of::<Meta>() as u32, 1, 0).unwrap();
    sys::update(other.as_fd(), &0u32.to_ne_bytes(), as_bytes(&meta)).unwrap();
    bpf::pin(other.as_fd(), &path);
    let words = ["made by another build", "0x0000000000000bad", "unload"];
    refuses(&house, daemon(&house), 6, &words);
    refuses(&house, load(&house.pins), 6, &words);
}

#[test]
fn who_works_there_already_is_waited_for_by_nobody() {
    let Some(house) = held_house("kernel_refusals, busy", true) else { return };
    // Another loader.
    let root = File::open(&house.pins).unwrap();
    // SAFETY: a live descriptor.
    assert_eq!(unsafe { libc::flock(root.as_raw_fd(), libc::LOCK_EX) }, 0);
    refuses(&house, load(&house.pins), 5, &["another `gasd load`"]);
    drop(root);
    // A second daemon, with the same store and with another one, and with other settings.
    let first = Daemon::start(&house);
    let before = settings(&house);
    let first_text = fs::read_to_string(&house.config).unwrap();
    let second = |text: &str| {
        let config = house.root.join("second.toml");
        fs::write(&config, text.replace("\"1 L\"", "\"10 mL\"")).unwrap();
        let mut command = Command::new(GASD);
        command.args(["run", "--simulated", "--bus", "none", "--config"]).arg(config);
        let ended = run(command);
        assert_eq!(ended.code, Some(5), "{ended:?}");
        assert_eq!(settings(&house), before, "the second daemon changed the first one's lines");
        ended
    };
    second(&first_text);
    let elsewhere = house.root.join("elsewhere.redb").display().to_string();
    let ended = second(&first_text.replace(&house.store.display().to_string(), &elsewhere));
    assert!(ended.err.contains("another gasd works off the events"), "{ended:?}");
    assert!(!Path::new(&elsewhere).exists());
    first.stop();
}

#[test]
fn a_store_without_a_directory_stops_the_start() {
    let Some(house) = held_house("kernel_refusals, store", true) else { return };
    let mut command = daemon(&house);
    command.arg("--store").arg(house.root.join("no/store.redb"));
    refuses(&house, command, 3, &["does not exist", "install -d"]);
}

#[test]
fn a_configuration_that_makes_no_sense_is_refused_whole() {
    let Some(house) = held_house("kernel_refusals, configuration", true) else { return };
    let good = fs::read_to_string(&house.config).unwrap();
    let with = |from: &str, to: &str| {
        assert!(good.contains(from));
        fs::write(&house.config, good.replace(from, to)).unwrap();
        daemon(&house)
    };
    let typo = with("pulse_volume", "puls_volume");
    refuses(&house, typo, 2, &["puls_volume", "pulse_volume", "gasd.toml"]);
    for nonsense in ["\"0 L\"", "\"-1 L\"", "\"1 km\"", "\"1000000 m3\"", "3"] {
        let command = with("\"1 L\"", nonsense);
        refuses(&house, command, 2, &["pulse_volume", "gasd.toml"]);
    }
    fs::write(&house.config, &good).unwrap();
    let mut unplayed = Command::new(GASD);
    unplayed.args(["run", "--bus", "none", "--config"]).arg(&house.config);
    refuses(&house, unplayed, 2, &["no GPIO chip"]);
    let mut missing = Command::new(GASD);
    missing.args(["run", "--bus", "none", "--config", "/nonexistent/gasd.toml"]);
    refuses(&house, missing, 2, &["there is no such file"]);
    // A chip that is not there.
    let chip = with("line = 0", "gpio = { chip = \"gpiochip97\", line = 3 }");
    refuses(&house, chip, 3, &["there is no GPIO chip \"gpiochip97\""]);
}
