// SPDX-License-Identifier: MIT OR Apache-2.0
//! A valve on GPIO lines.
//!
//! | kind | `line` | `open_line` |
//! |---|---|---|
//! | level | at the closed level the valve is closed, at the other open | – |
//! | latching | the closing coil: a pulse of the closed level closes | the opening coil: a pulse of its active level opens |
//!
//! A latching valve without `open_line` can be closed only: a coil that opens with the opposite
//! polarity needs a bridge, and one line has no opposite polarity to give. `closed` is the electrical
//! level, so `active` of `line` does not apply.
//!
//! Safe direction: a *level* valve is wired so that the level that falls away closes it; gasd cannot
//! know, so it never requests a line at the open level unless the line reads open already *and* the
//! last durable order was to open (see [`level_to_keep`]).

use std::os::fd::{BorrowedFd, OwnedFd};
use std::time::Duration;

use crate::response::actuator::{Actuator, ActuatorError, Description, Driven, Target};
use crate::response::clock::boottime_ns;
use crate::response::line::{Level, LineFd};
use crate::state::Position;

/// The lines of one valve, requested.
pub struct GpioActuator {
    line: Box<dyn Level>,
    closed_high: bool,
    kind: Kind,
    feedback: Option<Feedback>,
    name: String,
    took_over: bool,
}

enum Kind {
    Level,
    Latching { pulse: Duration, open: Option<Coil> },
}

/// An opening coil.
pub struct Coil {
    /// Its line.
    pub line: Box<dyn Level>,
    /// The level that energises it.
    pub active_high: bool,
}

/// A switch that closes when the valve is closed.
pub struct Feedback {
    /// Its line.
    pub line: Box<dyn Level>,
    /// Low when the valve is closed.
    pub active_low: bool,
}

/// The level to request a level valve's line with, so that the request does not open the valve:
/// `true` for closed. `reads_closed` is what the line carries now.
///
/// Kept open only if nothing holds it, the last durable order was to open, and the line carries the
/// open level: a restart of gasd must not take the gas from a house, and a power cut, after which
/// lines read anything, must not give it back before a person has looked.
#[must_use]
pub fn level_to_keep(held: bool, commanded: Position, reads_closed: bool) -> bool {
    held || reads_closed || commanded != Position::Open
}

impl GpioActuator {
    /// A level valve. `name` is for messages: chip and line.
    #[must_use]
    pub fn level(line: Box<dyn Level>, closed_high: bool, feedback: Option<Feedback>, name: String) -> Self {
        GpioActuator { line, closed_high, kind: Kind::Level, feedback, name, took_over: false }
    }

    /// A latching valve whose coils are at rest.
    #[must_use]
    pub fn latching(
        line: Box<dyn Level>,
        closed_high: bool,
        pulse: Duration,
        open: Option<Coil>,
        feedback: Option<Feedback>,
        name: String,
    ) -> Self {
        let kind = Kind::Latching { pulse, open };
        GpioActuator { line, closed_high, kind, feedback, name, took_over: false }
    }

    /// A level valve on a request that is open already, as the service manager kept it. The level is
    /// left as it is.
    #[must_use]
    pub fn from_request_fd(fd: OwnedFd, closed_high: bool, feedback: Option<Feedback>, name: String) -> Self {
        let mut valve = GpioActuator::level(Box::new(LineFd::new(fd)), closed_high, feedback, name);
        valve.took_over = true;
        valve
    }

    /// A level valve that was taken over is closed unless it may stay open: see [`level_to_keep`].
    ///
    /// # Errors
    /// [`ActuatorError`].
    pub fn keep(&mut self, held: bool, commanded: Position) -> Result<(), ActuatorError> {
        let reads_closed = self.line.get().map(|high| high == self.closed_high);
        let name = &self.name;
        let reads_closed = reads_closed.map_err(|error| failed("reading back", name, &error))?;
        if level_to_keep(held, commanded, reads_closed) && !reads_closed {
            self.line.set(self.closed_high).map_err(|error| failed("setting", name, &error))?;
        }
        Ok(())
    }
}

/// What went wrong with a driving line.
fn failed(what: &str, name: &str, error: &std::io::Error) -> ActuatorError {
    if error.raw_os_error() == Some(libc::ENODEV) {
        return ActuatorError::Gone { name: name.into() };
    }
    io_failed(what, name, error)
}

fn io_failed(what: &str, name: &str, error: &std::io::Error) -> ActuatorError {
    ActuatorError::Io { what: format!("{what} {name} failed"), detail: error.to_string() }
}

impl Actuator for GpioActuator {
    fn drive(&mut self, to: Target) -> Result<Driven, ActuatorError> {
        let name = &self.name;
        let fail = |error| failed("setting", name, &error);
        let mut pulse_of = None;
        match (&mut self.kind, to) {
            (Kind::Level, Target::Closed) => self.line.set(self.closed_high).map_err(fail)?,
            (Kind::Level, Target::Open) => self.line.set(!self.closed_high).map_err(fail)?,
            (Kind::Latching { pulse, open }, Target::Closed) => {
                // Never both coils at once. A coil that will not rest must not keep the valve from closing.
                let rested = open.as_mut().map_or(Ok(()), |coil| coil.line.set(!coil.active_high));
                self.line.set(self.closed_high).map_err(fail)?;
                rested.map_err(fail)?;
                pulse_of = Some(*pulse);
            }
            (Kind::Latching { open: None, .. }, Target::Open) => {
                return Err(ActuatorError::CannotOpen);
            }
            (Kind::Latching { pulse, open: Some(coil) }, Target::Open) => {
                self.line.set(!self.closed_high).map_err(fail)?;
                coil.line.set(coil.active_high).map_err(fail)?;
                pulse_of = Some(*pulse);
            }
        }
        Ok(Driven { line_set_ns: Some(boottime_ns()), pulse: pulse_of })
    }

    fn rest(&mut self) -> Result<(), ActuatorError> {
        if let Kind::Latching { open, .. } = &mut self.kind {
            let opened = open.as_mut().map_or(Ok(()), |coil| coil.line.set(!coil.active_high));
            let closed = self.line.set(!self.closed_high);
            opened.and(closed).map_err(|error| failed("ending the pulse on", &self.name, &error))?;
        }
        Ok(())
    }

    fn feedback(&mut self) -> Result<Option<Position>, ActuatorError> {
        let Some(feedback) = &mut self.feedback else {
            return Ok(None);
        };
        // Never `Gone`: the driving line is there, and making it anew would let it go.
        let high =
            feedback.line.get().map_err(|error| io_failed("reading the feedback of", &self.name, &error))?;
        Ok(Some(if high == feedback.active_low { Position::Open } else { Position::Closed }))
    }

    fn position(&mut self) -> Result<Position, ActuatorError> {
        if let Some(position) = self.feedback()? {
            return Ok(position);
        }
        match self.kind {
            Kind::Latching { .. } => Ok(Position::Unknown),
            Kind::Level => {
                let high = self.line.get().map_err(|error| failed("reading back", &self.name, &error))?;
                Ok(if high == self.closed_high { Position::Closed } else { Position::Open })
            }
        }
    }

    fn check(&mut self) -> Result<(), ActuatorError> {
        let mut there = self.line.get().map(drop);
        if let Kind::Latching { open: Some(coil), .. } = &mut self.kind {
            there = there.and(coil.line.get().map(drop));
        }
        there.map_err(|error| failed("reading back", &self.name, &error))
    }

    fn took_over(&self) -> bool {
        self.took_over
    }

    fn describe(&self) -> Description {
        let (latching, cannot_open) = match &self.kind {
            Kind::Level => (false, None),
            Kind::Latching { open: Some(_), .. } => (true, None),
            Kind::Latching { open: None, .. } => (true, Some(ActuatorError::CannotOpen.to_string())),
        };
        let (has_feedback, text) = (self.feedback.is_some(), self.name.clone());
        Description { latching, has_feedback, can_vanish: true, cannot_open, settle: None, text }
    }

    fn request_fd(&self) -> Option<BorrowedFd<'_>> {
        match self.kind {
            Kind::Level => self.line.fd(),
            Kind::Latching { .. } => None,
        }
    }
}

impl Drop for GpioActuator {
    /// No coil stays energised. A level stays as it is for as long as somebody keeps the request.
    fn drop(&mut self) {
        let _ = self.rest();
    }
}

#[cfg(test)]
#[path = "gpio_tests.rs"]
mod tests;
