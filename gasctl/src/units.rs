// SPDX-License-Identifier: MIT OR Apache-2.0
//! Numbers with units as people read them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A volume: litres below a cubic metre, cubic metres from there on, cut to a millilitre or a litre
/// as a meter's dial would.
pub fn volume(microlitres: u64) -> String {
    let millilitres = microlitres / 1_000;
    if millilitres < 1_000_000 {
        format!("{}.{:03} L ", millilitres / 1_000, millilitres % 1_000)
    } else {
        let litres = millilitres / 1_000;
        format!("{}.{:03} m³", litres / 1_000, litres % 1_000)
    }
}

/// A flow, m³/h.
pub fn flow(m3_per_h: Option<f64>) -> String {
    m3_per_h.map_or_else(|| "flow unknown".to_owned(), |flow| format!("{flow:.3} m³/h"))
}

/// How long ago a CLOCK_BOOTTIME instant is, ns; nothing for 0, which stands for never.
pub fn ago(t_ns: u64) -> Option<String> {
    ago_at(t_ns, boottime_ns())
}

/// As [`ago`], seen from `now_ns`.
pub fn ago_at(t_ns: u64, now_ns: u64) -> Option<String> {
    (t_ns != 0).then(|| format!("{} ago", span(Duration::from_nanos(now_ns.saturating_sub(t_ns)))))
}

/// A span in its largest fitting unit.
fn span(span: Duration) -> String {
    let s = span.as_secs();
    match s {
        0..120 => format!("{s} s"),
        120..7_200 => format!("{} min", s / 60),
        7_200..172_800 => format!("{} h", s / 3_600),
        _ => format!("{} days", s / 86_400),
    }
}

/// Time since the machine was started, suspend included, ns.
pub fn boottime_ns() -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `now` is valid for the call. It cannot fail on Linux with this clock.
    unsafe { libc::clock_gettime(libc::CLOCK_BOOTTIME, &raw mut now) };
    let (s, ns) = (u64::try_from(now.tv_sec).unwrap_or(0), u64::try_from(now.tv_nsec).unwrap_or(0));
    s * 1_000_000_000 + ns
}

/// Now, Unix time in µs.
pub fn now_unix_us() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_micros()).unwrap_or(u64::MAX)
}

/// A Unix time in µs as local date and time.
pub fn date(unix_us: u64) -> String {
    let t = local(unix_us);
    let (year, month, day) = (t.tm_year + 1900, t.tm_mon + 1, t.tm_mday);
    format!("{year:04}-{month:02}-{day:02} {}", clock(unix_us))
}

/// A Unix time in µs as local time of day.
pub fn clock(unix_us: u64) -> String {
    let t = local(unix_us);
    format!("{:02}:{:02}:{:02}", t.tm_hour, t.tm_min, t.tm_sec)
}

fn local(unix_us: u64) -> libc::tm {
    let seconds = libc::time_t::try_from(unix_us / 1_000_000).unwrap_or(0);
    // SAFETY: an all-zero tm is valid: plain numbers and a null pointer.
    let mut t: libc::tm = unsafe { std::mem::zeroed() };
    // SAFETY: both pointers are valid for the call. On failure `t` stays as it is.
    unsafe { libc::localtime_r(&raw const seconds, &raw mut t) };
    t
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn volumes_are_cut_not_rounded() {
        assert_eq!(volume(0), "0.000 L ");
        assert_eq!(volume(10_009_999), "10.009 L ");
        assert_eq!(volume(999_999_999), "999.999 L ");
        assert_eq!(volume(1_234_567_890), "1.234 m³");
        assert_eq!(volume(u64::MAX), "18446744073.709 m³");
    }

    #[test]
    fn spans_fit_their_unit() {
        for (s, text) in [(0, "0 s"), (119, "119 s"), (120, "2 min"), (7_200, "2 h"), (259_200, "3 days")] {
            assert_eq!(span(Duration::from_secs(s)), text);
        }
        assert_eq!(ago(0), None);
    }

    #[test]
    fn a_flow_may_be_unknown() {
        assert_eq!(flow(None), "flow unknown");
        assert_eq!(flow(Some(1.25)), "1.250 m³/h");
    }
}
