// SPDX-License-Identifier: MIT OR Apache-2.0
//! The section "Peers": `peers [runs for a threshold] [runs for a delay] [number of a stream]`; `peers speed` for the costs.

use gasd_eval::peers::command::{Options, STREAMS, introduction, run, speed};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|word| word == "speed") {
        println!("{}", speed());
        return;
    }
    let mut options = Options::default();
    let number = |i: usize| arguments.get(i).and_then(|word| word.parse().ok());
    options.thresholds = number(0).unwrap_or(options.thresholds);
    options.delays = number(1).unwrap_or(options.delays);
    println!("{}", introduction(&options));
    let only = number(2);
    for (_, stream) in STREAMS.into_iter().enumerate().filter(|(i, _)| only.is_none_or(|only| *i == only)) {
        println!("{}", run(&options, stream));
    }
}
