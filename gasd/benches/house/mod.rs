// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the kernel benches share: pins of their own, and a device that makes real interrupts.
#![allow(dead_code, reason = "each bench uses its part")]

use std::{
    fs,
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::Path,
    process::Command,
};

use gasd::kernel::load;

/// Any error.
pub type Any = Box<dyn std::error::Error>;

/// Runs `work` with a BPF file system of its own and cleans up after it.
pub fn with_pins(work: impl FnOnce(&Path) -> Result<(), Any>) -> Result<(), Any> {
    let root = tempfile::tempdir()?;
    if !Command::new("mount").args(["-t", "bpf", "bpf"]).arg(root.path()).status()?.success() {
        return Err("mounting a BPF file system failed; run as root".into());
    }
    let result = work(root.path());
    let _ = load::unload(root.path());
    Command::new("umount").arg(root.path()).status()?;
    result
}

/// The busiest disk interrupt.
pub fn disk_irq() -> Result<u32, Any> {
    let interrupts = fs::read_to_string("/proc/interrupts")?;
    let found = interrupts.lines().filter(|l| l.contains("req.") || l.contains("nvme")).filter_map(|l| {
        let (irq, rest) = l.split_once(':')?;
        let counts = rest.split_whitespace().map_while(|n| n.parse::<u64>().ok());
        Some((counts.sum::<u64>(), irq.trim().parse::<u32>().ok()?))
    });
    let (_, irq) = found.max().ok_or("no disk interrupt in /proc/interrupts")?;
    Ok(irq)
}

/// The CPU that an interrupt is delivered to now.
pub fn cpu_of_irq(irq: u32) -> Result<usize, Any> {
    let list = fs::read_to_string(format!("/proc/irq/{irq}/effective_affinity_list"))?;
    Ok(list.trim().split([',', '-']).next().ok_or("no CPU")?.parse()?)
}

/// Keeps the calling thread on the CPUs that are wanted; on all where there are none.
pub fn pin(wanted: impl Fn(usize) -> bool) {
    // SAFETY: sysconf has no preconditions. The set is bits without pointers, empty when all zero, and
    // the calls get a live one.
    unsafe {
        // Not `available_parallelism`, which counts the CPUs that this thread is kept on already.
        let cpus = usize::try_from(libc::sysconf(libc::_SC_NPROCESSORS_ONLN)).unwrap_or(1);
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        (0..cpus).filter(|&cpu| wanted(cpu)).for_each(|cpu| libc::CPU_SET(cpu, &mut set));
        if libc::CPU_COUNT(&set) > 0 {
            libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const set);
        }
    }
}

/// A file whose blocks are read past the page cache: one interrupt each.
pub fn disk_file(name: &str) -> Result<fs::File, Any> {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.blocks"));
    fs::write(&path, vec![1u8; 32 << 20])?;
    fs::File::open(&path)?.sync_all()?;
    Ok(fs::OpenOptions::new().read(true).custom_flags(libc::O_DIRECT).open(&path)?)
}

/// Reads that many blocks.
pub fn make_interrupts(file: &fs::File, reads: u64) -> Result<(), Any> {
    let mut block = vec![0u8; 8192];
    let start = block.as_ptr().align_offset(4096);
    for n in 0..reads {
        file.read_exact_at(&mut block[start..start + 4096], (n * 37 % 8_000) * 4096)?;
    }
    Ok(())
}
