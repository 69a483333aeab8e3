// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the process itself is set to, before there is a second thread or a secret.

use std::fs;

/// Of `/proc/self/coredump_filter`: the first page of what is mapped from a program, and no page of data. See core(5).
const NO_DATA: &str = "0x10";

/// Must be called before any thread exists.
pub(super) fn prepare() {
    few_arenas();
    no_secret_in_a_dump();
}

/// One heap for all threads: each further one costs memory and buys speed that nobody needs here.
fn few_arenas() {
    #[cfg(target_env = "gnu")]
    // SAFETY: called before any thread exists; the parameter is documented in mallopt(3).
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 1);
    }
}

/// Keys of meters will be in memory, and a crash handler is fed by the kernel whatever the limit on the size of a core
/// says. A kernel that has no such file writes no core dumps.
fn no_secret_in_a_dump() {
    let _ = fs::write("/proc/self/coredump_filter", NO_DATA);
}
