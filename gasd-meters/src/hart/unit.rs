// SPDX-License-Identifier: MIT OR Apache-2.0
//! Unit codes (common table 2), as far as gas and its meters need them.

use crate::kind::Kind;
use crate::unit::Unit;

/// The code of a variable that is not used.
pub(super) const NOT_USED: u8 = 250;

/// What a code measures, and in which unit; `None` for one that this table does not have.
///
/// "Normal" and "standard" volumes are at base conditions, which differ (0 °C and 20 °C): which a device
/// has is its configuration's to say.
#[must_use]
pub const fn unit(code: u8) -> Option<(Kind, Unit)> {
    Some(match code {
        1 | 238 => (Kind::Pressure, Unit::InchOfWater),
        4 | 239 => (Kind::Pressure, Unit::MillimetreOfWater),
        5 | 13 => (Kind::Pressure, Unit::Torr),
        6 => (Kind::Pressure, Unit::Psi),
        7 => (Kind::Pressure, Unit::Bar),
        8 => (Kind::Pressure, Unit::Millibar),
        10 => (Kind::Pressure, Unit::KilogramForcePerSquareCentimetre),
        11 => (Kind::Pressure, Unit::Pascal),
        12 => (Kind::Pressure, Unit::Kilopascal),
        14 => (Kind::Pressure, Unit::Atmosphere),
        237 => (Kind::Pressure, Unit::Megapascal),
        15 => (Kind::Flow, Unit::CubicFootPerMinute),
        17 => (Kind::Flow, Unit::LitrePerMinute),
        19 => (Kind::Flow, Unit::CubicMetrePerHour),
        24 => (Kind::Flow, Unit::LitrePerSecond),
        28 => (Kind::Flow, Unit::CubicMetrePerSecond),
        29 => (Kind::Flow, Unit::CubicMetrePerDay),
        130 => (Kind::Flow, Unit::CubicFootPerHour),
        131 => (Kind::Flow, Unit::CubicMetrePerMinute),
        138 => (Kind::Flow, Unit::LitrePerHour),
        121 | 188 => (Kind::FlowBase, Unit::CubicMetrePerHour),
        122 | 178 => (Kind::FlowBase, Unit::LitrePerHour),
        123 => (Kind::FlowBase, Unit::CubicFootPerMinute),
        174 | 177 => (Kind::FlowBase, Unit::LitrePerDay),
        175 | 179 => (Kind::FlowBase, Unit::LitrePerMinute),
        176 | 180 => (Kind::FlowBase, Unit::LitrePerSecond),
        181 | 187 => (Kind::FlowBase, Unit::CubicMetrePerDay),
        182 | 189 => (Kind::FlowBase, Unit::CubicMetrePerMinute),
        183 | 190 => (Kind::FlowBase, Unit::CubicMetrePerSecond),
        185 => (Kind::FlowBase, Unit::CubicFootPerHour),
        41 => (Kind::Volume, Unit::Litre),
        43 => (Kind::Volume, Unit::CubicMetre),
        112 => (Kind::Volume, Unit::CubicFoot),
        166 => (Kind::VolumeBase, Unit::CubicMetre),
        167 => (Kind::VolumeBase, Unit::Litre),
        168 => (Kind::VolumeBase, Unit::CubicFoot),
        32 => (Kind::Temperature, Unit::Celsius),
        33 => (Kind::Temperature, Unit::Fahrenheit),
        35 => (Kind::Temperature, Unit::Kelvin),
        60 => (Kind::Mass, Unit::Gram),
        61 => (Kind::Mass, Unit::Kilogram),
        62 => (Kind::Mass, Unit::Tonne),
        73 => (Kind::MassFlow, Unit::KilogramPerSecond),
        74 => (Kind::MassFlow, Unit::KilogramPerMinute),
        75 => (Kind::MassFlow, Unit::KilogramPerHour),
        76 => (Kind::MassFlow, Unit::KilogramPerDay),
        78 => (Kind::MassFlow, Unit::TonnePerHour),
        91 | 95 | 96 => (Kind::Density, Unit::KilogramPerLitre),
        92 | 97 => (Kind::Density, Unit::KilogramPerCubicMetre),
        36 => (Kind::Voltage, Unit::Millivolt),
        58 => (Kind::Voltage, Unit::Volt),
        37 => (Kind::Variable, Unit::Ohm),
        38 => (Kind::Frequency, Unit::Hertz),
        39 => (Kind::Current, Unit::Milliampere),
        44 => (Kind::Variable, Unit::Foot),
        45 => (Kind::Variable, Unit::Metre),
        48 => (Kind::Variable, Unit::Centimetre),
        49 => (Kind::Variable, Unit::Millimetre),
        21 => (Kind::Variable, Unit::MetrePerSecond),
        50 => (Kind::Duration, Unit::Minute),
        51 => (Kind::Duration, Unit::Second),
        52 => (Kind::Duration, Unit::Hour),
        53 => (Kind::Duration, Unit::Day),
        57 => (Kind::Variable, Unit::Percent),
        // Per cent of the lower explosive limit: what a gas detector says.
        161 => (Kind::Variable, Unit::PercentLel),
        139 => (Kind::Variable, Unit::PartsPerMillion),
        127 => (Kind::Power, Unit::Kilowatt),
        128 => (Kind::Energy, Unit::KilowattHour),
        141 => (Kind::Power, Unit::MegajoulePerHour),
        164 => (Kind::Energy, Unit::Megajoule),
        251 => (Kind::Variable, Unit::One),
        _ => return None,
    })
}
