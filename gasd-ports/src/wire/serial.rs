// SPDX-License-Identifier: MIT OR Apache-2.0
//! A serial device: an adapter, a port of the board, or a pseudo-terminal.

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::PathBuf;

use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;
use rustix::ioctl::{Getter, Opcode, Setter, ioctl};
use rustix::termios::{
    ControlModes, InputModes, OptionalActions, QueueSelector, Termios, ioctl_tiocexcl, ioctl_tiocnxcl,
    tcflush, tcgetattr, tcsetattr,
};

use super::tcp::not_now;
use super::{Damage, Wire, WireError};

/// The bit that lets others see that a byte came through whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Parity {
    /// None.
    None,
    /// Even: M-Bus, DL/T 645, CJ/T 188, Modbus by default.
    #[default]
    Even,
    /// Odd: HART.
    Odd,
}

impl Parity {
    /// As configurations have it.
    pub const WORDS: [(&'static str, Self); 3] =
        [("none", Self::None), ("even", Self::Even), ("odd", Self::Odd)];

    /// Its name there.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Even => "even",
            Self::Odd => "odd",
        }
    }
}

/// Who turns an RS-485 transceiver from listening to sending.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Transceiver {
    /// The adapter by itself, or there is none.
    #[default]
    Adapter,
    /// The kernel's driver, by RTS.
    Kernel,
}

/// A serial device and its settings. Eight data bits always.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SerialSpec {
    /// The device: `/dev/serial/by-id/…` stays the same whatever is plugged in first.
    pub device: PathBuf,
    /// Speed, baud: any that the hardware has.
    pub baud: u32,
    /// Parity.
    pub parity: Parity,
    /// Two bits to stop instead of one.
    pub two_stops: bool,
    /// Who turns the transceiver.
    pub transceiver: Transceiver,
}

impl SerialSpec {
    /// Bits on the line for a byte: one to start, eight, parity, one or two to stop.
    #[must_use]
    pub const fn bits(&self) -> u32 {
        let parity = !matches!(self.parity, Parity::None) as u32;
        10 + parity + self.two_stops as u32
    }
}

impl fmt::Display for SerialSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parity = match self.parity {
            Parity::None => 'N',
            Parity::Even => 'E',
            Parity::Odd => 'O',
        };
        write!(f, "{}, {} baud 8{parity}{}", self.device.display(), self.baud, 1 + u8::from(self.two_stops))
    }
}

/// An open serial device, ours alone.
#[derive(Debug)]
pub struct Serial(File);

impl Serial {
    /// Opens and sets it. What came before is dropped.
    ///
    /// # Errors
    /// [`WireError`], with what to do.
    pub fn open(spec: &SerialSpec) -> Result<Self, WireError> {
        let path = || spec.device.clone();
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let fd = open(&spec.device, flags, Mode::empty()).map_err(|error| match error {
            Errno::NOENT | Errno::NODEV | Errno::NXIO => WireError::NoDevice(path()),
            Errno::ACCESS | Errno::PERM => WireError::Permission(path()),
            Errno::BUSY => WireError::Busy(path()),
            error => {
                WireError::Io { what: format!("opening {}", spec.device.display()), error: error.into() }
            }
        })?;
        let mut termios = tcgetattr(&fd).map_err(|_| WireError::NotSerial(path()))?;
        // The kernel keeps everybody else out of a locked device but root, who has to look.
        if is_locked(&fd).is_ok_and(|locked| locked) {
            return Err(WireError::Busy(path()));
        }
        ioctl_tiocexcl(&fd).map_err(|_| WireError::NotSerial(path()))?;
        let serial = Self(File::from(fd));
        let fd = &serial.0;
        let settings = |what: &str, error: Errno| WireError::Settings {
            path: path(),
            what: what.to_owned(),
            error: error.into(),
        };
        make_line(&mut termios, spec);
        termios.set_speed(spec.baud).map_err(|error| settings(&format!("{} baud", spec.baud), error))?;
        tcsetattr(fd, OptionalActions::Now, &termios).map_err(|error| settings(&spec.to_string(), error))?;
        // The call is good if it could set anything at all.
        let now = tcgetattr(fd).map_err(|error| settings("its settings", error))?;
        if now.output_speed() != spec.baud {
            return Err(settings(&format!("{} baud", spec.baud), Errno::INVAL));
        }
        if spec.transceiver == Transceiver::Kernel {
            turn_by_rts(fd).map_err(|error| settings("RS-485 by RTS (rs485 = \"kernel\")", error))?;
        }
        tcflush(fd, QueueSelector::IOFlush).map_err(|error| settings("an empty buffer", error))?;
        Ok(serial)
    }
}

impl Drop for Serial {
    fn drop(&mut self) {
        // The kernel takes the lock off with the last descriptor, which may be somebody else's.
        let _ = ioctl_tiocnxcl(&self.0);
    }
}

/// Whether somebody has locked a device.
fn is_locked(fd: impl AsFd) -> Result<bool, Errno> {
    const GET: Opcode = libc::TIOCGEXCL as Opcode;
    // SAFETY: TIOCGEXCL writes an `int`.
    let locked: libc::c_int = unsafe { ioctl(fd, Getter::<GET, libc::c_int>::new()) }?;
    Ok(locked != 0)
}

/// Eight bits, raw, no flow control, modem lines without meaning.
fn make_line(termios: &mut Termios, spec: &SerialSpec) {
    termios.make_raw();
    let parity = ControlModes::PARENB | ControlModes::PARODD | ControlModes::CMSPAR;
    termios.control_modes -= parity | ControlModes::CSTOPB | ControlModes::CRTSCTS;
    termios.control_modes |= ControlModes::CLOCAL | ControlModes::CREAD | ControlModes::CS8;
    match spec.parity {
        Parity::None => {}
        Parity::Even => termios.control_modes |= ControlModes::PARENB,
        Parity::Odd => termios.control_modes |= ControlModes::PARENB | ControlModes::PARODD,
    }
    if spec.two_stops {
        termios.control_modes |= ControlModes::CSTOPB;
    }
    // A byte with wrong parity is dropped: what is left fails its checksum, and no driver marks it otherwise.
    termios.input_modes -= InputModes::IXON | InputModes::IXOFF | InputModes::IXANY;
    if spec.parity != Parity::None {
        termios.input_modes |= InputModes::INPCK | InputModes::IGNPAR;
    }
}

/// `struct serial_rs485` of linux/serial.h.
#[repr(C)]
struct SerialRs485 {
    flags: u32,
    delay_rts_before_send: u32,
    delay_rts_after_send: u32,
    padding: [u32; 5],
}

/// `SER_RS485_ENABLED` and `SER_RS485_RTS_ON_SEND`.
const RS485_RTS_ON_SEND: u32 = 1 | 1 << 1;

fn turn_by_rts(fd: impl AsFd) -> Result<(), Errno> {
    const SET: Opcode = libc::TIOCSRS485 as Opcode;
    let wanted = SerialRs485 {
        flags: RS485_RTS_ON_SEND,
        delay_rts_before_send: 0,
        delay_rts_after_send: 0,
        padding: [0; 5],
    };
    // SAFETY: TIOCSRS485 takes a pointer to a `struct serial_rs485`, which `SerialRs485` is.
    unsafe { ioctl(fd, Setter::<SET, SerialRs485>::new(wanted)) }
}

/// `struct serial_icounter_struct` of linux/serial.h.
#[repr(C)]
struct SerialCounts {
    /// cts, dsr, rng, dcd, rx, tx.
    lines: [i32; 6],
    frame: i32,
    overrun: i32,
    parity: i32,
    brk: i32,
    buf_overrun: i32,
    reserved: [i32; 9],
}

impl Wire for Serial {
    fn fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }

    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        // An adapter that was pulled out reads as EIO or as an end; a raw line with nothing to say as EAGAIN.
        match self.0.read(into) {
            Ok(0) => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the device is gone")),
            other => not_now(other),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        not_now(self.0.write(bytes))
    }

    fn damage(&self) -> Option<Damage> {
        const GET: Opcode = libc::TIOCGICOUNT as Opcode;
        // SAFETY: TIOCGICOUNT writes a `struct serial_icounter_struct`, which `SerialCounts` is.
        let counts = unsafe { ioctl(&self.0, Getter::<GET, SerialCounts>::new()) }.ok()?;
        let n = |count: i32| u64::from(count.cast_unsigned());
        Some(Damage {
            framing: n(counts.frame),
            parity: n(counts.parity),
            overrun: n(counts.overrun).saturating_add(n(counts.buf_overrun)),
            breaks: n(counts.brk),
        })
    }
}
