// SPDX-License-Identifier: MIT OR Apache-2.0
//! Other people's detectors, written from their publications.

pub mod focus;
