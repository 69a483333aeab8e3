// SPDX-License-Identifier: MIT OR Apache-2.0
//! What judges a meter: pulse by pulse, or reading by reading. All that is said to both is said here.

use gasd_detect::{
    Engine, EngineConfig, Input, Readings, ReadingsConfig, Rules, Said, Sight, Topic, Verdict,
};

use crate::config::MeterConfig;
use crate::replay::judge::engine_config;

/// What a meter is judged by.
#[derive(Clone, Copy, Debug)]
pub enum Setup {
    /// Its pulses.
    Pulses(EngineConfig),
    /// What its register shows.
    Register(gasd_detect::CheckedReadings),
}

impl Setup {
    /// Of a meter.
    #[must_use]
    pub fn of(meter: &MeterConfig) -> Setup {
        meter.readings.map_or_else(|| Setup::Pulses(engine_config(meter)), Setup::Register)
    }
}

/// What judges a meter.
#[derive(Clone, Debug)]
pub enum Detector {
    /// Pulses, each at its own time.
    Pulses(Box<Engine>),
    /// A register. The engine's time is that of its last reading.
    Register(Box<Readings>),
}

impl Detector {
    /// One that knows nothing yet.
    #[must_use]
    pub fn new(setup: Setup) -> Detector {
        match setup {
            Setup::Pulses(config) => Detector::Pulses(Box::new(Engine::new(config))),
            Setup::Register(checked) => Detector::Register(Box::new(Readings::of(checked))),
        }
    }

    /// One that goes on from what [`Detector::save`] gave.
    ///
    /// # Errors
    /// In words, why it cannot.
    pub fn restore(setup: Setup, bytes: &[u8]) -> Result<Detector, String> {
        match setup {
            Setup::Pulses(config) => Engine::restore(config, bytes)
                .map(|engine| Detector::Pulses(Box::new(engine)))
                .map_err(|why| why.to_string()),
            Setup::Register(checked) => Readings::restore(ReadingsConfig::clone(&checked), bytes)
                .map(|readings| Detector::Register(Box::new(readings)))
                .map_err(|why| why.to_string()),
        }
    }

    /// All that it knows, as bytes.
    #[must_use]
    pub fn save(&self) -> Vec<u8> {
        match self {
            Detector::Pulses(engine) => engine.save(),
            Detector::Register(readings) => readings.save(),
        }
    }

    /// The engine, to be asked.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        match self {
            Detector::Pulses(engine) => engine,
            Detector::Register(readings) => readings.engine(),
        }
    }

    /// The register, where one is read.
    #[must_use]
    pub fn register(&self) -> Option<&Readings> {
        match self {
            Detector::Pulses(_) => None,
            Detector::Register(readings) => Some(readings),
        }
    }

    /// Time up to which is known what flowed, for one that would look at `now_ns`.
    #[must_use]
    pub fn known_ns(&self, now_ns: u64) -> u64 {
        self.register().and_then(|readings| Some(readings.last()?.1)).unwrap_or(now_ns)
    }

    /// Flow, m³/h. Of a register the mean that was read last, and none once readings are missing.
    #[must_use]
    pub fn flow_m3_per_h(&self, now_ns: u64) -> Option<f64> {
        let overdue = self.register().is_some_and(|readings| readings.is_overdue(now_ns));
        if overdue { None } else { self.engine().flow_m3_per_h(self.known_ns(now_ns)) }
    }

    /// What its source can and cannot show; of pulses that are worth `pulse_volume_ul`.
    #[must_use]
    pub fn sight(&self, pulse_volume_ul: u64) -> Sight {
        self.register().map_or_else(|| Sight::of_pulses(pulse_volume_ul), Readings::sight)
    }

    /// Time passes.
    pub fn tick(&mut self, now_ns: u64) -> Option<Verdict> {
        match self {
            Detector::Pulses(engine) => engine.tick(now_ns),
            Detector::Register(readings) => readings.tick(now_ns),
        }
    }

    /// Something beside the meter was measured.
    pub fn input(&mut self, input: Input, t_ns: u64) -> Option<Verdict> {
        match self {
            Detector::Pulses(engine) => engine.input(input, t_ns),
            Detector::Register(readings) => readings.input(input, t_ns),
        }
    }

    /// The valve was found there.
    pub fn set_valve(&mut self, open: bool, now_ns: u64) {
        match self {
            Detector::Pulses(engine) => engine.set_valve(open, now_ns),
            Detector::Register(readings) => readings.set_valve(open, now_ns),
        }
    }

    /// Where the valve is is not known until it is told.
    pub fn forget_valve(&mut self) {
        match self {
            Detector::Pulses(engine) => engine.forget_valve(),
            Detector::Register(readings) => readings.forget_valve(),
        }
    }

    /// Civil time is the clock's plus this.
    pub fn set_civil_offset(&mut self, offset_ns: i64) {
        match self {
            Detector::Pulses(engine) => engine.set_civil_offset(offset_ns),
            Detector::Register(readings) => readings.set_civil_offset(offset_ns),
        }
    }

    /// What it called t is t plus this from now on. With 0 one that was just restored goes on with a use under way.
    pub fn clock_moved(&mut self, by_ns: i64) {
        match self {
            Detector::Pulses(engine) => engine.clock_moved(by_ns),
            // Within one boot readings go on as if nothing had been.
            Detector::Register(_) if by_ns == 0 => {}
            Detector::Register(readings) => readings.clock_moved(by_ns),
        }
    }

    /// Goes by other thresholds.
    pub fn set_thresholds(&mut self, thresholds_m3_per_h: [f64; 3]) {
        match self {
            Detector::Pulses(engine) => engine.set_thresholds(thresholds_m3_per_h),
            Detector::Register(readings) => readings.set_thresholds(thresholds_m3_per_h),
        }
    }

    /// Its register is on another way, on which readings come late or do not.
    pub fn set_tells_late(&mut self, tells_late: bool) {
        if let Detector::Register(readings) = self {
            readings.set_tells_late(tells_late);
        }
    }

    /// Goes by other rules.
    pub fn set_rules(&mut self, rules: Rules) {
        match self {
            Detector::Pulses(engine) => engine.set_rules(rules),
            Detector::Register(readings) => readings.set_rules(rules),
        }
    }

    /// What flows when nobody uses gas is all right, a person said.
    pub fn accept_base_flow(&mut self) {
        match self {
            Detector::Pulses(engine) => engine.accept_base_flow(),
            Detector::Register(readings) => readings.accept_base_flow(),
        }
    }

    /// A person said what a verdict about gas that does not rest was.
    pub fn hear_no_rest(&mut self, said: Said) {
        match self {
            Detector::Pulses(engine) => engine.hear_no_rest(said),
            Detector::Register(readings) => readings.hear_no_rest(said),
        }
    }

    /// A person said what a verdict of this topic was.
    pub fn hear(&mut self, topic: Topic, said: Said, now_ns: u64) {
        match self {
            Detector::Pulses(engine) => engine.hear(topic, said, now_ns),
            Detector::Register(readings) => readings.hear(topic, said, now_ns),
        }
    }
}
