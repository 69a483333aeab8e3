// SPDX-License-Identifier: MIT OR Apache-2.0
//! Plots as SVG that can be read on light and on dark paper.

use std::fmt::Write;

/// Size of the picture.
const SIZE: (f64, f64) = (720.0, 400.0);
/// Where the axes begin and end.
const LEFT: f64 = 60.0;
const RIGHT: f64 = 700.0;
const TOP: f64 = 48.0;
const BOTTOM: f64 = 345.0;
/// Readable on white and on black, and told apart by those who see no red or green (Okabe and Ito, a little
/// darker or lighter); the dashes do it in print.
const COLOURS: [&str; 6] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b8860b", "#56a0d3"];
const DASHES: [&str; 6] = ["", "7 4", "2 3", "9 3 2 3", "12 4", "1 5"];

const STYLE: &str = "<style>text{font:13px system-ui,sans-serif;fill:#222}.a{stroke:#555}.g{stroke:#8884}\
.l{stroke:#c00;stroke-dasharray:4 3}@media(prefers-color-scheme:dark){text{fill:#ddd}.a{stroke:#aaa}.l{stroke:#f66}}</style>";

/// A value axis of powers of ten.
#[derive(Clone, Copy, Debug)]
struct Decades {
    low: i32,
    high: i32,
}

impl Decades {
    fn of(values: impl Iterator<Item = f64>) -> Self {
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for x in values.filter(|x| x.is_finite() && *x > 0.0) {
            (low, high) = (low.min(x.log10()), high.max(x.log10()));
        }
        if low > high {
            return Self { low: 0, high: 1 };
        }
        let (low, high) = (low.floor().max(-3.0) as i32, high.ceil().min(8.0) as i32);
        Self { low, high: high.max(low + 1) }
    }

    /// 0 to 1.
    fn place(self, x: f64) -> f64 {
        let decades = f64::from(self.high - self.low);
        ((x.max(1e-9).log10() - f64::from(self.low)) / decades).clamp(0.0, 1.0)
    }
}

/// Share of trials in which no more than so many litres had been released by the alarm: one line a
/// detector, and a limit.
#[must_use]
pub fn released(title: &str, lines: &[(&str, Vec<f64>)], limit: Option<f64>) -> String {
    let x_axis = Decades::of(lines.iter().flat_map(|l| l.1.iter().copied()).chain(limit));
    let x = |v: f64| LEFT + (RIGHT - LEFT) * x_axis.place(v);
    let y = |share: f64| BOTTOM - (BOTTOM - TOP) * share;
    let mut out = head(title);
    for tick in 0..=4 {
        let share = f64::from(tick) / 4.0;
        grid(&mut out, (LEFT, y(share)), (RIGHT, y(share)));
        text(&mut out, (LEFT - 8.0, y(share) + 4.0), "end", &format!("{:.0} %", share * 100.0));
    }
    decades(&mut out, x_axis, x, "litres released before the alarm");
    if let Some(limit) = limit {
        let _ = write!(
            out,
            "<line class=\"l\" x1=\"{0:.1}\" y1=\"{TOP}\" x2=\"{0:.1}\" y2=\"{BOTTOM}\"/>",
            x(limit)
        );
        text(&mut out, (x(limit) + 4.0, TOP + 12.0), "start", &format!("{limit} L"));
    }
    for (i, (name, values)) in lines.iter().enumerate() {
        let mut sorted = values.clone();
        sorted.sort_by(f64::total_cmp);
        let n = sorted.len().max(1) as f64;
        let mut path = format!("M{LEFT:.1} {:.1}", y(0.0));
        for (k, v) in sorted.iter().enumerate().filter(|v| v.1.is_finite()) {
            let _ = write!(path, "H{:.1}V{:.1}", x(*v), y((k + 1) as f64 / n));
        }
        let _ = write!(path, "H{RIGHT:.1}");
        line(&mut out, i, &path);
        legend(&mut out, i, name);
    }
    out.push_str("</svg>\n");
    out
}

/// A curve over flow: one line a detector through (m³/h, litres), both in powers of ten. Points that are
/// not finite break the line.
#[must_use]
pub fn over_flow(title: &str, lines: &[(&str, Vec<(f64, f64)>)], limit: f64) -> String {
    let points = || lines.iter().flat_map(|l| l.1.iter());
    let x_axis = Decades::of(points().map(|p| p.0));
    let y_axis = Decades::of(points().map(|p| p.1).chain([limit]));
    let x = |v: f64| LEFT + (RIGHT - LEFT) * x_axis.place(v);
    let y = |v: f64| BOTTOM - (BOTTOM - TOP) * y_axis.place(v);
    let mut out = head(title);
    for decade in y_axis.low..=y_axis.high {
        let v = 10f64.powi(decade);
        grid(&mut out, (LEFT, y(v)), (RIGHT, y(v)));
        text(&mut out, (LEFT - 8.0, y(v) + 4.0), "end", &format!("{v} L"));
    }
    decades(&mut out, x_axis, x, "leak, m³/h");
    let _ =
        write!(out, "<line class=\"l\" x1=\"{LEFT}\" y1=\"{0:.1}\" x2=\"{RIGHT}\" y2=\"{0:.1}\"/>", y(limit));
    for (i, (name, values)) in lines.iter().enumerate() {
        let mut path = String::new();
        let mut pen = 'M';
        for (flow, litres) in values {
            if litres.is_finite() {
                let _ = write!(path, "{pen}{:.1} {:.1}", x(*flow), y(*litres));
                pen = 'L';
            } else {
                pen = 'M';
            }
        }
        line(&mut out, i, &path);
        for (flow, litres) in values.iter().filter(|p| p.1.is_finite()) {
            let colour = COLOURS[i % COLOURS.len()];
            let _ = write!(
                out,
                "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"3\" fill=\"{colour}\"/>",
                x(*flow),
                y(*litres)
            );
        }
        legend(&mut out, i, name);
    }
    out.push_str("</svg>\n");
    out
}

fn head(title: &str) -> String {
    let (w, h) = SIZE;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {w} {h}\" width=\"{w}\" height=\"{h}\" role=\"img\">\
         <title>{0}</title>{STYLE}",
        escaped(title)
    );
    text(&mut out, (LEFT, 22.0), "start", title);
    let _ = write!(out, "<path class=\"a\" fill=\"none\" d=\"M{LEFT} {TOP}V{BOTTOM}H{RIGHT}\"/>");
    out
}

fn decades(out: &mut String, axis: Decades, x: impl Fn(f64) -> f64, label: &str) {
    for decade in axis.low..=axis.high {
        let v = 10f64.powi(decade);
        grid(out, (x(v), TOP), (x(v), BOTTOM));
        text(out, (x(v), BOTTOM + 17.0), "middle", &format!("{v}"));
    }
    text(out, (f64::midpoint(LEFT, RIGHT), BOTTOM + 35.0), "middle", label);
}

fn grid(out: &mut String, from: (f64, f64), to: (f64, f64)) {
    let ((x1, y1), (x2, y2)) = (from, to);
    let _ = write!(out, "<line class=\"g\" x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"/>");
}

fn line(out: &mut String, i: usize, path: &str) {
    let (colour, dash) = (COLOURS[i % COLOURS.len()], DASHES[i % DASHES.len()]);
    let _ = write!(
        out,
        "<path fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" stroke-dasharray=\"{dash}\" d=\"{path}\"/>"
    );
}

fn legend(out: &mut String, i: usize, name: &str) {
    let at = (LEFT + 160.0 * (i % 4) as f64, 39.0 + 14.0 * (i / 4) as f64 - 2.0);
    line(out, i, &format!("M{:.1} {:.1}h26", at.0, at.1 - 4.0));
    text(out, (at.0 + 31.0, at.1), "start", name);
}

fn text(out: &mut String, at: (f64, f64), anchor: &str, text: &str) {
    let _ = write!(
        out,
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{}</text>",
        at.0,
        at.1,
        escaped(text)
    );
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plot_is_well_formed_whatever_it_is_given() {
        for values in [vec![], vec![f64::INFINITY], vec![1.0, 50.0, 1e4, f64::INFINITY], vec![0.0]] {
            let svg = released("a < b & c", &[("ours", values.clone()), ("theirs", values)], Some(88.0));
            assert_eq!(svg.matches("<svg").count(), 1);
            assert_eq!(svg.matches("<text").count(), svg.matches("</text>").count());
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        }
        let svg = over_flow("x", &[("ours", vec![(0.1, 5.0), (1.0, f64::INFINITY), (2.0, 3.0)])], 88.0);
        assert_eq!(svg.matches("<circle").count(), 2);
    }
}
