// SPDX-License-Identifier: MIT OR Apache-2.0
//! The pins as the daemon uses them: settings in, state and counters out, steps through the twin.

use std::{
    io,
    mem::size_of,
    os::fd::{AsFd, OwnedFd},
    path::Path,
};

use gasd_abi::{
    FilterConfig, FilterState, Totals,
    live::{Writer, counters},
    records::{Bucket, BucketKey, LineConfig, MAX_IRQS, MAX_LINES, Meta, twin},
};

use super::{
    bytes::{as_bytes, from_bytes},
    error::KernelError,
    live::LivePages,
    load::VMLINUX_BTF,
    pins::Pins,
    slots, sys,
};

/// Everything the daemon needs of the kernel side. Opening it proves that every layout fits.
pub struct Kernel {
    pins: Pins,
    meta: Meta,
    lines: OwnedFd,
    totals: OwnedFd,
    buckets: OwnedFd,
    irq_lines: OwnedFd,
    fall_through: OwnedFd,
    twin: OwnedFd,
    live: LivePages,
    cpus: usize,
}

impl Kernel {
    /// Reopens the pins under `root` after checking each. Needs no capability.
    pub fn open(root: &Path) -> Result<Self, KernelError> {
        let pins = Pins::at(root)?;
        let meta = pins.check_generation().map_err(why_not_loaded)?;
        pins.check_dispatch().map_err(why_not_loaded)?;
        slots::check(&pins)?;
        let twin_path = pins.dispatch().join("twin");
        let live = pins.open_map("live")?;
        Ok(Self {
            meta,
            lines: pins.open_map("lines")?,
            totals: pins.open_map("totals")?,
            buckets: pins.open_map("buckets")?,
            irq_lines: pins.open_dispatch("irq_lines")?,
            fall_through: pins.open_dispatch("fall_through")?,
            twin: sys::obj_get(&twin_path).map_err(|e| KernelError::open(&twin_path, e))?,
            live: LivePages::map(live.as_fd()).map_err(|e| KernelError::io("mapping the live pages", e))?,
            cpus: possible_cpus().map_err(|e| KernelError::io("counting the CPUs", e))?,
            pins,
        })
    }

    /// The pin directory.
    #[must_use]
    pub fn pins(&self) -> &Pins {
        &self.pins
    }

    /// Names this generation's counters.
    #[must_use]
    pub fn generation(&self) -> [u64; 2] {
        self.meta.generation
    }

    /// Possible CPUs: copies of a per-CPU value.
    #[must_use]
    pub fn cpus(&self) -> usize {
        self.cpus
    }

    /// Finds the meter's line by its key or gives it a free one, and writes its settings.
    pub fn assign(&self, key: u64, filter: FilterConfig, flags: u32) -> Result<u32, KernelError> {
        let mut free = None;
        for line in 0..MAX_LINES {
            let found = self.line_config(line)?;
            if found.key == key {
                let wanted = LineConfig { filter, flags, ..found };
                if wanted != found {
                    self.write_line(line, &wanted)?;
                }
                return Ok(line);
            }
            if found.key == 0 && free.is_none() {
                free = Some(line);
            }
        }
        let line = free.ok_or(KernelError::NoFreeLine(MAX_LINES))?;
        self.write_line(line, &LineConfig { filter, key, irq: 0, flags })?;
        Ok(line)
    }

    /// Whether every one of these meters has a line or can get one.
    pub fn has_room(&self, keys: &[u64]) -> Result<(), KernelError> {
        let mut known = Vec::with_capacity(MAX_LINES as usize);
        for line in 0..MAX_LINES {
            known.push(self.line_config(line)?.key);
        }
        let free = known.iter().filter(|key| **key == 0).count();
        let new = keys.iter().filter(|key| !known.contains(key)).count();
        if new > free { Err(KernelError::NoFreeLine(MAX_LINES)) } else { Ok(()) }
    }

    /// A line's settings.
    pub fn line_config(&self, line: u32) -> Result<LineConfig, KernelError> {
        let mut value = [0u8; size_of::<LineConfig>()];
        sys::lookup(self.lines.as_fd(), &line.to_ne_bytes(), &mut value)
            .map_err(|e| KernelError::io(format!("reading line {line}"), e))?;
        from_bytes(&value).ok_or(KernelError::NoFreeLine(MAX_LINES))
    }

    fn write_line(&self, line: u32, config: &LineConfig) -> Result<(), KernelError> {
        sys::update(self.lines.as_fd(), &line.to_ne_bytes(), as_bytes(config))
            .map_err(|e| KernelError::io(format!("writing line {line}"), e))
    }

    /// Makes interrupt `irq` count on `line`, and no other interrupt.
    pub fn map_irq(&self, line: u32, irq: u32) -> Result<(), KernelError> {
        if irq >= MAX_IRQS {
            let meter = format!("of line {line}");
            return Err(KernelError::IrqTooLarge { meter, irq, max: MAX_IRQS });
        }
        let failed = |e| KernelError::io(format!("mapping interrupt {irq}"), e);
        sys::update(self.irq_lines.as_fd(), &irq.to_ne_bytes(), &(line + 1).to_ne_bytes()).map_err(failed)?;
        let config = self.line_config(line)?;
        if config.irq != irq {
            // A number that was given back may belong to another device by now.
            if config.irq != 0 && self.line_of_irq(config.irq)? == Some(line) {
                self.unmap_irq(config.irq)?;
            }
            self.write_line(line, &LineConfig { irq, ..config })?;
        }
        Ok(())
    }

    /// The line that an interrupt counts on.
    pub fn line_of_irq(&self, irq: u32) -> Result<Option<u32>, KernelError> {
        let mut value = [0u8; 4];
        sys::lookup(self.irq_lines.as_fd(), &irq.to_ne_bytes(), &mut value)
            .map_err(|e| KernelError::io(format!("looking up interrupt {irq}"), e))?;
        Ok(u32::from_ne_bytes(value).checked_sub(1))
    }

    /// Makes an interrupt count nowhere.
    pub fn unmap_irq(&self, irq: u32) -> Result<(), KernelError> {
        sys::update(self.irq_lines.as_fd(), &irq.to_ne_bytes(), &0u32.to_ne_bytes())
            .map_err(|e| KernelError::io(format!("unmapping interrupt {irq}"), e))
    }

    /// Makes a line's interrupt, if it has one, count nowhere.
    pub fn release(&self, line: u32) -> Result<(), KernelError> {
        let config = self.line_config(line)?;
        if config.irq == 0 {
            return Ok(());
        }
        if self.line_of_irq(config.irq)? == Some(line) {
            self.unmap_irq(config.irq)?;
        }
        self.write_line(line, &LineConfig { irq: 0, ..config })
    }

    /// Unmaps every interrupt of a line that is not in `keep` (pairs of interrupt and line).
    pub fn unmap_others(&self, keep: &[(u32, u32)]) -> Result<u32, KernelError> {
        let mut removed = 0;
        for irq in 0..MAX_IRQS {
            if let Some(line) = self.line_of_irq(irq)?
                && !keep.contains(&(irq, line))
            {
                self.unmap_irq(irq)?;
                removed += 1;
            }
        }
        Ok(removed)
    }

    /// A line's state, from its live page.
    #[must_use]
    pub fn state(&self, line: u32) -> FilterState {
        self.live.read(line).unwrap_or_default()
    }

    /// A line's counters, summed over the CPUs and both writers. Edges are those of the live page and
    /// those few that it could not take.
    pub fn totals(&self, line: u32) -> Result<Totals, KernelError> {
        let mut value = vec![0u8; size_of::<Totals>() * self.cpus];
        let mut sum = Totals::default();
        for writer in [Writer::Edge, Writer::Sample] {
            sys::lookup(self.totals.as_fd(), &counters(line, writer).to_ne_bytes(), &mut value)
                .map_err(|e| KernelError::io(format!("reading the counters of line {line}"), e))?;
            for one in value.chunks_exact(size_of::<Totals>()).filter_map(from_bytes::<Totals>) {
                sum.add(&one);
            }
        }
        sum.edges += self.state(line).edges;
        Ok(sum)
    }

    /// Intervals by line and minute, summed over the CPUs.
    pub fn buckets(&self) -> Result<Vec<(BucketKey, Bucket)>, KernelError> {
        let failed = |e: io::Error| KernelError::io("reading the time buckets", e);
        let mut found = Vec::new();
        let mut key: Option<[u8; size_of::<BucketKey>()]> = None;
        let mut next = [0u8; size_of::<BucketKey>()];
        let mut value = vec![0u8; size_of::<Bucket>() * self.cpus];
        while sys::next_key(self.buckets.as_fd(), key.as_ref().map(|k| &k[..]), &mut next).map_err(failed)? {
            key = Some(next);
            match sys::lookup(self.buckets.as_fd(), &next, &mut value) {
                Ok(()) => {}
                // Evicted between the two calls.
                Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
                Err(e) => return Err(failed(e)),
            }
            let mut sum = Bucket { min_ns: u64::MAX, ..Bucket::default() };
            for one in value.chunks_exact(size_of::<Bucket>()).filter_map(from_bytes::<Bucket>) {
                if one.count > 0 {
                    sum.count += one.count;
                    sum.sum_ns += one.sum_ns;
                    sum.min_ns = sum.min_ns.min(one.min_ns);
                    sum.max_ns = sum.max_ns.max(one.max_ns);
                }
            }
            if let Some(key) = from_bytes(&next) {
                found.push((key, sum));
            }
        }
        Ok(found)
    }

    /// Interrupts of ours that the dispatcher could not hand on. Must stay 0.
    pub fn fall_through(&self) -> Result<u64, KernelError> {
        let mut value = vec![0u8; 8 * self.cpus];
        sys::lookup(self.fall_through.as_fd(), &0u32.to_ne_bytes(), &mut value)
            .map_err(|e| KernelError::io("reading the fall-through counter", e))?;
        Ok(value.chunks_exact(8).filter_map(from_bytes::<u64>).sum())
    }

    /// An edge of a simulated line at `t_ns`, through the real programs. Returns the outcome's flags.
    pub fn edge(&self, line: u32, t_ns: u64) -> Result<u32, KernelError> {
        self.step([twin::EDGE, u64::from(line), t_ns, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    }

    /// The line's real level, read at `t_ns` when `edges` interrupts had been seen.
    pub fn sample(&self, line: u32, t_ns: u64, level: bool, edges: u64) -> Result<u32, KernelError> {
        self.step([twin::SAMPLE, u64::from(line), t_ns, u64::from(level), edges, 0, 0, 0, 0, 0, 0, 0])
    }

    /// Tells whoever reads the events what time it is on a simulated line.
    pub fn tick(&self, line: u32, t_ns: u64) -> Result<u32, KernelError> {
        self.step([twin::TICK, u64::from(line), t_ns, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    }

    fn step(&self, args: [u64; twin::ARGS]) -> Result<u32, KernelError> {
        match sys::test_run(self.twin.as_fd(), &args) {
            Ok(flags) if flags >= 0 => Ok(flags as u32),
            Ok(code) => Err(KernelError::io(
                "a step of the filter",
                io::Error::other(format!("the program returned {code} for line {}", args[1])),
            )),
            Err(e) => Err(KernelError::io("a step of the filter", e)),
        }
    }
}

/// Nothing is loaded: somebody has to, or nobody can, because the kernel lacks its type information.
fn why_not_loaded(error: KernelError) -> KernelError {
    match error {
        KernelError::NotLoaded(_) if !Path::new(VMLINUX_BTF).exists() => KernelError::NoBtf,
        other => other,
    }
}

fn possible_cpus() -> io::Result<usize> {
    let text = std::fs::read_to_string("/sys/devices/system/cpu/possible")?;
    let last = text.trim().rsplit([',', '-']).next().and_then(|n| n.parse::<usize>().ok());
    last.map(|n| n + 1).ok_or_else(|| io::Error::other(format!("\"{}\"", text.trim())))
}
