// SPDX-License-Identifier: MIT OR Apache-2.0
//! Plays a trace on meters that have no chip.
use crate::{config::Config, exit::Fatal, pipeline::filter::LineFilter};
#[derive(Clone, Debug)]
pub struct Play { pub trace: String, pub speed: f64 }
impl Play { pub fn new(trace: &str, speed: f64) -> Result<Self, Fatal> { Ok(Self { trace: trace.into(), speed }) } }
pub struct Target;
pub fn targets(_: &Config, _: &[u32]) -> Vec<Target> { Vec::new() }
pub fn play(_: &Play, _: &[Target], _: &dyn LineFilter) {}
