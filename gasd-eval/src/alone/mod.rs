// SPDX-License-Identifier: MIT OR Apache-2.0
//! A detector on one stream of pulses, against the best that is possible, at one false alarm a year.

pub mod arl;
pub mod cell;
pub mod command;
pub mod delay;
pub mod learn;
pub mod plot;
pub mod posterior;
pub mod report;
pub mod study;
pub mod watch;
