// SPDX-License-Identifier: MIT OR Apache-2.0
//! Answers that come too late, on a line of meters that are alike: none is taken for another's.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "test code")]

use gasd_meters::drive::{Device, Memory};
use gasd_meters::poll::Settings;
use gasd_meters::{Error, cjt188, hex, mbus};
use gasd_ports::bus::{Bus, Event, Pace, Spec, Step};

const SECOND: u64 = 1_000_000_000;

fn meter(n: u8) -> Spec {
    let address = cjt188::Address([n, 0, 0, 0, 0, 0x78, 0x33]);
    Spec {
        key: n.into(),
        device: Device::Cjt188 { address, kind: 0x30, profile: cjt188::Profile::STANDARD },
        others: Vec::new(),
        every_ns: 600 * SECOND,
        breaker: Settings::default(),
        most_ul_per_h: 12_000_000_000,
        memory: Memory::default(),
        earlier: None,
    }
}

/// What a meter with this address answers to a request. The order of the identifier and the sequence number are those of the
/// request: meters of one line are asked in step.
fn answer(request: &[u8], n: u8) -> Vec<u8> {
    let request = cjt188::find(request).unwrap();
    let mut bytes = vec![0x68, 0x30, n, 0, 0, 0, 0, 0x78, 0x33, 0x81, 0x16];
    bytes.extend(&request[11..14]);
    bytes.extend(hex::parse("003456122C003456122C310122110515202184").unwrap());
    let sum = bytes.iter().fold(0u8, |sum, byte| sum.wrapping_add(*byte));
    bytes.extend([sum, 0x16]);
    bytes
}

/// Asks until this meter's request goes out; returns it.
fn request_of(bus: &mut Bus, n: u8, now_ns: &mut u64) -> Vec<u8> {
    loop {
        match bus.step(*now_ns) {
            Step::Send(bytes) => {
                let request = cjt188::find(&bytes).unwrap();
                if cjt188::Frame::parse(request).unwrap().address.0[0] == n {
                    return bytes;
                }
            }
            Step::Wait { until_ns } => *now_ns = until_ns.max(*now_ns + 1),
        }
    }
}

/// Whether meter 2 is read when this address answers it.
fn takes(n: u8) -> bool {
    let mut now_ns = 100 * SECOND;
    let mut bus = Bus::new(Pace::new(2_400, 11), vec![meter(1), meter(2)], now_ns);
    let request = request_of(&mut bus, 2, &mut now_ns);
    // It is sent, and its echo, if there is one, is over.
    now_ns += 300_000_000;
    let _ = bus.step(now_ns);
    let _ = bus.events().count();
    bus.heard(now_ns, &answer(&request, n));
    let until_ns = now_ns + 400_000_000;
    while now_ns < until_ns {
        now_ns += 20_000_000;
        let _ = bus.step(now_ns);
        if bus.events().any(|event| matches!(event, Event::Read { key: 2, .. })) {
            return true;
        }
    }
    false
}

#[test]
fn the_answer_of_another_meter_of_the_line_is_not_taken_for_this_ones() {
    assert!(!takes(1), "meter 1 is on this line, too, and was late");
    assert!(takes(2));
    assert!(takes(9), "nobody has this address: such meters are about");
}

/// A line of one M-Bus meter that acknowledges each reset so late, ns, and says nothing else: why it is not read, and the
/// bytes of no frame and the frames that answered nothing.
fn acknowledges_after(late_ns: u64) -> (Vec<Error>, u64, u64) {
    let mut now_ns = 100 * SECOND;
    let target = mbus::Target::Primary(1);
    let spec = Spec { device: Device::Mbus { target, valve: None }, ..meter(1) };
    let mut bus = Bus::new(Pace::new(2_400, 11), vec![spec], now_ns);
    let (mut due_ns, mut errors) = (u64::MAX, Vec::new());
    let until_ns = now_ns + 30 * SECOND;
    while now_ns < until_ns {
        let next_ns = match bus.step(now_ns) {
            Step::Send(bytes) => {
                if bytes[1] == 0x40 {
                    due_ns = now_ns + late_ns;
                }
                continue;
            }
            Step::Wait { until_ns } => until_ns,
        };
        errors.extend(bus.events().filter_map(|event| match event {
            Event::Failed { error, .. } => Some(error),
            _ => None,
        }));
        now_ns = next_ns.min(due_ns).max(now_ns + 1);
        if now_ns >= due_ns {
            due_ns = u64::MAX;
            bus.heard(now_ns, &[mbus::ACK]);
        }
    }
    (errors, bus.counts().garbage, bus.counts().others)
}

#[test]
fn an_acknowledgement_that_comes_too_late_is_no_noise() {
    let mut where_it_came = [false; 2];
    for late_ms in (100..4_000).step_by(50) {
        let (errors, garbage, others) = acknowledges_after(late_ms * 1_000_000);
        assert!(
            !errors.is_empty() && errors.iter().all(|error| *error == Error::Timeout),
            "{late_ms} ms: {errors:?}"
        );
        assert_eq!(garbage, 0, "{late_ms} ms");
        where_it_came[usize::from(others > 0)] = true;
    }
    assert_eq!(where_it_came, [true; 2], "in time, and too late");
}
