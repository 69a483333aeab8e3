// SPDX-License-Identifier: MIT OR Apache-2.0
//! One line of an open GPIO request, by its file descriptor.
//!
//! gpiocdev makes requests but cannot take over one that is open already, as the service manager
//! hands it over after a restart. Two ioctls of the kernel's GPIO uAPI v2 are all that is needed:
//! <https://docs.kernel.org/userspace-api/gpio/gpio-v2-line-set-values-ioctl.html> (Linux 5.10).

use std::io;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};

/// `struct gpio_v2_line_values`: bit 0 is the first line of the request.
#[repr(C)]
#[derive(Clone, Copy)]
struct LineValues {
    bits: u64,
    mask: u64,
}

/// `_IOWR(0xB4, 0x0E, struct gpio_v2_line_values)`.
const GET_VALUES: u32 = 0xC010_B40E;
/// `_IOWR(0xB4, 0x0F, struct gpio_v2_line_values)`.
const SET_VALUES: u32 = 0xC010_B40F;

/// A line as an actuator sees it. Levels are electrical: high or low, whatever "active" means.
pub trait Level: Send {
    /// Sets an output.
    ///
    /// # Errors
    /// What the kernel said.
    fn set(&mut self, high: bool) -> io::Result<()>;
    /// Reads an input, or an output back.
    ///
    /// # Errors
    /// What the kernel said.
    fn get(&mut self) -> io::Result<bool>;
    /// The request, if there is one.
    fn fd(&self) -> Option<BorrowedFd<'_>>;
}

/// The only line of an open request that was made without `ACTIVE_LOW`.
#[derive(Debug)]
pub struct LineFd(OwnedFd);

impl LineFd {
    /// Takes over a request. That it is one shows only when it is used.
    #[must_use]
    pub const fn new(fd: OwnedFd) -> LineFd {
        LineFd(fd)
    }

    fn ioctl(&self, request: u32, values: &mut LineValues) -> io::Result<()> {
        // SAFETY: both requests read and write one `struct gpio_v2_line_values`, which `LineValues`
        // is, and `values` outlives the call. A descriptor of another kind answers with an error.
        let done = unsafe { libc::ioctl(self.0.as_raw_fd(), request as _, std::ptr::from_mut(values)) };
        if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }
}

impl Level for LineFd {
    fn set(&mut self, high: bool) -> io::Result<()> {
        self.ioctl(SET_VALUES, &mut LineValues { bits: u64::from(high), mask: 1 })
    }

    fn get(&mut self) -> io::Result<bool> {
        let mut values = LineValues { bits: 0, mask: 1 };
        self.ioctl(GET_VALUES, &mut values)?;
        Ok(values.bits & 1 == 1)
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        Some(self.0.as_fd())
    }
}

/// What `/proc/self/fdinfo/<fd>` says of a request: the chip's name and its lines. `None` when it is
/// not a GPIO request (or the kernel is older than 6.0, which did not say).
#[must_use]
pub fn parse_fdinfo(text: &str) -> Option<(String, Vec<u32>)> {
    let values = |key: &'static str| {
        text.lines().filter_map(move |line| line.strip_prefix(key)?.strip_prefix(':').map(str::trim))
    };
    let chip = values("gpio-chip").next()?.to_owned();
    let lines = values("gpio-line").map(|line| line.parse().ok()).collect::<Option<Vec<u32>>>()?;
    Some((chip, lines))
}

/// Which chip and lines an open descriptor requests; see [`parse_fdinfo`].
#[must_use]
pub fn requested(fd: BorrowedFd<'_>) -> Option<(String, Vec<u32>)> {
    parse_fdinfo(&std::fs::read_to_string(format!("/proc/self/fdinfo/{}", fd.as_raw_fd())).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layout_and_numbers_are_the_kernels() {
        assert_eq!(size_of::<LineValues>(), 16);
        let number = |nr: u32| 3 << 30 | (size_of::<LineValues>() as u32) << 16 | 0xB4 << 8 | nr;
        assert_eq!((GET_VALUES, SET_VALUES), (number(0x0E), number(0x0F)));
    }

    #[test]
    fn a_descriptor_that_is_no_request_is_an_error_and_not_a_level() {
        let file = std::fs::File::open("/dev/null").unwrap();
        let mut line = LineFd::new(file.into());
        assert!(line.get().is_err());
        assert!(line.set(true).is_err());
        assert_eq!(requested(line.fd().unwrap()), None);
    }

    #[test]
    fn fdinfo_names_chip_and_lines() {
        let text =
            "pos:\t0\nflags:\t02000002\nmnt_id:\t15\nino:\t1057\ngpio-chip:\tgpiochip0\ngpio-line:\t17\n";
        assert_eq!(parse_fdinfo(text), Some(("gpiochip0".into(), vec![17])));
        assert_eq!(parse_fdinfo("pos:\t0\n"), None);
    }
}
