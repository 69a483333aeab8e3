// SPDX-License-Identifier: MIT OR Apache-2.0
//! Questions and help, over everything else.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::{Block, Clear, Paragraph};

use crate::output::Style as Meaning;

use super::model::{Dialog, Model};

/// Width with the frame; all sentences are made to fit.
const WIDTH: u16 = 72;

const HELP: &[&str] = &[
    "←→ ↑↓ Tab   choose a meter",
    "a           acknowledge a verdict: it has been looked at (asks first)",
    "c           close the chosen meter's valve, and hold it (asks first)",
    "?           this help",
    "q  Ctrl-C   quit;  Ctrl-Z  suspend",
    "",
    "A full bar under \"windows\" is a flow at its threshold.",
    "Opening is not here: gasctl valve open ID",
];

/// Draws the dialog, if there is one.
pub fn draw(frame: &mut Frame<'_>, area: Rect, model: &Model) {
    let Some(dialog) = &model.dialog else { return };
    let p = model.palette;
    let (title, lines): (_, Vec<Line<'_>>) = match dialog {
        Dialog::Help => (" help, any key closes it ", HELP.iter().map(|line| Line::from(*line)).collect()),
        Dialog::Close(valve, meter) => (
            " close a valve? ",
            vec![
                Line::styled(
                    format!("Close valve {valve} of meter {meter} and hold it closed?"),
                    p.of(Meaning::Bad),
                ),
                Line::from("It opens again only with: gasctl valve open"),
                Line::from(""),
                Line::from("y yes   n no"),
            ],
        ),
        Dialog::Ack(ids, at) => (" acknowledge? ", ack(model, ids, *at)),
    };
    let width = area.width.min(WIDTH);
    let height = (lines.len() as u16 + 2).min(area.height);
    let place = Rect { x: (area.width - width) / 2, y: (area.height - height) / 2, width, height };
    frame.render_widget(Clear, place);
    frame.render_widget(Paragraph::new(lines).block(Block::bordered().title(title)), place);
}

fn ack(model: &Model, ids: &[u64], at: usize) -> Vec<Line<'static>> {
    let p = model.palette;
    let Some(verdict) = ids.get(at).and_then(|id| model.state.verdicts.get(id)) else { return Vec::new() };
    let mut lines = vec![Line::styled(
        format!("Verdict {}: {} {} on meter {}", verdict.id, verdict.severity, verdict.kind, verdict.meter),
        p.of(crate::status::severity(&verdict.severity)),
    )];
    lines.extend(wrapped(&verdict.text, usize::from(WIDTH) - 2).into_iter().map(Line::from));
    lines.extend([Line::from(""), Line::from("Has somebody looked at it? Acknowledging opens nothing.")]);
    let more = if ids.len() > 1 {
        format!("   ↑↓ another ({} of {})", at + 1, ids.len())
    } else {
        String::new()
    };
    lines.push(Line::from(format!("y yes   n no{more}")));
    lines
}

/// A text in lines of at most `width` characters, broken between words where there are any.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        for piece in word.chars().collect::<Vec<_>>().chunks(width.max(1)) {
            let piece: String = piece.iter().collect();
            match lines.last_mut() {
                Some(line) if line.chars().count() + 1 + piece.chars().count() <= width => {
                    line.push(' ');
                    line.push_str(&piece);
                }
                _ => lines.push(piece),
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::wrapped;

    #[test]
    fn sentences_are_broken_between_words() {
        assert_eq!(wrapped("gas flow rose suddenly", 9), ["gas flow", "rose", "suddenly"]);
        assert_eq!(wrapped("aaaaabbbbbc", 5), ["aaaaa", "bbbbb", "c"]);
        assert!(wrapped("", 5).is_empty());
    }
}
