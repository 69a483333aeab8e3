// SPDX-License-Identifier: MIT OR Apache-2.0
//! libgasdetect: gasd for the C and Lua stacks of a gateway.
//!
//! The functions are in [`exports`], by object; `include/gasdetect.h` is made of them. Below:
//!
//! | | |
//! |---|---|
//! | `engine` | the detection engine inside of the program |
//! | `abi` | what every function stands on: results, the panic boundary, handles, structs that grow |
//! | `client` | the connection: one descriptor, no thread; subscriptions, requests, the live page, feeds |
//! | `sdbus` | sd-bus(3), which carries the calls |
//!
//! Why it is so: `docs/adr/0021-c-library.md`.
#![expect(non_camel_case_types, reason = "what C sees has C's names")]

mod abi;
mod client;
mod engine;
pub mod exports;
mod sdbus;
