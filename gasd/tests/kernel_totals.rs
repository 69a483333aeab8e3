// SPDX-License-Identifier: MIT OR Apache-2.0
//! Totals: pulses are added once and never taken away, whatever ends and whatever begins anew.
#![allow(clippy::unwrap_used, reason = "test code")]

mod kernel_house;

use std::{fs, path::Path, time::Duration};

use gasd::kernel::{Kernel, handover::Generation};
use gasd_abi::{
    FilterConfig,
    records::{LINE_SIMULATED, MAX_LINES, meter_key},
};
use kernel_house::{GASD, House, daemon::Daemon, meter, next::next_layout, random::Random, run, train, wait};

/// A player of one line: knows what time it is there.
struct Player {
    kernel: Kernel,
    line: u32,
    now: u64,
}

impl Player {
    /// Opens the pins; the daemon has given the line out.
    fn new(house: &House) -> Player {
        let kernel = Kernel::open(&house.pins).unwrap();
        let key = meter_key("kitchen");
        let line = (0..MAX_LINES).find(|l| kernel.line_config(*l).unwrap().key == key).unwrap();
        Player { kernel, line, now: 1_000_000_000 }
    }

    fn pulses(&mut self, n: u64) {
        self.now = train::pulses(&self.kernel, self.line, n, self.now);
    }

    fn accepted(&self) -> u64 {
        self.kernel.state(self.line).accepted
    }
}

/// Starts the daemon, sees what it shows, and ends it in good order.
fn shows(house: &House, gasd: &Path, pulses: u64) {
    let mut daemon = Daemon::spawn(house, house.run_command(gasd, &[]));
    daemon.wait_ready();
    daemon.wait_shown(pulses);
    daemon.stop();
    assert_eq!(house.base("kitchen").pulses, pulses);
    assert_eq!(house.base("kitchen").volume_ul, pulses * 1_000_000);
}

#[test]
fn pulses_are_added_once_over_kills_and_restarts() {
    let Some(house) = House::new("kernel_totals") else { return };
    house.must_load(&[]);
    let this = Path::new(GASD);
    let mut daemon = Daemon::start(&house);
    let mut player = Player::new(&house);
    player.pulses(10);
    daemon.wait_shown(10);
    daemon.kill9();
    // Nobody is there, the kernel counts.
    player.pulses(7);
    assert_eq!(player.accepted(), 17);
    shows(&house, this, 17);
    shows(&house, this, 17);
    // At any moment of a life, also while it starts.
    let mut random = Random(0x70_7a15);
    let mut given = 17;
    for _ in 0..30 {
        let daemon = Daemon::spawn(&house, house.run_command(this, &[]));
        player.pulses(2);
        given += 2;
        std::thread::sleep(Duration::from_millis(random.below(50)));
        daemon.kill9();
        let base = house.base("kitchen");
        assert_eq!(base.pulses, base.kernel_at);
        assert!(base.pulses <= given);
    }
    shows(&house, this, given);
}

#[test]
fn a_reboot_begins_new_counters_and_keeps_the_total() {
    let Some(house) = House::new("kernel_totals, reboot") else { return };
    let this = Path::new(GASD);
    house.must_load(&[]);
    let mut daemon = Daemon::start(&house);
    let mut player = Player::new(&house);
    player.pulses(12);
    daemon.wait_shown(12);
    daemon.stop();
    let generation = player.kernel.generation();
    drop(player);
    // An orderly reboot loses nothing.
    house.reboot();
    house.must_load(&[]);
    let daemon = Daemon::start(&house);
    let mut player = Player::new(&house);
    assert_ne!(player.kernel.generation(), generation);
    assert_eq!(player.accepted(), 0);
    player.pulses(5);
    daemon.kill9();
    shows(&house, this, 17);
    // A power cut loses what came after the last commit, never more.
    player.pulses(3);
    drop(player);
    house.reboot();
    house.must_load(&[]);
    shows(&house, this, 17);
    // As does unloading by hand, which says so and asks first.
    let refused = run(unload_without_consent(&house));
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(house.pins.join("v1").exists());
    assert_eq!(house.unload().code, Some(0));
    house.must_load(&[]);
    shows(&house, this, 17);
}

#[test]
fn a_while_in_user_space_adds_nothing_twice() {
    let Some(house) = House::new("kernel_totals, user space") else { return };
    let this = Path::new(GASD);
    house.must_load(&[]);
    let mut daemon = Daemon::start(&house);
    let mut player = Player::new(&house);
    player.pulses(12);
    daemon.wait_shown(12);
    // A daemon in user space has no business where another one works.
    let other = house.root.join("other.redb");
    let refused = run(house.run_command(this, &["--userspace", "--store", other.to_str().unwrap()]));
    assert_eq!((refused.code, other.exists()), (Some(5), false), "{refused:?}");
    daemon.stop();
    // Counted while nobody looks, and an interrupt that must not be counted on both sides.
    player.pulses(3);
    player.kernel.map_irq(player.line, 4_000).unwrap();
    for _ in 0..3 {
        let mut alone = Daemon::spawn(&house, house.run_command(this, &["--userspace"]));
        alone.wait_ready();
        alone.wait_shown(15);
        assert_eq!(player.kernel.line_of_irq(4_000).unwrap(), None);
        alone.stop();
        shows(&house, this, 15);
    }
    player.pulses(2);
    shows(&house, this, 17);
}

#[test]
fn nothing_is_unloaded_under_a_running_daemon() {
    let Some(house) = House::new("kernel_totals, unload") else { return };
    house.must_load(&[]);
    let daemon = Daemon::start(&house);
    let refused = house.unload();
    assert_eq!(refused.code, Some(5), "{refused:?}");
    assert!(refused.err.contains("systemctl stop gasd"), "{refused:?}");
    let mut player = Player::new(&house);
    player.pulses(2);
    daemon.stop();
    assert_eq!(house.base("kitchen").pulses, 2);
    assert_eq!(house.unload().code, Some(0));
}

#[test]
fn a_missing_pin_is_named_and_nothing_is_touched() {
    let Some(house) = House::new("kernel_totals, damaged") else { return };
    for pin in ["v1/maps/totals", "dispatch/slots"] {
        house.unload();
        house.must_load(&[]);
        fs::remove_file(house.pins.join(pin)).unwrap();
        let listing = house.listing();
        for ended in [house.load(&[]), run(house.run_command(Path::new(GASD), &[]))] {
            assert_eq!(ended.code, Some(6), "{ended:?}");
            assert!(ended.err.contains(&format!("{pin} is missing")), "{ended:?}");
        }
        assert_eq!(house.listing(), listing);
    }
}

#[test]
fn meters_that_do_not_fit_take_no_line() {
    let Some(house) = House::new("kernel_totals, full") else { return };
    house.must_load(&[]);
    let kernel = Kernel::open(&house.pins).unwrap();
    for key in 1..=u64::from(MAX_LINES) - 1 {
        kernel.assign(key, FilterConfig::default(), LINE_SIMULATED).unwrap();
    }
    house.configure(&[meter("kitchen", 0, ""), meter("boiler", 1, "")], "");
    let refused = run(house.run_command(Path::new(GASD), &[]));
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert_eq!(kernel.line_config(MAX_LINES - 1).unwrap().key, 0, "the free line was given out");
    house.configure(&[meter("kitchen", 0, "")], "");
    Daemon::start(&house).stop();
}

fn unload_without_consent(house: &House) -> std::process::Command {
    let mut command = std::process::Command::new(GASD);
    command.args(["unload", "--pins"]).arg(&house.pins);
    command
}

#[test]
fn a_new_layout_takes_the_counts_over_and_back() {
    let Some(house) = House::new("kernel_totals, layout") else { return };
    let Some(next) = next_layout() else { return };
    let this = Path::new(GASD);
    house.must_load(&[]);
    let mut daemon = Daemon::start(&house);
    let mut player = Player::new(&house);
    player.pulses(20);
    daemon.wait_shown(20);
    // Half a pulse is under way when the layout changes.
    player.now += 50_000_000;
    player.kernel.edge(player.line, player.now).unwrap();
    let ended = house.load_with(&next, &[]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    player.now += 50_000_000;
    player.kernel.edge(player.line, player.now).unwrap();
    player.pulses(4);
    daemon.kill9();
    let v2 = Generation::open(&player.kernel.pins().generation(2)).unwrap();
    assert_eq!(v2.line(player.line).unwrap().unwrap().accepted, 5);
    assert_eq!(player.accepted(), 20);
    // The old program must not count on with what no longer counts, and must not touch the new.
    let before = house.listing();
    let old = run(house.run_command(this, &[]));
    assert_eq!(old.code, Some(6), "{old:?}");
    assert!(old.err.contains("layout v2"), "{old:?}");
    assert_eq!(house.listing(), before);
    // A new daemon that dies between writing the totals down and removing the old pins, or anywhere.
    let mut random = Random(0x1a_0007);
    for _ in 0..15 {
        let daemon = Daemon::spawn(&house, house.run_command(&next, &[]));
        std::thread::sleep(Duration::from_millis(random.below(40)));
        daemon.kill9();
    }
    shows(&house, &next, 25);
    assert!(!house.pins.join("v1").exists(), "the pins that no longer count are gone");
    // And back: a downgrade.
    let ended = house.load(&[]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    player.pulses(3);
    let daemon = Daemon::start(&house);
    wait("the removal of the other layout's pins", || !house.pins.join("v2").exists());
    daemon.kill9();
    shows(&house, this, 28);
    assert_eq!(house.listing().iter().filter(|l| l.starts_with("old")).count(), 0);
}
