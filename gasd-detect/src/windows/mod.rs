// SPDX-License-Identifier: MIT OR Apache-2.0
//! Three windows over the flow, as the published system has them: 1 s suspects, 5 s confirms, 30 s
//! tells sustained from transient.

pub(crate) mod curve;
pub(crate) mod episode;
pub(crate) mod implausible;
pub(crate) mod resolution;
pub(crate) mod track;
