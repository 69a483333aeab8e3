// SPDX-License-Identifier: MIT OR Apache-2.0
//! One generation of pins takes over from another, whatever the layouts are.
//!
//! 1. The new generation's pages are marked as waiting: edges that reach it are counted and kept with
//!    their times, nothing is decided.
//! 2. One slot write: the old program runs no more, the new one does. After a grace period the old
//!    generation's state is final.
//! 3. Its level, contact, times and **unclassified edges** move to the new generation, which then
//!    applies the kept edges ([`gasd_abi::takeover`]). So each edge is classified once, as if there had
//!    been one generation only.

use std::{
    mem::size_of,
    os::fd::{AsFd, OwnedFd},
    path::{Path, PathBuf},
};

use gasd_abi::{
    Totals,
    layout::MAGIC,
    live::{self, Writer, counters},
    outcome::STALE,
    records::{LineConfig, Meta, Offsets, twin},
    takeover::Handover,
};

use super::{
    bytes::{self, u32_at, u64_at},
    error::KernelError,
    pins::{Pins, read_meta},
    sys,
};

/// A generation of any layout, read through the offsets that it carries.
#[derive(Debug)]
pub struct Generation {
    /// Its directory.
    pub dir: PathBuf,
    /// Who made it.
    pub meta: Meta,
    live: OwnedFd,
    lines: OwnedFd,
    totals: OwnedFd,
}

/// One line of a generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OldLine {
    /// Index of the line.
    pub line: u32,
    /// Key of its meter.
    pub key: u64,
    /// Interrupts seen.
    pub edges: u64,
    /// Pulses accepted.
    pub accepted: u64,
    /// What the next generation goes on from.
    pub handover: Handover,
}

impl OldLine {
    /// Reads a line out of its settings and its live page, whose fields are where `at` says. `None`
    /// for a line of no meter, and for one that is not where it should be.
    #[must_use]
    pub fn read(line: u32, at: &Offsets, config: &[u8], page: &[u8]) -> Option<Self> {
        let nth = live::slot(u64_at(page, 0)?) as u32;
        // The offsets are as foreign as the bytes: a sum that overflows is a field that is not there.
        let slot = at.slots.checked_add(nth.checked_mul(at.slot)?)?;
        let word = |offset: u32| u64_at(page, slot.checked_add(offset)?);
        let byte = |offset: u32| page.get(slot.checked_add(offset)? as usize).copied();
        let key = u64_at(config, at.key)?;
        (key != 0).then_some(Self {
            line,
            key,
            edges: word(at.edges)?,
            accepted: word(at.accepted)?,
            handover: Handover {
                pulse_ns: word(at.pulse)?,
                pulse_first_ns: word(at.pulse_first)?,
                last_edge_ns: word(at.last_edge)?,
                first_ns: word(at.first)?,
                candidate_ns: word(at.candidate)?,
                since_ns: word(at.since)?,
                evidence_ns: word(at.evidence)?,
                checked_ns: word(at.checked)?,
                pending: u32_at(page, slot.checked_add(at.pending)?)?,
                level: byte(at.level)?,
                contact: byte(at.contact)?,
                counted: byte(at.counted)?,
                reserved: 0,
            },
        })
    }
}

impl Generation {
    /// Opens a generation's maps.
    pub fn open(dir: &Path) -> Result<Self, KernelError> {
        let maps = dir.join("maps");
        let meta_path = maps.join("meta");
        let meta = read_meta(&meta_path)?;
        if meta.magic != MAGIC {
            return Err(KernelError::Fingerprint { path: meta_path, expected: MAGIC, found: meta.magic });
        }
        let open = |name: &str| {
            let path = maps.join(name);
            sys::obj_get(&path).map_err(|e| KernelError::open(&path, e))
        };
        Ok(Self {
            dir: dir.to_owned(),
            meta,
            live: open("live")?,
            lines: open("lines")?,
            totals: open("totals")?,
        })
    }

    fn value(&self, map: &OwnedFd, line: u32, copies: usize) -> Result<Vec<u8>, KernelError> {
        let read = || {
            let size = sys::map_info(map.as_fd())?.value_size as usize;
            let mut value = vec![0u8; size.next_multiple_of(8) * copies];
            sys::lookup(map.as_fd(), &line.to_ne_bytes(), &mut value)?;
            value.truncate(size.next_multiple_of(8) * copies);
            Ok(value)
        };
        read().map_err(|e| KernelError::io(format!("reading line {line} of {}", self.dir.display()), e))
    }

    /// Indices of the lines that belong to a meter.
    pub fn lines_in_use(&self) -> Result<Vec<u32>, KernelError> {
        let mut used = Vec::new();
        for line in 0..self.meta.lines {
            let value = self.value(&self.lines, line, 1)?;
            if u64_at(&value, self.meta.offsets.key).unwrap_or(0) != 0 {
                used.push(line);
            }
        }
        Ok(used)
    }

    /// A line's settings, if they have this build's layout.
    pub fn line_config(&self, line: u32) -> Result<Option<LineConfig>, KernelError> {
        if self.meta.offsets.line as usize != size_of::<LineConfig>() {
            return Ok(None);
        }
        Ok(bytes::from_bytes(&self.value(&self.lines, line, 1)?))
    }

    /// A line's counts and state.
    pub fn line(&self, line: u32) -> Result<Option<OldLine>, KernelError> {
        let config = self.value(&self.lines, line, 1)?;
        let page = self.value(&self.live, line, 1)?;
        Ok(OldLine::read(line, &self.meta.offsets, &config, &page))
    }

    /// A line's counters, summed over the CPUs and both writers. `Totals` only ever grows at its end.
    pub fn totals(&self, line: u32, cpus: usize) -> Result<Totals, KernelError> {
        let mut sum = Totals::default();
        for writer in [Writer::Edge, Writer::Sample] {
            let value = self.value(&self.totals, counters(line, writer), cpus)?;
            let stride = value.len() / cpus.max(1);
            for one in value.chunks_exact(stride.max(1)) {
                let mut own = vec![0u8; size_of::<Totals>()];
                let n = own.len().min(one.len());
                own[..n].copy_from_slice(&one[..n]);
                if let Some(t) = bytes::from_bytes::<Totals>(&own) {
                    sum.add(&t);
                }
            }
        }
        sum.edges += self.line(line)?.map_or(0, |l| l.edges);
        Ok(sum)
    }
}

/// Ends a handover that was interrupted between the slot write and the last line. Returns how many
/// lines were still waiting; 0 in every ordinary case. Needs no capability.
pub fn finish(pins: &Pins) -> Result<u32, KernelError> {
    let here = Generation::open(&pins.generation(gasd_abi::layout::VERSION))?;
    let mut others = Vec::new();
    for dir in pins.generations()?.into_iter().filter(|dir| *dir != here.dir) {
        others.push(Generation::open(&dir)?);
    }
    // The one that counted before is the youngest of the others.
    match others.iter().max_by_key(|g| g.meta.created_ns) {
        Some(old) => adopt_all(pins, old),
        None => Ok(0),
    }
}

/// Moves every line of `old` to the generation that is in the slots now. Returns how many.
pub fn adopt_all(pins: &Pins, old: &Generation) -> Result<u32, KernelError> {
    let path = pins.generation(gasd_abi::layout::VERSION).join("progs/twin");
    let program = sys::obj_get(&path).map_err(|e| KernelError::open(&path, e))?;
    // A line that does not wait answers that this comes too late; nothing changes then.
    let step = |args: [u64; twin::ARGS]| {
        let flags =
            sys::test_run(program.as_fd(), &args).map_err(|e| KernelError::io("handing a line over", e))?;
        Ok(flags >= 0 && flags as u32 & STALE == 0)
    };
    let mut adopted = 0;
    for line in old.lines_in_use()? {
        let Some(OldLine { handover: h, .. }) = old.line(line)? else { continue };
        let bits = u64::from(h.level) | u64::from(h.contact) << 1 | u64::from(h.counted) << 2;
        let mut taken = step([
            twin::ADOPT,
            u64::from(line),
            h.pulse_ns,
            h.pulse_first_ns,
            h.last_edge_ns,
            h.first_ns,
            h.candidate_ns,
            h.since_ns,
            h.evidence_ns,
            h.checked_ns,
            u64::from(h.pending),
            bits,
        ])?;
        // Each takes microseconds, so the line catches up with any rate that interrupts come at.
        loop {
            let mut replay = [0; twin::ARGS];
            (replay[0], replay[1], replay[2]) = (twin::REPLAY, u64::from(line), sys::boottime_ns());
            if !step(replay)? {
                break;
            }
            taken = true;
        }
        adopted += u32::from(taken);
    }
    Ok(adopted)
}

#[cfg(test)]
mod tests {
    use gasd_abi::{FilterState, layout::OFFSETS, live::LivePage};

    use super::*;

    fn page() -> Vec<u8> {
        let state = FilterState { edges: 5, accepted: 2, pending: 1, level: 1, ..FilterState::default() };
        let mut page =
            LivePage { current: 7, reserved: [0; 7], slots: [FilterState::default(); live::SLOTS] };
        page.slots[3] = state;
        bytes::as_bytes(&page).to_vec()
    }

    fn config() -> Vec<u8> {
        let filter = gasd_abi::FilterConfig::default();
        bytes::as_bytes(&LineConfig { filter, key: 9, irq: 0, flags: 0 }).to_vec()
    }

    #[test]
    fn a_line_is_read_from_the_copy_that_is_valid() {
        let line = OldLine::read(3, &OFFSETS, &config(), &page()).unwrap();
        assert_eq!((line.line, line.key, line.edges, line.accepted), (3, 9, 5, 2));
        assert_eq!((line.handover.pending, line.handover.level), (1, 1));
        assert_eq!(OldLine::read(3, &OFFSETS, &[0; 48], &page()), None);
    }

    #[test]
    fn offsets_beyond_the_end_of_numbers_are_no_line() {
        for wrong in [
            Offsets { slot: 2_358_021_260, ..OFFSETS },
            Offsets { slot: u32::MAX / 3, slots: 3, ..OFFSETS },
            Offsets { pulse: u32::MAX, ..OFFSETS },
            Offsets { pending: u32::MAX, ..OFFSETS },
            Offsets { level: u32::MAX, ..OFFSETS },
        ] {
            assert_eq!(OldLine::read(3, &wrong, &config(), &page()), None, "{wrong:?}");
        }
    }
}
