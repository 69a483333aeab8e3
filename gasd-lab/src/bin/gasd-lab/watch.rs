// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a person sees while meters are served: each command to a valve as it comes, and the sums at the end.

use std::io::{self, Write};
use std::thread::sleep;
use std::time::Duration;

use gasd_lab::Shared;
use gasd_lab::clock::now_ns;
use gasd_lab::truth::{Fate, look};

/// How often it looks.
const EVERY: Duration = Duration::from_millis(250);

/// Serves until `until_ns`, or for good, and writes what happens.
pub fn watch(meters: &[(String, Shared)], from_ns: u64, until_ns: Option<u64>) -> Result<(), String> {
    let mut seen = vec![0; meters.len()];
    loop {
        tell(meters, &mut seen, from_ns).map_err(|error| format!("standard output: {error}"))?;
        let now = now_ns();
        match until_ns.map(|until| until.saturating_sub(now)) {
            Some(0) => break,
            Some(left) => sleep(EVERY.min(Duration::from_nanos(left))),
            None => sleep(EVERY),
        }
    }
    sums(meters).map_err(|error| format!("standard output: {error}"))
}

fn tell(meters: &[(String, Shared)], seen: &mut [usize], from_ns: u64) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for ((name, truth), seen) in meters.iter().zip(seen) {
        let truth = look(truth);
        for command in truth.commands().iter().skip(*seen) {
            let after_s = command.at_ns.saturating_sub(from_ns) as f64 / 1e9;
            let fate = match command.fate {
                Fate::Executed => "carried out",
                Fate::Stuck => "the valve is stuck",
                Fate::Refused => "refused",
            };
            writeln!(out, "{after_s:9.1} s  {name}: valve to be {}: {fate}", command.to)?;
        }
        *seen = truth.commands().len();
    }
    out.flush()
}

fn sums(meters: &[(String, Shared)]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for (name, truth) in meters {
        let truth = look(truth);
        let shown = truth.register_ul(now_ns());
        writeln!(
            out,
            "{name}: {}.{:02} m³, valve {}, {} values answered, {} commands carried out",
            shown / 1_000_000_000,
            shown % 1_000_000_000 / 10_000_000,
            truth.valve(now_ns()),
            truth.answered().len(),
            truth.executed().count(),
        )?;
    }
    out.flush()
}
