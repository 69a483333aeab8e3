// SPDX-License-Identifier: MIT OR Apache-2.0
//! The daemon on a disk that is full, read-only, or has damaged its store: it starts, it counts, it
//! closes, and it says so.
#![allow(clippy::unwrap_used, reason = "test code")]

mod kernel_house;

use std::{
    fs::{self, File},
    io::{self, Write},
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use gasd::{
    kernel::Kernel,
    state::{Hold, Position},
    store::{Base, Change, Store, StoredHold},
};
use gasd_abi::records::{MAX_LINES, meter_key};
use kernel_house::{GASD, House, daemon::Daemon, meter, mount, skip, train, unmount, wait};

const VALVES: &str = "[[valve]]\nid = \"main\"\nactuator = \"simulated\"\n\
                      [[valve]]\nid = \"garden\"\nactuator = \"simulated\"\n";

/// A house whose meter closes `main`, with a small disk of its own for the store.
fn house(test: &str) -> Option<(House, PathBuf)> {
    let house = House::new(test)?;
    house.configure(&[meter("kitchen", 0, "valve = \"main\"")], VALVES);
    house.must_load(&[]);
    let disk = house.root.join("disk");
    fs::create_dir(&disk).unwrap();
    if let Err(error) = mount("tmpfs", &disk, "size=2m") {
        skip(test, &format!("no tmpfs: {error}"));
        return None;
    }
    Some((house, disk))
}

/// A store that knows a total, a hold on `garden`, and that `main` was opened.
fn known(path: &Path) {
    let store = Store::open(path).unwrap();
    let base = Base {
        pulses: 100,
        volume_ul: 100_000_000,
        generation: [1, 1],
        kernel_at: 5,
        pulse_volume_ul: 1_000_000,
        ..Base::default()
    };
    let hold = Hold {
        cookie: 4,
        owner: "operator".into(),
        reason: "smell of gas".into(),
        verdict: None,
        since_unix_us: 7,
        uid: None,
    };
    store
        .commit(&[
            Change::Base { meter: "kitchen".into(), base },
            Change::PlaceHold(StoredHold { valve: "garden".into(), hold, marks: Vec::new() }),
            Change::Commanded { valve: "main".into(), to: Position::Open },
        ])
        .unwrap();
}

fn start(house: &House, store: &Path) -> Daemon {
    let mut daemon =
        Daemon::spawn(house, house.run_command(Path::new(GASD), &["--store", store.to_str().unwrap()]));
    daemon.wait_ready();
    daemon
}

fn line(kernel: &Kernel) -> u32 {
    let key = meter_key("kitchen");
    (0..MAX_LINES).find(|l| kernel.line_config(*l).unwrap().key == key).unwrap()
}

/// A hose comes off: the verdict closes the meter's valve.
fn surge(kernel: &Kernel, from_ns: u64) {
    for edge in 0..40u64 {
        kernel.edge(line(kernel), from_ns + edge * 200_000_000).unwrap();
    }
}

fn fill(path: &Path) {
    let mut file = File::create(path).unwrap();
    while file.write_all(&[1; 4096]).is_ok() {}
}

fn remount(at: &Path, read_only: bool) -> io::Result<()> {
    let at = std::ffi::CString::new(at.as_os_str().as_bytes()).unwrap();
    let flags = libc::MS_REMOUNT | if read_only { libc::MS_RDONLY } else { 0 };
    // SAFETY: the string is live; this mount is in this thread's namespace only.
    let ret =
        unsafe { libc::mount(std::ptr::null(), at.as_ptr(), std::ptr::null(), flags, std::ptr::null()) };
    if ret == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

fn said(daemon: &Daemon, words: &str) {
    wait(&format!("\"{words}\""), || daemon.said().contains(words));
}

#[test]
fn a_read_only_disk_stops_neither_counting_nor_closing_and_is_written_when_it_can_be() {
    let Some((house, disk)) = house("kernel_store_faults, read-only") else { return };
    let store = disk.join("gasd.redb");
    known(&store);
    remount(&disk, true).unwrap();
    let mut daemon = start(&house, &store);
    said(&daemon, "Read-only file system");
    // What the file says is known: the total, what is held, what was open.
    said(&daemon, "valve \"main\" is open");
    said(&daemon, "valve \"garden\" is closed: smell of gas");
    let kernel = Kernel::open(&house.pins).unwrap();
    let t = train::pulses(&kernel, line(&kernel), 3, 1_000_000_000);
    daemon.wait_shown(103);
    surge(&kernel, t + 1_000_000_000);
    said(&daemon, "valve \"main\" is closed: Meter kitchen");
    assert!(Store::open(&store).is_err(), "the disk is still read-only");
    // A person mends it.
    remount(&disk, false).unwrap();
    said(&daemon, "the store is written again");
    daemon.stop();
    let store = Store::open(&store).unwrap();
    let bases = store.load_bases().unwrap();
    assert_eq!((bases[0].1.pulses, store.holds().unwrap().len()), (123, 2), "{bases:?}");
    assert_eq!(store.unacknowledged().unwrap().len(), 1);
    assert_eq!(store.unknown().unwrap(), []);
    drop(store);
    unmount(&disk);
}

#[test]
fn a_full_disk_stops_neither_the_first_start_nor_a_later_one() {
    let Some((house, disk)) = house("kernel_store_faults, full") else { return };
    let store = disk.join("gasd.redb");
    let filler = disk.join("filler");
    fill(&filler);
    // The first start: there was never a store.
    let mut daemon = start(&house, &store);
    said(&daemon, "no space is left for the store");
    let kernel = Kernel::open(&house.pins).unwrap();
    let t = train::pulses(&kernel, line(&kernel), 5, 1_000_000_000);
    daemon.wait_shown(5);
    daemon.kill9();
    // The kernel has the count; another start on the full disk shows it again.
    let mut daemon = start(&house, &store);
    daemon.wait_shown(5);
    surge(&kernel, t + 1_000_000_000);
    said(&daemon, "verdict 1, critical");
    fs::remove_file(&filler).unwrap();
    said(&daemon, "the store is written again");
    daemon.stop();
    assert_eq!(Store::open(&store).unwrap().load_bases().unwrap()[0].1.pulses, 25);
    // A later start, on a disk without room in the store: its holds count.
    known(&disk.join("later.redb"));
    fill(&filler);
    let daemon = start(&house, &disk.join("later.redb"));
    said(&daemon, "valve \"garden\" is closed: smell of gas");
    drop(daemon);
    fs::remove_file(&filler).unwrap();
    assert_eq!(Store::open(&disk.join("later.redb")).unwrap().holds().unwrap().len(), 1);
    unmount(&disk);
}

#[test]
fn a_damaged_store_is_set_aside_and_nothing_is_opened_by_it() {
    let Some((house, disk)) = house("kernel_store_faults, damaged") else { return };
    let store = disk.join("gasd.redb");
    known(&store);
    let mut bytes = fs::read(&store).unwrap();
    bytes.truncate(bytes.len() / 3);
    fs::write(&store, &bytes).unwrap();
    // The kernel has counted before.
    let kernel = Kernel::open(&house.pins).unwrap();
    let number = kernel.assign(meter_key("kitchen"), gasd_abi::FilterConfig::default(), 1).unwrap();
    train::pulses(&kernel, number, 4, 1_000_000_000);

    let mut daemon = start(&house, &store);
    said(&daemon, "and was set aside as");
    said(&daemon, "valve \"main\" is closed: what held this valve before is not known");
    said(&daemon, "valve \"garden\" is closed: what held this valve before is not known");
    daemon.wait_shown(4);
    wait("the status", || {
        daemon.listen();
        daemon.status.contains("kitchen: its total is not known: the store was lost at 20")
    });
    daemon.stop();
    let aside: Vec<PathBuf> = fs::read_dir(&disk)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_str().unwrap().contains("gasd.redb.damaged-"))
        .collect();
    assert_eq!(aside.len(), 1);
    assert_eq!(fs::read(&aside[0]).unwrap(), bytes);

    // It stays so over a restart, until somebody puts a good store in its place.
    let mut daemon = start(&house, &store);
    said(&daemon, "valve \"main\" is closed");
    // The holds still say why; a second loss there is none.
    assert!(!daemon.said().lines().any(|line| line.starts_with("gasd: the store")), "{}", daemon.said());
    wait("the status", || {
        daemon.listen();
        daemon.status.contains("its total is not known")
    });
    daemon.stop();
    let found = Store::open(&store).unwrap();
    assert_eq!(found.holds().unwrap().len(), 2);
    assert!(found.commanded().unwrap().iter().all(|(_, to)| *to != Position::Open), "nothing was opened");
    drop(found);
    unmount(&disk);
}
