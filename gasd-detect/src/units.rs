// SPDX-License-Identifier: MIT OR Apache-2.0
//! Units: µL and ns inside, m³/h, litres and seconds for people.

use core::fmt;

/// m³/h of one µL/ns: 1e-9 m³ each 1/3.6e12 h.
const M3_PER_H: f64 = 3600.0;

/// One second, ns.
pub(crate) const SECOND_NS: u64 = 1_000_000_000;

/// Flow of `volume_ul` (µL) over `span_ns` (ns), m³/h; 0 over no time, so that it is always finite.
pub(crate) fn flow_m3_per_h(volume_ul: f64, span_ns: u64) -> f64 {
    if span_ns == 0 {
        return 0.0;
    }
    volume_ul / span_ns as f64 * M3_PER_H
}

/// Volume that `m3_per_h` passes in `span_ns`, µL.
pub(crate) fn volume_ul(m3_per_h: f64, span_ns: u64) -> f64 {
    m3_per_h * span_ns as f64 / M3_PER_H
}

/// µL/h as m³/h.
pub(crate) fn m3_per_h(ul_per_h: u64) -> f64 {
    ul_per_h as f64 * 1e-9
}

/// Shows µL as litres without needless zeros: `10 L`, `0.01 L`.
pub(crate) struct Litres(pub u64);

impl fmt::Display for Litres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} L", self.0 as f64 / 1e6)
    }
}

/// Shows ns as seconds: `30 s`, `2.2 s`.
pub(crate) struct Seconds(pub u64);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenths = (self.0 as f64 / 1e8).round() / 10.0;
        write!(f, "{tenths} s")
    }
}

/// Shows seconds as a person says them: `40 s`, `12 min`, `3.5 h`, `4 days`.
pub(crate) struct Span(pub f32);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (value, unit) = match self.0 {
            s if s < 120.0 => (s.round(), "s"),
            s if s < 7200.0 => ((s / 60.0).round(), "min"),
            s if s < 172_800.0 => ((s / 360.0).round() / 10.0, "h"),
            s => ((s / 8640.0).round() / 10.0, "days"),
        };
        write!(f, "{value} {unit}")
    }
}

/// Shows m³/h with as many digits as matter: `36`, `5.33`, `0.004`.
pub(crate) struct Flow(pub f64);

impl fmt::Display for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Beyond this there are no digits after the point to round, and the product may overflow.
        if self.0.abs() > 1e12 {
            return write!(f, "{:e}", self.0);
        }
        let scale = if self.0.abs() < 0.1 { 1e4 } else { 1e2 };
        write!(f, "{}", (self.0 * scale).round() / scale)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_litres_in_a_second_are_36_m3_per_h() {
        assert!((flow_m3_per_h(1e7, SECOND_NS) - 36.0).abs() < 1e-9);
        assert!((volume_ul(36.0, SECOND_NS) - 1e7).abs() < 1e-3);
        assert!((m3_per_h(6_000_000_000) - 6.0).abs() < 1e-9);
    }

    #[test]
    fn no_time_is_no_flow() {
        assert_eq!(flow_m3_per_h(1e7, 0), 0.0);
    }

    #[test]
    fn numbers_read_well() {
        assert_eq!(Litres(10_000_000).to_string(), "10 L");
        assert_eq!(Litres(10_000).to_string(), "0.01 L");
        assert_eq!(Seconds(2_249_999_999).to_string(), "2.2 s");
        assert_eq!(Seconds(30 * SECOND_NS).to_string(), "30 s");
        assert_eq!(Flow(36.0).to_string(), "36");
        assert_eq!(Flow(5.333).to_string(), "5.33");
        assert_eq!(Flow(0.004).to_string(), "0.004");
        assert_eq!(Flow(1e12).to_string(), "1000000000000");
        assert_eq!(Flow(2.5e307).to_string(), "2.5e307");
    }
}
