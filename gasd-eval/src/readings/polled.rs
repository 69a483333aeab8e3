// SPDX-License-Identifier: MIT OR Apache-2.0
//! A register that is read every so often: the pulses of its meter move it, and some readings get lost.

use gasd_detect::{
    DEFAULT_THRESHOLDS_M3_PER_H, Profile, Readings, ReadingsConfig, ReadingsError, Severity, Taken, Verdict,
};

use crate::detector::{Alarm, Detector, Level};
use crate::household::zone::Clock;
use crate::random::splitmix::{mix, unit};
use crate::system::judge::Spec;

/// A reading that waits for another one gets it after so long, ns.
const AGAIN_NS: u64 = 5_000_000_000;

/// How a register is read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reader {
    /// How often, ns.
    pub every_ns: u64,
    /// Share of readings that get lost.
    pub lost: f64,
    /// What they are drawn from, and when the first reading comes.
    pub seed: u64,
}

/// [`Readings`] of the register of a meter.
#[derive(Clone)]
pub struct Polled {
    readings: Readings,
    clock: Clock,
    reader: Reader,
    pulse_ul: u64,
    register_ul: u64,
    polls: u64,
    /// The next regular one, and the next one, ns.
    regular_ns: u64,
    next_ns: u64,
}

impl Polled {
    /// A reader at the register of a meter, 8 digits of a litre.
    ///
    /// # Errors
    /// No register can be read like that.
    pub fn new(spec: &Spec, reader: Reader) -> Result<Self, ReadingsError> {
        let readings = Readings::new(config(spec, reader.every_ns))?;
        let next_ns = mix(reader.seed) % reader.every_ns;
        // Somewhere in its first turn, so that a few homes see it begin anew.
        let register_ul = mix(!reader.seed) % MODULUS_UL / spec.pulse_ul() * spec.pulse_ul();
        Ok(Self {
            readings,
            clock: Clock::new(spec.zone),
            reader,
            pulse_ul: spec.pulse_ul(),
            register_ul,
            polls: 0,
            regular_ns: next_ns,
            next_ns,
        })
    }
}

/// 8 digits of a litre.
pub const MODULUS_UL: u64 = 100_000_000_000_000;

/// As the service would configure it.
pub fn config(spec: &Spec, every_ns: u64) -> ReadingsConfig {
    ReadingsConfig {
        resolution_ul: spec.pulse_ul(),
        modulus_ul: MODULUS_UL,
        every_ns,
        tells_late: false,
        max_flow_ul_per_h: spec.max_ul_per_h(),
        thresholds_m3_per_h: DEFAULT_THRESHOLDS_M3_PER_H,
        rules: Profile::EuG4.rules(),
    }
}

/// The alarm that a verdict is, if it is one.
pub fn alarm(verdict: &Verdict, t_ns: u64) -> Option<Alarm> {
    let level = match verdict.severity {
        Severity::Critical => Level::Critical,
        Severity::Warning => Level::Warning,
        Severity::Notice | Severity::Info => return None,
    };
    Some(Alarm { t_ns, level, kind: verdict.evidence.rule.name() })
}

impl Detector for Polled {
    fn name(&self) -> String {
        format!("read every {} s", self.reader.every_ns / 1_000_000_000)
    }

    fn pulse(&mut self, _t_ns: u64, _alarms: &mut Vec<Alarm>) {
        self.register_ul = (self.register_ul + self.pulse_ul) % MODULUS_UL;
    }

    fn tick(&mut self, now_ns: u64, alarms: &mut Vec<Alarm>) {
        if now_ns < self.next_ns {
            return;
        }
        // Each reading may get lost, one that was asked for too.
        let lost = unit(mix(self.reader.seed ^ mix(self.polls))) < self.reader.lost;
        self.polls += 1;
        if now_ns >= self.regular_ns {
            self.regular_ns += self.reader.every_ns;
        }
        self.next_ns = self.regular_ns;
        if lost {
            return;
        }
        if let Some(offset_ns) = self.clock.changed(now_ns) {
            self.readings.set_civil_offset(offset_ns);
        }
        let taken =
            self.readings.reading(self.register_ul, now_ns, &mut |v| alarms.extend(alarm(&v, now_ns)));
        if taken == Taken::Held {
            self.next_ns = self.next_ns.min(now_ns + AGAIN_NS);
        }
    }

    fn due_ns(&self) -> u64 {
        self.next_ns
    }
}
