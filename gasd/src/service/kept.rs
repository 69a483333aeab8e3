// SPDX-License-Identifier: MIT OR Apache-2.0
//! Line requests that the service manager keeps for us (`FileDescriptorStoreMax=`).
//!
//! An interrupt lives as long as the request does. The manager holds a copy, so a daemon that dies
//! leaves the interrupt in place: the kernel goes on counting until the next daemon has come up. A
//! kept output line keeps its level, too.

use std::{
    collections::HashMap,
    io,
    os::fd::{BorrowedFd, FromRawFd, OwnedFd},
};

use sd_notify::NotifyState;

use crate::{
    config::GpioLine,
    journal::{self, Note, what::What},
};

/// What was kept, by name.
#[derive(Debug, Default)]
pub struct Kept(HashMap<String, OwnedFd>);

/// The name of a meter's line. It changes with the line's settings, so a line that was configured
/// otherwise is never taken for this one.
#[must_use]
pub fn line_name(id: &str, gpio: &GpioLine) -> String {
    let key = gasd_abi::records::meter_key(&format!("{gpio:?}"));
    format!("line-{id}-{key:016x}")
}

/// The name of a valve's line.
#[must_use]
pub fn valve_name(id: &str) -> String {
    format!("valve-{id}")
}

impl Kept {
    /// Takes what the manager passed to this process.
    pub fn take() -> io::Result<Self> {
        let fds = sd_notify::listen_fds_with_names()?;
        // SAFETY: the descriptors were passed to this process alone (LISTEN_PID is checked) and
        // nothing else takes them; each is wrapped once.
        Ok(Self(fds.map(|(fd, name)| (name, unsafe { OwnedFd::from_raw_fd(fd) })).collect()))
    }

    /// The descriptor of that name.
    pub fn claim(&mut self, name: &str) -> Option<OwnedFd> {
        self.0.remove(name)
    }

    /// Gives up what nobody claimed: its meter or valve is gone from the configuration.
    pub fn discard_rest(self) {
        for (name, fd) in self.0 {
            forget(&name);
            drop(fd);
        }
    }
}

/// Tells the manager to let go of what it keeps under a name: a request of a chip that went away keeps
/// the chip's number taken for as long as it is open.
pub fn forget(name: &str) {
    let _ = sd_notify::notify(&[NotifyState::FdStoreRemove, NotifyState::FdName(name)]);
}

/// Asks the manager to keep a descriptor. It recognises one that it keeps already. Without a manager
/// nothing happens.
///
/// Never "remove, then keep" for a request that is in use: killed in between, this process would take
/// the request with it, and so the interrupt or the level. Another request of that name has to be
/// [forgotten](forget) when it turns out to be useless.
pub fn keep(name: &str, fd: BorrowedFd<'_>) -> io::Result<()> {
    if std::env::var_os("NOTIFY_SOCKET").is_none() {
        return Ok(());
    }
    sd_notify::notify_with_fds(&[NotifyState::FdStore, NotifyState::FdName(name)], &[fd])
}

/// Keeps the manager's copy of a valve's line true.
pub fn follow_valve(id: &str, fd: Option<BorrowedFd<'_>>) {
    let name = valve_name(id);
    match fd {
        Some(fd) => {
            if let Err(error) = keep(&name, fd) {
                let text = format!("the service manager did not keep the line of valve \"{id}\": {error}");
                journal::tell(Note::new(What::LineNotKept, text).valve(id));
            }
        }
        None => forget(&name),
    }
}
