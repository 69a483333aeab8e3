// SPDX-License-Identifier: MIT OR Apache-2.0
//! `gasctl doctor PORT`: what is wrong with a line.
//!
//! A line that nobody has is [examined](own). One that gasd has is never touched: what gasd has seen of it is
//! [judged](gasd).

mod beside;
mod gasd;
mod own;

use gasd_ports::examine::{Finding, Verdict};
use serde_json::{Value, json};

use crate::cli::DoctorArgs;
use crate::fail::Failure;
use crate::output::{Output, Style};
use crate::port::{self, Place};

/// What was found of a port.
pub struct Report {
    /// The port and its settings, in words.
    pub port: String,
    /// Findings.
    pub findings: Vec<Finding>,
    /// What more could be done.
    pub note: Option<String>,
}

/// Examines a port and prints what was found.
///
/// # Errors
/// [`Failure::Unwell`] where something is wrong, or, if `strict`, suspicious; [`Failure::Unusable`] of a port that cannot
/// be opened; what gasd or the bus say.
pub async fn run(bus: Option<&str>, text: &str, args: &DoctorArgs, out: &Output) -> Result<(), Failure> {
    let report = match port::find(bus, text).await? {
        Place::Gasd(at) => gasd::look(&at, &args.line).await?,
        Place::Own(own) => own::examine(own, &args.line, out).await?,
    };
    if out.json {
        out.object(&object(&report))?;
    } else {
        print(&report, args.quiet, out)?;
    }
    let (failed, warned) = (count(&report, Verdict::Wrong), count(&report, Verdict::Suspicious));
    if failed > 0 || (args.strict && warned > 0) {
        return Err(Failure::Unwell { failed, warned });
    }
    Ok(())
}

fn count(report: &Report, verdict: Verdict) -> usize {
    report.findings.iter().filter(|finding| finding.verdict == verdict).count()
}

fn object(report: &Report) -> Value {
    let finding = |finding: &Finding| {
        let Finding { name, verdict, words, advice } = finding;
        json!({ "name": name, "verdict": verdict.name(), "words": words, "advice": advice })
    };
    json!({
        "port": report.port,
        "findings": report.findings.iter().map(finding).collect::<Vec<_>>(),
        "good": count(report, Verdict::Good), "suspicious": count(report, Verdict::Suspicious),
        "wrong": count(report, Verdict::Wrong), "note": report.note,
    })
}

fn print(report: &Report, quiet: bool, out: &Output) -> Result<(), Failure> {
    out.line(&out.paint(&report.port, Style::Heading))?;
    for finding in &report.findings {
        if quiet && finding.verdict == Verdict::Good {
            continue;
        }
        let style = match finding.verdict {
            Verdict::Good => Style::Good,
            Verdict::Suspicious => Style::Warn,
            Verdict::Wrong => Style::Bad,
        };
        let verdict = out.paint(&format!("{:<10}", finding.verdict.name()), style);
        let words = out.paint(&finding.words, Style::Plain);
        out.line(&format!("{verdict}  {:<13}  {words}", finding.name))?;
        if let Some(advice) = &finding.advice {
            out.line(&format!("{:27}→ {}", "", out.paint(advice, Style::Plain)))?;
        }
    }
    if let Some(note) = report.note.as_ref().filter(|_| !quiet) {
        out.line(&out.paint(note, Style::Dim))?;
    }
    out.line(&format!(
        "{} good, {} suspicious, {} wrong",
        count(report, Verdict::Good),
        count(report, Verdict::Suspicious),
        count(report, Verdict::Wrong)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_counts_what_it_lists_and_names_the_verdicts() {
        let report = Report {
            port: "/dev/ttyUSB0, 2400 baud 8E1".into(),
            findings: vec![
                Finding::good("echo", "the adapter does not hear what it sends"),
                Finding::wrong("answers", "nobody answers", "check the cable"),
                Finding::wrong("noise", "much", "find it"),
            ],
            note: None,
        };
        let object = object(&report);
        assert_eq!(
            (&object["good"], &object["suspicious"], &object["wrong"]),
            (&json!(1), &json!(0), &json!(2))
        );
        assert_eq!(object["findings"][1]["verdict"], "wrong");
        assert_eq!(object["findings"][1]["advice"], "check the cable");
        assert_eq!(object["findings"][0]["advice"], Value::Null);
    }
}
