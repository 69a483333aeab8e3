// SPDX-License-Identifier: MIT OR Apache-2.0
//! Lets a group read a generation's counters: `gasd load --readers GROUP`.

use std::{
    fs, io,
    os::unix::fs::{PermissionsExt, chown},
};

use gasd_abi::layout::VERSION;

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

/// Number of a group of `/etc/group`; a number stands for itself. Without the name service, which the
/// loader has neither the rights nor the need to talk to.
///
/// # Errors
/// `/etc/group` cannot be read, or [`io::ErrorKind::NotFound`]: it has no such group.
pub fn gid_of(group: &str) -> io::Result<u32> {
    if let Ok(number) = group.parse() {
        return Ok(number);
    }
    let groups = fs::read_to_string("/etc/group")?;
    find(&groups, group).ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
}

fn find(groups: &str, group: &str) -> Option<u32> {
    groups.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next()? == group).then(|| fields.nth(1)?.parse().ok()).flatten()
    })
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
    fn a_group_is_found_by_its_whole_name() {
        let groups = "root:x:0:\ngasd-reader:x:7:a\nbroken\ngasd-read:x:998:gasd\n";
        assert_eq!(find(groups, "gasd-read"), Some(998));
        assert_eq!(find(groups, "gasd"), None);
        assert_eq!(find(groups, "broken"), None);
        assert_eq!(gid_of("12").unwrap(), 12);
        assert_eq!(gid_of("no-such-group").unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
