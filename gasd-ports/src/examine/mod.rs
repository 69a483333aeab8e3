// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is wrong with a line, from listening to it and from asking on it what does no harm. Pure: bytes, counters and
//! times come in; what to do next, and in the end findings, come out.
//!
//! ```text
//! Plan ──► Examination ── step ──► Set, Send, Wait ──► whoever has the wire
//!               ▲                                           │
//!               └────────────── heard, damage ──────────────┘     then: observed ──► judge ──► Finding
//! ```
//!
//! | file | idea |
//! |---|---|
//! | [`plan`] | which settings are tried, and what is asked: requests that change nothing |
//! | [`run`] | one after the other: settings, listening, requests |
//! | [`seen`] | what was heard, taken apart: echo, frames, bytes of no frame |
//! | [`judge`] | from what was seen to findings |
//! | [`finding`] | a finding: a name, a verdict, and what to do |

pub mod finding;
pub mod judge;
pub mod plan;
pub mod run;
pub mod seen;

pub use finding::{Finding, Verdict};
pub use judge::judge;
pub use plan::{Plan, Setting, USUAL_SPEEDS};
pub use run::{Act, Examination};
pub use seen::{Asked, Listened, Observed};
