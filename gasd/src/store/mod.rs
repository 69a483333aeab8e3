// SPDX-License-Identifier: MIT OR Apache-2.0
//! What survives: totals, holds, verdicts, where valves were last told to be, and the audit record.
//!
//! | file | idea |
//! |---|---|
//! | [`totals`] | base + live, pure |
//! | [`records`], [`codec`] | what is kept, and its bytes |
//! | [`db`], [`commit`], [`load`] | the redb file: opened, written, read |
//! | [`pending`] | what waits for the disk: bounded, counted, pure |
//! | [`recover`] | the file at a start, whatever has become of it |
//! | [`writer`], `worker`, `writing` | the one thread that writes, so that nobody else waits for an fsync who need not |

pub mod codec;
pub mod commit;
pub mod db;
pub mod error;
pub mod load;
pub mod pending;
pub mod position;
pub mod records;
pub mod recover;
pub mod totals;
mod worker;
pub mod writer;
mod writing;

pub use commit::{Committed, Stamp};
pub use db::{FORMAT, Store};
pub use error::StoreError;
pub use position::LastKnown;
pub use records::{AuditEntry, AuditPage, Change, Learned, Loaded, NextIds, StoredHold};
pub use recover::{Loss, Recovered, recover};
pub use totals::{Backwards, Base, OF_A_PROCESS, RegisterAt, Total, advance, reanchor, total};
pub use writer::{Opener, Writer, WriterHandle};
pub use writing::Writing;
