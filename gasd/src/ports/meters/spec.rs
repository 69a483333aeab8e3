// SPDX-License-Identifier: MIT OR Apache-2.0
//! From the configuration to what a port works with.

use std::path::Path;
use std::sync::Arc;

use gasd_abi::records::meter_key;
use gasd_meters::dlt645::Authority;
use gasd_meters::drive::{Device, Memory, SharedKey};
use gasd_ports::Spec;
use gasd_ports::air::KeyFile;

use super::desk::Desk;
use crate::config::{Actuator, Config, MeterConfig, PortConfig, PortMeter, Talk, ValveConfig};

/// The meters of a port that is asked. One whose password cannot be had is read all the same, and cannot be commanded: its
/// health says why.
#[must_use]
pub fn wired(config: &Config, port: &PortConfig, desk: &Desk) -> Vec<Spec> {
    let spec = |meter: &MeterConfig| {
        let on = meter.source.on_port().filter(|on| on.port == port.id)?;
        let (device, others) = match &on.device.talk {
            Talk::Wired(device) => match with_key(device, on) {
                Ok(device) => (with_password(&device, on, |why| desk.unusable(&meter.id, &why)), Vec::new()),
                // Without its key it would be believed whoever speaks for it.
                Err(why) => {
                    desk.unusable(&meter.id, &why);
                    return None;
                }
            },
            Talk::Auto(devices) => {
                devices.split_first().map(|(first, others)| (first.clone(), others.to_vec()))?
            }
            // It speaks by itself.
            Talk::Wmbus(_) | Talk::LoRaWan { .. } | Talk::LwM2m { .. } => return None,
        };
        let every_ns = meter.readings?.every_ns;
        let memory = desk.memory(&meter.id).and_then(|bytes| Memory::from_bytes(&bytes)).unwrap_or_default();
        let earlier = desk.at_work(&meter.id, &driven(config, &meter.id));
        // A broken pipe does not keep to the plate.
        let most_ul_per_h = meter.max_flow_ul_per_h.saturating_mul(2);
        let (key, breaker) = (meter_key(&meter.id), port.breaker);
        Some(Spec { key, device, others, earlier, every_ns, breaker, most_ul_per_h, memory })
    };
    config.meters.iter().filter_map(spec).collect()
}

/// What moves where this meter's valve is commanded, in words; empty where it has none.
pub(super) fn driven(config: &Config, id: &str) -> String {
    let is_in_it = |valve: &&ValveConfig| matches!(&valve.actuator, Actuator::Meter { meter } if meter == id);
    config.valves.iter().find(is_in_it).map_or_else(String::new, |valve| config.driven_by(valve))
}

/// The device with its key, where it encrypts what it says.
fn with_key(device: &Device, on: &PortMeter) -> Result<Device, String> {
    match (device, &on.device.key_file) {
        (&Device::Mbus { target, valve }, Some(path)) => {
            Ok(Device::SecureMbus { target, valve, key: key(path)? })
        }
        _ => Ok(device.clone()),
    }
}

/// `key`: that of a wired meter.
pub(super) fn key(path: &Path) -> Result<SharedKey, String> {
    let keys = KeyFile::read(path).map_err(|error| error.to_string())?;
    let key = keys.wmbus("key").ok_or("its key file has no key")?;
    Ok(SharedKey(Arc::new(key)))
}

/// The device with its password; without where that cannot be had, and `unusable` is told why.
fn with_password(device: &Device, on: &PortMeter, unusable: impl FnOnce(String)) -> Device {
    let mut device = device.clone();
    if let (Device::Dlt645 { authority, .. }, Some(path)) = (&mut device, &on.device.key_file) {
        match password(path) {
            Ok(found) => *authority = Some(found),
            Err(why) => unusable(format!("its valve cannot be moved: {why}")),
        }
    }
    device
}

/// `password`: the level, the three bytes of the password and the four of the operator's code, as on the wire.
pub(super) fn password(path: &Path) -> Result<Authority, String> {
    let keys = KeyFile::read(path).map_err(|error| error.to_string())?;
    let bytes = keys.bytes("password").ok_or_else(|| format!("{} has no password", path.display()))?;
    Authority::from_slice(bytes).ok_or_else(|| {
        format!(
            "the password in {} must have eight bytes: level, three of the password, four of the operator",
            path.display()
        )
    })
}
