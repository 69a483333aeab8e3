// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where signals come into the house. Nothing here decides anything.

pub mod alarm;
pub mod gpio;
pub mod irq;
pub mod meters;
