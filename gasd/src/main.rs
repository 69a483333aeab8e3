// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command line of the service.

use std::process::ExitCode;

fn main() -> ExitCode {
    gasd::cli::main()
}
