// SPDX-License-Identifier: MIT OR Apache-2.0

use gasd_abi::Totals;
use gasd_detect::Kind;

use super::*;
use crate::config::{MeterConfig, parse};
use crate::store::Base;

pub(super) const S: u64 = 1_000_000_000;
pub(super) const L: u64 = 1_000_000;
/// Unix time at which the clock of these tests began.
const UNIX: u64 = 1_790_000_000;

fn config(readings: &str) -> MeterConfig {
    let text = format!("[[meter]]\nid = \"flat\"\nsource = \"stack\"\nreadings = {{ {readings} }}\n");
    parse("t.toml", &text).unwrap().meters.remove(0)
}

pub(super) fn minutely() -> MeterConfig {
    config("every = \"1 min\", resolution = \"1 L\", rollover = \"100000 m3\"")
}

/// The moment that many ns after the clock began.
pub(super) fn at(t_ns: u64) -> Now {
    Now { unix_us: UNIX * 1_000_000 + t_ns / 1_000, boottime_ns: t_ns, boot: 1 }
}

pub(super) fn fresh(config: &MeterConfig) -> MeterRun {
    MeterRun::new(config, 0, Base { pulse_volume_ul: config.pulse_volume_ul, ..Base::default() })
}

pub(super) fn litres(meter: &MeterRun) -> u64 {
    meter.total([0, 0], 0).volume_ul / L
}

fn read(meter: &mut MeterRun, litres: u64, t_ns: u64) -> (Option<Taken>, Vec<Kind>) {
    let (taken, found) = meter.reading(litres * L, t_ns, at(t_ns));
    (taken, found.iter().map(|verdict| verdict.kind).collect())
}

#[test]
fn the_total_is_what_the_register_moved_since_it_was_read_first() {
    let mut meter = fresh(&minutely());
    assert_eq!(read(&mut meter, 5_000, 60 * S), (Some(Taken::First), vec![]));
    assert_eq!(litres(&meter), 0);
    assert_eq!(read(&mut meter, 5_010, 120 * S).0, Some(Taken::Judged));
    assert_eq!(litres(&meter), 10);
    assert_eq!(read(&mut meter, 5_010, 120 * S).0, Some(Taken::Duplicate));
    assert_eq!(read(&mut meter, 5_004, 90 * S).0, Some(Taken::Late));
    assert_eq!(litres(&meter), 10);
    let state = meter.state([0, 0], &Totals::default(), "");
    assert_eq!((state.volume_ul, state.pulses, state.last_pulse_ns), (10 * L, 0, 120 * S));
    assert!((state.flow_m3_per_h.unwrap() - 0.6).abs() < 0.1, "{:?}", state.flow_m3_per_h);
    assert_eq!(state.reckoning, None, "no line counts for it");
    assert!(state.sight.starts_with("readings of 1 L every 60 s"), "{}", state.sight);
}

#[test]
fn readings_that_are_missing_are_its_health_and_nobody_knows_the_flow() {
    let mut meter = fresh(&minutely());
    read(&mut meter, 100, 60 * S);
    read(&mut meter, 110, 120 * S);
    meter.tick(700 * S);
    let state = meter.state([0, 0], &Totals::default(), "");
    assert_eq!(state.health, "ok", "ten minutes are not long");
    meter.tick(800 * S);
    let state = meter.state([0, 0], &Totals::default(), "");
    assert!(state.health.starts_with("no volume of it has come since 2026-09-21"), "{}", state.health);
    assert_eq!(state.flow_m3_per_h, None);
    read(&mut meter, 120, 860 * S);
    assert_eq!(meter.state([0, 0], &Totals::default(), "").health, "ok");
}

#[test]
fn a_hose_between_readings_is_a_verdict_once_it_is_confirmed() {
    let mut meter = fresh(&minutely());
    // 9 m³/h, 150 L a minute.
    let kinds: Vec<Kind> = (1..8).flat_map(|n| read(&mut meter, 1_000 + 150 * n, n * 60 * S).1).collect();
    assert!(kinds.contains(&Kind::Surge) || kinds.contains(&Kind::Overload), "{kinds:?}");
    assert_eq!(
        litres(&meter),
        150 * 6 - if meter.detector.register().unwrap().newest_ns() == meter.read_ns() { 0 } else { 150 }
    );
}

#[test]
fn a_pulse_of_its_line_counts_nothing() {
    use gasd_abi::records::{EVENT_PULSE, EVENT_TICK, Event};
    let mut meter = fresh(&minutely());
    read(&mut meter, 100, 60 * S);
    for kind in [EVENT_PULSE, EVENT_TICK] {
        let event = Event { kind, seq: 1, t_ns: 61 * S, decided_ns: 61 * S, ..Event::default() };
        assert_eq!(meter.event(&event), None);
    }
    assert_eq!(litres(&meter), 0);
}

#[test]
fn after_a_reboot_what_passed_is_counted_and_no_rate_follows() {
    let config = minutely();
    let mut meter = fresh(&config);
    (0..30).for_each(|n| drop(read(&mut meter, 1_000 + n, 3_600 * S + n * 60 * S)));
    let base = meter.base([0, 0], 0).0;
    assert_eq!(base.register.unwrap().register_ul, 1_029 * L);
    let bytes = meter.learned(at(5_400 * S));

    // Two hours later by the clock on the wall, 20 s after the boot.
    let now = Now { unix_us: at(12_600 * S).unix_us, boottime_ns: 20 * S, boot: 2 };
    let mut again = MeterRun::new(&config, 0, base);
    again.recall(&bytes, now).unwrap();
    again.resume(now);
    assert_eq!(again.read_ns(), Some(0), "before this boot");
    let (taken, found) = again.reading(9_000 * L, 30 * S, now);
    assert_eq!((taken, found.len()), (Some(Taken::Held), 0), "so much waits for the next one");
    assert_eq!((litres(&again), again.read_ns()), (29, Some(0)), "and is not answered before it");
    let (_, found) = again.reading(9_001 * L, 90 * S, now);
    assert_eq!((litres(&again), again.read_ns(), found.len()), (8_001, Some(90 * S), 0));
}

/// Also where what was learned is older than the total.
#[test]
fn after_a_crash_the_last_reading_is_known_when_it_is_told_again() {
    let config = minutely();
    let mut meter = fresh(&config);
    assert!(!meter.has_shown(0));
    read(&mut meter, 1_000, 60 * S);
    let bytes = meter.learned(at(60 * S));
    read(&mut meter, 1_010, 120 * S);
    let base = meter.base([0, 0], 0).0;
    let mut again = MeterRun::new(&config, 0, base);
    again.recall(&bytes, at(130 * S)).unwrap();
    again.resume(at(130 * S));
    assert_eq!([1_000, 1_010, 1_020].map(|litres| again.has_shown(litres * L)), [false, true, false]);
}

#[test]
fn another_meter_behind_the_same_id_goes_on_with_the_total() {
    let pulses =
        parse("t.toml", "[[meter]]\nid = \"flat\"\nsource = \"stack\"\npulse_volume = \"1 L\"\n").unwrap();
    let mut meter = fresh(&minutely());
    read(&mut meter, 100, 60 * S);
    read(&mut meter, 150, 120 * S);
    let delta = crate::config::change::Delta::between(&minutely(), &pulses.meters[0], false);
    assert!(delta.register && delta.begins_anew());
    meter.reconfigure(&pulses.meters[0], delta, [1, 1], 0);
    meter.resume(at(200 * S));
    assert_eq!(meter.total([1, 1], 7).volume_ul, 57 * L);
    assert_eq!(meter.read_ns(), None, "its register moves on unread");
    let (base, _) = meter.base([1, 1], 7);
    assert_eq!((base.volume_ul, base.register), (57 * L, None));

    // And back: what the register moved meanwhile was counted in pulses.
    meter.reconfigure(
        &minutely(),
        crate::config::change::Delta::between(&pulses.meters[0], &minutely(), false),
        [1, 1],
        7,
    );
    meter.resume(at(300 * S));
    assert_eq!(meter.reading(1_000 * L, 320 * S, at(320 * S)).0, Some(Taken::First));
    meter.reading(1_003 * L, 380 * S, at(380 * S));
    assert_eq!(meter.total([1, 1], 7).volume_ul, 60 * L);
}

#[test]
fn pulses_that_were_counted_meanwhile_are_not_counted_again_by_what_was_learned_before() {
    let mut meter = fresh(&minutely());
    read(&mut meter, 100, 60 * S);
    read(&mut meter, 150, 120 * S);
    let bytes = meter.learned(at(130 * S));
    // Its row has no reading any more: pulses were counted since, and the daemon was killed.
    let base = Base { register: None, volume_ul: 600 * L, ..meter.base([0, 0], 0).0 };
    let mut again = MeterRun::new(&minutely(), 0, base);
    again.recall(&bytes, at(900 * S)).unwrap();
    again.resume(at(900 * S));
    assert_eq!(read(&mut again, 700, 1_000 * S).0, Some(Taken::First));
    read(&mut again, 705, 1_060 * S);
    assert_eq!(litres(&again), 605);
}

/// The clock on the wall was put back, so that what was read before two reboots seems to have been read just now.
#[test]
fn what_passed_over_two_reboots_counts_though_no_time_seems_to_have_passed() {
    let boot = |boot, t_ns: u64| Now { boot, ..at(t_ns) };
    let mut meter = fresh(&minutely());
    meter.reading(500 * L, 3_660 * S, boot(1, 3_660 * S));
    let mut base = meter.base([0, 0], 0).0;
    for n in [2, 3] {
        meter = MeterRun::new(&minutely(), 0, base);
        // Its register moved by more than it can in a minute, and the clock on the wall is an hour back.
        meter.resume(boot(n, 10 * S));
        base = meter.base([0, 0], 0).0;
    }
    meter.reading(1_168 * L, 70 * S, boot(3, 70 * S));
    meter.reading(1_168 * L, 130 * S, boot(3, 130 * S));
    assert_eq!(litres(&meter), 668);
}

/// After the reboot gasd has written its totals and is killed before the register is read. Returns the total, and what of the
/// findings closes the valve.
fn killed_before_the_first_reading_after_a_reboot(
    wall_is_known: bool,
    learned: bool,
    passed: u64,
) -> (u64, Vec<Kind>) {
    let config = minutely();
    let mut meter = fresh(&config);
    read(&mut meter, 500, 3_600 * S);
    read(&mut meter, 500, 3_660 * S);
    let base = meter.base([0, 0], 0).0;
    let bytes = meter.learned(at(3_660 * S));
    // Off for a day, in which so many litres pass.
    let now = |t_ns: u64| {
        let unix_us = at(90_000 * S + t_ns).unix_us;
        Now { boot: 2, boottime_ns: t_ns, unix_us: if wall_is_known { unix_us } else { t_ns / 1_000 } }
    };
    let up = |base, t_ns| {
        let mut meter = MeterRun::new(&config, 0, base);
        if learned {
            meter.recall(&bytes, now(t_ns)).unwrap();
        }
        meter.resume(now(t_ns));
        meter
    };
    let base = up(base, 10 * S).base([0, 0], 0).0;
    let mut meter = up(base, 40 * S);
    let mut critical = Vec::new();
    for t_ns in [70 * S, 130 * S, 190 * S] {
        let found = meter.reading((500 + passed) * L, t_ns, now(t_ns)).1;
        critical
            .extend(found.iter().filter(|v| v.severity == gasd_detect::Severity::Critical).map(|v| v.kind));
    }
    (litres(&meter), critical)
}

#[test]
fn what_passed_while_it_was_off_counts_though_gasd_is_killed_before_the_first_reading() {
    let mut bad = Vec::new();
    for learned in [true, false] {
        for wall in [true, false] {
            for passed in [120, 300, 500, 668, 2_000] {
                let found = killed_before_the_first_reading_after_a_reboot(wall, learned, passed);
                if found != (passed, Vec::new()) {
                    bad.push(format!("learned {learned}, wall {wall}, {passed} L: {found:?}"));
                }
            }
        }
    }
    assert!(bad.is_empty(), "{bad:#?}");
}

/// What is told to be on the disk is only answered, never taken in.
#[test]
fn nothing_of_this_boot_is_written_before_it_was_read_in_it() {
    let boot = |boot, t_ns: u64| Now { boot, unix_us: t_ns / 1_000, boottime_ns: t_ns };
    let mut meter = fresh(&minutely());
    meter.reading(500 * L, 3_660 * S, boot(5, 3_660 * S));
    let base = meter.base([0, 0], 0).0;
    for (n, told_ns) in [(5, 3_660 * S), (6, 0)] {
        let mut again = MeterRun::new(&minutely(), 0, base);
        again.resume(boot(n, 4_000 * S));
        assert_eq!(again.read_ns(), Some(told_ns));
        assert_eq!(again.base([0, 0], 0).0, base, "a guess is not stored");
    }
}

/// One that is older than what was learned is nothing that this register was counted from.
#[test]
fn a_late_reading_leads_back_to_nothing_from_before_pulses_were_counted() {
    let mut meter = fresh(&minutely());
    read(&mut meter, 100, 60 * S);
    read(&mut meter, 150, 120 * S);
    let bytes = meter.learned(at(130 * S));
    let pulses = Base { register: None, volume_ul: 600 * L, ..meter.base([0, 0], 0).0 };
    let again = |base| {
        let mut meter = MeterRun::new(&minutely(), 0, base);
        meter.recall(&bytes, at(900 * S)).unwrap();
        meter.resume(at(900 * S));
        meter
    };
    let mut meter = again(pulses);
    assert_eq!(read(&mut meter, 100, 60 * S).0, Some(Taken::Late));
    let mut meter = again(meter.base([0, 0], 0).0);
    read(&mut meter, 700, 1_000 * S);
    read(&mut meter, 705, 1_060 * S);
    assert_eq!(litres(&meter), 605);
}
