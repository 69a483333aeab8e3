// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is said of a line.

use std::fmt;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// As it should be.
    Good,
    /// Meters may be read all the same; somebody should look.
    Suspicious,
    /// Meters are not read like this, or not reliably.
    Wrong,
}

impl Verdict {
    /// Its name, the same over versions.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Suspicious => "suspicious",
            Self::Wrong => "wrong",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Names it, the same over versions: `noise`, `master`, `polarity`, `echo`, `collision`, `answers`, …
    pub name: &'static str,
    /// How bad it is.
    pub verdict: Verdict,
    /// What was found, one sentence.
    pub words: String,
    /// What to do; nothing where nothing is to be done.
    pub advice: Option<String>,
}

impl Finding {
    /// As it should be.
    pub fn good(name: &'static str, words: impl Into<String>) -> Self {
        Self { name, verdict: Verdict::Good, words: words.into(), advice: None }
    }

    /// Somebody should look.
    pub fn suspicious(name: &'static str, words: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { name, verdict: Verdict::Suspicious, words: words.into(), advice: Some(advice.into()) }
    }

    /// It does not work like this.
    pub fn wrong(name: &'static str, words: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { name, verdict: Verdict::Wrong, words: words.into(), advice: Some(advice.into()) }
    }
}
