// SPDX-License-Identifier: MIT OR Apache-2.0
//! When to ask which meter, and when to leave one alone. Pure: time comes in as ns of one clock that does not jump.
//!
//! | file | idea |
//! |---|---|
//! | [`breaker`] | a meter that does not answer is left alone, and looked for now and then |
//! | [`schedule`] | when a meter is read: at an even pace, each at its own moment |
//! | [`agenda`] | what waits for a port: valve commands before readings, readings before searches |
//! | [`exchange`], [`echo`] | one request and its answer on a line that others share |
//! | [`latest`] | the last readings of a meter, each with a check sum, for while it cannot be read |

pub mod agenda;
pub mod breaker;
pub mod echo;
pub mod exchange;
pub mod latest;
pub mod schedule;

pub use agenda::{Agenda, Full, Job, Priority};
pub use breaker::{Allowed, Breaker, Change, Failure, Settings, State, Supply};
pub use echo::{Echo, Heard};
pub use exchange::{Exchange, Line, Outcome, Step};
pub use latest::{Latest, Sample};
pub use schedule::Schedule;
