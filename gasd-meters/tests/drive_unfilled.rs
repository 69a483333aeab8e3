// SPDX-License-Identifier: MIT OR Apache-2.0
//! Meters that do not fill their status: nobody knows where such a valve is, and an order to close it goes out.

#[path = "common/line.rs"]
mod line;

use gasd_meters::cjt188::{self, Profile};
use gasd_meters::dlt645::{self, Authority, Di, Standard};
use gasd_meters::drive::{Act, Device, Memory, Procedure, ProcedureSettings, Trouble};
use gasd_meters::{Error, Fault, Kind, Reading, Value, Valve, crc, hex};
use line::talk;

fn switched() -> Device {
    let authority = Authority::new(2, &[0x56, 0x34, 0x12], &[1, 2, 3, 4]);
    let address = "123456789012".parse().expect("an address");
    Device::Dlt645 {
        address,
        standard: Standard::V2007,
        di: Di::Long(0x0001_0000),
        authority: Some(authority),
    }
}

fn gas() -> Device {
    let address = "23051606000102".parse().expect("an address");
    Device::Cjt188 { address, kind: 0x30, profile: Profile::STANDARD }
}

fn framed(head: &[u8], control: u8, data: &[u8]) -> Vec<u8> {
    let mut bytes = [head, &[control, data.len() as u8], data].concat();
    bytes.extend([crc::sum(&bytes), 0x16]);
    bytes
}

/// What a meter says of its status, and how often it was told where to go.
struct Meter {
    status: [u8; 2],
    commands: Vec<u8>,
}

impl Meter {
    /// Either protocol has the control byte behind the address; 645 has a 68 before it.
    fn answer(&mut self, request: &[u8]) -> Vec<u8> {
        let request = request.strip_prefix(&[0xFE; 4]).expect("four to wake it");
        if request[7] == 0x68 {
            let data: Vec<u8> = request[10..request.len() - 2].iter().map(|b| b.wrapping_sub(0x33)).collect();
            let said = match (request[8], &data[..4]) {
                (0x11, [0x03, 0x05, 0x00, 0x04]) => [&data[..4], &self.status].concat(),
                (0x11, _) => [&data[..4], &[0, 0x20, 1, 0]].concat(),
                (0x1C, _) => {
                    self.commands.push(request[8]);
                    Vec::new()
                }
                other => panic!("{other:?}"),
            };
            let said: Vec<u8> = said.iter().map(|b| b.wrapping_add(0x33)).collect();
            return framed(&request[..8], 0x80 | request[8], &said);
        }
        let (head, control, data) = (&request[..9], request[9], &request[11..request.len() - 2]);
        let said = match control {
            0x01 => hex::parse("563412002C000000002C31012211051520").expect("hex"),
            0x04 => {
                self.commands.push(data[3]);
                Vec::new()
            }
            other => panic!("{other:02X}"),
        };
        framed(head, 0x80 | control, &[&data[..3], &said, &self.status].concat())
    }

    fn read(&mut self, device: &Device) -> Result<Reading, Error> {
        talk(device.read(&Memory::default()), |request| self.answer(request)).0.result
    }

    /// An order, as a port carries it out.
    fn order(&mut self, device: &Device, to: Valve) -> Result<Valve, Trouble> {
        let mut procedure = Procedure::new(to, ProcedureSettings::default(), 0);
        let mut now_ns = 0;
        for _ in 0..100 {
            match procedure.next(now_ns) {
                Act::Read => {
                    let read = self.read(device).map(|reading| reading.valve);
                    procedure.was_read(read, now_ns);
                }
                Act::Command => {
                    let dialogue = device.valve(to, &Memory::default()).expect("a valve");
                    let finished = talk(dialogue, |request| self.answer(request)).0;
                    procedure.was_commanded(finished.result.map(|reading| reading.valve), now_ns);
                }
                Act::Wait { until_ns } => now_ns = until_ns,
                Act::Done(result) => return result,
            }
        }
        panic!("an order without an end");
    }
}

#[test]
fn a_status_that_is_not_filled_tells_no_position_and_nothing_else() {
    for (device, kind) in [(switched(), None), (gas(), Some(Kind::Status))] {
        let mut meter = Meter { status: [0xFF; 2], commands: vec![] };
        let reading = meter.read(&device).unwrap();
        assert_eq!((reading.valve, reading.flags.set().count()), (None, 0));
        if let Some(kind) = kind {
            let value = &reading.get(kind).unwrap().value;
            assert_eq!(*value, Value::Absent(Fault::NotFilled, vec![0xFF; 2]));
            // Not even that the battery is well.
            assert_eq!(reading.flags.get(gasd_meters::Flag::BatteryLow), None);
        }
    }
    // The supply of this switch is none of the three that there are: its byte is not filled either.
    let mut meter = Meter { status: [0xFF, 0x00], commands: vec![] };
    assert_eq!(meter.read(&switched()).unwrap().valve, None);
}

#[test]
fn a_close_order_goes_out_where_nobody_knows_the_position_and_an_open_order_as_well_once() {
    for device in [switched(), gas()] {
        for to in [Valve::Closed, Valve::Open] {
            let mut meter = Meter { status: [0xFF; 2], commands: vec![] };
            assert_eq!(meter.order(&device, to), Err(Trouble::NotSaid), "{device:?}");
            assert_eq!(meter.commands.len(), 1, "{device:?} to {to}");
        }
        // Where it is known, nothing has changed: it is there already.
        let closed = if matches!(device, Device::Cjt188 { .. }) { [0x01, 0] } else { [0x10, 0] };
        let mut meter = Meter { status: closed, commands: vec![] };
        assert_eq!(meter.order(&device, Valve::Closed), Ok(Valve::Closed));
        assert!(meter.commands.is_empty());
    }
}

#[test]
fn a_status_word_of_all_ones_is_not_filled() {
    let decoded = |hex: &str| {
        let bytes = hex::parse(hex).unwrap();
        let body = &bytes[..bytes.len() - 2];
        let bytes = [body, &[crc::sum(body), 0x16]].concat();
        let frame = dlt645::Frame::parse(&bytes).unwrap();
        dlt645::decode(&frame, None, &mut ()).unwrap().into_reading().unwrap().fields[0].value.clone()
    };
    assert_eq!(
        decoded("681290785634126891063638 3337 3232 0016").to_string(),
        "no value (FFFF): the meter does not fill this field"
    );
    assert_eq!(decoded("681290785634126891063638 3337 4333 0016").to_string(), "0b10000");
    let status = Profile::STANDARD.status.status(0xFFFF);
    assert_eq!((status.valve, status.flags.set().count()), (None, 0));
    let refusal = hex::parse("683002010006160523C40301FFFF0016").unwrap();
    let refusal = [&refusal[..14], &[crc::sum(&refusal[..14]), 0x16]].concat();
    let refusal = cjt188::Frame::parse(&refusal).unwrap();
    let refusal = cjt188::decode(&refusal, &Profile::STANDARD, None, &mut ()).unwrap();
    let cjt188::Message::Refused(status) = refusal.message else { panic!("{refusal:?}") };
    assert_eq!((status.word, status.valve), (0xFFFF, None));
}
