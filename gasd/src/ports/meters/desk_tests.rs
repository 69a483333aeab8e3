// SPDX-License-Identifier: MIT OR Apache-2.0

use gasd_meters::{Decimal, Field, Number, Register, Value};
use gasd_ports::bus::Odd;

use super::*;
use crate::store::{Store, Writer};

/// A desk of one meter, and what keeps it at work.
fn desk(dir: &std::path::Path) -> (Desk, Writer) {
    let writer = Writer::start(Store::open(&dir.join("state.redb")).unwrap()).unwrap();
    let (queue, engine) = Queue::new();
    // An engine that takes all and does nothing.
    std::thread::spawn(move || while engine.recv().is_ok() {});
    let (changes, _) = tokio::sync::mpsc::channel(8);
    let desk = Desk::new(queue, Shared::default(), changes, writer.handle(), ValveDesk::default(), &[]);
    desk.place(&[Place {
        id: "flat".into(),
        key: 7,
        line: 1,
        port: "cellar".into(),
        protocol: "mbus".into(),
        quantity: None,
        unit: None,
        asked: true,
    }]);
    (desk, writer)
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
