// SPDX-License-Identifier: MIT OR Apache-2.0

use proptest::prelude::*;

use super::*;

const S: u64 = SECOND_NS;

fn opened(settings: Settings, at_s: u64) -> Breaker {
    let mut breaker = Breaker::new(settings);
    let changes: Vec<_> =
        (0..settings.failures).map(|_| breaker.failed(Failure::Timeout, at_s * S)).collect();
    assert_eq!(changes.last(), Some(&Some(Change::Opened)));
    assert!(changes[..changes.len() - 1].iter().all(Option::is_none));
    breaker
}

#[test]
fn three_failures_open_it_and_a_probe_that_is_answered_closes_it() {
    let mut breaker = opened(Settings::default(), 100);
    assert_eq!(breaker.ask(100 * S), Allowed::Nothing { until_ns: 130 * S });
    assert_eq!((breaker.state(), breaker.next_probe_ns()), (State::Open, Some(130 * S)));
    assert_eq!(breaker.ask(130 * S), Allowed::Probe);
    assert_eq!(breaker.state(), State::HalfOpen);
    assert_eq!(breaker.ask(130 * S + 1), Allowed::Nothing { until_ns: 160 * S }, "one at a time");
    assert_eq!(breaker.answered(), Some(Change::Closed));
    assert_eq!((breaker.ask(131 * S), breaker.last_failure()), (Allowed::All, None));
}

#[test]
fn a_probe_that_fails_opens_it_again_and_longer_if_that_is_wanted() {
    let mut breaker = opened(Settings::default(), 0);
    for n in 1..5 {
        assert_eq!(breaker.ask(n * 30 * S), Allowed::Probe, "{n}");
        assert_eq!(breaker.failed(Failure::Check, n * 30 * S), Some(Change::Opened));
    }
    let mut patient = opened(Settings { longest_ns: 100 * S, ..Settings::default() }, 0);
    let mut at_s = 0;
    for wait_s in [30, 60, 100, 100] {
        at_s += wait_s;
        assert_eq!(patient.ask(at_s * S - 1), Allowed::Nothing { until_ns: at_s * S });
        assert_eq!(patient.ask(at_s * S), Allowed::Probe);
        patient.failed(Failure::Timeout, at_s * S);
    }
    patient.ask(u64::MAX);
    patient.answered();
    for _ in 0..3 {
        patient.failed(Failure::Timeout, 0);
    }
    assert_eq!(patient.next_probe_ns(), Some(30 * S), "an answer makes it short again");
}

#[test]
fn an_answer_in_between_begins_the_count_anew_and_a_refusal_is_an_answer() {
    let mut breaker = Breaker::new(Settings::default());
    let refused = Error::DeviceError { code: 2, what: "" };
    for error in [Some(&Error::Timeout), Some(&Error::Timeout), Some(&refused), Some(&Error::Timeout), None] {
        assert_eq!(breaker.outcome(error, 0), None);
    }
    assert_eq!(breaker.failures(), 0);
    for error in [Error::WrongKey, Error::Mac, Error::KeyMissing, Error::Replay { got: 1, last: 1 }] {
        assert_eq!(Failure::of(&error), None, "{error}");
    }
}

#[test]
fn a_probe_of_which_nobody_tells_is_sent_again() {
    let mut breaker = opened(Settings::default(), 0);
    assert_eq!(breaker.ask(30 * S), Allowed::Probe);
    assert_eq!(breaker.ask(59 * S), Allowed::Nothing { until_ns: 60 * S });
    assert_eq!(breaker.ask(60 * S), Allowed::Probe);
}

#[test]
fn while_the_supply_sags_nothing_opens_and_that_is_told_instead() {
    let mut breaker = Breaker::new(Settings::default());
    breaker.set_supply(Supply::Low);
    let changes: Vec<_> = (0..5).map(|_| breaker.failed(Failure::Timeout, 0)).collect();
    assert_eq!(changes[..2], [None, None]);
    assert_eq!(changes[2..], [Some(Change::LowPower); 3]);
    assert_eq!(breaker.ask(0), Allowed::All);
    breaker.set_supply(Supply::Good);
    assert_eq!(breaker.failed(Failure::Timeout, 0), None, "those of before do not count");
}

/// What happens to a meter.
#[derive(Clone, Copy, Debug)]
enum Step {
    Ask,
    Answer,
    Fail(bool),
    Supply(bool),
}

fn step() -> impl Strategy<Value = (u64, Step)> {
    let step = prop_oneof![
        4 => Just(Step::Ask),
        1 => Just(Step::Answer),
        3 => any::<bool>().prop_map(Step::Fail),
        1 => any::<bool>().prop_map(Step::Supply),
    ];
    (0u64..50 * S, step)
}

proptest! {
    /// It opens only after enough failures in a row and a good supply, is never shut for longer than the longest time, and
    /// always comes back with an answer.
    #[test]
    fn it_opens_for_a_reason_and_not_for_ever(
        steps in proptest::collection::vec(step(), 0..200),
        failures in 0u32..6,
        longest_s in 0u64..1_000,
    ) {
        let settings = Settings { failures, longest_ns: longest_s * S, ..Settings::default() };
        let mut breaker = Breaker::new(settings);
        let (mut now_ns, mut row, mut low) = (0u64, 0u32, false);
        for (later_ns, step) in steps {
            now_ns += later_ns;
            let before = breaker.state();
            match step {
                Step::Ask => {
                    let allowed = breaker.ask(now_ns);
                    if let Allowed::Nothing { until_ns } = allowed {
                        prop_assert!(until_ns > now_ns);
                        prop_assert!(until_ns - now_ns <= settings.longest_ns.max(settings.open_ns));
                    }
                    prop_assert_eq!(allowed == Allowed::All, before == State::Closed);
                }
                Step::Answer => {
                    row = 0;
                    breaker.answered();
                    prop_assert_eq!(breaker.state(), State::Closed);
                }
                Step::Fail(timeout) => {
                    row += 1;
                    let failure = if timeout { Failure::Timeout } else { Failure::Check };
                    let change = breaker.failed(failure, now_ns);
                    prop_assert_eq!(breaker.last_failure(), Some(failure));
                    if before == State::Closed && breaker.state() == State::Open {
                        prop_assert!(row >= failures.max(1) && !low);
                    }
                    prop_assert_eq!(change == Some(Change::LowPower), before == State::Closed && low && row >= failures.max(1));
                }
                Step::Supply(is_low) => {
                    if low && !is_low {
                        row = 0;
                    }
                    low = is_low;
                    breaker.set_supply(if low { Supply::Low } else { Supply::Good });
                    prop_assert_eq!(breaker.state(), before);
                }
            }
        }
    }
}
