// SPDX-License-Identifier: MIT OR Apache-2.0
//! The panels of the dashboard.

use gasd_proxy::Meter;
use ratatui::Frame;
use ratatui::layout::{Constraint, Rect};
use ratatui::symbols::Marker;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Axis, Block, Cell, Chart, Dataset, GraphType, Paragraph, Row, Table};

use crate::output::Style as Meaning;
use crate::status;
use crate::units::{ago_at, clock, flow, volume};

use super::model::{Link, Model, SPAN_S};

/// What the three slopes are measured over, and the names of their thresholds.
const WINDOWS: [(&str, &str); 3] = [("1 s", "suspect"), ("5 s", "confirm"), ("30 s", "sustain")];

/// The meters, the chosen one in sight.
pub fn meters(frame: &mut Frame<'_>, area: Rect, model: &Model) {
    let p = model.palette;
    let block = Block::bordered().title(" meters ");
    if model.state.meters.is_empty() {
        let text = match model.link {
            Link::Live => "none is configured: gasctl setup writes a meter's file",
            Link::Waiting(_) | Link::Lost(..) => "not known yet",
        };
        frame.render_widget(Paragraph::new(text).block(block), area);
        return;
    }
    let room = area.height.saturating_sub(2) as usize;
    let at = model.state.meters.keys().position(|id| *id == model.chosen).unwrap_or(0);
    let skip = at.saturating_sub(room.saturating_sub(1));
    let rows = model.state.meters.values().skip(skip).take(room).map(|meter| {
        let chosen = meter.id == model.chosen;
        let last = ago_at(meter.last_pulse_ns, model.now.boottime_ns);
        let row = Row::new(vec![
            Cell::from(format!("{} {}", if chosen { ">" } else { " " }, meter.id)),
            Cell::from(Line::from(volume(meter.volume_ul)).right_aligned()),
            Cell::from(Line::from(flow(meter.flow_m3_per_h)).right_aligned()),
            Cell::from(
                Line::from(last.unwrap_or_else(|| status::nothing_yet(meter).to_owned())).right_aligned(),
            ),
            Cell::from(Span::styled(meter.health.clone(), p.of(status::health(&meter.health)))),
        ]);
        if chosen { row.style(p.chosen()) } else { row }
    });
    let widths = [
        Constraint::Min(12),
        Constraint::Length(14),
        Constraint::Length(13),
        Constraint::Length(13),
        Constraint::Percentage(25),
    ];
    let more = model.state.meters.len().saturating_sub(room);
    let block =
        if more > 0 { block.title(format!(" {} of {} ", at + 1, model.state.meters.len())) } else { block };
    frame.render_widget(Table::new(rows, widths).column_spacing(1).block(block), area);
}

/// The flow of the chosen meter, and its thresholds as levels where they are in sight.
pub fn chart(frame: &mut Frame<'_>, area: Rect, model: &Model) {
    let p = model.palette;
    let title = format!(" flow of {}, m³/h ", model.chosen);
    let now = model.now.t;
    let samples: Vec<(f64, f64)> = model
        .history
        .get(&model.chosen)
        .map(|samples| samples.iter().map(|(t, flow)| (t - now, *flow)).collect())
        .unwrap_or_default();
    let thresholds = model.meter().map(thresholds).unwrap_or_default();
    let highest = samples.iter().map(|(_, flow)| *flow).fold(0.0, f64::max);
    let sustain = thresholds.get(2).copied().unwrap_or(1.0);
    let top = nice(highest.max(sustain) * 1.1);
    let levels: Vec<[(f64, f64); 2]> = thresholds
        .iter()
        .filter(|level| **level <= top)
        .map(|level| [(-SPAN_S, *level), (0.0, *level)])
        .collect();
    let mut sets: Vec<Dataset<'_>> = levels
        .iter()
        .map(|level| {
            Dataset::default()
                .marker(Marker::Dot)
                .graph_type(GraphType::Line)
                .style(p.of(Meaning::Dim))
                .data(level)
        })
        .collect();
    sets.push(
        Dataset::default().marker(Marker::Braille).graph_type(GraphType::Line).style(p.line()).data(&samples),
    );
    let x = Axis::default().bounds([-SPAN_S, 0.0]).labels(["-5 min", "", "now"]).style(p.of(Meaning::Dim));
    let y = Axis::default()
        .bounds([0.0, top])
        .labels(["0".to_owned(), number(top / 2.0), number(top)])
        .style(p.of(Meaning::Dim));
    let chart = Chart::new(sets).x_axis(x).y_axis(y).legend_position(None);
    frame.render_widget(chart.block(Block::bordered().title(title)), area);
}

fn thresholds(meter: &Meter) -> Vec<f64> {
    meter.thresholds_m3_per_h.iter().copied().filter(|level| level.is_finite() && *level > 0.0).collect()
}

/// The next of 1, 2, 5, 10, 20 … that is not less.
fn nice(value: f64) -> f64 {
    if !value.is_finite() || value <= 0.0 {
        return 1.0;
    }
    let ten = 10_f64.powf(value.log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|step| step * ten).find(|nice| *nice >= value).unwrap_or(value)
}

fn number(value: f64) -> String {
    if value >= 10.0 { format!("{value:.0}") } else { format!("{value:.1}") }
}

/// Each window's flow against its threshold; a full bar is at the threshold.
pub fn windows(frame: &mut Frame<'_>, area: Rect, model: &Model) {
    let p = model.palette;
    let block = Block::bordered().title(" windows ");
    let inner = block.inner(area);
    let mut lines = Vec::new();
    if let Some(meter) = model.meter() {
        for (at, (window, name)) in WINDOWS.iter().enumerate() {
            let flow = meter.slopes_m3_per_h.get(at).copied().unwrap_or(0.0);
            let Some(threshold) = meter.thresholds_m3_per_h.get(at).copied().filter(|t| *t > 0.0) else {
                lines.push(Line::from(format!("{window:>4} {flow:5.2} m³/h")));
                continue;
            };
            let share = (flow / threshold).clamp(0.0, 1.0);
            let meaning = if flow >= threshold {
                Meaning::Bad
            } else if share >= 0.8 {
                Meaning::Warn
            } else {
                Meaning::Good
            };
            let mark = if flow >= threshold { " !" } else { "" };
            lines.push(Line::styled(
                format!("{window:>4} {flow:5.2} of {threshold:.2} {name}{mark}"),
                if meaning == Meaning::Good { p.of(Meaning::Plain) } else { p.of(meaning) },
            ));
            let width = usize::from(inner.width);
            let filled = (share * width as f64).round() as usize;
            lines.push(Line::from(vec![
                Span::styled("█".repeat(filled), p.of(meaning)),
                Span::styled("·".repeat(width - filled), p.of(Meaning::Dim)),
            ]));
        }
    }
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

/// Valves, and what keeps them closed.
pub fn valves(frame: &mut Frame<'_>, area: Rect, model: &Model) {
    let p = model.palette;
    let mut lines = Vec::new();
    // The chosen meter's valve first, and last those that are not configured any more: there may be more
    // than there is room for.
    let wanted = model.meter().and_then(|meter| meter.valve.as_deref());
    let mut valves: Vec<_> = model.state.valves.values().collect();
    valves.sort_by_key(|valve| (!valve.is_configured(), Some(valve.id.as_str()) != wanted));
    for valve in valves {
        let mut spans = vec![
            Span::raw(format!("{} ", valve.id)),
            Span::styled(valve.position.clone(), p.of(status::position(&valve.position))),
            Span::styled(format!("  {}", valve.actuator), p.of(Meaning::Dim)),
        ];
        if valve.health != "ok" {
            spans.push(Span::styled(format!("  {}", valve.health), p.of(Meaning::Warn)));
        }
        lines.push(Line::from(spans));
        for hold in &valve.holds {
            let verdict = hold.verdict.map(|id| format!(" (verdict {id})")).unwrap_or_default();
            lines.push(Line::from(format!("  held by {}{verdict}: {}", hold.owner, hold.reason)));
        }
    }
    if lines.is_empty() {
        lines.push(Line::styled("none", p.of(Meaning::Dim)));
    }
    frame.render_widget(Paragraph::new(lines).block(Block::bordered().title(" valves ")), area);
}

/// Verdicts that wait.
pub fn verdicts(frame: &mut Frame<'_>, area: Rect, model: &Model) {
    let p = model.palette;
    let verdicts = model.verdicts();
    let mut lines: Vec<Line<'_>> = verdicts
        .iter()
        .map(|v| {
            Line::from(vec![
                Span::raw(format!("{} ", v.id)),
                Span::styled(v.severity.clone(), p.of(status::severity(&v.severity))),
                Span::raw(format!(" {} {} {}", v.kind, v.meter, clock(v.unix_us))),
            ])
        })
        .collect();
    if lines.is_empty() {
        lines.push(Line::styled("none waits", p.of(Meaning::Dim)));
    }
    let title = match verdicts.len() {
        0..=4 => " verdicts ".to_owned(),
        n => format!(" verdicts: {n} wait "),
    };
    frame.render_widget(Paragraph::new(lines).block(Block::bordered().title(title)), area);
}

/// The chosen meter's counters, and what is wrong with the service.
pub fn health(frame: &mut Frame<'_>, area: Rect, model: &Model) {
    let p = model.palette;
    let mut lines = Vec::new();
    if let Some(meter) = model.meter() {
        let rejected: u64 = meter.rejected.values().sum();
        lines.push(Line::styled(
            format!(
                " {} edges, {} pulses, {} rejected, {} recovered, {} storms{}",
                meter.edges,
                meter.accepted,
                rejected,
                meter.recovered,
                meter.storms,
                status::learning(meter).map(|learning| format!(", {learning}")).unwrap_or_default()
            ),
            p.of(Meaning::Dim),
        ));
    }
    let service = &model.state.service;
    let late = service.ring_overrun + service.queue_full + service.events_missed;
    lines.push(match (service.fall_through, late, service.problems.last()) {
        (0, 0, None) => Line::styled(" kernel path: nothing late, nothing fell through", p.of(Meaning::Dim)),
        (0, late, None) => Line::styled(
            format!(" kernel path: {late} events late (volumes are complete)"),
            p.of(Meaning::Warn),
        ),
        (0, _, Some(problem)) => Line::styled(format!(" {problem}"), p.of(Meaning::Warn)),
        (fell, ..) => Line::styled(
            format!(" {fell} interrupts were NOT counted: systemctl restart gasd-load"),
            p.of(Meaning::Bad),
        ),
    });
    frame.render_widget(Paragraph::new(lines), area);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_end_at_round_numbers() {
        for (value, expected) in [(0.0, 1.0), (0.3, 0.5), (1.98, 2.0), (5.1, 10.0), (44.0, 50.0)] {
            assert!((nice(value) - expected).abs() < 1e-9, "{value}: {}", nice(value));
        }
        assert!(nice(f64::NAN) > 0.0 && nice(f64::INFINITY) > 0.0);
    }
}
