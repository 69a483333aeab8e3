// SPDX-License-Identifier: MIT OR Apache-2.0
//! Line requests that the service manager keeps for us (`FileDescriptorStoreMax=`).
//!
//! An interrupt lives as long as the request does. The manager holds a copy, so a daemon that dies
//! leaves the interrupt in place: the kernel goes on counting until the next daemon has come up. A
//! kept output line keeps its level, too.

use std::{
    collections::HashMap,
    io,
    os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd},
    time::Duration,
};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use sd_notify::NotifyState;

use crate::{
    config::{Actuator, Config, GpioLine, ValveConfig},
    journal::{self, Note, what::What},
    response::request::is_request_of,
};

/// How long the manager may take to let go of what it is to forget.
const LETS_GO_WITHIN: Duration = Duration::from_secs(2);

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

/// The name of a line that holds a valve: the line's own, as the valve may get another name, or the name another line.
#[must_use]
pub fn valve_name(line: &GpioLine) -> String {
    let key = gasd_abi::records::meter_key(&line.in_one_spelling());
    format!("{VALVE}{key:016x}")
}

/// What names of valves' lines begin with. An earlier gasd has the valve's id behind it.
const VALVE: &str = "valve-";

/// The request of a valve's line that was kept, and its name.
#[derive(Debug)]
pub struct KeptValve {
    /// Under which the manager has it.
    pub name: String,
    /// The request.
    pub fd: OwnedFd,
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

    /// The requests of the lines that hold valves, by the ids that the valves have now, whatever they were called when that
    /// was kept.
    pub fn valves(&mut self, config: &Config) -> HashMap<String, KeptValve> {
        let lines = || {
            config.valves.iter().filter_map(|valve| match &valve.actuator {
                Actuator::Gpio { line, pulse_ns: None, .. } => Some((&valve.id, line)),
                _ => None,
            })
        };
        let mut found = HashMap::new();
        for (id, line) in lines() {
            let name = valve_name(line);
            if let Some(fd) = self.claim(&name) {
                found.insert(id.clone(), KeptValve { name, fd });
            }
        }
        // By an earlier gasd, or with the chip spelt otherwise.
        for (id, line) in lines() {
            let its = |(name, fd): &(&String, &OwnedFd)| name.starts_with(VALVE) && is_request_of(fd, line);
            let name = self.0.iter().find(its).map(|(name, _)| name.clone());
            if let (false, Some(name)) = (found.contains_key(id), name)
                && let Some(fd) = self.claim(&name)
            {
                found.insert(id.clone(), KeptValve { name, fd });
            }
        }
        found
    }

    /// Gives up what no meter of the configuration has: its line is to be requested anew, or is nobody's any more. Before
    /// anything is requested: a line that is kept is taken, whatever its name.
    pub fn discard_but_meters(&mut self, config: &Config) {
        let names = config.meters.iter().filter_map(|meter| Some(line_name(&meter.id, meter.source.chip()?)));
        let names: Vec<String> = names.collect();
        let mut is_any = false;
        for (name, fd) in self.0.extract_if(|name, _| !names.contains(name)) {
            forget(&name);
            drop(fd);
            is_any = true;
        }
        if is_any && let Err(error) = barrier() {
            let text = format!("the service manager may still keep lines that nobody has any more: {error}");
            journal::tell(Note::new(What::LineNotKept, text));
        }
    }
}

/// Waits until the manager has done what it was told before.
fn barrier() -> io::Result<()> {
    if std::env::var_os("NOTIFY_SOCKET").is_none() {
        return Ok(());
    }
    let (ours, theirs) = io::pipe()?;
    sd_notify::notify_with_fds(&[NotifyState::Custom("BARRIER=1")], &[theirs.as_fd()])?;
    drop(theirs);
    let timeout = Timespec { tv_sec: LETS_GO_WITHIN.as_secs().cast_signed(), tv_nsec: 0 };
    // It closes its end then; nothing is ever written.
    match poll(&mut [PollFd::new(&ours, PollFlags::empty())], Some(&timeout))? {
        0 => Err(io::ErrorKind::TimedOut.into()),
        _ => Ok(()),
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

/// Under which names the manager keeps a valve's line.
#[derive(Debug)]
pub struct ValveLine {
    name: String,
    /// That of the start, where it is another.
    before: Option<String>,
}

/// The same of each valve, in the order of the configuration.
#[must_use]
pub fn valve_lines(config: &Config, kept: &HashMap<String, KeptValve>) -> Vec<ValveLine> {
    let of = |valve: &ValveConfig| {
        let name = match &valve.actuator {
            Actuator::Gpio { line, .. } => valve_name(line),
            // Has none that is kept.
            Actuator::Simulated | Actuator::Meter { .. } => String::new(),
        };
        let before = kept.get(&valve.id).map(|kept| kept.name.clone()).filter(|before| *before != name);
        ValveLine { name, before }
    };
    config.valves.iter().map(of).collect()
}

impl ValveLine {
    /// Keeps the manager's copy of the line true.
    pub fn follow(&self, id: &str, fd: Option<BorrowedFd<'_>>) {
        let Some(fd) = fd else {
            forget(&self.name);
            self.before.iter().for_each(|before| forget(before));
            return;
        };
        // One that it keeps under the name of before stays there.
        if let Err(error) = keep(&self.name, fd) {
            let text = format!("the service manager did not keep the line of valve \"{id}\": {error}");
            journal::tell(Note::new(What::LineNotKept, text).valve(id));
        }
    }
}

#[cfg(test)]
#[path = "kept_tests.rs"]
mod tests;
