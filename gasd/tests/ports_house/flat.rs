// SPDX-License-Identifier: MIT OR Apache-2.0
//! A flat with one meter of CJ/T 188 that is read each second and closes its own valve.
#![allow(dead_code, reason = "every test file uses a part of it")]

use std::collections::HashMap;

use gasd_lab::truth::look;
use gasd_lab::{Habits, Line, Meter, Shared, cjt188};
use gasd_meters::Valve;
use gasd_proxy::Client;

use crate::ports_house::{House, Plugged};
use crate::support::run;

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

/// Its meter.
pub fn meter(gas: &Shared) -> Box<dyn Meter> {
    let settings = cjt188::Settings::new(gasd_meters::cjt188::Address([1, 0, 0, 0, 0, 0x78, 0x33]));
    Box::new(cjt188::GasMeter::new(settings, Habits::default(), gas.clone()))
}

/// Its meter, on its line.
pub fn plug(house: &House, gas: &Shared) -> Plugged {
    house.line("tty0", Line::new(9_600), vec![meter(gas)])
}

/// Closes its valve; what came of the first try, in words.
pub fn close(address: &str) -> Result<(), String> {
    run(async {
        let client = Client::connect(Some(address)).await.map_err(|error| error.to_string())?;
        let valve = client.valve("flat").await.map_err(|error| error.to_string())?;
        valve.close("a test", HashMap::new()).await.map(drop).map_err(|error| error.to_string())
    })
}

/// Opens it.
pub fn open(address: &str) -> Result<(), String> {
    run(async {
        let client = Client::connect(Some(address)).await.map_err(|error| error.to_string())?;
        let valve = client.valve("flat").await.map_err(|error| error.to_string())?;
        valve.open(HashMap::new()).await.map(drop).map_err(|error| error.to_string())
    })
}

/// The commands that its meter has heard.
pub fn commands(gas: &Shared) -> Vec<Valve> {
    look(gas).commands().iter().map(|command| command.to).collect()
}
