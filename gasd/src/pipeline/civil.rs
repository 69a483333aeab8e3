// SPDX-License-Identifier: MIT OR Apache-2.0
//! Civil time for the engines: what the clocks on the wall of this gateway's zone show, as an offset to
//! `CLOCK_BOOTTIME`. The hours of the day that a home is learned by are of it.

use crate::kernel::sys::boottime_ns;

/// How often the zone is asked for: `timedatectl set-timezone` and summer time are seen this late.
const AGAIN_NS: u64 = 60 * SECOND_NS;
/// A clock that was set by less than this is not told of: hours do not change by it.
const STEP_NS: u64 = 2 * SECOND_NS;
/// Before this, Unix time in s, a clock was never set: 2025-01-01.
const PLAUSIBLE_S: i64 = 1_735_689_600;
const SECOND_NS: u64 = 1_000_000_000;

/// What the engines were told.
#[derive(Debug, Default)]
pub struct Civil {
    told: Option<i64>,
    looked_ns: Option<u64>,
    /// Unix time minus `CLOCK_BOOTTIME` at the last look, ns.
    unix_offset_ns: i64,
}

impl Civil {
    /// What the engines have to be told now, if anything: at first, when the clock was set, and when the
    /// zone is another. To be asked every second or so.
    pub fn news(&mut self) -> Option<i64> {
        let (unix_s, unix_ns) = unix();
        self.news_at(boottime_ns(), (unix_s, unix_ns), zone_s)
    }

    fn news_at(&mut self, now_ns: u64, (unix_s, unix_ns): (i64, u32), zone_s: fn(i64) -> i64) -> Option<i64> {
        if unix_s < PLAUSIBLE_S {
            return None;
        }
        let unix_offset_ns = unix_s
            .saturating_mul(SECOND_NS as i64)
            .saturating_add(i64::from(unix_ns))
            .saturating_sub_unsigned(now_ns);
        let set = unix_offset_ns.abs_diff(self.unix_offset_ns) >= STEP_NS;
        let due = self.looked_ns.is_none_or(|looked| now_ns.saturating_sub(looked) >= AGAIN_NS);
        if !set && !due {
            return None;
        }
        (self.looked_ns, self.unix_offset_ns) = (Some(now_ns), unix_offset_ns);
        let offset = unix_offset_ns.saturating_add(zone_s(unix_s).saturating_mul(SECOND_NS as i64));
        if self.told.is_some_and(|told| told.abs_diff(offset) < STEP_NS) {
            return None;
        }
        self.told = Some(offset);
        self.told
    }

    /// What was told last: for an engine that comes later.
    #[must_use]
    pub fn told(&self) -> Option<i64> {
        self.told
    }
}

fn unix() -> (i64, u32) {
    match std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH) {
        Ok(since) => (i64::try_from(since.as_secs()).unwrap_or(i64::MAX), since.subsec_nanos()),
        Err(_) => (0, 0),
    }
}

unsafe extern "C" {
    /// POSIX; the libc crate does not have it for every target. Reads the zone again if it changed.
    safe fn tzset();
}

/// Seconds that this gateway's zone is east of Greenwich at `unix_s`.
#[allow(clippy::useless_conversion, reason = "a C long has 32 bits on some gateways")]
fn zone_s(unix_s: i64) -> i64 {
    tzset();
    let seconds = unix_s as libc::time_t;
    // SAFETY: an all-zero tm is valid: plain numbers and a null pointer.
    let mut t: libc::tm = unsafe { std::mem::zeroed() };
    // SAFETY: both pointers are valid for the call. On failure `t` stays as it is, which is Greenwich.
    unsafe { libc::localtime_r(&raw const seconds, &raw mut t) };
    t.tm_gmtoff as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: u64 = SECOND_NS;
    const NOW: i64 = 1_790_000_000;

    fn berlin(_: i64) -> i64 {
        3600
    }

    fn greenwich(_: i64) -> i64 {
        0
    }

    #[test]
    fn it_is_told_at_first_and_then_only_what_changes() {
        let mut civil = Civil::default();
        let offset = (NOW + 3600) * S as i64 - 100 * S as i64;
        assert_eq!(civil.news_at(100 * S, (NOW, 0), berlin), Some(offset));
        for s in 1..200 {
            assert_eq!(civil.news_at((100 + s) * S, (NOW + s as i64, 400_000_000), berlin), None, "{s}");
        }
        assert_eq!(civil.told(), Some(offset));
    }

    #[test]
    fn a_clock_that_is_set_is_told_at_once_and_a_zone_within_a_minute() {
        let mut civil = Civil::default();
        civil.news_at(100 * S, (NOW, 0), greenwich);
        assert!(civil.news_at(101 * S, (NOW + 500, 0), greenwich).is_some());
        assert_eq!(civil.news_at(102 * S, (NOW + 501, 0), berlin), None);
        let later = civil.news_at(161 * S, (NOW + 560, 0), berlin);
        assert_eq!(later, Some((NOW + 560 + 3600 - 161) * S as i64));
    }

    #[test]
    fn a_clock_that_was_never_set_says_nothing() {
        let mut civil = Civil::default();
        assert_eq!(civil.news_at(100 * S, (100, 0), greenwich), None);
        assert!(civil.news_at(101 * S, (NOW, 0), greenwich).is_some());
    }

    #[test]
    fn this_machines_zone_can_be_asked() {
        assert!(zone_s(NOW).abs() <= 15 * 3600);
    }
}
