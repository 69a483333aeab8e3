// SPDX-License-Identifier: MIT OR Apache-2.0
//! What survives: totals, holds, verdicts, where valves were last told to be, and the audit record.
//!
//! | file | idea |
//! |---|---|
//! | [`totals`] | base + live, pure |
//! | [`records`], [`codec`] | what is kept, and its bytes |
//! | [`db`], [`commit`], [`load`] | the redb file: opened, written, read |

pub mod codec;
pub mod commit;
pub mod db;
pub mod error;
pub mod load;
pub mod records;
pub mod totals;

pub use commit::{Committed, Stamp};
pub use db::{FORMAT, Store};
pub use error::StoreError;
pub use records::{AuditEntry, Change, Loaded, NextIds, StoredHold};
pub use totals::{Backwards, Base, Total, advance, reanchor, total};
