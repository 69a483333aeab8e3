// SPDX-License-Identifier: MIT OR Apache-2.0
//! What can be wrong with a configuration, and where.

use std::fmt;

use super::load::FileError;
use super::near::hint;
use super::sense::Sense;
use super::units::UnitError;

/// A place in the text, both from 1; the column counts characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Line.
    pub line: u32,
    /// Column.
    pub column: u32,
}

/// One problem: where, with what, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file as the caller named it; empty when the problem is in no file.
    pub file: String,
    /// The place in the file, where there is one.
    pub place: Option<Place>,
    /// The key, as a path from its section: `filter.min_interval`; or the section itself.
    pub key: String,
    /// The value as it stands in the file.
    pub value: Option<String>,
    /// What is wrong with it.
    pub kind: ErrorKind,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.file.is_empty() {
            write!(f, "{}:", self.file)?;
            if let Some(Place { line, column }) = self.place {
                write!(f, "{line}:{column}:")?;
            }
            write!(f, " ")?;
        }
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        if let Some(value) = &self.value {
            write!(f, "{value}: ")?;
        }
        write!(f, "{}", self.kind)
    }
}

/// Every problem that was found, in the order of the file. Never empty. One line a problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Errors {
    problems: Vec<Problem>,
}

impl Errors {
    /// `None` when there is no problem.
    pub(super) fn new(problems: Vec<Problem>) -> Option<Self> {
        (!problems.is_empty()).then_some(Self { problems })
    }

    /// A single problem.
    pub(super) fn one(problem: Problem) -> Self {
        Self { problems: vec![problem] }
    }

    /// The problems.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

impl fmt::Display for Errors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.problems.iter().enumerate() {
            if i > 0 {
                writeln!(f)?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Errors {}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ErrorKind {
    /// The file could not be had.
    #[error("{0}")]
    File(FileError),
    /// The text is no TOML.
    #[error("this is not TOML: {0}")]
    Syntax(String),
    /// More syntax errors than are worth listing.
    #[error("{0} more syntax errors are not listed; they often follow from the first")]
    MoreSyntax(usize),
    /// A key that means nothing here.
    #[error("unknown key `{key}`; {}", hint(*near, known))]
    UnknownKey {
        /// As it was written.
        key: String,
        /// What was probably meant.
        near: Option<&'static str>,
        /// Every key that is known here.
        known: &'static [&'static str],
    },
    /// A key that must be there.
    #[error("the key `{key}` is missing (expected {expected})")]
    MissingKey {
        /// The key.
        key: &'static str,
        /// What it should hold.
        expected: &'static str,
    },
    /// A value of another type.
    #[error("is {found} (expected {expected})")]
    WrongType {
        /// TOML's name of the type.
        found: &'static str,
        /// What it should be.
        expected: &'static str,
    },
    /// A quantity that cannot be read.
    #[error("{error} (expected {expected})")]
    Quantity {
        /// Why.
        error: UnitError,
        /// What it should be.
        expected: &'static str,
    },
    /// A word that is none of the known ones.
    #[error("unknown word; {}", hint(*near, known))]
    UnknownWord {
        /// What was probably meant.
        near: Option<&'static str>,
        /// The known words.
        known: Vec<&'static str>,
    },
    /// An integer outside what the key can hold.
    #[error("must be a whole number from 0 to {max} (expected {expected})")]
    IntegerRange {
        /// Greatest value.
        max: u64,
        /// What it should be.
        expected: &'static str,
    },
    /// Two keys that say the same thing.
    #[error("is given twice, here and as `{other}`; keep one of them")]
    GivenTwice {
        /// The other key.
        other: &'static str,
    },
    /// Two keys of which each says something else.
    #[error("goes with no `{other}`; keep one of them")]
    NotWith {
        /// The other key.
        other: &'static str,
    },
    /// An id that would not be safe in a bus path, a metric's label and a pin's name.
    #[error(
        "an id is 1 to 64 of the characters A-Z a-z 0-9 _ -{}",
        .0.map_or(String::new(), |c| format!("; `{}` is none of them", c.escape_debug()))
    )]
    BadId(Option<char>),
    /// A chip that names nothing.
    #[error(
        "is no name of a GPIO chip (expected a name like \"gpiochip0\", a path like \
         \"/dev/gpiochip0\", or a chip's label as `gpiodetect` lists it)"
    )]
    BadChip,
    /// A path that is not absolute.
    #[error(
        "is no absolute path; a service has no directory of its own to start from \
         (expected a path like \"{example}\")"
    )]
    RelativePath {
        /// The default.
        example: &'static str,
    },
    /// Readable, but it makes no sense.
    #[error("{0}")]
    Sense(Sense),
}
