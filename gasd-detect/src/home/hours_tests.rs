// SPDX-License-Identifier: MIT OR Apache-2.0
use super::*;

const DAY_H: u64 = 24;

/// A home of which nothing is looked at but its hours.
#[derive(Clone, Copy, Default)]
struct Lived {
    hours: Hours,
    oddity: Oddity,
    /// The hour under way, since the epoch.
    now_h: u64,
}

impl Lived {
    /// `litres` at `m3_per_h` in pulses of 10 L from the first minute of this hour on, beside a base flow of `base`.
    fn uses(&mut self, litres: u64, m3_per_h: f64, base: f32) -> Option<Unusual> {
        let start = self.now_h * HOUR_S * SECOND_NS + 60 * SECOND_NS;
        let interval = (0.01 / m3_per_h * HOUR_S as f64 * SECOND_NS as f64) as u64;
        let mut told = None;
        for i in 1..=litres / 10 {
            let t = start + i * interval;
            self.hours.advance(t / SECOND_NS, HOUR_S * SECOND_NS, &mut self.oddity);
            let span = (t.saturating_sub(interval), t);
            told = told.or(self.hours.volume(10_000_000, span, base, (TELL_UL, TOLD), &mut self.oddity));
        }
        told
    }

    fn hour(&mut self) {
        self.now_h += 1;
        self.hours.advance(self.now_h * HOUR_S, HOUR_S * SECOND_NS, &mut self.oddity);
    }

    /// Days with a use of 200 L at 1.5 m³/h each evening at 18:00, and of 50 L in the morning at 5:00 while it is cold;
    /// up to midnight.
    fn lives(mut self, days: u64, cold: bool) -> Self {
        for _ in 0..days * DAY_H {
            let told = match self.now_h % DAY_H {
                18 => self.uses(200, 1.5, 0.0),
                5 if cold => self.uses(50, 1.5, 0.0),
                _ => None,
            };
            assert_eq!(told, None);
            self.hour();
        }
        self
    }

    /// What is told of `litres` at `m3_per_h` in this hour of the next day.
    fn told_at(mut self, of_day: u64, litres: u64, m3_per_h: f64) -> Option<Unusual> {
        for _ in 0..of_day {
            self.hour();
        }
        self.uses(litres, m3_per_h, 0.0)
    }
}

fn learned() -> Lived {
    let mut new = Lived { now_h: 30 * DAY_H, ..Lived::default() };
    new.hour();
    (1..DAY_H).for_each(|_| new.hour());
    new.lives(60, false)
}

#[test]
fn a_leak_at_three_is_told_and_tea_is_not() {
    let lived = learned();
    assert_eq!(lived.told_at(3, 60, 0.3), None);
    let found = lived.told_at(3, 160, 0.3).unwrap();
    assert_eq!((found.hour, found.volume_ul), (3, 140e6));
    assert_eq!(lived.told_at(18, 160, 0.3), None);
}

#[test]
fn a_flow_of_the_homes_is_less_of_a_leak() {
    // Beside an hour that is used no flow of the home is strange, and in the middle of the night any is.
    let lived = learned();
    assert_eq!(lived.told_at(16, 200, 1.5), None);
    assert!(lived.told_at(16, 200, 0.7).is_some());
    assert_eq!(lived.told_at(17, 200, 1.5), None);
}

#[test]
fn after_two_the_hour_is_quiet_no_more_for_a_while() {
    let mut lived = learned();
    for told in [true, false] {
        (0..3).for_each(|_| lived.hour());
        assert_eq!(lived.uses(160, 0.3, 0.0).is_some(), told, "the second one may be the first's guest");
        (3..DAY_H).for_each(|_| lived.hour());
    }
    let lived = lived.lives(4, false);
    assert_eq!(lived.told_at(3, 160, 0.3), None);
    assert!(lived.lives(120, false).told_at(3, 160, 0.3).is_some());
}

#[test]
fn a_winters_hour_is_quiet_again_a_season_later_and_a_habits_is_not() {
    let lived = learned().lives(4, true).lives(5, false);
    assert_eq!(lived.told_at(5, 160, 0.7), None, "a week later");
    assert!(lived.lives(80, false).told_at(5, 160, 0.7).is_some(), "a season later");
    let lived = learned().lives(60, true).lives(30, false);
    assert_eq!(lived.told_at(5, 160, 0.7), None, "it was used on many days");
}

#[test]
fn a_use_that_goes_on_into_a_quieter_hour_counts_from_there() {
    let mut lived = learned();
    (0..18).for_each(|_| lived.hour());
    // From 18:01 on, at 0.2 m³/h: by midnight 135 L have passed in hours that are quiet.
    let told = lived.uses(1600, 0.2, 0.0).unwrap();
    assert!(told.volume_ul < 145e6 && !(17..19).contains(&told.hour), "{told:?}");
}

#[test]
fn who_used_gas_an_hour_ago_is_about() {
    let mut lived = learned();
    // Another flow that is known as well.
    for hour in 0..40 * DAY_H {
        assert!(hour % DAY_H != 18 || lived.uses(200, 1.2, 0.0).is_none());
        lived.hour();
    }
    let at = |hour_h: u64, m3_per_h: f64| {
        let mut lived = lived;
        (0..hour_h - 1).for_each(|_| lived.hour());
        // A kettle, or not.
        let quiet = lived;
        assert_eq!(lived.uses(20, 1.0, 0.0), None);
        [quiet, lived].map(|mut lived| {
            lived.hour();
            lived.uses(160, m3_per_h, 0.0).is_some()
        })
    };
    let flows = [0.3, 1.2, 1.4, 1.5];
    let told: Vec<_> = (1..18).flat_map(|hour_h| flows.map(|flow| at(hour_h, flow))).collect();
    assert!(told.contains(&[true, false]), "{told:?}");
    assert!(!told.contains(&[false, true]), "{told:?}");
    assert_eq!(at(3, 0.3), [true, true], "but not for a flow that is no appliance's");
}

#[test]
fn a_pilot_flame_is_not_a_use_nor_keeps_one_alive() {
    let mut lived = learned();
    // Pulses each quarter of an hour, then each five minutes.
    for (base, litres) in [(0.04, 40), (0.12, 120)] {
        for _ in 0..9 {
            assert_eq!(lived.uses(litres, f64::from(base), base), None);
            lived.hour();
        }
        assert!(lived.hours.run_ul < 20e6, "{base}: {}", lived.hours.run_ul);
    }
}

#[test]
fn a_slow_use_counts_for_the_hour_it_began_in_too() {
    let mut lived = learned();
    (0..19).for_each(|_| lived.hour());
    // From 19:01 on, after the hour that is used, at a flow that is no appliance's: some 120 L by eight, when it is quieter.
    let slow = lived.uses(300, 0.13, 0.0).unwrap();
    let since_h = slow.since_ns / SECOND_NS / HOUR_S % DAY_H;
    assert!(
        slow.volume_ul < 145e6 && since_h == 19 && slow.hour == 20,
        "not counted anew from eight: {slow:?}"
    );
}
