// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the library's errors mean, in gasd's words.

use std::io;

use super::error::KernelError;

/// Looks for the system's own word in an error chain.
fn os_error(error: &(dyn std::error::Error + 'static)) -> Option<i32> {
    let mut next = Some(error);
    while let Some(e) = next {
        if let Some(code) = e.downcast_ref::<io::Error>().and_then(io::Error::raw_os_error) {
            return Some(code);
        }
        next = e.source();
    }
    None
}

/// The kernel refused `what`.
pub fn refused(what: &'static str, error: &(dyn std::error::Error + 'static)) -> KernelError {
    match os_error(error) {
        Some(libc::EPERM | libc::EACCES) => KernelError::NotPermitted { what },
        _ => KernelError::io(what, io::Error::other(chain(error))),
    }
}

/// The kernel refused a program.
pub fn rejected(program: &'static str, error: &(dyn std::error::Error + 'static)) -> KernelError {
    match os_error(error) {
        Some(libc::EPERM) => KernelError::NotPermitted { what: program },
        _ => KernelError::Rejected { program, why: tail(&chain(error)) },
    }
}

/// The verifier's log is thousands of lines; its verdict is in the last ones.
fn tail(text: &str) -> String {
    const LINES: usize = 12;
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}

fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(e) = next {
        let more = e.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        next = e.source();
    }
    text
}
