// SPDX-License-Identifier: MIT OR Apache-2.0
//! Statistics with a guarantee: e-detectors and what they are told of the null.

mod mixture;

pub use mixture::{MIXTURE_RATES, Mixture};
