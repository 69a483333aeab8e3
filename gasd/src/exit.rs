// SPDX-License-Identifier: MIT OR Apache-2.0
//! Exit codes of `gasd`. A script may rely on them.

use std::process::ExitCode;

use crate::{
    journal::{self, Note, what::What},
    kernel::KernelError,
    ports::gpio::GpioError,
    store::StoreError,
};

/// Something failed that none of the others names.
pub const FAILED: u8 = 1;
/// Bad input: the command line, the configuration, a trace.
pub const BAD_INPUT: u8 = 2;
/// Something is missing: a chip, a line, BTF, a BPF file system, the pins.
pub const MISSING: u8 = 3;
/// Not permitted; the message names the capability or the group.
pub const NOT_PERMITTED: u8 = 4;
/// In use by somebody else: a line, the store, the bus name, the pin directory.
pub const BUSY: u8 = 5;
/// A foreign, older or damaged pin or store; nothing was touched.
pub const FOREIGN: u8 = 6;
/// The disk is full or cannot be written.
pub const DISK: u8 = 7;

/// An error that ends the program: words and a code.
#[derive(Debug)]
pub struct Fatal {
    /// What is wrong and what to do.
    pub message: String,
    /// One of the codes above.
    pub code: u8,
}

impl Fatal {
    /// Words and a code.
    pub fn new(code: u8, message: impl Into<String>) -> Self {
        Self { message: message.into(), code }
    }

    /// Says it and turns it into the process's exit code.
    #[must_use]
    pub fn report(&self) -> ExitCode {
        journal::tell(Note::new(What::Failed, self.message.as_str()));
        ExitCode::from(self.code)
    }
}

impl From<KernelError> for Fatal {
    fn from(error: KernelError) -> Self {
        let code = match &error {
            KernelError::NoBpffs(_) | KernelError::NoBtf | KernelError::NotLoaded(_) => MISSING,
            KernelError::NotPermitted { .. } | KernelError::PinPermission { .. } => NOT_PERMITTED,
            KernelError::OtherLayout { .. }
            | KernelError::Foreign { .. }
            | KernelError::Damaged(_)
            | KernelError::Fingerprint { .. } => FOREIGN,
            KernelError::Busy(_) | KernelError::InUse(_) => BUSY,
            KernelError::NoFreeLine(_) | KernelError::IrqTooLarge { .. } => BAD_INPUT,
            _ => FAILED,
        };
        Fatal::new(code, error.to_string())
    }
}

impl From<GpioError> for Fatal {
    fn from(error: GpioError) -> Self {
        let code = match &error {
            GpioError::ChipMissing { .. } | GpioError::LineMissing { .. } | GpioError::Gone { .. } => MISSING,
            GpioError::NoInterrupt { .. } => MISSING,
            GpioError::Busy { .. } => BUSY,
            GpioError::Permission { .. } => NOT_PERMITTED,
            GpioError::Io { .. } => FAILED,
        };
        Fatal::new(code, error.to_string())
    }
}

impl From<StoreError> for Fatal {
    fn from(error: StoreError) -> Self {
        let code = match &error {
            StoreError::MissingDirectory { .. } => MISSING,
            StoreError::Permission { .. } => NOT_PERMITTED,
            StoreError::DiskFull { .. } | StoreError::ReadOnly { .. } => DISK,
            StoreError::Locked { .. } => BUSY,
            StoreError::Corrupted { .. } | StoreError::Newer { .. } => FOREIGN,
            _ => FAILED,
        };
        Fatal::new(code, error.to_string())
    }
}
