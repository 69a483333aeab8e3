// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which library this is, and what results say.

use std::ffi::c_char;

use crate::abi::result::{RESULTS, gasd_result, last_message};

/// Version of the header, `major << 16 | minor << 8 | patch`. A library of a higher minor has everything that
/// this header names.
pub const GASDETECT_VERSION_NUMBER: u32 = 0x0001_0000;
/// Version of the ABI: the first release of libgasdetect.so.1.
pub const GASDETECT_MAJOR: u32 = 1;
/// Functions were added with each.
pub const GASDETECT_MINOR: u32 = 0;
/// Nothing of the ABI changed.
pub const GASDETECT_PATCH: u32 = 0;

const _: () =
    assert!(GASDETECT_VERSION_NUMBER == GASDETECT_MAJOR << 16 | GASDETECT_MINOR << 8 | GASDETECT_PATCH);

/// The library's version, as `GASDETECT_VERSION_NUMBER` is the header's. A program that wants a function of
/// a later minor compares both.
///
/// Any thread, also in a signal handler.
#[unsafe(no_mangle)]
pub extern "C" fn gasd_version_number() -> u32 {
    GASDETECT_VERSION_NUMBER
}

/// The library's version as text, like "1.0.0"; lives for ever.
///
/// Any thread, also in a signal handler.
#[unsafe(no_mangle)]
pub extern "C" fn gasd_version() -> *const c_char {
    c"1.0.0".as_ptr()
}

/// The name of a result, like "GASD_DENIED"; "GASD_UNKNOWN" for a number that this version does not know.
/// Lives for ever.
///
/// Any thread, also in a signal handler.
#[unsafe(no_mangle)]
pub extern "C" fn gasd_result_name(result: i32) -> *const c_char {
    let known = usize::try_from(result).ok().and_then(|at| RESULTS.get(at));
    known.map_or(c"GASD_UNKNOWN", |(_, name, _)| name).as_ptr()
}

/// What a result means and what to do, in a few words. Lives for ever. The sentence of the very failure is
/// that of `gasd_error_message()`.
///
/// Any thread, also in a signal handler.
#[unsafe(no_mangle)]
pub extern "C" fn gasd_result_text(result: i32) -> *const c_char {
    let known = usize::try_from(result).ok().and_then(|at| RESULTS.get(at));
    known.map_or(c"a result that this version does not know", |(_, _, text)| text).as_ptr()
}

/// What was wrong with the last call of this thread that failed, as a sentence for a person; empty if none
/// failed. Valid until this thread's next call of the library.
///
/// Any thread; each has its own.
#[unsafe(no_mangle)]
pub extern "C" fn gasd_error_message() -> *const c_char {
    last_message()
}

/// `GASD_OK` is 0 for C's sake.
const _: () = assert!(gasd_result::GASD_OK as i32 == 0);
