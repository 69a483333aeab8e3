// SPDX-License-Identifier: MIT OR Apache-2.0
//! A flat with one meter of CJ/T 188 that is read each second and closes its own valve.

use gasd_lab::{Habits, Line, Shared, cjt188};

use crate::ports_house::{House, Plugged};

pub const FLAT: &str = r#"
[[port]]
id = "rs485"
serial = { device = "DIR/tty0", baud = 9600 }

[[meter]]
id = "flat"
port = "rs485"
device = { protocol = "cjt188", address = "33780000000001" }
readings = { every = "1 s", resolution = "10 L" }
valve = "flat"

[[valve]]
id = "flat"
actuator = { meter = "flat" }
"#;

/// Its meter, on its line.
pub fn plug(house: &House, gas: &Shared) -> Plugged {
    let settings = cjt188::Settings::new(gasd_meters::cjt188::Address([1, 0, 0, 0, 0, 0x78, 0x33]));
    let meter = cjt188::GasMeter::new(settings, Habits::default(), gas.clone());
    house.line("tty0", Line::new(9_600), vec![Box::new(meter)])
}
