// SPDX-License-Identifier: MIT OR Apache-2.0
//! Clock and disk.

use super::check::Finding;
use super::facts::Facts;

/// 2026-01-01: no gasd ran before that.
const EARLIEST_S: u64 = 1_767_225_600;
/// A store written so much later than now means that the clock went back.
const AHEAD_S: u64 = 3_600;
/// What the store needs to grow and to be repaired.
const LOW_BYTES: u64 = 64 << 20;
/// What is not even enough for the next writes.
const FULL_BYTES: u64 = 4 << 20;
/// The store is one file, but others need some, too.
const LOW_FILES: u64 = 64;

/// All of them.
pub fn checks(facts: &Facts) -> Vec<Finding> {
    vec![clock(facts), disk(facts)]
}

fn clock(facts: &Facts) -> Finding {
    let check = "clock";
    let clock = &facts.clock;
    let mend = "timedatectl set-ntp true, or set the clock; metering itself does not depend on it";
    if clock.now_s < EARLIEST_S {
        return Finding::fail(
            check,
            "the clock stands before 2026; verdicts and the record get wrong dates",
            mend,
        );
    }
    if clock.store_written_s.is_some_and(|written| written > clock.now_s + AHEAD_S) {
        return Finding::fail(check, "the store was last written in the future: the clock went back", mend);
    }
    match clock.synchronised {
        Some(true) => Finding::ok(check, "synchronised"),
        Some(false) => Finding::warn(check, "the clock is not synchronised", mend),
        None => Finding::unknown(check, "whether the clock is synchronised could not be told"),
    }
}

fn disk(facts: &Facts) -> Finding {
    let check = "disk";
    let Some(disk) = &facts.disk else {
        return Finding::fail(
            check,
            "/var/lib/gasd is not there: totals and holds would have no place",
            "systemctl start gasd makes it; or install the package again",
        );
    };
    let (path, free) = (&disk.path, disk.free >> 20);
    if disk.read_only {
        return Finding::fail(
            check,
            format!(
                "{path} is mounted read-only: totals are kept in memory only, opening a valve is refused"
            ),
            "mount it for writing; dmesg says whether the disk is failing",
        );
    }
    if disk.free < FULL_BYTES {
        return Finding::fail(
            check,
            format!("{path} has {free} MiB left: totals are kept in memory only, opening a valve is refused"),
            "free some space; gasd tries again by itself",
        );
    }
    if disk.free < LOW_BYTES || disk.free_files.is_some_and(|files| files < LOW_FILES) {
        let files = disk.free_files.map(|files| format!(" and {files} files")).unwrap_or_default();
        return Finding::warn(check, format!("{path} has {free} MiB{files} left"), "free some space");
    }
    Finding::ok(check, format!("{path} has {free} MiB left"))
}

#[cfg(test)]
mod tests {
    use super::super::check::{Level, of};
    use super::super::facts::{Clock, Disk, healthy};
    use super::*;

    fn clock_level(clock: Clock) -> Level {
        of(&checks(&Facts { clock, ..healthy() }), "clock").level
    }

    #[test]
    fn a_clock_is_sane_and_held() {
        let good = healthy().clock;
        assert_eq!(clock_level(Clock { now_s: 86_400, ..good.clone() }), Level::Fail);
        assert_eq!(
            clock_level(Clock { store_written_s: Some(good.now_s + 86_400), ..good.clone() }),
            Level::Fail
        );
        assert_eq!(clock_level(Clock { synchronised: Some(false), ..good.clone() }), Level::Warn);
        assert_eq!(clock_level(Clock { synchronised: None, ..good }), Level::Unknown);
    }

    #[test]
    fn a_disk_has_room_and_can_be_written() {
        let good = healthy().disk.unwrap();
        let level = |disk| of(&checks(&Facts { disk, ..healthy() }), "disk").level;
        assert_eq!(level(None), Level::Fail);
        assert_eq!(level(Some(Disk { read_only: true, ..good.clone() })), Level::Fail);
        assert_eq!(level(Some(Disk { free: 1 << 20, ..good.clone() })), Level::Fail);
        assert_eq!(level(Some(Disk { free: 20 << 20, ..good.clone() })), Level::Warn);
        assert_eq!(level(Some(Disk { free_files: Some(3), ..good.clone() })), Level::Warn);
        assert_eq!(level(Some(Disk { free_files: None, ..good })), Level::Ok);
    }
}
