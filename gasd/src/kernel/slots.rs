// SPDX-License-Identifier: MIT OR Apache-2.0
//! The dispatcher's slots: whose programs are in them, and the writes that change it.

use std::{
    io,
    os::fd::{AsFd, AsRawFd},
    path::{Path, PathBuf},
};

use aya::programs::ProgramInfo;
use gasd_abi::layout::VERSION;

use super::{
    error::KernelError,
    pins::{Pins, read_meta},
    sys,
};

/// A slot and the pin of the program that belongs into it.
const SLOTS: [(&str, &str); 2] = [("slots", "pulse"), ("twin_slots", "twin")];

/// Puts the programs of these two pins where the dispatcher hands interrupts and steps on. When it
/// returns, no program that was there before runs any more.
///
/// The steps first: once the first interrupt goes to another generation, no level is read into the
/// one before any more, which does not know that edge and would take the level for a contradiction.
pub fn switch(pins: &Pins, pulse: &Path, twin: &Path) -> Result<(), KernelError> {
    for (slot, pin) in [("twin_slots", twin), ("slots", pulse)] {
        let program = sys::obj_get(pin).map_err(|e| KernelError::open(pin, e))?;
        let map = pins.open_dispatch(slot)?;
        let fd = program.as_raw_fd() as u32;
        sys::update(map.as_fd(), &0u32.to_ne_bytes(), &fd.to_ne_bytes())
            .map_err(|e| KernelError::io(format!("writing {slot}"), e))?;
    }
    sys::grace_period();
    Ok(())
}

/// Id of the program in a slot; `None` while it is empty.
fn occupant(pins: &Pins, slot: &str) -> Result<Option<u32>, KernelError> {
    let map = pins.open_dispatch(slot)?;
    let mut id = [0u8; 4];
    match sys::lookup(map.as_fd(), &0u32.to_ne_bytes(), &mut id) {
        Ok(()) => Ok(Some(u32::from_ne_bytes(id))),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(KernelError::io(format!("reading {slot}"), e)),
    }
}

fn pinned(dir: &Path, name: &str) -> Option<u32> {
    ProgramInfo::from_pin(dir.join("progs").join(name)).ok().map(|i| i.id())
}

/// Whether both slots hold what is pinned in `dir`.
pub fn hold(pins: &Pins, dir: &Path) -> Result<bool, KernelError> {
    for (slot, name) in SLOTS {
        let id = occupant(pins, slot)?;
        if id.is_none() || id != pinned(dir, name) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The directory whose program counts the interrupts; `None` if it is pinned nowhere or there is none.
pub fn active(pins: &Pins) -> Result<Option<PathBuf>, KernelError> {
    let Some(id) = occupant(pins, "slots")? else { return Ok(None) };
    let dirs = pins.generations()?;
    // Between a swap of the slots and the renaming of the pins the program has its new name.
    Ok(dirs.into_iter().find(|d| pinned(d, "pulse") == Some(id) || pinned(d, "new-pulse") == Some(id)))
}

/// Refuses counters of this layout that no longer count, or not yet.
pub fn check(pins: &Pins) -> Result<(), KernelError> {
    if occupant(pins, "slots")?.is_none() {
        return Err(KernelError::NotLoaded(pins.root().to_owned()));
    }
    match active(pins)? {
        Some(dir) if dir != pins.generation(VERSION) => {
            let found = read_meta(&dir.join("maps/meta"))?.version;
            Err(KernelError::OtherLayout { root: pins.root().to_owned(), found, needed: VERSION })
        }
        // A program that is pinned nowhere is one that `gasd load` replaces at this moment.
        _ => Ok(()),
    }
}
