// SPDX-License-Identifier: MIT OR Apache-2.0
//! How long a port has to wait for the slowest meter that was found.

use super::Found;

/// The longest that a configuration takes, in tenths of a second.
const MOST: u64 = 600;

/// The line of the port's table; `None` where nobody is slow. Nobody thinks equally long each time: half as much is added, and
/// it is rounded up to half a second.
pub fn answer(found: &[Found]) -> Option<String> {
    let ns = found.iter().filter_map(|found| found.slow_ns).max()?;
    let tenths = ns.saturating_add(ns / 2).div_ceil(500_000_000).saturating_mul(5).min(MOST);
    let text = match tenths % 10 {
        0 => (tenths / 10).to_string(),
        rest => format!("{}.{rest}", tenths / 10),
    };
    let (s, tenth) = (ns / 1_000_000_000, ns / 100_000_000 % 10);
    Some(format!("answer = \"{text} s\"  # a meter thought for {s}.{tenth} s\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_meter_took_and_half_as_much_is_waited() {
        let of = |ms: u64| {
            let found = Found { slow_ns: Some(ms * 1_000_000), ..Found::default() };
            answer(&[found]).unwrap().split('"').nth(1).unwrap().to_owned()
        };
        assert_eq!([900, 1_300, 2_450, 50_000].map(of), ["1.5 s", "2 s", "4 s", "60 s"]);
        assert_eq!(answer(&[Found::default()]), None);
    }
}
