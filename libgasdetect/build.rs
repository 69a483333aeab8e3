// SPDX-License-Identifier: MIT OR Apache-2.0
//! Finds libsystemd, whose sd-bus carries the calls.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // `sd_bus_close_unref` is of 241.
    if let Err(error) = pkg_config::Config::new().atleast_version("241").probe("libsystemd") {
        println!("cargo:warning={error}");
        println!("cargo:warning=libgasdetect needs libsystemd: apt install libsystemd-dev");
        std::process::exit(1);
    }
}
