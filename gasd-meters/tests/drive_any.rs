// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whatever is heard, of any meter: a dialogue ends, nothing panics, no command goes out twice, and what is remembered
//! comes back from its bytes.

use gasd_meters::cjt188::Profile;
use gasd_meters::dlt645::{Authority, Di, Standard};
use gasd_meters::drive::{
    Ask, Device, Dialogue, Finished, HartSelect, Memory, ModbusValve, quantity_resolution_ul, volume_ul,
};
use gasd_meters::hart::Master;
use gasd_meters::mbus::{Target, ValveOutput};
use gasd_meters::modbus::{Point, RegisterMap, Type};
use gasd_meters::{Error, Kind, Unit, Valve, crc};
use proptest::collection::vec;
use proptest::prelude::*;

/// More than any of these dialogues asks.
const MOST: usize = 200;

fn devices() -> Vec<Device> {
    let output = Some(ValveOutput { mask: 1, open: 0, closed: 1 });
    let authority = Some(Authority::new(2, &[1, 2, 3], &[0; 4]));
    let points = vec![
        Point::new(Kind::Volume, 10, Type::U64, Unit::Litre),
        Point::new(Kind::Flow, 300, Type::F32, Unit::CubicMetrePerHour),
    ];
    vec![
        Device::Cjt188 {
            address: "23051606000102".parse().expect("an address"),
            kind: 0x30,
            profile: Profile::STANDARD,
        },
        Device::Dlt645 {
            address: "123456789012".parse().expect("an address"),
            standard: Standard::V2007,
            di: Di::Long(0x0001_0000),
            authority,
        },
        Device::Dlt645 {
            address: "123456789012".parse().expect("an address"),
            standard: Standard::V1997,
            di: Di::Short(0x9010),
            authority: None,
        },
        Device::Mbus { target: Target::Primary(5), valve: output },
        Device::Mbus { target: Target::Selected("12345678.ELS.33.03".parse().expect("one")), valve: output },
        Device::Modbus {
            unit: 7,
            map: RegisterMap::new(points),
            valve: Some(ModbusValve::Coil { address: 8, open: true }),
        },
        Device::Hart { select: HartSelect::Poll(3), master: Master::Primary },
        Device::Hart { select: HartSelect::Tag("FT-101".into()), master: Master::Secondary },
    ]
}

/// What becomes of a request: bytes, or the request itself with some bytes changed and its sums made right.
#[derive(Clone, Debug)]
enum Heard {
    Bytes(Vec<u8>),
    Like(Vec<(u8, u8)>, Vec<u8>, u8),
    Nothing(u8),
}

fn heards() -> impl Strategy<Value = Heard> {
    prop_oneof![
        1 => vec(any::<u8>(), 0..40).prop_map(Heard::Bytes),
        6 => (vec((any::<u8>(), any::<u8>()), 0..4), vec(any::<u8>(), 0..30), any::<u8>())
            .prop_map(|(changes, tail, control)| Heard::Like(changes, tail, control)),
        1 => any::<u8>().prop_map(Heard::Nothing),
    ]
}

/// An answer that has the header of the request, as far as that is possible.
fn like(request: &[u8], changes: &[(u8, u8)], tail: &[u8], control: u8) -> Vec<u8> {
    let start = request.iter().position(|byte| !matches!(byte, 0xFE | 0xFF)).unwrap_or(0);
    let mut bytes = request[start..].to_vec();
    let more = (control & 7 == 0) as u8 * 0x20;
    match bytes[..] {
        // DL/T 645
        [0x68, _, _, _, _, _, _, 0x68, c, _, ..] => {
            bytes.truncate(10 + 4.min(bytes.len() - 12));
            bytes[8] = c | 0x80 | more;
            bytes.extend(tail);
            bytes[9] = (bytes.len() - 10) as u8;
        }
        // M-Bus
        [0x68, ..] if bytes.len() > 5 && bytes[1] == bytes[2] => return vec![0xE5],
        [0x10, 0x40 | 0x53 | 0x73, ..] => return vec![0xE5],
        [0x10, _, address, ..] => {
            let body = [&[0x08, address, 0x78][..], tail].concat();
            bytes = vec![0x68, body.len() as u8, body.len() as u8, 0x68];
            bytes.extend(&body);
            bytes.extend([crc::sum(&body), 0x16]);
            return bytes;
        }
        // CJ/T 188
        [0x68, _, _, _, _, _, _, _, _, c, ..] => {
            bytes.truncate(14);
            bytes[9] = c | 0x80;
            bytes.extend(tail);
            bytes[10] = (bytes.len() - 11) as u8;
        }
        // HART
        [0x02 | 0x82, ..] => {
            bytes[0] |= 4;
            bytes.pop();
            bytes.pop();
            bytes.push(tail.len() as u8 + 2);
            bytes.extend([control & 0x80, 0]);
            bytes.extend(tail);
            bytes.push(crc::xor(&bytes));
            return [vec![0xFF; 5], bytes].concat();
        }
        // Modbus
        [unit, function, ..] => {
            bytes = match function {
                3 => {
                    let n = request[5];
                    let data = (0..2 * n).map(|i| tail.get(usize::from(i)).copied().unwrap_or(i));
                    [unit, 3, 2 * n].into_iter().chain(data).collect()
                }
                1 => vec![unit, 1, 1, control],
                _ => request[..request.len() - 2].to_vec(),
            };
            if control == 9 {
                bytes = vec![unit, function | 0x80, 6];
            }
            bytes.extend(crc::modbus(&bytes).to_le_bytes());
            return bytes;
        }
        _ => {}
    }
    for &(at, byte) in changes {
        let at = usize::from(at) % bytes.len();
        bytes[at] ^= byte & 0x11;
    }
    let sum = crc::sum(&bytes);
    bytes.extend([sum, 0x16]);
    bytes
}

fn play(mut dialogue: Dialogue, heards: &[Heard]) -> (Finished, Vec<Ask>) {
    let (mut asked, mut heards) = (Vec::new(), heards.iter().cycle());
    while let Some(ask) = dialogue.next() {
        assert!(asked.len() < MOST, "more than {MOST} requests");
        match heards.next().unwrap_or(&Heard::Nothing(0)) {
            Heard::Bytes(bytes) => {
                let _ = dialogue.probe(bytes);
                dialogue.heard(Ok(bytes));
            }
            Heard::Like(changes, tail, control) => {
                let bytes = like(&ask.request, changes, tail, *control);
                let _ = dialogue.probe(&bytes);
                dialogue.heard(Ok(&bytes));
            }
            Heard::Nothing(0..100) => dialogue.heard(Err(Error::Timeout)),
            Heard::Nothing(100..200) => dialogue.heard(Err(Error::Checksum { got: 1, want: 2 })),
            // Nobody says how it ended.
            Heard::Nothing(_) => {}
        }
        asked.push(ask);
    }
    (dialogue.finish(), asked)
}

/// Whether a request moves a valve.
fn commands(device: &Device, request: &[u8]) -> bool {
    let start = request.iter().position(|byte| *byte != 0xFE).unwrap_or(0);
    match device {
        Device::Cjt188 { .. } => request[start + 9] == 0x04,
        Device::Dlt645 { .. } => request[start + 8] == 0x1C,
        Device::Mbus { .. } | Device::SecureMbus { .. } => request.len() > 6 && request[6] == 0x51,
        Device::Modbus { .. } => request[1] == 5,
        Device::Hart { .. } => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn every_dialogue_ends(
        n in 0..8usize,
        jobs in vec(0..4u8, 1..6),
        heards in vec(heards(), 1..40),
        kept in any::<bool>(),
    ) {
        let device = &devices()[n];
        prop_assert_eq!(device.check(), Ok(()));
        let mut memory = Memory::default();
        for (n, job) in jobs.into_iter().enumerate() {
            let heards = &heards[n % heards.len()..];
            let dialogue = match job {
                0 => device.read(&memory),
                1 => device.look(&memory),
                _ => {
                    let to = if job == 2 { Valve::Open } else { Valve::Closed };
                    let Ok(dialogue) = device.valve(to, &memory) else { continue };
                    dialogue
                }
            };
            let (finished, asked) = play(dialogue, heards);
            for ask in &asked {
                prop_assert_eq!(ask.moves, commands(device, &ask.request));
            }
            let commanded = asked.iter().filter(|ask| ask.moves).count();
            match job {
                0 | 1 => prop_assert_eq!(commanded, 0),
                _ => prop_assert!(commanded <= 1),
            }
            if job == 1 {
                prop_assert!(asked.len() <= 2);
            }
            if let Ok(reading) = &finished.result {
                for unit in [None, Some(Unit::CubicMetre)] {
                    let _ = quantity_resolution_ul(reading, None, unit);
                    let _ = volume_ul(reading, None, unit).map_err(|why| why.to_string());
                }
            }
            memory = finished.memory;
            let again = Memory::from_bytes(&memory.to_bytes());
            prop_assert_eq!(again.as_ref(), Some(&memory.lasting()));
            if kept {
                memory = again.unwrap_or_default();
            }
        }
    }
}

/// The answers above are good enough to be taken: else the property would say nothing.
#[test]
fn likenesses_are_answers() {
    for (device, tail) in devices().iter().zip([
        &[1u8; 19][..],
        &[0x34; 4],
        &[0x34; 6],
        &[0x04, 0x13, 1, 0, 0, 0],
        &[0x04, 0x13, 1, 0, 0, 0],
        &[0; 8],
        &[0xFE, 6, 1, 5, 7, 1, 1, 8, 0, 1, 2, 3],
        &[0xFE, 6, 1, 5, 7, 1, 1, 8, 0, 1, 2, 3],
    ]) {
        let heard = [Heard::Like(vec![], tail.to_vec(), 1)];
        let (finished, _) = play(device.read(&Memory::default()), &heard);
        if matches!(device, Device::Hart { select: HartSelect::Tag(_), .. }) {
            // Who is asked by its tag answers with its own address, which a likeness does not know.
            continue;
        }
        assert!(finished.frame.is_some(), "{device:?}: {:?}", finished.result);
        assert!(finished.result.is_ok() || matches!(device, Device::Hart { .. }), "{device:?}: {finished:?}");
    }
}
