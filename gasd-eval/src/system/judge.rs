// SPDX-License-Identifier: MIT OR Apache-2.0
//! The detectors that are judged side by side.

use gasd_detect::{DEFAULT_THRESHOLDS_M3_PER_H, Engine, EngineConfig, Profile, Rules};

use super::threshold::Threshold;
use super::whole::Whole;
use crate::detector::{Alarm, Detector};
use crate::household::Household;
use crate::household::zone::Zone;
use crate::leak::recordings::Recording;

/// What a detector is told about its meter when it is installed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spec {
    /// Volume of a pulse, L.
    pub pulse_l: f64,
    /// Largest flow that the meter is made for, m³/h.
    pub max_m3_per_h: f64,
    /// The time of day where it hangs.
    pub zone: Zone,
}

impl Spec {
    /// A home's meter.
    #[must_use]
    pub fn of(home: &Household) -> Self {
        let meter = home.meter();
        Self { pulse_l: meter.pulse_l, max_m3_per_h: meter.max_m3_per_h, zone: Zone::Summer(home.calendar()) }
    }

    /// A recording's meter.
    #[must_use]
    pub const fn of_recording(recording: &Recording) -> Self {
        Self {
            pulse_l: recording.meter.pulse_l,
            max_m3_per_h: recording.meter.max_m3_per_h,
            zone: Zone::Fixed(recording.civil_offset_ns),
        }
    }

    /// gasd's engine at this meter, which knows no time of day yet.
    #[must_use]
    pub fn engine(&self, rules: Rules) -> Engine {
        Engine::new(EngineConfig {
            pulse_volume_ul: self.pulse_ul(),
            max_flow_ul_per_h: self.max_ul_per_h(),
            thresholds_m3_per_h: DEFAULT_THRESHOLDS_M3_PER_H,
            rules,
        })
    }

    /// Volume of a pulse, µL.
    #[must_use]
    pub const fn pulse_ul(&self) -> u64 {
        (self.pulse_l * 1e6) as u64
    }

    /// Largest flow, µL/h.
    #[must_use]
    pub const fn max_ul_per_h(&self) -> u64 {
        (self.max_m3_per_h * 1e9) as u64
    }
}

/// Installs a detector at a meter.
pub type Install = fn(&Spec) -> Box<dyn Judge>;

/// Every detector by its name in tables. One more is a type that is a [`Detector`] and a line here; peers
/// come after ours.
pub const ALL: &[(&str, Install)] = &[
    ("gasd", |spec| Box::new(Whole::new(spec, Profile::EuG4))),
    ("published", |spec| Box::new(Whole::new(spec, Profile::Published))),
    ("jp-micom rules", |spec| Box::new(Whole::new(spec, Profile::JpMicom))),
    ("static threshold", |spec| Box::new(Threshold::new(spec))),
];

/// A [`Detector`] of any kind.
pub trait Judge: Send {
    /// A pulse.
    fn pulse(&mut self, t_ns: u64, alarms: &mut Vec<Alarm>);
    /// Time.
    fn tick(&mut self, now_ns: u64, alarms: &mut Vec<Alarm>);
    /// When it wants to be told the time.
    fn due_ns(&self) -> u64;
    /// A snapshot.
    fn copy(&self) -> Box<dyn Judge>;
}

impl<D: Detector + 'static> Judge for D {
    fn pulse(&mut self, t_ns: u64, alarms: &mut Vec<Alarm>) {
        Detector::pulse(self, t_ns, alarms);
    }

    fn tick(&mut self, now_ns: u64, alarms: &mut Vec<Alarm>) {
        Detector::tick(self, now_ns, alarms);
    }

    fn due_ns(&self) -> u64 {
        Detector::due_ns(self)
    }

    fn copy(&self) -> Box<dyn Judge> {
        Box::new(self.clone())
    }
}
