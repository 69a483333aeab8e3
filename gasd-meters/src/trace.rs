// SPDX-License-Identifier: MIT OR Apache-2.0
//! How a decoder explains a frame, byte by byte, to whoever asks.
//!
//! Every decoder takes a [`Trace`] and names each field as it passes it. `()` is the trace of the
//! service: it does nothing, and as the meanings are [`fmt::Arguments`], nothing is formatted for it.
//! [`Explanation`] keeps what it is told, for `gasctl`.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use crate::hex::Hex;

/// Listens to a decoder.
pub trait Trace {
    /// A field: where it begins in the frame, its bytes (deciphered, if they were not plain), what it is,
    /// what it says. Fields come in the order of the frame and do not overlap.
    fn field(&mut self, at: usize, raw: &[u8], name: fmt::Arguments<'_>, meaning: fmt::Arguments<'_>);

    /// Whether anybody listens: a decoder may leave out what it would do for that alone.
    #[inline]
    fn listens(&self) -> bool {
        true
    }
}

impl Trace for () {
    #[inline(always)]
    fn field(&mut self, _: usize, _: &[u8], _: fmt::Arguments<'_>, _: fmt::Arguments<'_>) {}

    #[inline(always)]
    fn listens(&self) -> bool {
        false
    }
}

impl<T: Trace + ?Sized> Trace for &mut T {
    #[inline]
    fn field(&mut self, at: usize, raw: &[u8], name: fmt::Arguments<'_>, meaning: fmt::Arguments<'_>) {
        (**self).field(at, raw, name, meaning);
    }

    #[inline]
    fn listens(&self) -> bool {
        (**self).listens()
    }
}

/// Listens to a decoder of what lies within a frame: places are those of the frame.
pub struct Within<'a, T: ?Sized> {
    outer: &'a mut T,
    at: usize,
}

impl<'a, T: Trace + ?Sized> Within<'a, T> {
    /// Of what begins `at` bytes from the start of the frame.
    #[must_use]
    pub const fn new(outer: &'a mut T, at: usize) -> Self {
        Self { outer, at }
    }
}

impl<T: Trace + ?Sized> Trace for Within<'_, T> {
    #[inline]
    fn field(&mut self, at: usize, raw: &[u8], name: fmt::Arguments<'_>, meaning: fmt::Arguments<'_>) {
        self.outer.field(self.at.saturating_add(at), raw, name, meaning);
    }

    #[inline]
    fn listens(&self) -> bool {
        self.outer.listens()
    }
}

/// One field of a frame, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// Where it begins, bytes from the start of the frame.
    pub at: usize,
    /// Its bytes; as many as it takes in the frame.
    pub raw: Vec<u8>,
    /// What it is.
    pub name: String,
    /// What it says.
    pub meaning: String,
}

/// A frame, field by field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Explanation(pub Vec<Explained>);

impl Trace for Explanation {
    fn field(&mut self, at: usize, raw: &[u8], name: fmt::Arguments<'_>, meaning: fmt::Arguments<'_>) {
        let (name, meaning) = (name.to_string(), meaning.to_string());
        self.0.push(Explained { at, raw: raw.into(), name, meaning });
    }
}

impl fmt::Display for Explanation {
    /// A line a field: `   9  1F90  data identifier: 901F`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.0.iter().map(|field| field.raw.len() * 2).max().unwrap_or(0).min(32);
        for field in &self.0 {
            let raw = Hex(&field.raw).to_string();
            writeln!(f, "{:4}  {raw:width$}  {}: {}", field.at, field.name, field.meaning)?;
        }
        Ok(())
    }
}
