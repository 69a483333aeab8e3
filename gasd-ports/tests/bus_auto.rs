// SPDX-License-Identifier: MIT OR Apache-2.0
//! Meters whose protocol nobody has said, in virtual time: each is found, and stays what it is.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "test code")]

mod house;

use gasd_lab::{Habits, Line, Meter, Noise};
use gasd_meters::detect::Protocol;
use gasd_meters::drive::Device;
use gasd_meters::drive::guess::{ANY, Hints, devices};
use gasd_meters::poll::State;
use gasd_ports::bus::{Event, Spec};
use house::{MINUTE, One, SECOND, START, Wire, cjt188, dlt645, hart, mbus, modbus};

fn habits(seed: u64) -> Habits {
    Habits { seed, ..Habits::default() }
}

/// The meter as one of which only this address is known.
fn unknown((meter, one): (Box<dyn Meter>, One), address: &str) -> (Box<dyn Meter>, One, Vec<Device>) {
    let map = match &one.device {
        Device::Modbus { map, .. } => Some(map.clone()),
        _ => None,
    };
    let guesses = devices(address, &Hints { map, ..Hints::default() });
    (meter, One { every_ns: 20 * SECOND, ..one }, guesses)
}

fn wire(line: Line, meters: Vec<(Box<dyn Meter>, One, Vec<Device>)>) -> Wire {
    let (mut simulated, mut specs) = (Vec::new(), Vec::new());
    for (meter, one, guesses) in meters {
        let (device, others) = guesses.split_first().expect("an address of some protocol");
        specs.push(Spec { device: device.clone(), others: others.to_vec(), ..house::spec(&one) });
        simulated.push((meter, one));
    }
    let mut wire = Wire::new(line, simulated);
    wire.bus.set_meters(specs, START);
    wire
}

fn spoken(events: &[Event]) -> Vec<Protocol> {
    let spoken = |event: &Event| match event {
        Event::Speaks { protocol, .. } => Some(*protocol),
        _ => None,
    };
    events.iter().filter_map(spoken).collect()
}

fn reads(wire: &Wire, events: &[Event]) -> usize {
    events.iter().filter(|event| wire.check(event).is_some()).count()
}

/// A meter of a protocol, the speed of its line, and its address as a configuration has it.
struct Known {
    protocol: Protocol,
    baud: u32,
    meter: (Box<dyn Meter>, One),
    address: String,
}

fn each() -> Vec<Known> {
    let cjt = cjt188(1, habits(1));
    let dlt = dlt645(2, habits(2));
    let m = mbus(3, false, habits(3));
    let modbus = modbus(4, habits(4));
    let hart = hart(0, habits(5));
    let all = [
        (Protocol::Cjt188, 2_400, cjt),
        (Protocol::Dlt645, 2_400, dlt),
        (Protocol::Mbus, 2_400, m),
        (Protocol::Modbus, 9_600, modbus),
        (Protocol::Hart, 1_200, hart),
    ];
    let address = |device: &Device| match device {
        Device::Cjt188 { address, .. } => address.to_string(),
        Device::Dlt645 { address, .. } => address.to_string(),
        Device::Mbus { .. } | Device::SecureMbus { .. } => "3".to_owned(),
        Device::Modbus { unit, .. } => unit.to_string(),
        Device::Hart { .. } => "0".to_owned(),
    };
    let known = |(protocol, baud, meter): (Protocol, u32, (Box<dyn Meter>, One))| {
        let address = address(&meter.1.device);
        Known { protocol, baud, meter, address }
    };
    all.into_iter().map(known).collect()
}

#[test]
fn a_meter_of_each_protocol_is_found_by_its_address_and_read_from_then_on() {
    for Known { protocol, baud, meter, address } in each() {
        let mut wire = wire(Line::new(baud), vec![unknown(meter, &address)]);
        let events = wire.run(START + 5 * MINUTE);
        assert_eq!(spoken(&events), [protocol], "{address}: {events:?}");
        assert!(reads(&wire, &events) >= 14, "{protocol}: {events:?}");
        let opened = events
            .iter()
            .any(|event| matches!(event, Event::Breaker { standing, .. } if standing.state == State::Open));
        assert!(!opened, "{protocol}: being asked in other protocols is no failure: {events:?}");
    }
}

#[test]
fn whoever_is_alone_on_a_line_is_found_without_an_address() {
    for Known { protocol, baud, meter, .. } in each() {
        if protocol == Protocol::Modbus {
            // It has no address that whichever unit answers.
            continue;
        }
        let mut wire = wire(Line::new(baud), vec![unknown(meter, ANY)]);
        let events = wire.run(START + 5 * MINUTE);
        assert_eq!(spoken(&events), [protocol], "{events:?}");
        assert!(reads(&wire, &events) >= 14, "{protocol}: {events:?}");
    }
}

#[test]
fn a_meter_that_was_silent_at_first_is_found_when_it_speaks() {
    let late = Habits { dead: std::iter::once(START..START + 3 * MINUTE).collect(), ..habits(9) };
    let mut wire = wire(Line::new(2_400), vec![unknown(mbus(7, false, late), "7")]);
    let before = wire.run(START + 3 * MINUTE);
    assert!(spoken(&before).is_empty(), "{before:?}");
    assert!(
        before
            .iter()
            .any(|event| matches!(event, Event::Breaker { standing, .. } if standing.state == State::Open))
    );
    let after = wire.run(START + 6 * MINUTE);
    assert_eq!(spoken(&after), [Protocol::Mbus], "{after:?}");
    assert!(reads(&wire, &after) >= 5);
}

#[test]
fn on_a_line_with_others_and_noise_each_is_what_it_is() {
    let noise = Noise { corrupt_ppm: 30_000, burst: 40, stray_ppm: 0 };
    let line = Line { echo: true, noise, seed: 21, ..Line::new(2_400) };
    let (gas, electric) = (cjt188(5, habits(11)), dlt645(6, habits(12)));
    let addresses = [&gas.1.device, &electric.1.device].map(|device| match device {
        Device::Cjt188 { address, .. } => address.to_string(),
        Device::Dlt645 { address, .. } => address.to_string(),
        _ => unreachable!(),
    });
    let meters = vec![
        unknown(gas, &addresses[0]),
        unknown(electric, &addresses[1]),
        unknown(mbus(13, false, habits(13)), "13"),
    ];
    let mut wire = wire(line, meters);
    let events = wire.run(START + 10 * MINUTE);
    let mut found = spoken(&events);
    found.sort_unstable();
    found.dedup();
    assert_eq!(found, [Protocol::Dlt645, Protocol::Cjt188, Protocol::Mbus]);
    // `check` holds each to what its meter really said.
    assert!(reads(&wire, &events) > 40, "{}", reads(&wire, &events));
}
