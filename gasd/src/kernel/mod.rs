// SPDX-License-Identifier: MIT OR Apache-2.0
//! The kernel side: loading (privileged) and using the pins (no capability).

pub mod bytes;
pub mod error;
pub mod events;
pub mod handle;
pub mod handover;
pub mod live;
pub mod load;
pub mod pins;
pub mod private;
pub mod readers;
mod refusal;
mod slots;
pub mod sys;

pub use error::KernelError;
pub use events::Events;
pub use handle::Kernel;
