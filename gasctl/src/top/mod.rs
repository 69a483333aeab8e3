// SPDX-License-Identifier: MIT OR Apache-2.0
//! `gasctl-top`: the dashboard.
//!
//! | file | idea |
//! |---|---|
//! | [`model`] | what is shown, and what keys do to it; no I/O, no clock |
//! | [`view`], [`panels`], [`dialog`] | a frame from a model, pure |
//! | [`feed`] | the service, followed over losses of the bus |
//! | [`screen`] | the terminal, given back whatever happens |
//! | [`app`] | all together |

pub mod app;
mod dialog;
mod feed;
pub mod model;
pub mod palette;
mod panels;
mod screen;
pub mod view;

/// The styles, with or without colour.
pub fn palette(colour: bool) -> palette::Palette {
    palette::Palette { colour }
}
