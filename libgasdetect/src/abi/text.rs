// SPDX-License-Identifier: MIT OR Apache-2.0
//! Text from C and to C.

use std::ffi::{CStr, CString, c_char};

use super::result::{Failure, gasd_result};

/// Text that must be there.
///
/// # Safety
/// `text` is NULL or points to a string that ends with a zero and stays as it is during the call.
///
/// # Errors
/// `GASD_NULL`, or `GASD_INVALID` for what is no UTF-8.
pub unsafe fn required<'a>(text: *const c_char, what: &str) -> Result<&'a str, Failure> {
    // SAFETY: the caller's promise.
    unsafe { optional(text, what) }?
        .ok_or_else(|| Failure::new(gasd_result::GASD_NULL, format!("{what} is NULL")))
}

/// Text that may be left out.
///
/// # Safety
/// As [`required`].
///
/// # Errors
/// `GASD_INVALID` for what is no UTF-8.
pub unsafe fn optional<'a>(text: *const c_char, what: &str) -> Result<Option<&'a str>, Failure> {
    if text.is_null() {
        return Ok(None);
    }
    // SAFETY: the caller's promise, and it is not NULL.
    let text = unsafe { CStr::from_ptr(text) };
    let no_utf8 = |_| Failure::new(gasd_result::GASD_INVALID, format!("{what} is no UTF-8"));
    text.to_str().map(Some).map_err(no_utf8)
}

/// Bytes of an id.
const ID: usize = 64;

/// The id of a meter.
///
/// # Safety
/// As [`required`].
///
/// # Errors
/// `GASD_NULL`, or `GASD_INVALID` for what cannot be one in any configuration.
pub unsafe fn id<'a>(text: *const c_char, what: &str) -> Result<&'a str, Failure> {
    // SAFETY: the caller's promise.
    let id = unsafe { required(text, what) }?;
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if id.is_empty() || id.len() > ID || !id.chars().all(fits) {
        let message = format!("{what} \"{id}\" is no id: expected 1 to {ID} of A-Z a-z 0-9 _ -");
        return Err(Failure::new(gasd_result::GASD_INVALID, message));
    }
    Ok(id)
}

/// Text for C; it ends at a zero inside, which none of gasd's has.
pub fn c_string(text: &str) -> CString {
    let end = text.find('\0').unwrap_or(text.len());
    CString::new(&text[..end]).unwrap_or_default()
}
