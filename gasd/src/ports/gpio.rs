// SPDX-License-Identifier: MIT OR Apache-2.0
//! A meter's line on the GPIO character device (uAPI v2): requested with both edges, so that each
//! edge is an interrupt; its level is read back when the filter asks.

use std::{
    io,
    os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
    path::{Path, PathBuf},
};

use gpiocdev::{
    Request,
    chip::Chip,
    line::{Bias as CdevBias, EdgeDetection},
};

use crate::{
    accounts::{GROUPS, name_in},
    config::{Bias, GpioLine},
};

/// Longest consumer label the kernel keeps, in bytes (`GPIO_MAX_NAME_SIZE` less the final zero).
const LABEL_MAX: usize = 31;

/// Why a line cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GpioError {
    /// No chip of that name.
    #[error("there is no GPIO chip \"{chip}\"; this machine has {present}")]
    ChipMissing {
        /// As configured.
        chip: String,
        /// What is there, in words.
        present: String,
    },
    /// The chip has no such line.
    #[error("chip {chip} has lines 0 to {last}, not {line}")]
    LineMissing {
        /// The chip.
        chip: String,
        /// As configured.
        line: u32,
        /// The chip's last line.
        last: u32,
    },
    /// Somebody else has the line.
    #[error("line {line} of {chip} is in use by \"{holder}\"; stop that program or free the line")]
    Busy {
        /// The chip.
        chip: String,
        /// The line.
        line: u32,
        /// The holder's consumer label.
        holder: String,
    },
    /// The device file is closed to us.
    #[error(
        "no permission to open {device}; add the user of gasd to group {group}, or give the device that group (the package has a udev rule for it)"
    )]
    Permission {
        /// The device file.
        device: PathBuf,
        /// The group to be in.
        group: String,
    },
    /// The chip went away.
    #[error("the chip of line {line} is gone")]
    Gone {
        /// The line.
        line: u32,
    },
    /// The line gives no interrupt.
    #[error(
        "line {line} of {chip} was requested with edge detection, but no interrupt carries its label \"{label}\": the chip cannot make interrupts, or /sys/kernel/irq is hidden"
    )]
    NoInterrupt {
        /// The chip.
        chip: String,
        /// The line.
        line: u32,
        /// The label that was looked for.
        label: String,
    },
    /// Anything else the system said.
    #[error("line {line} of {chip}: {error}")]
    Io {
        /// The chip.
        chip: String,
        /// The line.
        line: u32,
        /// What the system said.
        #[source]
        error: io::Error,
    },
}

/// A requested input line.
#[derive(Debug)]
pub struct InputLine {
    fd: OwnedFd,
    chip: String,
    line: u32,
    label: String,
}

/// The consumer label of a meter's line: what `/proc/interrupts` and `gpioinfo` show.
#[must_use]
pub fn label_for(id: &str) -> String {
    let label = format!("gasd:{id}");
    if label.len() <= LABEL_MAX {
        return label;
    }
    // Two long ids must not end up with one label.
    let key = gasd_abi::records::meter_key(id) as u32;
    format!("{}~{key:08x}", &label[..LABEL_MAX - 9])
}

impl InputLine {
    /// Requests the line with both edges.
    pub fn request(config: &GpioLine, id: &str) -> Result<Self, GpioError> {
        Self::open(config, id, true)
    }

    /// Requests the line for its level alone: chips without interrupts will do. `id` names it beside meters.
    pub fn request_level(config: &GpioLine, id: &str) -> Result<Self, GpioError> {
        Self::open(config, id, false)
    }

    fn open(config: &GpioLine, id: &str, edges: bool) -> Result<Self, GpioError> {
        let name = config.chip.clone().unwrap_or_default();
        let path = find_chip(&name)?;
        let chip = open_chip(&path, &name)?;
        let info = chip.info().map_err(|e| other(&name, config.line, &e))?;
        if config.line >= info.num_lines {
            return Err(GpioError::LineMissing {
                chip: name,
                line: config.line,
                last: info.num_lines.saturating_sub(1),
            });
        }
        let label = label_for(id);
        let mut builder = Request::builder();
        builder.on_chip(&path).with_consumer(label.clone()).with_line(config.line).with_bias(
            config.bias.map(|b| match b {
                Bias::PullUp => CdevBias::PullUp,
                Bias::PullDown => CdevBias::PullDown,
                Bias::Disabled => CdevBias::Disabled,
            }),
        );
        if edges {
            builder.with_edge_detection(EdgeDetection::BothEdges);
        } else {
            builder.as_input();
        }
        if config.active_low {
            builder.as_active_low();
        }
        let request = builder.request().map_err(|e| {
            if os_error(&e) == Some(libc::EBUSY) {
                let holder = chip.line_info(config.line).map(|i| i.consumer).unwrap_or_default();
                let holder = if holder.is_empty() { "an unnamed program".into() } else { holder };
                return GpioError::Busy { chip: name.clone(), line: config.line, holder };
            }
            other(&name, config.line, &e)
        })?;
        let fd = request.as_fd().try_clone_to_owned();
        let fd = fd.map_err(|error| GpioError::Io { chip: name.clone(), line: config.line, error })?;
        Ok(Self { fd, chip: name, line: config.line, label })
    }

    /// Takes a line that an earlier process requested and systemd kept.
    #[must_use]
    pub fn keep(fd: OwnedFd, config: &GpioLine, id: &str) -> Self {
        let chip = config.chip.clone().unwrap_or_default();
        Self { fd, chip, line: config.line, label: label_for(id) }
    }

    /// Whether the line is active now.
    pub fn level(&self) -> Result<bool, GpioError> {
        /// `struct gpio_v2_line_values`, <https://docs.kernel.org/userspace-api/gpio/gpio-v2-line-get-values-ioctl.html>.
        #[repr(C)]
        struct Values {
            bits: u64,
            mask: u64,
        }
        /// `_IOWR(0xB4, 0x0E, struct gpio_v2_line_values)`.
        const GET_VALUES: libc::c_ulong = 0xc010_b40e;
        let mut values = Values { bits: 0, mask: 1 };
        // SAFETY: a line request's descriptor and the struct that this request code takes.
        if unsafe { libc::ioctl(self.fd.as_raw_fd(), GET_VALUES as _, &raw mut values) } == 0 {
            return Ok(values.bits & 1 != 0);
        }
        let error = io::Error::last_os_error();
        match error.raw_os_error() {
            Some(libc::ENODEV) => Err(GpioError::Gone { line: self.line }),
            _ => Err(GpioError::Io { chip: self.chip.clone(), line: self.line, error }),
        }
    }

    /// The interrupt that an edge of this line raises.
    pub fn irq(&self) -> Result<u32, GpioError> {
        let found = super::irq::find(&self.label).map_err(|error| GpioError::Io {
            chip: self.chip.clone(),
            line: self.line,
            error,
        })?;
        found.ok_or_else(|| GpioError::NoInterrupt {
            chip: self.chip.clone(),
            line: self.line,
            label: self.label.clone(),
        })
    }
}

impl AsFd for InputLine {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Finds a chip by device name, path or label.
pub fn find_chip(name: &str) -> Result<PathBuf, GpioError> {
    let direct = if name.starts_with('/') { PathBuf::from(name) } else { Path::new("/dev").join(name) };
    if !name.is_empty() && direct.exists() {
        return Ok(direct);
    }
    let chips = gpiocdev::chip::chips().unwrap_or_default();
    let mut present = Vec::new();
    let mut closed = None;
    for path in chips {
        let label = match Chip::from_path(&path) {
            Ok(chip) => chip.info().map(|i| i.label).unwrap_or_default(),
            Err(e) => {
                if denied(&e) {
                    closed.get_or_insert(path.clone());
                }
                String::new()
            }
        };
        if label == name && !name.is_empty() {
            return Ok(path);
        }
        let shown = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        present.push(if label.is_empty() { shown } else { format!("{shown} ({label})") });
    }
    if let Some(device) = closed {
        // The name may be the label of a chip that may not be asked.
        return Err(GpioError::Permission { group: group_of(&device), device });
    }
    let present = if present.is_empty() { "no GPIO chip at all".to_owned() } else { present.join(", ") };
    Err(GpioError::ChipMissing { chip: name.to_owned(), present })
}

fn open_chip(path: &Path, name: &str) -> Result<Chip, GpioError> {
    Chip::from_path(path).map_err(|e| {
        if denied(&e) {
            return GpioError::Permission { device: path.to_owned(), group: group_of(path) };
        }
        other(name, 0, &e)
    })
}

fn denied(error: &gpiocdev::Error) -> bool {
    matches!(os_error(error), Some(libc::EACCES | libc::EPERM))
}

/// The group of a device file, by name where it has one.
fn group_of(path: &Path) -> String {
    use std::os::unix::fs::MetadataExt;
    let Ok(gid) = std::fs::metadata(path).map(|m| m.gid()) else { return "gasd".into() };
    if gid == 0 {
        // A device that still belongs to root wants the package's rule rather than group root.
        return "gasd".into();
    }
    name_in(GROUPS, gid)
}

fn os_error(error: &gpiocdev::Error) -> Option<i32> {
    match error {
        gpiocdev::Error::Os(e) => Some(e.0),
        gpiocdev::Error::Uapi(_, gpiocdev_uapi::Error::Os(e)) => Some(e.0),
        _ => None,
    }
}

fn other(chip: &str, line: u32, error: &gpiocdev::Error) -> GpioError {
    let error =
        os_error(error).map_or_else(|| io::Error::other(error.to_string()), io::Error::from_raw_os_error);
    GpioError::Io { chip: chip.to_owned(), line, error }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_ids_keep_distinct_labels_within_the_kernels_limit() {
        assert_eq!(label_for("kitchen"), "gasd:kitchen");
        let a = label_for("the-meter-in-the-cellar-of-house-1a");
        let b = label_for("the-meter-in-the-cellar-of-house-1b");
        assert!(a.len() <= LABEL_MAX && b.len() <= LABEL_MAX, "{a} {b}");
        assert_ne!(a, b);
    }

    #[test]
    fn a_missing_chip_is_refused_by_name_with_what_is_there() {
        let gpio = GpioLine { chip: Some("nochip".into()), line: 4, active_low: false, bias: None };
        let error = InputLine::request(&gpio, "kitchen").unwrap_err();
        assert!(matches!(error, GpioError::ChipMissing { .. }), "{error}");
        assert!(error.to_string().contains("\"nochip\""), "{error}");
    }
}
