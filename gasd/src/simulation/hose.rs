// SPDX-License-Identifier: MIT OR Apache-2.0
//! A hose that comes off, as this meter's contact would tell it: a flow well above what the meter's
//! first threshold allows, out of stillness.

use crate::config::MeterConfig;
use crate::replay::Row;

const S: u64 = 1_000_000_000;
/// Stillness before, so that the line has settled.
const STILL_NS: u64 = 5 * S;
/// The least that the flow lasts.
const LEAST_NS: u64 = 40 * S;
/// The least pulses of it: coarse meters need time to say anything.
const LEAST_PULSES: u64 = 12;
/// The part of a pulse in which the contact is closed.
const CLOSED: f64 = 0.4;

/// The rows.
#[derive(Clone, Debug)]
pub struct Hose {
    line: u32,
    period_ns: u64,
    pulses: u64,
    next: u64,
}

impl Hose {
    /// For a meter, on line `line` of the trace.
    ///
    /// The flow is half as much again as `suspect`, but no faster than the meter's plate allows, where
    /// that is enough for the rule to speak. Where it is known what the home takes at the most (m³/h, 0 if not),
    /// a hose is half as much again as that, if it is more.
    #[must_use]
    pub fn new(meter: &MeterConfig, line: u32, takes_m3_per_h: f64) -> Hose {
        let suspect = meter.thresholds.suspect_m3_per_h;
        let most = (meter.max_flow_ul_per_h as f64 / 1e9).max(suspect * 1.05);
        let m3_per_h = (suspect * 1.5).min(most).max(takes_m3_per_h * 1.5);
        let period_ns = (meter.pulse_volume_ul as f64 / 1e9 / m3_per_h * 3_600.0 * 1e9) as u64;
        let period_ns = period_ns.max(2);
        Hose { line, period_ns, pulses: (LEAST_NS / period_ns).max(LEAST_PULSES), next: 0 }
    }

    /// When the hose comes off, ns from the first row.
    #[must_use]
    pub const fn onset_ns() -> u64 {
        STILL_NS
    }
}

impl Iterator for Hose {
    type Item = Row;

    /// A first opening that changes nothing starts the clock; then closing and opening, in turn.
    fn next(&mut self) -> Option<Row> {
        let at = self.next;
        self.next += 1;
        if at == 0 {
            return Some(Row { t_ns: 0, line: self.line, level: 0 });
        }
        let (pulse, opening) = ((at - 1) / 2, (at - 1) % 2);
        if pulse >= self.pulses {
            return None;
        }
        let within = if opening == 0 { 0 } else { (self.period_ns as f64 * CLOSED) as u64 };
        let level = u8::from(opening == 0);
        Some(Row { t_ns: STILL_NS + pulse * self.period_ns + within, line: self.line, level })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hose(toml: &str) -> Vec<Row> {
        let text = format!("[[meter]]\nid = \"k\"\nline = 1\n{toml}");
        Hose::new(&crate::config::parse("t.toml", &text).unwrap().meters[0], 1, 0.0).collect()
    }

    #[test]
    fn a_home_that_takes_more_has_a_larger_hose() {
        let text = "[[meter]]\nid = \"k\"\nline = 1\npulse_volume = \"1 L\"";
        let config = crate::config::parse("t.toml", text).unwrap();
        let period = |takes| {
            let rows: Vec<Row> = Hose::new(&config.meters[0], 1, takes).collect();
            rows[3].t_ns - rows[1].t_ns
        };
        assert_eq!(period(0.0), period(3.0));
        assert_eq!(period(6.0), 400_000_000, "1 L at 9 m³/h");
    }

    #[test]
    fn rows_ascend_and_alternate() {
        for toml in ["pulse_volume = \"1 L\"", "pulse_volume = \"10 L\"", "pulse_volume = \"0.1 L\""] {
            let rows = hose(toml);
            assert!(rows.len() as u64 > 2 * LEAST_PULSES);
            assert!(rows.windows(2).all(|w| w[0].t_ns < w[1].t_ns && w[0].level != w[1].level), "{toml}");
            assert_eq!(rows[1].t_ns - rows[0].t_ns, Hose::onset_ns());
        }
    }

    #[test]
    fn the_flow_is_above_the_first_threshold_and_the_meter_can_have_it() {
        // 5 m³/h suspects; half as much again would be more than the plate allows.
        let rows = hose("pulse_volume = \"1 L\"\nmax_flow = \"6 m3/h\"");
        let period = rows[3].t_ns - rows[1].t_ns;
        assert_eq!(period, 600_000_000, "1 L at 6 m³/h");
    }
}
