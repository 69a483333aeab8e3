// SPDX-License-Identifier: MIT OR Apache-2.0
//! Gas without a pause for most of a day, in homes that heat: what is told, how often, and what a person's answer does.
//! `state-5-pilot.bin` is a state of version 5: 60 days of a pilot flame of 30 L/h and a shower and a supper a day.
#![allow(clippy::unwrap_used, reason = "test code")]

mod common;

use common::{SECOND, config, home::CIVIL};
use gasd_detect::{Engine, EngineConfig, Kind, Profile, Said, Severity, Topic, Verdict, sentence};

const L: u64 = 1_000_000;
const DAY: u64 = 86_400 * SECOND;

struct Sim {
    engine: Engine,
    t: u64,
    part: f64,
    ul: u64,
    leak: f64,
    n: u64,
    said: Vec<(f64, Verdict)>,
}

impl Sim {
    fn new(ul: u64) -> Self {
        Self::by(config(ul, Profile::EuG4))
    }

    fn by(cfg: EngineConfig) -> Self {
        let mut engine = Engine::new(cfg);
        engine.set_civil_offset(CIVIL);
        Self { engine, t: SECOND, part: 0.0, ul: cfg.pulse_volume_ul, leak: 0.0, n: 0, said: Vec::new() }
    }

    fn day(&self) -> f64 {
        self.t as f64 / DAY as f64
    }

    fn flow(&mut self, seconds: f64, m3_per_h: f64) {
        let q = m3_per_h + self.leak;
        let end = self.t + (seconds * 1e9) as u64;
        while self.t < end {
            let tick = (self.t / (30 * SECOND) + 1) * 30 * SECOND;
            let pulse = if q > 0.0 {
                self.t + ((1.0 - self.part) * self.ul as f64 / q * 3600.0).max(1.0) as u64
            } else {
                u64::MAX
            };
            let to = end.min(tick).min(pulse);
            self.part += (to - self.t) as f64 * q / 3600.0 / self.ul as f64;
            self.t = to;
            let verdict = if to == pulse {
                self.part = 0.0;
                self.engine.pulse(to, to)
            } else if to == tick {
                self.engine.tick(to)
            } else {
                None
            };
            let day = self.day();
            // What else it says of heated days is not of interest here.
            let of = |v: &Verdict| matches!(v.kind, Kind::BaseFlow | Kind::NeverZero);
            self.said.extend(verdict.filter(|v| v.severity >= Severity::Warning && of(v)).map(|v| (day, v)));
        }
    }

    fn until(&mut self, hour: f64, m3_per_h: f64) {
        let now = (self.t % DAY) as f64 / 1e9;
        if hour * 3600.0 > now {
            self.flow(hour * 3600.0 - now, m3_per_h);
        }
    }

    /// A shower and a supper.
    fn summer(&mut self, days: u64) {
        for _ in 0..days {
            self.n += 1;
            self.until(7.0 + (self.n % 4) as f64 * 0.1, 0.0);
            self.flow(400.0 + (self.n % 5) as f64 * 80.0, 1.5);
            self.until(18.0 + (self.n % 3) as f64 * 0.2, 0.0);
            self.flow(1800.0, 0.3);
            self.until(24.0, 0.0);
        }
    }

    /// A boiler fires for 10 minutes, then stands still for about `off` s.
    fn heated(&mut self, days: u64, from: f64, to: f64, off: f64) {
        for _ in 0..days {
            self.until(from, 0.0);
            let end = self.t / DAY * DAY + (to * 3600e9) as u64 - SECOND;
            while self.t < end {
                self.n += 1;
                let left = |t: u64| end.saturating_sub(t) as f64 / 1e9;
                self.flow(
                    (500.0 + (self.n * 37 % 400) as f64).min(left(self.t)),
                    0.5 + (self.n * 13 % 8) as f64 * 0.1,
                );
                self.flow((off * (0.7 + (self.n * 7 % 60) as f64 * 0.01)).min(left(self.t)), 0.0);
            }
            self.until(24.0, 0.0);
        }
    }

    fn after(&self, day: f64) -> Vec<(f64, Kind)> {
        self.said.iter().filter(|(at, _)| *at >= day).map(|(at, v)| (*at, v.kind)).collect()
    }
}

/// A state of version 5 knows the home, but no runs.
#[test]
fn an_upgrade_is_no_leak() {
    let state = include_bytes!("state-5-pilot.bin");
    let mut sim = Sim::new(L);
    sim.engine = Engine::restore(config(L, Profile::EuG4), state).expect("a state of version 5 is read");
    sim.engine.set_civil_offset(CIVIL);
    sim.engine.clock_moved(0);
    (sim.t, sim.leak) = (60 * DAY + SECOND, 0.03);
    sim.summer(20);
    let words: Vec<String> = sim.said.iter().map(|(_, v)| sentence("m", v)).collect();
    assert!(words.is_empty(), "{words:#?}");
}

#[test]
fn what_passed_less_than_a_meter_turns_for_is_no_leak() {
    let mut sim = Sim::new(L / 10);
    sim.summer(60);
    sim.heated(30, 6.0, 22.0, 400.0);
    sim.heated(1, 0.0, 24.0, 400.0);
    sim.heated(3, 6.0, 22.0, 400.0);
    for (at, v) in sim.said.iter().filter(|(_, v)| v.kind == Kind::NeverZero) {
        assert!(v.evidence.after.high >= 0.005, "day {at}: {}", sentence("m", v));
    }
}

/// Days from the beginning of a leak of 20 L/h in heated days to the first telling, behind pulses of 0.1 L; with a day of
/// frost some days before, about which a person says that all is right.
fn leak_after_frost(accept: bool, frost: bool, wait: u64) -> f64 {
    let mut sim = Sim::new(L / 10);
    let off = 40.0;
    sim.summer(60);
    sim.heated(30, 6.0, 22.0, off);
    if frost {
        sim.heated(1, 0.0, 24.0, off);
    }
    sim.heated(wait, 6.0, 22.0, off);
    if accept {
        assert!(sim.said.iter().any(|(_, v)| v.kind == Kind::NeverZero), "the frost was told");
        sim.engine.hear_no_rest(Said::FalseAlarm);
        sim.heated(wait, 6.0, 22.0, off);
    }
    sim.until(1.0, 0.0);
    let from = sim.day();
    sim.leak = 0.02;
    sim.heated(40, 6.0, 22.0, off);
    sim.after(from).first().map_or(f64::INFINITY, |(at, _)| at - from)
}

#[test]
fn a_false_alarm_about_a_frosty_day_hides_no_leak() {
    let days = leak_after_frost(true, true, 5);
    assert!(days < 3.0, "{days}");
}

#[test]
fn a_frosty_day_hides_no_leak_for_days() {
    let (without, with) = (leak_after_frost(false, false, 1), leak_after_frost(false, true, 1));
    assert!(with < without + 1.0, "{with} days, {without} without the frosty day");
}

#[test]
fn a_leak_is_told_once_while_it_goes_on() {
    let mut sim = Sim::new(L);
    sim.summer(60);
    sim.heated(14, 6.0, 22.0, 40.0);
    sim.until(1.0, 0.0);
    let from = sim.day();
    sim.leak = 0.02;
    sim.heated(60, 6.0, 22.0, 40.0);
    let said = sim.after(from);
    let again = said.get(1).is_none_or(|(at, _)| at - said[0].0 > 29.0);
    assert!((1..3).contains(&said.len()) && again, "by the rule's own 30 days: {said:?}");
}

#[test]
fn what_was_called_a_false_alarm_is_not_told_again() {
    let mut sim = Sim::new(L);
    sim.summer(60);
    sim.heated(14, 6.0, 22.0, 40.0);
    sim.until(1.0, 0.0);
    sim.leak = 0.02;
    sim.heated(2, 6.0, 22.0, 40.0);
    assert!(matches!(&sim.said[..], [(_, one)] if one.kind == Kind::NeverZero), "{:?}", sim.after(0.0));
    sim.engine.hear_no_rest(Said::FalseAlarm);
    sim.heated(60, 6.0, 22.0, 40.0);
    assert_eq!(sim.after(0.0).len(), 1, "{:?}", sim.after(0.0));
}

/// A longest run is remembered for more than a year.
#[test]
fn a_frosty_fortnight_each_winter_is_told_in_the_first_at_most() {
    let mut sim = Sim::new(L);
    sim.summer(60);
    for _ in 0..3 {
        sim.heated(14, 0.0, 24.0, 200.0);
        sim.summer(351);
    }
    let said: Vec<(f64, Kind)> = sim.after(120.0);
    assert!(said.is_empty(), "{said:?}");
}

/// A register of 10 L that is read each hour: a frosty night in which the boiler fires for some minutes each half hour
/// has no hour without gas, though it rested for 26 minutes of each 30.
#[test]
fn a_frosty_night_between_hourly_readings_is_no_leak() {
    use common::register;
    let mut readings = register::readings(register::config(10 * L, 3600 * SECOND, Profile::EuG4));
    readings.set_civil_offset(CIVIL);
    let (mut passed, mut said) = (1_000_000_000u64, Vec::new());
    for day in 0..111u64 {
        for minute in 0..1440u64 {
            let by_day = (6..22).contains(&(minute / 60));
            let litres = match day {
                0..40 if (435..445).contains(&minute) => 25,
                0..40 if (1110..1140 + day % 20).contains(&minute) => 5,
                40..100 | 101.. if by_day && minute % 30 < 12 + day * 5 % 8 => 15,
                100 if minute % 30 < if by_day { 14 } else { 4 } => 15,
                _ => 0,
            };
            passed += litres * L;
            if minute % 60 == 59 {
                let t = (day * 1440 + minute + 1) * 60 * SECOND;
                said.extend(
                    register::read(&mut readings, passed / (10 * L) * 10 * L, t)
                        .1
                        .into_iter()
                        .map(|v| (day, v)),
                );
            }
        }
    }
    let never = said.iter().find(|(_, v)| v.kind == Kind::NeverZero);
    assert!(never.is_none(), "day {}: {}", never.unwrap().0, sentence("m", &never.unwrap().1));
}

#[test]
fn of_a_leak_that_a_person_called_one_nothing_is_learned() {
    for ul in [L / 10, L] {
        let mut sim = Sim::new(ul);
        sim.summer(60);
        sim.heated(14, 6.0, 22.0, 40.0);
        for days in [30, 30, 1] {
            sim.until(1.0, 0.0);
            let from = sim.day();
            sim.leak = 0.02;
            sim.heated(4, 6.0, 22.0, 40.0);
            sim.leak = 0.0;
            let Some((_, kind)) = sim.after(from).first().copied() else {
                panic!("{ul} µL: the leak from day {from} is not told: {:?}", sim.after(0.0));
            };
            match kind {
                Kind::NeverZero => sim.engine.hear_no_rest(Said::RealLeak),
                _ => sim.engine.hear(Topic::BaseFlow, Said::RealLeak, sim.t),
            }
            sim.heated(days, 6.0, 22.0, 40.0);
        }
    }
}

/// Less than a meter turns for.
#[test]
fn a_litre_an_hour_is_not_told_with_small_pulses() {
    let mut sim = Sim::new(L / 10);
    sim.summer(60);
    sim.leak = 0.001;
    sim.summer(5);
    assert!(
        sim.said.is_empty(),
        "{:?}",
        sim.said.iter().map(|(d, v)| (*d, sentence("m", v))).collect::<Vec<_>>()
    );
}
