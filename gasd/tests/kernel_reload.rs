// SPDX-License-Identifier: MIT OR Apache-2.0
//! Another configuration under running meters: no pulse is lost, no hold, no memory, and a bad file
//! changes nothing.
#![allow(clippy::unwrap_used, reason = "test code")]

mod kernel_house;

use std::{
    fs,
    sync::atomic::{AtomicBool, Ordering},
    time::Instant,
};

use gasd::{
    kernel::{Kernel, sys::boottime_ns},
    state::Hold,
    store::{Store, StoredHold},
};
use gasd_abi::records::{MAX_LINES, meter_key};
use gasd_detect::{DEFAULT_THRESHOLDS_M3_PER_H, Engine, EngineConfig};
use kernel_house::{House, daemon::Daemon, meter, train};

const RELOADS: usize = 50;

fn line_of(kernel: &Kernel, meter: &str) -> u32 {
    let key = meter_key(meter);
    (0..MAX_LINES).find(|l| kernel.line_config(*l).unwrap().key == key).unwrap()
}

/// A fast meter: a pulse every 2 ms is none too many.
fn fast(id: &str, line: u32, volume: &str, more: &str) -> String {
    meter(id, line, &format!("max_flow = \"25 m3/h\"\n{more}")).replace("\"1 L\"", &format!("\"{volume}\""))
}

const THRESHOLDS: &str = "thresholds = { suspect = \"9 m3/h\", confirm = \"8 m3/h\", sustain = \"7 m3/h\" }";

/// The configurations that follow each other.
fn configure(house: &House, round: usize) {
    let kitchen = |volume, more: &str| fast("kitchen", 0, volume, &format!("valve = \"main\"\n{more}"));
    let boiler = |more: &str| fast("boiler", 1, "20 mL", more);
    let meters = match round % 6 {
        0 => vec![kitchen("20 mL", ""), boiler("")],
        1 => vec![fast("workshop", 2, "20 mL", ""), boiler(""), kitchen("20 mL", "")],
        2 => vec![kitchen("40 mL", THRESHOLDS), boiler("valve = \"main\"")],
        3 => vec![kitchen("40 mL", ""), boiler("filter = { min_width = \"200 us\", poll = \"10 ms\" }")],
        4 => vec![kitchen("20 mL", "filter = { min_idle = \"300 us\" }")],
        _ => vec![boiler(THRESHOLDS), kitchen("30 mL", "")],
    };
    house.configure(&meters, "[[valve]]\nid = \"main\"\nactuator = \"simulated\"\n");
}

fn hold(store: &std::path::Path) -> StoredHold {
    let store = Store::open(store).unwrap();
    let hold = StoredHold {
        valve: "main".into(),
        marks: Vec::new(),
        hold: Hold {
            cookie: store.next_ids().unwrap().cookie,
            owner: "operator".into(),
            reason: "a test".into(),
            verdict: None,
            uid: None,
            since_unix_us: 1,
        },
    };
    store.place_hold(hold.clone()).unwrap();
    hold
}

#[test]
fn every_edge_is_classified_once_over_fifty_reloads() {
    let Some(house) = House::new("kernel_reload") else { return };
    let held = hold(&house.store);
    configure(&house, 0);
    house.must_load(&[]);
    let kernel = Kernel::open(&house.pins).unwrap();
    let mut daemon = Daemon::start(&house);
    let lines = ["kitchen", "boiler"].map(|meter| line_of(&kernel, meter));
    let stop = AtomicBool::new(false);
    let begun = Instant::now();
    let mut shown = 0;
    let mut refused = 0;
    let played = std::thread::scope(|scope| {
        let generator = scope.spawn(|| train::real_time(&kernel, &lines, &stop, 0x4e10));
        let _stop = StopOnDrop(&stop);
        for round in 1..=RELOADS {
            if round % 10 == 0 {
                // Whatever is wrong, the meters before it go on as they were.
                let good = fs::read_to_string(&house.config).unwrap();
                let bad = if round % 20 == 0 {
                    good.replace("mL", "mm")
                } else {
                    good.replace("simulated", "simluated")
                };
                fs::write(&house.config, bad).unwrap();
                daemon.reload();
                refused += 1;
                // A thread of its own says it.
                let said = || daemon.said().matches("the new configuration was refused").count();
                kernel_house::wait("the word of a refusal", || said() >= refused);
                assert_eq!(said(), refused, "{}", daemon.said());
            }
            configure(&house, round);
            daemon.reload();
            daemon.listen();
            // The shown pulses are of the meters that are configured, so they fall when one goes.
            shown = daemon.shown.unwrap_or(0).max(shown);
        }
        stop.store(true, Ordering::Relaxed);
        generator.join().unwrap()
    });
    let seconds = begun.elapsed().as_secs_f64();
    // Round 50 has both again.
    let end = boottime_ns() + 1_000_000_000;
    for line in lines {
        kernel.sample(line, end, false, kernel.state(line).edges).unwrap();
    }
    daemon.stop();

    assert_eq!(["kitchen", "boiler"].map(|meter| line_of(&kernel, meter)), lines, "a line moved");
    for ((meter, line), times) in ["kitchen", "boiler"].iter().zip(lines).zip(&played) {
        let sum = kernel.totals(line).unwrap();
        let generated = times.len() as u64;
        assert_eq!(sum.edges, generated, "{meter}: {sum:?}");
        assert_eq!(sum.accepted + sum.rejected_total(), generated, "{meter}: {sum:?}");
        let base = house.base(meter);
        assert_eq!(base.pulses, sum.accepted, "{meter}: the total in the store");
        if *meter == "boiler" {
            assert_eq!(base.volume_ul, sum.accepted * 20_000, "a total over removals and returns");
        } else {
            let (least, most) = (sum.accepted * 20_000, sum.accepted * 40_000);
            assert!(base.volume_ul > least && base.volume_ul < most, "{meter}: {base:?}");
        }
        println!("{meter}: {generated} edges, {} pulses in {seconds:.1} s, {RELOADS} reloads", sum.accepted);
    }
    assert!(shown > 0);
    assert_eq!(kernel.fall_through().unwrap(), 0);
    // The valve is simulated, so that its name is all that the hold is of.
    let held = StoredHold { marks: vec!["main".into()], ..held };
    assert_eq!(Store::open(&house.store).unwrap().holds().unwrap(), [held], "the hold");
    let audit = Store::open(&house.store).unwrap().audit_tail(200).unwrap();
    let outcome =
        |word: &str| audit.iter().filter(|(_, e)| e.action == "reload" && e.outcome == word).count();
    assert_eq!((outcome("done"), outcome("refused")), (RELOADS, refused));
}

#[test]
fn a_meter_that_stays_keeps_the_memory_of_its_flow() {
    let Some(house) = House::new("kernel_reload, memory") else { return };
    let kitchen = meter("kitchen", 0, "");
    house.configure(&[kitchen.clone(), meter("boiler", 1, "")], "");
    house.must_load(&[]);
    let kernel = Kernel::open(&house.pins).unwrap();
    let mut daemon = Daemon::start(&house);
    let line = line_of(&kernel, "kitchen");

    // 9 m3/h at 1 L. How many pulses make the verdict, from nothing?
    const EVERY_NS: u64 = 400_000_000;
    let mut engine = Engine::new(EngineConfig {
        pulse_volume_ul: 1_000_000,
        max_flow_ul_per_h: 6_000_000_000,
        thresholds_m3_per_h: DEFAULT_THRESHOLDS_M3_PER_H,
        rules: gasd_detect::Profile::default().rules(),
    });
    let begin = 1_000_000_000;
    let needed =
        (1..50).find(|n| engine.pulse(begin + n * EVERY_NS, begin + n * EVERY_NS).is_some()).unwrap();
    let pulse = |n: u64| {
        for t in [0, 100_000_000] {
            kernel.edge(line, begin + n * EVERY_NS + t).unwrap();
        }
    };
    (1..needed).for_each(&pulse);
    daemon.wait_shown(needed - 1);
    assert!(!daemon.status.contains("1 verdicts open"), "{}", daemon.status);
    // Another meter changes, one comes; this one only gets another place in the file.
    let others = [meter("new", 2, ""), meter("boiler", 1, THRESHOLDS), kitchen];
    house.configure(&others, "");
    daemon.reload();
    pulse(needed);
    let start = Instant::now();
    while !daemon.status.contains("1 verdicts open") {
        assert!(start.elapsed() < kernel_house::SOON, "{}: {}", daemon.status, daemon.said());
        std::thread::sleep(std::time::Duration::from_millis(10));
        daemon.listen();
    }
    daemon.stop();
    let verdicts = Store::open(&house.store).unwrap().unacknowledged().unwrap();
    assert_eq!((verdicts.len(), verdicts[0].meter.as_str()), (1, "kitchen"));
}

#[test]
fn what_needs_a_restart_is_said_and_not_half_applied() {
    let Some(house) = House::new("kernel_reload, restart") else { return };
    house.must_load(&[]);
    let mut daemon = Daemon::start(&house);
    let two = [meter("kitchen", 0, ""), meter("boiler", 1, "")];
    house.configure(&two, "[[valve]]\nid = \"main\"\nactuator = \"simulated\"\n");
    daemon.reload();
    let words = "valve \"main\" was added (needs `systemctl restart gasd`)";
    kernel_house::wait(words, || daemon.said().contains(words));
    std::thread::sleep(std::time::Duration::from_millis(1200));
    daemon.listen();
    assert!(daemon.status.starts_with("1 meters,"), "{}", daemon.status);
    // Without the valve it is taken.
    house.configure(&two, "");
    daemon.reload();
    std::thread::sleep(std::time::Duration::from_millis(1200));
    daemon.listen();
    assert!(daemon.status.starts_with("2 meters,"), "{}", daemon.status);
    daemon.stop();
}

struct StopOnDrop<'a>(&'a AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
