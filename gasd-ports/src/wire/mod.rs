// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where a line's bytes come from and go to.
//!
//! | file | what |
//! |---|---|
//! | [`serial`] | a serial device of this machine, an adapter or a pseudo-terminal |
//! | [`tcp`] | a serial server on the network that passes bytes on as they are |

pub mod serial;
pub mod tcp;

use std::fmt;
use std::io;
use std::os::fd::BorrowedFd;
use std::path::PathBuf;
use std::time::Duration;

pub use serial::{Parity, Serial, SerialSpec, Transceiver};
pub use tcp::{Tcp, TcpSpec};

/// How a line is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WireSpec {
    /// Through a serial device.
    Serial(SerialSpec),
    /// Through a serial server.
    Tcp(TcpSpec),
}

impl WireSpec {
    /// Opens it.
    ///
    /// # Errors
    /// [`WireError`], with what to do.
    pub fn open(&self) -> Result<Box<dyn Wire>, WireError> {
        Ok(match self {
            Self::Serial(spec) => Box::new(Serial::open(spec)?),
            Self::Tcp(spec) => Box::new(Tcp::open(spec)?),
        })
    }

    /// How long a byte takes, ns. Behind a server it is what the server's own settings make it; what is written in the
    /// configuration is believed.
    #[must_use]
    pub const fn baud(&self) -> u32 {
        match self {
            Self::Serial(spec) => spec.baud,
            Self::Tcp(spec) => spec.baud,
        }
    }

    /// How much later all comes than over a wire.
    #[must_use]
    pub const fn latency(&self) -> Duration {
        match self {
            // USB adapters hand on what they have every 16 ms.
            Self::Serial(_) => Duration::from_millis(20),
            Self::Tcp(_) => Duration::from_millis(500),
        }
    }
}

impl fmt::Display for WireSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Serial(spec) => spec.fmt(f),
            Self::Tcp(spec) => spec.fmt(f),
        }
    }
}

/// An open line. Reading and writing never block.
pub trait Wire: Send {
    /// To be waited for.
    fn fd(&self) -> BorrowedFd<'_>;

    /// Reads what is there; 0 bytes when that is nothing.
    ///
    /// # Errors
    /// The line is gone: it is to be opened anew.
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize>;

    /// Writes as much as there is room for.
    ///
    /// # Errors
    /// As [`Wire::read`].
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize>;

    /// What the hardware counted of damage, where it counts.
    fn damage(&self) -> Option<Damage> {
        None
    }
}

/// Damage that a serial port's hardware counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Damage {
    /// Bytes whose stop bit was missing: the wrong speed, or two that send at once.
    pub framing: u64,
    /// Bytes whose parity was wrong.
    pub parity: u64,
    /// Bytes that came faster than they were taken.
    pub overrun: u64,
    /// Breaks: the line was held low.
    pub breaks: u64,
}

/// Why a line cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// There is no such device.
    #[error("there is no device {}; is the adapter plugged in? `ls -l /dev/serial/by-id` lists those that are", .0.display())]
    NoDevice(PathBuf),
    /// It may not be opened.
    #[error(
        "{} may not be opened by this user; its group is usually dialout, of which gasd is a member: `ls -l {}` says what it is",
        .0.display(), .0.display()
    )]
    Permission(PathBuf),
    /// Another program has it.
    #[error("{} is in use by another program: `fuser -v {}` says by which", .0.display(), .0.display())]
    Busy(PathBuf),
    /// It is no serial device.
    #[error("{} is no serial device", .0.display())]
    NotSerial(PathBuf),
    /// It takes no such settings.
    #[error("{}: {what} cannot be set: {error}", .path.display())]
    Settings {
        /// The device.
        path: PathBuf,
        /// What was to be set.
        what: String,
        /// What the kernel said.
        error: io::Error,
    },
    /// A server does not answer.
    #[error("the serial server {address} cannot be reached: {error}")]
    Server {
        /// Host and port.
        address: String,
        /// What the system said.
        error: io::Error,
    },
    /// Something else.
    #[error("{what}: {error}")]
    Io {
        /// What was tried.
        what: String,
        /// What the system said.
        error: io::Error,
    },
}
