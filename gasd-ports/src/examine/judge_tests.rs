// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is said of lines that were made up.

use gasd_meters::hex;

use super::super::finding::Verdict;
use super::super::plan::{Plan, harmless};
use super::*;

const SET: Setting = Setting { baud: 2_400, parity: Parity::Even };
const ANSWER: &str = "68104433221100337881161F9000007766552C007766552C3101221105152021841316";

use crate::wire::Parity;

fn listened() -> Listened {
    Listened { for_ns: 5_000_000_000, damage: Some(Damage::default()), ..Listened::default() }
}

/// All that is asked at a setting, each time hearing what `heard` makes of the request.
fn round(setting: Setting, mut heard: impl FnMut(Protocol, &[u8]) -> Vec<u8>) -> Vec<Asked> {
    let all = Protocol::ALL
        .into_iter()
        .flat_map(|protocol| harmless(protocol).into_iter().map(move |request| (protocol, request)));
    let asked = |(protocol, request): (Protocol, Vec<u8>)| Asked {
        heard: heard(protocol, &request),
        setting,
        protocol,
        request,
        before: Vec::new(),
        early: 0,
        damage: Some(Damage::default()),
    };
    all.map(asked).collect()
}

fn answer(protocol: Protocol) -> Vec<u8> {
    if protocol == Protocol::Cjt188 { hex::parse(ANSWER).unwrap() } else { Vec::new() }
}

fn judged(listened: Listened, asked: Vec<Asked>) -> Vec<Finding> {
    let findings = judge(&Observed { setting: SET, listened, asked });
    for finding in &findings {
        assert_eq!(finding.advice.is_none(), finding.verdict == Verdict::Good, "{finding:?}");
        let twice = findings.iter().filter(|other| other.name == finding.name).count();
        assert_eq!(twice, 1, "{finding:?}");
    }
    findings
}

fn verdict(findings: &[Finding], name: &str) -> Option<Verdict> {
    findings.iter().find(|finding| finding.name == name).map(|finding| finding.verdict)
}

fn worst(findings: &[Finding]) -> Verdict {
    findings.iter().map(|finding| finding.verdict).max().unwrap()
}

#[test]
fn a_good_line_is_good() {
    let findings = judged(listened(), round(SET, |protocol, _| answer(protocol)));
    assert_eq!(worst(&findings), Verdict::Good, "{findings:?}");
    assert!(findings.iter().any(|finding| finding.words.contains("CJ/T 188")));
    assert!(findings.iter().any(|finding| finding.words.contains("does not hear")));
}

#[test]
fn an_adapter_that_hears_itself_is_good_and_said() {
    let findings = judged(listened(), round(SET, |protocol, own| [own, &answer(protocol)].concat()));
    assert_eq!(worst(&findings), Verdict::Good, "{findings:?}");
    let echo = findings.iter().find(|finding| finding.name == "echo").unwrap();
    assert!(echo.words.starts_with("the adapter hears what it sends"));
}

#[test]
fn an_echo_that_is_damaged_again_and_again_is_a_collision() {
    let spoil = |protocol, own: &[u8]| {
        let mut echo = own.to_vec();
        let middle = echo.len() / 2;
        echo[middle] ^= 0x10;
        [echo, answer(protocol)].concat()
    };
    let findings = judged(listened(), round(SET, spoil));
    assert_eq!(verdict(&findings, "collision"), Some(Verdict::Wrong), "{findings:?}");
    assert_eq!(verdict(&findings, "answers"), Some(Verdict::Good));
    // Once is noise.
    let mut first = true;
    let once = |protocol, own: &[u8]| {
        if std::mem::take(&mut first) { spoil(protocol, own) } else { [own, &answer(protocol)].concat() }
    };
    let findings = judged(listened(), round(SET, once));
    assert_eq!(verdict(&findings, "collision"), Some(Verdict::Suspicious), "{findings:?}");
}

#[test]
fn wrong_parity_and_wrong_speed_are_told_by_who_answers_where() {
    for (other, name, advice) in [
        (Setting { parity: Parity::None, ..SET }, "parity", "`parity = \"none\"`"),
        (Setting { baud: 9_600, ..SET }, "speed", "`baud = 9600`"),
    ] {
        let asked =
            [round(SET, |_, _| vec![0x9A, 0x31]), round(other, |protocol, _| answer(protocol))].concat();
        let findings = judged(listened(), asked);
        assert_eq!(verdict(&findings, name), Some(Verdict::Wrong), "{findings:?}");
        assert_eq!(verdict(&findings, "answers"), None);
        let found = findings.iter().find(|finding| finding.name == name).unwrap();
        assert!(found.advice.as_ref().unwrap().contains(advice), "{found:?}");
    }
}

#[test]
fn nobody_and_several_at_once_are_told_apart() {
    let silent: Vec<Asked> = [SET]
        .into_iter()
        .chain(Plan::others(SET))
        .flat_map(|other| round(other, |_, _| Vec::new()))
        .collect();
    let findings = judged(listened(), silent);
    assert_eq!(verdict(&findings, "answers"), Some(Verdict::Wrong), "{findings:?}");
    assert_eq!(verdict(&findings, "noise"), Some(Verdict::Good));
    let mixed = round(
        SET,
        |protocol, _| if protocol == Protocol::Mbus { vec![0x68, 0x1F, 0x51, 0x70] } else { vec![] },
    );
    let findings = judged(listened(), mixed);
    assert_eq!(verdict(&findings, "answers"), Some(Verdict::Suspicious), "{findings:?}");
    // `gasctl scan` cannot do what it is not said to do here.
    let answers = findings.iter().find(|finding| finding.name == "answers").unwrap();
    let advice = answers.advice.as_ref().unwrap();
    assert!(advice.contains("connect one at a time") && advice.contains("on their labels"), "{advice}");
}

#[test]
fn bytes_of_no_frame_are_noise_and_a_few_are_only_suspicious() {
    let noisy = |garbage| Listened { bytes: garbage, garbage, ..listened() };
    let good = || round(SET, |protocol, _| answer(protocol));
    assert_eq!(verdict(&judged(noisy(2), good()), "noise"), Some(Verdict::Suspicious));
    assert_eq!(verdict(&judged(noisy(40), good()), "noise"), Some(Verdict::Wrong));
}

#[test]
fn one_level_only_or_breaks_are_swapped_wires_and_no_noise_as_well() {
    let zeros = Listened { bytes: 60, zeros: 58, garbage: 60, ..listened() };
    let findings = judged(zeros.clone(), round(SET, |_, _| vec![0; 4]));
    assert_eq!(verdict(&findings, "polarity"), Some(Verdict::Wrong), "{findings:?}");
    assert_eq!(verdict(&findings, "noise"), None);
    let ones = Listened { bytes: 9, ones: 9, garbage: 9, ..listened() };
    assert_eq!(verdict(&judged(ones, Vec::new()), "polarity"), Some(Verdict::Wrong));
    let breaks = Listened { damage: Some(Damage { breaks: 7, ..Damage::default() }), ..listened() };
    assert_eq!(verdict(&judged(breaks, Vec::new()), "polarity"), Some(Verdict::Wrong));
    // Meters that are read all the same are not wired the wrong way round.
    let findings = judged(zeros, round(SET, |protocol, _| answer(protocol)));
    assert_eq!(verdict(&findings, "polarity"), None);
    assert_eq!(verdict(&findings, "noise"), Some(Verdict::Wrong));
}

#[test]
fn frames_that_nobody_asked_for_are_another_master_or_a_burst() {
    let heard = |protocol| Listened { bytes: 40, frames: vec![(protocol, 2)], ..listened() };
    let findings = judged(heard(Protocol::Modbus), Vec::new());
    assert_eq!(verdict(&findings, "master"), Some(Verdict::Wrong), "{findings:?}");
    assert_eq!(verdict(&findings, "noise"), Some(Verdict::Good));
    assert_eq!(verdict(&judged(heard(Protocol::Hart), Vec::new()), "master"), Some(Verdict::Suspicious));
    // One that is heard only between the own requests.
    let other = harmless(Protocol::Mbus).remove(0);
    let findings = judged(
        listened(),
        round(SET, |protocol, _| if protocol == Protocol::Dlt645 { other.clone() } else { vec![] }),
    );
    assert_eq!(verdict(&findings, "master"), Some(Verdict::Wrong), "{findings:?}");
}

#[test]
fn what_the_hardware_counts_is_wrong_where_nobody_answers_and_suspicious_where_somebody_does() {
    let counted = Damage { framing: 3, parity: 5, overrun: 1, breaks: 0 };
    for (answers, expected) in [(false, Verdict::Wrong), (true, Verdict::Suspicious)] {
        let mut asked = round(SET, |protocol, _| if answers { answer(protocol) } else { vec![] });
        asked[0].damage = Some(counted);
        let findings = judged(listened(), asked);
        for name in ["framing", "parity-errors", "overruns"] {
            assert_eq!(verdict(&findings, name), Some(expected), "{name}: {findings:?}");
        }
    }
    // At other settings errors are to be expected.
    let mut asked = round(SET, |protocol, _| answer(protocol));
    asked.extend(round(Setting { baud: 300, ..SET }, |_, _| vec![]));
    asked.last_mut().unwrap().damage = Some(counted);
    assert_eq!(worst(&judged(listened(), asked)), Verdict::Good);
}

#[test]
fn a_line_that_is_never_silent_is_told() {
    let mut asked = round(SET, |_, _| Vec::new());
    asked.iter_mut().for_each(|asked| asked.request.clear());
    let findings = judged(listened(), asked);
    assert_eq!(verdict(&findings, "busy"), Some(Verdict::Wrong), "{findings:?}");
}

#[test]
fn an_answer_before_the_next_request_is_late_and_one_in_time_is_not() {
    let all = || round(SET, |_, _| Vec::new());
    let mut asked = all();
    let after = asked.iter().position(|asked| asked.protocol == Protocol::Cjt188).unwrap() + 1;
    asked[after].before = hex::parse(ANSWER).unwrap();
    let findings = judged(listened(), asked);
    assert_eq!(verdict(&findings, "late-answers"), Some(Verdict::Wrong), "{findings:?}");
    assert_eq!(verdict(&findings, "answers"), Some(Verdict::Good));
    // It was not asked yet.
    let mut asked = all();
    asked[0].before = hex::parse(ANSWER).unwrap();
    assert_eq!(verdict(&judged(listened(), asked), "late-answers"), None);
    let mut asked = round(SET, |protocol, _| answer(protocol));
    asked[after].heard = hex::parse(ANSWER).unwrap();
    assert_eq!(verdict(&judged(listened(), asked), "late-answers"), None, "another one was in time");
}
