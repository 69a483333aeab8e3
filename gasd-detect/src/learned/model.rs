// SPDX-License-Identifier: MIT OR Apache-2.0
//! The weights as they are stored, and one step of the cell that they are for.
//!
//! A file is little endian:
//!
//! | bytes | |
//! |---|---|
//! | 4 | `gasM` |
//! | 1 | version, 1 |
//! | 1 | cell: 1 GRU, 2 LSTM |
//! | 1 | features F |
//! | 1 | size of the state H |
//! | 4·F, 4·F | mean of each feature, and what its deviation is multiplied by, f32 |
//! | 4·G·H, G·H·F | a scale a row, f32, and the rows, i8: weights of the features; G is 3 for a GRU, 4 for an LSTM |
//! | 4·G·H, G·H·H | the same, of the state |
//! | 4·G·H | biases, f32 |
//! | 4·H | GRU only: biases of the state's part of the candidate, f32 |
//! | 4·H, 4 | weights of the logit and its bias, f32 |
//! | 12 | the e-value: least and greatest logit, and what is added to get its logarithm, f32 |
//!
//! Gates are stacked: r, z, n of a GRU (`h' = (1−z)·n + z·h`, `n = tanh(Wx + b + r·(Uh + d))`); i, f, g, o of
//! an LSTM. Weights are 8 bits, sums are f32; nothing is allocated.

use core::fmt;

use super::features::{FEATURES, Features};

/// The largest state.
pub const MOST_HIDDEN: usize = 32;
const MOST_GATES: usize = 4;
const MAGIC: [u8; 4] = *b"gasM";
const VERSION: u8 = 1;
const HEADER: usize = 8;

/// Which cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell {
    /// Gated recurrent unit.
    Gru,
    /// Long short-term memory.
    Lstm,
}

/// Why bytes are no model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModelError {
    /// Not a file of weights.
    NotAModel,
    /// Of another version.
    Version(u8),
    /// A cell that is not known.
    Cell(u8),
    /// Made for so many features.
    Features(u8),
    /// A state of this size; 1 to [`MOST_HIDDEN`] can be run.
    Hidden(u8),
    /// So many bytes, and so many are needed.
    Length(usize, usize),
}

impl fmt::Display for ModelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAModel => write!(f, "it is no file of weights: it does not begin with gasM"),
            Self::Version(v) => write!(f, "it is of version {v}, and this engine reads {VERSION}"),
            Self::Cell(c) => write!(f, "its cell is {c}; 1 (GRU) and 2 (LSTM) can be run"),
            Self::Features(n) => {
                write!(f, "it was trained on {n} features, and there are {FEATURES}: train it anew")
            }
            Self::Hidden(n) => write!(f, "its state has {n} numbers; 1 to {MOST_HIDDEN} can be run"),
            Self::Length(is, needs) => {
                write!(f, "it has {is} bytes and needs {needs}: it is cut short or damaged")
            }
        }
    }
}

impl core::error::Error for ModelError {}

/// Numbers in a file, f32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Floats<'a>(&'a [u8]);

impl Floats<'_> {
    fn get(self, i: usize) -> f32 {
        let four = self.0.get(4 * i..).and_then(<[u8]>::first_chunk::<4>);
        four.map_or(0.0, |four| f32::from_le_bytes(*four))
    }
}

/// Rows of 8-bit weights with a scale each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Rows<'a> {
    scales: Floats<'a>,
    weights: &'a [u8],
}

impl Rows<'_> {
    /// A row times `x`.
    fn times(self, row: usize, x: &[f32]) -> f32 {
        let weights = self.weights.get(row * x.len()..(row + 1) * x.len()).unwrap_or(&[]);
        let one = |w: u8, x: f32| f32::from(w.cast_signed()) * x;
        let (fours, rest) = weights.as_chunks::<4>();
        let (x_fours, x_rest) = x.as_chunks::<4>();
        // Four sums at a time, written out: one would wait for each addition, and what is shipped is compiled for size.
        let (mut a, mut b, mut c, mut d) = (0.0f32, 0.0f32, 0.0f32, 0.0f32);
        for (w, x) in fours.iter().zip(x_fours) {
            a += one(w[0], x[0]);
            b += one(w[1], x[1]);
            c += one(w[2], x[2]);
            d += one(w[3], x[3]);
        }
        for (w, x) in rest.iter().zip(x_rest) {
            a += one(*w, *x);
        }
        (a + b + c + d) * self.scales.get(row)
    }
}

/// A model, as a view of its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Model<'a> {
    /// Its cell.
    pub cell: Cell,
    /// Numbers of its state.
    pub hidden: usize,
    mean: Floats<'a>,
    scale: Floats<'a>,
    input: Rows<'a>,
    state: Rows<'a>,
    bias: Floats<'a>,
    candidate: Floats<'a>,
    logit: Floats<'a>,
    e_value: Floats<'a>,
}

/// What a model remembers of the use that goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct State {
    h: [f32; MOST_HIDDEN],
    /// Of an LSTM only.
    c: [f32; MOST_HIDDEN],
}

impl State {
    /// The state that the next step begins with: `h`, and `c` of an LSTM.
    #[must_use]
    pub const fn parts(&self) -> (&[f32; MOST_HIDDEN], &[f32; MOST_HIDDEN]) {
        (&self.h, &self.c)
    }
}

/// Cuts `n` bytes off.
const fn cut<'a>(from: &mut &'a [u8], n: usize) -> &'a [u8] {
    // The length of the whole was checked.
    let (head, rest) = from.split_at(n);
    *from = rest;
    head
}

impl<'a> Model<'a> {
    /// Reads a model.
    ///
    /// # Errors
    /// [`ModelError`] says why these bytes are none.
    pub const fn parse(bytes: &'a [u8]) -> Result<Self, ModelError> {
        let Some((header, mut rest)) = bytes.split_first_chunk::<HEADER>() else {
            return Err(ModelError::NotAModel);
        };
        let [a, b, c, d, version, cell, features, hidden] = *header;
        if a != MAGIC[0] || b != MAGIC[1] || c != MAGIC[2] || d != MAGIC[3] {
            return Err(ModelError::NotAModel);
        }
        if version != VERSION {
            return Err(ModelError::Version(version));
        }
        let (cell, gates) = match cell {
            1 => (Cell::Gru, 3),
            2 => (Cell::Lstm, 4),
            other => return Err(ModelError::Cell(other)),
        };
        if features as usize != FEATURES {
            return Err(ModelError::Features(features));
        }
        if hidden == 0 || hidden as usize > MOST_HIDDEN {
            return Err(ModelError::Hidden(hidden));
        }
        let (f, h) = (FEATURES, hidden as usize);
        let (rows, candidate) = (gates * h, if gates == 3 { h } else { 0 });
        let needs = HEADER + 8 * f + rows * (4 + f) + rows * (4 + h) + 4 * (rows + candidate + h + 1 + 3);
        if bytes.len() != needs {
            return Err(ModelError::Length(bytes.len(), needs));
        }
        let from = &mut rest;
        Ok(Self {
            cell,
            hidden: h,
            mean: Floats(cut(from, 4 * f)),
            scale: Floats(cut(from, 4 * f)),
            input: Rows { scales: Floats(cut(from, 4 * rows)), weights: cut(from, rows * f) },
            state: Rows { scales: Floats(cut(from, 4 * rows)), weights: cut(from, rows * h) },
            bias: Floats(cut(from, 4 * rows)),
            candidate: Floats(cut(from, 4 * candidate)),
            logit: Floats(cut(from, 4 * (h + 1))),
            e_value: Floats(cut(from, 12)),
        })
    }

    /// One minute of a use: moves `state` on, and returns the logit of a leak, which has no unit.
    pub fn step(&self, features: &Features, state: &mut State) -> f32 {
        let x: Features = core::array::from_fn(|i| (features[i] - self.mean.get(i)) * self.scale.get(i));
        let hidden = self.hidden.min(MOST_HIDDEN);
        let gates = if self.cell == Cell::Gru { 3 } else { 4 };
        let h = state.h;
        let (mut a, mut u) = ([0.0f32; MOST_GATES * MOST_HIDDEN], [0.0f32; MOST_GATES * MOST_HIDDEN]);
        for row in 0..gates * hidden {
            a[row] = self.input.times(row, &x) + self.bias.get(row);
            u[row] = self.state.times(row, &h[..hidden]);
        }
        let mut logit = self.logit.get(hidden);
        for i in 0..hidden {
            let gate = |g: usize| a[g * hidden + i] + u[g * hidden + i];
            match self.cell {
                Cell::Gru => {
                    let (r, z) = (sigmoid(gate(0)), sigmoid(gate(1)));
                    let at = 2 * hidden + i;
                    let n = (a[at] + r * (u[at] + self.candidate.get(i))).tanh();
                    state.h[i] = (1.0 - z) * n + z * h[i];
                }
                Cell::Lstm => {
                    state.c[i] = sigmoid(gate(1)) * state.c[i] + sigmoid(gate(0)) * gate(2).tanh();
                    state.h[i] = sigmoid(gate(3)) * state.c[i].tanh();
                }
            }
            logit += state.h[i] * self.logit.get(i);
        }
        logit
    }

    /// The logarithm of the e-value of the largest `logit` of an episode so far (docs/learned-model.md).
    #[must_use]
    pub fn log_e(&self, logit: f32) -> f32 {
        // Not `clamp`, which panics where a file says that the least is more than the greatest.
        logit.max(self.e_value.get(0)).min(self.e_value.get(1)) + self.e_value.get(2)
    }

    /// The greatest logarithm of an e-value that it can give.
    #[must_use]
    pub fn most_log_e(&self) -> f32 {
        self.log_e(f32::INFINITY)
    }
}

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}
