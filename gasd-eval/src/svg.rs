// SPDX-License-Identifier: MIT OR Apache-2.0
//! A picture of curves, both axes logarithmic: plain SVG, no scripts, no fonts of its own.

use std::fmt::Write as _;

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

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 400.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 150.0;
const TOP: f64 = 32.0;
const BOTTOM: f64 = 44.0;

/// Draws curves; `x_marks` are labelled on the x axis, powers of ten on the y axis.
#[must_use]
pub fn chart(title: &str, x_title: &str, y_title: &str, x_marks: &[f64], curves: &[Curve]) -> String {
    let points = || curves.iter().flat_map(|curve| curve.points.iter());
    let ends = |of: fn(&(f64, f64)) -> f64| {
        points()
            .map(|p| of(p).ln())
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(x), b.max(x)))
    };
    let ((x0, x1), (y0, y1)) = (ends(|p| p.0), ends(|p| p.1));
    let x = |v: f64| LEFT + (v.ln() - x0) / (x1 - x0).max(1e-9) * (WIDTH - LEFT - RIGHT);
    let y = |v: f64| HEIGHT - BOTTOM - (v.ln() - y0) / (y1 - y0).max(1e-9) * (HEIGHT - TOP - BOTTOM);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n<text x=\"{LEFT}\" y=\"18\" \
         font-size=\"14\">{title}</text>\n"
    );
    for mark in x_marks {
        let _ = writeln!(
            out,
            "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\">{mark}</text>",
            x(*mark),
            HEIGHT - 26.0
        );
    }
    for power in -9..12 {
        let value = 10f64.powi(power);
        if (y0..=y1).contains(&value.ln()) {
            let _ = writeln!(
                out,
                "<path d=\"M{LEFT} {0:.1}H{1}\" stroke=\"#ccc\"/><text x=\"{2}\" y=\"{3:.1}\" \
                 text-anchor=\"end\">{value}</text>",
                y(value),
                WIDTH - RIGHT,
                LEFT - 6.0,
                y(value) + 4.0
            );
        }
    }
    let _ = writeln!(
        out,
        "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{x_title}</text>\n<text transform=\"translate(14 {}) \
         rotate(-90)\" text-anchor=\"middle\">{y_title}</text>",
        0.5 * (LEFT + WIDTH - RIGHT),
        HEIGHT - 8.0,
        0.5 * HEIGHT
    );
    for curve in curves {
        let path: Vec<String> =
            curve.points.iter().map(|(a, b)| format!("{:.1} {:.1}", x(*a), y(*b))).collect();
        let dashes = if curve.dashed { " stroke-dasharray=\"5 4\"" } else { "" };
        let _ = writeln!(
            out,
            "<path d=\"M{}\" fill=\"none\" stroke-width=\"1.6\" stroke=\"{}\"{dashes}/>",
            path.join("L"),
            curve.colour
        );
        if let Some((a, b)) = curve.points.last().filter(|_| !curve.name.is_empty()) {
            let _ = writeln!(
                out,
                "<text x=\"{:.1}\" y=\"{:.1}\">{}</text>",
                x(*a) + 6.0,
                y(*b) + 4.0,
                curve.name
            );
        }
    }
    out.push_str("</svg>\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_whole() {
        let points = vec![(1.2, 100.0), (4.0, 1.0)];
        let curve = Curve { name: "ours".into(), points, dashed: false, colour: "#06c" };
        let svg = chart("t", "x", "y", &[1.2, 4.0], &[curve]);
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
        assert!(svg.contains("M64.0 32.0L490.0 356.0"), "{svg}");
        assert!(svg.contains(">10</text>"));
    }
}
