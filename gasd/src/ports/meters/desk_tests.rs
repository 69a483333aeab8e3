// SPDX-License-Identifier: MIT OR Apache-2.0

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use gasd_meters::{Decimal, Field, Number, Register, Value};
use gasd_ports::bus::Odd;

use super::*;
use crate::store::{Store, Writer};

/// A desk of one meter, and what keeps it at work.
pub(in super::super) fn desk(dir: &std::path::Path) -> (Desk, Writer) {
    desk_with(Writer::start(Store::open(&dir.join("state.redb")).unwrap()).unwrap())
}

fn desk_with(writer: Writer) -> (Desk, Writer) {
    let (queue, engine) = Queue::new();
    // An engine that takes all and does nothing.
    std::thread::spawn(move || while engine.recv().is_ok() {});
    let (changes, _) = tokio::sync::mpsc::channel(8);
    let desk = Desk::new(queue, Shared::default(), changes, writer.handle(), ValveDesk::default(), &[]);
    desk.place(&[place("flat", 7, "the M-Bus meter 12345678")]);
    (desk, writer)
}

pub(in super::super) fn place(id: &str, key: u64, driven: &str) -> Place {
    Place {
        id: id.into(),
        key,
        line: 1,
        port: "cellar".into(),
        protocol: "mbus".into(),
        driven: driven.into(),
        quantity: None,
        unit: None,
        asked: true,
    }
}

fn shown(desk: &Desk) -> OnPortState {
    desk.0.shared.read().unwrap().on_ports["flat"].clone()
}

fn litres(mantissa: i64) -> Reading {
    let decimal = Decimal { mantissa, exponent: -3 };
    let volume = Value::Number(Number { decimal, unit: Unit::CubicMetre });
    Reading { fields: vec![Field::new(Kind::Volume, Register::PLAIN, volume)], ..Reading::default() }
}

#[test]
fn an_event_copies_neither_the_last_readings_nor_what_was_rejected() {
    let dir = tempfile::tempdir().unwrap();
    let (desk, writer) = desk(dir.path());
    for n in 1..=300 {
        desk.read(7, n, &litres(n as i64), Oddities::default());
    }
    desk.failed(7, 301, Error::Timeout, &[0x21]);
    let before = shown(&desk);
    assert_eq!((before.latest.len(), before.latest[255]), (256, (300, 300_000_000)));
    assert_eq!(before.rejected.len(), 1);
    let standing = Standing { state: State::Open, failures: 3, last: None, next_probe_ns: None };
    desk.event(Event::Breaker { key: 7, standing });
    desk.event(Event::Odd { key: 7, t_ns: 302, odd: Odd::Twice { address: "1".into(), alike: true } });
    let after = shown(&desk);
    assert_eq!((after.breaker, after.oddities["twice"]), ("open", 1));
    assert!(Arc::ptr_eq(&before.latest, &after.latest) && Arc::ptr_eq(&before.rejected, &after.rejected));
    desk.failed(7, 303, Error::Timeout, &[0x22]);
    assert_eq!((before.rejected.len(), shown(&desk).rejected.len()), (1, 2), "what was seen before stays");
    drop(desk);
    writer.stop().unwrap();
}

/// Memory for a disk that is stuck or full on demand.
#[derive(Clone, Debug, Default)]
struct Disk {
    memory: Arc<redb::backends::InMemoryBackend>,
    is_stuck: Arc<AtomicBool>,
    is_full: Arc<AtomicBool>,
}

impl Disk {
    fn check(&self) -> std::io::Result<()> {
        while self.is_stuck.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(1));
        }
        let is_full = self.is_full.load(Ordering::SeqCst);
        if is_full { Err(std::io::Error::from_raw_os_error(libc::ENOSPC)) } else { Ok(()) }
    }

    fn writer(&self) -> Writer {
        let open =
            |disk: &Self| Store::with_backend(disk.clone(), std::path::Path::new("/disk/state.redb"), false);
        let again = self.clone();
        Writer::start_with(open(self).unwrap(), Box::new(move || open(&again))).unwrap()
    }
}

impl redb::StorageBackend for Disk {
    fn len(&self) -> std::io::Result<u64> {
        self.memory.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> std::io::Result<()> {
        self.memory.read(offset, out)
    }

    fn set_len(&self, len: u64) -> std::io::Result<()> {
        self.check()?;
        self.memory.set_len(len)
    }

    fn sync_data(&self) -> std::io::Result<()> {
        self.check()?;
        self.memory.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> std::io::Result<()> {
        self.check()?;
        self.memory.write(offset, data)
    }
}

fn health(desk: &Desk) -> Option<String> {
    desk.meters()[&7].health.clone()
}

fn in_ms(ms: u64) -> u64 {
    clock::boottime_ns() + ms * 1_000_000
}

#[test]
fn nothing_is_answered_and_nobody_hangs_while_the_disk_does_not_take_what_it_needs() {
    for full in [false, true] {
        let disk = Disk::default();
        let (desk, writer) = desk_with(disk.writer());
        desk.remember(7, vec![1].into());
        assert!(desk.may_answer(7, in_ms(10_000)) && health(&desk).is_none());
        assert!(desk.may_answer(8, 0), "nothing is kept of it");

        let bad = if full { &disk.is_full } else { &disk.is_stuck };
        bad.store(true, Ordering::SeqCst);
        desk.remember(7, vec![2].into());
        let began = Instant::now();
        assert!(!desk.may_answer(7, in_ms(200)), "full: {full}");
        assert!((190..2_000).contains(&began.elapsed().as_millis()), "{:?}", began.elapsed());
        assert!(health(&desk).unwrap().contains("not on the disk"), "{:?}", health(&desk));
        // Nobody waits for such a disk a second time, nor does what comes later.
        let began = Instant::now();
        desk.remember(7, vec![3].into());
        assert!(!desk.may_answer(7, in_ms(60_000)));
        // A reading counts all the same: a leak does not wait for a disk.
        desk.heard(7, 5, &litres(5), false);
        assert!(began.elapsed() < Duration::from_millis(200), "{:?}", began.elapsed());
        assert_eq!(shown(&desk).latest.len(), 1);

        assert!(!desk.may_answer(7, in_ms(0)));
        bad.store(false, Ordering::SeqCst);
        let began = Instant::now();
        while !desk.may_answer(7, in_ms(0)) {
            assert!(began.elapsed() < Duration::from_secs(40), "the disk is good again");
            std::thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(health(&desk), None);
        drop(desk);
        writer.stop().unwrap();
    }
}

#[test]
fn a_reading_counts_once_its_counter_is_on_the_disk() {
    let dir = tempfile::tempdir().unwrap();
    let (desk, writer) = desk(dir.path());
    for n in 1..50 {
        desk.remember(7, vec![n].into());
        let ticket = writer.handle().pushed();
        desk.heard(7, n.into(), &litres(n.into()), false);
        assert!(writer.handle().written() >= ticket, "{n}");
    }
    drop(desk);
    writer.stop().unwrap();
}

#[test]
fn a_meter_that_is_looked_for_in_vain_is_no_news_each_time() {
    let dir = tempfile::tempdir().unwrap();
    let (desk, writer) = desk(dir.path());
    let health = || desk.meters()[&7].health.clone();
    let standing = |state, failures| {
        let standing = Standing { state, failures, last: None, next_probe_ns: Some(9) };
        desk.event(Event::Breaker { key: 7, standing });
    };
    desk.failed(7, 1, Error::Timeout, &[]);
    standing(State::Open, 3);
    let opened = health();
    assert!(opened.as_ref().is_some_and(|words| words.contains("3 times in a row")));
    for failures in 4..8 {
        standing(State::HalfOpen, failures - 1);
        desk.failed(7, 2, Error::Checksum { got: 1, want: 2 }, &[]);
        standing(State::Open, failures);
        assert_eq!(health(), opened, "the journal has a line for each change");
    }
    assert_eq!(shown(&desk).failures, 7, "and it is to be seen");
    standing(State::Closed, 0);
    assert_eq!(health(), None);
    standing(State::Open, 3);
    assert!(health().is_some(), "it is said again when it opens again");
    drop(desk);
    writer.stop().unwrap();
}

/// Of LoRaWAN four bytes do not tell a wrong key from the device of a neighbour with the same address.
#[test]
fn what_is_wrong_is_said_in_the_words_of_the_port() {
    use gasd_ports::air::{self as ports_air, lorawan};

    let dir = tempfile::tempdir().unwrap();
    let (desk, writer) = desk(dir.path());
    let failed = || {
        let event = ports_air::Event::Failed { key: 7, t_ns: 1, error: Error::Mac, raw: vec![1] };
        ports_air::Told::Event(event)
    };
    super::super::air::teller(&desk, "cellar", lorawan::words, false)(failed());
    let state = shown(&desk);
    assert!(state.last_error.contains("another network"), "{}", state.last_error);
    assert_eq!(state.last_error_kind, "mac");
    super::super::air::teller(&desk, "cellar", Error::to_string, false)(failed());
    assert!(!shown(&desk).last_error.contains("another network"));
    drop(writer);
}

#[test]
fn what_may_have_been_read_before_a_restart_is_handed_in_as_such() {
    use gasd_ports::air as ports_air;
    let dir = tempfile::tempdir().unwrap();
    let writer = Writer::start(Store::open(&dir.path().join("state.redb")).unwrap()).unwrap();
    let (queue, engine) = Queue::new();
    let (changes, _) = tokio::sync::mpsc::channel(8);
    let desk = Desk::new(queue, Shared::default(), changes, writer.handle(), ValveDesk::default(), &[]);
    desk.place(&[place("flat", 7, "")]);
    let mut told = super::super::air::teller(&desk, "cellar", Error::to_string, true);
    for (t_ns, again) in [(1, true), (2, false)] {
        let event = ports_air::Event::Read { key: 7, t_ns, reading: Box::new(litres(5)), again };
        told(ports_air::Told::Event(event));
    }
    let readings = engine.try_iter().filter_map(|input| match input {
        Input::Reading(reading, _, slip) => Some((reading.t_ns, false, slip.is_some())),
        Input::ReadAgain(reading, ..) => Some((reading.t_ns, true, true)),
        _ => None,
    });
    assert_eq!(readings.collect::<Vec<_>>(), [(1, true, true), (2, false, true)]);
    // It is answered all the same, once it is on the disk.
    assert!(!desk.may_answer(7, in_ms(0)));
    drop((told, desk));
    writer.stop().unwrap();
}
