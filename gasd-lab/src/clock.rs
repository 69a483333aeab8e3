// SPDX-License-Identifier: MIT OR Apache-2.0
//! The clock that shells serve by.

use rustix::event::Timespec;
use rustix::time::{ClockId, clock_gettime};

/// `CLOCK_BOOTTIME`, ns: the clock that gasd has, too.
#[must_use]
pub fn now_ns() -> u64 {
    let now = clock_gettime(ClockId::Boottime);
    let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
    seconds.saturating_mul(1_000_000_000).saturating_add(u64::try_from(now.tv_nsec).unwrap_or(0))
}

/// What the wall clock showed when [`now_ns`] was 0, Unix seconds: for [`Truth::wall_s`](crate::Truth::wall_s).
#[must_use]
pub fn wall_s() -> i64 {
    clock_gettime(ClockId::Realtime).tv_sec.saturating_sub((now_ns() / 1_000_000_000) as i64)
}

/// A time to wait.
pub(crate) const fn timespec(ns: u64) -> Timespec {
    Timespec { tv_sec: (ns / 1_000_000_000) as i64, tv_nsec: (ns % 1_000_000_000) as i64 }
}
