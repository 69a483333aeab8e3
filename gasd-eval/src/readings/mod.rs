// SPDX-License-Identifier: MIT OR Apache-2.0
//! The engine behind a register that is read now and then, beside the same engine on the pulses of the same
//! meter: what an interval costs in false alarms, and which leaks it still finds.

pub mod command;
pub mod polled;
mod recorded;
mod report;
pub mod study;
