// SPDX-License-Identifier: MIT OR Apache-2.0
//! 1 kHz of pulses on each of three meters, through the engine to a subscriber.
#![allow(clippy::unwrap_used, reason = "test code")]

mod pipeline_house;
mod stream_house;
#[path = "bus_support.rs"]
mod support;

use std::time::{Duration, Instant};

use gasd::bus::BusAddress;
use gasd::pipeline::queue::Input;
use gasd::response::clock::boottime_ns;
use gasd::stream::Wish;
use gasd_abi::records::{EVENT_PULSE, Event};
use gasd_abi::stream::Message;
use pipeline_house::{Pipeline, config, quantiles};
use stream_house::must;
use support::PrivateBus;

const METERS: u64 = 3;
/// Pulses of each meter.
const PULSES: u64 = 3_000;

#[test]
fn three_kilohertz_reach_a_subscriber_and_each_pulse_is_there_or_counted() {
    let bus = PrivateBus::start();
    let folder = tempfile::tempdir().unwrap();
    let address = BusAddress::Address(bus.address());
    // Pulses of 1 mL: a kilohertz is below what makes a verdict.
    let pipeline = Pipeline::start(&config(METERS as usize, "1 mL"), &folder.path().join("s"), None, address);
    let wish = Wish { kinds: vec!["pulse".into()], ..Wish::default() };
    let socket = pipeline.stream.subscribe(0, &wish).unwrap();
    let reader = std::thread::spawn(move || {
        let (mut last, mut got, mut lost) = ([0; METERS as usize], 0, 0);
        let mut late = Vec::new();
        while got + lost < METERS * PULSES {
            let record = must(&socket);
            match record.message() {
                Some(Message::Pulse { decided_ns, pulses, volume_ul, .. }) => {
                    late.push(boottime_ns() - decided_ns);
                    let last = &mut last[record.index as usize];
                    assert!(pulses > *last, "totals only grow");
                    assert!(lost > 0 || pulses == *last + 1, "a hole without a gap");
                    assert_eq!(volume_ul, pulses * 1_000);
                    *last = pulses;
                    got += 1;
                }
                Some(Message::Gap { lost: n, .. }) => lost += n,
                _ => {}
            }
        }
        (got, lost, late)
    });
    let start = Instant::now();
    for n in 1..=PULSES {
        for line in 0..METERS as u32 {
            let now = boottime_ns();
            let event =
                Event { kind: EVENT_PULSE, line, seq: n, t_ns: now, decided_ns: now, ..Event::default() };
            assert!(pipeline.queue.push(Input::Event(event)), "the engine does not keep up");
        }
        std::thread::sleep((start + Duration::from_millis(n)).saturating_duration_since(Instant::now()));
    }
    let took = start.elapsed();
    let (got, lost, mut late) = reader.join().unwrap();
    let (p50, p99, max) = quantiles(&mut late);
    eprintln!("{got} pulses in {took:?}, {lost} lost; after {p50:.3} ms (p50) {p99:.3} (p99) {max:.3} (max)");
    assert_eq!(got + lost, METERS * PULSES);
    // A machine that sleeps for a tenth of a second makes a gap; that must be the exception.
    assert!(lost * 10 < got, "{lost} of {got}");
    pipeline.stop();
}
