// SPDX-License-Identifier: MIT OR Apache-2.0
//! What time it is, read in one place so that everything else takes it as an argument.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

/// One moment on both clocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// Unix time, µs; small on a gateway whose clock is not set yet.
    pub unix_us: u64,
    /// `CLOCK_BOOTTIME`, ns: the clock of pulses and verdicts.
    pub boottime_ns: u64,
    /// Names the boot that `boottime_ns` is of; 0 where that is not known.
    pub boot: u128,
}

/// Where the kernel names the boot. The unit does not see it, and is told by the service manager.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";
/// The variable in which the unit is told.
const BOOT_VARIABLE: &str = "GASD_BOOT_ID";

/// How a process names itself ends so; the name of a boot never does.
const OWN: u64 = 1;

/// Names this boot. Where nobody says, this process names itself: what it wrote is of another boot for the next
/// one, and the clocks have to tell.
#[must_use]
pub fn boot() -> u128 {
    static BOOT: OnceLock<u128> = OnceLock::new();
    *BOOT.get_or_init(|| {
        let told = std::env::var(BOOT_VARIABLE).ok();
        let read = || std::fs::read_to_string(BOOT_ID).ok();
        let own = || u128::from(RandomState::new().hash_one(0)) << 64 | u128::from(OWN);
        told.as_deref().and_then(boot_of).or_else(|| boot_of(&read()?)).unwrap_or_else(own)
    })
}

/// Whether what was saved in one boot is of before another one for sure, whatever the clock on the wall says.
#[must_use]
pub const fn is_of_before(saved: u128, now: u128) -> bool {
    const fn is_named(boot: u128) -> bool {
        boot != 0 && boot as u64 != OWN
    }
    saved != now && is_named(saved) && is_named(now)
}

/// 32 hexadecimal digits, with dashes or without.
fn boot_of(text: &str) -> Option<u128> {
    let digits: String = text.trim().chars().filter(|c| *c != '-').collect();
    u128::from_str_radix(&digits, 16).ok().filter(|boot| digits.len() == 32 && *boot != 0)
}

/// This moment.
#[must_use]
pub fn now() -> Now {
    let unix_us = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| u64::try_from(since.as_micros()).unwrap_or(u64::MAX));
    Now { unix_us, boottime_ns: boottime_ns(), boot: boot() }
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

/// Seconds since 1970 as a date and time, UTC.
#[must_use]
pub fn utc(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    // Days to a civil date, Howard Hinnant, <https://howardhinnant.github.io/date_algorithms.html>.
    let z = days + 719_468;
    let (era, doe) = (z / 146_097, z % 146_097);
    let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = doy - (153 * mp + 2) / 5 + 1;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let year = yoe + era * 400 + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", rest / 3_600, rest / 60 % 60, rest % 60)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_boot_is_named_by_its_digits() {
        let dashed = super::boot_of("0e5d0f3a-62a7-4f2c-9f1b-0123456789ab\n");
        assert_eq!(dashed, Some(0x0e5d0f3a62a74f2c9f1b0123456789ab));
        assert_eq!(super::boot_of("0e5d0f3a62a74f2c9f1b0123456789ab"), dashed);
        for none in ["", "%b", "0e5d", "00000000-0000-0000-0000-000000000000"] {
            assert_eq!(super::boot_of(none), None, "{none}");
        }
        assert_eq!(super::boot(), super::boot(), "one process is of one boot");
    }

    #[test]
    fn only_boots_that_are_named_are_known_to_be_two() {
        let own = 7 << 64 | u128::from(super::OWN);
        let (one, other) = (0x0e5d0f3a62a74f2c9f1b0123456789ab, 0x0e5d0f3a62a74f2c9f1b0123456789ac);
        assert!(super::is_of_before(one, other));
        for (saved, now) in [(one, one), (0, one), (one, 0), (own, one), (one, own), (own, own + (1 << 64))] {
            assert!(!super::is_of_before(saved, now), "{saved:x} {now:x}");
        }
    }

    #[test]
    fn a_time_is_shown_as_a_date() {
        assert_eq!(super::utc(0), "1970-01-01T00:00:00Z");
        assert_eq!(super::utc(951_782_399), "2000-02-28T23:59:59Z");
        assert_eq!(super::utc(1_795_390_000), "2026-11-22T23:26:40Z");
    }
}
