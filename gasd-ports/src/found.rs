// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a configuration needs of a meter that was found, beside its protocol and address.

use gasd_meters::dlt645::Standard;
use gasd_meters::drive::Device;
use gasd_meters::drive::scan::FoundMeter;

/// The type of a CJ/T 188 meter that a configuration takes where it says none: gas.
const GAS: u8 = 0x30;

/// The keys of its `device`, as a configuration has them: `type = 0x31`. Empty where the answer says none, or none is needed.
#[must_use]
pub fn keys(meter: &FoundMeter) -> String {
    match &meter.device {
        // Any other number is no type that a configuration takes.
        Some(Device::Cjt188 { kind, .. }) if *kind != GAS && (0x10..=0x49).contains(kind) => {
            format!("type = 0x{kind:02X}")
        }
        Some(Device::Dlt645 { standard: Standard::V1997, .. }) => "edition = \"1997\"".to_owned(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use gasd_meters::detect::Protocol;
    use gasd_meters::{Identity, cjt188, dlt645};

    use super::*;

    fn found(device: Device) -> FoundMeter {
        let words = String::new();
        FoundMeter {
            protocol: Protocol::Cjt188,
            address: None,
            identity: Identity::default(),
            device: Some(device),
            words,
        }
    }

    #[test]
    fn only_what_is_not_the_default_is_said() {
        let meter = |kind| {
            let (address, profile) = (cjt188::Address([1; 7]), cjt188::Profile::STANDARD);
            keys(&found(Device::Cjt188 { address, kind, profile }))
        };
        assert_eq!([0x30, 0x31, 0x10, 0xAA].map(meter), ["", "type = 0x31", "type = 0x10", ""]);
        let meter = |standard, di| {
            let address = dlt645::Address([1; 6]);
            keys(&found(Device::Dlt645 { address, standard, di, authority: None }))
        };
        assert_eq!(meter(Standard::V2007, dlt645::Di::Long(0x0001_0000)), "");
        assert_eq!(meter(Standard::V1997, dlt645::Di::Short(0x9010)), "edition = \"1997\"");
    }
}
