// SPDX-License-Identifier: MIT OR Apache-2.0
//! What an interrupt costs, by the kernel's own `run_time_ns / run_cnt`, beside an empty program in
//! the same run. Needs root.
//!
//! Real interrupts are made by reading a file past the page cache; the disk's interrupt is mapped
//! to a line for the first figure and left unmapped (foreign) for the second.

mod house;

use std::{
    fs::{self, File},
    path::Path,
};

use aya::{
    Btf, Ebpf,
    maps::ProgramArray,
    programs::{BtfTracePoint, ProgramInfo, RawTracePoint},
    sys::{Stats, enable_stats},
};
use gasd::kernel::{Kernel, load};
use gasd_abi::{FilterConfig, records::LINE_SIMULATED};

use house::{Any, disk_file, disk_irq, make_interrupts, with_pins};

static EMPTY: &[u8] = aya::include_bytes_aligned!(env!("GASD_EBPF_BENCH"));

const ROUNDS: usize = 20;
const READS: u64 = 4_000;
const TWIN_EDGES: u64 = 200_000;

#[derive(Clone, Copy, Default)]
struct Count {
    time_ns: f64,
    runs: f64,
}

fn read(path: &Path) -> Result<Count, Any> {
    let info = ProgramInfo::from_pin(path)?;
    Ok(Count { time_ns: info.run_time().as_nanos() as f64, runs: info.run_count() as f64 })
}

fn per_run(before: Count, after: Count) -> f64 {
    (after.time_ns - before.time_ns) / (after.runs - before.runs).max(1.0)
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn main() -> Result<(), Any> {
    with_pins(measure)
}

/// What was measured while the programs ran in one order on the tracepoint.
#[derive(Default)]
struct Place {
    ours: Vec<f64>,
    ours_empty: Vec<f64>,
    foreign: Vec<f64>,
    foreign_empty: Vec<f64>,
}

fn measure(root: &Path) -> Result<(), Any> {
    let mut empty = Ebpf::load(EMPTY)?;
    let program: &mut BtfTracePoint = empty.program_mut("gasd_empty").ok_or("gasd_empty")?.try_into()?;
    program.load("irq_handler_entry", &Btf::from_sys_fs()?)?;
    let empty_pin = root.join("empty");
    program.pin(&empty_pin)?;
    let _stats = enable_stats(Stats::RunTime)?;
    let (disk, irq) = (disk_file("kernel_cost")?, disk_irq()?);

    // The first program on a tracepoint finds colder caches than the second, so ours and the empty one
    // change places, and figures are compared place by place.
    let mut places = [Place::default(), Place::default()];
    for round in 0..ROUNDS {
        let first = round % 2 == 0;
        let attach_empty = |program: &mut BtfTracePoint| program.attach();
        let mut link = None;
        if !first {
            link = Some(attach_empty(program)?);
        }
        load::load(root, false)?;
        if first {
            link = Some(attach_empty(program)?);
        }
        let kernel = Kernel::open(root)?;
        let line = kernel.assign(1, FilterConfig::default(), LINE_SIMULATED)?;
        let dispatcher = root.join("dispatch/dispatcher");
        for mine in [true, false] {
            if mine {
                kernel.map_irq(line, irq)?
            } else {
                kernel.unmap_irq(irq)?
            }
            make_interrupts(&disk, READS / 10)?;
            let (a, e) = (read(&dispatcher)?, read(&empty_pin)?);
            make_interrupts(&disk, READS)?;
            let (a2, e2) = (read(&dispatcher)?, read(&empty_pin)?);
            let (own, other) = (&mut places[usize::from(!first)], usize::from(first));
            if mine {
                own.ours.push(per_run(a, a2));
                places[other].ours_empty.push(per_run(e, e2));
            } else {
                own.foreign.push(per_run(a, a2));
                places[other].foreign_empty.push(per_run(e, e2));
            }
        }
        if let Some(link) = link {
            program.detach(link)?;
        }
        load::unload(root)?;
    }
    println!(
        "ns per interrupt by run_time_ns/run_cnt, medians of {ROUNDS} rounds of {READS} real interrupts (irq {irq}):"
    );
    println!("  {:44} {:>7} {:>13} {:>9}", "", "ours", "empty there", "over it");
    for (name, place) in ["first on the tracepoint", "second"].iter().zip(&mut places) {
        let (o, oe) = (median(&mut place.ours), median(&mut place.ours_empty));
        let (f, fe) = (median(&mut place.foreign), median(&mut place.foreign_empty));
        println!("  our interrupt, {name:29} {o:>7.1} {oe:>13.1} {:>9.1}", o - oe);
        println!("  a foreign interrupt, {name:23} {f:>7.1} {fe:>13.1} {:>9.1}", f - fe);
    }
    parts(root, &mut empty, &disk)?;
    twin(root, &mut empty)
}

/// What any such program has to do, one thing a program, alone on the tracepoint.
fn parts(root: &Path, object: &mut Ebpf, disk: &File) -> Result<(), Any> {
    const PARTS: [(&str, &str); 4] = [
        ("gasd_empty", "nothing"),
        ("gasd_part_lookup", "the lookup of its line"),
        ("gasd_part_jump", "the jump through a slot"),
        ("gasd_part_time", "the time (bpf_ktime_get_boot_ns)"),
    ];
    let btf = Btf::from_sys_fs()?;
    let end: &mut BtfTracePoint = object.program_mut("gasd_part_end").ok_or("part_end")?.try_into()?;
    end.load("irq_handler_entry", &btf)?;
    let end = end.fd()?.try_clone()?;
    let mut slots = ProgramArray::try_from(object.take_map("PART_SLOTS").ok_or("PART_SLOTS")?)?;
    slots.set(0, &end, 0)?;
    for (name, _) in &PARTS[1..] {
        let program: &mut BtfTracePoint = object.program_mut(name).ok_or(*name)?.try_into()?;
        program.load("irq_handler_entry", &btf)?;
        program.pin(root.join(name))?;
    }
    fs::rename(root.join("empty"), root.join(PARTS[0].0))?;
    let mut found: [Vec<f64>; PARTS.len()] = Default::default();
    for _ in 0..ROUNDS / 2 {
        for ((name, _), found) in PARTS.iter().zip(&mut found) {
            let program: &mut BtfTracePoint = object.program_mut(name).ok_or(*name)?.try_into()?;
            let link = program.attach()?;
            make_interrupts(disk, READS / 10)?;
            let before = read(&root.join(name))?;
            make_interrupts(disk, READS)?;
            found.push(per_run(before, read(&root.join(name))?));
            program.detach(link)?;
        }
    }
    println!("  of that, what any such program does, alone on the tracepoint, over the empty one:");
    let mut medians = found.iter_mut().map(|found| median(found));
    let nothing = medians.next().unwrap_or(f64::NAN);
    for ((_, what), ns) in PARTS[1..].iter().zip(medians) {
        println!("    {what:42} {ns:>7.1} {nothing:>13.1} {:>9.1}", ns - nothing);
    }
    Ok(())
}

/// The raw_tp twin in a loop: everything in the caches.
fn twin(root: &Path, empty: &mut Ebpf) -> Result<(), Any> {
    load::load(root, false)?;
    let kernel = Kernel::open(root)?;
    let twin: &mut RawTracePoint = empty.program_mut("gasd_empty_twin").ok_or("twin")?.try_into()?;
    twin.load()?;
    let empty_twin_pin = root.join("empty_twin");
    twin.pin(&empty_twin_pin)?;
    let empty_twin = gasd::kernel::sys::obj_get(&empty_twin_pin)?;
    let twin_dispatcher = root.join("dispatch/twin");
    // Synthetic edges 50 ms apart: every second one decides a pulse (event, bucket, counters).
    let (mut twin_ours, mut twin_empty) = (vec![], vec![]);
    let simulated = kernel.assign(2, FilterConfig::default(), LINE_SIMULATED)?;
    let mut t = 1_000_000_000u64;
    for _ in 0..5 {
        let before = read(&twin_dispatcher)?;
        let before_empty = read(&empty_twin_pin)?;
        for _ in 0..TWIN_EDGES {
            t += 50_000_000;
            kernel.edge(simulated, t)?;
            gasd::kernel::sys::test_run(std::os::fd::AsFd::as_fd(&empty_twin), &[0; 8])?;
        }
        twin_ours.push(per_run(before, read(&twin_dispatcher)?));
        twin_empty.push(per_run(before_empty, read(&empty_twin_pin)?));
    }
    let (s, se) = (median(&mut twin_ours), median(&mut twin_empty));
    println!("  {:44} {s:>7.1} {se:>13.1} {:>9.1}", "raw_tp twin, every 2nd edge decides a pulse", s - se);
    println!(
        "  edges counted by the twin: {}, fell through: {}",
        kernel.totals(simulated)?.edges,
        kernel.fall_through()?
    );
    Ok(())
}
