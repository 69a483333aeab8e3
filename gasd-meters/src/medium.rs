// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a meter meters.

use core::fmt;

/// What a meter meters; the protocols' own codes are mapped by their codecs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Medium {
    /// Not said.
    #[default]
    Unknown,
    /// Gas.
    Gas,
    /// Electricity.
    Electricity,
    /// Cold water, or water of any kind.
    Water,
    /// Warm water (30–90 °C).
    WarmWater,
    /// Hot water.
    HotWater,
    /// Drinking water of a pipe of its own.
    DrinkingWater,
    /// Reclaimed (grey) water.
    ReclaimedWater,
    /// Waste water.
    WasteWater,
    /// Heat.
    Heat,
    /// Cooling.
    Cooling,
    /// Heat and cooling.
    HeatCooling,
    /// Heat cost allocator.
    HeatCost,
    /// Oil.
    Oil,
    /// Steam.
    Steam,
    /// Pressure.
    Pressure,
    /// A breaker or valve for electricity.
    Breaker,
    /// A valve for gas or water.
    Valve,
    /// A detector of gas.
    GasDetector,
    /// A smoke detector.
    SmokeDetector,
    /// A room or temperature sensor.
    RoomSensor,
    /// A radio converter or another part of the system.
    System,
    /// Another; the code in its protocol.
    Other(u8),
}

impl fmt::Display for Medium {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "unknown",
            Self::Gas => "gas",
            Self::Electricity => "electricity",
            Self::Water => "water",
            Self::WarmWater => "warm water",
            Self::HotWater => "hot water",
            Self::DrinkingWater => "drinking water",
            Self::ReclaimedWater => "reclaimed water",
            Self::WasteWater => "waste water",
            Self::Heat => "heat",
            Self::Cooling => "cooling",
            Self::HeatCooling => "heat and cooling",
            Self::HeatCost => "heat cost allocator",
            Self::Oil => "oil",
            Self::Steam => "steam",
            Self::Pressure => "pressure",
            Self::Breaker => "breaker",
            Self::Valve => "valve",
            Self::GasDetector => "gas detector",
            Self::SmokeDetector => "smoke detector",
            Self::RoomSensor => "room sensor",
            Self::System => "system device",
            Self::Other(code) => return write!(f, "other ({code:02X})"),
        })
    }
}
