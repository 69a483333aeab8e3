// SPDX-License-Identifier: MIT OR Apache-2.0
//! Plots as SVG that can be read on light and on dark paper.

use std::fmt::Write;

use crate::svg::{self, END, LogAxis};

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

/// The powers of ten that litres and flows are drawn between: a stray value takes no room from the rest.
const DECADES: (i32, i32) = (-3, 8);

/// Share of trials in which no more than so many litres had been released by the alarm: one line a
/// detector, and a limit.
#[must_use]
pub fn released(title: &str, lines: &[(&str, Vec<f64>)], limit: Option<f64>) -> String {
    let x = decades(lines.iter().flat_map(|l| l.1.iter().copied()).chain(limit), (LEFT, RIGHT));
    let y = |share: f64| BOTTOM - (BOTTOM - TOP) * share;
    let mut out = head(title);
    for tick in 0..=4 {
        let share = f64::from(tick) / 4.0;
        grid(&mut out, (LEFT, y(share)), (RIGHT, y(share)));
        text(&mut out, (LEFT - 8.0, y(share) + 4.0), "end", &format!("{:.0} %", share * 100.0));
    }
    x_marks(&mut out, x, "litres released before the alarm");
    if let Some(limit) = limit {
        let at = x.place(limit);
        let _ = write!(out, "<line class=\"l\" x1=\"{at:.1}\" y1=\"{TOP}\" x2=\"{at:.1}\" y2=\"{BOTTOM}\"/>");
        text(&mut out, (at + 4.0, TOP + 12.0), "start", &format!("{limit} L"));
    }
    for (i, (name, values)) in lines.iter().enumerate() {
        let mut sorted = values.clone();
        sorted.sort_by(f64::total_cmp);
        let n = sorted.len().max(1) as f64;
        let mut path = format!("M{LEFT:.1} {:.1}", y(0.0));
        for (k, v) in sorted.iter().enumerate().filter(|v| v.1.is_finite()) {
            let _ = write!(path, "H{:.1}V{:.1}", x.place(*v), y((k + 1) as f64 / n));
        }
        let _ = write!(path, "H{RIGHT:.1}");
        line(&mut out, i, &path);
        legend(&mut out, i, name);
    }
    out.push_str(END);
    out
}

/// A curve over flow: one line a detector through (m³/h, litres), both in powers of ten. Points that are
/// not finite break the line.
#[must_use]
pub fn over_flow(title: &str, lines: &[(&str, Vec<(f64, f64)>)], limit: f64) -> String {
    let points = || lines.iter().flat_map(|l| l.1.iter());
    let x = decades(points().map(|p| p.0), (LEFT, RIGHT));
    let y = decades(points().map(|p| p.1).chain([limit]), (BOTTOM, TOP));
    let mut out = head(title);
    for v in y.powers() {
        grid(&mut out, (LEFT, y.place(v)), (RIGHT, y.place(v)));
        text(&mut out, (LEFT - 8.0, y.place(v) + 4.0), "end", &format!("{v} L"));
    }
    x_marks(&mut out, x, "leak, m³/h");
    let at = y.place(limit);
    let _ = write!(out, "<line class=\"l\" x1=\"{LEFT}\" y1=\"{at:.1}\" x2=\"{RIGHT}\" y2=\"{at:.1}\"/>");
    for (i, (name, values)) in lines.iter().enumerate() {
        let points = || {
            values.iter().map(|(flow, litres)| litres.is_finite().then(|| (x.place(*flow), y.place(*litres))))
        };
        line(&mut out, i, &svg::joined(points()));
        let colour = COLOURS[i % COLOURS.len()];
        for (x, y) in points().flatten() {
            let _ = write!(out, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{colour}\"/>");
        }
        legend(&mut out, i, name);
    }
    out.push_str(END);
    out
}

fn head(title: &str) -> String {
    let (w, h) = SIZE;
    let mut out = svg::begin(SIZE, format_args!("width=\"{w}\" height=\"{h}\" role=\"img\""));
    let _ = write!(out, "<title>{}</title>{STYLE}", svg::escaped(title));
    text(&mut out, (LEFT, 22.0), "start", title);
    let _ = write!(out, "<path class=\"a\" fill=\"none\" d=\"M{LEFT} {TOP}V{BOTTOM}H{RIGHT}\"/>");
    out
}

fn decades(values: impl Iterator<Item = f64>, ends: (f64, f64)) -> LogAxis {
    LogAxis::of(values, ends).whole(DECADES.0, DECADES.1)
}

fn x_marks(out: &mut String, x: LogAxis, label: &str) {
    for v in x.powers() {
        grid(out, (x.place(v), TOP), (x.place(v), BOTTOM));
        text(out, (x.place(v), BOTTOM + 17.0), "middle", &format!("{v}"));
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
    svg::text(out, format_args!("x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\"", at.0, at.1), text);
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
