// SPDX-License-Identifier: MIT OR Apache-2.0
//! Real interrupts: every interrupt of this machine's disk is an edge of a line, no more and no
//! less, while programs are replaced and the daemon is killed.
#![allow(clippy::unwrap_used, reason = "test code")]

mod kernel_house;

use std::{
    fs,
    os::{
        fd::OwnedFd,
        unix::fs::{FileExt, OpenOptionsExt},
    },
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use aya::{
    Btf, Ebpf,
    programs::{BtfTracePoint, ProgramInfo},
    sys::{Stats, enable_stats},
};
use gasd::kernel::Kernel;
use gasd_abi::{
    Reason,
    records::{MAX_LINES, meter_key},
};
use kernel_house::{House, SOON, daemon::Daemon, skip};

const TEST: &str = "kernel_real_interrupts";
const CLEAN_ROUNDS: u32 = 10;
const MOST_ROUNDS: u32 = 60;

static EMPTY: &[u8] = aya::include_bytes_aligned!(env!("GASD_EBPF_BENCH"));

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

/// An empty program on the same tracepoint that the kernel counts the runs of. There are moments in
/// which some kernels run no program at all for some interrupts; it tells them from an edge that gasd
/// lost.
struct Control {
    object: Ebpf,
    _stats: OwnedFd,
}

impl Control {
    fn attach() -> Option<Control> {
        let stats = enable_stats(Stats::RunTime).ok()?;
        let mut object = Ebpf::load(EMPTY).unwrap();
        let program: &mut BtfTracePoint = object.program_mut("gasd_empty").unwrap().try_into().unwrap();
        program.load("irq_handler_entry", &Btf::from_sys_fs().unwrap()).unwrap();
        program.attach().unwrap();
        Some(Control { object, _stats: stats })
    }

    fn runs(&self) -> u64 {
        self.object.program("gasd_empty").unwrap().info().unwrap().run_count()
    }
}

/// What was counted by a quiet moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Moment {
    /// Interrupts of the disk, and all others that have a handler.
    disk: u64,
    all: u64,
    edges: u64,
    /// Runs of the dispatcher, and of the control.
    ours: u64,
    control: u64,
}

struct Watch<'a> {
    kernel: &'a Kernel,
    control: &'a Control,
    line: u32,
    irq: u32,
    dispatcher: PathBuf,
}

impl Watch<'_> {
    fn now(&self) -> Moment {
        let counts = counts();
        Moment {
            disk: counts.iter().find(|(n, ..)| *n == self.irq).unwrap().1,
            all: counts.iter().map(|(_, n, _)| n).sum(),
            edges: self.kernel.state(self.line).edges,
            ours: ProgramInfo::from_pin(&self.dispatcher).unwrap().run_count(),
            control: self.control.runs(),
        }
    }

    /// Others use the disk, too: reads until nothing moves.
    fn quiet(&self) -> Moment {
        let start = Instant::now();
        loop {
            let before = self.now();
            std::thread::sleep(Duration::from_millis(3));
            if before == self.now() {
                return before;
            }
            assert!(start.elapsed() < SOON, "the machine is never quiet");
        }
    }
}

#[test]
fn every_interrupt_of_the_disk_is_one_edge_over_swaps_and_kills() {
    let Some(house) = House::new(TEST) else { return };
    let Some(blocks) = Blocks::new() else {
        return skip(TEST, "no file that can be read past the page cache");
    };
    let Some(irq) = blocks.irq() else { return skip(TEST, "no disk interrupt") };
    let Some(control) = Control::attach() else { return skip(TEST, "no run counters") };
    house.must_load(&[]);
    let kernel = Kernel::open(&house.pins).unwrap();
    Daemon::start(&house).stop();
    let key = meter_key("kitchen");
    let line = (0..MAX_LINES).find(|l| kernel.line_config(*l).unwrap().key == key).unwrap();
    kernel.map_irq(line, irq).unwrap();
    let dispatcher = kernel.pins().dispatch().join("dispatcher");
    let watch = Watch { kernel: &kernel, control: &control, line, irq, dispatcher };

    let (mut clean, mut interrupts, mut left_out, mut round) = (0, 0, 0, 0);
    while clean < CLEAN_ROUNDS && round < MOST_ROUNDS {
        round += 1;
        let before = watch.quiet();
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let reader = scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    blocks.read(50);
                }
            });
            let swapper = scope.spawn(|| drop(house.must_load(&["--force"])));
            let daemon = Daemon::start(&house);
            std::thread::sleep(Duration::from_millis(10 * u64::from(round % 4)));
            daemon.kill9();
            let swapped = swapper.join();
            stop.store(true, Ordering::Relaxed);
            reader.join().unwrap();
            swapped.unwrap();
        });
        let after = watch.quiet();
        let made = after.disk - before.disk;
        let edges = after.edges - before.edges;
        let unseen = (after.all - before.all).saturating_sub(after.control - before.control);
        assert!(edges <= made, "round {round}: {edges} edges of {made} interrupts");
        assert!(made - edges <= unseen, "round {round}: {edges} edges of {made} interrupts, {unseen} unseen");
        assert_eq!(after.ours - before.ours, after.control - before.control, "round {round}");
        if unseen == 0 {
            assert_eq!(edges, made, "round {round}");
            (clean, interrupts) = (clean + 1, interrupts + made);
        } else {
            left_out += unseen;
        }
    }
    println!(
        "interrupt {irq}: {interrupts} interrupts and as many edges in {clean} rounds; in {} more the kernel \
         ran no program at all for {left_out} interrupts",
        round - clean
    );
    let totals = kernel.totals(line).unwrap();
    let state = kernel.state(line);
    assert_eq!(totals.edges, totals.accepted + totals.rejected_total() + u64::from(state.pending));
    assert_eq!(totals.rejected[Reason::Contended as usize], 0);
    assert_eq!(kernel.fall_through().unwrap(), 0);
    if clean < CLEAN_ROUNDS {
        skip(TEST, "this kernel left programs out in every round; nothing was lost beyond that");
    } else {
        assert!(interrupts > 1_000, "too few interrupts to prove anything: {interrupts}");
    }

    // An interrupt that is not ours is not counted.
    kernel.unmap_irq(irq).unwrap();
    let edges = watch.quiet().edges;
    blocks.read(200);
    assert_eq!(watch.quiet().edges, edges);
}
