// SPDX-License-Identifier: MIT OR Apache-2.0
//! Shared records as bytes. The one place where memory is reinterpreted.

use std::mem::{MaybeUninit, size_of};

use gasd_abi::{
    FilterConfig, FilterState, Totals,
    live::LivePage,
    records::{Bucket, BucketKey, Event, LineConfig, Meta},
};

/// A record without padding for which every bit pattern is valid.
///
/// # Safety
/// `#[repr(C)]`, integers only, no padding; `gasd_abi::layout` asserts the sizes.
pub unsafe trait Plain: Copy {}

// SAFETY: see the asserts in `gasd_abi::layout`.
unsafe impl Plain for FilterConfig {}
// SAFETY: as above.
unsafe impl Plain for FilterState {}
// SAFETY: as above.
unsafe impl Plain for LivePage {}
// SAFETY: as above.
unsafe impl Plain for Totals {}
// SAFETY: as above.
unsafe impl Plain for LineConfig {}
// SAFETY: as above.
unsafe impl Plain for Event {}
// SAFETY: as above.
unsafe impl Plain for BucketKey {}
// SAFETY: as above.
unsafe impl Plain for Bucket {}
// SAFETY: as above.
unsafe impl Plain for Meta {}
// SAFETY: an integer.
unsafe impl Plain for u32 {}
// SAFETY: an integer.
unsafe impl Plain for u64 {}

/// The record's bytes.
pub fn as_bytes<T: Plain>(value: &T) -> &[u8] {
    // SAFETY: `Plain` has no padding, so all bytes are initialised.
    unsafe { std::slice::from_raw_parts(std::ptr::from_ref(value).cast(), size_of::<T>()) }
}

/// The record in the first bytes of `bytes`; `None` if there are too few.
pub fn from_bytes<T: Plain>(bytes: &[u8]) -> Option<T> {
    if bytes.len() < size_of::<T>() {
        return None;
    }
    let mut value = MaybeUninit::<T>::uninit();
    // SAFETY: enough bytes on both sides, and every pattern of them is a valid `T`.
    unsafe {
        std::ptr::copy_nonoverlapping(bytes.as_ptr(), value.as_mut_ptr().cast(), size_of::<T>());
        Some(value.assume_init())
    }
}

/// The u64 at `offset`, for records of another layout.
pub fn u64_at(bytes: &[u8], offset: u32) -> Option<u64> {
    from_bytes(bytes.get(offset as usize..)?)
}

/// The u32 at `offset`, for records of another layout.
pub fn u32_at(bytes: &[u8], offset: u32) -> Option<u32> {
    from_bytes(bytes.get(offset as usize..)?)
}
