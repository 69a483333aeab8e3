// SPDX-License-Identifier: MIT OR Apache-2.0
//! A meter's state without a call: the kernel's live page, mapped read-only, or gasd's last reading.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::mem::size_of;
use std::os::unix::fs::MetadataExt;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering, fence};
use std::sync::{Arc, PoisonError, RwLock};

use gasd_abi::FilterState;
use gasd_abi::live::{self, LivePage};
use gasd_abi::records::MAX_LINES;

use crate::exports::codes::{
    GASD_SERVICE_AWAY, GASD_SIMULATED, GASD_TOTAL_INCOMPLETE, GASD_UNKNOWN, gasd_source,
};
use crate::sdbus::{Message, Value};

/// A meter's state, as the header's struct has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    pub source: u32,
    pub t_ns: u64,
    pub volume_ul: u64,
    pub pulses: u64,
    pub flow_ul_per_h: u64,
    pub last_pulse_ns: u64,
    pub interval_ns: u64,
    pub flags: u64,
}

/// How a meter's total is reckoned from its line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reckoning {
    pub line: u32,
    pub pulses: u64,
    pub volume_ul: u64,
    pub pulse_volume_ul: u64,
    pub flags: u64,
}

/// What gasd's readings said last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Last {
    pub t_ns: u64,
    /// The words of the record.
    pub words: [u64; 5],
}

/// What all live handles of a client look at.
#[derive(Debug, Default)]
pub struct Table(RwLock<Inner>);

#[derive(Debug, Default)]
struct Inner {
    pages: Option<Arc<Pages>>,
    lines: HashMap<u64, Reckoning>,
    last: HashMap<u64, Last>,
    away: bool,
}

impl Table {
    fn write(&self) -> std::sync::RwLockWriteGuard<'_, Inner> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// gasd handed out its page.
    pub fn set(&self, pages: Pages, lines: HashMap<u64, Reckoning>) {
        let mut inner = self.write();
        (inner.pages, inner.lines) = (Some(Arc::new(pages)), lines);
    }

    /// gasd has no page, or another one from now on.
    pub fn unset(&self) {
        let mut inner = self.write();
        inner.pages = None;
        inner.lines.clear();
    }

    /// Nothing is known any more.
    pub fn clear(&self) {
        let mut inner = self.write();
        *inner = Inner { away: inner.away, ..Inner::default() };
    }

    /// gasd has these meters and no others.
    pub fn keep(&self, known: impl Fn(u64) -> bool) {
        self.write().last.retain(|key, _| known(*key));
    }

    /// gasd has gone, or is back.
    pub fn set_away(&self, away: bool) {
        self.write().away = away;
    }

    /// A meter was read.
    pub fn reading(&self, key: u64, last: Last) {
        self.write().last.insert(key, last);
    }

    /// A meter's state now; `None` before anything is known of it.
    pub fn read(&self, key: u64, now_ns: u64) -> Option<Now> {
        let inner = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let away = if inner.away { GASD_SERVICE_AWAY } else { 0 };
        if let (Some(pages), Some(reckoning)) = (&inner.pages, inner.lines.get(&key))
            && let Some(state) = pages.read(reckoning.line)
        {
            return Some(of_page(&state, reckoning, now_ns, away));
        }
        let Last { t_ns, words } = inner.last.get(&key)?;
        let [volume_ul, pulses, flow_ul_per_h, last_pulse_ns, flags] = *words;
        Some(Now {
            source: gasd_source::GASD_SOURCE_STREAM as u32,
            t_ns: *t_ns,
            volume_ul,
            pulses,
            flow_ul_per_h,
            last_pulse_ns,
            interval_ns: 0,
            flags: flags | away,
        })
    }
}

/// Totals are gasd's base and what the line has counted. The flow is that of the last interval; once the next
/// pulse is overdue it is what one pulse since then would be, which is the most that it can be.
fn of_page(state: &FilterState, of: &Reckoning, now_ns: u64, away: u64) -> Now {
    let since_ns = now_ns.saturating_sub(state.pulse_ns);
    let slowest_ns = state.interval_ns.max(since_ns);
    let flow = (u128::from(of.pulse_volume_ul) * 3_600_000_000_000)
        .checked_div(u128::from(slowest_ns))
        .filter(|_| state.interval_ns > 0);
    Now {
        source: gasd_source::GASD_SOURCE_PAGE as u32,
        t_ns: now_ns,
        volume_ul: of.volume_ul.wrapping_add(state.accepted.wrapping_mul(of.pulse_volume_ul)),
        pulses: of.pulses.wrapping_add(state.accepted),
        flow_ul_per_h: flow.map_or(GASD_UNKNOWN, |flow| flow as u64),
        last_pulse_ns: state.pulse_ns,
        interval_ns: state.interval_ns,
        flags: of.flags | away,
    }
}

/// The answer to `Live`: the page, and how totals are reckoned, by the meters' keys.
///
/// # Errors
/// When the message has another shape, or the page cannot be mapped.
pub fn of_answer(message: &mut Message) -> io::Result<(Pages, HashMap<u64, Reckoning>)> {
    let page = File::from(message.fd()?);
    let mut lines = HashMap::new();
    message.enter(b'a', c"a{sv}")?;
    while message.peek_array()? {
        let (mut key, mut of, mut complete) = (0, Reckoning::default(), true);
        message.properties(|name, value| match (name, value) {
            ("Key", Value::Number(n)) => key = n,
            ("Line", Value::Number(n)) => of.line = n as u32,
            ("PulsesBase", Value::Number(n)) => of.pulses = n,
            ("VolumeBaseMicrolitres", Value::Number(n)) => of.volume_ul = n,
            ("PulseVolumeMicrolitres", Value::Number(n)) => of.pulse_volume_ul = n,
            ("TotalKnown", Value::Bool(known)) => complete = known,
            ("Simulated", Value::Bool(true)) => of.flags |= GASD_SIMULATED,
            _ => {}
        })?;
        if !complete {
            of.flags |= GASD_TOTAL_INCOMPLETE;
        }
        lines.insert(key, of);
    }
    message.exit()?;
    Ok((Pages::map(&page)?, lines))
}

/// The live pages of all lines, mapped read-only.
#[derive(Debug)]
pub struct Pages {
    base: NonNull<LivePage>,
}

const LENGTH: usize = size_of::<LivePage>() * MAX_LINES as usize;

/// A copy is thrown away this often at the most: the kernel writes with an interrupt, so one that is always
/// written meanwhile is not the kernel's.
const TRIES: usize = 1_000;

// SAFETY: read-only for us, and never unmapped while the value lives; the kernel writes it whoever reads.
unsafe impl Send for Pages {}
// SAFETY: as above; `read` tolerates concurrent writes.
unsafe impl Sync for Pages {}

impl Pages {
    fn map(fd: &File) -> io::Result<Pages> {
        use rustix::mm::{MapFlags, ProtFlags, mmap};
        // A file may be cut short by whoever has it, and reading behind its end kills the reader. A BPF map has no
        // type of file.
        if fd.metadata()?.mode() & libc::S_IFMT != 0 {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the live page is no map of the kernel's",
            ));
        }
        // SAFETY: a fresh read-only mapping chosen by the kernel. A map that were shorter would refuse it:
        // the kernel maps no more of an array than there is.
        let base = unsafe { mmap(std::ptr::null_mut(), LENGTH, ProtFlags::READ, MapFlags::SHARED, fd, 0) }?;
        let base = NonNull::new(base.cast()).ok_or_else(|| io::Error::other("mapped at address 0"))?;
        Ok(Pages { base })
    }

    /// A line's state as of one moment: a copy that was written meanwhile is thrown away. `None` for a line that is
    /// none, and for a page that never stands still.
    fn read(&self, line: u32) -> Option<FilterState> {
        if line >= MAX_LINES {
            return None;
        }
        // SAFETY: `line` is inside of the mapping.
        let page = unsafe { self.base.as_ptr().add(line as usize) };
        // SAFETY: an aligned word inside of the mapping, only ever written as a whole.
        let current = unsafe { AtomicU64::from_ptr((&raw mut (*page).current).cast()) };
        for _ in 0..TRIES {
            let before = current.load(Ordering::Acquire);
            // SAFETY: the index is below SLOTS. The kernel may tear the copy; then the word has changed.
            let state = unsafe { (&raw const (*page).slots[live::slot(before)]).read_volatile() };
            fence(Ordering::Acquire);
            if current.load(Ordering::Relaxed) == before {
                return Some(state);
            }
        }
        None
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        // SAFETY: the mapping of `map`, unmapped once.
        let _ = unsafe { rustix::mm::munmap(self.base.as_ptr().cast(), LENGTH) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_total_is_the_base_and_what_the_line_counted() {
        let state = FilterState {
            accepted: 5,
            pulse_ns: 10_000_000_000,
            interval_ns: 2_000_000_000,
            ..FilterState::default()
        };
        // A base may be below zero: the line counted before the meter was known.
        let of = Reckoning {
            line: 0,
            pulses: 3u64.wrapping_neg(),
            volume_ul: 3_000_000u64.wrapping_neg(),
            pulse_volume_ul: 1_000_000,
            flags: 0,
        };
        let now = of_page(&state, &of, 11_000_000_000, 0);
        assert_eq!((now.pulses, now.volume_ul), (2, 2_000_000));
        assert_eq!(now.flow_ul_per_h, 1_800_000_000, "a litre in 2 s");
        assert_eq!(of_page(&state, &of, 20_000_000_000, 0).flow_ul_per_h, 360_000_000, "none for 10 s");
        let first = FilterState { interval_ns: 0, ..state };
        assert_eq!(of_page(&first, &of, 11_000_000_000, 0).flow_ul_per_h, GASD_UNKNOWN);
    }

    #[test]
    fn without_a_page_the_last_reading_counts() {
        let table = Table::default();
        assert_eq!(table.read(7, 1), None);
        table.reading(7, Last { t_ns: 5, words: [1, 2, 3, 4, 1] });
        table.set_away(true);
        let now = table.read(7, 9).unwrap();
        assert_eq!((now.t_ns, now.volume_ul, now.pulses, now.flow_ul_per_h), (5, 1, 2, 3));
        assert_eq!(now.flags, GASD_SIMULATED | GASD_SERVICE_AWAY);
    }

    #[test]
    fn a_file_is_no_live_page() {
        let file = tempfile::tempfile().unwrap();
        file.set_len(LENGTH as u64).unwrap();
        let error = Pages::map(&file).unwrap_err();
        assert!(error.to_string().contains("no map of the kernel's"), "{error}");
        assert!(Pages::map(&File::open("/dev/zero").unwrap()).is_err());
    }
}
