// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a line knows of a meter: it hears bytes and answers.

use crate::truth::Shared;

/// A part of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// How long the line is silent before it, ns: after the bytes that were heard, or after the part before.
    pub after_ns: u64,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// A meter on a line. It hears what others send, damaged or not, and never what it sends itself.
pub trait Meter: Send {
    /// Bytes arrived at `now_ns`; none where it is only time for what [`Meter::due_ns`] said. What it answers.
    fn heard(&mut self, now_ns: u64, bytes: &[u8]) -> Vec<Reply>;

    /// When it wants to be called although nothing arrives, ns.
    fn due_ns(&self) -> Option<u64>;

    /// What really is.
    fn truth(&self) -> &Shared;
}
