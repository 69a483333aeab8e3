// SPDX-License-Identifier: MIT OR Apache-2.0
//! Any bytes as answers to any meter's dialogues, one dialogue after the other, and to a search: each ends, what moves a
//! valve goes out once at most and only where it was asked for, and what is remembered comes back from its bytes.
#![no_main]

use arbitrary::Arbitrary;
use gasd_meters::cjt188::Profile;
use gasd_meters::detect::Protocol;
use gasd_meters::dlt645::{Authority, Di, Standard};
use gasd_meters::drive::{
    Bounds, Device, Dialogue, Finished, HartSelect, Memory, ModbusValve, Search, quantity_resolution_ul,
    volume_ul,
};
use gasd_meters::hart::Master;
use gasd_meters::mbus::{Target, ValveOutput};
use gasd_meters::modbus::{Point, RegisterMap, Type};
use gasd_meters::scan;
use gasd_meters::{Error, Kind, Unit, Valve, crc};
use libfuzzer_sys::fuzz_target;

#[derive(Debug, Arbitrary)]
struct Input {
    device: u8,
    jobs: [u8; 4],
    memory: Vec<u8>,
    heard: Vec<Heard>,
}

#[derive(Debug, Arbitrary)]
enum Heard {
    /// These bytes come.
    Bytes(Vec<u8>),
    /// The header of the request, made an answer's, these data, and sums that fit.
    Answer(Vec<u8>),
    Ack,
    Timeout,
    Damaged,
    /// Nobody says what came.
    Unsaid,
}

fn device(n: u8) -> Device {
    let output = Some(ValveOutput { mask: 1, open: 0, closed: 1 });
    let address645 = "123456789012".parse().expect("an address");
    let points = vec![
        Point::new(Kind::Volume, 10, Type::U64, Unit::Litre),
        Point::new(Kind::Flow, 300, Type::F32, Unit::CubicMetrePerHour),
    ];
    match n % 8 {
        0 | 1 => Device::Cjt188 {
            address: "23051606000102".parse().expect("an address"),
            kind: if n % 8 == 0 { 0x30 } else { 0xAA },
            profile: Profile::STANDARD,
        },
        2 => Device::Dlt645 {
            address: address645,
            standard: Standard::V2007,
            di: Di::Long(0x0001_0000),
            authority: Some(Authority::new(2, &[1, 2, 3], &[0; 4])),
        },
        3 => Device::Dlt645 {
            address: address645,
            standard: Standard::V1997,
            di: Di::Short(0x9010),
            authority: None,
        },
        4 => Device::Mbus { target: Target::Primary(5), valve: output },
        5 => Device::Mbus {
            target: Target::Selected("12345678.ELS.33.03".parse().expect("one")),
            valve: output,
        },
        6 => Device::Modbus {
            unit: 7,
            map: RegisterMap::new(points),
            valve: Some(ModbusValve::Register { address: 8, open: 1, closed: 2 }),
        },
        _ => Device::Hart { select: HartSelect::Poll(3), master: Master::Primary },
    }
}

/// Whether a request moves a valve.
fn commands(device: &Device, request: &[u8]) -> bool {
    let start = request.iter().position(|byte| *byte != 0xFE).unwrap_or(0);
    match device {
        Device::Cjt188 { .. } => request[start + 9] == 0x04,
        Device::Dlt645 { .. } => request[start + 8] == 0x1C,
        Device::Mbus { .. } | Device::SecureMbus { .. } => request.len() > 6 && request[6] == 0x51,
        Device::Modbus { .. } => request[1] == 6,
        Device::Hart { .. } => false,
    }
}

fn answer(protocol: Protocol, request: &[u8], data: &[u8]) -> Vec<u8> {
    let start = request.iter().position(|byte| !matches!(byte, 0xFE | 0xFF)).unwrap_or(0);
    let request = &request[start..];
    let data = &data[..data.len().min(180)];
    let (first, rest) = data.split_first().map_or((0, data), |(first, rest)| (*first, rest));
    let mut bytes;
    match protocol {
        Protocol::Cjt188 => {
            bytes = request[..14].to_vec();
            bytes[9] |= 0x80 | first & 0x40;
            bytes[10] = 3 + rest.len() as u8;
        }
        Protocol::Dlt645 => {
            let kept = usize::from(request[9]).min(4);
            bytes = request[..10 + kept].to_vec();
            bytes[8] |= 0x80 | first & 0x60;
            bytes[9] = (kept + rest.len()) as u8;
        }
        Protocol::Mbus => {
            let (address, ci) = (if request[0] == 0x10 { request[2] } else { request[5] }, first);
            let body = [&[0x08, address, ci][..], rest].concat();
            bytes = vec![0x68, body.len() as u8, body.len() as u8, 0x68];
            bytes.extend(&body);
            bytes.extend([crc::sum(&body), 0x16]);
            return bytes;
        }
        Protocol::Modbus => {
            bytes = vec![request[0], request[1] | first & 0x80];
            bytes.extend(rest);
            bytes.extend(crc::modbus(&bytes).to_le_bytes());
            return bytes;
        }
        Protocol::Hart => {
            let head = if request[0] & 0x80 == 0 { 3 } else { 7 };
            bytes = request[..head].to_vec();
            bytes[0] |= 4;
            bytes.push(rest.len() as u8);
            bytes.extend(rest);
            bytes.push(crc::xor(&bytes));
            return [vec![0xFF; 5], bytes].concat();
        }
    }
    bytes.extend(rest);
    bytes.extend([crc::sum(&bytes), 0x16]);
    bytes
}

fn play<'a>(
    protocol: Protocol,
    mut dialogue: Dialogue,
    heard: &mut impl Iterator<Item = &'a Heard>,
) -> (Finished, Vec<Vec<u8>>) {
    let mut asked: Vec<Vec<u8>> = Vec::new();
    while let Some(ask) = dialogue.next() {
        assert!(asked.len() < 200, "a dialogue without an end");
        let bytes = match heard.next() {
            Some(Heard::Bytes(bytes)) => Some(bytes.clone()),
            Some(Heard::Answer(data)) => Some(answer(protocol, &ask.request, data)),
            Some(Heard::Ack) => Some(vec![0xE5]),
            Some(Heard::Damaged) => {
                dialogue.heard(Err(Error::Checksum { got: 1, want: 2 }));
                None
            }
            Some(Heard::Unsaid) => None,
            Some(Heard::Timeout) | None => {
                dialogue.heard(Err(Error::Timeout));
                None
            }
        };
        if let Some(bytes) = bytes {
            // As an exchange takes it: the first frame, if it answers; and once in a while as it is.
            match scan::first(&bytes, |bytes| dialogue.probe(bytes)) {
                Ok((at, len)) => {
                    let frame = &bytes[at..at + len];
                    let behind = bytes[at + len..].to_vec();
                    dialogue.beside(&[behind.clone(), behind], at);
                    dialogue.heard(dialogue.judge(frame).map(|()| frame));
                }
                Err(_) => dialogue.heard(Ok(&bytes)),
            }
        }
        asked.push(ask.request.to_vec());
    }
    (dialogue.finish(), asked)
}

fuzz_target!(|input: Input| {
    let device = device(input.device);
    let mut heard = input.heard.iter();
    let mut memory = Memory::from_bytes(&input.memory).unwrap_or_default();
    for job in input.jobs {
        let dialogue = match job % 4 {
            0 => device.read(&memory),
            1 => device.look(&memory),
            job => match device.valve(if job == 2 { Valve::Open } else { Valve::Closed }, &memory) {
                Ok(dialogue) => dialogue,
                Err(_) => continue,
            },
        };
        let (finished, asked) = play(device.protocol(), dialogue, &mut heard);
        let sent = asked.iter().filter(|request| commands(&device, request)).count();
        assert!(sent <= usize::from(job % 4 >= 2));
        if let Ok(reading) = &finished.result {
            for unit in [None, Some(Unit::CubicMetre)] {
                let _ = quantity_resolution_ul(reading, None, unit);
                let _ = volume_ul(reading, None, unit).map_err(|why| why.to_string());
            }
        }
        memory = finished.memory;
        assert_eq!(Memory::from_bytes(&memory.to_bytes()), Some(memory.lasting()));
    }
    let bounds =
        Bounds { mbus_primary: 0..=3, mbus_selects: 20, modbus: 1..=3, hart: 0..=3, ..Bounds::default() };
    let mut search = Search::new(&[device.protocol()], &bounds);
    let mut n = 0;
    while let Some(probing) = search.next() {
        let (finished, _) = play(device.protocol(), probing.dialogue, &mut heard);
        let _ = search.heard(&finished).into_iter().map(|meter| meter.words).max();
        n += 1;
        assert!(n < 2_500, "a search without an end");
    }
});
