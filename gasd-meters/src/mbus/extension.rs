// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the VIFEs behind a VIF do to it (combinable extensions of EN 13757-3).

use crate::fault::Fault;
use crate::kind::Phase;
use crate::unit::Unit;

/// What one VIFE does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// Nothing that changes the value or its name.
    Nothing,
    /// The meter reports an error of this record.
    Error(Fault),
    /// The power of ten.
    Scale(i8),
    /// 10^n of the unit is to be added.
    Add(i8),
    /// Gas or water at meter conditions, uncorrected.
    Uncorrected,
    /// At base conditions.
    Base,
    /// Counts only what flows forward.
    Forward,
    /// Counts only what flows back.
    Reverse,
    /// Of one phase.
    Phase(Phase),
    /// Of the neutral conductor.
    Neutral,
    /// For each second, minute, hour and so on: 20H–26H less 20H.
    Rate(u8),
    /// For or times something that makes another unit of it.
    OtherUnit,
    /// For each pulse.
    PerPulse,
    /// The date and time of it.
    Moment,
    /// How long it was.
    Span(Unit),
    /// How often it was.
    Count,
    /// A limit, or a value of the future: set, not measured.
    Setting,
    /// The value while a limit was passed, or of a leak.
    Disturbed,
    /// Another layout of the data: a profile of many values, or a declaration.
    Layout,
    /// The next byte is of the second table.
    Second,
    /// What follows is the manufacturer's.
    Manufacturer,
    /// Not in the table.
    Unknown,
}

/// A VIFE without its highest bit.
pub(super) const fn effect(code: u8) -> Effect {
    match code {
        0x00 | 0x1D => Effect::Nothing,
        // 15H: no data available. 16H, 17H: overflow and underflow. The others say what else went wrong.
        0x15 => Effect::Error(Fault::NotFilled),
        0x16 | 0x17 => Effect::Error(Fault::OutOfRange),
        0x01..=0x07 | 0x0B..=0x0F | 0x18 | 0x1C => Effect::Error(Fault::SaidInvalid),
        0x13 | 0x1E | 0x1F | 0x3F => Effect::Layout,
        0x20..=0x26 => Effect::Rate(code - 0x20),
        0x28..=0x2B => Effect::PerPulse,
        0x27 | 0x2C..=0x38 | 0x3D => Effect::OtherUnit,
        0x39 => Effect::Moment,
        0x3A => Effect::Uncorrected,
        0x3B => Effect::Forward,
        0x3C => Effect::Reverse,
        0x3E => Effect::Base,
        // Limits, lower and upper: how often, how long and when they were passed.
        0x40 | 0x48 | 0x7E => Effect::Setting,
        0x41 | 0x49 => Effect::Count,
        0x42 | 0x43 | 0x46 | 0x47 | 0x4A | 0x4B | 0x4E | 0x4F => Effect::Moment,
        0x50..=0x67 => Effect::Span(super::table::span(code)),
        0x6A | 0x6B | 0x6E | 0x6F => Effect::Moment,
        0x68 | 0x69 | 0x6C | 0x6D => Effect::Disturbed,
        0x70..=0x77 => Effect::Scale(code as i8 - 0x76),
        0x78..=0x7B => Effect::Add(code as i8 - 0x7B),
        0x7C => Effect::Second,
        0x7D => Effect::Scale(3),
        0x7F => Effect::Manufacturer,
        _ => Effect::Unknown,
    }
}

/// A VIFE of the second table, behind FC.
pub(super) const fn second(code: u8) -> Effect {
    match code {
        0x01 => Effect::Phase(Phase::A),
        0x02 => Effect::Phase(Phase::B),
        0x03 => Effect::Phase(Phase::C),
        0x04 => Effect::Neutral,
        0x0C | 0x10 | 0x11 | 0x12 => Effect::Nothing,
        _ => Effect::Unknown,
    }
}
