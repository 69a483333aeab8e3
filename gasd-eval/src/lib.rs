// SPDX-License-Identifier: MIT OR Apache-2.0
//! How good the detection is: generated households and recordings go in, leaks are injected, and every
//! detector is judged beside its peers at the same rate of false alarms. Deterministic by seed.
//!
//! - [`detector`]: what is judged.
//! - `household`: homes whose gas use is generated, day by day.
//! - `leak`: what is injected into them.
//! - `system`: the whole engine in such homes: false alarms a meter-year, litres released.
//! - `alone`: a detector on one stream, against the best that is possible.
//! - `peers`: other people's detectors.
//! - `readings`: the engine behind a register that is read now and then.
//! - `learned`: examples for the learned model, and whether it helps.
//! - `bounds`: what one who knew more than a meter tells would have to cry in sound homes to meet the goals.
//! - `nab`: the Numenta benchmark.
//! - `random`: where chance comes from.
//! - `svg`: what pictures are made of.
#![forbid(unsafe_code)]

pub mod alone;
pub mod bounds;
pub mod detector;
pub mod household;
pub mod jobs;
pub mod leak;
pub mod learned;
pub mod machine;
pub mod nab;
pub mod peers;
pub mod random;
pub mod readings;
pub mod svg;
pub mod system;
