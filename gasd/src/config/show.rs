// SPDX-License-Identifier: MIT OR Apache-2.0
//! Quantities in the words that the configuration itself accepts.

/// A volume in µL, exact, in the largest unit it fills: `10 L`, `0.5 mL` is written `500 uL`.
#[must_use]
pub fn volume(ul: u64) -> String {
    in_units(ul, &[(1_000_000_000, "m3"), (1_000_000, "L"), (1_000, "mL"), (1, "uL")])
}

/// A flow in µL/h, exact, in m³/h, as a meter's plate has it.
#[must_use]
pub fn flow(ul_per_h: u64) -> String {
    format!("{} m3/h", quotient(ul_per_h, 1_000_000_000))
}

/// A duration in ns, exact, in the largest unit up to the second that it fills.
#[must_use]
pub fn duration(ns: u64) -> String {
    in_units(ns, &[(1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "us"), (1, "ns")])
}

/// A duration in ns in the largest unit up to the day that it fills without a rest: `30 days`, `12 h`.
#[must_use]
pub fn long(ns: u64) -> String {
    const LONG: [(u64, &str); 3] =
        [(86_400_000_000_000, "days"), (3_600_000_000_000, "h"), (60_000_000_000, "min")];
    match LONG.iter().find(|(factor, _)| ns >= *factor && ns.is_multiple_of(*factor)) {
        Some((factor, "days")) if ns == *factor => "1 day".to_owned(),
        Some((factor, name)) => format!("{} {name}", ns / factor),
        None => duration(ns),
    }
}

/// A duration in ns cut to four digits, for an interval that came out of a division.
pub(super) fn about(ns: u64) -> String {
    let mut step = 1;
    while ns / step >= 10_000 {
        step *= 10;
    }
    duration(ns / step * step)
}

fn in_units(value: u64, units: &[(u64, &str)]) -> String {
    let (factor, name) =
        units.iter().find(|(factor, _)| value >= *factor).or(units.last()).copied().unwrap_or((1, ""));
    format!("{} {name}", quotient(value, factor))
}

/// `value / factor` without rounding; `factor` is a power of ten.
fn quotient(value: u64, factor: u64) -> String {
    let rest = value % factor;
    if rest == 0 {
        return (value / factor).to_string();
    }
    let places = factor.ilog10() as usize;
    let decimals = format!("{rest:0places$}");
    format!("{}.{}", value / factor, decimals.trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_shown_exactly() {
        assert_eq!(volume(10_000_000), "10 L");
        assert_eq!(volume(1_500), "1.5 mL");
        assert_eq!(volume(500), "500 uL");
        assert_eq!(volume(0), "0 uL");
        assert_eq!(flow(6_000_000_000), "6 m3/h");
        assert_eq!(flow(1), "0.000000001 m3/h");
        assert_eq!(duration(1_500_000_000), "1.5 s");
        assert_eq!(duration(60_000_000_000), "60 s");
        assert_eq!(duration(20_000_000), "20 ms");
    }

    #[test]
    fn a_quotient_is_cut_to_four_digits() {
        assert_eq!(about(166_666_666), "166.6 ms");
        assert_eq!(about(6_000_000_000), "6 s");
        assert_eq!(about(u64::MAX), "18440000000 s");
    }
}
