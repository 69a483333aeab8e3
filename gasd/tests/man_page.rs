// SPDX-License-Identifier: MIT OR Apache-2.0
//! gasd(8) is written by hand, because its reader wants to know when and why. Nothing that can be typed
//! may be missing in it.
#![allow(clippy::unwrap_used, reason = "test code")]

use clap::Command;

/// Every long option with its command.
fn options(command: &Command) -> Vec<(String, String)> {
    let own = command.get_arguments().filter(|arg| !arg.is_hide_set()).filter_map(|arg| arg.get_long());
    let mut all: Vec<_> = own.map(|long| (command.get_name().to_owned(), format!("--{long}"))).collect();
    all.extend(command.get_subcommands().flat_map(options));
    all
}

#[test]
fn whatever_can_be_typed_is_in_the_manual() {
    let page = include_str!("../../docs/man/gasd.8").replace("\\-", "-");
    let definition = gasd::cli::definition();
    let all = options(&definition);
    assert!(all.len() > 15, "{all:?}");
    for (command, option) in all {
        assert!(page.contains(&option), "gasd {command} {option} is not in docs/man/gasd.8");
    }
    for command in definition.get_subcommands().filter(|command| !command.is_hide_set()) {
        let name = command.get_name();
        assert!(page.contains(&format!("gasd {name}")), "gasd {name} is not in docs/man/gasd.8");
    }
}
