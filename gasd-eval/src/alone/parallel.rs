// SPDX-License-Identifier: MIT OR Apache-2.0
//! Work on every core, results in order.

use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};

/// Applies `work` to each of `tasks`, with as many threads as there are cores; `done` is told how
/// many are.
pub fn map<T: Sync, R: Send>(
    tasks: &[T],
    work: impl Fn(&T) -> R + Sync,
    done: impl Fn(usize) + Sync,
) -> Vec<R> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let (next, finished) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let results: Mutex<Vec<(usize, R)>> = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..threads.min(tasks.len()) {
            scope.spawn(|| {
                while let Some((i, task)) = {
                    let i = next.fetch_add(1, Ordering::Relaxed);
                    tasks.get(i).map(|task| (i, task))
                } {
                    let result = work(task);
                    // A thread that panicked takes the scope down; what others found is whole.
                    results.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((i, result));
                    done(finished.fetch_add(1, Ordering::Relaxed) + 1);
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    results.sort_by_key(|(i, _)| *i);
    results.into_iter().map(|(_, result)| result).collect()
}
