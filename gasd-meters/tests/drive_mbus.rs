// SPDX-License-Identifier: MIT OR Apache-2.0
//! M-Bus meters, spoken to over a line that is played.

#[path = "common/line.rs"]
mod line;

use gasd_meters::drive::{Device, Memory, NoValve, volume_ul};
use gasd_meters::mbus::{ACK, Address, Frame, Function, Link, Target, ValveOutput};
use gasd_meters::{Error, Valve};
use line::talk;
use proptest::prelude::*;

const OUTPUT: ValveOutput = ValveOutput { mask: 0x01, open: 0x00, closed: 0x01 };

fn address() -> Address {
    "12345678.ELS.33.03".parse().expect("an address")
}

fn primary() -> Device {
    Device::Mbus { target: Target::Primary(5), valve: Some(OUTPUT) }
}

fn secondary() -> Device {
    Device::Mbus { target: Target::Selected("12345678".parse().expect("an address")), valve: Some(OUTPUT) }
}

/// The same, by all of its address, as commands want it.
fn exact() -> Device {
    Device::Mbus { target: Target::Selected(address()), valve: Some(OUTPUT) }
}

/// A meter that is played: with one frame count bit for each address, as the standard has it.
#[derive(Clone)]
struct Meter {
    /// m³/1000
    register: u32,
    output: u8,
    telegrams: u8,
    /// What it leaves unanswered: SND_NKE.
    mute: bool,
    selected: bool,
    last: Option<(bool, Vec<u8>)>,
    next: u8,
    resets: usize,
    commands: usize,
}

impl Meter {
    fn new() -> Self {
        Self {
            register: 12_345,
            output: 0,
            telegrams: 1,
            mute: false,
            selected: false,
            last: None,
            next: 0,
            resets: 0,
            commands: 0,
        }
    }

    fn telegram(&mut self) -> Vec<u8> {
        let n = self.next;
        self.next = (n + 1) % self.telegrams;
        let mut data = address().to_wire().to_vec();
        data.extend([n, 0, 0, 0]);
        if n == 0 {
            data.extend([0x04, 0x13]);
            data.extend(self.register.to_le_bytes());
            data.extend([0x01, 0xFD, 0x1A, self.output]);
        } else {
            data.extend([0x01, 0xFD, 0x17, n]);
        }
        if n + 1 < self.telegrams {
            data.push(0x1F);
        }
        Frame::Long(Link { control: 0x08, address: 5 }, 0x72, &data).encode().expect("a telegram")
    }

    fn answer(&mut self, request: &[u8]) -> Vec<u8> {
        let frame = Frame::parse(request).expect("a frame");
        let link = frame.link().expect("a request");
        match (link.address, link.function(), frame.ci()) {
            (253, Function::Send, Some(0x52)) => {
                let selection = Address {
                    id: frame.data()[..4].try_into().expect("four bytes"),
                    manufacturer: u16::from_le_bytes(frame.data()[4..6].try_into().expect("two bytes")),
                    version: frame.data()[6],
                    medium: frame.data()[7],
                };
                self.selected = address().matches(&selection);
                // A selection begins the link anew.
                (self.last, self.next) = (None, 0);
                return if self.selected { vec![ACK] } else { vec![] };
            }
            (253, ..) if !self.selected => return vec![],
            (5 | 253, Function::Reset, _) => {
                self.resets += 1;
                self.last = None;
                self.next = 0;
                self.selected = false;
                return if self.mute { vec![] } else { vec![ACK] };
            }
            (5 | 253, Function::RequestData | Function::Send, _) => {}
            _ => return vec![],
        }
        if let Some((fcb, answer)) = &self.last
            && *fcb == link.fcb()
        {
            return answer.clone();
        }
        let answer = if link.function() == Function::Send {
            self.commands += 1;
            let &[0x01, 0xFD, 0x1A, output] = frame.data() else { panic!("{frame:?}") };
            self.output = output;
            vec![ACK]
        } else {
            self.telegram()
        };
        self.last = Some((link.fcb(), answer.clone()));
        answer
    }
}

#[test]
fn the_link_is_reset_once_and_the_bit_turns_with_each_answer() {
    let (mut meter, mut memory) = (Meter::new(), Memory::default());
    for n in 0..5u32 {
        meter.register = 1000 + n;
        let (finished, asked) = talk(primary().read(&memory), |request| meter.answer(request));
        let reading = finished.result.unwrap();
        assert_eq!(volume_ul(&reading, None, None), Ok(u64::from(1000 + n) * 1_000_000));
        assert_eq!(reading.valve, Some(Valve::Open));
        assert_eq!(asked.len(), if n == 0 { 2 } else { 1 });
        assert!(finished.oddities.is_clean());
        memory = finished.memory;
    }
    assert_eq!(meter.resets, 1);
    // After a restart the link begins anew.
    let memory = Memory::from_bytes(&memory.to_bytes()).unwrap();
    let (finished, _) = talk(primary().read(&memory), |request| meter.answer(request));
    assert!(finished.result.is_ok());
    assert_eq!(meter.resets, 2);
}

#[test]
fn a_lost_answer_is_repeated_with_the_same_bit() {
    let (mut meter, mut n) = (Meter { telegrams: 3, ..Meter::new() }, 0);
    let (finished, asked) = talk(primary().read(&Memory::default()), |request| {
        n += 1;
        let mut answer = meter.answer(request);
        match n {
            3 => vec![],
            5 => {
                answer[10] ^= 1;
                answer
            }
            _ => answer,
        }
    });
    assert_eq!((asked.len(), finished.oddities.repeated), (6, 2));
    let controls: Vec<u8> = asked.iter().map(|bytes| bytes[1]).collect();
    assert_eq!(controls, [0x40, 0x7B, 0x5B, 0x5B, 0x7B, 0x7B]);
    let reading = finished.result.unwrap();
    assert_eq!((reading.fields.len(), reading.more), (4, false));
}

#[test]
fn what_a_mute_meter_sent_long_ago_is_not_read_as_new() {
    // It has never acknowledged a reset, and does not even begin anew with it.
    let mut meter = Meter { mute: true, register: 1, ..Meter::new() };
    let stale = meter.telegram();
    meter.last = Some((true, stale));
    meter.register = 2;
    let (finished, asked) = talk(primary().read(&Memory::default()), |request| {
        if Frame::parse(request).unwrap().link().unwrap().function() == Function::Reset {
            return vec![];
        }
        meter.answer(request)
    });
    assert_eq!((asked.len(), finished.oddities.mute), (3, 1));
    assert_eq!(volume_ul(&finished.result.unwrap(), None, None), Ok(2_000_000));
    let (finished, asked) = talk(primary().read(&finished.memory), |request| meter.answer(request));
    assert!(asked.len() == 1 && finished.result.is_ok());
}

#[test]
fn after_silence_nobody_knows_the_bit_and_the_link_begins_anew() {
    let mut meter = Meter::new();
    let (finished, _) = talk(primary().read(&Memory::default()), |request| meter.answer(request));
    // It hears the request and its answers are lost.
    let (finished, asked) = talk(primary().read(&finished.memory), |request| {
        meter.answer(request);
        vec![]
    });
    assert_eq!((asked.len(), finished.result), (3, Err(Error::Timeout)));
    meter.register += 1;
    let (finished, asked) = talk(primary().read(&finished.memory), |request| meter.answer(request));
    assert_eq!(asked.len(), 2);
    assert_eq!(volume_ul(&finished.result.unwrap(), None, None), Ok(12_346_000_000));
}

#[test]
fn a_secondary_address_is_selected_read_and_let_go() {
    let mut meter = Meter { telegrams: 2, ..Meter::new() };
    let (finished, asked) = talk(secondary().read(&Memory::default()), |request| meter.answer(request));
    assert_eq!(finished.result.unwrap().meter.id, "12345678");
    let kinds: Vec<u8> = asked.iter().map(|bytes| bytes[if bytes[0] == 0x68 { 4 } else { 1 }]).collect();
    assert_eq!(kinds, [0x53, 0x7B, 0x5B, 0x40]);
    assert!(!meter.selected);
    // Another that answers at 253 is not it.
    let other = Device::Mbus { target: Target::Selected("12345679".parse().unwrap()), valve: None };
    let (finished, asked) = talk(other.read(&Memory::default()), |request| {
        if request.len() > 5 {
            vec![ACK]
        } else {
            meter.answer(&[0x10, 0x40, 0x05, 0x45, 0x16]);
            meter.telegram()
        }
    });
    assert_eq!(finished.result, Err(Error::AddressMismatch));
    assert_eq!(asked.len(), 5);
    // Nobody acknowledges: nothing is read.
    let (finished, asked) = talk(secondary().read(&Memory::default()), |_| vec![]);
    assert_eq!((asked.len(), finished.result), (3, Err(Error::Timeout)));
}

#[test]
fn an_address_at_the_primary_address_of_another_is_passed_by() {
    let mut meter = Meter::new();
    let six = Device::Mbus { target: Target::Primary(6), valve: None };
    let (finished, _) =
        talk(
            six.read(&Memory::default()),
            |request| {
                if request[1] == 0x40 { vec![ACK] } else { meter.telegram() }
            },
        );
    assert_eq!(finished.result, Err(Error::AddressMismatch));
}

#[test]
fn a_valve_is_commanded_once_and_executed_whatever_the_bit_was() {
    for device in [primary(), exact()] {
        let mut meter = Meter::new();
        let (finished, _) = talk(device.read(&Memory::default()), |request| meter.answer(request));
        for (n, to) in [Valve::Closed, Valve::Open, Valve::Closed].into_iter().enumerate() {
            let dialogue = device.valve(to, &finished.memory).unwrap();
            let (moved, asked) = talk(dialogue, |request| meter.answer(request));
            assert_eq!(moved.result.unwrap().valve, None);
            assert_eq!(asked.iter().filter(|bytes| bytes.contains(&0x1A)).count(), 1);
            assert_eq!(meter.commands, n + 1);
            let (read, _) = talk(device.read(&moved.memory), |request| meter.answer(request));
            assert_eq!(read.result.unwrap().valve, Some(to));
        }
    }
}

#[test]
fn a_command_that_is_lost_is_not_repeated() {
    let dialogue = primary().valve(Valve::Closed, &Memory::default()).unwrap();
    let (finished, asked) = talk(dialogue, |_| vec![]);
    assert_eq!((asked.len(), finished.result), (2, Err(Error::Timeout)));
    assert_eq!(asked.iter().filter(|bytes| bytes.contains(&0x1A)).count(), 1);
    let dialogue = exact().valve(Valve::Closed, &Memory::default()).unwrap();
    let (finished, asked) = talk(dialogue, |_| vec![]);
    // Nobody is selected, so nobody is commanded.
    assert_eq!(finished.result, Err(Error::Timeout));
    assert!(asked.iter().all(|bytes| !bytes.contains(&0x1A)));
}

#[test]
fn a_look_is_one_request_and_finds_a_mute_meter_too() {
    let mut meter = Meter { mute: true, ..Meter::new() };
    let (first, asked) = talk(primary().look(&Memory::default()), |request| meter.answer(request));
    assert_eq!((asked.len(), first.result), (1, Err(Error::Timeout)));
    let (second, asked) = talk(primary().look(&first.memory), |request| meter.answer(request));
    assert!(asked.len() == 1 && second.result.is_ok());
    meter.mute = false;
    let (look, asked) = talk(primary().look(&Memory::default()), |request| meter.answer(request));
    assert!(asked.len() == 1 && look.result.is_ok());
    let (look, asked) = talk(secondary().look(&Memory::default()), |request| meter.answer(request));
    assert!(asked.len() == 2 && look.result.is_ok());
}

#[test]
fn no_valve_of_several_or_of_none() {
    let valve =
        |target, valve| Device::Mbus { target, valve }.valve(Valve::Closed, &Memory::default()).map(drop);
    assert_eq!(valve(Target::Primary(5), None), Err(NoValve::NotConfigured));
    assert_eq!(valve(Target::Any, Some(OUTPUT)), Err(NoValve::Wildcard));
    assert_eq!(valve(Target::All, Some(OUTPUT)), Err(NoValve::Wildcard));
    assert_eq!(valve(Target::Selected("1234567F".parse().unwrap()), Some(OUTPUT)), Err(NoValve::Wildcard));
    assert_eq!(primary().valve(Valve::Abnormal, &Memory::default()).map(drop), Err(NoValve::Position));
    assert!(Device::Mbus { target: Target::All, valve: None }.check().is_err());
    assert!(Device::Mbus { target: Target::Primary(251), valve: None }.check().is_err());
}

/// What becomes of an exchange on a bad line.
#[derive(Clone, Copy, Debug)]
enum Luck {
    Good,
    /// The meter does not hear it.
    Unheard,
    /// The meter hears it, and its answer is lost.
    Unanswered,
}

fn lucks() -> impl Strategy<Value = Luck> {
    prop_oneof![3 => Just(Luck::Good), 1 => Just(Luck::Unheard), 1 => Just(Luck::Unanswered)]
}

proptest! {
    /// The register counts on between any two requests of two dialogues: what is read is never what was sent before.
    #[test]
    fn nothing_old_is_read_as_new(
        lucks in proptest::collection::vec(lucks(), 1..60),
        mute in any::<bool>(),
        telegrams in 1..4u8,
        restarts in any::<u16>(),
        by_secondary in any::<bool>(),
    ) {
        let device = if by_secondary { secondary() } else { primary() };
        let (mut meter, mut memory) = (Meter { mute, telegrams, ..Meter::new() }, Memory::default());
        let mut lucks = lucks.into_iter().cycle();
        for n in 0..12u32 {
            meter.register = 1000 + n;
            if restarts >> n & 1 == 1 {
                memory = Memory::from_bytes(&memory.to_bytes()).unwrap();
            }
            let (finished, _) = talk(device.read(&memory), |request| match lucks.next().unwrap() {
                Luck::Good => meter.answer(request),
                Luck::Unheard => vec![],
                Luck::Unanswered => {
                    meter.answer(request);
                    vec![]
                }
            });
            if let Ok(reading) = &finished.result {
                prop_assert_eq!(volume_ul(reading, None, None), Ok(u64::from(1000 + n) * 1_000_000));
            }
            memory = finished.memory;
        }
    }
}
