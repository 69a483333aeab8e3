// SPDX-License-Identifier: MIT OR Apache-2.0
//! Key files before anything runs: what is wrong with them, and what to do.

use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;

use gasd_meters::drive::Device;

use super::{air, spec};
use crate::config::{Config, MeterConfig, Talk};

/// What is wrong with the key files of a configuration, a line a meter. `closed` says why the service may not read a
/// file, where that is known.
#[must_use]
pub fn warnings(config: &Config, closed: impl Fn(&Path) -> Option<String>) -> Vec<String> {
    config.meters.iter().filter_map(|meter| warning(meter, &closed)).collect()
}

fn warning(meter: &MeterConfig, closed: impl Fn(&Path) -> Option<String>) -> Option<String> {
    let device = &meter.source.on_port()?.device;
    let path = device.key_file.as_deref()?;
    let said = |text: String| Some(format!("meter \"{}\": {text}", meter.id));
    match File::open(path) {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            return said(format!(
                "its key file {} is not checked, as you may not read it: `sudo gasd check-config` does",
                path.display()
            ));
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return said(format!(
                "its key file {0} is not there: {1}; `install -m 640 -g gasd /dev/null {0}` makes an empty one to write \
                 the key into",
                path.display(),
                without(&device.talk)
            ));
        }
        _ => {}
    }
    let wrong = match &device.talk {
        Talk::Wmbus(_) => air::radio(0, device).err(),
        Talk::LoRaWan { .. } => air::lora(0, device).err(),
        Talk::Wired(Device::Mbus { .. }) => spec::key(path).err(),
        Talk::Wired(_) => spec::password(path).err(),
        Talk::Auto(_) | Talk::LwM2m { .. } => None,
    };
    let wrong = wrong.or_else(|| closed(path))?;
    said(format!("{wrong}; {} until that is right", without(&device.talk)))
}

/// What a meter is without its keys.
const fn without(talk: &Talk) -> &'static str {
    match talk {
        Talk::Wired(Device::Dlt645 { .. }) => "its valve cannot be moved",
        _ => "it is not read",
    }
}
