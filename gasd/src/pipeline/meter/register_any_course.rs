// SPDX-License-Identifier: MIT OR Apache-2.0
//! Any course of readings, crashes, reboots and clocks that are set: no litre is lost or counted twice.

use proptest::prelude::*;

use super::tests::{L, S, at, fresh, litres, minutely};
use super::*;
use crate::store::Base;

/// What happens to a gateway with a meter that is read.
#[derive(Clone, Debug)]
enum Step {
    /// The register moves by so many litres, and is read.
    Read(u16),
    /// It moves, and that reading never comes.
    Unread(u16),
    /// Totals are written.
    Persist,
    /// What was learned is written with the totals.
    Learn,
    /// The daemon is gone; what was not answered is handed in again.
    Crash,
    /// The gateway starts anew; while it was off so many litres passed.
    Reboot(u16),
    /// Somebody sets the clock on the wall by so many hours.
    Set(i16),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0u16..100).prop_map(Step::Read),
        2 => (0u16..100).prop_map(Step::Unread),
        3 => Just(Step::Persist),
        1 => Just(Step::Learn),
        1 => Just(Step::Crash),
        1 => (0u16..3_000).prop_map(Step::Reboot),
        1 => (-1_000i16..1_000).prop_map(Step::Set),
    ];
    proptest::collection::vec(step, 0..80)
}

proptest! {
    /// Whatever is lost in between: the total is what the register moved from its first answered reading on, and
    /// a total that was answered never shrinks.
    #[test]
    fn no_litre_of_a_register_is_lost_or_counted_twice(steps in steps(), rolls in any::<bool>()) {
        let config = minutely();
        let (mut register, mut now_ns) = (if rolls { 99_999_900 } else { 500 }, 3_600 * S);
        // Of the clock's present beginning: how much later it is than the one of the test.
        let mut behind_ns = 0u64;
        let (mut wall_ns, mut boot) = (0i64, 1u128);
        let (mut disk, mut learned) = (Base::default(), None::<Vec<u8>>);
        let mut meter = fresh(&config);
        let (mut given, mut first) = (0u64, true);
        let mut answered: Option<(u64, u64)> = None;
        let mut unanswered: Vec<(u64, u64)> = Vec::new();
        for step in steps {
            now_ns += 60 * S;
            let wall = at(now_ns.saturating_add_signed(wall_ns));
            let clock = Now { unix_us: wall.unix_us, boottime_ns: now_ns - behind_ns, boot };
            match step {
                Step::Read(more) | Step::Unread(more) => {
                    if !first {
                        given += u64::from(more);
                    }
                    register = (register + u64::from(more)) % 100_000_000;
                    if matches!(step, Step::Read(_)) {
                        first = false;
                        meter.reading(register * L, clock.boottime_ns, clock);
                        unanswered.push((register, clock.boottime_ns));
                    }
                }
                Step::Set(hours) => wall_ns = i64::from(hours) * 3_600 * S.cast_signed(),
                Step::Persist | Step::Learn => {
                    disk = meter.base([0, 0], 0).0;
                    if matches!(step, Step::Learn) {
                        learned = Some(meter.learned(clock));
                    }
                    if let Some(until_ns) = meter.read_ns() {
                        unanswered.retain(|(_, t_ns)| *t_ns > until_ns);
                        answered = Some((disk.volume_ul, until_ns));
                    }
                }
                Step::Crash | Step::Reboot(_) => {
                    let clock = if let Step::Reboot(more) = step {
                        if !first {
                            given += u64::from(more);
                        }
                        register = (register + u64::from(more)) % 100_000_000;
                        behind_ns = now_ns - 10 * S;
                        // Times of another boot are dropped; the next reading has what they had.
                        unanswered.clear();
                        boot += 1;
                        Now { boottime_ns: 10 * S, boot, ..clock }
                    } else {
                        clock
                    };
                    meter = MeterRun::new(&config, 0, disk);
                    if let Some(bytes) = &learned {
                        meter.recall(bytes, clock).unwrap();
                    }
                    meter.resume(clock);
                    if disk.register.is_none() && unanswered.is_empty() {
                        // It was never read, as far as anybody knows.
                        (given, first) = (0, true);
                    }
                    for (register, t_ns) in &unanswered {
                        meter.reading(register * L, *t_ns, clock);
                    }
                    if let Some((volume_ul, _)) = answered {
                        prop_assert!(meter.total([0, 0], 0).volume_ul >= volume_ul);
                    }
                }
            }
        }
        now_ns += 60 * S;
        let clock = Now { unix_us: at(now_ns).unix_us, boottime_ns: now_ns - behind_ns, boot };
        // Twice: what is grave waits for the second.
        meter.reading(register * L, clock.boottime_ns, clock);
        meter.reading(register * L, clock.boottime_ns + S, clock);
        if !first {
            prop_assert_eq!(litres(&meter), given);
        }
    }
}
