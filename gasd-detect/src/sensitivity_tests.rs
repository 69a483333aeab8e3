// SPDX-License-Identifier: MIT OR Apache-2.0
use proptest::prelude::*;

use super::*;
use crate::profile::Profile;
use crate::state::State as _;

const YEAR_NS: u64 = (HALF_DAYS * DAY_NS as f32) as u64;

fn topics() -> impl Strategy<Value = Topic> {
    prop::sample::select(Topic::ALL.to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]

    /// Whatever is said, whenever, thresholds stay between the proved ones and their bounds.
    #[test]
    fn no_clicks_deafen_it(
        all in prop::collection::vec((topics(), any::<bool>(), 0..400 * DAY_NS), 0..300), by in -YEAR_NS.cast_signed()..1,
    ) {
        let mut one = Sensitivity::default();
        let mut now = 2 * YEAR_NS;
        for (topic, real, after) in all {
            now += after;
            one.forget(now);
            one.hear(topic, if real { Said::RealLeak } else { Said::FalseAlarm }, now);
            for topic in Topic::ALL {
                let times = one.times(topic);
                prop_assert!((1.0..=topic.most()).contains(&times), "{topic:?}: {times}");
            }
            prop_assert!(!real || one.times(topic) == 1.0, "a real leak puts it back");
        }
        one.shift(by);
        one.forget(u64::MAX);
        prop_assert!(Topic::ALL.iter().all(|topic| one.times(*topic) == 1.0), "all is forgotten in time");
    }

    /// Nor does whatever is read from a disk.
    #[test]
    fn no_bytes_deafen_it(bytes in prop::array::uniform32(any::<u8>()), more in any::<u64>()) {
        let all = [&bytes[..], &more.to_le_bytes()].concat();
        let mut one = Sensitivity::load(&mut &all[..]).expect("any bytes are one");
        for now in [0, more, u64::MAX] {
            for topic in Topic::ALL {
                let times = one.times(topic);
                prop_assert!((1.0..=topic.most()).contains(&times), "{times}");
            }
            one.forget(now);
            one.hear(Topic::BaseFlow, Said::FalseAlarm, now);
        }
    }
}

fn times(said: &[Said], topic: Topic) -> f32 {
    let mut one = Sensitivity::default();
    said.iter().for_each(|said| one.hear(topic, *said, DAY_NS));
    one.times(topic)
}

#[test]
fn each_false_alarm_is_a_step_up_to_a_bound() {
    for (topic, steps) in [
        (Topic::BaseFlow, &[2.0, 4.0, 8.0, 8.0][..]),
        (Topic::Overload, &[2.0, 4.0, 4.0]),
        (Topic::LongUse, &[1.1, 1.21, 1.331, 1.4641, 1.5, 1.5]),
        (Topic::UnusualHour, &[1.15, 1.3225, 1.4, 1.4]),
    ] {
        for (n, step) in steps.iter().enumerate() {
            let now = times(&vec![Said::FalseAlarm; n + 1], topic);
            assert!((now - step).abs() < 1e-3, "{topic:?} {n}: {now}");
        }
    }
}

#[test]
fn half_is_forgotten_in_a_year() {
    let mut one = Sensitivity::default();
    for _ in 0..2 {
        one.hear(Topic::BaseFlow, Said::FalseAlarm, DAY_NS);
    }
    for day in 0..=366 {
        one.forget(DAY_NS + day * DAY_NS);
    }
    assert!((one.times(Topic::BaseFlow) - 2.0).abs() < 0.01, "{}", one.times(Topic::BaseFlow));
}

#[test]
fn use_times_that_close_the_valve_or_are_not_learned_stay() {
    let mut one = Sensitivity::default();
    one.hear(Topic::LongUse, Said::FalseAlarm, DAY_NS);
    assert!(one.times_of_use(&Profile::EuG4.rules()) > 1.0);
    assert!(one.times_of_use(&Profile::JpMicom.rules()) == 1.0);
    let closes = Rules { use_time_closes: true, ..Profile::EuG4.rules() };
    assert!(one.times_of_use(&closes) == 1.0);
}

#[test]
fn rules_that_shut_for_safety_have_no_topic() {
    for rule in [
        Rule::TotalFlow,
        Rule::SuddenIncrease,
        Rule::NoRest,
        Rule::Silence,
        Rule::RestoreCheck,
        Rule::ValveClosed,
        Rule::Pressure,
        Rule::Seismic,
        Rule::AlarmLink,
        Rule::Confirmed5s,
        Rule::Sustained30s,
    ] {
        assert_eq!(Topic::of_rule(rule.name()), None, "{rule:?}");
    }
    assert_eq!(Topic::of_rule(Rule::UseTime.name()), Some(Topic::LongUse));
}

#[test]
fn it_says_in_words_what_it_is() {
    let mut one = Sensitivity::default();
    one.hear(Topic::BaseFlow, Said::FalseAlarm, DAY_NS);
    one.hear(Topic::BaseFlow, Said::FalseAlarm, DAY_NS);
    one.hear(Topic::LongUse, Said::RealLeak, DAY_NS);
    one.hear(Topic::LongUse, Said::FalseAlarm, DAY_NS);
    let words: Vec<String> = one.heard().map(|heard| heard.to_string()).collect();
    assert_eq!(
        words,
        [
            "its alarms about base flow were called false 2 times: threshold x4",
            "its alarms about long use were called false once and real once: threshold x1.1",
        ]
    );
    one.hear(Topic::BaseFlow, Said::RealLeak, DAY_NS);
    let first = one.heard().next().map(|heard| heard.to_string());
    assert_eq!(
        first.as_deref(),
        Some("its alarms about base flow were called false 2 times and real once: threshold as proved")
    );
}
