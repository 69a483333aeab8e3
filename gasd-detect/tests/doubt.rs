// SPDX-License-Identifier: MIT OR Apache-2.0
//! What one reading of a register is not believed for, and what it is counted for all the same: misread digits, the time
//! of a reboot, a register that is renewed less often than it is read, and what another has counted meanwhile.

mod common;

use common::{SECOND, register::*};
use gasd_detect::{Kind, Profile, Readings, ReadingsConfig, Severity, Taken};

#[test]
fn a_misread_register_closes_no_valve() {
    let mut front = readings(config(L, 60 * SECOND, Profile::EuG4));
    let at = |i: u64| SECOND + i * 60 * SECOND;
    read(&mut front, 1000 * L, at(0));
    read(&mut front, 1010 * L, at(1));
    // 11.4 m³/h, once.
    assert_eq!(read(&mut front, 1200 * L, at(2)), (Taken::Held, vec![]));
    let (taken, said) = read(&mut front, 1011 * L, at(2) + SECOND);
    assert_eq!(taken, Taken::Judged);
    assert_eq!(
        said.iter().map(|v| (v.kind, v.severity)).collect::<Vec<_>>(),
        [(Kind::ReverseFlow, Severity::Warning)]
    );
    assert_eq!((front.counts().misread, front.counts().falls, accounted(&front)), (1, 0, 11 * L));
    // And when it is true, it is held once.
    assert_eq!(read(&mut front, 1200 * L, at(3)).0, Taken::Held);
    let (taken, said) = read(&mut front, 1203 * L, at(3) + SECOND);
    assert_eq!(taken, Taken::Judged);
    assert!(said.iter().any(|v| v.severity == Severity::Critical), "{said:?}");
    assert_eq!(read(&mut front, 1393 * L, at(4)).0, Taken::Judged);
}

#[test]
fn after_a_reboot_the_volume_counts_and_no_rate_follows() {
    let cfg = config(L, 60 * SECOND, Profile::EuG4);
    let flow: Flow = vec![(7200, 1.0)];
    let (one, _) = play(cfg, &flow, &times(&flow, cfg.every_ns, |_| true), 0);
    let last = one.last().expect("read").1;
    let mut other = Readings::restore(cfg, &one.save()).expect("just saved");
    // The wall clock is not set: as far as anybody knows no time has passed.
    other.clock_moved(5 * SECOND as i64 - last as i64);
    assert_eq!(
        read(&mut other, 9_000 * L, 4 * SECOND),
        (Taken::Held, vec![]),
        "so much waits for the next one"
    );
    assert_eq!(read(&mut other, 9_016 * L, 64 * SECOND), (Taken::Judged, vec![]));
    assert_eq!(accounted(&other), 9_016 * L);
}

#[test]
fn after_a_reboot_one_reading_that_says_very_much_is_not_believed() {
    let rolls = config(L, 60 * SECOND, Profile::EuG4);
    for cfg in [rolls, ReadingsConfig { modulus_ul: 1_000_000_000_000_000_000, ..rolls }] {
        let flow: Flow = vec![(7200, 1.0)];
        let (one, _) = play(cfg, &flow, &times(&flow, cfg.every_ns, |_| true), 0);
        let (register, last) = one.last().expect("read");
        let passed = one.passed_ul();
        let adrift = || {
            let mut other = Readings::restore(cfg, &one.save()).expect("just saved");
            other.clock_moved(5 * SECOND as i64 - last as i64);
            other
        };
        // A misread digit, and what is right behind it.
        for wrong in [99_999_999 * L, u64::MAX, register + 5_000_000 * L] {
            let mut other = adrift();
            assert_eq!(read(&mut other, wrong, 10 * SECOND), (Taken::Held, vec![]), "{wrong}");
            assert_eq!(other.passed_ul(), passed);
            let (taken, said) = read(&mut other, register + 10 * L, 70 * SECOND);
            assert_eq!((taken, other.passed_ul()), (Taken::Missed, passed + 10 * L), "{wrong}");
            assert!(said.iter().all(|v| v.severity < Severity::Critical), "{said:?}");
            assert_eq!(other.counts().misread, 1);
        }
        // A long time: the next one confirms it.
        let mut other = adrift();
        assert_eq!(read(&mut other, register + 500_000 * L, 10 * SECOND).0, Taken::Held);
        assert_eq!(read(&mut other, register + 500_010 * L, 70 * SECOND).0, Taken::Judged);
        assert_eq!(other.passed_ul(), passed + 500_010 * L);
        // And what can have passed meanwhile is believed at once.
        let mut other = adrift();
        assert_eq!(read(&mut other, register + 50 * L, 10 * SECOND).0, Taken::Missed);
    }
}

#[test]
fn a_register_that_is_renewed_less_often_than_it_is_read_is_counted_and_accused_of_nothing() {
    let cfg = config(L, 60 * SECOND, Profile::EuG4);
    for (each_s, m3_per_h) in
        [(900, 0.3), (900, 1.2), (900, 3.0), (300, 1.5), (300, 4.5), (3_600, 3.0), (120, 2.0)]
    {
        let mut front = readings(cfg);
        front.set_civil_offset(CIVIL);
        let (mut said, mut shown) = (Vec::new(), 0);
        for minute in 0..240u64 {
            let t_s = 1_000 + minute * 60;
            let renewed_s = minute * 60 / each_s * each_s;
            shown = (renewed_s as f64 * m3_per_h / 3.6) as u64;
            said.extend(read(&mut front, 5_000 * L + shown * L, t_s * SECOND).1);
        }
        // Twice more, so that nothing waits.
        (240..242u64)
            .for_each(|minute| drop(read(&mut front, 5_000 * L + shown * L, (1_000 + minute * 60) * SECOND)));
        assert_eq!(front.passed_ul(), shown * L, "every {each_s} s, {m3_per_h} m3/h");
        let grave: Vec<_> = said.iter().filter(|v| v.severity >= Severity::Warning).collect();
        assert!(grave.is_empty(), "every {each_s} s, {m3_per_h} m3/h: {:?}", grave[0]);
    }
}

#[test]
fn a_hose_is_found_though_the_register_is_renewed_less_often_than_it_is_read() {
    let cfg = config(L, 60 * SECOND, Profile::EuG4);
    for each_s in [60, 120, 300] {
        let mut front = readings(cfg);
        let found = (0..60u64).find(|minute| {
            // From the tenth minute on.
            let gone_s = (minute * 60 / each_s * each_s).saturating_sub(600);
            let litres = (gone_s as f64 * 9.0 / 3.6) as u64;
            let said = read(&mut front, 5_000 * L + litres * L, (1_000 + minute * 60) * SECOND).1;
            said.iter().any(|v| v.severity == Severity::Critical)
        });
        let at = found.expect("a hose");
        assert!(at * 60 <= 600 + 3 * each_s + 60, "renewed every {each_s} s: after {} minutes", at - 10);
    }
}

#[test]
fn what_another_has_counted_since_is_not_counted_again_and_no_rate_follows() {
    let cfg = config(L, 60 * SECOND, Profile::EuG4);
    let flow: Flow = vec![(7200, 1.0)];
    let (one, _) = play(cfg, &flow, &times(&flow, cfg.every_ns, |_| true), 0);
    let (register, last) = one.last().expect("read");
    let mut other = Readings::restore(cfg, &one.save()).expect("just saved");
    let before = other.passed_ul();
    // 300 L in a minute: a hose, had it been this one's to judge.
    other.resume(register + 300 * L, last + 60 * SECOND);
    assert_eq!((other.passed_ul(), other.last()), (before, Some((register + 300 * L, last + 60 * SECOND))));
    assert_eq!(read(&mut other, register + 317 * L, last + 120 * SECOND), (Taken::Judged, vec![]));
    assert_eq!(other.passed_ul(), before + 17 * L);
    // Of one that knows the same nothing changes.
    let mut same = Readings::restore(cfg, &one.save()).expect("just saved");
    same.resume(register, last);
    assert_eq!(same.save(), one.save());
}
