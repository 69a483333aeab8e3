// SPDX-License-Identifier: MIT OR Apache-2.0
//! A trace streams: memory does not grow with it. The only test of its program, so that the
//! process's peak is the replay's.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::io::{BufReader, Read};
use std::time::Instant;

use gasd::config::parse;
use gasd::replay::{self, Trace, UserFilter};

/// A trace that is written as it is read: eight lines, one of them without a meter.
struct Endless {
    rows: u64,
    t_ns: u64,
    buffer: Vec<u8>,
    at: usize,
    left: u64,
}

impl Endless {
    fn new(rows: u64) -> Self {
        Self { rows: 0, t_ns: 0, buffer: b"t_ns,line,level\n".to_vec(), at: 0, left: rows }
    }
}

impl Read for Endless {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        if self.at == self.buffer.len() {
            self.buffer.clear();
            self.at = 0;
            for _ in 0..self.left.min(512) {
                // Each line closes for 20 ms and opens for 60.
                let (line, level) = (self.rows % 8, u64::from((self.rows / 8).is_multiple_of(2)));
                self.t_ns += if level == 1 { 2_500_000 } else { 7_500_000 };
                self.rows += 1;
                self.left -= 1;
                self.buffer.extend_from_slice(format!("{},{line},{level}\n", self.t_ns).as_bytes());
            }
        }
        (&self.buffer[self.at..]).read(out).inspect(|n| self.at += n)
    }
}

/// Largest resident size of this process so far, KiB.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn a_long_trace_streams_in_constant_memory() {
    // GASD_REPLAY_ROWS=10000000 for the figures of the documentation, in a release build.
    let rows = std::env::var("GASD_REPLAY_ROWS").map_or(2_000_000, |n| n.parse().unwrap());
    let text: String =
        (0..7).map(|i| format!("[[meter]]\nid = \"m{i}\"\nline = {i}\npulse_volume = \"0.1 L\"\n")).collect();
    let config = parse("test.toml", &text).unwrap();

    // Making the rows is part of both times: the rates are lower bounds.
    let begun = Instant::now();
    let read = Trace::new("t", BufReader::with_capacity(256 * 1024, Endless::new(rows))).count();
    let parsing = begun.elapsed();
    let before = peak_kib();
    let begun = Instant::now();
    let mut filter = UserFilter::new(&replay::filters(&config));
    let trace = BufReader::with_capacity(256 * 1024, Endless::new(rows));
    let summary = replay::replay(&config, "t", trace, &mut filter, &mut std::io::sink()).unwrap();
    let playing = begun.elapsed();
    let peak = peak_kib();
    println!(
        "{rows} rows: parsed at {:.1} M rows/s, played at {:.1} M rows/s, {} verdicts, \
         peak {peak} KiB (before playing {before})",
        rows as f64 / parsing.as_secs_f64() / 1e6,
        rows as f64 / playing.as_secs_f64() / 1e6,
        summary.verdicts,
    );
    assert_eq!((read as u64, summary.rows), (rows, rows));
    assert_eq!(summary.unconfigured_lines.rows(), rows / 8);
    let accepted: u64 = summary.meters.iter().map(|m| m.accepted).sum();
    assert_eq!(accepted, rows / 16 * 7);
    assert!(peak < 64 * 1024, "{peak} KiB");
}
