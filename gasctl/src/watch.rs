// SPDX-License-Identifier: MIT OR Apache-2.0
//! `gasctl watch`: a line a change, until somebody interrupts it.

use gasd_proxy::{Client, Event, Meter, Port, State, Valve, Verdict};
use serde_json::{Value, json};
use tokio::signal::unix::{SignalKind, signal};

use crate::fail::Failure;
use crate::output::{Output, Style};
use crate::status;
use crate::units::{clock, flow, now_unix_us, volume};

/// Follows what changes. Interrupted by a signal it ends well.
pub async fn run(client: &Client, out: &Output) -> Result<(), Failure> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut watch = client.watch().await.map_err(Failure::reading)?;
    begin("state", watch.state(), out)?;
    loop {
        let event = tokio::select! {
            _ = interrupt.recv() => return Ok(()),
            _ = terminate.recv() => return Ok(()),
            event = watch.next() => event.map_err(Failure::reading)?,
        };
        if event == Event::Back {
            begin("back", watch.state(), out)?;
        } else if out.json {
            out.object(&object(&event, watch.state()))?;
        } else if let Some(line) = text(&event, watch.state(), out) {
            out.line(&stamp(&line))?;
        }
    }
}

/// How everything stands at the beginning, and when the service came back.
fn begin(event: &str, state: &State, out: &Output) -> Result<(), Failure> {
    if out.json {
        let mut object = status::object(state);
        object["event"] = json!(event);
        object["time_unix_us"] = json!(now_unix_us());
        return out.object(&object);
    }
    out.line(&stamp(&service(state, out)))?;
    for line in state.meters.values().map(|m| meter(m, out)) {
        out.line(&stamp(&line))?;
    }
    for line in state.ports.values().map(|p| port(p, out)) {
        out.line(&stamp(&line))?;
    }
    for line in state.valves.values().map(|v| valve(v, out)) {
        out.line(&stamp(&line))?;
    }
    for line in state.verdicts.values().map(|v| verdict(v, out)) {
        out.line(&stamp(&line))?;
    }
    Ok(())
}

fn stamp(line: &str) -> String {
    format!("{}  {line}", clock(now_unix_us()))
}

fn object(event: &Event, state: &State) -> Value {
    let mut object = match event {
        Event::Service(changed) => {
            json!({ "event": "service", "changed": changed, "service": state.service })
        }
        Event::Meter(id, changed) => {
            json!({ "event": "meter", "changed": changed, "meter": state.meters.get(id) })
        }
        Event::Valve(id, changed) => {
            json!({ "event": "valve", "changed": changed, "valve": state.valves.get(id) })
        }
        Event::Port(id, changed) => {
            json!({ "event": "port", "changed": changed, "port": state.ports.get(id) })
        }
        Event::VerdictAdded(id) => {
            json!({ "event": "verdict-added", "verdict": state.verdicts.get(id) })
        }
        Event::VerdictRemoved(id) => json!({ "event": "verdict-removed", "verdict": { "id": id } }),
        Event::Gone => json!({ "event": "gone" }),
        Event::Back => json!({ "event": "back" }),
    };
    object["time_unix_us"] = json!(now_unix_us());
    object
}

fn text(event: &Event, state: &State, out: &Output) -> Option<String> {
    Some(match event {
        Event::Service(_) => service(state, out),
        Event::Meter(id, _) => meter(state.meters.get(id)?, out),
        Event::Valve(id, _) => valve(state.valves.get(id)?, out),
        // What a port counts changes all the time, and is for machines.
        Event::Port(id, changed) if changed.iter().any(|name| name == "Health") => {
            port(state.ports.get(id)?, out)
        }
        Event::Port(..) => return None,
        Event::VerdictAdded(id) => verdict(state.verdicts.get(id)?, out),
        Event::VerdictRemoved(id) => format!("verdict {id}  acknowledged"),
        Event::Gone => out.paint("gasd left the bus; waiting for it to come back", Style::Bad),
        Event::Back => return None,
    })
}

fn service(state: &State, out: &Output) -> String {
    let (text, style) = status::mode(&state.service);
    let mut line =
        format!("gasd {}  {}", out.paint(&state.service.version, Style::Plain), out.paint(&text, style));
    if let Some(problem) = state.service.problems.last() {
        line += &format!("  {}", out.paint(problem, Style::Warn));
    }
    line
}

fn meter(meter: &Meter, out: &Output) -> String {
    let id = out.paint(&meter.id, Style::Plain);
    let mut line = format!("meter {id}  {:>14}  {:>12}", volume(meter.volume_ul), flow(meter.flow_m3_per_h));
    if meter.health != "ok" {
        line += &format!("  {}", out.paint(&meter.health, status::health(&meter.health)));
    }
    line
}

fn valve(valve: &Valve, out: &Output) -> String {
    let id = out.paint(&valve.id, Style::Plain);
    let mut line = format!("valve {id}  {}", out.paint(&valve.position, status::position(&valve.position)));
    for hold in &valve.holds {
        line += &out.paint(&format!("  held by {}: {}", hold.owner, hold.reason), Style::Plain);
    }
    if valve.health != "ok" {
        line += &format!("  {}", out.paint(&valve.health, status::health(&valve.health)));
    }
    line
}

fn port(port: &Port, out: &Output) -> String {
    let text = format!("port {}  {}", port.id, port.place);
    format!("{}  {}", out.paint(&text, Style::Plain), out.paint(&port.health, status::health(&port.health)))
}

fn verdict(verdict: &Verdict, out: &Output) -> String {
    let severity = out.paint(&verdict.severity, status::severity(&verdict.severity));
    let rest = format!("{} on meter {}: {}", verdict.kind, verdict.meter, verdict.text);
    format!("verdict {}  {severity}  {}", verdict.id, out.paint(&rest, Style::Plain))
}
