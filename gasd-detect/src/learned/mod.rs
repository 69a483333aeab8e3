// SPDX-License-Identifier: MIT OR Apache-2.0
//! The learned model: an advisor that may shorten a delay, and never decides.
//!
//! While gas flows the model is told once a minute how far the rules are and what the home does not explain
//! ([`features`]). Its output counts only while a rule has reached half of what it needs by itself
//! ([`HALF`]), and it takes at most the other half off. What it must be to take how much is an e-value from
//! homes that it was not trained on.
//!
//! Off unless the rules ask for it ([`Learned`]).

mod advisor;
pub(crate) mod features;
mod model;

pub(crate) use advisor::Advisor;
pub use advisor::Observation;
pub use features::{FEATURES, Features, NAMES};
pub use model::{Cell, MOST_HIDDEN, Model, ModelError, State};

/// The weights that are shipped. Where they come from: `model.txt` beside them.
pub const WEIGHTS: &[u8] = include_bytes!("model.bin");

/// The model that is shipped. Weights that cannot be read do not compile.
pub static SHIPPED: Model<'static> = match Model::parse(WEIGHTS) {
    Ok(model) => model,
    Err(_) => panic!("model.bin is no model: see ModelError"),
};

/// The part of what it needs that a rule must reach by itself before the model may be heard. The same part is
/// the least that is ever asked of a rule.
pub const HALF: f32 = 0.5;

/// Whether the learned model advises.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Learned {
    /// It does not run.
    #[default]
    Off,
    /// It may shorten what the rules wait for.
    Advise(Advice),
}

/// How the model's word is taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Advice {
    /// An e-value of so much takes off all that may be taken off, one of 1 nothing, between them goes by the
    /// logarithm. Infinite: the model is not heard.
    pub full: f32,
    /// What every advised rule asks for is multiplied by this, whatever the model says. For measurements
    /// at equal rates of false alarms; 1 in use.
    pub scale: f32,
}

impl Advice {
    /// As it was measured: docs/evaluation/learned.md.
    pub const MEASURED: Self = Self { full: 20.0, scale: 1.05 };
}
