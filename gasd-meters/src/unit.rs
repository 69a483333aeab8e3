// SPDX-License-Identifier: MIT OR Apache-2.0
//! Units as meters say them.

use core::fmt;

macro_rules! units {
    ($($(#[$doc:meta])* $name:ident $symbol:literal $base:ident $scale:literal),+ $(,)?) => {
        /// A unit. [`Unit::base`] says how many of which base unit it is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Unit { $($(#[$doc])* $name),+ }

        impl Unit {
            /// Every unit.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The symbol, as `m³/h`; empty for a plain number, `?` for a unit that is not known.
            #[must_use]
            pub const fn symbol(self) -> &'static str {
                match self { $(Self::$name => $symbol),+ }
            }

            /// The base unit of the same dimension and the power of ten: 1 kWh is 10³ Wh.
            ///
            /// Units whose ratio is no power of ten (m³/min and m³/h) are bases of their own.
            #[must_use]
            pub const fn base(self) -> (Self, i8) {
                match self { $(Self::$name => (Self::$base, $scale)),+ }
            }
        }
    };
}

units! {
    /// A plain number.
    One "" One 0,
    /// The meter does not say which, or the table does not have its code.
    Unknown "?" Unknown 0,
    /// %
    Percent "%" Percent 0,
    /// m³
    CubicMetre "m³" CubicMetre 0,
    /// L
    Litre "L" CubicMetre -3,
    /// m³/h
    CubicMetrePerHour "m³/h" CubicMetrePerHour 0,
    /// L/h
    LitrePerHour "L/h" CubicMetrePerHour -3,
    /// m³/min
    CubicMetrePerMinute "m³/min" CubicMetrePerMinute 0,
    /// L/min
    LitrePerMinute "L/min" CubicMetrePerMinute -3,
    /// m³/s
    CubicMetrePerSecond "m³/s" CubicMetrePerSecond 0,
    /// L/s
    LitrePerSecond "L/s" CubicMetrePerSecond -3,
    /// m³/d
    CubicMetrePerDay "m³/d" CubicMetrePerDay 0,
    /// L/d
    LitrePerDay "L/d" CubicMetrePerDay -3,
    /// ft³
    CubicFoot "ft³" CubicFoot 0,
    /// ft³/h
    CubicFootPerHour "ft³/h" CubicFootPerHour 0,
    /// ft³/min
    CubicFootPerMinute "ft³/min" CubicFootPerMinute 0,
    /// Wh
    WattHour "Wh" WattHour 0,
    /// kWh
    KilowattHour "kWh" WattHour 3,
    /// MWh
    MegawattHour "MWh" WattHour 6,
    /// varh
    VarHour "varh" VarHour 0,
    /// kvarh
    KilovarHour "kvarh" VarHour 3,
    /// kVAh
    KilovoltAmpereHour "kVAh" KilovoltAmpereHour 0,
    /// J
    Joule "J" Joule 0,
    /// kJ
    Kilojoule "kJ" Joule 3,
    /// MJ
    Megajoule "MJ" Joule 6,
    /// GJ
    Gigajoule "GJ" Joule 9,
    /// W
    Watt "W" Watt 0,
    /// kW
    Kilowatt "kW" Watt 3,
    /// MW
    Megawatt "MW" Watt 6,
    /// J/h
    JoulePerHour "J/h" JoulePerHour 0,
    /// kJ/h
    KilojoulePerHour "kJ/h" JoulePerHour 3,
    /// MJ/h
    MegajoulePerHour "MJ/h" JoulePerHour 6,
    /// GJ/h
    GigajoulePerHour "GJ/h" JoulePerHour 9,
    /// var
    Var "var" Var 0,
    /// kvar
    Kilovar "kvar" Var 3,
    /// VA
    VoltAmpere "VA" VoltAmpere 0,
    /// kVA
    KilovoltAmpere "kVA" VoltAmpere 3,
    /// V
    Volt "V" Volt 0,
    /// mV
    Millivolt "mV" Volt -3,
    /// A
    Ampere "A" Ampere 0,
    /// mA
    Milliampere "mA" Ampere -3,
    /// Hz
    Hertz "Hz" Hertz 0,
    /// Ω
    Ohm "Ω" Ohm 0,
    /// °C
    Celsius "°C" Celsius 0,
    /// K, of a difference
    Kelvin "K" Kelvin 0,
    /// °F
    Fahrenheit "°F" Fahrenheit 0,
    /// Pa
    Pascal "Pa" Pascal 0,
    /// kPa
    Kilopascal "kPa" Pascal 3,
    /// MPa
    Megapascal "MPa" Pascal 6,
    /// mbar
    Millibar "mbar" Pascal 2,
    /// bar
    Bar "bar" Pascal 5,
    /// psi
    Psi "psi" Psi 0,
    /// kgf/cm² (at)
    KilogramForcePerSquareCentimetre "kgf/cm²" KilogramForcePerSquareCentimetre 0,
    /// mmH₂O
    MillimetreOfWater "mmH₂O" MillimetreOfWater 0,
    /// inH₂O
    InchOfWater "inH₂O" InchOfWater 0,
    /// Torr (mmHg)
    Torr "Torr" Torr 0,
    /// atm
    Atmosphere "atm" Atmosphere 0,
    /// kg
    Kilogram "kg" Kilogram 0,
    /// t
    Tonne "t" Kilogram 3,
    /// g
    Gram "g" Kilogram -3,
    /// kg/h
    KilogramPerHour "kg/h" KilogramPerHour 0,
    /// t/h
    TonnePerHour "t/h" KilogramPerHour 3,
    /// kg/min
    KilogramPerMinute "kg/min" KilogramPerMinute 0,
    /// kg/s
    KilogramPerSecond "kg/s" KilogramPerSecond 0,
    /// kg/d
    KilogramPerDay "kg/d" KilogramPerDay 0,
    /// kg/m³
    KilogramPerCubicMetre "kg/m³" KilogramPerCubicMetre 0,
    /// kg/L
    KilogramPerLitre "kg/L" KilogramPerCubicMetre 3,
    /// MJ/m³
    MegajoulePerCubicMetre "MJ/m³" MegajoulePerCubicMetre 0,
    /// kWh/m³
    KilowattHourPerCubicMetre "kWh/m³" KilowattHourPerCubicMetre 0,
    /// m
    Metre "m" Metre 0,
    /// cm
    Centimetre "cm" Metre -2,
    /// mm
    Millimetre "mm" Metre -3,
    /// ft
    Foot "ft" Foot 0,
    /// m/s
    MetrePerSecond "m/s" MetrePerSecond 0,
    /// Per cent of the lower explosive limit
    PercentLel "%LEL" PercentLel 0,
    /// ppm
    PartsPerMillion "ppm" PartsPerMillion 0,
    /// s
    Second "s" Second 0,
    /// min
    Minute "min" Minute 0,
    /// h
    Hour "h" Hour 0,
    /// d
    Day "d" Day 0,
    /// months
    Month "months" Month 0,
    /// years
    Year "years" Year 0,
    /// dBm
    DecibelMilliwatt "dBm" DecibelMilliwatt 0,
    /// Units of a heat cost allocator
    AllocatorUnit "HCA" AllocatorUnit 0,
    /// Money, in the currency that the meter is set to
    Currency "currency" Currency 0,
    /// Money for a unit of what is metered
    CurrencyPerUnit "currency/unit" CurrencyPerUnit 0,
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.symbol())
    }
}
