// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a source can and cannot show, in numbers and in words.

use core::fmt;

use super::config::{HOURLY_NS, ReadingsConfig, SHARP_NS, span};
use crate::units::{Flow, Litres, SECOND_NS, flow_m3_per_h};

const HOUR_NS: u64 = 3600 * SECOND_NS;
const DAY_NS: u64 = 24 * HOUR_NS;
/// The rule after the valve was opened looks at so long, ns.
const RESTORE_NS: u64 = 120 * SECOND_NS;
/// A meter starts to turn at about this flow (a G4 after EN 1359: 5 dm³/h), m³/h: no source shows less.
const STARTS_M3_PER_H: f64 = 0.005;

/// What readings too far apart leave out. Of pulses none is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blind {
    /// The windows of 1, 5 and 30 s: they judge the mean between two readings.
    Windows,
    /// The check after the valve was opened (R5): only flow in the first interval behind it would tell.
    RestoreCheck,
    /// What appliances take, singly and together: the mean must be above the overload flow of the meter.
    Appliances,
    /// Low pressure while gas flows (R7).
    Pressure,
    /// An earthquake while gas flows (R8).
    Seismic,
    /// How long a low flow lasts (R3): what comes and goes between two readings looks as if it lasted.
    LowUse,
    /// How long any flow lasts (R3).
    UseTime,
    /// Uses at hours without use.
    Hours,
    /// What flows when nobody uses gas.
    BaseFlow,
    /// No pause for most of a day (R4).
    NoPause,
    /// No rest for days (R4).
    NoRest,
}

impl Blind {
    /// All of them, those that go first first.
    pub const ALL: [Self; 11] = [
        Self::Windows,
        Self::RestoreCheck,
        Self::Appliances,
        Self::Pressure,
        Self::Seismic,
        Self::LowUse,
        Self::NoPause,
        Self::UseTime,
        Self::Hours,
        Self::BaseFlow,
        Self::NoRest,
    ];

    /// The longest interval that is not blind to it, ns.
    #[must_use]
    pub const fn up_to_ns(self) -> u64 {
        match self {
            Self::Windows => SECOND_NS,
            // A whole interval must lie within the two minutes, wherever the valve was opened.
            Self::RestoreCheck => RESTORE_NS / 2,
            Self::Appliances | Self::Pressure | Self::Seismic | Self::LowUse | Self::NoPause => SHARP_NS,
            Self::UseTime | Self::Hours | Self::BaseFlow | Self::NoRest => HOURLY_NS,
        }
    }

    /// What is not seen, in words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Windows => {
                "the windows of 1, 5 and 30 s judge the mean between two readings, and a shorter surge \
                              is not seen"
            }
            Self::RestoreCheck => "flow right after the valve was opened is not seen",
            Self::Appliances => {
                "appliances are not told apart, and too much is what is above 1.2 times the largest \
                                 flow of the meter"
            }
            Self::Pressure => "low pressure is not judged",
            Self::Seismic => "earthquakes are not judged",
            Self::LowUse => {
                "how long a flow lasts is judged from a quarter of the largest flow of the meter on"
            }
            Self::NoPause => "whether the gas pauses within a day is not seen",
            Self::UseTime => "how long gas is used is not seen",
            Self::Hours => "the hours in which gas is used are not seen",
            Self::BaseFlow => "what flows when nobody uses gas is not seen",
            Self::NoRest => "whether the gas ever rests is not seen",
        }
    }
}

/// What a source can and cannot show. For pulses as exact as their volume allows: no reading is waited for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sight {
    /// Smallest step that the source shows, µL.
    pub resolution_ul: u64,
    /// How often it is looked at, ns; 0 for pulses.
    pub every_ns: u64,
    /// Volume by which the engine judges, µL.
    pub quantum_ul: u64,
    /// Smallest flow that surely shows within an hour, m³/h; `None` if none does.
    pub within_hour_m3_per_h: Option<f64>,
    /// And within a day.
    pub within_day_m3_per_h: Option<f64>,
    /// How long one quantum takes at 5 L/h, at which meters start to turn, ns. A smaller leak takes longer, and
    /// most meters do not turn for it at all.
    pub quantum_at_start_ns: u64,
    /// When a use began and ended is known this exactly, ns; 0 for pulses, which are as exact as their volume.
    pub exact_ns: u64,
    /// Two uses are surely two if the pause between them is so long, ns. For pulses 20 s, or 2.5 times what
    /// a pulse of the first one took, if that is longer.
    pub pause_ns: u64,
    /// A rest is surely seen as one of an hour if it is so long, ns; `None` if it never is.
    pub hour_of_rest_ns: Option<u64>,
}

impl Sight {
    /// Of pulses of `pulse_ul` (µL).
    #[must_use]
    pub fn of_pulses(pulse_ul: u64) -> Self {
        Self::new(pulse_ul, 0, pulse_ul)
    }

    /// Of readings.
    #[must_use]
    pub fn of_readings(cfg: &ReadingsConfig) -> Self {
        Self::new(cfg.resolution_ul, cfg.every_ns, cfg.quantum_ul())
    }

    fn new(resolution_ul: u64, every_ns: u64, quantum_ul: u64) -> Self {
        let quantum = quantum_ul as f64;
        // Up to an interval passes before the reading that could show it.
        let within = |span_ns: u64| {
            let seen_ns = span_ns.checked_sub(every_ns).filter(|ns| *ns > 0)?;
            (quantum_ul > 0).then(|| flow_m3_per_h(quantum, seen_ns))
        };
        let whole = HOUR_NS.div_ceil(every_ns.max(1)).saturating_add(1).saturating_mul(every_ns);
        Self {
            resolution_ul,
            every_ns,
            quantum_ul,
            within_hour_m3_per_h: within(HOUR_NS),
            within_day_m3_per_h: within(DAY_NS),
            quantum_at_start_ns: (quantum / STARTS_M3_PER_H * 3600.0) as u64,
            exact_ns: every_ns,
            pause_ns: if every_ns == 0 { 20 * SECOND_NS } else { every_ns.saturating_mul(2) },
            hour_of_rest_ns: if every_ns == 0 {
                Some(HOUR_NS)
            } else {
                (every_ns <= Blind::NoRest.up_to_ns()).then_some(whole)
            },
        }
    }

    /// Whether readings so far apart leave it out.
    #[must_use]
    pub const fn is_blind(&self, to: Blind) -> bool {
        self.every_ns > to.up_to_ns()
    }
}

impl fmt::Display for Sight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.quantum_ul == 0 {
            return write!(
                f,
                "steps of 0 L say nothing about flow: set the volume of a pulse or the resolution"
            );
        }
        let (unit, quantum) = if self.every_ns == 0 {
            write!(f, "pulses of {}", Litres(self.resolution_ul))?;
            ("pulse", Litres(self.quantum_ul).to_string())
        } else {
            let every = span(self.every_ns);
            write!(f, "readings of {} every {every}", Litres(self.resolution_ul))?;
            if self.quantum_ul != self.resolution_ul {
                write!(f, ", judged by {}", Litres(self.quantum_ul))?;
            }
            ("step", Litres(self.quantum_ul).to_string())
        };
        let start = Flow(STARTS_M3_PER_H * 1000.0);
        write!(
            f,
            ": a leak below {start} L/h needs {} for a {unit} of {quantum}",
            span(self.quantum_at_start_ns)
        )?;
        for (flow, time) in [(self.within_hour_m3_per_h, "an hour"), (self.within_day_m3_per_h, "a day")] {
            match flow {
                Some(flow) => write!(f, "; within {time} a flow shows from {} L/h on", Flow(flow * 1000.0))?,
                None => write!(f, "; within {time} no flow surely shows")?,
            }
        }
        if self.every_ns > 0 {
            let exact = span(self.exact_ns);
            write!(f, "; beginning and end of a use are known to {exact}")?;
            write!(f, ", and two uses are told apart if the pause is {}", span(self.pause_ns))?;
        }
        match self.hour_of_rest_ns {
            Some(ns) if ns > HOUR_NS => write!(f, "; a rest of an hour shows if it lasts {}", span(ns))?,
            Some(_) => write!(f, "; a rest of an hour shows")?,
            None => write!(f, "; a rest of an hour does not show")?,
        }
        for blind in Blind::ALL.into_iter().filter(|to| self.is_blind(*to)) {
            write!(f, "; {}", blind.words())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn readings(resolution_ul: u64, every_s: u64) -> Sight {
        Sight::new(resolution_ul, every_s * SECOND_NS, resolution_ul)
    }

    #[test]
    fn ten_litres_need_two_hours_for_a_pulse_of_a_small_leak() {
        let said = Sight::of_pulses(10_000_000).to_string();
        assert_eq!(
            said,
            "pulses of 10 L: a leak below 5 L/h needs 2 h for a pulse of 10 L; within an hour a flow shows from 10 \
             L/h on; within a day a flow shows from 0.42 L/h on; a rest of an hour shows"
        );
    }

    #[test]
    fn hourly_readings_say_what_they_hide() {
        let hourly = readings(10_000_000, 3600);
        assert_eq!(hourly.within_hour_m3_per_h, None);
        assert_eq!(hourly.hour_of_rest_ns, Some(2 * HOUR_NS));
        assert!(hourly.is_blind(Blind::Appliances) && !hourly.is_blind(Blind::BaseFlow));
        let said = hourly.to_string();
        assert!(
            said.contains("within an hour no flow surely shows; within a day a flow shows from 0.43 L/h"),
            "{said}"
        );
        assert!(
            said.contains("a rest of an hour shows if it lasts 2 h; the windows of 1, 5 and 30 s judge"),
            "{said}"
        );
    }

    #[test]
    fn the_further_apart_the_less_is_seen() {
        let mut before = 0;
        for every_s in [1, 60, 120, 900, 3600, 86_400] {
            let sight = readings(1_000_000, every_s);
            let blind = Blind::ALL.into_iter().filter(|to| sight.is_blind(*to)).count();
            assert!(blind >= before && !sight.to_string().contains("NaN"), "{every_s}");
            before = blind;
        }
        assert_eq!(before, Blind::ALL.len());
        assert_eq!(readings(1_000_000, 900).hour_of_rest_ns, Some(75 * 60 * SECOND_NS));
    }
}
