// SPDX-License-Identifier: MIT OR Apache-2.0
//! A panic inside of each export, when a test asks for it by the environment.

/// Panics if `GASDETECT_TEST_PANIC` is set.
pub fn perhaps() {
    assert!(std::env::var_os("GASDETECT_TEST_PANIC").is_none(), "a panic that a test asked for");
}
