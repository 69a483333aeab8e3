// SPDX-License-Identifier: MIT OR Apache-2.0
//! Valves in meters, moved over lines that lose requests and answers: no command is executed twice, and what is said of a
//! valve is so.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "test code")]

mod house;

use gasd_lab::truth::{Motor, look};
use gasd_lab::{Habits, Line, Noise};
use gasd_meters::Valve;
use gasd_meters::drive::{Earlier, Memory, ProcedureSettings, Trouble};
use gasd_ports::bus::{Event, NotMoved};
use house::{MINUTE, SECOND, START, Wire, cjt188, mbus};

fn slow(seed: u64, answer_lost_ppm: u32) -> Habits {
    let mut habits = Habits { seed, ..Habits::default() };
    habits.valve.motor = Motor { time_ns: 6 * SECOND, ..habits.valve.motor };
    habits.valve.answer_lost_ppm = answer_lost_ppm;
    habits
}

/// Moves the valve of meter 1 and waits for the outcome.
fn order(wire: &mut Wire, to: Valve) -> Result<Valve, NotMoved> {
    assert!(wire.bus.move_valve(1, to, ProcedureSettings::default(), wire.now_ns()));
    let until_ns = wire.now_ns() + 3 * MINUTE;
    while wire.now_ns() < until_ns {
        for event in wire.run(wire.now_ns() + SECOND) {
            wire.check(&event);
            if let Event::Moved { key: 1, to: told, result, .. } = event {
                assert_eq!(told, to);
                return result;
            }
        }
    }
    panic!("an order to a valve has no outcome");
}

/// So often the valve was really moved to there.
fn executed(wire: &Wire, to: Valve) -> usize {
    look(&wire.meters[0].truth).executed().filter(|(_, moved)| *moved == to).count()
}

#[test]
fn a_command_whose_answer_is_lost_is_not_sent_again() {
    for meter in [cjt188(1, slow(7, 1_000_000)), mbus(1, false, slow(7, 1_000_000))] {
        let mut wire = Wire::new(Line::new(2_400), vec![meter]);
        assert_eq!(order(&mut wire, Valve::Closed), Ok(Valve::Closed));
        assert_eq!(executed(&wire, Valve::Closed), 1);
        // It is there already: nothing is sent.
        assert_eq!(order(&mut wire, Valve::Closed), Ok(Valve::Closed));
        assert_eq!(look(&wire.meters[0].truth).commands().len(), 1);
        assert_eq!(order(&mut wire, Valve::Open), Ok(Valve::Open));
        assert_eq!(executed(&wire, Valve::Open), 1);
    }
}

#[test]
fn a_closing_that_overtakes_an_opening_is_commanded_whatever_the_meter_still_says() {
    for (meter, first) in [
        (cjt188(1, slow(7, 0)), Valve::Closed),
        (mbus(1, false, slow(7, 0)), Valve::Closed),
        (cjt188(1, slow(8, 0)), Valve::Open),
        (mbus(1, false, slow(8, 0)), Valve::Open),
    ] {
        let last = if first == Valve::Closed { Valve::Open } else { Valve::Closed };
        let mut wire = Wire::new(Line::new(2_400), vec![meter]);
        if last == Valve::Closed {
            // Closed, being opened, and closed before it has left.
            assert_eq!(order(&mut wire, Valve::Closed), Ok(Valve::Closed));
        }
        assert!(wire.bus.move_valve(1, first, ProcedureSettings::default(), wire.now_ns()));
        let under_way = wire.run(wire.now_ns() + 3 * SECOND / 2);
        assert!(
            under_way.iter().any(|event| matches!(event, Event::Commanded { to, .. } if *to == first)),
            "{under_way:?}"
        );
        assert_eq!(order(&mut wire, last), Ok(last));
        wire.run(wire.now_ns() + MINUTE);
        assert_eq!(look(&wire.meters[0].truth).valve(wire.now_ns()), last, "what was said is so");
        assert_eq!(executed(&wire, last), if last == Valve::Closed { 2 } else { 1 });
    }
}

#[test]
fn a_command_that_went_out_before_a_crash_is_not_executed_twice() {
    for meter in [cjt188(1, slow(7, 0)), mbus(1, false, slow(7, 0))] {
        let mut wire = Wire::new(Line::new(2_400), vec![meter]);
        assert!(wire.bus.move_valve(1, Valve::Closed, ProcedureSettings::default(), wire.now_ns()));
        let events = wire.run(wire.now_ns() + 2 * SECOND);
        assert!(events.iter().any(|event| matches!(event, Event::Commanded { to: Valve::Closed, .. })));
        // Killed, and begun anew with what was written down.
        let until_ns = wire.now_ns() + 30 * SECOND;
        let earlier = Some(Earlier { to: Valve::Closed, until_ns });
        wire.reborn(|spec| spec.earlier = earlier);
        assert_eq!(order(&mut wire, Valve::Closed), Ok(Valve::Closed));
        assert!(wire.now_ns() < until_ns, "known as soon as it is there");
        assert_eq!(look(&wire.meters[0].truth).commands().len(), 1);
    }
}

#[test]
fn over_a_noisy_line_each_order_executes_one_command_at_most() {
    let mut moved = 0;
    for seed in 0..40 {
        let noise = Noise { corrupt_ppm: 50_000, burst: 40, stray_ppm: 500 };
        let line = Line { noise, seed, echo: seed % 2 == 0, ..Line::new(2_400) };
        let mut wire = Wire::new(line, vec![cjt188(1, slow(seed, 300_000)), cjt188(2, slow(seed + 1, 0))]);
        for (n, to) in [Valve::Closed, Valve::Open, Valve::Closed].into_iter().enumerate() {
            let before = executed(&wire, to);
            let result = order(&mut wire, to);
            let times = executed(&wire, to) - before;
            assert!(times <= 1, "seed {seed}, order {n}: {times} times");
            if let Ok(at) = result {
                let really = look(&wire.meters[0].truth).valve(wire.now_ns());
                assert_eq!((at, really), (to, to), "seed {seed}, order {n}");
                moved += 1;
            }
        }
        assert_eq!(look(&wire.meters[1].truth).commands().len(), 0, "the other meter was not commanded");
    }
    assert!(moved > 100, "{moved} of 120 orders were carried out");
}

#[test]
fn a_valve_that_is_stuck_is_told_and_not_commanded_again() {
    let mut habits = slow(3, 0);
    habits.valve.motor.stuck = true;
    let mut wire = Wire::new(Line::new(2_400), vec![cjt188(1, habits)]);
    let told = order(&mut wire, Valve::Closed).unwrap_err();
    assert!(
        matches!(
            told,
            NotMoved::Trouble(Trouble::NotThere { read: Valve::Open | Valve::Abnormal, command: Ok(()) })
        ),
        "{told:?}: {told}"
    );
    assert_eq!(look(&wire.meters[0].truth).commands().len(), 1);
}

#[test]
fn a_silent_meter_is_commanded_to_close_and_never_to_open() {
    let dead = Habits { dead: std::iter::once(START..u64::MAX).collect(), ..slow(4, 0) };
    let mut wire = Wire::new(Line::new(2_400), vec![cjt188(1, dead)]);
    let told = order(&mut wire, Valve::Open).unwrap_err();
    assert!(matches!(told, NotMoved::Trouble(Trouble::NotRead(_))), "{told:?}");
    let told = order(&mut wire, Valve::Closed).unwrap_err();
    assert!(matches!(told, NotMoved::Trouble(Trouble::Unanswered(_))), "{told:?}");
}

#[test]
fn a_valve_goes_before_readings_and_a_newer_order_takes_the_place_of_an_older_one() {
    let others = (2..=12).map(|key| {
        cjt188(key, Habits { dead: std::iter::once(START..u64::MAX).collect(), ..Habits::default() })
    });
    let mut wire =
        Wire::new(Line::new(2_400), std::iter::once(cjt188(1, slow(5, 0))).chain(others).collect());
    // In the middle of eleven dead meters, each of which costs three seconds.
    wire.run(START + 4 * SECOND);
    let began_ns = wire.now_ns();
    assert_eq!(order(&mut wire, Valve::Closed), Ok(Valve::Closed));
    assert!(wire.now_ns() - began_ns < 12 * SECOND, "{} ns", wire.now_ns() - began_ns);
    // Opened and at once closed again: the last one counts.
    assert!(wire.bus.move_valve(1, Valve::Open, ProcedureSettings::default(), wire.now_ns()));
    wire.run(wire.now_ns() + SECOND / 4);
    assert_eq!(order(&mut wire, Valve::Closed), Ok(Valve::Closed));
    assert_eq!(look(&wire.meters[0].truth).valve(wire.now_ns()), Valve::Closed);
}

#[test]
fn a_line_that_goes_leaves_no_order_behind_and_no_meter_alone() {
    let mut wire = Wire::new(Line::new(2_400), vec![cjt188(1, slow(6, 0))]);
    assert!(wire.bus.move_valve(1, Valve::Closed, ProcedureSettings::default(), START));
    wire.run(START + SECOND / 10);
    wire.bus.lost(wire.now_ns());
    wire.bus.drop_orders(wire.now_ns());
    let events: Vec<Event> = wire.bus.events().collect();
    assert!(
        matches!(
            events.last(),
            Some(Event::Moved { key: 1, result: Err(NotMoved::NoLine), at_work: None, .. })
        ),
        "{events:?}"
    );
    assert!(!events.iter().any(|event| matches!(event, Event::Breaker { .. })));
    assert!(!wire.bus.move_valve(77, Valve::Closed, ProcedureSettings::default(), START));
}

#[test]
fn what_is_remembered_of_a_meter_is_told_and_used_again() {
    let mut wire = Wire::new(Line::new(2_400), vec![cjt188(1, Habits::default())]);
    let told = wire.run(START + 10 * SECOND);
    let last = told.iter().rev().find_map(|event| match event {
        Event::Memory { key: 1, bytes } => Memory::from_bytes(bytes),
        _ => None,
    });
    assert!(last.is_some_and(|memory| memory != Memory::default()), "{told:?}");
}
