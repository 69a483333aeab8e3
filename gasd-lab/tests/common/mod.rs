// SPDX-License-Identifier: MIT OR Apache-2.0
//! A master in virtual time: requests of gasd-meters through a simulated line.
#![allow(dead_code, reason = "every test file uses a part of it")]

use gasd_lab::{Bus, Register, Shared, Truth};
use gasd_meters::poll::{Echo, Exchange, Line, Outcome, Step};
use gasd_meters::scan::Probe;

pub const MS: u64 = 1_000_000;
pub const SECOND: u64 = 1_000 * MS;

/// How the master sees a line of 2400 baud.
pub fn patience() -> Line {
    Line {
        byte_ns: 4_583_333,
        answer_ns: 600 * MS,
        gap_ns: 150 * MS,
        quiet_ns: 20 * MS,
        babble_ns: 2 * SECOND,
        echo: Echo::Unknown,
    }
}

/// One exchange that begins at `now_ns`; how it ended and when, ns.
pub fn exchange(
    bus: &mut Bus,
    mut now_ns: u64,
    request: &[u8],
    line: Line,
    probe: fn(&[u8]) -> Probe,
    mut judge: impl FnMut(&[u8]) -> Result<(), gasd_meters::Error>,
) -> (Outcome, u64) {
    let mut exchange = Exchange::new(request.to_vec(), line, true, now_ns);
    loop {
        match exchange.step(now_ns, probe, &mut judge) {
            Step::Send(bytes) => bus.sent(now_ns, bytes),
            Step::Wait { until_ns } => {
                now_ns = bus.due_ns().map_or(until_ns, |due| due.clamp(now_ns, until_ns));
                let bytes = bus.take(now_ns);
                if !bytes.is_empty() {
                    exchange.heard(now_ns, &bytes, probe, &mut judge);
                }
            }
            Step::Done => return (exchange.outcome(), now_ns),
        }
    }
}

/// A truth of an uneven register.
pub fn truth(n: u64) -> Shared {
    let register = Register {
        base_ul: 1_000_000_000 * (1_234 + n) + 567_000_000,
        flow_ul_per_h: 1_800_000_000,
        ..Register::default()
    };
    Truth::new(register).shared()
}
