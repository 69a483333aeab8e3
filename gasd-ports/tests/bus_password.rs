// SPDX-License-Identifier: MIT OR Apache-2.0
//! The password of a meter's switch, which an adapter that hears itself gives back: no event has it, whatever the noise made
//! of it and whatever was believed of the echo.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "test code")]

mod house;

use gasd_lab::{Habits, Line};
use gasd_meters::Valve;
use gasd_meters::dlt645::Authority;
use gasd_meters::drive::{Device, ProcedureSettings};
use gasd_meters::poll::Echo;
use gasd_ports::bus::{Bus, Event, Pace, Step};
use house::{MINUTE, MS, START, dlt645, spec};

const SECRET: [u8; 7] = [0xA1, 0xB2, 0xC3, 0xD4, 0xE5, 0xF6, 0x07];

/// What is done to an echo.
type Spoil = fn(&mut Vec<u8>);

/// What fails when a valve is moved by an adapter that hears itself late, as over USB.
fn failed(echo: Echo, answer_lost_ppm: u32, spoil: Spoil) -> Vec<Vec<u8>> {
    let mut habits = Habits { seed: 3, ..Habits::default() };
    habits.valve.answer_lost_ppm = answer_lost_ppm;
    let (meter, mut one) = dlt645(1, habits);
    let Device::Dlt645 { authority, .. } = &mut one.device else { panic!() };
    let (password, operator) = (SECRET[..3].try_into().unwrap(), SECRET[3..].try_into().unwrap());
    *authority = Some(Authority::new(2, password, operator));
    let line = Line::new(2_400);
    let mut lab = gasd_lab::Bus::new(line, vec![meter]);
    let pace = Pace { echo, byte_ns: line.byte_ns, ..Pace::new(2_400, 11) };
    let mut bus = Bus::new(pace, vec![spec(&one)], START);
    let (mut now_ns, mut echoes, mut told) = (START, Vec::<(u64, Vec<u8>)>::new(), Vec::new());
    assert!(bus.move_valve(1, Valve::Closed, ProcedureSettings::default(), now_ns));
    while now_ns < START + 3 * MINUTE {
        let next_ns = match bus.step(now_ns) {
            Step::Send(bytes) => {
                lab.sent(now_ns, &bytes);
                let out_ns = now_ns + bytes.len() as u64 * line.byte_ns + 50 * MS;
                let mut echo = bytes.to_vec();
                spoil(&mut echo);
                echoes.push((out_ns, echo));
                continue;
            }
            Step::Wait { until_ns } => until_ns,
        };
        for event in bus.events() {
            if let Event::Failed { raw, .. } = event {
                told.push(raw);
            }
        }
        let echo_ns = echoes.iter().map(|(at_ns, _)| *at_ns).min().unwrap_or(u64::MAX);
        let heard_ns = lab.due_ns().unwrap_or(u64::MAX).min(echo_ns);
        now_ns = next_ns.min(heard_ns).max(now_ns + 1);
        for (_, bytes) in echoes.extract_if(.., |(at_ns, _)| *at_ns <= now_ns) {
            bus.heard(now_ns, &bytes);
        }
        let bytes = lab.take(now_ns);
        if !bytes.is_empty() {
            bus.heard(now_ns, &bytes);
        }
    }
    told
}

#[test]
fn no_event_has_a_password_in_it() {
    let spoils: [Spoil; 4] =
        [|_| {}, |echo| echo.insert(0, 0), |echo| echo[4] ^= 0x10, |echo| drop(echo.drain(..14))];
    let on_line = SECRET.map(|byte| byte.wrapping_add(0x33));
    let tells = |raw: &[u8]| raw.windows(2).any(|pair| on_line.windows(2).any(|secret| secret == pair));
    let mut hidden = 0;
    for echo in [Echo::Never, Echo::Unknown, Echo::Always] {
        for lost_ppm in [0, 1_000_000] {
            for (which, spoil) in spoils.into_iter().enumerate() {
                for raw in failed(echo, lost_ppm, spoil) {
                    assert!(!tells(&raw), "{echo:?}, {lost_ppm}, {which}: {raw:02X?}");
                    hidden += usize::from(raw.ends_with(&[gasd_meters::dlt645::HIDDEN; 8]));
                }
            }
        }
    }
    assert!(hidden > 0, "no echo was told at all, so this shows nothing");
}
