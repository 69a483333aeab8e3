// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whole detectors in whole homes: how often they cry without a reason, and how many litres a leak
//! releases before they do.
//!
//! - [`homes`]: false alarms, meter-years of generated homes.
//! - [`trials`], of a [`class`] each: leaks of every class, injected into copies of a home that was learned.
//! - [`judge`] says which detectors there are. One more is a line there.

pub mod class;
pub mod drive;
pub mod homes;
pub mod json;
pub mod judge;
pub mod place;
pub mod plot;
pub mod report;
pub mod run;
pub mod stats;
mod threshold;
pub mod trial;
pub mod trials;
pub(crate) mod whole;
