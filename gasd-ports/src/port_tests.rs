// SPDX-License-Identifier: MIT OR Apache-2.0

use std::io::{Read as _, Write as _};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::mpsc::channel;

use gasd_meters::crc;
use gasd_meters::drive::{Device, Memory, ModbusValve};
use gasd_meters::modbus::RegisterMap;
use gasd_meters::poll::Settings;

use super::*;
use crate::wire::TcpSpec;

/// A line to an open valve. Of a command it takes so many bytes, and is gone then.
struct Breaking {
    line: UnixStream,
    meter: UnixStream,
    takes: usize,
}

impl Wire for Breaking {
    fn fd(&self) -> BorrowedFd<'_> {
        self.line.as_fd()
    }

    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self.line.read(into) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
            other => other,
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes[1] == 3 {
            let mut answer = vec![1, 3, 2, 0, 0];
            answer.extend(crc::modbus(&answer).to_le_bytes());
            // So long both are on the line.
            std::thread::sleep(Duration::from_millis(30));
            self.meter.write_all(&answer)?;
            return Ok(bytes.len());
        }
        match std::mem::take(&mut self.takes) {
            0 => Err(io::ErrorKind::BrokenPipe.into()),
            takes => Ok(takes.min(bytes.len())),
        }
    }
}

#[test]
fn only_of_a_command_that_was_not_begun_it_is_known_that_nobody_heard_it() {
    for (takes, at_work) in [(0, false), (3, true)] {
        let valve = ModbusValve::Register { address: 40, open: 0, closed: 1 };
        let meter = Spec {
            key: 1,
            device: Device::Modbus { unit: 1, map: RegisterMap::new(Vec::new()), valve: Some(valve) },
            others: Vec::new(),
            every_ns: 3_600_000_000_000,
            breaker: Settings::default(),
            most_ul_per_h: 12_000_000_000,
            memory: Memory::default(),
            earlier: None,
        };
        let pace = Pace::new(9_600, 11);
        let wire = WireSpec::Tcp(TcpSpec { address: "127.0.0.1:1".to_owned(), baud: 9_600 });
        let (sender, told) = channel();
        let shared = Shared {
            orders: Mutex::new(vec![Order::Move(1, Valve::Closed, ProcedureSettings::default())]),
            stop: std::sync::atomic::AtomicBool::new(false),
            wake: Wake::new().unwrap(),
        };
        let mut work = Work {
            bus: Bus::new(pace, vec![meter], boottime_ns()),
            spec: PortSpec { id: "cellar".to_owned(), wire, pace },
            shared: Arc::new(shared),
            told: Box::new(move |told| _ = sender.send(told)),
            unsent: Zeroizing::default(),
            request: 0,
            seen: Seen::default(),
            told_ns: 0,
        };
        let (line, meter) = UnixStream::pair().unwrap();
        line.set_nonblocking(true).unwrap();
        let error = work.serve(Box::new(Breaking { line, meter, takes })).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
        work.lose();
        work.tell(boottime_ns(), None);
        let is = |wanted: fn(&Event) -> bool| move |told: &Told| matches!(told, Told::Event(event) if wanted(event));
        let told: Vec<Told> = told.try_iter().collect();
        let commanded = told.iter().position(is(|event| matches!(event, Event::Commanded { .. })));
        let taken_back =
            told.iter().position(is(|event| matches!(event, Event::NotCommanded { earlier: None, .. })));
        assert!(commanded.is_some(), "{told:?}");
        assert_eq!(taken_back.is_none(), at_work, "{told:?}");
        assert!(at_work || commanded < taken_back, "{told:?}");
    }
}

/// Hostile e1: it has no room for the command, and is gone seconds later.
struct Full {
    breaking: Breaking,
    since: std::cell::Cell<Option<std::time::Instant>>,
}

impl Wire for Full {
    fn fd(&self) -> BorrowedFd<'_> {
        self.breaking.fd()
    }

    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.since.get().is_some_and(|since| since.elapsed() > Duration::from_secs(8)) {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        self.breaking.read(into)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes[1] == 3 && self.since.get().is_none() {
            return self.breaking.write(bytes);
        }
        if self.since.get().is_none() {
            self.since.set(Some(std::time::Instant::now()));
        }
        std::thread::sleep(Duration::from_millis(5));
        Ok(0)
    }
}

#[test]
fn e1_of_a_command_that_waited_for_room_in_vain_it_is_known_too() {
    let valve = ModbusValve::Register { address: 40, open: 0, closed: 1 };
    let meter = Spec {
        key: 1,
        device: Device::Modbus { unit: 1, map: RegisterMap::new(Vec::new()), valve: Some(valve) },
        others: Vec::new(),
        every_ns: 3_600_000_000_000,
        breaker: Settings::default(),
        most_ul_per_h: 12_000_000_000,
        memory: Memory::default(),
        earlier: None,
    };
    let pace = Pace::new(9_600, 11);
    let wire = WireSpec::Tcp(TcpSpec { address: "127.0.0.1:1".to_owned(), baud: 9_600 });
    let (sender, told) = channel();
    let shared = Shared {
        orders: Mutex::new(vec![Order::Move(1, Valve::Closed, ProcedureSettings::default())]),
        stop: std::sync::atomic::AtomicBool::new(false),
        wake: Wake::new().unwrap(),
    };
    let mut work = Work {
        bus: Bus::new(pace, vec![meter], boottime_ns()),
        spec: PortSpec { id: "cellar".to_owned(), wire, pace },
        shared: Arc::new(shared),
        told: Box::new(move |told| _ = sender.send(told)),
        unsent: Zeroizing::default(),
        request: 0,
        seen: Seen::default(),
        told_ns: 0,
    };
    let (line, meter) = UnixStream::pair().unwrap();
    line.set_nonblocking(true).unwrap();
    let breaking = Breaking { line, meter, takes: 0 };
    work.serve(Box::new(Full { breaking, since: std::cell::Cell::new(None) })).unwrap_err();
    println!("unsent {} bytes, the last request has {}", work.unsent.len(), work.request);
    work.lose();
    work.tell(boottime_ns(), None);
    let told: Vec<Told> = told.try_iter().collect();
    let is = |told: &Told| matches!(told, Told::Event(Event::NotCommanded { earlier: None, .. }));
    assert!(
        told.iter().any(is),
        "not one byte of it was written, and a closing waits half a minute for it: {told:#?}"
    );
}
