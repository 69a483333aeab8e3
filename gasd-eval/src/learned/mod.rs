// SPDX-License-Identifier: MIT OR Apache-2.0
//! The learned model: examples to train it on, and whether it is worth its place.
//!
//! - [`examples`]: minutes of uses in which a rule came half-way, in homes with and without leaks.
//! - [`observe`]: an engine whose advisor is watched.
//! - [`compare`], [`report`]: the same homes and leaks with the advice and without.
//! - `onnx`: a model that a user brings, with the feature of that name.

pub mod compare;
pub mod examples;
pub mod observe;
#[cfg(feature = "onnx")]
pub mod onnx;
pub mod report;
