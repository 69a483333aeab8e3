// SPDX-License-Identifier: MIT OR Apache-2.0
//! What every export stands on: results, the panic boundary, handles, structs that grow, text.

pub mod guard;
pub mod handle;
pub mod result;
pub mod sized;
#[cfg(feature = "test-panic")]
pub mod test_panic;
pub mod text;
