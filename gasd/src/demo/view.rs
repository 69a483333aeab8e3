// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the terminal shows: a line that follows the flow, and a line for each thing that happens.

use std::{
    io::{IsTerminal, Write},
    time::Instant,
};

use gasd_proxy::{Event, State};
use serde_json::Value;

use crate::replay::household::PHASES;

/// Width of the bar, and the flow that fills it, m³/h.
const BAR: usize = 24;
const FULL_SCALE: f64 = 12.0;
/// Where a pipe reads along instead of a person, a line every so many seconds.
const QUIET_LINES_S: f64 = 2.0;

/// Shows what a client of the bus sees.
pub struct View {
    speed: f64,
    kernel: bool,
    terminal: bool,
    began: Instant,
    last_line_s: f64,
}

impl View {
    /// A view of a play at this speed.
    pub fn new(speed: f64, kernel: bool) -> Self {
        let terminal = std::io::stdout().is_terminal();
        Self { speed, kernel, terminal, began: Instant::now(), last_line_s: f64::NEG_INFINITY }
    }

    /// The daemon is there.
    pub fn begin(&mut self, state: &State) {
        self.began = Instant::now();
        let place = if self.kernel {
            "every edge goes through the kernel programs"
        } else {
            "every edge goes through the filter in user space"
        };
        println!(
            "gasd {}: a household at {} times its speed; {place}, the daemon judges, a simulated valve waits.\n",
            state.service.version, self.speed
        );
        println!("  clock   flow                                        total   what burns");
        self.tick(state);
    }

    /// Something happened.
    pub fn event(&mut self, event: &Event, state: &State) {
        match event {
            Event::VerdictAdded(id) => {
                if let Some(v) = state.verdicts.get(id) {
                    let (on, off) = self.colour(if v.severity == "critical" { "31;1" } else { "33" });
                    self.line(&format!(
                        "{on}VERDICT {id}  {}  {}{off}\n         {}",
                        v.severity, v.kind, v.text
                    ));
                }
            }
            Event::Valve(id, _) => {
                if let Some(v) = state.valves.get(id) {
                    let (on, off) = self.colour("36;1");
                    let holds = match v.holds.len() {
                        0 => String::new(),
                        n => format!(", {n} hold{}", if n == 1 { "" } else { "s" }),
                    };
                    self.line(&format!("{on}VALVE {id}  {}{holds}{off}", v.position));
                }
            }
            _ => self.tick(state),
        }
    }

    /// Time passes.
    pub fn tick(&mut self, state: &State) {
        let Some(meter) = state.meters.values().next() else { return };
        let flow = meter.flow_m3_per_h.unwrap_or(0.0);
        let filled = ((flow / FULL_SCALE * BAR as f64).round() as usize).min(BAR);
        let bar: String = (0..BAR).map(|i| if i < filled { '█' } else { '·' }).collect();
        let valve = state.valves.values().next().map_or("unknown", |v| v.position.as_str());
        let burning = if valve == "closed" { "nothing: the valve is closed" } else { self.phase() };
        let text = format!(
            "{}  {bar} {flow:>6.2} m³/h  {:>8.1} L   {burning}",
            self.clock(),
            meter.volume_ul as f64 / 1e6
        );
        if self.terminal {
            print!("\r\x1b[K  {text}");
            let _ = std::io::stdout().flush();
        } else if self.began.elapsed().as_secs_f64() - self.last_line_s >= QUIET_LINES_S {
            self.last_line_s = self.began.elapsed().as_secs_f64();
            println!("  {text}");
        }
    }

    /// The closing summary from the daemon's own report.
    pub fn summary(&mut self, report: &Value) {
        self.line("");
        let n = |key: &str| report[key].as_u64().unwrap_or(0);
        let us = |of: &str, key: &str| report[of][key].as_u64().unwrap_or(0) as f64 / 1_000.0;
        println!(
            "  {} edges: {} pulses accepted, {} edges rejected; {:.0} L counted; {} lost, {} fell through",
            n("edges"),
            n("accepted"),
            n("rejected"),
            n("volume_ul") as f64 / 1e6,
            n("lost"),
            n("fall_through"),
        );
        let latency = |name: &str, key: &str| {
            println!(
                "  {name:34} p50 {:>8.1} µs   p99 {:>8.1} µs   max {:>8.1} µs   ({} measured)",
                us(key, "p50_ns"),
                us(key, "p99_ns"),
                us(key, "max_ns"),
                report[key]["count"].as_u64().unwrap_or(0),
            );
        };
        let place =
            if self.kernel { "step in the kernel → engine" } else { "step in user space → engine" };
        latency(place, "pulse_latency");
        latency("verdict → valve driven", "valve_latency");
    }

    fn line(&mut self, text: &str) {
        let clear = if self.terminal { "\r\x1b[K" } else { "" };
        println!("{clear}  {text}");
    }

    fn colour(&self, code: &str) -> (String, &'static str) {
        if self.terminal && std::env::var_os("NO_COLOR").is_none() {
            (format!("\x1b[{code}m"), "\x1b[0m")
        } else {
            (String::new(), "")
        }
    }

    fn meter_seconds(&self) -> u64 {
        (self.began.elapsed().as_secs_f64() * self.speed) as u64
    }

    fn clock(&self) -> String {
        let s = self.meter_seconds();
        format!("{:02}:{:02}", s / 60, s % 60)
    }

    fn phase(&self) -> &'static str {
        let mut left = self.meter_seconds();
        for phase in &PHASES {
            if left < phase.seconds {
                return phase.name;
            }
            left -= phase.seconds;
        }
        "the day is over"
    }
}
