// SPDX-License-Identifier: MIT OR Apache-2.0
//! The gasd service. See `docs/` for the whole picture; data flows one way:
//! kernel → pipeline → engine → response, with store and bus beside.

mod accounts;
pub mod bus;
pub mod cli;
pub mod config;
mod demo;
pub mod evidence;
pub mod exit;
pub mod feed;
pub mod journal;
pub mod kernel;
pub mod pipeline;
pub mod player;
pub mod ports;
pub mod replay;
pub mod response;
pub mod service;
pub mod simulation;
pub mod state;
pub mod store;
pub mod stream;
