// SPDX-License-Identifier: MIT OR Apache-2.0
//! A curve as a picture: one SVG that stands alone and reads in light and dark.

use std::fmt::Write as _;

use gasd_proxy::Verdict;

use super::curve::{Curve, number, span};
use super::words::Words;
use crate::units::date;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 300.0;
/// The field of the curve: left, top, right, bottom.
const FIELD: (f64, f64, f64, f64) = (56.0, 56.0, 704.0, 252.0);

const STYLE: &str = "\
svg{color-scheme:light dark;font:13px system-ui,sans-serif}
.page{fill:#fff}.ink{fill:#1f2328}.dim{fill:#59636e}.grid{stroke:#d1d9e0}.flow{fill:#0969da;fill-opacity:.2;stroke:#0969da;stroke-width:2}
.hot{fill:#cf222e;fill-opacity:.2;stroke:#cf222e;stroke-width:2}.mark{stroke:#cf222e;stroke-dasharray:4 3}.level{stroke:#9a6700;stroke-dasharray:6 4}
.head{font-weight:600;font-size:15px}
@media (prefers-color-scheme:dark){.page{fill:#0d1117}.ink{fill:#f0f6fc}.dim{fill:#9198a1}.grid{stroke:#3d444d}
.flow{fill:#4493f8;stroke:#4493f8}.hot{fill:#f85149;stroke:#f85149}.mark{stroke:#f85149}.level{stroke:#d29922}}";

/// Draws a verdict's flow.
pub(super) fn draw(verdict: &Verdict, curve: &Curve) -> String {
    let (left, top, right, bottom) = FIELD;
    let most = curve.top();
    let x = |t_ns: u64| {
        let part = (t_ns - curve.from_ns) as f64 / (curve.to_ns - curve.from_ns) as f64;
        left + part * (right - left)
    };
    let y = |flow: f64| bottom - (flow / most).min(1.0) * (bottom - top);
    let head = format!("Verdict {} on meter {}: {}", verdict.id, verdict.meter, Words::of(verdict).what);
    let mut svg = String::new();
    let mut put = |text: std::fmt::Arguments<'_>| {
        // Writing to a string does not fail.
        let _ = svg.write_fmt(text);
        svg.push('\n');
    };
    put(format_args!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
         aria-labelledby=\"t d\">"
    ));
    put(format_args!("<title id=\"t\">{}</title>", escaped(&head)));
    put(format_args!("<desc id=\"d\">{}</desc>", escaped(&verdict.text)));
    put(format_args!("<style>{STYLE}</style>"));
    put(format_args!("<rect class=\"page\" width=\"{WIDTH}\" height=\"{HEIGHT}\"/>"));
    put(format_args!("<text class=\"ink head\" x=\"16\" y=\"24\">{}</text>", escaped(&head)));
    put(format_args!("<text class=\"dim\" x=\"16\" y=\"44\">flow, m³/h</text>"));
    for part in 0..=4 {
        let level = most * f64::from(part) / 4.0;
        let at = y(level);
        put(format_args!(
            "<line class=\"grid\" x1=\"{left}\" y1=\"{at:.1}\" x2=\"{right}\" y2=\"{at:.1}\"/>"
        ));
        put(format_args!(
            "<text class=\"dim\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            left - 8.0,
            at + 4.0,
            number(level)
        ));
    }
    for (class, from_ns, to_ns) in
        [("flow", curve.from_ns, curve.began_ns), ("hot", curve.began_ns, curve.to_ns)]
    {
        if let Some(path) = area(curve, (from_ns, to_ns), x, y) {
            put(format_args!("<path class=\"{class}\" stroke-linejoin=\"round\" d=\"{path}\"/>"));
        }
    }
    // What the home takes at the most, or what the flow was before.
    let limit =
        verdict.evidence["before_m3_per_h"]["high"].as_f64().filter(|limit| *limit > 0.0 && *limit < most);
    if let Some(limit) = limit {
        let at = y(limit);
        put(format_args!(
            "<line class=\"level\" x1=\"{left}\" y1=\"{at:.1}\" x2=\"{right}\" y2=\"{at:.1}\"/>"
        ));
        put(format_args!(
            "<text class=\"dim\" x=\"{:.1}\" y=\"{:.1}\">at most {} before</text>",
            left + 6.0,
            at - 5.0,
            number(limit)
        ));
    }
    let mark = x(curve.began_ns);
    put(format_args!(
        "<line class=\"mark\" x1=\"{mark:.1}\" y1=\"{top}\" x2=\"{mark:.1}\" y2=\"{bottom}\"/>"
    ));
    let anchor = if mark > (left + right) / 2.0 { "end" } else { "start" };
    let took = span(curve.to_ns - curve.began_ns);
    put(format_args!(
        "<text class=\"ink\" x=\"{mark:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">began {took} before</text>",
        bottom + 18.0
    ));
    put(format_args!(
        "<text class=\"dim\" x=\"{left}\" y=\"{:.1}\">{} in all; decided {}</text>",
        bottom + 38.0,
        span(curve.to_ns - curve.from_ns),
        date(verdict.unix_us)
    ));
    put(format_args!("</svg>"));
    svg
}

/// The steps between two times as a closed path; nothing where there is none.
fn area(
    curve: &Curve,
    (from_ns, to_ns): (u64, u64),
    x: impl Fn(u64) -> f64,
    y: impl Fn(f64) -> f64,
) -> Option<String> {
    let mut path = String::new();
    let mut last_ns = None;
    for (begin, end, flow) in curve.steps() {
        let (begin, end) = (begin.max(from_ns), end.min(to_ns));
        if begin >= end {
            continue;
        }
        if path.is_empty() {
            let _ = write!(path, "M{:.1} {:.1}", x(begin), y(0.0));
        }
        let _ = write!(path, "V{:.1}H{:.1}", y(flow), x(end));
        last_ns = Some(end);
    }
    last_ns?;
    let _ = write!(path, "V{:.1}Z", y(0.0));
    Some(path)
}

/// Text as XML has it.
fn escaped(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '&' => "&amp;".to_owned(),
            '<' => "&lt;".to_owned(),
            '>' => "&gt;".to_owned(),
            '"' => "&quot;".to_owned(),
            c if c.is_control() => " ".to_owned(),
            c => c.to_string(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::verdict;
    use super::*;

    #[test]
    fn it_stands_alone_and_text_from_outside_is_only_text() {
        let mut verdict = verdict();
        verdict.meter = "<script>&".into();
        let svg = draw(&verdict, &Curve::of(&verdict).unwrap());
        assert!(svg.starts_with("<svg xmlns=") && svg.trim_end().ends_with("</svg>"));
        assert!(!svg.contains("<script>") && svg.contains("&lt;script&gt;&amp;"));
        assert!(svg.contains("prefers-color-scheme:dark"));
        assert!(!svg.contains("href") && !svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        assert!(
            svg.contains("class=\"flow\"")
                && svg.contains("class=\"hot\"")
                && svg.contains("at most 2.9 before")
        );
    }

    #[test]
    fn every_tag_is_closed() {
        let svg = draw(&verdict(), &Curve::of(&verdict()).unwrap());
        let mut open: Vec<&str> = Vec::new();
        for tag in svg.split('<').skip(1) {
            let (tag, _) = tag.split_once('>').unwrap();
            if let Some(name) = tag.strip_prefix('/') {
                assert_eq!(open.pop(), Some(name));
            } else if !tag.ends_with('/') {
                open.push(tag.split(' ').next().unwrap());
            }
        }
        assert!(open.is_empty(), "{open:?}");
    }
}
