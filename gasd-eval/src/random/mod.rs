// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where chance comes from: the same seed gives the same numbers in every run.
//!
//! There are two sources, because published figures hang on the numbers of both: either could be made
//! to do the other's work, but every figure would have to be measured anew.
//!
//! - [`splitmix`] is for what has a place. A home's day or a trial is made again without what came
//!   before it, so there is a source for each: one word of state, and any number by itself.
//! - [`xoshiro`] is for what runs on. A run of a study draws all of its intervals from one source, with
//!   four words of state that [`splitmix`] fills, and takes logarithms of uniform numbers that are never 0.
//!
//! The distributions lie with the source that draws from them. Both have normal numbers, by methods that
//! take different amounts of bits, for the same reason.

pub mod splitmix;
pub mod xoshiro;
