// SPDX-License-Identifier: MIT OR Apache-2.0
//! What else an engine may be told, and the rules that need it: the valve (R5, R6), the pressure
//! (R7), an earthquake (R8), a gas detector (R9).

use crate::profile::Rules;
use crate::units::SECOND_NS;

/// Pulses of a meter behind a closed valve up to which they may be a contact that was about to close, and
/// gas that was in the pipe.
pub(crate) const SPARE: u32 = 2;
/// Pulses behind a closed valve go on for so long before they are told, ns: one that was opened is known to be
/// a second later, and may turn for seconds.
const BEHIND_NS: u64 = 10 * SECOND_NS;
/// The least pressure there is, kPa above the air's: less is a sensor that is broken.
const VACUUM_KPA: f32 = -101.4;
/// Gas in the pipe after a closing, ns.
const SETTLE_NS: u64 = 60 * SECOND_NS;
/// Flow before and after an earthquake counts within this, ns. Yazaki: 2 minutes.
const QUAKE_NS: u64 = 120 * SECOND_NS;
/// Low pressure lasts so long before it counts, ns.
const PRESSURE_NS: u64 = 10 * SECOND_NS;

/// Something that is not a pulse.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Input {
    /// The valve before the meter was opened (`true`) or closed.
    Valve(bool),
    /// Pressure behind the meter, kPa above the air's.
    Pressure(f32),
    /// An earthquake's acceleration, gal (cm/s²).
    Seismic(f32),
    /// A gas detector's alarm is on (`true`) or off.
    AlarmLink(bool),
}

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    AfterOpening,
    WhileClosed,
    Pressure,
    Seismic,
    AlarmLink,
}

/// What is known of the inputs.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Inputs {
    /// The valve is open; unknown before it was told.
    pub open: Option<bool>,
    /// Since when, ns.
    pub valve_ns: u64,
    /// Pulses since then.
    pub pulses: u32,
    /// The first of them, ns.
    pub first_ns: u64,
    /// Pressure is low since then, ns; 0 while it is not.
    pub low_ns: u64,
    /// Pressure as it was told last, kPa.
    pub kpa: f32,
    /// The last strong earthquake, ns; 0 if there was none.
    pub quake_ns: u64,
    /// Its strongest, gal.
    pub gal: f32,
    /// The alarm is on since then, ns; 0 while it is off.
    pub alarm_ns: u64,
    /// The last pulse, ns.
    pub last_ns: u64,
    /// Said already: one bit for each kind.
    pub said: u8,
}

impl Inputs {
    /// The clock is another one: what its times were of is not known, where the valve is is.
    pub fn restarted(&self) -> Self {
        Self { open: self.open, ..Self::default() }
    }

    /// Takes an input at `t_ns`.
    pub fn take(&mut self, input: Input, t_ns: u64, rules: &Rules) -> Option<Broken> {
        match input {
            Input::Valve(open) => {
                if self.open != Some(open) {
                    (self.open, self.valve_ns, self.pulses) = (Some(open), t_ns, 0);
                    self.said &= !(bit(Broken::AfterOpening) | bit(Broken::WhileClosed));
                }
            }
            Input::Pressure(kpa) => {
                let told = kpa.is_finite() && kpa >= VACUUM_KPA;
                if told {
                    self.kpa = kpa;
                }
                let low = told && rules.low_pressure_kpa > 0.0 && kpa <= rules.low_pressure_kpa;
                if !low {
                    self.low_ns = 0;
                    self.said &= !bit(Broken::Pressure);
                } else if self.low_ns == 0 {
                    self.low_ns = t_ns.max(1);
                }
            }
            Input::Seismic(gal) => {
                if rules.seismic_gal > 0.0 && gal.is_finite() && gal >= rules.seismic_gal {
                    // A sensor reports many times while the ground shakes: that is one earthquake.
                    if self.quake_ns == 0 || t_ns.saturating_sub(self.quake_ns) > QUAKE_NS {
                        self.gal = 0.0;
                        self.said &= !bit(Broken::Seismic);
                    }
                    self.quake_ns = t_ns.max(1);
                    self.gal = self.gal.max(gal);
                }
            }
            Input::AlarmLink(on) => {
                if !on {
                    self.alarm_ns = 0;
                    self.said &= !bit(Broken::AlarmLink);
                } else if self.alarm_ns == 0 {
                    self.alarm_ns = t_ns.max(1);
                }
            }
        }
        self.judge(t_ns, rules)
    }

    /// A pulse at `t_ns`.
    pub fn pulse(&mut self, t_ns: u64, rules: &Rules) -> Option<Broken> {
        self.last_ns = t_ns;
        // What is not after the valve moved flowed through it as it was before.
        let after_ns = t_ns.saturating_sub(self.valve_ns);
        let counts = match self.open {
            Some(true) => after_ns > 0,
            Some(false) => after_ns >= SETTLE_NS,
            None => false,
        };
        if counts {
            if self.pulses == 0 {
                self.first_ns = t_ns;
            }
            self.pulses = self.pulses.saturating_add(1);
        }
        self.judge(t_ns, rules)
    }

    /// Time has come to `now_ns`.
    pub fn judge(&mut self, now_ns: u64, rules: &Rules) -> Option<Broken> {
        let since = |t: u64| now_ns.saturating_sub(t);
        let opened = (rules.restore_check_s * SECOND_NS as f32) as u64;
        let alarm = f64::from(rules.alarm_link_s) * SECOND_NS as f64;
        let flowing = self.last_ns != 0 && since(self.last_ns) <= QUAKE_NS;
        let found = [
            // One pulse may have been due before the valve was closed.
            (
                Broken::AfterOpening,
                opened > 0
                    && self.open == Some(true)
                    && self.pulses >= SPARE
                    && since(self.valve_ns) <= opened,
            ),
            (
                Broken::WhileClosed,
                rules.while_closed
                    && self.open == Some(false)
                    && self.pulses > SPARE
                    && self.last_ns.saturating_sub(self.first_ns) >= BEHIND_NS,
            ),
            (Broken::Pressure, self.low_ns != 0 && flowing && since(self.low_ns) >= PRESSURE_NS),
            (Broken::Seismic, self.quake_ns != 0 && since(self.quake_ns) <= QUAKE_NS && flowing),
            (Broken::AlarmLink, self.alarm_ns != 0 && since(self.alarm_ns) as f64 >= alarm),
        ];
        let (broken, _) = found.into_iter().find(|(kind, is)| *is && self.said & bit(*kind) == 0)?;
        self.said |= bit(broken);
        Some(broken)
    }
}

const fn bit(kind: Broken) -> u8 {
    1 << kind as u8
}

crate::state::state!(Inputs {
    open,
    valve_ns,
    pulses,
    first_ns,
    low_ns,
    kpa,
    quake_ns,
    gal,
    alarm_ns,
    last_ns,
    said
});

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Profile;

    const S: u64 = SECOND_NS;

    #[test]
    fn gas_behind_a_closed_valve_is_said_once_and_a_late_contact_is_not() {
        let rules = Profile::JpMicom.rules();
        let mut inputs = Inputs::default();
        assert_eq!(inputs.take(Input::Valve(false), 100 * S, &rules), None);
        assert_eq!(inputs.pulse(101 * S, &rules), None);
        for t in [200, 300] {
            assert_eq!(inputs.pulse(t * S, &rules), None);
        }
        assert_eq!(inputs.pulse(400 * S, &rules), Some(Broken::WhileClosed));
        assert_eq!(inputs.pulse(500 * S, &rules), None);
    }

    #[test]
    fn gas_right_after_opening_is_said() {
        let rules = Profile::JpMicom.rules();
        let mut inputs = Inputs::default();
        inputs.take(Input::Valve(false), 1, &rules);
        inputs.take(Input::Valve(true), 1000 * S, &rules);
        assert_eq!(inputs.pulse(1030 * S, &rules), None);
        assert_eq!(inputs.pulse(1060 * S, &rules), Some(Broken::AfterOpening));
        let mut later = Inputs::default();
        later.take(Input::Valve(true), 1000 * S, &rules);
        later.pulse(1130 * S, &rules);
        assert_eq!(later.pulse(1160 * S, &rules), None);
    }

    #[test]
    fn a_rule_that_is_off_says_nothing_and_what_flowed_before_the_valve_moved_does_not_count() {
        let rules = Profile::EuG4.rules();
        let mut inputs = Inputs::default();
        inputs.take(Input::Valve(true), 100 * S, &rules);
        for _ in 0..4 {
            assert_eq!(inputs.pulse(100 * S, &rules), None, "R5 is off in this profile");
        }
        let watched = Profile::JpMicom.rules();
        let mut inputs = Inputs::default();
        inputs.take(Input::Valve(true), 100 * S, &watched);
        for _ in 0..4 {
            assert_eq!(inputs.pulse(99 * S, &watched), None);
        }
        assert_eq!(inputs.pulse(101 * S, &watched), None);
        assert_eq!(inputs.pulse(102 * S, &watched), Some(Broken::AfterOpening));
        // R6 is on in each profile that closes valves.
        let mut inputs = Inputs::default();
        inputs.take(Input::Valve(false), 100 * S, &rules);
        let said: Vec<_> = (2..8).filter_map(|t| inputs.pulse(100 * t * S, &rules)).collect();
        assert_eq!(said, [Broken::WhileClosed]);
        let published = Profile::Published.rules();
        let mut inputs = Inputs::default();
        inputs.take(Input::Valve(false), 100 * S, &published);
        assert!((2..8).all(|t| inputs.pulse(100 * t * S, &published).is_none()));
    }

    #[test]
    fn a_valve_that_was_opened_a_moment_ago_is_no_leak() {
        let rules = Profile::EuG4.rules();
        let mut inputs = Inputs::default();
        inputs.take(Input::Valve(false), S, &rules);
        // Ten pulses a second for two seconds, until the valve is seen to be open.
        for i in 0..20 {
            assert_eq!(inputs.pulse(1000 * S + i * S / 10, &rules), None);
        }
        assert_eq!(inputs.take(Input::Valve(true), 1002 * S, &rules), None);
        assert_eq!(inputs.pulse(1003 * S, &rules), None);
    }

    #[test]
    fn one_earthquake_is_said_once_however_often_it_is_reported() {
        let rules = Profile::JpMicom.rules();
        let mut inputs = Inputs::default();
        inputs.pulse(S, &rules);
        let said: Vec<_> =
            (2..10).filter_map(|t| inputs.take(Input::Seismic(200.0 + t as f32), t * S, &rules)).collect();
        assert_eq!(said, [Broken::Seismic]);
        inputs.pulse(1000 * S, &rules);
        assert_eq!(inputs.take(Input::Seismic(300.0), 1001 * S, &rules), Some(Broken::Seismic));
        assert_eq!(inputs.gal, 300.0);
    }

    #[test]
    fn an_alarm_must_last_and_an_earthquake_needs_gas() {
        let rules = Profile::JpMicom.rules();
        let mut inputs = Inputs::default();
        assert_eq!(inputs.take(Input::AlarmLink(true), S, &rules), None);
        assert_eq!(inputs.judge(40 * S, &rules), None);
        assert_eq!(inputs.judge(41 * S, &rules), Some(Broken::AlarmLink));
        assert_eq!(inputs.take(Input::Seismic(250.0), 100 * S, &rules), None);
        assert_eq!(inputs.pulse(150 * S, &rules), Some(Broken::Seismic));
        assert_eq!(inputs.take(Input::Seismic(150.0), 1000 * S, &rules), None);
    }

    #[test]
    fn low_pressure_counts_while_gas_flows() {
        let rules = Profile::EuG4.rules();
        let mut inputs = Inputs::default();
        assert_eq!(inputs.take(Input::Pressure(0.2), S, &rules), None);
        assert_eq!(inputs.judge(60 * S, &rules), None);
        assert_eq!(inputs.pulse(70 * S, &rules), Some(Broken::Pressure));
        assert_eq!(inputs.take(Input::Pressure(2.0), 80 * S, &rules), None);
        assert_eq!(inputs.take(Input::Pressure(f32::NAN), 90 * S, &rules), None);
    }
}
