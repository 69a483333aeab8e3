// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a meter may be of which only the address is known, or that it is alone on its line.
//!
//! ```
//! use gasd_meters::detect::Protocol;
//! use gasd_meters::drive::guess::{ANY, Hints, devices};
//!
//! let speak = |address| -> Vec<Protocol> {
//!     devices(address, &Hints::default()).iter().map(|device| device.protocol()).collect()
//! };
//! assert_eq!(speak("7"), [Protocol::Mbus, Protocol::Hart]);
//! assert_eq!(speak("33780012345678"), [Protocol::Cjt188, Protocol::Cjt188]);
//! assert_eq!(speak(ANY).len(), 6);
//! assert!(speak("no address of any").is_empty());
//! ```

use alloc::vec::Vec;

use super::HartSelect;
use super::device::Device;
use crate::{cjt188, dlt645, hart, mbus, modbus};

/// In place of an address: whoever is there, on a line with one meter.
pub const ANY: &str = "any";

/// Every type of CJ/T 188 meter.
const ANY_KIND: u8 = 0xAA;
/// A gas meter.
const GAS: u8 = 0x30;

/// What else is known of it.
#[derive(Clone, Debug, Default)]
pub struct Hints {
    /// Its type, if it speaks CJ/T 188.
    pub kind: Option<u8>,
    /// How its maker bends CJ/T 188.
    pub profile: Option<&'static cjt188::Profile>,
    /// What its registers mean, if it speaks Modbus. Without it no total is known of one that does, so that is not tried.
    pub map: Option<modbus::RegisterMap>,
}

/// What a meter of this address may be, in the order in which it is tried. None where no protocol has such an address. A meter
/// that is found so has no valve: nobody has said whose it would be.
#[must_use]
pub fn devices(address: &str, hints: &Hints) -> Vec<Device> {
    let any = address == ANY;
    let mut devices = Vec::new();
    if let Some(address) = or_wildcard(any, cjt188::Address::WILDCARD, address) {
        let profile = hints.profile.unwrap_or(&cjt188::Profile::STANDARD);
        let kinds = match hints.kind {
            Some(kind) => [kind].into(),
            None if any => Vec::from([ANY_KIND, GAS]),
            None => Vec::from([GAS, ANY_KIND]),
        };
        devices.extend(kinds.into_iter().map(|kind| Device::Cjt188 { address, kind, profile: *profile }));
    }
    if let Some(address) = or_wildcard(any, dlt645::Address::WILDCARD, address) {
        // The forward energy, which every meter has.
        let editions = [
            (dlt645::Standard::V2007, dlt645::Di::Long(0x0001_0000)),
            (dlt645::Standard::V1997, dlt645::Di::Short(0x9010)),
        ];
        let edition = |(standard, di)| Device::Dlt645 { address, standard, di, authority: None };
        devices.extend(editions.map(edition));
    }
    devices.extend(mbus_target(any, address).map(|target| Device::Mbus { target, valve: None }));
    if let (Some(map), Some(unit)) = (&hints.map, modbus_unit(any, address)) {
        devices.push(Device::Modbus { unit, map: map.clone(), valve: None });
    }
    let select = if any { Some(HartSelect::Poll(0)) } else { HartSelect::written(address) };
    devices.extend(select.map(|select| Device::Hart { select, master: hart::Master::Primary }));
    devices
}

fn or_wildcard<A: core::str::FromStr>(any: bool, wildcard: A, address: &str) -> Option<A> {
    if any { Some(wildcard) } else { address.parse().ok() }
}

fn mbus_target(any: bool, address: &str) -> Option<mbus::Target> {
    if any { Some(mbus::Target::Any) } else { mbus::Target::written(address) }
}

/// There is no address that whichever unit answers: most makers deliver theirs as 1.
fn modbus_unit(any: bool, address: &str) -> Option<u8> {
    if any { Some(1) } else { address.parse().ok().filter(|unit| (1..=247).contains(unit)) }
}
