// SPDX-License-Identifier: MIT OR Apache-2.0
//! Any bytes as a trace: read or refused, and the quick way of reading a row says what the careful
//! one says.
#![no_main]

use std::io::{BufRead, BufReader};

use gasd::replay::{Row, Trace};
use libfuzzer_sys::fuzz_target;

/// A line so long may cross the reader's limit by the one space that is added below.
const NEAR_LIMIT: usize = 4_000;

fn read(input: impl BufRead) -> (Vec<Row>, Option<String>) {
    let mut trace = Trace::new("t", input);
    let mut rows = Vec::new();
    for row in trace.by_ref() {
        match row {
            Ok(row) => rows.push(row),
            Err(error) => {
                assert!(trace.next().is_none(), "read on after an error");
                return (rows, Some(error.to_string()));
            }
        }
    }
    (rows, None)
}

fuzz_target!(|bytes: &[u8]| {
    let (rows, error) = read(bytes);
    assert!(rows.is_sorted_by_key(|row| row.t_ns));
    assert!(rows.iter().all(|row| row.level <= 1));
    if let Some(error) = &error {
        assert!(error.len() < 1_000 && error.lines().count() == 1, "{error}");
    }
    assert_eq!(read(BufReader::with_capacity(1, bytes)), (rows.clone(), error.clone()));

    let lines = || bytes.split(|byte| *byte == b'\n');
    if lines().all(|line| line.len() < NEAR_LIMIT) {
        // A space at a line's end changes nothing, but the quick way leaves such a line alone.
        let spaced = lines().collect::<Vec<_>>().join(&b" \n"[..]);
        assert_eq!(read(spaced.as_slice()), (rows, error));
    }
});
