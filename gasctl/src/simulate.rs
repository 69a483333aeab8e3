// SPDX-License-Identifier: MIT OR Apache-2.0
//! `gasctl simulate`: a commissioning test on the installed service. The service plays and judges; here
//! it is asked, shown and summed up.

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::os::fd::OwnedFd;
use std::time::Duration;

use gasd_proxy::{Client, ClientError, SimulationState, State};
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use crate::cli::{Expect, SimulateArgs};
use crate::fail::Failure;
use crate::output::{Output, Style};
use crate::status;
use crate::units::{flow, volume};

/// How often it is asked.
const LOOK: Duration = Duration::from_millis(250);
/// What standard input may hold, bytes; the service takes no more.
const LARGEST: u64 = 256 << 20;

/// Plays a trace and says whether it was noticed as expected.
///
/// # Errors
/// [`Failure::Refused`] where the test did not pass, with status 1; what the service says otherwise.
pub async fn run(client: &Client, args: &SimulateArgs, out: &Output) -> Result<(), Failure> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    // Who may not even read is not sent for a group that would not be enough.
    let before = client.state().await.map_err(|error| match error {
        ClientError::Denied(_) => only_root(),
        other => Failure::reading(other),
    })?;
    begin(client, args).await?;
    let userspace = before.service.mode != "kernel";
    if !out.json {
        let (mode, _) = status::mode(&before.service);
        out.say(&format!(
            "playing \"{}\" on meter {} at {} times its speed; {mode}",
            args.trace, args.meter, args.speed
        ));
    }
    let mut shown = SimulationState::default();
    loop {
        tokio::select! {
            _ = interrupt.recv() => client.stop_simulation().await.map_err(refused)?,
            _ = terminate.recv() => client.stop_simulation().await.map_err(refused)?,
            () = tokio::time::sleep(LOOK) => {}
        }
        let now = client.simulation().await.map_err(Failure::reading)?;
        progress(&shown, &now, out)?;
        let over = now.state == "ended";
        shown = now;
        if over {
            break;
        }
    }
    let after = client.state().await.map_err(Failure::reading)?;
    sum_up(args, &shown, (&before, &after), userspace, out)
}

async fn begin(client: &Client, args: &SimulateArgs) -> Result<(), Failure> {
    let (name, file) = match args.trace.as_str() {
        name @ ("hose" | "household") => (name, None),
        path => ("file", Some(file(path)?)),
    };
    client.simulate(&args.meter, name, file, args.speed, args.valve).await.map_err(refused)
}

/// The recording as a regular file, which the service asks for.
fn file(path: &str) -> Result<OwnedFd, Failure> {
    let fail = |error: std::io::Error| Failure::Usage(format!("{path}: {error}"));
    if path != "-" {
        return Ok(File::open(path).map_err(fail)?.into());
    }
    let mut copy = tempfile::tempfile().map_err(fail)?;
    let mut bytes = Vec::new();
    std::io::stdin().lock().take(LARGEST).read_to_end(&mut bytes).map_err(fail)?;
    copy.write_all(&bytes).and_then(|()| copy.rewind()).map_err(fail)?;
    Ok(copy.into())
}

fn only_root() -> Failure {
    Failure::Denied("only root may simulate: sudo gasctl simulate …".to_owned())
}

fn refused(error: ClientError) -> Failure {
    match error {
        // The bus's own words name neither root nor the way to it.
        ClientError::Denied(text) if text.starts_with("Rejected ") => only_root(),
        ClientError::Denied(text) => Failure::Denied(text),
        other => Failure::Client(other),
    }
}

/// What is new since the last look.
fn progress(before: &SimulationState, now: &SimulationState, out: &Output) -> Result<(), Failure> {
    for verdict in now.verdicts.iter().skip(before.verdicts.len()) {
        if out.json {
            out.object(&json!({ "event": "verdict", "verdict": verdict }))?;
            continue;
        }
        let severity = out.paint(&verdict.severity, status::severity(&verdict.severity));
        let after = seconds(verdict.after_ns);
        out.line(&format!(
            "  verdict  {severity}  {} after {after}: {}",
            verdict.kind,
            out.paint(&verdict.text, Style::Plain)
        ))?;
    }
    if now.pulses != before.pulses || now.flow_m3_per_h != before.flow_m3_per_h {
        if out.json {
            return out.object(&json!({
                "event": "flow", "pulses": now.pulses, "flow_m3_per_h": now.flow_m3_per_h,
            }));
        }
        out.line(&format!("  {:>12}  {:>12}", flow(now.flow_m3_per_h), volume(now.volume_ul)))?;
    }
    Ok(())
}

fn seconds(ns: u64) -> String {
    format!("{:.1} s", ns as f64 / 1e9)
}

/// What was expected of it: a hose and the household want a critical verdict, a recording nothing.
fn expected(args: &SimulateArgs) -> Option<Expect> {
    args.expect.or(matches!(args.trace.as_str(), "hose" | "household").then_some(Expect::Verdict))
}

/// In one sentence how it went; whether it passed.
fn judge(args: &SimulateArgs, s: &SimulationState, after: &State) -> (bool, String) {
    if s.outcome != "ended" {
        let why =
            if s.problem.is_empty() { s.outcome.clone() } else { format!("{}: {}", s.outcome, s.problem) };
        return (false, format!("the simulation did not reach its end ({why})"));
    }
    let what = if args.trace == "hose" { "the hose" } else { "the trace" };
    let critical = s.verdicts.iter().find(|v| v.severity == "critical");
    let valve = after.meters.get(&args.meter).and_then(|m| m.valve.as_deref());
    let position = valve.and_then(|id| after.valves.get(id)).map(|v| v.position.as_str());
    let driven = match (args.valve, position) {
        (false, _) => "valve not moved".to_owned(),
        (true, Some("closed")) if s.valve_latency_ns > 0 => {
            format!("valve closed {:.1} ms after the verdict", s.valve_latency_ns as f64 / 1e6)
        }
        (true, Some("closed")) => "valve closed".to_owned(),
        (true, other) => format!("the valve is {}, NOT closed", other.unwrap_or("unknown")),
    };
    let closed = !args.valve || position == Some("closed");
    match (expected(args), critical) {
        (Some(Expect::Silence), Some(v)) => {
            (false, format!("{what} raised {} after {}; silence was expected", v.kind, seconds(v.after_ns)))
        }
        (Some(Expect::Silence), None) => (true, format!("{what} raised no critical verdict, as expected")),
        (Some(Expect::Verdict), None) => (false, format!("{what} was NOT detected")),
        (_, Some(v)) => {
            (closed, format!("{what} was detected after {} ({}), {driven}", seconds(v.after_ns), v.kind))
        }
        (None, None) => (true, format!("{what} was played; no critical verdict")),
    }
}

fn sum_up(
    args: &SimulateArgs,
    s: &SimulationState,
    (before, after): (&State, &State),
    userspace: bool,
    out: &Output,
) -> Result<(), Failure> {
    let (passed, sentence) = judge(args, s, after);
    let total = |state: &State| state.meters.get(&args.meter).map_or(0, |m| m.pulses);
    let own = total(after).saturating_sub(total(before));
    if out.json {
        out.object(&json!({
            "event": "summary", "passed": passed, "summary": sentence, "simulation": s,
            "meter_pulses_meanwhile": own, "filter": if userspace { "userspace" } else { "kernel" },
        }))?;
    } else {
        let verdict = if passed { out.paint("passed", Style::Good) } else { out.paint("FAILED", Style::Bad) };
        out.line(&format!("{verdict}: {sentence}"))?;
        out.line(&format!(
            "  {} simulated pulses, in no total; meter {} counted {own} of its own meanwhile",
            s.pulses, args.meter
        ))?;
        if let [median, _, longest] = s.latency_ns[..] {
            let us = |ns: u64| format!("{:.0} µs", ns as f64 / 1e3);
            out.line(&format!("  pulse to engine: median {}, longest {}", us(median), us(longest)))?;
        }
        if userspace {
            out.line(&out.paint(
                "  the filter runs in user space here; the kernel programs were not tested",
                Style::Warn,
            ))?;
        }
        for verdict in s.verdicts.iter().filter_map(|v| v.id) {
            out.line(&format!("  verdict {verdict} waits, marked as simulated: gasctl ack {verdict}"))?;
        }
    }
    if passed { Ok(()) } else { Err(Failure::Refused(sentence)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gasd_proxy::SimulatedVerdict;

    fn args(trace: &str, valve: bool, expect: Option<Expect>) -> SimulateArgs {
        SimulateArgs { meter: "kitchen".into(), trace: trace.into(), speed: 1.0, valve, expect }
    }

    fn simulation(severity: Option<&str>) -> SimulationState {
        let verdict = |severity: &str| SimulatedVerdict {
            kind: "surge".into(),
            severity: severity.into(),
            after_ns: 2_600_000_000,
            ..SimulatedVerdict::default()
        };
        SimulationState {
            outcome: "ended".into(),
            verdicts: severity.map(verdict).into_iter().collect(),
            valve_latency_ns: 800_000,
            ..SimulationState::default()
        }
    }

    fn house(position: &str) -> State {
        let mut state = State::default();
        let meter = gasd_proxy::Meter { valve: Some("main".into()), ..Default::default() };
        state.meters.insert("kitchen".into(), meter);
        let valve = gasd_proxy::Valve { position: position.into(), ..Default::default() };
        state.valves.insert("main".into(), valve);
        state
    }

    #[test]
    fn a_hose_passes_when_it_is_detected() {
        let (passed, text) = judge(&args("hose", false, None), &simulation(Some("critical")), &house("open"));
        assert_eq!(
            (passed, text.as_str()),
            (true, "the hose was detected after 2.6 s (surge), valve not moved")
        );
        let (passed, text) = judge(&args("hose", false, None), &simulation(Some("warning")), &house("open"));
        assert_eq!((passed, text.as_str()), (false, "the hose was NOT detected"));
    }

    #[test]
    fn with_the_valve_it_passes_only_if_that_closed() {
        let (passed, text) =
            judge(&args("hose", true, None), &simulation(Some("critical")), &house("closed"));
        assert!(passed && text.ends_with("valve closed 0.8 ms after the verdict"), "{text}");
        let (passed, text) =
            judge(&args("hose", true, None), &simulation(Some("critical")), &house("unknown"));
        assert!(!passed && text.contains("NOT closed"), "{text}");
    }

    #[test]
    fn a_recording_passes_as_it_was_expected_to() {
        for (expect, severity, wanted) in [
            (None, None, true),
            (None, Some("critical"), true),
            (Some(Expect::Silence), None, true),
            (Some(Expect::Silence), Some("critical"), false),
            (Some(Expect::Verdict), None, false),
            (Some(Expect::Verdict), Some("critical"), true),
        ] {
            let judged = judge(&args("day.csv", false, expect), &simulation(severity), &house("open"));
            assert_eq!(judged.0, wanted, "{expect:?} {severity:?}: {}", judged.1);
        }
    }

    #[test]
    fn one_that_was_stopped_never_passes() {
        let mut stopped = simulation(Some("critical"));
        stopped.outcome = "stopped".into();
        assert!(!judge(&args("hose", false, None), &stopped, &house("open")).0);
    }
}
