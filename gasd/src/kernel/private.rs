// SPDX-License-Identifier: MIT OR Apache-2.0
//! A BPF file system of one's own, for a replay or a demonstration: it lives in a mount namespace of
//! this process and its children and is gone with them, pins and programs included.

use std::{
    ffi::CString,
    io,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

/// Leaves the machine's mounts alone from here on and mounts a BPF file system on `dir`.
///
/// Call it before any thread is made. Needs CAP_SYS_ADMIN.
pub fn mount_bpffs(dir: &Path) -> io::Result<PathBuf> {
    // SAFETY: no memory is passed; only this process's view of the mounts changes.
    if unsafe { libc::unshare(libc::CLONE_NEWNS) } != 0 {
        return Err(io::Error::last_os_error());
    }
    let private = libc::MS_REC | libc::MS_PRIVATE;
    mount(None, Path::new("/"), None, private)?;
    let at = dir.join("bpf");
    std::fs::create_dir_all(&at)?;
    mount(Some("bpf"), &at, Some("bpf"), libc::MS_NOSUID | libc::MS_NODEV | libc::MS_NOEXEC)?;
    Ok(at)
}

/// Lets the mount go, so that its directory can be removed.
pub fn unmount(at: &Path) {
    if let Ok(path) = CString::new(at.as_os_str().as_bytes()) {
        // SAFETY: a live string; a busy mount goes when its last user does.
        unsafe { libc::umount2(path.as_ptr(), libc::MNT_DETACH) };
    }
}

fn mount(source: Option<&str>, target: &Path, kind: Option<&str>, flags: libc::c_ulong) -> io::Result<()> {
    let text = |s: &str| CString::new(s);
    let source = source.map(text).transpose()?;
    let kind = kind.map(text).transpose()?;
    let target = CString::new(target.as_os_str().as_bytes())?;
    let or_null = |s: &Option<CString>| s.as_ref().map_or(std::ptr::null(), |s| s.as_ptr());
    // SAFETY: all strings live until the call returns; no data is passed.
    let ret =
        unsafe { libc::mount(or_null(&source), target.as_ptr(), or_null(&kind), flags, std::ptr::null()) };
    if ret == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
