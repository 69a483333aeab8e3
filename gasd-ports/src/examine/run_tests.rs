// SPDX-License-Identifier: MIT OR Apache-2.0
//! Examinations of simulated lines, in virtual time.

use gasd_lab::cjt188::{GasMeter, Settings};
use gasd_lab::{Bus, Habits, Line, Meter, Noise, Register, Truth};

use super::super::finding::{Finding, Verdict};
use super::super::judge::judge;
use super::*;
use crate::wire::Parity;

const SECOND: u64 = 1_000_000_000;

fn plan(others: Vec<Setting>) -> Plan {
    let setting = Setting { baud: 2_400, parity: Parity::Even };
    Plan { setting, others, protocols: Protocol::ALL.to_vec(), listen_ns: 5 * SECOND, latency_ns: 20_000_000 }
}

fn meters() -> Vec<Box<dyn Meter>> {
    let truth = Truth::new(Register::default()).shared();
    let settings = Settings::new("33781122334455".parse().unwrap());
    vec![Box::new(GasMeter::new(settings, Habits::default(), truth))]
}

/// Lets an examination run on a line that is heard only where `hears` says so; what it found, how long it took, and the
/// settings that were made.
fn examine(mut bus: Bus, plan: Plan, hears: impl Fn(Setting) -> bool) -> (Vec<Finding>, u64, Vec<Setting>) {
    let mut examination = Examination::new(plan);
    let (mut now_ns, mut settings): (u64, Vec<Setting>) = (SECOND, Vec::new());
    // From now on the line has a clock.
    assert!(bus.take(now_ns).is_empty());
    for _ in 0..1_000_000 {
        let good = settings.last().is_some_and(|setting| hears(*setting));
        match examination.step(now_ns) {
            Act::Set(setting) => settings.push(setting),
            Act::Send(bytes) if good => bus.sent(now_ns, &bytes),
            Act::Send(_) => {}
            Act::Wait { until_ns } => {
                assert!(until_ns > now_ns, "it waits for something");
                now_ns = bus.due_ns().map_or(until_ns, |due| due.clamp(now_ns + 1, until_ns));
                let bytes = bus.take(now_ns);
                if !bytes.is_empty() {
                    examination.heard(now_ns, &bytes);
                }
            }
            Act::Done => return (judge(&examination.observed()), now_ns - SECOND, settings),
        }
    }
    panic!("it never ends");
}

fn verdict(findings: &[Finding], name: &str) -> Option<Verdict> {
    findings.iter().find(|finding| finding.name == name).map(|finding| finding.verdict)
}

#[test]
fn a_good_line_with_and_without_echo_is_good_within_ten_seconds() {
    for echo in [false, true] {
        let bus = Bus::new(Line { echo, ..Line::new(2_400) }, meters());
        let setting = plan(Vec::new()).setting;
        let (findings, took_ns, settings) = examine(bus, plan(Plan::others(setting)), |_| true);
        assert!(findings.iter().all(|finding| finding.verdict == Verdict::Good), "{findings:?}");
        assert!((5 * SECOND..12 * SECOND).contains(&took_ns), "{took_ns}");
        assert_eq!(settings, [setting], "where somebody answers nothing else is tried");
        let hears = findings.iter().any(|finding| finding.words.starts_with("the adapter hears"));
        assert_eq!(hears, echo, "{findings:?}");
    }
}

#[test]
fn a_line_at_another_setting_is_found_and_the_setting_named() {
    let right = Setting { baud: 9_600, parity: Parity::None };
    let first = plan(Vec::new()).setting;
    let bus = Bus::new(Line::new(2_400), meters());
    let (findings, took_ns, settings) = examine(bus, plan(Plan::others(first)), |setting| setting == right);
    assert_eq!(verdict(&findings, "speed"), Some(Verdict::Wrong), "{findings:?}");
    assert!(findings.iter().any(|finding| finding.words.contains("9600 baud 8N1")), "{findings:?}");
    assert_eq!(settings.last(), Some(&right));
    assert!(took_ns < 60 * SECOND, "{took_ns}");
}

#[test]
fn an_empty_line_is_told_after_all_settings() {
    let first = plan(Vec::new()).setting;
    let bus = Bus::new(Line::new(2_400), Vec::new());
    let (findings, took_ns, settings) = examine(bus, plan(Plan::others(first)), |_| true);
    assert_eq!(verdict(&findings, "answers"), Some(Verdict::Wrong), "{findings:?}");
    assert_eq!(verdict(&findings, "noise"), Some(Verdict::Good));
    assert_eq!(settings.len(), 21);
    assert!(took_ns < 150 * SECOND, "{took_ns}");
}

#[test]
fn stray_bytes_are_noise_whether_somebody_answers_or_not() {
    let noise = Noise { stray_ppm: 60_000, ..Noise::NONE };
    let bus = Bus::new(Line { noise, ..Line::new(2_400) }, meters());
    let (findings, ..) = examine(bus, plan(Vec::new()), |_| true);
    assert_eq!(verdict(&findings, "noise"), Some(Verdict::Wrong), "{findings:?}");
}

#[test]
fn an_echo_that_comes_back_changed_is_a_collision() {
    let noise = Noise { corrupt_ppm: 150_000, ..Noise::NONE };
    let bus = Bus::new(Line { noise, echo: true, ..Line::new(2_400) }, Vec::new());
    let (findings, ..) = examine(bus, plan(Vec::new()), |_| true);
    assert_eq!(verdict(&findings, "collision"), Some(Verdict::Wrong), "{findings:?}");
}

#[test]
fn a_line_that_never_rests_is_busy_and_nothing_is_sent_into_it() {
    let mut examination = Examination::new(plan(Vec::new()));
    let mut now_ns = SECOND;
    loop {
        match examination.step(now_ns) {
            Act::Send(bytes) => panic!("{bytes:?}"),
            Act::Done => break,
            Act::Set(_) => {}
            Act::Wait { .. } => {
                now_ns += 4_000_000;
                examination.heard(now_ns, &[0x55]);
            }
        }
    }
    let findings = judge(&examination.observed());
    assert_eq!(verdict(&findings, "busy"), Some(Verdict::Wrong), "{findings:?}");
    assert_eq!(verdict(&findings, "noise"), Some(Verdict::Wrong));
}

#[test]
fn what_the_hardware_counts_is_counted_from_each_setting_on() {
    let mut examination = Examination::new(Plan { protocols: vec![Protocol::Mbus], ..plan(Vec::new()) });
    let mut now_ns = SECOND;
    let mut framing = 70;
    loop {
        examination.damage(Some(Damage { framing, ..Damage::default() }));
        match examination.step(now_ns) {
            Act::Done => break,
            Act::Set(_) => framing = 90,
            Act::Send(_) => framing += 2,
            Act::Wait { until_ns } => now_ns = until_ns,
        }
    }
    let observed = examination.observed();
    assert_eq!(observed.listened.damage, Some(Damage::default()), "what was counted before is another's");
    assert_eq!(observed.asked[0].damage.map(|damage| damage.framing), Some(2));
}

#[test]
fn a_meter_that_answers_too_late_is_told_and_is_no_noise() {
    for think_ms in [1_250, 1_400, 1_700] {
        let truth = Truth::new(Register::default()).shared();
        let settings = Settings::new("33781122334455".parse().unwrap());
        let habits = Habits { think_ns: (think_ms * 1_000_000, think_ms * 1_000_000), ..Habits::default() };
        let bus = Bus::new(Line::new(2_400), vec![Box::new(GasMeter::new(settings, habits, truth))]);
        let (findings, ..) = examine(bus, plan(Vec::new()), |_| true);
        let late = findings.iter().find(|finding| finding.name == "late-answers");
        let late = late.unwrap_or_else(|| panic!("{think_ms}: {findings:?}"));
        assert_eq!(late.verdict, Verdict::Wrong, "{late:?}");
        assert!(
            late.words.ends_with(": CJ/T 188") && late.advice.as_ref().unwrap().contains("`answer`"),
            "{late:?}"
        );
        assert_eq!(verdict(&findings, "answers"), Some(Verdict::Good), "{think_ms}: {findings:?}");
        assert_eq!(verdict(&findings, "noise"), Some(Verdict::Good), "{think_ms}: {findings:?}");
        assert_eq!(verdict(&findings, "master"), None, "{think_ms}: {findings:?}");
    }
}

#[test]
fn a_slow_meter_of_one_edition_is_no_answer_to_the_question_of_the_other() {
    for think_ms in [700, 750, 850, 1_000, 1_200] {
        let truth = Truth::new(Register::default()).shared();
        let address = gasd_meters::dlt645::Address([0x12, 0x90, 0x78, 0x56, 0x34, 0x12]);
        let settings = gasd_lab::dlt645::Settings::new(address);
        let habits = Habits { think_ns: (think_ms * 1_000_000, think_ms * 1_000_000), ..Habits::default() };
        let meter = gasd_lab::dlt645::SwitchMeter::new(settings, habits, truth);
        let bus = Bus::new(Line::new(2_400), vec![Box::new(meter)]);
        let (findings, ..) = examine(bus, plan(Vec::new()), |_| true);
        let late = findings.iter().find(|finding| finding.name == "late-answers");
        let late = late.unwrap_or_else(|| panic!("{think_ms}: {findings:?}"));
        assert_eq!(late.verdict, Verdict::Wrong, "{late:?}");
        assert!(late.words.ends_with(": DL/T 645"), "{late:?}");
        assert!(late.advice.as_ref().unwrap().contains("`answer`"), "{late:?}");
        assert_eq!(verdict(&findings, "noise"), Some(Verdict::Good), "{think_ms}: {findings:?}");
    }
}

/// What is found on a line that says so many of these bytes each so many ms, whatever is asked; and after how long.
fn babble(mut bytes: impl FnMut() -> Vec<u8>, each_ms: u64) -> (Vec<Finding>, u64, Vec<String>) {
    let own = plan(Vec::new()).setting;
    let mut examination = Examination::new(plan(Plan::others(own)));
    let (mut now_ns, mut next_ns, mut doing) = (SECOND, SECOND, Vec::new());
    loop {
        match examination.step(now_ns) {
            Act::Done => return (judge(&examination.observed()), now_ns - SECOND, doing),
            Act::Set(_) | Act::Send(_) => {}
            Act::Wait { until_ns } => {
                if doing.last() != Some(&examination.doing()) {
                    doing.push(examination.doing());
                }
                now_ns = until_ns.min(next_ns).max(now_ns + 1);
                if now_ns >= next_ns {
                    examination.heard(now_ns, &bytes());
                    next_ns += each_ms * 1_000_000;
                }
            }
        }
    }
}

#[test]
fn a_line_of_nothing_but_one_level_or_babble_is_judged_soon_and_sends_nobody_to_the_meters() {
    let mut seed = 1u32;
    let mut random = move || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 24) as u8
    };
    let mut noise = move || (0..40).map(|_| random()).collect::<Vec<u8>>();
    for (name, each_ms) in
        [("00", 100), ("FF", 100), ("00", 10), ("babble", 20), ("babble", 5), ("babble", 400)]
    {
        let (findings, took_ns, doing) = babble(
            || match name {
                "00" => vec![0x00; 20],
                "FF" => vec![0xFF; 20],
                _ => noise(),
            },
            each_ms,
        );
        assert!(took_ns < 200 * SECOND, "{name}, {each_ms}: {} s", took_ns / SECOND);
        assert!(doing.iter().any(|what| what.contains("setting 1 of 21")), "{doing:?}");
        let names: Vec<&str> = findings.iter().map(|finding| finding.name).collect();
        if name == "babble" {
            assert_eq!(verdict(&findings, "noise"), Some(Verdict::Wrong), "{findings:?}");
            continue;
        }
        assert!(took_ns < 60 * SECOND, "{name}, {each_ms}: {} s", took_ns / SECOND);
        assert_eq!(verdict(&findings, "polarity"), Some(Verdict::Wrong), "{findings:?}");
        assert!(!names.contains(&"collision") && !names.contains(&"busy"), "{findings:?}");
        let advice = findings.iter().filter_map(|finding| finding.advice.as_deref()).collect::<String>();
        assert!(!advice.contains("several meters"), "{advice}");
    }
}
