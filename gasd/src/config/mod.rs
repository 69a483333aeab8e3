// SPDX-License-Identifier: MIT OR Apache-2.0
//! The configuration: what it may say and what it means.
//!
//! [`parse()`] walks the text's tables by hand rather than through serde, so that every problem is
//! found in one pass and each has its line, its value and what was expected. A section per file:
//! `meter` (with `gpio`, `pace`, `filter`, `thresholds`, `rules`) and `valve` judge one table alone,
//! `cross` and `reach` compare them, `volumes` looks at maps of registers, `driven` says what moves a valve, `limits` has the numbers. Several files make one configuration: `source`
//! finds them, [`parse_all`] puts them together, and a place (`report`'s `Span`) knows its file. `docs/configuration.md` is for the reader.

pub mod change;
mod channels;
mod cross;
mod decimal;
pub mod device;
mod driven;
pub mod error;
mod filter;
mod first;
mod gpio;
pub mod limits;
mod live;
pub mod load;
mod meter;
pub mod near;
mod pace;
mod parse;
mod place;
pub mod port;
mod reach;
mod readings;
mod registers;
mod report;
pub mod rules;
mod section;
pub mod sense;
pub mod show;
pub mod source;
mod thresholds;
pub mod types;
pub mod units;
mod valve;
mod volumes;

pub use device::{DeviceConfig, LoRaAddress, Resource, Talk};
pub use error::{ErrorKind, Errors, Place, Problem};
pub use load::closed_to;
pub use load::load;
pub use parse::{NO_METER, parse, parse_all, parse_with};
pub use place::LeadsTo;
pub use port::{PortConfig, PortLine};
pub use source::{Origin, Source, check, require_readable};
pub use types::{
    Actuator, Bias, ClosedLevel, Config, FilterSettings, GpioLine, MeterConfig, MeterSource, PortMeter,
    Thresholds, ValveConfig,
};
