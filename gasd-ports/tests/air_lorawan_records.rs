// SPDX-License-Identifier: MIT OR Apache-2.0
//! A device that stores its records up: each is as of its own time, whichever comes first in the frame.
#![allow(clippy::unwrap_used, reason = "test code")]

mod common;
#[path = "common/gateway.rs"]
mod gateway;

use common::{S, errors};
use gasd_meters::lorawan::payload::{Profile, UGM};
use gasd_meters::lorawan::{Direction, Draft, Radio};
use gasd_meters::{Error, Kind, Valve};
use gasd_ports::air::lorawan::{Activation, Device, Network, Settings};
use gasd_ports::air::{Event, Output};
use gateway::{Air, keys_1_0};

const ADDR: u32 = 0x2601_1234;
const T: u32 = 1_790_000_000;

/// Records of time, litres and valve, as an uplink of port 10.
fn hear(network: &mut Network, at_ns: u64, counter: u32, records: &[(u32, u32, u8)]) -> Vec<Output> {
    let mut payload = vec![0xFF, 0x1E];
    payload.extend(T.to_be_bytes());
    for (n, (time, litres, valve)) in (1..).zip(records) {
        payload.extend([n, 0x1E]);
        payload.extend(time.to_be_bytes());
        payload.push(0x28);
        payload.extend(litres.to_be_bytes());
        payload.extend([0x29, 0, 0, 0x2A, 101, 0x1F, 7, 0xD0, 0x15, *valve]);
    }
    let draft = Draft {
        direction: Direction::Up,
        confirmed: false,
        dev_addr: ADDR,
        control: 0,
        counter,
        options: &[],
        payload: Some((10, &payload)),
    };
    let frame = draft.seal(&keys_1_0(1), Radio::default()).unwrap();
    network.heard(at_ns, "192.0.2.1:40000".parse().unwrap(), &Air::default().push(&frame))
}

/// Time, litres and valve of each reading.
fn read(out: &[Output]) -> Vec<(u64, i64, Option<Valve>)> {
    let of = |output: &Output| match output {
        Output::Event(Event::Read { t_ns, reading, .. }) => {
            Some((*t_ns, reading.get(Kind::Volume)?.volume_ul().ok()? / 1_000_000, reading.valve))
        }
        _ => None,
    };
    out.iter().filter_map(of).collect()
}

fn network() -> Network {
    let activation = Activation::Personal { dev_addr: ADDR, keys: keys_1_0(1) };
    let profile = *Profile::named(UGM).unwrap();
    Network::new(Settings::default(), vec![Device { key: 7, dev_eui: 0xA7, activation, profile }])
}

#[test]
fn the_newest_record_is_of_now_and_the_others_are_as_much_before_it_as_their_device_says() {
    let mut network = network();
    let now_ns = 100_000 * S;
    // The newest first: closed since.
    let records = [(T + 7_200, 300, 1), (T + 3_600, 250, 0), (T, 100, 0)];
    let told = read(&hear(&mut network, now_ns, 1, &records));
    let (open, closed) = (Some(Valve::Open), Some(Valve::Closed));
    assert_eq!(
        told,
        [(now_ns - 7_200 * S, 100, open), (now_ns - 3_600 * S, 250, open), (now_ns, 300, closed)]
    );
    // What was before the clock of this machine began cannot be said on it.
    let told = read(&hear(&mut network, 200_000 * S, 2, &[(T, 300, 1), (T + 250_000, 310, 1)]));
    assert_eq!(told, [(200_000 * S, 310, closed)]);
}

#[test]
fn records_whose_register_falls_are_no_reading() {
    let mut network = network();
    let out = hear(&mut network, 100 * S, 1, &[(T, 101_600, 0), (T, 5_000, 0)]);
    let what = "its register falls from one record to the next";
    assert_eq!((read(&out), errors(&out)), (vec![], vec![(7, Error::Malformed { what })]));
    assert_eq!(read(&hear(&mut network, 200 * S, 2, &[(T, 101_600, 0)])).len(), 1);
}
