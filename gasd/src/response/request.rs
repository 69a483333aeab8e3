// SPDX-License-Identifier: MIT OR Apache-2.0
//! From the configuration to requested lines, without moving a valve.

use std::os::fd::{AsFd as _, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

use gpiocdev::chip::{Chip, chips};
use gpiocdev::line::{Bias as LineBias, Value};
use gpiocdev::request::Config as RequestConfig;
use gpiocdev::{Error, Request};

use crate::config::{self, Bias, ClosedLevel, GpioLine, ValveConfig};
use crate::response::actuator::{Actuator, ActuatorError, Simulated};
use crate::response::gpio::{Coil, Feedback, GpioActuator, level_to_keep};
use crate::response::line::{LineFd, requested};
use crate::state::Position;

/// What is known of a valve before its lines are requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Before {
    /// A hold keeps it closed.
    pub held: bool,
    /// Where it was last told to be; unknown if never.
    pub commanded: Position,
}

/// Where a simulated valve starts: open only if nothing holds it and the last order was to open.
#[must_use]
pub fn simulated_start(before: Before) -> Position {
    if !before.held && before.commanded == Position::Open { Position::Open } else { Position::Closed }
}

/// Makes a valve's actuator. `kept` is the request that the service manager kept over a restart; it
/// is used if it is a request of the very line that is configured, and closed if not.
///
/// # Errors
/// [`ActuatorError`]; nothing was moved.
pub fn build(
    valve: &ValveConfig,
    before: Before,
    kept: Option<OwnedFd>,
) -> Result<Box<dyn Actuator>, ActuatorError> {
    let config::Actuator::Gpio { line, closed, pulse_ns, open_line, feedback } = &valve.actuator else {
        return Ok(Box::new(Simulated::new(simulated_start(before))));
    };
    // The kernel keeps 31 bytes of a label; ids are ASCII.
    let consumer: String = format!("gasd:{}", valve.id).chars().take(31).collect();
    let closed_high = *closed == ClosedLevel::High;
    let name = format!("line {} of chip \"{}\"", line.line, line.chip.as_deref().unwrap_or("none"));
    let feedback = match feedback {
        Some(line) => Some(Feedback { line: Box::new(input(line, &consumer)?), active_low: line.active_low }),
        None => None,
    };
    let Some(pulse_ns) = pulse_ns else {
        if let Some(fd) = kept.filter(|fd| is_request_of(fd, line)) {
            let mut valve = GpioActuator::from_request_fd(fd, closed_high, feedback, name);
            valve.keep(before.held, before.commanded)?;
            return Ok(Box::new(valve));
        }
        let keep = |high: bool| {
            let closed = level_to_keep(before.held, before.commanded, high == closed_high);
            if closed { closed_high } else { !closed_high }
        };
        let line = output(line, &consumer, keep)?;
        return Ok(Box::new(GpioActuator::level(Box::new(line), closed_high, feedback, name)));
    };
    // The coils are requested at rest, which moves nothing.
    let close = output(line, &consumer, |_| !closed_high)?;
    let open = match open_line {
        Some(line) => {
            let active_high = !line.active_low;
            Some(Coil { line: Box::new(output(line, &consumer, |_| !active_high)?), active_high })
        }
        None => None,
    };
    let pulse = Duration::from_nanos(*pulse_ns);
    Ok(Box::new(GpioActuator::latching(Box::new(close), closed_high, pulse, open, feedback, name)))
}

/// Whether a descriptor is a request of this line and no other.
#[must_use]
pub fn is_request_of(fd: &OwnedFd, line: &GpioLine) -> bool {
    let Some((chip, lines)) = requested(fd.as_fd()) else {
        return false;
    };
    find(line).is_ok_and(|found| found.name() == chip) && lines == [line.line]
}

/// Requests a line as output at the level that `level` makes of the level it carries now.
///
/// First as it is, to read it, and then by changing the same request: between two requests the line
/// would be nobody's, and some drivers let it go.
fn output(line: &GpioLine, consumer: &str, level: impl Fn(bool) -> bool) -> Result<LineFd, ActuatorError> {
    let chip = find(line)?;
    let fail = |what: &str| {
        let what = format!("{what} line {} of chip \"{}\" failed", line.line, chip.name());
        move |error: Error| ActuatorError::Io { what, detail: error.to_string() }
    };
    check(&chip, line.line)?;
    let request = Request::builder()
        .on_chip(chip.path())
        .with_consumer(consumer)
        .with_line(line.line)
        .as_is()
        .request()
        .map_err(fail("requesting"))?;
    let now = request.value(line.line).map_err(fail("reading"))? == Value::Active;
    let mut config = RequestConfig::default();
    config.with_line(line.line).as_output(if level(now) { Value::Active } else { Value::Inactive });
    request.reconfigure(&config).map_err(fail("driving"))?;
    keep(&request)
        .map_err(|error| ActuatorError::Io { what: "keeping a request".into(), detail: error.to_string() })
}

/// Requests a line as input. `active_low` is applied by the caller, who sees levels.
fn input(line: &GpioLine, consumer: &str) -> Result<LineFd, ActuatorError> {
    let chip = find(line)?;
    check(&chip, line.line)?;
    let request = Request::builder()
        .on_chip(chip.path())
        .with_consumer(consumer)
        .with_line(line.line)
        .as_input()
        .with_bias(line.bias.map(|bias| match bias {
            Bias::PullUp => LineBias::PullUp,
            Bias::PullDown => LineBias::PullDown,
            Bias::Disabled => LineBias::Disabled,
        }))
        .request();
    let failed = |detail: String| ActuatorError::Io {
        what: format!("requesting line {} of chip \"{}\" failed", line.line, chip.name()),
        detail,
    };
    let request = request.map_err(|error| failed(error.to_string()))?;
    keep(&request).map_err(|error| failed(error.to_string()))
}

/// A second descriptor of the same request keeps it when the first is closed.
fn keep(request: &Request) -> std::io::Result<LineFd> {
    request.as_fd().try_clone_to_owned().map(LineFd::new)
}

/// The chip by name, path or label.
fn find(line: &GpioLine) -> Result<Chip, ActuatorError> {
    let wanted = line.chip.as_deref().unwrap_or_default();
    let path = match wanted {
        name if name.starts_with('/') => Some(PathBuf::from(name)),
        name if name.starts_with("gpiochip") => Some(Path::new("/dev").join(name)),
        _ => None,
    };
    if let Some(path) = path.filter(|path| path.exists()) {
        return open(&path);
    }
    let all = chips().unwrap_or_default();
    let mut refused = None;
    let mut existing = Vec::new();
    for path in &all {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        match open(path).and_then(|chip| {
            let info = chip.info();
            info.map(|info| (chip, info.label)).map_err(|error| ActuatorError::Io {
                what: format!("asking {name}"),
                detail: error.to_string(),
            })
        }) {
            Ok((chip, label)) if !wanted.is_empty() && label == wanted => return Ok(chip),
            Ok((_, label)) => existing.push(format!("{name} ({label})")),
            Err(error) => {
                existing.push(name);
                refused = Some(error);
            }
        }
    }
    match refused {
        // The label may be that of a chip that may not be asked.
        Some(error @ ActuatorError::Permission { .. }) => Err(error),
        _ => Err(ActuatorError::NoChip { wanted: wanted.into(), existing: listed(&existing) }),
    }
}

fn listed(existing: &[String]) -> String {
    if existing.is_empty() { "none".into() } else { existing.join(", ") }
}

fn open(path: &Path) -> Result<Chip, ActuatorError> {
    Chip::from_path(path).map_err(|error| opening_failed(path, &error))
}

fn opening_failed(path: &Path, error: &Error) -> ActuatorError {
    match error {
        Error::Os(errno) if [libc::EACCES, libc::EPERM].contains(&errno.0) => {
            ActuatorError::Permission { path: path.into() }
        }
        error => ActuatorError::Io {
            what: format!("opening {} failed", path.display()),
            detail: error.to_string(),
        },
    }
}

/// Whether the chip has the line and nobody holds it.
fn check(chip: &Chip, line: u32) -> Result<(), ActuatorError> {
    let failed = |error: Error| ActuatorError::Io {
        what: format!("asking chip \"{}\"", chip.name()),
        detail: error.to_string(),
    };
    let lines = chip.info().map_err(failed)?.num_lines;
    if line >= lines {
        let last = lines.saturating_sub(1);
        return Err(ActuatorError::LineOutOfRange { chip: chip.name(), line, last });
    }
    let info = chip.line_info(line).map_err(failed)?;
    if info.used {
        let holder = if info.consumer.is_empty() { "the kernel".into() } else { info.consumer };
        return Err(ActuatorError::Busy { chip: chip.name(), line, holder });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_chip_is_named_with_those_that_exist() {
        let line = GpioLine { chip: Some("no-such-chip".into()), line: 3, active_low: false, bias: None };
        let error = find(&line).err();
        let Some(ActuatorError::NoChip { wanted, existing }) = error else {
            eprintln!("SKIPPED: the chips of this machine may not be asked");
            return;
        };
        assert_eq!(wanted, "no-such-chip");
        assert!(!existing.is_empty());
        assert_eq!(listed(&[]), "none");
        assert_eq!(listed(&["gpiochip0 (a)".into(), "gpiochip1 (b)".into()]), "gpiochip0 (a), gpiochip1 (b)");
    }

    #[test]
    fn a_file_that_is_no_chip_is_an_error_in_words() {
        let line = GpioLine { chip: Some("/dev/null".into()), line: 0, active_low: false, bias: None };
        let text = find(&line).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(text.contains("opening /dev/null failed"), "{text}");
    }

    #[test]
    fn a_device_file_that_may_not_be_opened_names_it_and_the_group() {
        let denied = Error::from(std::io::Error::from_raw_os_error(libc::EACCES));
        let error = opening_failed(Path::new("/dev/gpiochip0"), &denied);
        let path = PathBuf::from("/dev/gpiochip0");
        assert_eq!(error, ActuatorError::Permission { path });
        assert!(error.to_string().contains("/dev/gpiochip0") && error.to_string().contains("group gasd"));
    }

    #[test]
    fn a_simulated_valve_starts_open_only_if_it_was_told_to_open_and_nothing_holds_it() {
        for (held, commanded, want) in [
            (false, Position::Open, Position::Open),
            (true, Position::Open, Position::Closed),
            (false, Position::Closed, Position::Closed),
            (false, Position::Unknown, Position::Closed),
        ] {
            assert_eq!(simulated_start(Before { held, commanded }), want);
        }
    }
}
