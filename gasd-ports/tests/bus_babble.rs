// SPDX-License-Identifier: MIT OR Apache-2.0
//! A closing on a line that is never silent for a while.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "test code")]

use gasd_meters::drive::{Device, Memory, ModbusValve, ProcedureSettings};
use gasd_meters::modbus::RegisterMap;
use gasd_meters::poll::Settings;
use gasd_meters::{Valve, crc};
use gasd_ports::bus::{Bus, Event, Pace, Spec, Step};

const SECOND: u64 = 1_000_000_000;
const MS: u64 = 1_000_000;

fn spec() -> Spec {
    let valve = ModbusValve::Register { address: 40, open: 0, closed: 1 };
    Spec {
        key: 1,
        device: Device::Modbus { unit: 1, map: RegisterMap::new(Vec::new()), valve: Some(valve) },
        others: Vec::new(),
        every_ns: 60 * SECOND,
        breaker: Settings::default(),
        most_ul_per_h: 12_000_000_000,
        memory: Memory::default(),
        earlier: None,
    }
}

/// A closing is asked for while somebody sends without end, for so long. Returns when its command went out, after how long, ns,
/// and how it ended.
fn closed_over(babble_ns: u64) -> (Vec<u64>, Vec<Event>) {
    let order_ns = 110 * SECOND;
    let silent_ns = order_ns + babble_ns;
    let (mut now_ns, mut noise_ns) = (100 * SECOND, order_ns - SECOND);
    let mut bus = Bus::new(Pace::new(9_600, 11), vec![spec()], now_ns);
    let (mut due, mut valve): (Option<(u64, Vec<u8>)>, u8) = (None, 0);
    let (mut ordered, mut writes, mut told) = (false, Vec::new(), Vec::new());
    while now_ns < 250 * SECOND {
        if now_ns >= order_ns && !std::mem::replace(&mut ordered, now_ns >= order_ns) {
            assert!(bus.move_valve(1, Valve::Closed, ProcedureSettings::default(), now_ns));
        }
        let next_ns = match bus.step(now_ns) {
            Step::Send(bytes) => {
                let mut answer = match bytes[1] {
                    3 => vec![1, 3, 2, 0, valve],
                    6 => {
                        valve = bytes[5];
                        writes.push(now_ns - order_ns);
                        bytes[..6].to_vec()
                    }
                    function => panic!("function {function}"),
                };
                answer.extend(crc::modbus(&answer).to_le_bytes());
                due = Some((now_ns + 50 * MS, answer));
                continue;
            }
            Step::Wait { until_ns } => until_ns,
        };
        told.extend(bus.events().filter(|event| matches!(event, Event::Moved { .. })));
        if (noise_ns..silent_ns).contains(&now_ns) {
            bus.heard(now_ns, &[0xAA]);
            noise_ns = now_ns + 2 * MS;
        }
        let next_ns = if noise_ns < silent_ns { next_ns.min(noise_ns) } else { next_ns };
        let next_ns = if ordered { next_ns } else { next_ns.min(order_ns) };
        let due_ns = due.as_ref().map_or(u64::MAX, |(at_ns, _)| *at_ns);
        now_ns = next_ns.min(due_ns).max(now_ns + 1);
        if let Some((_, answer)) = due.take_if(|(at_ns, _)| *at_ns <= now_ns) {
            bus.heard(now_ns, &answer);
        }
    }
    (writes, told)
}

#[test]
fn a_closing_goes_out_once_as_soon_as_the_line_is_silent() {
    for babble_s in [0, 3, 9, 20, 40, 50] {
        let (writes, told) = closed_over(babble_s * SECOND);
        let after_ns = writes[0].saturating_sub(babble_s * SECOND);
        assert!(writes.len() == 1 && after_ns < 4 * SECOND, "{babble_s} s: {writes:?}");
        assert!(
            matches!(told[..], [Event::Moved { result: Ok(Valve::Closed), .. }]),
            "{babble_s} s: {told:?}"
        );
    }
}

#[test]
fn a_closing_that_never_can_go_out_ends_in_words() {
    let (writes, told) = closed_over(200 * SECOND);
    assert!(writes.is_empty() && matches!(told[..], [Event::Moved { result: Err(_), .. }]), "{told:?}");
}
