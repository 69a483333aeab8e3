// SPDX-License-Identifier: MIT OR Apache-2.0
//! A client: one descriptor to wait for, one function to call when it is ready, no thread.

mod answers;
pub mod calls;
pub mod core;
mod dispatch;
pub mod feed;
pub mod feeder;
pub mod house;
pub mod live;
pub mod out;
mod refusal;
mod streams;
pub mod subscription;
pub mod verdicts;
pub mod wait;

pub use self::dispatch::gasd_client;
