// SPDX-License-Identifier: MIT OR Apache-2.0
//! `gasctl explain`: a verdict as a person would tell it, with the numbers that decided and a picture of the
//! flow that led to it.

mod blocks;
mod curve;
mod svg;
mod words;

use std::path::Path;

use gasd_proxy::{Client, Meter, Sensitivity, Verdict};
use serde_json::json;

use crate::fail::Failure;
use crate::output::{Output, Style};
use crate::status;

use curve::Curve;

/// Columns of the picture, without its scale.
const COLUMNS: usize = 64;

/// Explains a verdict. With `svg` the picture goes into that file, or with `-` to standard output alone.
pub async fn run(client: &Client, id: u64, svg: Option<&Path>, out: &Output) -> Result<(), Failure> {
    let state = client.state().await.map_err(Failure::reading)?;
    let recorded;
    let verdict = match state.verdicts.get(&id) {
        Some(verdict) => verdict,
        None => {
            recorded = client.recorded(id).await.map_err(Failure::reading)?;
            &recorded
        }
    };
    let said = state.meters.get(&verdict.meter).and_then(|meter| about(meter, verdict));
    let curve = Curve::of(verdict);
    if let Some(path) = svg {
        let Some(curve) = &curve else {
            return Err(Failure::Missing(format!("verdict {id} came without a flow that could be drawn")));
        };
        let picture = svg::draw(verdict, curve);
        if path == Path::new("-") {
            return out.bytes(picture.as_bytes());
        }
        std::fs::write(path, picture)
            .map_err(|error| Failure::Refused(format!("{} cannot be written: {error}", path.display())))?;
    }
    if out.json {
        return out.object(&object(verdict, said, svg));
    }
    told(verdict, said, curve.as_ref(), out)?;
    match svg {
        Some(path) => out.line(&format!("\nThe flow is drawn in {}.", path.display())),
        None => Ok(()),
    }
}

/// What people said of such verdicts on this meter before, and what it did to the threshold.
fn about<'a>(meter: &'a Meter, verdict: &Verdict) -> Option<&'a Sensitivity> {
    meter.sensitivity.iter().find(|said| said.topic == verdict.kind)
}

fn object(verdict: &Verdict, said: Option<&Sensitivity>, svg: Option<&Path>) -> serde_json::Value {
    let words = words::Words::of(verdict);
    json!({
        "verdict": verdict,
        "what": words.what,
        "began_unix_us": words.began_unix_us,
        "decided_unix_us": verdict.unix_us,
        "facts": words.facts.iter().map(|(name, text)| json!({ "name": name, "text": text })).collect::<Vec<_>>(),
        "sensitivity": said,
        "advice": words.advice,
        "svg": svg.map(|path| path.display().to_string()),
    })
}

fn told(
    verdict: &Verdict,
    said: Option<&Sensitivity>,
    curve: Option<&Curve>,
    out: &Output,
) -> Result<(), Failure> {
    let mut words = words::Words::of(verdict);
    words.facts.extend(said.map(|said| ("meter now".to_owned(), said.text.clone())));
    words.facts.extend(verdict.acknowledged_by.as_ref().map(|by| ("seen by".to_owned(), by.clone())));
    let severity = out.paint(&verdict.severity, status::severity(&verdict.severity));
    let head = format!("Verdict {} on meter {}: {}", verdict.id, verdict.meter, words.what);
    out.line(&format!("{}, {severity}", out.paint(&head, Style::Heading)))?;
    if verdict.simulated {
        out.line(&out.paint("A simulation made it: no gas flowed.", Style::Warn))?;
    }
    out.line("")?;
    for (name, text) in &words.facts {
        for (at, line) in folded(text, 66).into_iter().enumerate() {
            let name = if at == 0 { name.as_str() } else { "" };
            out.line(&format!("  {name:<11} {}", out.paint(&line, Style::Plain)))?;
        }
    }
    if let Some(curve) = curve {
        out.line("")?;
        for row in blocks::draw(curve, COLUMNS) {
            let before = out.paint(&row.before, Style::Plain);
            let after = out.paint(&row.after, Style::Warn);
            out.line(format!("  {}{before}{after}", row.scale).trim_end())?;
        }
    }
    if !words.advice.is_empty() {
        out.line("")?;
        for line in folded(&words.advice, 78) {
            out.line(&out.paint(&line, Style::Plain))?;
        }
    }
    if verdict.acknowledged_by.is_some() {
        return Ok(());
    }
    out.line("")?;
    out.line(&out.paint(
        &format!("gasctl ack {0}, with --false-alarm or --real-leak if you know which it was", verdict.id),
        Style::Dim,
    ))
}

/// Text in lines of at most `width` characters where its words allow it.
fn folded(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let at = lines.len() - 1;
        let line = &mut lines[at];
        if line.is_empty() {
            *line += word;
        } else if line.chars().count() + 1 + word.chars().count() <= width {
            *line += " ";
            *line += word;
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A boiler, and a hose that came off.
    pub(crate) fn verdict() -> Verdict {
        const S: u64 = 1_000_000_000;
        let mut flow: Vec<(u64, f64)> = (0..30).map(|i| (1000 * S + i * 2 * S, 1.8)).collect();
        flow[0].1 = 0.0;
        flow.extend((1..=8).map(|i| (1058 * S + i * S / 2, 7.2)));
        Verdict {
            id: 8,
            meter: "kitchen".into(),
            kind: "overload".into(),
            severity: "critical".into(),
            t_ns: 1058 * S,
            decided_ns: 1062 * S,
            unix_us: 1_700_000_000_000_000,
            evidence: json!({
                "rule": "connected-load",
                "slopes": [
                    { "window_s": 1.0, "span_s": 1.0, "m3_per_h": 7.2, "threshold_m3_per_h": 5.0, "intervals": 2, "resolved": true },
                    { "window_s": 5.0, "span_s": 5.0, "m3_per_h": 6.1, "threshold_m3_per_h": 3.2, "intervals": 8, "resolved": true },
                    { "window_s": 30.0, "span_s": 30.0, "m3_per_h": 2.5, "threshold_m3_per_h": 1.8, "intervals": 20, "resolved": true },
                ],
                "pulse_volume_ul": 1_000_000,
                "before_m3_per_h": { "low": 0.0, "mid": 0.0, "high": 2.9 },
                "after_m3_per_h": { "low": 6.84, "mid": 7.2, "high": 7.56 },
                "process": { "value": 4.1e9, "threshold": 3.15576e8, "unit": "s" },
                "released_ul": 8_000_000,
                "on": [{ "m3_per_h": 1.8, "since_ns": 700 * S }],
                "flow": flow,
            }),
            text:
                "Meter kitchen: 7.2 m3/h flow, more than all appliances of this home take together; keep the \
                   valve closed, air the rooms."
                    .into(),
            simulated: false,
            acknowledged_by: None,
        }
    }

    #[test]
    fn words_are_folded_and_none_is_lost() {
        assert_eq!(folded("aa bb cc", 5), ["aa bb", "cc"]);
        assert_eq!(folded("longerthanthis a", 5), ["longerthanthis", "a"]);
        assert_eq!(folded("", 5), [""]);
    }
}
