// SPDX-License-Identifier: MIT OR Apache-2.0
//! Nothing is lost: under a train of edges on three lines the daemon is killed a hundred times, the
//! programs are replaced a hundred times, and in the middle the next layout takes over. Every edge is
//! classified once and every pulse is in the total once.
#![allow(clippy::unwrap_used, reason = "test code")]

mod kernel_house;

use std::{
    path::{Path, PathBuf},
    sync::{
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc::channel,
    },
    time::{Duration, Instant},
};

use gasd::{
    kernel::{Kernel, handover::Generation, sys::boottime_ns},
    store::Base,
};
use gasd_abi::{
    FilterConfig, FilterState, Reason, Totals, filter,
    outcome::{PULSE, RECOVERED, STALE},
    records::{MAX_LINES, meter_key},
};
use kernel_house::{GASD, House, daemon::Daemon, meter, next::next_layout, random::Random, train};

const KILLS: usize = 100;
const SWAPS: usize = 100;
const SEED: u64 = 0x10_5700;
const METERS: [&str; 3] = ["kitchen", "boiler", "workshop"];

fn line_of(kernel: &Kernel, meter: &str) -> u32 {
    let key = meter_key(meter);
    (0..MAX_LINES).find(|l| kernel.line_config(*l).unwrap().key == key).unwrap()
}

/// The same edges through the filter here, with nothing in between.
fn undisturbed(config: &FilterConfig, times: &[u64], end: u64) -> u64 {
    let mut state = FilterState::default();
    for t in times {
        filter::edge(config, &mut state, *t);
    }
    let edges = state.edges;
    filter::sample(config, &mut state, end, 0, edges);
    state.accepted
}

/// What the kernel holds of a line, over all generations.
fn counted(generations: &[Generation], line: u32, cpus: usize) -> Totals {
    let mut sum = Totals::default();
    for generation in generations {
        sum.add(&generation.totals(line, cpus).unwrap());
    }
    sum
}

/// What each restart finds in the store, and what it may never see.
struct Ledger {
    /// Pulses of generations that no longer count, by meter.
    before: [u64; METERS.len()],
    bases: [Base; METERS.len()],
    shown: u64,
}

impl Ledger {
    /// Looks into the store while no daemon runs.
    fn check(&mut self, house: &House) {
        for ((meter, before), last) in METERS.iter().zip(self.before).zip(&mut self.bases) {
            let base = house.base(meter);
            assert!(base.pulses >= last.pulses, "{meter} went down from {last:?} to {base:?}");
            assert!(base.volume_ul >= last.volume_ul, "{meter} went down from {last:?} to {base:?}");
            if base.generation == last.generation {
                let since = base.kernel_at - last.kernel_at;
                assert_eq!(base.pulses - last.pulses, since, "{meter}: {last:?} to {base:?}");
            } else {
                assert_eq!(base.pulses, before + base.kernel_at, "{meter}: {last:?} to {base:?}");
            }
            *last = base;
        }
    }

    fn show(&mut self, shown: Option<u64>) {
        if let Some(shown) = shown {
            assert!(shown >= self.shown, "the shown total went down from {} to {shown}", self.shown);
            self.shown = shown;
        }
    }
}

/// Starts the daemon and kills it, at any moment of its life.
fn live_and_die(house: &House, gasd: &Path, random: &mut Random, round: usize, ledger: &mut Ledger) {
    let mut daemon = Daemon::spawn(house, house.run_command(gasd, &[]));
    if round % 20 == 19 {
        // Long enough to tell its manager what it counts.
        daemon.wait_ready();
        let start = Instant::now();
        while daemon.shown.is_none() && start.elapsed() < kernel_house::SOON {
            daemon.listen();
            std::thread::sleep(Duration::from_millis(10));
        }
        assert!(daemon.shown.is_some(), "{}", daemon.said());
    } else if round.is_multiple_of(2) {
        daemon.wait_ready();
        std::thread::sleep(Duration::from_millis(random.below(80)));
    } else {
        std::thread::sleep(Duration::from_millis(random.below(60)));
    }
    ledger.show(daemon.kill9());
    ledger.check(house);
}

#[test]
fn every_edge_is_classified_once_over_kills_swaps_and_a_new_layout() {
    let Some(house) = House::new("kernel_nothing_lost") else { return };
    let next = next_layout();
    println!("seed {SEED:#x}");
    let begun = Instant::now();
    let fast = |(at, id): (usize, &&str)| meter(id, at as u32, "").replace("\"1 L\"", "\"1 mL\"");
    house.configure(&METERS.iter().enumerate().map(fast).collect::<Vec<_>>(), "");
    house.must_load(&[]);
    let kernel = Kernel::open(&house.pins).unwrap();
    // The first daemon gives the lines out.
    Daemon::start(&house).kill9();
    let lines = METERS.map(|m| line_of(&kernel, m));
    let filter = kernel.line_config(lines[0]).unwrap().filter;
    let mut ledger = Ledger { before: [0; 3], bases: Default::default(), shown: 0 };
    let mut generations = vec![Generation::open(&kernel.pins().generation(1)).unwrap()];
    let stop = AtomicBool::new(false);
    let swaps = AtomicUsize::new(0);
    let swap_all = |gasd: &Path, from: usize, to: usize| {
        for _ in from..to {
            let ended = house.load_with(gasd, &["--force"]);
            assert_eq!(ended.code, Some(0), "{ended:?}");
            swaps.fetch_add(1, Ordering::Relaxed);
        }
    };
    let this = PathBuf::from(GASD);
    let after = next.clone().unwrap_or_else(|| this.clone());
    let (half, third) = (SWAPS / 2, channel::<()>());
    let mut random = Random(SEED);
    let played = std::thread::scope(|scope| {
        let generator = scope.spawn(|| train::real_time(&kernel, &lines, &stop, SEED));
        // Whatever fails, the generator ends.
        let _stop = StopOnDrop(&stop);
        let (go, wait_for_layout) = third;
        let first = this.clone();
        let swap_all = &swap_all;
        let second = after.clone();
        let swapper = scope.spawn(move || {
            swap_all(&first, 0, half);
            if wait_for_layout.recv().is_ok() {
                swap_all(&second, half, SWAPS);
            }
        });
        for round in 1..KILLS / 2 {
            live_and_die(&house, &this, &mut random, round, &mut ledger);
        }
        // The next layout takes over from under a living daemon of the old one.
        let old = Daemon::start(&house);
        kernel_house::wait("the first half of the swaps", || swaps.load(Ordering::Relaxed) >= half);
        if let Some(next) = &next {
            let ended = house.load_with(next, &[]);
            assert_eq!(ended.code, Some(0), "{ended:?}");
            assert!(ended.out.contains("took 3 lines over"), "{ended:?}");
            generations.push(Generation::open(&kernel.pins().generation(2)).unwrap());
            let final_of = |line| generations[0].line(line).unwrap().unwrap().accepted;
            ledger.before = lines.map(final_of);
        }
        ledger.show(old.kill9());
        ledger.check(&house);
        go.send(()).unwrap();
        for round in KILLS / 2..KILLS {
            live_and_die(&house, &after, &mut random, round, &mut ledger);
        }
        swapper.join().unwrap();
        stop.store(true, Ordering::Relaxed);
        generator.join().unwrap()
    });
    let seconds = begun.elapsed().as_secs_f64();

    // Settle: the contacts are open, and somebody reads that.
    let end = boottime_ns() + 1_000_000_000;
    for line in lines {
        let edges = generations.last().unwrap().line(line).unwrap().unwrap().edges;
        let flags = kernel.sample(line, end, false, edges).unwrap();
        assert_eq!(flags & (RECOVERED | STALE | PULSE), 0, "line {line}");
        let settled = generations.last().unwrap().line(line).unwrap().unwrap();
        assert_eq!(settled.handover.pending, 0, "line {line}: {settled:?}");
    }
    let daemon = Daemon::spawn(&house, house.run_command(&after, &[]));
    let mut daemon = daemon;
    daemon.wait_ready();
    daemon.stop();
    ledger.check(&house);

    let mut pulses = 0;
    for ((meter, line), times) in METERS.iter().zip(lines).zip(&played) {
        let sum = counted(&generations, line, kernel.cpus());
        let generated = times.len() as u64;
        assert_eq!(sum.edges, generated, "{meter}: {sum:?}");
        assert_eq!(sum.accepted + sum.rejected_total(), generated, "{meter}: {sum:?}");
        assert_eq!(sum.recovered, 0, "{meter}: {sum:?}");
        assert_eq!(sum.resyncs, 0, "{meter}: {sum:?}");
        assert_eq!(sum.rejected[Reason::Contended as usize], 0, "{meter}: {sum:?}");
        let accepted: u64 = generations.iter().map(|g| g.line(line).unwrap().unwrap().accepted).sum();
        assert_eq!(sum.accepted, accepted, "{meter}: counters and live page");
        let base = house.base(meter);
        assert_eq!(
            (base.pulses, base.volume_ul),
            (accepted, accepted * 1_000),
            "{meter}: the total in the store"
        );
        // Neither swaps nor a takeover by another layout change what is a pulse.
        let here = undisturbed(&filter, times, end);
        println!("{meter}: {generated} edges, {accepted} pulses, {here} undisturbed");
        assert_eq!(accepted, here, "{meter}: pulses, and those of a line that nobody disturbed");
        pulses += accepted;
    }
    assert_eq!(kernel.fall_through().unwrap(), 0);
    assert_eq!(swaps.load(Ordering::Relaxed), SWAPS);
    let edges: usize = played.iter().map(Vec::len).sum();
    println!(
        "{edges} edges, {pulses} pulses ({:.0} a second and line) over {KILLS} kills, {SWAPS} swaps, {} generations in {seconds:.1} s",
        pulses as f64 / seconds / 3.0,
        generations.len()
    );
    assert!(pulses as f64 / seconds / 3.0 > 100.0, "the train was too slow to prove anything");
}

struct StopOnDrop<'a>(&'a AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
