// SPDX-License-Identifier: MIT OR Apache-2.0
//! HART devices, spoken to over a line that is played.

#[path = "common/line.rs"]
mod line;

use gasd_meters::drive::{Device, HartSelect, Memory, NoValve};
use gasd_meters::hart::{Address, Frame, Master, find};
use gasd_meters::{Error, Flag, Kind, Valve, crc};
use line::talk;

/// A device that is played.
#[derive(Clone)]
struct Meter {
    kind: u16,
    id: [u8; 3],
    poll: u8,
    /// Response codes that come before anything else.
    responses: Vec<u8>,
    device: u8,
}

impl Meter {
    const fn new() -> Self {
        Self { kind: 0x2606, id: [0xBC, 0x61, 0x4E], poll: 3, responses: Vec::new(), device: 0 }
    }

    const fn address(&self) -> Address {
        Address::Unique { kind: self.kind, id: self.id }
    }

    fn answer(&mut self, request: &[u8]) -> Vec<u8> {
        let request = Frame::parse(find(request).expect("a frame")).expect("a frame");
        let by_tag = request.address == Address::BROADCAST && matches!(request.command, 11 | 21);
        if request.address != Address::Polling(self.poll) && request.address != self.address() && !by_tag {
            return vec![];
        }
        let mut data = vec![self.responses.pop().unwrap_or(0), self.device];
        let [high, low] = self.kind.to_be_bytes();
        match request.command {
            _ if data[0] != 0 => {}
            0 | 11 | 21 => {
                data.extend([0xFE, high, low, 7, 7, 1, 1, 8, 0]);
                data.extend(self.id);
            }
            3 => {
                data.extend(12.5f32.to_be_bytes());
                data.push(43);
                data.extend(5866.25f32.to_be_bytes());
            }
            other => panic!("{other}"),
        }
        let master = 0x80;
        let mut bytes = match request.address {
            Address::Polling(poll) => vec![0x06, master | poll],
            Address::Unique { .. } => {
                let mut bytes = vec![0x86, master | high, low];
                bytes.extend(self.id);
                if by_tag {
                    assert!(request.bytes.len() > 9);
                }
                bytes
            }
        };
        bytes.extend([request.command, data.len() as u8]);
        bytes.extend(data);
        bytes.push(crc::xor(&bytes));
        [vec![0xFF; 5], bytes].concat()
    }
}

fn by(select: HartSelect) -> Device {
    Device::Hart { select, master: Master::Primary }
}

fn poll() -> Device {
    by(HartSelect::Poll(3))
}

fn preambles(request: &[u8]) -> usize {
    request.iter().take_while(|&&byte| byte == 0xFF).count()
}

#[test]
fn who_it_is_is_asked_once_and_survives_a_restart() {
    let mut meter = Meter { device: 0x60, ..Meter::new() };
    for select in
        [HartSelect::Poll(3), HartSelect::Tag("FT-101".into()), HartSelect::Tag("long tag of a meter".into())]
    {
        let device = by(select);
        let (finished, asked) = talk(device.read(&Memory::default()), |request| meter.answer(request));
        assert_eq!(asked.len(), 2);
        // It wants seven preambles, and is asked with so many.
        assert_eq!((preambles(&asked[0]), preambles(&asked[1])), (20, 7));
        let reading = finished.result.unwrap();
        assert_eq!(reading.get(Kind::Volume).unwrap().value.to_string(), "5866.25 m³");
        assert_eq!(reading.meter.id, "BC614E");
        // A cold start and a changed configuration are flags, and no more.
        let flags: Vec<Flag> = reading.flags.set().collect();
        assert_eq!(flags, [Flag::ConfigurationChanged, Flag::Restarted]);
        let kept = Memory::from_bytes(&finished.memory.to_bytes()).unwrap();
        let (finished, asked) = talk(device.read(&kept), |request| meter.answer(request));
        assert!(asked.len() == 1 && finished.result.is_ok() && finished.memory == kept);
    }
}

#[test]
fn a_long_address_needs_no_question() {
    let mut meter = Meter::new();
    let device = by(HartSelect::Long(meter.address()));
    let (finished, asked) = talk(device.read(&Memory::default()), |request| meter.answer(request));
    assert!(asked.len() == 1 && finished.result.is_ok());
    let (finished, asked) = talk(device.read(&finished.memory), |_| vec![]);
    assert_eq!((asked.len(), finished.result), (3, Err(Error::Timeout)));
    let (look, asked) = talk(device.look(&Memory::default()), |request| meter.answer(request));
    assert!(asked.len() == 1 && look.result.is_ok());
}

#[test]
fn another_device_is_not_read_as_the_old_one() {
    let mut meter = Meter::new();
    let (finished, _) = talk(poll().read(&Memory::default()), |request| meter.answer(request));
    let mut other = Meter { id: [1, 2, 3], ..Meter::new() };
    for dialogue in [poll().read(&finished.memory), poll().look(&finished.memory)] {
        let (now, _) = talk(dialogue, |request| other.answer(request));
        assert_eq!(now.result, Err(Error::AnotherDevice));
        // It stays so until someone decides.
        assert_eq!(now.memory, finished.memory);
    }
    // By another poll address it is another meter of the configuration.
    let mut moved = Meter { poll: 4, ..other };
    let (now, _) = talk(by(HartSelect::Poll(4)).read(&finished.memory), |request| moved.answer(request));
    assert!(now.result.is_ok());
}

#[test]
fn a_device_that_is_still_there_is_asked_once_more() {
    let mut meter = Meter::new();
    let (finished, _) = talk(poll().read(&Memory::default()), |request| meter.answer(request));
    let mut n = 0;
    let (again, asked) = talk(poll().read(&finished.memory), |request| {
        n += 1;
        if n <= 3 { vec![] } else { meter.answer(request) }
    });
    assert!(again.result.is_ok());
    assert_eq!(asked.len(), 5);
    let (dead, asked) = talk(poll().read(&finished.memory), |_| vec![]);
    assert_eq!((asked.len(), dead.result, dead.memory), (4, Err(Error::Timeout), finished.memory));
}

#[test]
fn a_request_that_was_heard_damaged_is_repeated_and_a_refusal_is_not() {
    let mut meter = Meter { responses: vec![0x88], ..Meter::new() };
    let (finished, asked) = talk(poll().read(&Memory::default()), |request| meter.answer(request));
    assert!(finished.result.is_ok());
    assert_eq!((asked.len(), finished.oddities.repeated), (3, 1));
    let mut meter = Meter { responses: vec![64, 0], ..Meter::new() };
    let (finished, asked) = talk(poll().read(&Memory::default()), |request| meter.answer(request));
    assert_eq!(asked.len(), 2);
    assert!(matches!(finished.result, Err(Error::DeviceError { code: 64, .. })));
}

#[test]
fn what_cannot_be_asked_is_said_before() {
    assert_eq!(poll().valve(Valve::Closed, &Memory::default()).map(drop), Err(NoValve::Protocol));
    assert!(poll().check().is_ok());
    for wrong in [HartSelect::Poll(64), HartSelect::Tag("€".into()), HartSelect::Long(Address::BROADCAST)] {
        let device = by(wrong);
        assert!(device.check().is_err());
        let (finished, asked) = talk(device.read(&Memory::default()), |_| vec![]);
        assert!(asked.is_empty() && matches!(finished.result, Err(Error::Unaskable(_))), "{device:?}");
    }
}
