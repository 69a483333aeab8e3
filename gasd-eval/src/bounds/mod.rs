// SPDX-License-Identifier: MIT OR Apache-2.0
//! What one who knew more than a meter can tell would have to cry in sound homes to meet the goals that the
//! engine misses. No detector runs here: everything comes from what the generator knows.
//!
//! - [`study`]: what is looked at in each home.
//! - Forgotten burners: [`timing`] is the rule, [`knobs`] sees every tap, [`rates`] sees flows but not
//!   whose they are, [`forgotten`] are the leaks, [`budget`] finds the best rule for so many warnings.
//! - Quiet hours: [`bouts`] of gas that look like a leak, [`acquainted`] flows that a home has shown before,
//!   [`experience`] of hours, what happens in [`quiet`] ones, and the share of leaks that one can [`afford`] to tell.
//! - [`rests`]: time in which a leak of 20 L/h would show.

pub mod acquainted;
pub mod afford;
pub mod bouts;
pub mod budget;
pub mod command;
pub mod experience;
pub mod forgotten;
pub mod knobs;
pub mod life;
pub mod quiet;
pub mod rates;
mod report;
pub mod rests;
pub mod study;
pub mod timing;
