// SPDX-License-Identifier: MIT OR Apache-2.0
//! Rules as data: what each profile watches and with which numbers.
//!
//! A number with a source names it. One without says `no primary source`: the shape of the rule is known
//! from meters in use, the figure is ours and stands in the configuration for whoever knows better.

use crate::learned::Learned;

/// Bands of the use-time table.
pub const BANDS: usize = 6;

/// How long a flow may last: up to a flow in m³/h, for so many seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Band {
    /// The band reaches up to this flow, m³/h.
    pub up_to_m3_per_h: f32,
    /// How long such a flow may last, s.
    pub seconds: f32,
}

/// What the rules of an engine are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rules {
    /// The three windows close the valve: always, until the home is known, or never.
    pub windows: Windows,
    /// R1: more than this many times the meter's largest flow closes the valve.
    pub total_flow_times: f32,
    /// R2: one step up by more than this many times the meter's largest flow, or than the home has learned; infinite
    /// is what it has learned alone, 0 is off.
    pub increase_times: f32,
    /// R3: how long a flow may last.
    pub use_time: [Band; BANDS],
    /// R3 closes the valve instead of telling somebody.
    pub use_time_closes: bool,
    /// R4: days without a rest of an hour, before the home is known.
    pub never_zero_days: f32,
    /// R5: pulses so soon after the valve was opened, s; 0 is off.
    pub restore_check_s: f32,
    /// R6: pulses while the valve is closed.
    pub while_closed: bool,
    /// R7: pressure below this while gas flows, kPa; 0 is off.
    pub low_pressure_kpa: f32,
    /// R8: acceleration from which gas that flows is shut off, gal (cm/s²); 0 is off.
    pub seismic_gal: f32,
    /// R9: an alarm of a gas detector that lasts so long, s.
    pub alarm_link_s: f32,
    /// R11: so many days without a pulse.
    pub silence_days: f32,
    /// What is learned of the home is used.
    pub learns: bool,
    /// Whether the learned model advises.
    pub learned_model: Learned,
}

/// When the three windows close the valve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Windows {
    /// Whenever they confirm.
    Always,
    /// Until the connected load is known, and above it afterwards.
    AboveLoad,
    /// They only suspect.
    Never,
}

/// A named set of rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// Meters after EN 1359 (G1.6 to G6): the default.
    #[default]
    EuG4,
    /// Japan's microcomputer meters.
    JpMicom,
    /// Chinese safety shut-off meters (T/CGAS).
    CnSafety,
    /// The published system: three windows and nothing else.
    Published,
}

const fn hours(h: f32) -> f32 {
    h * 3600.0
}

const fn band(up_to_m3_per_h: f32, seconds: f32) -> Band {
    Band { up_to_m3_per_h, seconds }
}

/// Falls by steps as the flow rises, as in JP H10-73466 and US 4839790; the figures: no primary source.
const USE_TIME: [Band; BANDS] = [
    band(0.05, hours(96.0)),
    band(0.15, hours(24.0)),
    band(0.5, hours(14.0)),
    band(1.5, hours(12.0)),
    band(3.5, hours(10.0)),
    band(f32::INFINITY, hours(3.0)),
];

/// A shut-off meter's, which does not know the home: shorter. No primary source.
const USE_TIME_SHUTS: [Band; BANDS] = [
    band(0.1, hours(720.0)),
    band(0.2, hours(12.0)),
    band(0.5, hours(6.0)),
    band(1.0, hours(3.0)),
    band(2.0, hours(1.5)),
    band(f32::INFINITY, hours(0.5)),
];

const NEVER: [Band; BANDS] = [band(f32::INFINITY, f32::INFINITY); BANDS];

impl Profile {
    /// All of them.
    pub const ALL: [Profile; 4] = [Profile::EuG4, Profile::JpMicom, Profile::CnSafety, Profile::Published];

    /// Its name in configurations.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Profile::EuG4 => "eu-g4",
            Profile::JpMicom => "jp-micom",
            Profile::CnSafety => "cn-safety",
            Profile::Published => "published",
        }
    }

    /// Its rules.
    #[must_use]
    pub const fn rules(self) -> Rules {
        let eu = Rules {
            windows: Windows::AboveLoad,
            // Japan's factor (1.8 times nominal); the rule of thumb for American excess-flow valves is
            // 1.4 to 2.0 times the connected load.
            total_flow_times: 1.8,
            increase_times: f32::INFINITY,
            use_time: USE_TIME,
            use_time_closes: false,
            // Hiroshima Gas and Tokyo Gas: 30 days of never stopping.
            never_zero_days: 30.0,
            // A meter's own valve cannot be opened from afar, a stove is lit right after: off where a person opens.
            restore_check_s: 0.0,
            while_closed: true,
            // Kansai Gas Meter: at most about 0.3 kPa for natural gas.
            low_pressure_kpa: 0.3,
            seismic_gal: 0.0,
            // Yazaki: must last 40 s.
            alarm_link_s: 40.0,
            silence_days: 30.0,
            learns: true,
            // No profile has it on: docs/evaluation/learned.md.
            learned_model: Learned::Off,
        };
        match self {
            Profile::EuG4 => eu,
            Profile::JpMicom => Rules {
                windows: Windows::Never,
                // Osaka Gas: M2.5 to M10 shut at 1.80 to 1.83 times nominal, on an increase of 1.40 to 1.44.
                increase_times: 1.4,
                use_time: USE_TIME_SHUTS,
                use_time_closes: true,
                // Hiroshima Gas: about 2 minutes.
                restore_check_s: 120.0,
                // Hiroshima Gas: 200 gal while gas flows.
                seismic_gal: 200.0,
                learns: false,
                ..eu
            },
            // Large flow, constant flow for too long, small leak, low pressure: the same set; the
            // figures of T/CGAS are not public, Japan's stand in for them.
            Profile::CnSafety => Rules {
                windows: Windows::Never,
                increase_times: 0.0,
                restore_check_s: 120.0,
                use_time: USE_TIME_SHUTS,
                use_time_closes: true,
                learns: false,
                ..eu
            },
            Profile::Published => Rules {
                windows: Windows::Always,
                total_flow_times: f32::INFINITY,
                increase_times: 0.0,
                use_time: NEVER,
                never_zero_days: f32::INFINITY,
                restore_check_s: 0.0,
                while_closed: false,
                low_pressure_kpa: 0.0,
                alarm_link_s: f32::INFINITY,
                silence_days: f32::INFINITY,
                learns: false,
                ..eu
            },
        }
    }
}

impl Rules {
    /// How long `flow` m³/h may last, s.
    #[must_use]
    pub fn use_time(&self, flow: f32) -> f32 {
        self.use_time
            .iter()
            .find(|band| flow <= band.up_to_m3_per_h)
            .map_or(f32::INFINITY, |band| band.seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_more_flows_the_shorter_it_may() {
        for profile in Profile::ALL {
            let rules = profile.rules();
            let mut last = f32::INFINITY;
            for centi in 1..1500 {
                let now = rules.use_time(centi as f32 / 100.0);
                assert!(now <= last, "{profile:?} {centi}");
                last = now;
            }
        }
    }

    #[test]
    fn names_are_told_apart() {
        let names: std::collections::BTreeSet<_> = Profile::ALL.iter().map(|p| p.name()).collect();
        assert_eq!(names.len(), Profile::ALL.len());
    }
}
