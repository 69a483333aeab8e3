// SPDX-License-Identifier: MIT OR Apache-2.0
//! From a verdict or a command to a valve.
//!
//! | file | idea |
//! |---|---|
//! | [`valves`], [`opening`], [`holds`], [`told`], `driven`, `known`, `reported`, [`unconfigured`], [`audit`] | what may happen to which valve, pure |
//! | [`actuator`] | what moves a valve; the simulated one |
//! | [`gpio`], [`line`], [`request`] | the one on GPIO lines: its behaviour, its line, its request |
//! | [`runner`] | the thread of one valve |
//! | [`glue`], `command`, [`update`] | all together, for the daemon |

pub mod actuator;
pub mod audit;
pub mod clock;
mod command;
mod driven;
#[cfg(test)]
mod driven_any_course;
#[cfg(test)]
mod driven_courses;
#[cfg(test)]
mod driven_latching_courses;
pub mod glue;
pub mod gpio;
pub mod holds;
mod known;
pub mod line;
pub mod opening;
mod reported;
pub mod request;
pub mod runner;
pub mod told;
pub mod unconfigured;
pub mod update;
pub mod valves;
#[cfg(test)]
mod valves_any_order;

pub use actuator::{Actuator, ActuatorError, Simulated, SimulatedHand, Target};
pub use glue::{Maker, Response};
pub use gpio::GpioActuator;
pub use request::Before;
pub use update::{Hook, Update, publish};
