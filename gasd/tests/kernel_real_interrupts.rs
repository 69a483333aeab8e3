// SPDX-License-Identifier: MIT OR Apache-2.0
//! Real interrupts: every interrupt of this machine's disk is an edge of a line, no more and no
//! less, while programs are replaced and the daemon is killed.
#![allow(clippy::unwrap_used, reason = "test code")]

mod kernel_house;

use std::{
    fs,
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use gasd::kernel::Kernel;
use gasd_abi::{Reason, records::{MAX_LINES, meter_key}};
use kernel_house::{House, SOON, daemon::Daemon, skip};

const TEST: &str = "kernel_real_interrupts";

/// Interrupts counted so far by number; summed over the CPUs.
fn counts() -> Vec<(u32, u64, String)> {
    let text = fs::read_to_string("/proc/interrupts").unwrap();
    let row = |line: &str| {
        let (irq, rest) = line.split_once(':')?;
        let count = rest.split_whitespace().map_while(|n| n.parse::<u64>().ok()).sum();
        Some((irq.trim().parse().ok()?, count, rest.to_owned()))
    };
    text.lines().filter_map(row).collect()
}

fn count_of(irq: u32) -> u64 {
    counts().into_iter().find(|(n, ..)| *n == irq).unwrap().1
}

/// A file whose blocks are read past the page cache.
struct Blocks(fs::File);

impl Blocks {
    fn new() -> Option<Blocks> {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("kernel_real_interrupts.blocks");
        fs::write(&path, vec![1u8; 8 << 20]).ok()?;
        fs::File::open(&path).ok()?.sync_all().ok()?;
        let file = fs::OpenOptions::new().read(true).custom_flags(libc::O_DIRECT).open(&path);
        // The open file goes on existing.
        let _ = fs::remove_file(&path);
        file.ok().map(Blocks)
    }

    fn read(&self, times: u64) {
        let mut block = vec![0u8; 8192];
        let start = block.as_ptr().align_offset(4096);
        for n in 0..times {
            self.0.read_exact_at(&mut block[start..start + 4096], (n * 37 % 2_000) * 4096).unwrap();
        }
    }

    /// The interrupt that reading makes.
    fn irq(&self) -> Option<u32> {
        let before = counts();
        self.read(200);
        let after = counts();
        let more = |(irq, count, name): &(u32, u64, String)| {
            let old = before.iter().find(|(n, ..)| n == irq)?.1;
            let disk = name.contains("req.") || name.contains("nvme") || name.contains("ahci");
            (disk && count - old >= 100).then_some((count - old, *irq))
        };
        after.iter().filter_map(more).max().map(|(_, irq)| irq)
    }
}

/// The interrupts and the edges of one quiet moment. Others use the disk, too.
fn quiet(kernel: &Kernel, line: u32, irq: u32) -> (u64, u64) {
    let start = Instant::now();
    loop {
        let before = (count_of(irq), kernel.state(line).edges);
        std::thread::sleep(Duration::from_millis(3));
        let after = (count_of(irq), kernel.state(line).edges);
        if before == after {
            return after;
        }
        assert!(start.elapsed() < SOON, "the disk is never quiet");
    }
}

#[test]
fn every_interrupt_of_the_disk_is_one_edge_over_swaps_and_kills() {
    let Some(house) = House::new(TEST) else { return };
    let Some(blocks) = Blocks::new() else {
        return skip(TEST, "no file that can be read past the page cache");
    };
    let Some(irq) = blocks.irq() else { return skip(TEST, "no disk interrupt") };
    house.must_load(&[]);
    let kernel = Kernel::open(&house.pins).unwrap();
    Daemon::start(&house).stop();
    let key = meter_key("kitchen");
    let line = (0..MAX_LINES).find(|l| kernel.line_config(*l).unwrap().key == key).unwrap();
    kernel.map_irq(line, irq).unwrap();
    let (interrupts, edges) = quiet(&kernel, line, irq);

    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                blocks.read(50);
            }
        });
        let swapper = scope.spawn(|| (0..25).for_each(|_| drop(house.must_load(&["--force"]))));
        for round in 0..20 {
            let daemon = Daemon::start(&house);
            std::thread::sleep(Duration::from_millis(10 * (round % 5)));
            daemon.kill9();
        }
        let swapped = swapper.join();
        stop.store(true, Ordering::Relaxed);
        reader.join().unwrap();
        swapped.unwrap();
    });
    let (interrupts_after, edges_after) = quiet(&kernel, line, irq);
    let made = interrupts_after - interrupts;
    println!("interrupt {irq}: {made} interrupts, {} edges", edges_after - edges);
    assert_eq!(edges_after - edges, made);
    assert!(made > 1_000, "too few interrupts to prove anything: {made}");
    let totals = kernel.totals(line).unwrap();
    assert_eq!(totals.edges, edges_after, "counters and live page");
    assert_eq!(totals.rejected[Reason::Contended as usize], 0);
    let pending = u64::from(kernel.state(line).pending);
    assert_eq!(totals.edges, totals.accepted + totals.rejected_total() + pending);
    assert_eq!(kernel.fall_through().unwrap(), 0);

    // An interrupt that is not ours is not counted.
    kernel.unmap_irq(irq).unwrap();
    let (_, edges) = quiet(&kernel, line, irq);
    blocks.read(200);
    assert_eq!(kernel.state(line).edges, edges);
}
