// SPDX-License-Identifier: MIT OR Apache-2.0
//! `gasd-eval`: prints the figures of docs/EVALUATION.md.

fn main() {}
