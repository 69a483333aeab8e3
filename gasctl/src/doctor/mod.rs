// SPDX-License-Identifier: MIT OR Apache-2.0
//! `gasctl doctor`: looks at everything that gasd stands on, and says what to do.
//!
//! [`facts`] gathers and judges nothing; the checks judge and touch nothing, so each is tested without
//! a machine that has the illness. [`line`] is about one port.

mod accounts;
mod check;
mod config;
mod facts;
mod gather;
mod kernel;
mod line;
mod machine;
mod pins;
mod service;
mod units;

use serde_json::json;

use crate::cli::DoctorArgs;
use crate::fail::Failure;
use crate::output::{Output, Style};

use check::{Finding, Level};
use facts::Facts;

/// Every check, in the order of the way from the kernel to the bus.
const CHECKS: &[fn(&Facts) -> Vec<Finding>] =
    &[kernel::checks, accounts::checks, config::checks, units::checks, machine::checks, service::checks];

/// Gathers, judges and prints.
///
/// # Errors
/// [`Failure::Unwell`] with status 1 where a check failed, or, if `strict`, only warned.
pub async fn run(bus: Option<&str>, args: &DoctorArgs, out: &Output) -> Result<(), Failure> {
    if let Some(port) = &args.port {
        return line::run(bus, port, args, out).await;
    }
    let facts = gather::all(bus).await;
    let findings = judge(&facts);
    if out.json {
        out.object(&object(&findings))?;
    } else {
        print(&findings, args.quiet, out)?;
    }
    let count = |level| findings.iter().filter(|f| f.level == level).count();
    let (failed, warned) = (count(Level::Fail), count(Level::Warn));
    if failed > 0 || (args.strict && warned > 0) {
        return Err(Failure::Unwell { failed, warned });
    }
    Ok(())
}

/// What all checks say of the facts.
fn judge(facts: &Facts) -> Vec<Finding> {
    CHECKS.iter().flat_map(|check| check(facts)).collect()
}

fn object(findings: &[Finding]) -> serde_json::Value {
    let count = |level| findings.iter().filter(|f| f.level == level).count();
    json!({
        "findings": findings,
        "ok": count(Level::Ok), "warn": count(Level::Warn), "fail": count(Level::Fail),
        "unknown": count(Level::Unknown),
    })
}

fn print(findings: &[Finding], quiet: bool, out: &Output) -> Result<(), Failure> {
    for finding in findings {
        if quiet && matches!(finding.level, Level::Ok | Level::Unknown) {
            continue;
        }
        let (word, style) = match finding.level {
            Level::Ok => ("ok  ", Style::Good),
            Level::Warn => ("warn", Style::Warn),
            Level::Fail => ("fail", Style::Bad),
            Level::Unknown => ("  ? ", Style::Dim),
        };
        let text = out.paint(&finding.text, Style::Plain);
        out.line(&format!("{}  {:<12}  {text}", out.paint(word, style), finding.check))?;
        if let Some(advice) = &finding.advice {
            out.line(&format!("{:20}→ {}", "", out.paint(advice, Style::Plain)))?;
        }
    }
    let count = |level| findings.iter().filter(|f| f.level == level).count();
    out.line(&format!(
        "{} ok, {} warnings, {} failed, {} could not be told",
        count(Level::Ok),
        count(Level::Warn),
        count(Level::Fail),
        count(Level::Unknown)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_healthy_gateway_has_nothing_to_complain_of() {
        let findings = judge(&facts::healthy());
        let bad: Vec<_> = findings.iter().filter(|f| f.level != Level::Ok).collect();
        assert!(bad.is_empty(), "{bad:#?}");
        assert!(findings.len() >= 20, "{}", findings.len());
    }

    #[test]
    fn whatever_is_wrong_comes_with_what_to_do() {
        // A machine on which nothing was found at all.
        for finding in judge(&Facts::default()) {
            let wrong = matches!(finding.level, Level::Warn | Level::Fail);
            assert!(!wrong || finding.advice.is_some(), "{finding:#?}");
        }
    }

    #[test]
    fn json_counts_what_it_lists() {
        let object = object(&judge(&Facts::default()));
        let listed = object["findings"].as_array().unwrap().len() as u64;
        let counted: u64 =
            ["ok", "warn", "fail", "unknown"].iter().map(|k| object[k].as_u64().unwrap()).sum();
        assert_eq!(listed, counted);
        assert!(object["fail"].as_u64().unwrap() > 0);
    }
}
