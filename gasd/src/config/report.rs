// SPDX-License-Identifier: MIT OR Apache-2.0
//! Collects problems and warnings and knows the place of each.

use std::ops::Range;

use super::error::{ErrorKind, Errors, Place, Problem};
use super::sense::First;
use super::source::Source;

/// Longest piece of the file that a message quotes, characters.
const QUOTE: usize = 60;

/// A stretch of one of the texts.
#[derive(Clone, Debug)]
pub(super) struct Span {
    /// Index of the text.
    pub(super) source: usize,
    /// Bytes.
    pub(super) range: Range<usize>,
}

impl Span {
    /// Another stretch of the same text.
    pub(super) fn beside(&self, range: Range<usize>) -> Self {
        Self { source: self.source, range }
    }

    /// Sorts by text, then by place.
    pub(super) fn order(&self) -> (usize, usize) {
        (self.source, self.range.start)
    }
}

/// A text and where its lines begin, bytes.
struct Text<'a> {
    source: &'a Source,
    lines: Vec<usize>,
}

impl<'a> Text<'a> {
    fn new(source: &'a Source) -> Self {
        let breaks = source.text.match_indices('\n').map(|(at, _)| at + 1);
        Self { source, lines: std::iter::once(0).chain(breaks).collect() }
    }

    fn place(&self, offset: usize) -> Place {
        let line = self.lines.partition_point(|begin| *begin <= offset).max(1);
        let begin = self.lines.get(line - 1).copied().unwrap_or(0);
        let before = self.source.text.get(begin..offset).unwrap_or("");
        let column = before.chars().count() + 1;
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Place { line: number(line), column: number(column) }
    }
}

/// What was found so far in the texts of one configuration.
pub(super) struct Report<'a> {
    texts: Vec<Text<'a>>,
    problems: Vec<((usize, usize), Problem)>,
    warnings: Vec<((usize, usize), String)>,
    /// Warnings are of something that a later file replaces.
    hushed: bool,
}

impl<'a> Report<'a> {
    /// An empty report on texts, which its messages call by their names.
    pub(super) fn new(sources: &'a [Source]) -> Self {
        let texts = sources.iter().map(Text::new).collect();
        Self { texts, problems: Vec::new(), warnings: Vec::new(), hushed: false }
    }

    /// Whether warnings that follow are dropped: what a later file replaces must be right, but nobody
    /// has to be advised of it.
    pub(super) fn hush(&mut self, hushed: bool) {
        self.hushed = hushed;
    }

    /// Adds a problem with the key or section `key` at `span`.
    pub(super) fn problem(&mut self, span: &Span, key: &str, kind: ErrorKind) {
        self.add(span, key, None, kind);
    }

    /// Adds a problem with the value at `span`, and quotes it.
    pub(super) fn value(&mut self, span: &Span, key: &str, kind: ErrorKind) {
        self.add(span, key, self.quote(span), kind);
    }

    fn add(&mut self, span: &Span, key: &str, value: Option<String>, kind: ErrorKind) {
        let (file, place) = self.whereabouts(span);
        let problem = Problem { file, place, key: key.to_owned(), value, kind };
        self.problems.push((span.order(), problem));
    }

    /// Adds something that a person should know and that stops nothing.
    pub(super) fn warn(&mut self, span: &Span, text: &str) {
        if self.hushed {
            return;
        }
        let place = match self.whereabouts(span) {
            (file, Some(Place { line, column })) => format!("{file}:{line}:{column}: "),
            (_, None) => String::new(),
        };
        self.warnings.push((span.order(), format!("{place}{text}")));
    }

    /// Whether nothing is wrong so far.
    pub(super) fn is_clean(&self) -> bool {
        self.problems.is_empty()
    }

    /// Where something is, for a message about something at `from`.
    pub(super) fn first(&self, span: &Span, from: &Span) -> First {
        let (file, place) = self.whereabouts(span);
        let elsewhere = (span.source != from.source).then_some(file);
        First { line: place.map_or(1, |place| place.line), file: elsewhere }
    }

    fn whereabouts(&self, span: &Span) -> (String, Option<Place>) {
        match self.texts.get(span.source) {
            Some(text) => (text.source.name.clone(), Some(text.place(span.range.start))),
            None => (String::new(), None),
        }
    }

    fn quote(&self, span: &Span) -> Option<String> {
        let raw =
            self.texts.get(span.source)?.source.text.get(span.range.clone()).filter(|raw| !raw.is_empty())?;
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

    /// The problems in the order of the files, or else the warnings.
    pub(super) fn finish(mut self) -> Result<Vec<String>, Errors> {
        self.problems.sort_by_key(|(at, _)| *at);
        self.warnings.sort_by_key(|(at, _)| *at);
        match Errors::new(self.problems.into_iter().map(|(_, problem)| problem).collect()) {
            Some(errors) => Err(errors),
            None => Ok(self.warnings.into_iter().map(|(_, warning)| warning).collect()),
        }
    }
}
