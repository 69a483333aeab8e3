// SPDX-License-Identifier: MIT OR Apache-2.0
//! The boundary: no panic leaves an export, and each failure leaves its sentence.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::result::{Failure, gasd_result, keep_message};

/// Runs the body of an export.
pub fn call(body: impl FnOnce() -> Result<(), Failure>) -> gasd_result {
    value(gasd_result::GASD_PANIC, || body().map(|()| gasd_result::GASD_OK)).unwrap_or_else(|result| result)
}

/// Runs the body of an export that returns something else than a result.
pub fn value<T>(panicked: gasd_result, body: impl FnOnce() -> Result<T, Failure>) -> Result<T, gasd_result> {
    // What a panic leaves half done is behind a mutex that is poisoned, or in a handle that says so.
    let caught = catch_unwind(AssertUnwindSafe(|| {
        #[cfg(feature = "test-panic")]
        crate::abi::test_panic::perhaps();
        body()
    }));
    match caught {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(failure)) => {
            keep_message(&failure.message);
            Err(failure.result)
        }
        Err(panic) => {
            let why = panic
                .downcast_ref::<&str>()
                .map(|text| (*text).to_owned())
                .or_else(|| panic.downcast_ref::<String>().cloned())
                .unwrap_or_default();
            // Dropping what was thrown may throw again.
            std::mem::forget(panic);
            keep_message(&format!("a fault of libgasdetect, please report it: {why}"));
            Err(panicked)
        }
    }
}
