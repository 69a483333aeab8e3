// SPDX-License-Identifier: MIT OR Apache-2.0
//! A picture of curves, both axes logarithmic.

use std::fmt::Write as _;

use crate::svg::{self, LogAxis};

/// A curve.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// Beside its end.
    pub name: String,
    /// x and y, both above 0.
    pub points: Vec<(f64, f64)>,
    /// Drawn with dashes.
    pub dashed: bool,
    /// Any CSS colour.
    pub colour: &'static str,
}

const SIZE: (f64, f64) = (640.0, 400.0);
/// Where the axes begin and end; the curves' names are right of them.
const LEFT: f64 = 64.0;
const RIGHT: f64 = 490.0;
const TOP: f64 = 32.0;
const BOTTOM: f64 = 356.0;

/// Draws curves; those of `x_marks` that a curve reaches are labelled on the x axis, powers of ten on the
/// y axis.
#[must_use]
pub fn chart(title: &str, x_title: &str, y_title: &str, x_marks: &[f64], curves: &[Curve]) -> String {
    let points = || curves.iter().flat_map(|curve| curve.points.iter());
    let x = LogAxis::of(points().map(|p| p.0), (LEFT, RIGHT));
    let y = LogAxis::of(points().map(|p| p.1), (BOTTOM, TOP));
    let mut out = svg::begin(SIZE, format_args!("font-family=\"sans-serif\" font-size=\"12\""));
    out.push_str("\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n");
    text(&mut out, format_args!("x=\"{LEFT}\" y=\"18\" font-size=\"14\""), title);
    for mark in x_marks.iter().filter(|mark| x.holds(**mark)) {
        let at = format_args!("x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\"", x.place(*mark), BOTTOM + 18.0);
        text(&mut out, at, &format!("{mark}"));
    }
    for value in y.powers() {
        let height = y.place(value);
        let _ = write!(out, "<path d=\"M{LEFT} {height:.1}H{RIGHT}\" stroke=\"#ccc\"/>");
        let at = format_args!("x=\"{}\" y=\"{:.1}\" text-anchor=\"end\"", LEFT - 6.0, height + 4.0);
        text(&mut out, at, &format!("{value}"));
    }
    let middle = f64::midpoint(LEFT, RIGHT);
    text(&mut out, format_args!("x=\"{middle}\" y=\"{}\" text-anchor=\"middle\"", BOTTOM + 36.0), x_title);
    let turned =
        format_args!("transform=\"translate(14 {}) rotate(-90)\" text-anchor=\"middle\"", 0.5 * SIZE.1);
    text(&mut out, turned, y_title);
    for curve in curves {
        let path = svg::joined(curve.points.iter().map(|(a, b)| Some((x.place(*a), y.place(*b)))));
        let dashes = if curve.dashed { " stroke-dasharray=\"5 4\"" } else { "" };
        let _ = writeln!(
            out,
            "<path d=\"{path}\" fill=\"none\" stroke-width=\"1.6\" stroke=\"{}\"{dashes}/>",
            curve.colour
        );
        if let Some((a, b)) = curve.points.last().filter(|_| !curve.name.is_empty()) {
            let at = format_args!("x=\"{:.1}\" y=\"{:.1}\"", x.place(*a) + 6.0, y.place(*b) + 4.0);
            text(&mut out, at, &curve.name);
        }
    }
    out.push_str(svg::END);
    out
}

/// A text on a line of its own.
fn text(out: &mut String, attributes: std::fmt::Arguments<'_>, text: &str) {
    svg::text(out, attributes, text);
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_whole() {
        let points = vec![(1.2, 100.0), (4.0, 1.0)];
        let curve = Curve { name: "ours".into(), points, dashed: false, colour: "#06c" };
        let svg = chart("t", "x", "y", &[1.2, 4.0, 9.0], &[curve]);
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
        assert!(svg.contains("M64.0 32.0L490.0 356.0"), "{svg}");
        assert!(svg.contains(">10</text>"));
        assert!(svg.contains(">4</text>") && !svg.contains(">9</text>"), "no curve reaches 9");
    }
}
