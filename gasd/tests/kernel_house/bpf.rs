// SPDX-License-Identifier: MIT OR Apache-2.0
//! bpf(2) by hand, for what only an intruder would do and for proof that nothing is left.

use std::{
    ffi::CString,
    io,
    mem::size_of,
    os::{
        fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
    path::Path,
};

use gasd::kernel::sys;

pub const ARRAY: u32 = 2;
pub const HASH: u32 = 1;

const MAP_CREATE: u32 = 0;
const MAP_DELETE_ELEM: u32 = 3;
const OBJ_PIN: u32 = 6;
const PROG_GET_FD_BY_ID: u32 = 13;

fn bpf<T>(command: u32, mut attr: T) -> io::Result<i32> {
    let size = size_of::<T>();
    // SAFETY: `attr` is a live attribute block of the size given.
    let ret = unsafe { libc::syscall(libc::SYS_bpf, command, &raw mut attr, size) };
    if ret < 0 { Err(io::Error::last_os_error()) } else { Ok(ret as i32) }
}

/// Makes a map.
pub fn create_map(kind: u32, key: u32, value: u32, entries: u32, flags: u32) -> io::Result<OwnedFd> {
    let fd = bpf(MAP_CREATE, [kind, key, value, entries, flags])?;
    // SAFETY: the kernel has just handed it out.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Pins a map, replacing what is there.
pub fn pin(fd: BorrowedFd<'_>, path: &Path) {
    #[repr(C)]
    struct Attr {
        pathname: u64,
        fd: u32,
        flags: u32,
    }
    let _ = std::fs::remove_file(path);
    let name = CString::new(path.as_os_str().as_bytes()).unwrap();
    bpf(OBJ_PIN, Attr { pathname: name.as_ptr() as u64, fd: fd.as_raw_fd() as u32, flags: 0 }).unwrap();
}

/// Empties an entry.
pub fn delete(map: BorrowedFd<'_>, key: u32) {
    #[repr(C)]
    struct Attr {
        fd: u32,
        pad: u32,
        key: u64,
    }
    bpf(MAP_DELETE_ELEM, Attr { fd: map.as_raw_fd() as u32, pad: 0, key: (&raw const key) as u64 }).unwrap();
}

/// Whether a program of this id is still in the kernel.
pub fn program_exists(id: u32) -> bool {
    match bpf(PROG_GET_FD_BY_ID, [id, 0, 0]) {
        // SAFETY: the kernel has just handed it out; it is closed again.
        Ok(fd) => drop(unsafe { OwnedFd::from_raw_fd(fd) }),
        Err(e) => return e.raw_os_error() != Some(libc::ENOENT),
    }
    true
}

/// What a pin is: a map's or program's id, enough to see whether it is still the same one.
pub fn identity(path: &Path) -> String {
    if let Some(id) = super::program_id(path) {
        return format!("program {id}");
    }
    if path.file_name().is_some_and(|n| n == "link") {
        return "link".into();
    }
    let fd = sys::obj_get(path).unwrap();
    let info = sys::map_info(std::os::fd::AsFd::as_fd(&fd)).unwrap();
    format!("map {} type {} value {}", info.id, info.map_type, info.value_size)
}
