// SPDX-License-Identifier: MIT OR Apache-2.0
//! Work on all cores. What comes out does not depend on how many there are.

use std::io::{IsTerminal, Write, stderr};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// As many threads as there are cores.
#[must_use]
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// `work(0)` to `work(n - 1)` on `jobs` threads; results in order. Progress goes to stderr.
pub fn parallel<T: Send>(what: &str, n: usize, jobs: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new((Vec::with_capacity(n), Instant::now(), Instant::now()));
    std::thread::scope(|scope| {
        for _ in 0..jobs.clamp(1, n.max(1)) {
            scope.spawn(|| {
                loop {
                    let i = next.fetch_add(1, Ordering::Relaxed);
                    if i >= n {
                        return;
                    }
                    let result = work(i);
                    let Ok(mut guard) = done.lock() else { return };
                    let (results, began, said) = &mut *guard;
                    results.push((i, result));
                    if said.elapsed().as_secs() >= 2 || results.len() == n {
                        *said = Instant::now();
                        say(what, results.len(), n, began.elapsed().as_secs());
                    }
                }
            });
        }
    });
    let mut results = match done.into_inner() {
        Ok((results, ..)) => results,
        Err(poisoned) => poisoned.into_inner().0,
    };
    results.sort_by_key(|r| r.0);
    results.into_iter().map(|r| r.1).collect()
}

/// One line that is written over on a terminal. A progress line that cannot be written is no reason to
/// stop.
fn say(what: &str, done: usize, n: usize, seconds: u64) {
    let left = seconds * (n - done) as u64 / done.max(1) as u64;
    let end = if stderr().is_terminal() && done < n { "\r" } else { "\n" };
    let _ = write!(stderr(), "{what}: {done}/{n}, {seconds} s, {left} s to go   {end}");
}
