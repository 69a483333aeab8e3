// SPDX-License-Identifier: MIT OR Apache-2.0
//! The flow of a verdict's evidence, as steps over time.

use gasd_proxy::Verdict;

/// At least so much is drawn before it began, ns.
const BEFORE_NS: u64 = 60_000_000_000;

/// A flow in steps, and when in it the verdict's cause began.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Curve {
    /// End of each step and the flow in it, m³/h; the first step has no beginning and no flow.
    points: Vec<(u64, f64)>,
    /// When it began, ns.
    pub(super) began_ns: u64,
    /// What is drawn, ns.
    pub(super) from_ns: u64,
    /// See `from_ns`.
    pub(super) to_ns: u64,
}

impl Curve {
    /// Nothing where the evidence has no flow: a verdict of an older service, or the first pulses.
    pub(super) fn of(verdict: &Verdict) -> Option<Curve> {
        let list = verdict.evidence.get("flow")?.as_array()?;
        let mut points: Vec<(u64, f64)> = Vec::with_capacity(list.len());
        for point in list {
            let (t_ns, flow) = (point.get(0)?.as_u64()?, point.get(1)?.as_f64()?);
            if !flow.is_finite() || flow < 0.0 || points.last().is_some_and(|(last, _)| *last >= t_ns) {
                return None;
            }
            points.push((t_ns, flow));
        }
        let (&(first_ns, _), &(to_ns, _)) = (points.first()?, points.last()?);
        if first_ns == to_ns {
            return None;
        }
        let began_ns = verdict.t_ns.clamp(first_ns, to_ns);
        // As much before as it took to decide and half again, so that the change is in the middle of it.
        let before = (to_ns - began_ns).saturating_mul(3) / 2;
        let from_ns = began_ns.saturating_sub(before.max(BEFORE_NS)).max(first_ns);
        Some(Curve { points, began_ns, from_ns, to_ns })
    }

    /// Mean flow between two times, m³/h; nothing where none is known.
    pub(super) fn mean(&self, from_ns: u64, to_ns: u64) -> Option<f64> {
        let (mut volume, mut time) = (0.0, 0.0);
        for pair in self.points.windows(2) {
            let ((begin, _), (end, flow)) = (pair[0], pair[1]);
            let part = end.min(to_ns).saturating_sub(begin.max(from_ns)) as f64;
            volume += flow * part;
            time += part;
        }
        (time > 0.0).then(|| volume / time)
    }

    /// The steps that are drawn: beginning, end, flow.
    pub(super) fn steps(&self) -> impl Iterator<Item = (u64, u64, f64)> {
        let cut = |t_ns: u64| t_ns.clamp(self.from_ns, self.to_ns);
        self.points
            .windows(2)
            .map(move |pair| (cut(pair[0].0), cut(pair[1].0), pair[1].1))
            .filter(|(begin, end, _)| begin < end)
    }

    /// The next round number above all that is drawn, m³/h.
    pub(super) fn top(&self) -> f64 {
        let highest = self.steps().map(|(.., flow)| flow).fold(0.0, f64::max);
        if highest <= 0.0 {
            return 1.0;
        }
        let ten = 10_f64.powf(highest.log10().floor());
        [1.0, 2.0, 5.0, 10.0]
            .into_iter()
            .map(|step| step * ten)
            .find(|top| *top >= highest)
            .unwrap_or(highest)
    }
}

/// A flow on a scale.
pub(super) fn number(value: f64) -> String {
    format!("{}", (value * 1e4).round() / 1e4)
}

/// A span of time, ns.
pub(super) fn span(ns: u64) -> String {
    let s = ns as f64 / 1e9;
    match s {
        _ if s < 10.0 => format!("{:.1} s", s),
        _ if s < 120.0 => format!("{s:.0} s"),
        _ if s < 7_200.0 => format!("{:.0} min", s / 60.0),
        _ if s < 172_800.0 => format!("{:.1} h", s / 3_600.0),
        _ if s < 63_115_200.0 => format!("{:.1} days", s / 86_400.0),
        _ if s < 3.15576e10 => format!("{:.0} years", s / 31_557_600.0),
        _ => "more than 1000 years".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::verdict;
    use super::*;

    const S: u64 = 1_000_000_000;

    #[test]
    fn the_change_is_in_the_picture_with_what_was_before() {
        let curve = Curve::of(&verdict()).unwrap();
        assert_eq!((curve.began_ns, curve.to_ns), (1058 * S, 1062 * S));
        assert_eq!(curve.from_ns, 1000 * S, "a minute, as far as there is one");
        assert_eq!(curve.mean(1000 * S, 1058 * S), Some(1.8));
        assert_eq!(curve.mean(1058 * S, 1062 * S), Some(7.2));
        assert_eq!(curve.mean(S, 2 * S), None);
        assert_eq!(curve.top(), 10.0);
    }

    #[test]
    fn what_is_no_flow_is_not_drawn() {
        for flow in ["[]", "[[1,2]]", "[[2,1],[1,1]]", "[[1,\"x\"],[2,1]]", "[[1,1],[2,-1]]", "7"] {
            let mut verdict = verdict();
            verdict.evidence["flow"] = serde_json::from_str(flow).unwrap();
            assert_eq!(Curve::of(&verdict), None, "{flow}");
        }
    }

    #[test]
    fn spans_read_well() {
        let s = |s: f64| span((s * 1e9) as u64);
        assert_eq!(
            [s(2.6), s(40.0), s(600.0), s(9_000.0), s(864_000.0)],
            ["2.6 s", "40 s", "10 min", "2.5 h", "10.0 days"]
        );
        assert_eq!(s(3.156e8), "10 years");
    }
}
