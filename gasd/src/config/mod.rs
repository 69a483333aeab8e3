// SPDX-License-Identifier: MIT OR Apache-2.0
//! The configuration: what it may say and what it means.

mod decimal;
pub mod near;
pub mod show;
pub mod types;
pub mod units;

pub use types::{Actuator, Bias, ClosedLevel, Config, FilterSettings, GpioLine, MeterConfig, Thresholds, ValveConfig};
