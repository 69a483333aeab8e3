// SPDX-License-Identifier: MIT OR Apache-2.0
//! What time it is, read in one place so that everything else takes it as an argument.

use std::time::{SystemTime, UNIX_EPOCH};

/// One moment on both clocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// Unix time, µs; small on a gateway whose clock is not set yet.
    pub unix_us: u64,
    /// `CLOCK_BOOTTIME`, ns: the clock of pulses and verdicts.
    pub boottime_ns: u64,
}

/// This moment.
#[must_use]
pub fn now() -> Now {
    let unix_us = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| u64::try_from(since.as_micros()).unwrap_or(u64::MAX));
    Now { unix_us, boottime_ns: boottime_ns() }
}

/// `CLOCK_BOOTTIME`, ns.
#[must_use]
pub fn boottime_ns() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid timespec that the call may write, and outlives it. The clock exists
    // since Linux 2.6.39; were it to fail, the time would read 0.
    unsafe { libc::clock_gettime(libc::CLOCK_BOOTTIME, &raw mut time) };
    u64::try_from(time.tv_sec)
        .unwrap_or(0)
        .saturating_mul(1_000_000_000)
        .saturating_add(u64::try_from(time.tv_nsec).unwrap_or(0))
}
