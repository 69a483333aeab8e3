// SPDX-License-Identifier: MIT OR Apache-2.0
//! Serial devices that are something else: seen before anything runs, as far as that goes without opening them.

use std::fs;
use std::os::unix::fs::FileTypeExt as _;

use gasd_ports::{WireSpec, sort};

use crate::config::{Config, PortLine};

/// What is wrong with the devices of a configuration, a line a port. One that is not there is not plugged in, which is
/// told when gasd runs; opening one here would disturb who has it.
#[must_use]
pub fn warnings(config: &Config) -> Vec<String> {
    let wrong = |(id, line): (&str, &PortLine)| {
        let (PortLine::Wire(WireSpec::Serial(serial)) | PortLine::Radio(WireSpec::Serial(serial), _)) = line
        else {
            return None;
        };
        let kind = fs::metadata(&serial.device).ok()?.file_type();
        (!kind.is_char_device()).then(|| {
            format!(
                "port \"{id}\": {} is {} (expected a serial device, like /dev/serial/by-id/usb-…); nothing is read on it until \
                 that is right",
                serial.device.display(),
                sort::of(kind)
            )
        })
    };
    config.ports.iter().map(|port| (port.id.as_str(), &port.line)).filter_map(wrong).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_serial_device_is_told_and_what_is_not_there_is_not() {
        let port = |id: &str, line: &str| format!("[[port]]\nid = \"{id}\"\n{line}\n");
        let text = port("a", "serial = { device = \"/etc/passwd\", baud = 2400 }")
            + &port("b", "wmbus = { device = \"/dev/\" }")
            + &port("c", "serial = { device = \"/dev/null\", baud = 2400 }")
            + &port("d", "serial = { device = \"/dev/serial/by-id/none\", baud = 2400 }");
        let config = crate::config::parse("x", &text).unwrap();
        let said = warnings(&config);
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(said[0].starts_with("port \"a\": /etc/passwd is a regular file (expected a serial device"));
        assert!(said[1].starts_with("port \"b\": /dev/ is a directory"));
    }
}
