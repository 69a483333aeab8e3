// SPDX-License-Identifier: MIT OR Apache-2.0
//! Other people's detectors, written from their publications, on the same streams as ours.

pub mod binned;
pub mod bocpd;
pub mod command;
#[cfg(feature = "peers")]
pub mod cut_forest;
pub mod focus;
pub mod half_space;
pub mod list;
pub mod speed;
pub mod study;
pub mod windows;
