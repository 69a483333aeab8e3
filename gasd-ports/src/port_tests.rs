// SPDX-License-Identifier: MIT OR Apache-2.0

use std::io::{Read as _, Write as _};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;

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

/// A port with an open valve that has this order, and what it tells.
fn work(to: Valve, mut told: impl FnMut(&Told) + Send + 'static) -> (Work, Receiver<Told>) {
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
    let (sender, events) = channel();
    let shared = Shared {
        orders: Mutex::new(vec![Order::Move(1, to, ProcedureSettings::default())]),
        stop: std::sync::atomic::AtomicBool::new(false),
        wake: Wake::new().unwrap(),
    };
    let work = Work {
        bus: Bus::new(pace, vec![meter], boottime_ns()),
        spec: PortSpec { id: "cellar".to_owned(), wire, pace },
        shared: Arc::new(shared),
        told: Box::new(move |news| {
            told(&news);
            _ = sender.send(news);
        }),
        unsent: Zeroizing::default(),
        request: 0,
        seen: Seen::default(),
        told_ns: 0,
    };
    (work, events)
}

#[test]
fn only_of_a_command_that_was_not_begun_it_is_known_that_nobody_heard_it() {
    for (takes, at_work) in [(0, false), (3, true)] {
        let (mut work, told) = work(Valve::Closed, |_| {});
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

/// A line to a valve that is not there for ever: it has room for so many bytes of commands at first, and for all once that
/// is said.
struct Narrow {
    line: UnixStream,
    meter: UnixStream,
    valve: u8,
    takes: usize,
    has_room: Arc<AtomicBool>,
    /// All commands that it took.
    taken: Arc<Mutex<Vec<u8>>>,
    until: Instant,
}

impl Narrow {
    fn new(valve: u8, takes: usize) -> (Self, Arc<AtomicBool>, Arc<Mutex<Vec<u8>>>) {
        let (line, meter) = UnixStream::pair().unwrap();
        line.set_nonblocking(true).unwrap();
        let (has_room, taken) = (Arc::<AtomicBool>::default(), Arc::<Mutex<Vec<u8>>>::default());
        let until = Instant::now() + Duration::from_secs(20);
        let wire =
            Self { line, meter, valve, takes, has_room: has_room.clone(), taken: taken.clone(), until };
        (wire, has_room, taken)
    }
}

impl Wire for Narrow {
    fn fd(&self) -> BorrowedFd<'_> {
        self.line.as_fd()
    }

    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self.line.read(into) {
            _ if Instant::now() >= self.until => Err(io::ErrorKind::BrokenPipe.into()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
            other => other,
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut answer = match bytes[1] {
            3 => vec![1, 3, 2, 0, self.valve],
            _ if !self.has_room.load(Ordering::SeqCst) => {
                // Its descriptor can be written to all the same.
                std::thread::sleep(Duration::from_millis(5));
                let takes = std::mem::take(&mut self.takes).min(bytes.len());
                self.taken.lock().unwrap().extend(&bytes[..takes]);
                return Ok(takes);
            }
            _ => {
                self.taken.lock().unwrap().extend(bytes);
                self.valve = bytes[5];
                bytes[..6].to_vec()
            }
        };
        answer.extend(crc::modbus(&answer).to_le_bytes());
        // So long both are on the line.
        std::thread::sleep(Duration::from_millis(30));
        self.meter.write_all(&answer)?;
        Ok(bytes.len())
    }
}

/// Whether it was told that a command did not go out.
fn is_taken_back(told: &Told) -> bool {
    matches!(told, Told::Event(Event::NotCommanded { earlier: None, .. }))
}

#[test]
fn a_command_that_waited_for_room_in_vain_nobody_heard_and_it_goes_out_when_there_is_room() {
    let (wire, has_room, taken) = Narrow::new(0, 0);
    let shared = Arc::new(Mutex::new(None::<Arc<Shared>>));
    let stop = shared.clone();
    let (mut work, told) = work(Valve::Closed, move |told| {
        if is_taken_back(told) {
            has_room.store(true, Ordering::SeqCst);
        }
        if matches!(told, Told::Event(Event::Moved { .. })) {
            stop.lock().unwrap().as_ref().unwrap().stop.store(true, Ordering::SeqCst);
        }
    });
    *shared.lock().unwrap() = Some(work.shared.clone());
    work.serve(Box::new(wire)).unwrap();
    let told: Vec<Told> = told.try_iter().collect();
    assert!(told.iter().any(is_taken_back), "{told:?}");
    let closed = |told: &Told| matches!(told, Told::Event(Event::Moved { result: Ok(Valve::Closed), .. }));
    assert!(told.iter().any(closed), "{told:?}");
    assert_eq!(taken.lock().unwrap().len(), 8, "once");
}

#[test]
fn an_opening_that_the_line_had_no_room_for_is_not_sent_with_the_closing_behind_it() {
    let (wire, has_room, taken) = Narrow::new(1, 0);
    let shared = Arc::new(Mutex::new(None::<Arc<Shared>>));
    let port = shared.clone();
    let mut is_closing = false;
    let (mut work, told) = work(Valve::Open, move |told| {
        let port = port.lock().unwrap();
        let port = port.as_ref().unwrap();
        if is_taken_back(told) && !std::mem::replace(&mut is_closing, true) {
            port.order(Order::Move(1, Valve::Closed, ProcedureSettings::default()));
        }
        if is_closing && matches!(told, Told::Event(Event::Moved { .. })) {
            has_room.store(true, Ordering::SeqCst);
            port.stop.store(true, Ordering::SeqCst);
        }
    });
    *shared.lock().unwrap() = Some(work.shared.clone());
    work.serve(Box::new(wire)).unwrap();
    let told: Vec<Told> = told.try_iter().collect();
    // It is closed as it was: of the opening nobody has heard, so that the meter's word counts.
    let closed = |told: &Told| matches!(told, Told::Event(Event::Moved { result: Ok(Valve::Closed), .. }));
    assert!(told.iter().any(closed), "{told:?}");
    assert!(work.unsent.is_empty() && taken.lock().unwrap().is_empty(), "the opening is not sent any more");
}

#[test]
fn a_line_that_takes_the_beginning_of_a_command_and_no_more_is_lost_with_the_rest() {
    let (wire, _, taken) = Narrow::new(0, 3);
    let (mut work, told) = work(Valve::Closed, |_| {});
    let error = work.serve(Box::new(wire)).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut, "{error}");
    work.lose();
    work.bus.drop_orders(boottime_ns());
    work.tell(boottime_ns(), None);
    assert_eq!(taken.lock().unwrap().len(), 3);
    let told: Vec<Told> = told.try_iter().collect();
    assert!(!told.iter().any(is_taken_back), "it may have been heard: {told:?}");
    let is_lost = |told: &Told| {
        matches!(
            told,
            Told::Event(Event::Moved { result: Err(NotMoved::LineLost), at_work: Some(Valve::Closed), .. })
        )
    };
    assert!(told.iter().any(is_lost), "{told:?}");
}
