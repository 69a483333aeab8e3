// SPDX-License-Identifier: MIT OR Apache-2.0
//! The functions of the C ABI, by object. Each checks what it is given, runs inside of the panic boundary,
//! writes its outputs only when it returns `GASD_OK`, and leaves a sentence when it does not.

pub mod client;
pub mod codes;
pub mod engine;
pub mod events;
pub mod feed;
pub mod live;
pub mod subscription;
pub mod valve;
pub mod verdict;
pub mod version;

use crate::abi::result::{Failure, gasd_result};

/// Writes an output.
///
/// # Safety
/// `to` is NULL or may be written.
unsafe fn put<T>(to: *mut T, what: &str, value: T) -> Result<(), Failure> {
    check_out(to, what)?;
    // SAFETY: the caller's promise, and it is not NULL. C may have packed it anywhere.
    unsafe { to.write_unaligned(value) };
    Ok(())
}

fn check_out<T>(to: *mut T, what: &str) -> Result<(), Failure> {
    if to.is_null() {
        return Err(Failure::new(gasd_result::GASD_NULL, format!("{what} is NULL")));
    }
    Ok(())
}

/// Writes text and its zero into a buffer; what is needed, with the zero, goes to `needed` in any case.
///
/// # Safety
/// `buffer` may be written for `size` bytes or is NULL; `needed` is NULL or may be written.
unsafe fn put_bytes(
    bytes: &[u8],
    zero: bool,
    buffer: *mut u8,
    size: usize,
    needed: *mut usize,
) -> Result<(), Failure> {
    let all = bytes.len() + usize::from(zero);
    if !needed.is_null() {
        // SAFETY: the caller's promise.
        unsafe { needed.write_unaligned(all) };
    }
    if buffer.is_null() || size < all {
        let message =
            format!("the buffer has {} bytes, and {all} are needed", if buffer.is_null() { 0 } else { size });
        return Err(Failure::new(gasd_result::GASD_BUFFER, message));
    }
    // SAFETY: so many bytes are there on both sides.
    unsafe {
        std::ptr::copy_nonoverlapping(bytes.as_ptr(), buffer, bytes.len());
        if zero {
            buffer.add(bytes.len()).write(0);
        }
    }
    Ok(())
}
