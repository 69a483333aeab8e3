// SPDX-License-Identifier: MIT OR Apache-2.0
//! Meanings as styles. Without colour they are told apart by weight, and nothing is told by style alone.

use ratatui::style::{Color, Modifier, Style};

use crate::output::Style as Meaning;

/// Whether there is colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Palette {
    /// Not so with `NO_COLOR`.
    pub colour: bool,
}

impl Palette {
    /// The style of a meaning.
    pub fn of(self, meaning: Meaning) -> Style {
        let plain = Style::new();
        match (meaning, self.colour) {
            (Meaning::Plain, _) => plain,
            (Meaning::Heading, _) => plain.add_modifier(Modifier::BOLD),
            (Meaning::Good, true) => plain.fg(Color::Green),
            (Meaning::Warn, true) => plain.fg(Color::Yellow),
            (Meaning::Bad, true) => plain.fg(Color::Red).add_modifier(Modifier::BOLD),
            (Meaning::Dim, true) => plain.fg(Color::DarkGray),
            (Meaning::Good, false) => plain,
            (Meaning::Warn | Meaning::Bad, false) => plain.add_modifier(Modifier::BOLD),
            (Meaning::Dim, false) => plain.add_modifier(Modifier::DIM),
        }
    }

    /// What is chosen.
    pub fn chosen(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// The line of the chart.
    pub fn line(self) -> Style {
        if self.colour { Style::new().fg(Color::Cyan) } else { Style::new() }
    }
}
