// SPDX-License-Identifier: MIT OR Apache-2.0
//! Any text as an object path, and any id as a path's last element: one path an object.
#![no_main]

use gasd_proxy::{Object, leaf, meter_path, port_path, unleaf, valve_path, verdict_path};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    assert_eq!(unleaf(&leaf(text)).as_deref(), Some(text));
    for path in [text.to_owned(), format!("/io/gasd1/{text}")] {
        match Object::parse(&path) {
            Some(Object::Meter(id)) => assert_eq!(meter_path(&id), path),
            Some(Object::Valve(id)) => assert_eq!(valve_path(&id), path),
            Some(Object::Port(id)) => assert_eq!(port_path(&id), path),
            Some(Object::Verdict(id)) => assert_eq!(verdict_path(id), path),
            Some(Object::Manager) | None => {}
        }
    }
});
