// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where the first of two things is that may be there once.

use std::fmt;

/// Where the first of two things is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct First {
    /// Its line.
    pub line: u32,
    /// Its file, if that is another one.
    pub file: Option<String>,
}

impl fmt::Display for First {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.file {
            Some(file) => write!(f, "line {} of {file}", self.line),
            None => write!(f, "line {}", self.line),
        }
    }
}
