// SPDX-License-Identifier: MIT OR Apache-2.0
//! A user's model as ONNX, one minute of a use at a time, by a runtime that is Rust alone.
//!
//! The graph is one step: it takes `features` [1, F] (F is [`FEATURES`], in the order of
//! [`gasd_detect::learned::NAMES`], as they are: what normalising the model wants is part of it) and, if it remembers
//! anything, `h` [1, N] or `h` and `c` [1, M]; it gives `logit` [1, 1] and `h_next`, `c_next` of the same shapes. All are
//! f32. The state begins with zeros at the beginning of a use.

use core::fmt;
use std::path::Path;

use gasd_detect::learned::{FEATURES, Features};
use rten::{Dimension, NodeId, ThreadPool, ValueOrView};
use rten_tensor::NdTensor;
use rten_tensor::prelude::*;

/// What may be remembered, by the names of the inputs.
const STATES: [&str; 2] = ["h", "c"];

/// Why a model cannot be used.
#[derive(Debug)]
pub enum OnnxError {
    /// The file is not there or is no ONNX model that the runtime can read.
    Load(String),
    /// An input or an output is missing.
    Missing(String),
    /// An input has another shape.
    Shape {
        /// Which.
        name: &'static str,
        /// Its shape.
        is: String,
        /// What it must be.
        must: String,
    },
    /// A step failed.
    Run(String),
}

impl fmt::Display for OnnxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Load(why) => write!(f, "the model cannot be read: {why}"),
            Self::Missing(name) => {
                write!(f, "the model has no `{name}`; docs/learned-model.md says what it must have")
            }
            Self::Shape { name, is, must } => write!(f, "`{name}` of the model is {is} and must be {must}"),
            Self::Run(why) => write!(f, "a step of the model failed: {why}"),
        }
    }
}

impl core::error::Error for OnnxError {}

/// One thing that is remembered.
#[derive(Debug)]
struct Memory {
    from: NodeId,
    to: NodeId,
    size: usize,
}

/// A model that was read.
pub struct OnnxModel {
    model: rten::Model,
    features: NodeId,
    logit: NodeId,
    memories: Vec<Memory>,
    /// A step is too small to be shared among cores.
    pool: std::sync::Arc<ThreadPool>,
}

/// What it remembers of a use.
#[derive(Clone, Debug, PartialEq)]
pub struct OnnxState(Vec<Vec<f32>>);

impl OnnxModel {
    /// Reads a model from a file.
    ///
    /// # Errors
    /// What of [`OnnxError`] keeps it from being used.
    pub fn read(file: &Path) -> Result<Self, OnnxError> {
        let load = |why: String| OnnxError::Load(format!("{}: {why}", file.display()));
        let bytes = std::fs::read(file).map_err(|e| load(e.to_string()))?;
        let model = rten::Model::load(bytes).map_err(|e| load(e.to_string()))?;
        let (features, size) = input(&model, "features")?.ok_or(OnnxError::Missing("features".into()))?;
        if size != FEATURES {
            let must = format!("[1, {FEATURES}]");
            return Err(OnnxError::Shape { name: "features", is: format!("[1, {size}]"), must });
        }
        let mut memories = Vec::new();
        for name in STATES {
            if let Some((from, size)) = input(&model, name)? {
                memories.push(Memory { from, to: output(&model, &format!("{name}_next"))?, size });
            }
        }
        let logit = output(&model, "logit")?;
        let pool = std::sync::Arc::new(ThreadPool::with_num_threads(1));
        Ok(Self { model, features, logit, memories, pool })
    }

    /// The state at the beginning of a use.
    #[must_use]
    pub fn state(&self) -> OnnxState {
        OnnxState(self.memories.iter().map(|m| vec![0.0; m.size]).collect())
    }

    /// One minute of a use: moves `state` on, and returns the logit of a leak.
    ///
    /// # Errors
    /// [`OnnxError::Run`], if the graph cannot be run or gives something else than it must.
    pub fn step(&self, features: &Features, state: &mut OnnxState) -> Result<f32, OnnxError> {
        let row = |values: &[f32]| NdTensor::from_data([1, values.len()], values.to_vec());
        let mut inputs: Vec<(NodeId, ValueOrView<'_>)> = vec![(self.features, row(features).into())];
        inputs.extend(self.memories.iter().zip(&state.0).map(|(m, s)| (m.from, row(s).into())));
        let mut outputs = vec![self.logit];
        outputs.extend(self.memories.iter().map(|m| m.to));
        let options = rten::RunOptions::default().with_thread_pool(Some(self.pool.clone()));
        let run = self.model.run(inputs, &outputs, Some(options));
        let values = run.map_err(|e| OnnxError::Run(e.to_string()))?;
        let mut values = values.into_iter().map(|value| {
            let tensor: NdTensor<f32, 2> =
                value.try_into().map_err(|_| OnnxError::Run("an output is no [1, N] of f32".into()))?;
            Ok(tensor.to_vec())
        });
        let logit: Vec<f32> = values.next().unwrap_or(Ok(Vec::new()))?;
        let next: Vec<Vec<f32>> = values.collect::<Result<_, OnnxError>>()?;
        let fits = next.iter().zip(&self.memories).all(|(s, m)| s.len() == m.size);
        match logit[..] {
            [logit] if fits && next.len() == self.memories.len() => {
                state.0 = next;
                Ok(logit)
            }
            _ => Err(OnnxError::Run("an output has another shape than it must".into())),
        }
    }
}

/// An input [1, N]: its node and N; `None` if there is no such input.
fn input(model: &rten::Model, name: &'static str) -> Result<Option<(NodeId, usize)>, OnnxError> {
    let Some(id) = model.find_node(name).filter(|id| model.input_ids().contains(id)) else { return Ok(None) };
    let shape = model.node_info(id).and_then(|info| info.shape()).unwrap_or_default();
    match shape[..] {
        [Dimension::Fixed(1), Dimension::Fixed(size)] => Ok(Some((id, size))),
        _ => Err(OnnxError::Shape { name, is: format!("{shape:?}"), must: "[1, N] of fixed sizes".into() }),
    }
}

fn output(model: &rten::Model, name: &str) -> Result<NodeId, OnnxError> {
    let id = model.find_node(name).filter(|id| model.output_ids().contains(id));
    id.ok_or_else(|| OnnxError::Missing(name.into()))
}
