// SPDX-License-Identifier: MIT OR Apache-2.0
//! Collects problems and warnings and knows the place of each.

use std::ops::Range;

use super::error::{ErrorKind, Errors, Place, Problem};

/// Longest piece of the file that a message quotes, characters.
const QUOTE: usize = 60;

/// What was found so far in one text.
pub(super) struct Report<'a> {
    file: &'a str,
    text: &'a str,
    /// Byte at which each line begins.
    lines: Vec<usize>,
    problems: Vec<(usize, Problem)>,
    warnings: Vec<(usize, String)>,
}

impl<'a> Report<'a> {
    /// An empty report on `text`, called `file` in its messages.
    pub(super) fn new(file: &'a str, text: &'a str) -> Self {
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { file, text, lines, problems: Vec::new(), warnings: Vec::new() }
    }

    /// Adds a problem with the key or section `key` at `span`.
    pub(super) fn problem(&mut self, span: &Range<usize>, key: &str, kind: ErrorKind) {
        self.add(span, key, None, kind);
    }

    /// Adds a problem with the value at `span`, and quotes it.
    pub(super) fn value(&mut self, span: &Range<usize>, key: &str, kind: ErrorKind) {
        self.add(span, key, self.quote(span), kind);
    }

    fn add(&mut self, span: &Range<usize>, key: &str, value: Option<String>, kind: ErrorKind) {
        let problem = Problem {
            file: self.file.to_owned(),
            place: Some(self.place(span.start)),
            key: key.to_owned(),
            value,
            kind,
        };
        self.problems.push((span.start, problem));
    }

    /// Adds something that a person should know and that stops nothing.
    pub(super) fn warn(&mut self, span: &Range<usize>, text: &str) {
        let Place { line, column } = self.place(span.start);
        self.warnings.push((span.start, format!("{}:{line}:{column}: {text}", self.file)));
    }

    /// Whether nothing is wrong so far.
    pub(super) fn is_clean(&self) -> bool {
        self.problems.is_empty()
    }

    /// The line of a byte.
    pub(super) fn line(&self, offset: usize) -> u32 {
        self.place(offset).line
    }

    fn place(&self, offset: usize) -> Place {
        let line = self.lines.partition_point(|begin| *begin <= offset).max(1);
        let begin = self.lines.get(line - 1).copied().unwrap_or(0);
        let before = self.text.get(begin..offset).unwrap_or("");
        let column = before.chars().count() + 1;
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Place { line: number(line), column: number(column) }
    }

    fn quote(&self, span: &Range<usize>) -> Option<String> {
        let raw = self.text.get(span.clone()).filter(|raw| !raw.is_empty())?;
        let mut shown = String::new();
        for (n, c) in raw.chars().enumerate() {
            if n == QUOTE {
                shown.push('…');
                break;
            }
            if c.is_control() {
                shown.extend(c.escape_debug());
            } else {
                shown.push(c);
            }
        }
        Some(shown)
    }

    /// The problems in the order of the file, or else the warnings.
    pub(super) fn finish(mut self) -> Result<Vec<String>, Errors> {
        self.problems.sort_by_key(|(at, _)| *at);
        self.warnings.sort_by_key(|(at, _)| *at);
        match Errors::new(self.problems.into_iter().map(|(_, problem)| problem).collect()) {
            Some(errors) => Err(errors),
            None => Ok(self.warnings.into_iter().map(|(_, warning)| warning).collect()),
        }
    }
}
