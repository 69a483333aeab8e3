// SPDX-License-Identifier: MIT OR Apache-2.0
//! What stands below figures: how they were made, and on what.

/// "`command`, on 2 cores of AMD EPYC".
#[must_use]
pub fn made_by(command: &str) -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or(std::env::consts::ARCH, |(_, model)| model);
    format!("Made by `{command}`, on {cores} cores of {model}.\n")
}
