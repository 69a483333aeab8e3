// SPDX-License-Identifier: MIT OR Apache-2.0
//! From edges to verdicts: the counting thread fills a bounded queue, the engine thread empties it.

pub mod civil;
pub mod condition;
pub mod counting;
pub mod detector;
pub mod engine;
pub mod feedback;
pub mod filter;
pub mod flow;
pub mod hurry;
pub mod latency;
pub mod learned;
pub mod meter;
pub mod queue;
pub mod reload;
mod show;
mod simulation;
mod told;
pub mod user_events;
pub mod watch;
pub mod written;
