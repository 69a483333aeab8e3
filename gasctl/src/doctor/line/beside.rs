// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whole frames on a port of gasd's that are no answer to what was asked: late answers, second ones, another master. None of
//! them is noise, and no cable is to blame.

use std::collections::BTreeMap;

use gasd_ports::examine::Finding;
use gasd_proxy::{Meter, OnPort, Port};

/// Names are listed up to so many.
const MOST_NAMES: usize = 6;

/// What gasd has counted of them on this port and its meters.
pub fn beside(port: &Port, meters: &[(&Meter, &OnPort)]) -> Vec<Finding> {
    let count = |name: &str| port.counts.get(name).copied().unwrap_or(0);
    let late = Of::new(meters, "late");
    let twice = Of::new(meters, "twice");
    vec![
        late.judged(
            "late-answers",
            count("late_answers").max(late.sum()),
            "answers came when they were awaited no more, and were dropped",
            "no noise: they are whole. The meter is slower than the port waits: make `answer` of the port longer than the \
             message of the journal says it took (`journalctl -u gasd -g 'awaited no more'`); over a network look at its \
             delays as well",
        ),
        twice.judged(
            "two-answers",
            twice.sum(),
            "requests had two answers from the address that was asked",
            "no noise: both are whole. Where they differ (`journalctl -u gasd -g 'asked once'` says so) two meters have this \
             address, and readings of one may be taken for the other's: take one off the line, or give it another address; \
             where they are the same a repeater or converter sends twice, or two meters show the same",
        ),
        master(count("other_requests")),
    ]
}

/// So many answers of a meter came too late.
pub fn late(on: &OnPort) -> u64 {
    counted(on, "late")
}

fn counted(on: &OnPort, name: &str) -> u64 {
    on.answers.get(name).copied().unwrap_or(0)
}

/// How often something came of each meter.
struct Of<'a> {
    counts: BTreeMap<&'a str, u64>,
    /// It is more than one in ten of what some meter was asked for.
    often: bool,
}

impl<'a> Of<'a> {
    fn new(meters: &[(&'a Meter, &OnPort)], name: &str) -> Self {
        let mut of = Self { counts: BTreeMap::new(), often: false };
        for (meter, on) in meters {
            let count = counted(on, name);
            if count > 0 {
                of.often |= count.saturating_mul(10) > counted(on, "answers") + counted(on, "errors");
                of.counts.insert(&meter.id, count);
            }
        }
        of
    }

    fn sum(&self) -> u64 {
        self.counts.values().sum()
    }

    fn judged(&self, name: &'static str, count: u64, what: &str, advice: &str) -> Finding {
        if count == 0 {
            return Finding::good(name, format!("0 {what}"));
        }
        let words = format!("{count} {what}{}", self.names());
        if self.often {
            Finding::wrong(name, words, advice)
        } else {
            Finding::suspicious(name, words, advice)
        }
    }

    /// The meters, those of most first.
    fn names(&self) -> String {
        let mut counts: Vec<_> = self.counts.iter().collect();
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        let mut names: Vec<String> =
            counts.iter().take(MOST_NAMES).map(|(id, count)| format!("{id} {count}")).collect();
        if let Some(more) = counts.len().checked_sub(MOST_NAMES).filter(|more| *more > 0) {
            names.push(format!("{more} more meters"));
        }
        if names.is_empty() { String::new() } else { format!(": {}", names.join(", ")) }
    }
}

fn master(requests: u64) -> Finding {
    let what = "requests of another master were heard";
    if requests == 0 {
        return Finding::good("master", format!("0 {what}"));
    }
    Finding::wrong(
        "master",
        format!("{requests} {what}"),
        "another master reads meters on this line, and two spoil each other's requests: take it off, or give gasd a line of \
         its own",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use gasd_ports::examine::Verdict;

    fn seen(counts: &[(&str, u64)], meters: &[(&str, &[(&str, u64)])]) -> Vec<Finding> {
        let all = |counts: &[(&str, u64)]| {
            counts.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect::<BTreeMap<_, _>>()
        };
        let port = Port { counts: all(counts).into_iter().collect(), ..Port::default() };
        let meters: Vec<(Meter, OnPort)> = meters
            .iter()
            .map(|(id, answers)| {
                let on = OnPort { answers: all(answers), ..OnPort::default() };
                (Meter { id: (*id).to_owned(), ..Meter::default() }, on)
            })
            .collect();
        let meters: Vec<_> = meters.iter().map(|(meter, on)| (meter, on)).collect();
        beside(&port, &meters)
    }

    fn named<'a>(findings: &'a [Finding], name: &str) -> &'a Finding {
        findings.iter().find(|finding| finding.name == name).unwrap()
    }

    #[test]
    fn a_line_without_them_is_good() {
        let findings = seen(&[("requests", 1_000)], &[("flat", &[("answers", 1_000)])]);
        assert_eq!(findings.len(), 3);
        assert!(findings.iter().all(|finding| finding.verdict == Verdict::Good), "{findings:?}");
    }

    #[test]
    fn late_answers_name_their_meters_and_send_nobody_to_the_cables() {
        let flat: &[_] = &[("answers", 900), ("errors", 100), ("late", 40)];
        let slow: &[_] = &[("answers", 0), ("errors", 80), ("late", 79)];
        let findings = seen(&[("late_answers", 120)], &[("flat", flat), ("slow", slow), ("good", &[])]);
        let late = named(&findings, "late-answers");
        assert_eq!(late.verdict, Verdict::Wrong);
        assert!(
            late.words.starts_with("120 answers") && late.words.ends_with(": slow 79, flat 40"),
            "{late:?}"
        );
        let advice = late.advice.as_ref().unwrap();
        assert!(advice.contains("`answer`") && !advice.contains("cable"), "{advice}");
        let findings = seen(&[("late_answers", 40)], &[("flat", flat)]);
        assert_eq!(named(&findings, "late-answers").verdict, Verdict::Suspicious, "one in 25");
        // In a search nobody is named.
        let findings = seen(&[("late_answers", 2)], &[("flat", &[("answers", 5)])]);
        assert!(named(&findings, "late-answers").words.ends_with("dropped"), "{findings:?}");
    }

    #[test]
    fn two_answers_name_their_meters_and_what_that_may_be() {
        let findings =
            seen(&[], &[("flat", &[("answers", 30), ("twice", 25)]), ("hall", &[("answers", 30)])]);
        let twice = named(&findings, "two-answers");
        assert_eq!(twice.verdict, Verdict::Wrong);
        assert!(twice.words.ends_with("asked: flat 25"), "{twice:?}");
        let advice = twice.advice.as_ref().unwrap();
        assert!(advice.contains("two meters have this address") && advice.contains("repeater"), "{advice}");
        let many: Vec<(String, u64)> = (0..9).map(|n| (format!("m{n}"), 10 + n)).collect();
        let counts: Vec<[(&str, u64); 1]> = many.iter().map(|(_, count)| [("twice", *count)]).collect();
        let meters: Vec<(&str, &[(&str, u64)])> =
            many.iter().zip(&counts).map(|((id, _), counts)| (&id[..], &counts[..])).collect();
        let words = &seen(&[], &meters)[1].words;
        assert!(words.ends_with(": m8 18, m7 17, m6 16, m5 15, m4 14, m3 13, 3 more meters"), "{words}");
    }

    #[test]
    fn another_master_is_wrong() {
        assert_eq!(named(&seen(&[("other_requests", 1)], &[]), "master").verdict, Verdict::Wrong);
    }
}
