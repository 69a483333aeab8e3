// SPDX-License-Identifier: MIT OR Apache-2.0
//! The configuration: what it may say and what it means.

pub mod types;

pub use types::{Actuator, Bias, ClosedLevel, Config, FilterSettings, GpioLine, MeterConfig, Thresholds, ValveConfig};
