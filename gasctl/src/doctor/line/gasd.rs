// SPDX-License-Identifier: MIT OR Apache-2.0
//! A port that gasd has: what gasd has seen of it since it started, judged. The line itself is left alone.

use gasd_ports::examine::{Finding, Verdict};
use gasd_proxy::{Meter, OnPort, Port};

use super::Report;
use super::beside::{beside, late};
use crate::cli::LineArgs;
use crate::fail::Failure;
use crate::port::{AtGasd, is_asked};

/// Judges it.
///
/// # Errors
/// [`Failure::Usage`] for options that want the line itself; what gasd or the bus say.
pub async fn look(at: &AtGasd, args: &LineArgs) -> Result<Report, Failure> {
    if args.baud.is_some() || args.parity.is_some() || args.listen.is_some() || args.quick {
        return Err(Failure::Usage(format!(
            "port \"{}\" is gasd's: --baud, --parity, --listen and --quick are for ports that gasd does not have",
            at.port.id
        )));
    }
    let meters: Vec<(&Meter, &OnPort)> = meters(at).collect();
    let mut findings = port(&at.port, &meters);
    for (meter, on) in meters {
        let rejected = match at.client.rejected_answers(&meter.id).await {
            Ok(rejected) => rejected.last().map(|(_, kind, bytes)| (kind.clone(), bytes.clone())),
            Err(error) => return Err(Failure::reading(error)),
        };
        findings.push(self::meter(meter, on, rejected.as_ref()));
    }
    let note = is_asked(&at.port.kind).then(|| {
        "to listen to the line and try other settings it must be free: `systemctl stop gasd`, or take the port out of the \
         configuration and reload; then `gasctl doctor DEVICE`"
            .to_owned()
    });
    Ok(Report { port: format!("{}, {}", at.port.id, at.port.place), findings, note })
}

fn meters(at: &AtGasd) -> impl Iterator<Item = (&Meter, &OnPort)> {
    let on = |meter: &'_ Meter| meter.on_port.as_ref().is_some_and(|on| on.port == at.port.id);
    at.state
        .meters
        .values()
        .filter(move |meter| on(meter))
        .filter_map(|meter| Some((meter, meter.on_port.as_ref()?)))
}

/// What the port's health and counters say.
fn port(port: &Port, meters: &[(&Meter, &OnPort)]) -> Vec<Finding> {
    let mut findings = vec![if port.health == "ok" {
        Finding::good("port", "it is open")
    } else {
        Finding::wrong(
            "port",
            port.health.clone(),
            "the message says it; `journalctl -u gasd -e` says since when",
        )
    }];
    if !is_asked(&port.kind) {
        return findings;
    }
    let count = |name: &str| port.counts.get(name).copied().unwrap_or(0);
    let requests = count("requests");
    findings.push(match port.echo.as_str() {
        "yes" => Finding::good("echo", "the adapter hears what it sends, and gasd drops it"),
        "no" => Finding::good("echo", "the adapter does not hear what it sends"),
        _ => Finding::good("echo", "whether the adapter hears itself is not known yet"),
    });
    findings.push(share(
        "collision",
        count("collisions"),
        requests,
        "requests were spoiled while they were being sent",
        "somebody else sends at the same time, or the transceiver or the wiring is bad",
    ));
    findings.push(share(
        "damaged",
        count("damaged"),
        requests,
        "requests were followed by something that is no answer",
        "noise, a wrong parity, or two meters of one address; `gasctl decode` explains what was heard",
    ));
    let elsewhen = count("late_answers") + count("other_answers") > 0;
    findings.push(share(
        "timeouts",
        count("timeouts"),
        requests,
        "requests had no answer",
        if elsewhen {
            "some may have been answered when nobody waited, see `late-answers` and `other-answers`; which meters do not answer stands below"
        } else {
            "which meters do not answer stands below; where all do not: cable, A and B, supply, speed and parity"
        },
    ));
    let beside = beside(port, meters);
    // What runs into a request or into another answer is spoiled, and noise.
    let spoiled = beside.iter().any(|finding| finding.verdict != Verdict::Good);
    findings.extend(beside);
    let told = [
        (
            "other-answers",
            "other_answers",
            "answers came that were not awaited: of another meter, or once more",
            "`two-answers`, `late-answers` and `master` say why, where that is known; else an answer came while a request was being \
             sent (a meter slower than the port waits, or a port slower than its line: `answer`, `baud`), another master's meters \
             answer, or a meter sends unasked: the journal names addresses that answered and were not asked",
        ),
        (
            "noise",
            "garbage_bytes",
            "bytes belonged to no frame",
            "a cable beside mains or a motor, no termination, a loose shield",
        ),
        (
            "busy",
            "line_busy",
            "requests could not be sent: the line was never silent",
            "find what sends all the time",
        ),
        ("framing", "framing_errors", "bytes had no stop bit", "another speed, or two that send at once"),
        (
            "parity-errors",
            "parity_errors",
            "bytes had a wrong parity bit",
            "another parity, or a disturbed line",
        ),
        ("overruns", "overruns", "times bytes came faster than they were taken", "the machine is too busy"),
        (
            "polarity",
            "breaks",
            "breaks were counted: the line was held low",
            "A and B swapped, no bias, or a short",
        ),
        (
            "left-out",
            "left_out",
            "readings were left out for want of time",
            "read its meters less often, or at a higher speed",
        ),
    ];
    for (name, counter, what, advice) in told {
        findings.push(share(name, count(counter), requests, what, advice));
    }
    if spoiled {
        for finding in &mut findings {
            if let ("noise" | "damaged" | "collision", Some(advice)) = (finding.name, &mut finding.advice) {
                *advice = format!(
                    "what is late, comes twice or is another master's runs into requests and answers, and is noise then: mend \
                     that first; where it stays: {advice}"
                );
            }
        }
    }
    findings
}

/// A counter beside the requests: nothing is good, a few are suspicious, more than one in ten wrong.
fn share(name: &'static str, count: u64, requests: u64, what: &str, advice: &str) -> Finding {
    let words = format!("{count} {what}, of {requests} requests");
    match count {
        0 => Finding::good(name, format!("0 {what}")),
        count if count.saturating_mul(10) > requests => Finding::wrong(name, words, advice),
        _ => Finding::suspicious(name, words, advice),
    }
}

/// A meter on the port.
fn meter(meter: &Meter, on: &OnPort, rejected: Option<&(String, String)>) -> Finding {
    let who = format!("{} ({})", meter.id, on.protocol);
    let heard = match rejected {
        // A whole capture is `gasctl decode`'s; a line here stays a line.
        Some((kind, bytes)) => {
            format!("; heard instead of an answer the last time ({kind}): {}", shortened(bytes))
        }
        None => String::new(),
    };
    let (heard, late) = match late(on) {
        0 => (heard, None),
        count => (
            format!("{heard}; {count} of its answers came later than the port waits"),
            Some(
                "make `answer` of the port longer, see `late-answers`; where nothing comes of it any more check its supply",
            ),
        ),
    };
    if on.breaker == "open" || on.breaker == "half-open" {
        return Finding::wrong(
            "meter",
            format!(
                "{who} has not answered {} times in a row and is left alone: {}{heard}",
                on.failures, on.last_error
            ),
            late.unwrap_or(
                "check its supply, its address and its place on the line; it is looked for now and then",
            ),
        );
    }
    if !on.last_error.is_empty() {
        let words = format!("{who} failed the last time: {}{heard}", on.last_error);
        return Finding::suspicious(
            "meter",
            words,
            late.unwrap_or("it is asked again; `gasctl status` shows whether it stays so"),
        );
    }
    if meter.health != "ok" {
        return Finding::suspicious(
            "meter",
            format!("{who}: {}", meter.health),
            "the message says what is missing",
        );
    }
    Finding::good("meter", format!("{who} answers"))
}

/// Bytes in hex, as many as a line has room for.
fn shortened(bytes: &str) -> String {
    const MOST: usize = 60;
    if bytes.chars().count() <= MOST {
        return bytes.to_owned();
    }
    bytes.chars().take(MOST).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(counts: &[(&str, u64)]) -> Vec<Finding> {
        let port = Port {
            id: "cellar".into(),
            kind: "serial".into(),
            health: "ok".into(),
            echo: "no".into(),
            counts: counts.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect(),
            ..Port::default()
        };
        super::port(&port, &[])
    }

    fn verdict(findings: &[Finding], name: &str) -> Verdict {
        findings.iter().find(|finding| finding.name == name).unwrap().verdict
    }

    #[test]
    fn a_port_that_counts_nothing_bad_is_good() {
        let findings = seen(&[("requests", 1_000), ("answers", 1_000)]);
        assert!(findings.iter().all(|finding| finding.verdict == Verdict::Good), "{findings:?}");
        assert_eq!(findings.len(), 16);
    }

    #[test]
    fn every_counter_has_a_finding_of_its_own_by_its_share() {
        for (counter, name) in [
            ("collisions", "collision"),
            ("damaged", "damaged"),
            ("timeouts", "timeouts"),
            ("other_answers", "other-answers"),
            ("garbage_bytes", "noise"),
            ("line_busy", "busy"),
            ("framing_errors", "framing"),
            ("parity_errors", "parity-errors"),
            ("overruns", "overruns"),
            ("breaks", "polarity"),
            ("left_out", "left-out"),
        ] {
            for (count, expected) in
                [(1, Verdict::Suspicious), (100, Verdict::Suspicious), (101, Verdict::Wrong)]
            {
                let findings = seen(&[("requests", 1_000), (counter, count)]);
                assert_eq!(verdict(&findings, name), expected, "{counter} {count}");
                let others = findings.iter().filter(|finding| finding.verdict != Verdict::Good).count();
                assert_eq!(others, 1, "{counter}");
            }
        }
    }

    #[test]
    fn noise_beside_late_answers_sends_nobody_to_the_cables_first() {
        let advice = |counts: &[(&str, u64)]| {
            let findings = seen(counts);
            findings.into_iter().find(|finding| finding.name == "noise").unwrap().advice.unwrap()
        };
        let noise = ("garbage_bytes", 20);
        assert!(advice(&[("requests", 1_000), noise]).starts_with("a cable"));
        for other in ["late_answers", "other_requests"] {
            let advice = advice(&[("requests", 1_000), noise, (other, 4)]);
            assert!(advice.starts_with("what is late") && advice.contains("mend that first"), "{advice}");
        }
    }

    #[test]
    fn a_port_that_is_gone_is_wrong_and_one_that_only_listens_has_no_requests_to_count() {
        let gone = Port { health: "there is no device".into(), kind: "serial".into(), ..Port::default() };
        assert_eq!(verdict(&port(&gone, &[]), "port"), Verdict::Wrong);
        let radio = Port { kind: "wmbus".into(), health: "ok".into(), ..Port::default() };
        assert_eq!(port(&radio, &[]).len(), 1);
    }

    #[test]
    fn meters_are_judged_by_breaker_and_last_error() {
        let flat = Meter { id: "flat".into(), health: "ok".into(), ..Meter::default() };
        let on = OnPort { protocol: "mbus".into(), breaker: "closed".into(), ..OnPort::default() };
        assert_eq!(meter(&flat, &on, None).verdict, Verdict::Good);
        let failed = OnPort { last_error: "nothing came in time".into(), ..on.clone() };
        let heard = ("checksum".to_owned(), "68 ".repeat(100));
        let finding = meter(&flat, &failed, Some(&heard));
        assert_eq!(finding.verdict, Verdict::Suspicious);
        assert!(finding.words.contains("(checksum): 68 68") && finding.words.ends_with('…'), "{finding:?}");
        for breaker in ["open", "half-open"] {
            let left = OnPort { breaker: breaker.into(), failures: 3, ..failed.clone() };
            let finding = meter(&flat, &left, None);
            assert_eq!(finding.verdict, Verdict::Wrong);
            assert!(finding.words.contains("3 times in a row"), "{finding:?}");
        }
        for (breaker, verdict) in [("closed", Verdict::Suspicious), ("open", Verdict::Wrong)] {
            let answers = [("late".to_owned(), 3)].into();
            let late = OnPort { breaker: breaker.into(), answers, ..failed.clone() };
            let finding = meter(&flat, &late, None);
            assert_eq!(finding.verdict, verdict);
            assert!(finding.words.contains("later than the port waits"), "{finding:?}");
        }
        let doubtful = Meter { health: "answers, and its volume is not known".into(), ..flat };
        assert_eq!(meter(&doubtful, &on, None).verdict, Verdict::Suspicious);
    }
}
