// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reading the live pages: plain memory, no system call, no torn read.

use std::{
    io,
    mem::size_of,
    os::fd::{AsRawFd, BorrowedFd},
    ptr::NonNull,
    sync::atomic::{AtomicU64, Ordering, fence},
};

use gasd_abi::{
    FilterState,
    live::{self, LivePage},
    records::MAX_LINES,
};

/// The live pages of all lines, mapped read-only.
pub struct LivePages {
    base: NonNull<LivePage>,
    length: usize,
}

// SAFETY: the mapping is read-only for us and is never unmapped while the value lives; the kernel
// writes it whoever reads.
unsafe impl Send for LivePages {}
// SAFETY: as above; reads go through `read`, which tolerates concurrent writes.
unsafe impl Sync for LivePages {}

impl LivePages {
    /// Maps the pages of a checked `live` map.
    pub fn map(fd: BorrowedFd<'_>) -> io::Result<Self> {
        let length = size_of::<LivePage>() * MAX_LINES as usize;
        // SAFETY: a fresh read-only mapping chosen by the kernel; the map has at least this length
        // because its shape was checked.
        let base = unsafe {
            libc::mmap(std::ptr::null_mut(), length, libc::PROT_READ, libc::MAP_SHARED, fd.as_raw_fd(), 0)
        };
        if base == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let base = NonNull::new(base.cast()).ok_or_else(|| io::Error::other("mapped at address 0"))?;
        Ok(Self { base, length })
    }

    /// A line's state as of one moment; `None` for a line beyond the last.
    #[must_use]
    pub fn read(&self, line: u32) -> Option<FilterState> {
        if line >= MAX_LINES {
            return None;
        }
        // SAFETY: `line` is inside the mapping.
        let page = unsafe { self.base.as_ptr().add(line as usize) };
        // SAFETY: an aligned word inside the mapping, only ever written as a whole.
        let current = unsafe { AtomicU64::from_ptr((&raw mut (*page).current).cast()) };
        loop {
            let before = current.load(Ordering::Acquire);
            // SAFETY: the index is below SLOTS. The copy may be torn by the kernel; then the word
            // has changed and the copy is thrown away.
            let state = unsafe { (&raw const (*page).slots[live::slot(before)]).read_volatile() };
            fence(Ordering::Acquire);
            if current.load(Ordering::Relaxed) == before {
                return Some(state);
            }
        }
    }
}

impl Drop for LivePages {
    fn drop(&mut self) {
        // SAFETY: the mapping made in `map`, unmapped once.
        unsafe { libc::munmap(self.base.as_ptr().cast(), self.length) };
    }
}
