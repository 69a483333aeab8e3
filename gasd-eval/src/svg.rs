// SPDX-License-Identifier: MIT OR Apache-2.0
//! What pictures are made of: plain SVG, no scripts, no fonts of its own, and axes whose values are
//! logarithms. How a picture looks is its own; `alone::plot` and `system::plot` draw them.

use std::fmt::{Arguments, Write as _};

/// Ends a picture.
pub const END: &str = "</svg>\n";

/// Begins a picture of this width and height, with further attributes.
#[must_use]
pub fn begin((width, height): (f64, f64), attributes: Arguments<'_>) -> String {
    format!("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" {attributes}>")
}

/// Writes `text`, escaped; the attributes say where and how.
pub fn text(out: &mut String, attributes: Arguments<'_>, text: &str) {
    let _ = write!(out, "<text {attributes}>{}</text>", escaped(text));
}

/// Text as it may stand between tags and in attributes.
#[must_use]
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

/// What a path draws to join points; nothing is drawn to or from `None`.
#[must_use]
pub fn joined(points: impl Iterator<Item = Option<(f64, f64)>>) -> String {
    let mut path = String::new();
    let mut pen = 'M';
    for point in points {
        pen = match point {
            Some((x, y)) => {
                let _ = write!(path, "{pen}{x:.1} {y:.1}");
                'L'
            }
            None => 'M',
        };
    }
    path
}

/// A logarithmic axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LogAxis {
    /// The values at its ends, as powers of ten.
    low: f64,
    high: f64,
    /// Where its ends are in the picture.
    ends: (f64, f64),
}

impl LogAxis {
    /// As long as `values` need; those that have no logarithm need nothing.
    #[must_use]
    pub fn of(values: impl Iterator<Item = f64>, ends: (f64, f64)) -> Self {
        let (low, high) = values
            .filter(|x| x.is_finite() && *x > 0.0)
            .map(f64::log10)
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
        let (low, high) = if low > high { (0.0, 1.0) } else { (low, high) };
        Self { low, high, ends }
    }

    /// Made longer until both ends are whole powers of ten, but not beyond these two.
    #[must_use]
    pub fn whole(self, least: i32, most: i32) -> Self {
        let low = self.low.floor().max(f64::from(least));
        let high = self.high.ceil().min(f64::from(most));
        Self { low, high: high.max(low + 1.0), ..self }
    }

    /// Where a value is in the picture: at an end of the axis if it lies beyond it.
    #[must_use]
    pub fn place(self, x: f64) -> f64 {
        let share = (x.max(f64::MIN_POSITIVE).log10() - self.low) / (self.high - self.low).max(1e-9);
        self.ends.0 + (self.ends.1 - self.ends.0) * share.clamp(0.0, 1.0)
    }

    /// Whether a value lies on the axis.
    #[must_use]
    pub fn holds(self, x: f64) -> bool {
        (self.low..=self.high).contains(&x.log10())
    }

    /// The whole powers of ten on it.
    pub fn powers(self) -> impl Iterator<Item = f64> {
        (self.low.ceil() as i32..=self.high.floor() as i32).map(|power| 10f64.powi(power))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_has_its_values_and_the_powers_between_them() {
        let axis = LogAxis::of([0.0, f64::NAN, 2.0, 2000.0, f64::INFINITY].into_iter(), (10.0, 40.0));
        assert!(axis.holds(2.0) && axis.holds(2000.0) && !axis.holds(1.0) && !axis.holds(0.0));
        assert_eq!(axis.powers().collect::<Vec<_>>(), [10.0, 100.0, 1000.0]);
        assert_eq!([0.0, 2.0, 20.0, 1e9].map(|x| axis.place(x).round()), [10.0, 10.0, 20.0, 40.0]);
        let whole = axis.whole(-3, 2);
        assert_eq!(whole.powers().collect::<Vec<_>>(), [1.0, 10.0, 100.0]);
        assert_eq!([0.5, 1.0, 10.0, 2000.0].map(|x| whole.place(x)), [10.0, 10.0, 25.0, 40.0]);
    }

    #[test]
    fn an_axis_of_nothing_or_of_one_value_is_an_axis() {
        let nothing = LogAxis::of([f64::INFINITY].into_iter(), (0.0, 1.0));
        assert_eq!([1.0, 10.0].map(|x| nothing.place(x)), [0.0, 1.0]);
        assert_eq!(LogAxis::of([5.0].into_iter(), (0.0, 1.0)).place(5.0), 0.0);
        assert_eq!(LogAxis::of([100.0].into_iter(), (0.0, 1.0)).whole(-3, 8).place(1000.0), 1.0);
    }

    #[test]
    fn a_gap_lifts_the_pen() {
        let points = [None, Some((1.0, 2.0)), Some((3.0, 4.0)), None, Some((5.0, 6.04))];
        assert_eq!(joined(points.into_iter()), "M1.0 2.0L3.0 4.0M5.0 6.0");
    }

    #[test]
    fn nothing_in_a_text_is_a_tag() {
        let mut out = String::new();
        text(&mut out, format_args!("x=\"{:.1}\"", 1.0), "a < \"b\" & c");
        assert_eq!(out, "<text x=\"1.0\">a &lt; &quot;b&quot; &amp; c</text>");
    }
}
