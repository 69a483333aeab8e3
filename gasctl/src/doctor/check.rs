// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a check says.

use serde::Serialize;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// As it should be.
    Ok,
    /// Works, but somebody should look.
    Warn,
    /// Does not work, or not safely.
    Fail,
    /// Could not be told from here.
    Unknown,
}

/// What a check says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Names the check; stays the same over versions.
    pub check: &'static str,
    /// How bad it is.
    pub level: Level,
    /// What was found.
    pub text: String,
    /// What to do.
    pub advice: Option<String>,
}

impl Finding {
    /// As it should be.
    pub fn ok(check: &'static str, text: impl Into<String>) -> Finding {
        Finding { check, level: Level::Ok, text: text.into(), advice: None }
    }

    /// Works, but somebody should look.
    pub fn warn(check: &'static str, text: impl Into<String>, advice: impl Into<String>) -> Finding {
        Finding { check, level: Level::Warn, text: text.into(), advice: Some(advice.into()) }
    }

    /// Does not work, or not safely.
    pub fn fail(check: &'static str, text: impl Into<String>, advice: impl Into<String>) -> Finding {
        Finding { check, level: Level::Fail, text: text.into(), advice: Some(advice.into()) }
    }

    /// Could not be told from here.
    pub fn unknown(check: &'static str, text: impl Into<String>) -> Finding {
        Finding { check, level: Level::Unknown, text: text.into(), advice: None }
    }
}

/// For tests: the findings of one check.
#[cfg(test)]
pub fn of<'a>(findings: &'a [Finding], check: &str) -> &'a Finding {
    let found = findings.iter().find(|f| f.check == check);
    found.unwrap_or_else(|| panic!("no finding {check} in {findings:#?}"))
}
