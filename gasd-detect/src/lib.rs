// SPDX-License-Identifier: MIT OR Apache-2.0
//! The detection engine: pulses in, verdicts out.
//!
//! Pure: time is an argument (ns of one clock that does not jump, `CLOCK_BOOTTIME` in gasd), there
//! is no I/O and no allocation per pulse. One [`Engine`] a meter:
//!
//! ```
//! use gasd_detect::{DEFAULT_THRESHOLDS_M3_PER_H, Engine, EngineConfig, Kind, Profile};
//!
//! let mut engine = Engine::new(EngineConfig {
//!     pulse_volume_ul: 1_000_000,         // 1 L a pulse
//!     max_flow_ul_per_h: 6_000_000_000,   // G4: 6 m³/h
//!     thresholds_m3_per_h: DEFAULT_THRESHOLDS_M3_PER_H,
//!     rules: Profile::default().rules(),
//! });
//! // 9 m³/h: a pulse every 0.4 s.
//! let surge = (0..20).find_map(|i| engine.pulse(i * 400_000_000, i * 400_000_000));
//! assert_eq!(surge.map(|v| v.kind), Some(Kind::Surge));
//! ```
//!
//! A register that is read now and then instead is a [`Readings`]: it makes pulses of its increments.
//!
//! How it decides, each with its reasons: `curve` (the memory), `track` (means and the sure flow
//! that one stray pulse cannot raise), `episode` (suspicion, confirmation, follow-up),
//! `implausible` (pulses faster than the meter can turn). What it promises: `tests/wolf.rs` (one
//! stray never closes a valve) and `tests/miss.rs` (a hose at 8 m³/h is confirmed in time).
#![forbid(unsafe_code)]

mod engine;
mod finding;
mod home;
mod inputs;
pub mod learned;
mod profile;
mod readings;
mod sensitivity;
mod sentence;
pub mod stat;
mod state;
mod units;
pub mod verdict;
mod windows;

pub use engine::{DEFAULT_THRESHOLDS_M3_PER_H, Engine, EngineConfig, Phase};
pub use inputs::Input;
pub use profile::{BANDS, Band, Profile, Rules, Windows};
pub use readings::{
    Blind, CheckedReadings, Counts, Readings, ReadingsConfig, ReadingsError, RestoreError, Sight, Taken,
};
pub use sensitivity::{Heard, Said, Topic};
pub use sentence::sentence;
pub use state::StateError;
pub use verdict::{Believed, Estimate, Evidence, KINDS, Kind, Process, Rule, Severity, Slope, Verdict};
pub use windows::resolution::{Resolution, WindowResolution};
