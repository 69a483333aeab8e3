// SPDX-License-Identifier: MIT OR Apache-2.0
//! Ports, and what is known of the meters on them.

use gasd_proxy::{Meter, Port};

use crate::output::{Cell, Style};

use super::health;

/// A port: id, kind, place, health, and what it has seen.
pub fn row(port: &Port) -> Vec<Cell> {
    vec![
        Cell::new(&port.id),
        Cell::new(&port.kind),
        Cell::new(&port.place),
        Cell::styled(&port.health, health(&port.health)),
        Cell::new(seen(port)),
    ]
}

/// What a port has seen, in a few words; of one that is not asked nothing.
fn seen(port: &Port) -> String {
    let count = |name: &str| port.counts.get(name).copied();
    let Some(answers) = count("answers") else { return String::new() };
    let mut seen = format!("{answers} answers");
    for (name, words) in [("timeouts", "without an answer"), ("damaged", "damaged")] {
        if let Some(count) = count(name).filter(|count| *count > 0) {
            seen += &format!(", {count} {words}");
        }
    }
    seen
}

/// Who was heard on a port and is not configured.
pub fn strangers(port: &Port) -> String {
    let who = match port.strangers.len() {
        1 => "a meter was heard that is not configured".to_owned(),
        count => format!("{count} meters were heard that are not configured"),
    };
    format!("{}: {who}; `gasctl scan {0}` says more", port.id)
}

/// What is known of a meter because it is on a port, a line each: its breaker where that is not closed, its last error,
/// and what it said last.
pub fn lines(meter: &Meter) -> Vec<(String, Style)> {
    let Some(on) = &meter.on_port else { return Vec::new() };
    let mut how = format!("{}: {} on {}", meter.id, on.protocol, on.port);
    let mut style = Style::Dim;
    if !matches!(on.breaker.as_str(), "" | "closed") {
        how += &format!(", left alone after {} failures (breaker {})", on.failures, on.breaker);
        style = Style::Warn;
    }
    if !on.last_error.is_empty() {
        how += &format!("; last error: {}", on.last_error);
        style = Style::Warn;
    }
    let mut lines = vec![(how, style)];
    if !on.fields.is_empty() {
        let said: Vec<String> = on.fields.iter().map(|(name, value)| format!("{name} {value}")).collect();
        lines.push((format!("{}: said last: {}", meter.id, said.join("; ")), Style::Dim));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use gasd_proxy::OnPort;

    fn on_port(breaker: &str, last_error: &str) -> Meter {
        let on = OnPort {
            port: "cellar".into(),
            protocol: "cjt188".into(),
            breaker: breaker.into(),
            failures: 3,
            last_error: last_error.into(),
            fields: vec![("volume".into(), "12.34 m³".into()), ("valve".into(), "open".into())],
            ..OnPort::default()
        };
        Meter { id: "flat".into(), on_port: Some(on), ..Meter::default() }
    }

    fn texts(meter: &Meter) -> Vec<String> {
        lines(meter).into_iter().map(|(text, _)| text).collect()
    }

    #[test]
    fn a_meter_on_a_line_has_nothing_more_to_say() {
        assert_eq!(texts(&Meter { id: "kitchen".into(), ..Meter::default() }), [""; 0]);
    }

    #[test]
    fn a_meter_on_a_port_says_how_it_is_spoken_to_and_what_it_said() {
        let said = "flat: said last: volume 12.34 m³; valve open";
        assert_eq!(texts(&on_port("closed", "")), ["flat: cjt188 on cellar", said]);
        // One that speaks by itself has no breaker.
        assert_eq!(texts(&on_port("", "")), ["flat: cjt188 on cellar", said]);
        assert_eq!(
            texts(&on_port("open", "nothing came in time"))[0],
            "flat: cjt188 on cellar, left alone after 3 failures (breaker open); last error: nothing came in time"
        );
        assert!(lines(&on_port("closed", "x"))[0].1 == Style::Warn);
        assert!(lines(&on_port("closed", ""))[0].1 == Style::Dim);
    }

    #[test]
    fn a_port_says_what_it_has_seen_where_it_asks() {
        let counts = |counts: &[(&str, u64)]| Port {
            counts: counts.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect(),
            ..Port::default()
        };
        assert_eq!(seen(&counts(&[])), "");
        assert_eq!(seen(&counts(&[("answers", 9), ("timeouts", 0), ("damaged", 0)])), "9 answers");
        let some = counts(&[("answers", 9), ("timeouts", 2), ("damaged", 1), ("collisions", 4)]);
        assert_eq!(seen(&some), "9 answers, 2 without an answer, 1 damaged");
    }
}
