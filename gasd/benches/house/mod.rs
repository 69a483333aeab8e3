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
