// SPDX-License-Identifier: MIT OR Apache-2.0
//!
//! | file | idea |
//! |---|---|
//! | [`actuator`] | what moves a valve; the simulated one |
//! | [`gpio`], [`line`], [`request`] | the one on GPIO lines: its behaviour, its line, its request |
//! | [`runner`] | the thread of one valve |

pub mod actuator;
pub mod clock;
pub mod gpio;
pub mod line;
pub mod request;
pub mod runner;

pub use actuator::{Actuator, ActuatorError, Simulated, SimulatedHand, Target};
pub use gpio::GpioActuator;
pub use request::Before;
