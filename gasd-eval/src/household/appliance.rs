// SPDX-License-Identifier: MIT OR Apache-2.0
//! What burns gas in a home. Flows are of natural gas, 10–11 kWh/m³: 1 m³/h is about 10 kW.

use crate::random::splitmix::Rng;

/// What kind of home, for figures that are split.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HomeType {
    /// Only cooks with gas.
    Cooker,
    /// Cooks and has an instantaneous water heater.
    HotWater,
    /// Cooks and has a storage water heater with a pilot flame.
    Storage,
    /// Cooks and has a boiler that heats and makes hot water.
    Heating,
    /// As [`HomeType::Heating`], and a pilot flame never goes out.
    HeatingPilot,
}

impl HomeType {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Cooker, Self::HotWater, Self::Storage, Self::Heating, Self::HeatingPilot];

    /// The name in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cooker => "cooker",
            Self::HotWater => "cooker, tankless heater",
            Self::Storage => "cooker, storage heater, pilot",
            Self::Heating => "cooker, heating boiler",
            Self::HeatingPilot => "cooker, heating boiler, pilot",
        }
    }
}

/// What an appliance is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A burner of the cooker, turned by hand.
    Burner,
    /// An oven with a thermostat.
    Oven,
    /// An instantaneous water heater.
    Tankless,
    /// A storage water heater.
    Storage,
    /// A heating boiler; makes hot water too if there is no other heater.
    Boiler,
    /// A gas fire.
    Fire,
    /// A laundry dryer.
    Dryer,
    /// A flame that never goes out.
    Pilot,
}

impl Kind {
    /// The name in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Burner => "burner",
            Self::Oven => "oven",
            Self::Tankless => "tankless heater",
            Self::Storage => "storage heater",
            Self::Boiler => "boiler",
            Self::Fire => "gas fire",
            Self::Dryer => "dryer",
            Self::Pilot => "pilot",
        }
    }
}

/// One appliance of a home.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Appliance {
    /// What it is.
    pub kind: Kind,
    /// The least that it burns when it burns, m³/h. As `max_m3_per_h` when it cannot modulate.
    pub min_m3_per_h: f64,
    /// The most that it can take, m³/h.
    pub max_m3_per_h: f64,
    /// The day on which it was bought, if that was after the stream began.
    pub from_day: u32,
}

impl Appliance {
    fn new(kind: Kind, min: f64, max: f64) -> Self {
        Self { kind, min_m3_per_h: min, max_m3_per_h: max, from_day: 0 }
    }

    /// It is in the home on `day`.
    #[must_use]
    pub const fn present(&self, day: u32) -> bool {
        day >= self.from_day
    }

    /// A flow that it can take, µL/h.
    #[must_use]
    pub fn ul_per_h(&self, m3_per_h: f64) -> i64 {
        (m3_per_h.clamp(self.min_m3_per_h, self.max_m3_per_h) * 1e9) as i64
    }
}

/// Draws a home: one in five only cooks, four in ten heat.
pub fn draw(rng: &mut Rng) -> (HomeType, Vec<Appliance>) {
    let home = match rng.unit() {
        x if x < 0.20 => HomeType::Cooker,
        x if x < 0.50 => HomeType::HotWater,
        x if x < 0.60 => HomeType::Storage,
        x if x < 0.90 => HomeType::Heating,
        _ => HomeType::HeatingPilot,
    };
    let mut all = Vec::new();
    // EN 30-1-1 hobs: auxiliary 1 kW, two of 1.75, rapid 3, some with a wok burner of 3.5.
    for (low, high) in [(0.08, 0.12), (0.15, 0.19), (0.15, 0.20), (0.25, 0.38)] {
        let max = rng.range(low, high);
        all.push(Appliance::new(Kind::Burner, (max * 0.25).max(0.03), max));
    }
    if rng.chance(0.4) {
        let max = rng.range(0.22, 0.35);
        all.push(Appliance::new(Kind::Oven, max * 0.2, max));
    }
    let modulating = rng.chance(0.7);
    let with_floor = |kind, max: f64, floor: f64| Appliance::new(kind, max * floor, max);
    match home {
        HomeType::Cooker => {}
        HomeType::HotWater => {
            let max = rng.range(1.5, 4.5);
            all.push(with_floor(Kind::Tankless, max, if modulating { 0.25 } else { 1.0 }));
        }
        HomeType::Storage => {
            all.push(with_floor(Kind::Storage, rng.range(0.8, 1.3), 1.0));
        }
        HomeType::Heating | HomeType::HeatingPilot => {
            let max = rng.range(1.6, 2.8);
            let floor = if modulating { (rng.range(0.3, 0.7) / max).min(0.5) } else { 1.0 };
            all.push(with_floor(Kind::Boiler, max, floor));
            if rng.chance(0.15) {
                let max = rng.range(1.5, 4.5);
                all.push(with_floor(Kind::Tankless, max, 0.25));
            }
        }
    }
    if rng.chance(if home == HomeType::Cooker { 0.05 } else { 0.12 }) {
        all.push(with_floor(Kind::Fire, rng.range(0.3, 0.6), 0.5));
    }
    if rng.chance(0.06) {
        all.push(with_floor(Kind::Dryer, rng.range(0.3, 0.6), 1.0));
    }
    if matches!(home, HomeType::Storage | HomeType::HeatingPilot) {
        all.push(with_floor(Kind::Pilot, rng.range(0.010, 0.060), 1.0));
    }
    // One home in twenty buys something in a year.
    let bought = rng.exponential(20.0 * 365.0) as u32 + 1;
    let max = rng.range(0.3, 0.7);
    if !all.iter().any(|a| a.kind == Kind::Dryer) && rng.chance(0.5) {
        all.push(Appliance { from_day: bought, ..with_floor(Kind::Dryer, max, 1.0) });
    } else if !all.iter().any(|a| a.kind == Kind::Fire) {
        all.push(Appliance { from_day: bought, ..with_floor(Kind::Fire, max, 0.5) });
    }
    (home, all)
}
