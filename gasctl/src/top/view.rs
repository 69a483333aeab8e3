// SPDX-License-Identifier: MIT OR Apache-2.0
//! A frame from a model: where things stand. The panels draw themselves.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use crate::output::Style as Meaning;
use crate::status;
use crate::units::clock;

use super::model::{Link, Model};
use super::{dialog, panels};

/// The least that everything fits in.
const LEAST: (u16, u16) = (64, 18);
/// Meters shown at once.
const METERS: u16 = 4;

/// Draws everything.
pub fn draw(frame: &mut Frame<'_>, model: &Model) {
    let area = frame.area();
    if area.width < LEAST.0 || area.height < LEAST.1 {
        let text = format!("{}x{} is too small; 80x24 is enough. q ends", area.width, area.height);
        frame.render_widget(Paragraph::new(text), area);
        return;
    }
    let meters = (model.state.meters.len().max(1) as u16).min(METERS) + 2;
    let [head, list, middle, below, health, keys] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(meters),
        Constraint::Min(8),
        Constraint::Length(6),
        Constraint::Length(2),
        Constraint::Length(1),
    ])
    .areas(area);
    let [chart, windows] = Layout::horizontal([Constraint::Min(30), Constraint::Length(30)]).areas(middle);
    let [valves, verdicts] =
        Layout::horizontal([Constraint::Percentage(45), Constraint::Percentage(55)]).areas(below);
    header(frame, head, model);
    panels::meters(frame, list, model);
    panels::chart(frame, chart, model);
    panels::windows(frame, windows, model);
    panels::valves(frame, valves, model);
    panels::verdicts(frame, verdicts, model);
    panels::health(frame, health, model);
    footer(frame, keys, model);
    dialog::draw(frame, area, model);
}

fn header(frame: &mut Frame<'_>, area: Rect, model: &Model) {
    let p = model.palette;
    let clock = clock(model.now.unix_us);
    let line = match &model.link {
        Link::Live => {
            let (mode, meaning) = status::mode(&model.state.service);
            Line::from(vec![
                Span::styled(format!(" gasd {}  ", model.state.service.version), p.of(Meaning::Heading)),
                Span::styled(mode, p.of(meaning)),
            ])
        }
        Link::Waiting(why) => Line::styled(format!(" {why}"), p.of(Meaning::Warn)),
        Link::Lost(since, why) => {
            let old = (model.now.t - since).max(0.0);
            Line::styled(format!(" LOST {old:.0} s ago, what is shown is old: {why}"), p.of(Meaning::Bad))
        }
    };
    let width = clock.len() as u16 + 2;
    let [left, right] = Layout::horizontal([Constraint::Min(0), Constraint::Length(width)]).areas(area);
    frame.render_widget(Paragraph::new(line), left);
    frame.render_widget(Paragraph::new(format!(" {clock} ")).style(p.of(Meaning::Dim)), right);
}

fn footer(frame: &mut Frame<'_>, area: Rect, model: &Model) {
    let p = model.palette;
    let line = match &model.note {
        Some((text, meaning, _)) => Line::styled(format!(" {text}"), p.of(*meaning)),
        None => {
            Line::styled(" ←→ meter   a acknowledge   c close valve   ? help   q quit", p.of(Meaning::Dim))
        }
    };
    frame.render_widget(Paragraph::new(line), area);
}
