// SPDX-License-Identifier: MIT OR Apache-2.0
//! Lets a group read a generation's counters: `gasd load --readers GROUP`.

use std::{
    fs, io,
    os::unix::fs::{PermissionsExt, chown},
};

use gasd_abi::layout::VERSION;

use crate::accounts::{GROUPS, id_in};

use super::{error::KernelError, pins::Pins};

/// What a group may have of a generation, and with which mode.
///
/// `live` is writable because a descriptor that was opened for reading only cannot be mapped; the map
/// is frozen, so nothing can be written through it. The others are looked up with `BPF_F_RDONLY`.
/// Not here: the ring, whose one reader is the daemon, and the programs.
const READABLE: [(&str, u32); 7] = [
    ("", 0o750),
    ("maps", 0o750),
    ("maps/meta", 0o640),
    ("maps/lines", 0o640),
    ("maps/live", 0o660),
    ("maps/totals", 0o640),
    ("maps/buckets", 0o640),
];

/// Number of a group of `/etc/group`; a number stands for itself.
///
/// # Errors
/// As [`id_in`].
pub fn gid_of(group: &str) -> io::Result<u32> {
    group.parse().or_else(|_| id_in(GROUPS, group))
}

/// Lets the group read this build's generation. Whoever made the pins may do so for a group of their own.
pub fn admit(pins: &Pins, gid: u32) -> Result<(), KernelError> {
    let dir = pins.generation(VERSION);
    for (name, mode) in READABLE {
        let path = if name.is_empty() { dir.clone() } else { dir.join(name) };
        chown(&path, None, Some(gid))
            .and_then(|()| fs::set_permissions(&path, fs::Permissions::from_mode(mode)))
            .map_err(|e| KernelError::io(format!("giving {} to the group {gid}", path.display()), e))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_stands_for_itself() {
        assert_eq!(gid_of("12").unwrap(), 12);
        assert_eq!(gid_of("root").unwrap(), 0);
        assert_eq!(gid_of("no-such-group").unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
