// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who is a member of a group, asked of the system's name service (files, sssd, LDAP …).
//!
//! Blocks for as long as the name service does; call it off the event loop.

use std::ffi::{CStr, CString};
use std::mem::MaybeUninit;

/// Most memory that one entry of the user or group database may take.
const ENTRY_MAX: usize = 1 << 20;
/// Most groups that one user may be in; Linux's own limit.
const GROUPS_MAX: usize = 65_536;

/// The number of a group; `None` when there is no such group or the lookup failed.
pub(super) fn gid_of(group: &str) -> Option<u32> {
    let name = CString::new(group).ok()?;
    let mut buffer = vec![0; 1024];
    loop {
        let mut entry = MaybeUninit::<libc::group>::uninit();
        let mut found = std::ptr::null_mut();
        // SAFETY: all pointers are valid for the call and the length is the buffer's.
        let code = unsafe {
            libc::getgrnam_r(
                name.as_ptr(),
                entry.as_mut_ptr(),
                buffer.as_mut_ptr(),
                buffer.len(),
                &raw mut found,
            )
        };
        match code {
            0 if found.is_null() => return None,
            // SAFETY: the call succeeded and found an entry, so it filled `entry`.
            0 => return Some(unsafe { entry.assume_init() }.gr_gid),
            libc::ERANGE if buffer.len() < ENTRY_MAX => buffer.resize(buffer.len() * 2, 0),
            _ => return None,
        }
    }
}

/// Name and primary group of a user.
fn user(uid: u32) -> Option<(CString, u32)> {
    let mut buffer = vec![0; 1024];
    loop {
        let mut entry = MaybeUninit::<libc::passwd>::uninit();
        let mut found = std::ptr::null_mut();
        // SAFETY: all pointers are valid for the call and the length is the buffer's.
        let code = unsafe {
            libc::getpwuid_r(uid, entry.as_mut_ptr(), buffer.as_mut_ptr(), buffer.len(), &raw mut found)
        };
        match code {
            0 if found.is_null() => return None,
            0 => {
                // SAFETY: the call succeeded and found an entry, so it filled `entry`.
                let entry = unsafe { entry.assume_init() };
                // SAFETY: pw_name points to a terminated string inside `buffer`, which still lives.
                let name = unsafe { CStr::from_ptr(entry.pw_name) };
                return Some((name.to_owned(), entry.pw_gid));
            }
            libc::ERANGE if buffer.len() < ENTRY_MAX => buffer.resize(buffer.len() * 2, 0),
            _ => return None,
        }
    }
}

/// All groups of a user; empty when the user is not known or the lookup failed.
pub fn groups_of(uid: u32) -> Vec<u32> {
    let Some((name, primary)) = user(uid) else {
        return Vec::new();
    };
    let mut groups: Vec<libc::gid_t> = vec![0; 64];
    loop {
        let Ok(mut count) = libc::c_int::try_from(groups.len()) else {
            return Vec::new();
        };
        // SAFETY: the name is terminated, and `count` is the number of entries that fit.
        let code = unsafe { libc::getgrouplist(name.as_ptr(), primary, groups.as_mut_ptr(), &raw mut count) };
        if code >= 0 {
            groups.truncate(usize::try_from(count).unwrap_or(0));
            return groups;
        }
        if groups.len() >= GROUPS_MAX {
            return Vec::new();
        }
        groups.resize(groups.len() * 2, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_is_in_its_own_group() {
        assert_eq!(gid_of("root"), Some(0));
        assert!(groups_of(0).contains(&0));
    }

    #[test]
    fn what_does_not_exist_is_not_found() {
        assert_eq!(gid_of("no-such-group-of-gasd"), None);
        assert_eq!(gid_of("nul\0byte"), None);
        assert_eq!(groups_of(4_294_000_001), Vec::<u32>::new());
    }
}
