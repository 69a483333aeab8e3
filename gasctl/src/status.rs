// SPDX-License-Identifier: MIT OR Apache-2.0
//! `gasctl status`: how everything stands.

mod ports;

use gasd_proxy::{Client, Meter, Service, State, Valve, Verdict};
use serde_json::{Value, json};

use crate::fail::Failure;
use crate::output::{Cell, Output, Style};
use crate::units::{ago, date, flow, volume};

/// Shows everything.
pub async fn run(client: &Client, out: &Output) -> Result<(), Failure> {
    let state = client.state().await.map_err(Failure::reading)?;
    if out.json {
        return out.object(&object(&state));
    }
    service(&state.service, out)?;
    meters(&state, out)?;
    ports(&state, out)?;
    valves(&state, out)?;
    verdicts(&state, out)
}

/// The state as one object; lists rather than maps, in the order of their ids.
pub fn object(state: &State) -> Value {
    json!({
        "service": state.service,
        "meters": state.meters.values().collect::<Vec<_>>(),
        "ports": state.ports.values().collect::<Vec<_>>(),
        "valves": state.valves.values().collect::<Vec<_>>(),
        "verdicts": state.verdicts.values().collect::<Vec<_>>(),
    })
}

/// Where the filter runs, in words.
pub fn mode(service: &Service) -> (String, Style) {
    match service.mode.as_str() {
        "kernel" => ("counting in the kernel".to_owned(), Style::Good),
        "userspace" => {
            let why = if service.mode_reason.is_empty() { "no reason given" } else { &service.mode_reason };
            (format!("counting in user space: {why}"), Style::Warn)
        }
        _ => ("not counting yet, or in a way that this gasctl does not know".to_owned(), Style::Warn),
    }
}

/// The style of a health: `ok` or not.
pub fn health(health: &str) -> Style {
    if health == "ok" { Style::Good } else { Style::Warn }
}

/// Of a meter of which nothing came.
pub fn nothing_yet(meter: &Meter) -> &'static str {
    if meter.read_every_ns > 0 { "not read yet" } else { "no pulse yet" }
}

/// How well the home behind a meter is known, in a few words; nothing where that is not known.
pub fn learning(meter: &Meter) -> Option<String> {
    match meter.phase.as_str() {
        "learning" => Some(format!("learning the home, {:.0} days seen", meter.days_learned.floor())),
        "watching" => Some(format!("home known, up to {:.1} m³/h", meter.envelope_m3_per_h)),
        "away" => Some("nobody at home".to_owned()),
        _ => None,
    }
}

/// A meter's health, and how well its home is known.
fn with_learning(meter: &Meter) -> String {
    match learning(meter) {
        Some(learning) => format!("{}, {learning}", meter.health),
        None => meter.health.clone(),
    }
}

/// The style of a severity.
pub fn severity(severity: &str) -> Style {
    match severity {
        "critical" => Style::Bad,
        "info" | "notice" => Style::Plain,
        _ => Style::Warn,
    }
}

/// The style of a position.
pub fn position(position: &str) -> Style {
    match position {
        "open" => Style::Good,
        "closed" => Style::Bad,
        _ => Style::Warn,
    }
}

fn service(service: &Service, out: &Output) -> Result<(), Failure> {
    let (text, style) = mode(service);
    out.line(&format!("gasd {}, {}", out.paint(&service.version, Style::Plain), out.paint(&text, style)))?;
    let counters = [
        (service.ring_overrun, "events found the ring full; volumes are complete", Style::Dim),
        (service.events_missed, "events never arrived; volumes are complete", Style::Dim),
        (service.queue_full, "pulses found the queue full; volumes are complete", Style::Dim),
        (service.fall_through, "interrupts found no pulse program and were not counted", Style::Bad),
    ];
    for (count, what, style) in counters.iter().filter(|(count, ..)| *count > 0) {
        out.line(&out.paint(&format!("  {count} {what}"), *style))?;
    }
    for problem in &service.problems {
        out.line(&format!("  {}", out.paint(problem, Style::Warn)))?;
    }
    Ok(())
}

fn heading(text: &str, out: &Output) -> Result<(), Failure> {
    out.line("")?;
    out.line(&out.paint(text, Style::Heading))
}

fn meters(state: &State, out: &Output) -> Result<(), Failure> {
    heading(if state.meters.is_empty() { "No meters" } else { "Meters" }, out)?;
    let row = |meter: &Meter| {
        vec![
            Cell::new(&meter.id),
            Cell::number(volume(meter.volume_ul)),
            Cell::number(flow(meter.flow_m3_per_h)),
            Cell::number(ago(meter.last_pulse_ns).unwrap_or_else(|| nothing_yet(meter).to_owned())),
            Cell::new(
                meter.valve.as_ref().map_or_else(|| "no valve".to_owned(), |valve| format!("valve {valve}")),
            ),
            Cell::styled(with_learning(meter), health(&meter.health)),
        ]
    };
    out.table("  ", &state.meters.values().map(row).collect::<Vec<_>>())?;
    for meter in state.meters.values() {
        for said in &meter.sensitivity {
            out.line(&format!("  {}", out.paint(&format!("{}: {}", meter.id, said.text), Style::Dim)))?;
        }
        for (text, style) in ports::lines(meter) {
            out.line(&format!("  {}", out.paint(&text, style)))?;
        }
    }
    Ok(())
}

/// Whoever reads no meter through a port has no such section.
fn ports(state: &State, out: &Output) -> Result<(), Failure> {
    if state.ports.is_empty() {
        return Ok(());
    }
    heading("Ports", out)?;
    out.table("  ", &state.ports.values().map(ports::row).collect::<Vec<_>>())?;
    for port in state.ports.values().filter(|port| !port.strangers.is_empty()) {
        out.line(&format!("  {}", out.paint(&ports::strangers(port), Style::Dim)))?;
    }
    Ok(())
}

fn valves(state: &State, out: &Output) -> Result<(), Failure> {
    heading(if state.valves.is_empty() { "No valves" } else { "Valves" }, out)?;
    let row = |valve: &Valve| {
        vec![
            Cell::new(&valve.id),
            Cell::styled(&valve.position, position(&valve.position)),
            Cell::new(&valve.actuator),
            Cell::styled(&valve.health, health(&valve.health)),
        ]
    };
    out.table("  ", &state.valves.values().map(row).collect::<Vec<_>>())?;
    for valve in state.valves.values() {
        for hold in &valve.holds {
            let mut by = Vec::new();
            by.extend(hold.verdict.map(|id| format!("verdict {id}")));
            by.extend(hold.uid.map(|uid| format!("uid {uid}")));
            // Who wants to release it needs its number; one of gasd or the operator goes with an opening.
            if hold.uid.is_some() || !valve.is_configured() {
                by.push(format!("hold {}", hold.cookie));
            }
            let by = if by.is_empty() { String::new() } else { format!(" ({})", by.join(", ")) };
            let since = date(hold.since_unix_us);
            let text = format!("{}: held by {} since {since}{by}: {}", valve.id, hold.owner, hold.reason);
            out.line(&format!("  {}", out.paint(&text, Style::Plain)))?;
        }
    }
    Ok(())
}

fn verdicts(state: &State, out: &Output) -> Result<(), Failure> {
    if state.verdicts.is_empty() {
        return heading("No verdict waits", out);
    }
    heading("Verdicts that wait for `gasctl ack N`", out)?;
    let row = |verdict: &Verdict| {
        vec![
            Cell::number(verdict.id.to_string()),
            Cell::styled(&verdict.severity, severity(&verdict.severity)),
            Cell::new(&verdict.kind),
            Cell::new(&verdict.meter),
            Cell::new(date(verdict.unix_us)),
            Cell::new(&verdict.text),
        ]
    };
    out.table("  ", &state.verdicts.values().map(row).collect::<Vec<_>>())
}
