// SPDX-License-Identifier: MIT OR Apache-2.0
//! Structs that may grow: each begins with `struct_size`, which says how much of it the caller knows.

use std::mem::size_of;

use super::result::{Failure, gasd_result};

/// A struct of plain numbers and pointers that begins with `struct_size: usize`.
///
/// # Safety
/// `#[repr(C)]`, the first field is the size, every bit pattern that C can write is valid, and all zero
/// bytes are "not given".
pub unsafe trait Sized0: Copy {
    /// Its size in the first release that had it.
    const FIRST: usize;
    /// Its name in C.
    const NAME: &'static str;
}

/// Largest struct that a newer header may hand in.
const MOST: usize = 4096;

/// What a caller handed in; what an older caller does not know is zero.
///
/// # Safety
/// `given` is NULL or points to a `struct_size` and as many bytes as that says.
///
/// # Errors
/// `GASD_NULL`; `GASD_STRUCT_SIZE` for a size that no version has, or for a newer struct whose new fields
/// are used: this library would leave out what they ask for.
pub unsafe fn read<T: Sized0>(given: *const T) -> Result<T, Failure> {
    if given.is_null() {
        return Err(Failure::new(gasd_result::GASD_NULL, format!("the {} is NULL", T::NAME)));
    }
    // SAFETY: the caller's promise: at least the size is there. C may have packed it anywhere.
    let size = unsafe { given.cast::<usize>().read_unaligned() };
    check::<T>(size)?;
    // SAFETY: all zero bytes are a value of T.
    let mut value: T = unsafe { std::mem::zeroed() };
    let known = size.min(size_of::<T>());
    // SAFETY: `known` bytes are there on both sides, and the sides are two.
    unsafe { std::ptr::copy_nonoverlapping(given.cast::<u8>(), (&raw mut value).cast::<u8>(), known) };
    for at in size_of::<T>()..size {
        // SAFETY: the caller says that so many bytes are there.
        if unsafe { given.cast::<u8>().add(at).read() } != 0 {
            let message = format!(
                "{}: this libgasdetect knows {} bytes of it, and a field behind them is set; it is older than the header",
                T::NAME,
                size_of::<T>()
            );
            return Err(Failure::new(gasd_result::GASD_STRUCT_SIZE, message));
        }
    }
    Ok(value)
}

/// Writes as much of `value` as the caller knows; its `struct_size` stays.
///
/// # Safety
/// As [`read`]; the bytes may be written.
///
/// # Errors
/// `GASD_NULL`, `GASD_STRUCT_SIZE`; then nothing is written.
pub unsafe fn write<T: Sized0>(to: *mut T, value: &T) -> Result<(), Failure> {
    if to.is_null() {
        return Err(Failure::new(gasd_result::GASD_NULL, format!("the {} is NULL", T::NAME)));
    }
    // SAFETY: the caller's promise.
    let size = unsafe { to.cast::<usize>().read_unaligned() };
    check::<T>(size)?;
    let head = size_of::<usize>();
    let known = size.min(size_of::<T>());
    // SAFETY: `known` bytes are there on both sides; the first word stays.
    unsafe {
        std::ptr::copy_nonoverlapping(
            (&raw const *value).cast::<u8>().add(head),
            to.cast::<u8>().add(head),
            known - head,
        );
    }
    Ok(())
}

fn check<T: Sized0>(size: usize) -> Result<(), Failure> {
    if (T::FIRST..=MOST).contains(&size) {
        return Ok(());
    }
    let message =
        format!("{}: struct_size is {size}, expected at least {}; set it to sizeof", T::NAME, T::FIRST);
    Err(Failure::new(gasd_result::GASD_STRUCT_SIZE, message))
}

/// Says that a struct may grow.
macro_rules! sized {
    ($type:ty, $first:expr) => {
        // SAFETY: `#[repr(C)]` with the size first, and numbers and pointers behind it.
        unsafe impl $crate::abi::sized::Sized0 for $type {
            const FIRST: usize = $first;
            const NAME: &'static str = stringify!($type);
        }
    };
}
pub(crate) use sized;

#[cfg(test)]
mod tests {
    use super::*;

    #[repr(C)]
    #[derive(Clone, Copy, Debug, PartialEq)]
    struct Now {
        struct_size: usize,
        old: u64,
        new: u64,
    }
    sized!(Now, 16);

    #[repr(C)]
    #[derive(Clone, Copy)]
    struct Later {
        now: Now,
        newer: u64,
    }

    fn result(found: Result<Now, Failure>) -> gasd_result {
        found.err().map_or(gasd_result::GASD_OK, |failure| failure.result)
    }

    #[test]
    fn an_older_and_a_newer_caller_are_understood() {
        // SAFETY: the sizes are those of live structs.
        unsafe {
            let old = Now { struct_size: 16, old: 1, new: 99 };
            assert_eq!(read(&raw const old).unwrap(), Now { struct_size: 16, old: 1, new: 0 });
            let mut later = Later { now: Now { struct_size: 32, old: 1, new: 2 }, newer: 0 };
            assert_eq!(read((&raw const later).cast::<Now>()).unwrap().new, 2);
            later.newer = 1;
            assert_eq!(result(read((&raw const later).cast::<Now>())), gasd_result::GASD_STRUCT_SIZE);
            for size in [0, 15, MOST + 1, usize::MAX] {
                let wrong = Now { struct_size: size, old: 0, new: 0 };
                assert_eq!(result(read(&raw const wrong)), gasd_result::GASD_STRUCT_SIZE, "{size}");
            }
            assert_eq!(result(read(std::ptr::null::<Now>())), gasd_result::GASD_NULL);
        }
    }

    #[test]
    fn no_more_is_written_than_the_caller_has() {
        let value = Now { struct_size: 0, old: 5, new: 6 };
        let mut old = Now { struct_size: 16, old: 1, new: 2 };
        // SAFETY: the size is below that of the live struct.
        unsafe { write(&raw mut old, &value) }.unwrap();
        assert_eq!(old, Now { struct_size: 16, old: 5, new: 2 });
    }
}
