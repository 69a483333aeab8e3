// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a field measures, and which register of the meter it is.

use core::fmt;

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident $name:literal),+ $(,)?) => {
        /// What a field is, whatever the protocol.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Kind { $($(#[$doc])* $kind),+ }

        impl Kind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$kind),+];

            /// Its stable name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$kind => $name),+ }
            }
        }
    };
}

kinds! {
    /// Volume of a meter that corrects nothing, or does not say.
    Volume "volume",
    /// Volume at meter conditions, uncorrected, of a meter that has both.
    VolumeMeter "volume_m",
    /// Volume corrected to base conditions.
    VolumeBase "volume_b",
    /// Volume counted while the meter knew itself disturbed.
    VolumeDisturbed "volume_disturbed",
    /// Volume flow.
    Flow "flow",
    /// Volume flow at meter conditions.
    FlowMeter "flow_m",
    /// Volume flow at base conditions.
    FlowBase "flow_b",
    /// Mass.
    Mass "mass",
    /// Mass flow.
    MassFlow "mass_flow",
    /// Energy, of heat where the meter is one.
    Energy "energy",
    /// Cooling energy.
    CoolingEnergy "cooling_energy",
    /// Electric active energy.
    ActiveEnergy "active_energy",
    /// Electric reactive energy.
    ReactiveEnergy "reactive_energy",
    /// Electric apparent energy.
    ApparentEnergy "apparent_energy",
    /// Power, thermal where the meter is one.
    Power "power",
    /// Electric active power.
    ActivePower "active_power",
    /// Electric reactive power.
    ReactivePower "reactive_power",
    /// Electric apparent power.
    ApparentPower "apparent_power",
    /// Largest demand of a period.
    Demand "demand",
    /// Power factor.
    PowerFactor "power_factor",
    /// Voltage.
    Voltage "voltage",
    /// Current.
    Current "current",
    /// Current in the neutral conductor.
    NeutralCurrent "neutral_current",
    /// Frequency.
    Frequency "frequency",
    /// Temperature of what is metered.
    Temperature "temperature",
    /// Supply temperature of a heat meter.
    SupplyTemperature "supply_temperature",
    /// Return temperature of a heat meter.
    ReturnTemperature "return_temperature",
    /// Supply less return.
    TemperatureDifference "temperature_difference",
    /// Temperature around the meter.
    AmbientTemperature "ambient_temperature",
    /// Temperature inside the meter.
    MeterTemperature "meter_temperature",
    /// Pressure.
    Pressure "pressure",
    /// Relative humidity.
    Humidity "humidity",
    /// Density.
    Density "density",
    /// Calorific value of the gas.
    CalorificValue "calorific_value",
    /// Compressibility of the gas.
    Compressibility "compressibility",
    /// From meter to base conditions.
    ConversionFactor "conversion_factor",
    /// Level, concentration or another measured variable that the protocol does not name.
    Variable "variable",
    /// Time with power.
    OnTime "on_time",
    /// Time of operation.
    OperatingTime "operating_time",
    /// Another span of time.
    Duration "duration",
    /// Charge or life of the battery that is left.
    Battery "battery",
    /// Voltage of the battery.
    BatteryVoltage "battery_voltage",
    /// Strength of the radio signal.
    Signal "signal",
    /// The meter's clock.
    Clock "clock",
    /// A date or time that is not the clock.
    Moment "moment",
    /// A day or hour that comes again, as of settlement.
    DayOfMonth "day_of_month",
    /// A price.
    Price "price",
    /// Money or quantity that was bought.
    Credit "credit",
    /// Pulses or events.
    Count "count",
    /// Heat cost allocator units.
    HeatCost "heat_cost",
    /// An address on its bus.
    Address "address",
    /// The number of the meter.
    MeterNumber "meter_number",
    /// Constant, pulses a unit.
    MeterConstant "meter_constant",
    /// Who made it.
    Manufacturer "manufacturer",
    /// Model or type.
    Model "model",
    /// Version of hardware, firmware or software.
    Version "version",
    /// Version or identifier of a key, never the key.
    KeyVersion "key_version",
    /// A status word.
    Status "status",
    /// Flags of errors.
    ErrorFlags "error_flags",
    /// Digital output, as a valve or relay.
    DigitalOutput "digital_output",
    /// Digital input.
    DigitalInput "digital_input",
    /// Another setting.
    Setting "setting",
    /// Text for people.
    Text "text",
    /// Many values of one quantity in a layout of their own.
    Profile "profile",
    /// Bytes that only the manufacturer's own table explains.
    ManufacturerData "manufacturer_data",
    /// Something that the codec has no table for.
    Unknown "unknown",
}

/// A phase of an electric meter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Phase {
    /// All together, or none.
    #[default]
    All,
    /// A (L1).
    A,
    /// B (L2).
    B,
    /// C (L3).
    C,
}

/// Which way it is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Direction {
    /// The meter does not tell them apart.
    #[default]
    Any,
    /// Forward (import).
    Forward,
    /// Reverse (export).
    Reverse,
}

/// What of a span of time the value is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Function {
    /// Instantaneous.
    #[default]
    Instant,
    /// Largest.
    Maximum,
    /// Smallest.
    Minimum,
    /// At the time of an error.
    AtError,
}

/// When the value was taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Period {
    /// Now.
    #[default]
    Current,
    /// Storage number of the meter, from 1 (M-Bus).
    Storage(u32),
    /// The last settlement (due) day.
    Settlement,
    /// So many settlements ago, 1 the last.
    Month(u16),
    /// So many days ago, 1 yesterday.
    Day(u16),
    /// Frozen record; its number in the protocol.
    Frozen(u16),
}

/// Which register of the meter a field is; the default is the plain one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Register {
    /// When.
    pub period: Period,
    /// What of that time.
    pub function: Function,
    /// Which way.
    pub direction: Direction,
    /// Phase.
    pub phase: Phase,
    /// Tariff; 0 is all together.
    pub tariff: u32,
    /// Subunit of the device; 0 is the device itself.
    pub subunit: u32,
}

impl Register {
    /// The plain register, as the default.
    pub const PLAIN: Self = Self {
        period: Period::Current,
        function: Function::Instant,
        direction: Direction::Any,
        phase: Phase::All,
        tariff: 0,
        subunit: 0,
    };
}

/// Shows a kind with its register: `forward_active_energy`, `voltage_a`, `volume, settlement`.
pub struct Named(pub Kind, pub Register);

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(kind, at) = self;
        f.write_str(match at.direction {
            Direction::Any => "",
            Direction::Forward => "forward_",
            Direction::Reverse => "reverse_",
        })?;
        f.write_str(kind.name())?;
        f.write_str(match at.phase {
            Phase::All => "",
            Phase::A => "_a",
            Phase::B => "_b",
            Phase::C => "_c",
        })?;
        match at.function {
            Function::Instant => Ok(()),
            Function::Maximum => f.write_str(", maximum"),
            Function::Minimum => f.write_str(", minimum"),
            Function::AtError => f.write_str(", at an error"),
        }?;
        match at.period {
            Period::Current => Ok(()),
            Period::Storage(n) => write!(f, ", storage {n}"),
            Period::Settlement => f.write_str(", settlement"),
            Period::Month(n) => write!(f, ", month -{n}"),
            Period::Day(n) => write!(f, ", day -{n}"),
            Period::Frozen(n) => write!(f, ", frozen {n:04X}"),
        }?;
        if at.tariff != 0 {
            write!(f, ", tariff {}", at.tariff)?;
        }
        if at.subunit != 0 {
            write!(f, ", subunit {}", at.subunit)?;
        }
        Ok(())
    }
}
