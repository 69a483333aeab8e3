// SPDX-License-Identifier: MIT OR Apache-2.0

use std::sync::mpsc::{Receiver, channel};

use gasd_meters::Error;
use gasd_meters::drive::Trouble;
use gasd_ports::bus::{Event, Pace};
use gasd_ports::port::{Port, PortSpec, Told};
use gasd_ports::wire::{TcpSpec, WireSpec};

use super::*;

fn unanswered() -> NotMoved {
    NotMoved::Trouble(Trouble::Unanswered(Error::Timeout))
}

#[test]
fn a_closing_that_never_went_out_waits_for_the_meter_and_one_that_did_does_not() {
    let mut seat = Seat { under_way: Some(Target::Closed), ..Seat::default() };
    seat.moved(Valve::Closed, Err(NotMoved::NoLine), 5);
    assert!(seat.unsent);
    seat.under_way = Some(Target::Closed);
    seat.moved(Valve::Closed, Err(unanswered()), 5);
    assert!(!seat.unsent, "it may have been heard");
    seat.under_way = Some(Target::Open);
    seat.moved(Valve::Open, Err(NotMoved::NoLine), 5);
    assert!(!seat.unsent, "nothing is ever opened later");
}

#[test]
fn a_port_that_is_open_before_orders_can_go_there_is_waited_for() {
    let desk = ValveDesk::default();
    let mut valve = desk.actuator("flat");
    desk.is_there("flat");
    valve.drive(Target::Closed).unwrap();
    assert!(valve.late_failure().is_none());
    assert!(desk.seats()["flat"].waits.is_some(), "it goes out as soon as it is connected");
}

/// A valve whose port has had its time to come up.
fn late(desk: &ValveDesk) -> MeterValve {
    let valve = desk.actuator("flat");
    desk.seats().get_mut("flat").unwrap().comes_up_until_ns = 0;
    valve
}

#[test]
fn a_closing_at_the_start_waits_for_its_port_and_is_no_failure_before_that_had_its_time() {
    let desk = ValveDesk::default();
    let mut valve = desk.actuator("flat");
    assert!(valve.drive(Target::Open).is_err(), "nothing is ever opened later");
    valve.drive(Target::Closed).unwrap();
    assert_eq!(valve.feedback(), Ok(Some(Position::Unknown)));
    assert!(valve.late_failure().is_none());
    assert!(valve.describe().settle.unwrap() > SETTLE);
    // It never came: told as ever, once, and the closing goes out when the meter is read after all.
    let mut seats = desk.seats();
    let seat = seats.get_mut("flat").unwrap();
    seat.comes_up_until_ns = 1;
    assert_eq!(seat.failure(1).as_deref(), Some(NO_PORT));
    assert_eq!((seat.failure(2), seat.unsent, &seat.waits), (None, true, &None));
    drop(seats);
    assert!(valve.drive(Target::Closed).is_err(), "it has had its time");
}

#[test]
fn a_line_that_is_not_there_at_the_start_is_waited_for_and_one_that_was_lost_is_not() {
    let mut seat = Seat { under_way: Some(Target::Closed), comes_up_until_ns: 9, ..Seat::default() };
    seat.moved(Valve::Closed, Err(NotMoved::NoLine), 5);
    assert!(seat.waits.is_some() && seat.failed.is_none() && seat.under_way.is_none());
    assert_eq!((seat.failure(8), seat.shown(8)), (None, Position::Unknown));
    assert_eq!(seat.failure(9), Some(NotMoved::NoLine.to_string()));
    let mut seat =
        Seat { under_way: Some(Target::Closed), comes_up_until_ns: 9, connected: true, ..Seat::default() };
    seat.is_there();
    seat.moved(Valve::Closed, Err(NotMoved::NoLine), 5);
    assert!(seat.waits.is_none() && seat.failure(6).is_some());
    let mut seat = Seat { under_way: Some(Target::Closed), comes_up_until_ns: 9, ..Seat::default() };
    seat.moved(Valve::Closed, Err(unanswered()), 5);
    assert!(seat.waits.is_none() && seat.failure(6).is_some(), "it went out");
}

#[test]
fn a_valve_whose_port_is_not_there_is_not_driven_and_nobody_knows_where_it_is() {
    let desk = ValveDesk::default();
    let mut valve = late(&desk);
    assert!(valve.drive(Target::Closed).unwrap_err().to_string().contains("port"));
    assert_eq!(valve.feedback(), Ok(Some(Position::Unknown)));
    desk.read("flat", Some(Valve::Open));
    assert_eq!(valve.feedback(), Ok(Some(Position::Unknown)), "it was to be closed, and that failed");
    desk.read("flat", Some(Valve::Closed));
    assert_eq!(valve.feedback(), Ok(Some(Position::Closed)), "that it is closed is no doubt");
    desk.lost("flat");
    assert_eq!(valve.feedback(), Ok(Some(Position::Unknown)));
}

#[test]
fn an_opening_that_failed_leaves_no_doubt() {
    let desk = ValveDesk::default();
    let mut valve = desk.actuator("flat");
    assert!(valve.drive(Target::Open).is_err());
    assert_eq!(valve.feedback(), Ok(Some(Position::Unknown)));
    desk.read("flat", Some(Valve::Open));
    assert_eq!(valve.feedback(), Ok(Some(Position::Open)));
}

#[test]
fn a_reading_of_open_right_after_a_failed_closing_does_not_hide_that_it_failed() {
    let mut seat = Seat { position: Position::Open, under_way: Some(Target::Closed), ..Seat::default() };
    assert_eq!(seat.shown(0), Position::Unknown);
    seat.moved(Valve::Closed, Err(unanswered()), 5);
    // A second later, before the runner looked, the meter says that it is open.
    seat.position = Position::Open;
    assert_eq!(seat.shown(1_000_000_005), Position::Unknown);
    assert_eq!(seat.shown(4 + DOUBT_NS), Position::Unknown);
    assert_eq!(seat.shown(5 + DOUBT_NS), Position::Open, "the runner sees a change and closes it again");
    seat.under_way = Some(Target::Closed);
    seat.moved(Valve::Closed, Ok(Valve::Closed), 6 + DOUBT_NS);
    seat.position = Position::Open;
    assert_eq!(seat.shown(6 + DOUBT_NS), Position::Open, "somebody opened it, which is news at once");
}

#[test]
fn a_failure_is_told_once() {
    let desk = ValveDesk::default();
    let mut valve = desk.actuator("flat");
    desk.read("flat", Some(Valve::Open));
    desk.seats().get_mut("flat").unwrap().under_way = Some(Target::Closed);
    assert_eq!(valve.feedback(), Ok(Some(Position::Unknown)));
    desk.moved("flat", Valve::Open, Ok(Valve::Open));
    assert_eq!(valve.feedback(), Ok(Some(Position::Unknown)), "that was an older order");
    desk.moved("flat", Valve::Closed, Err(unanswered()));
    assert!(valve.feedback().unwrap_err().to_string().contains("nobody knows what became of it"));
    assert_eq!(valve.feedback(), Ok(Some(Position::Unknown)));
}

/// A port without a line, and what it tells.
fn port() -> (Port, Receiver<Told>) {
    let (sender, told) = channel();
    let wire = WireSpec::Tcp(TcpSpec { address: "127.0.0.1:1".to_owned(), baud: 9_600 });
    let spec = PortSpec { id: "cellar".to_owned(), wire, pace: Pace::new(9_600, 11) };
    let port = Port::start(spec, Vec::new(), Box::new(move |told| drop(sender.send(told)))).unwrap();
    (port, told)
}

/// Where to a port was told to move a valve. It has no meters, and says so.
fn told_to_move(told: &Receiver<Told>) -> Valve {
    loop {
        if let Told::Event(Event::Moved { to, .. }) = told.recv_timeout(Duration::from_secs(10)).unwrap() {
            return to;
        }
    }
}

#[test]
fn a_closing_that_went_to_a_port_that_is_gone_goes_to_the_one_that_takes_its_place() {
    let desk = ValveDesk::default();
    let mut valve = late(&desk);
    let (old, _) = port();
    desk.connect("flat", Some((old.handle(), 7)));
    drop(old);
    valve.drive(Target::Closed).unwrap();
    let (new, told) = port();
    desk.connect("flat", Some((new.handle(), 7)));
    assert_eq!(told_to_move(&told), Valve::Closed);
    // And no second time where nothing is another one.
    desk.moved("flat", Valve::Closed, Ok(Valve::Closed));
    desk.connect("flat", Some((new.handle(), 7)));
    assert_eq!(desk.seats()["flat"].under_way, None);
}

#[test]
fn a_closing_that_comes_while_its_port_is_opened_anew_waits_for_that() {
    let desk = ValveDesk::default();
    let mut valve = late(&desk);
    let (old, _) = port();
    desk.connect("flat", Some((old.handle(), 7)));
    assert_eq!(desk.disconnect("flat"), None);
    drop(old);
    valve.drive(Target::Closed).unwrap();
    assert!(valve.late_failure().is_none());
    assert!(valve.drive(Target::Open).is_err(), "nothing is ever opened later");
    valve.drive(Target::Closed).unwrap();
    let (new, told) = port();
    // It may be open before orders go there.
    desk.is_there("flat");
    desk.connect("flat", Some((new.handle(), 7)));
    assert_eq!(told_to_move(&told), Valve::Closed);
    // Its line comes up later: that is waited for, too.
    desk.moved("flat", Valve::Closed, Err(NotMoved::NoLine));
    assert!(valve.late_failure().is_none());
    desk.is_there("flat");
    assert_eq!(told_to_move(&told), Valve::Closed);
}

#[test]
fn an_opening_ends_with_its_port_and_does_not_begin_anew() {
    let desk = ValveDesk::default();
    let mut valve = late(&desk);
    let [(old, _), (new, _)] = [port(), port()];
    desk.connect("flat", Some((old.handle(), 7)));
    valve.drive(Target::Open).unwrap();
    assert_eq!(desk.disconnect("flat"), Some(Target::Open));
    desk.connect("flat", Some((new.handle(), 7)));
    assert!(valve.feedback().unwrap_err().to_string().contains("nobody knows whether it was opened"));
    assert_eq!(valve.feedback(), Ok(Some(Position::Unknown)));
}

#[test]
fn a_closing_ends_where_its_meter_has_no_port_any_more_and_is_not_forgotten() {
    let desk = ValveDesk::default();
    let mut valve = late(&desk);
    let (old, _) = port();
    desk.connect("flat", Some((old.handle(), 7)));
    valve.drive(Target::Closed).unwrap();
    desk.connect("flat", None);
    assert!(valve.feedback().unwrap_err().to_string().contains(NO_PORT));
    assert!(desk.seats()["flat"].unsent);
}

#[test]
fn a_closing_that_no_line_took_goes_out_when_its_port_is_open_and_not_only_when_it_is_read() {
    for why in [NotMoved::NoLine, NotMoved::LineLost] {
        let desk = ValveDesk::default();
        let mut valve = late(&desk);
        let (port, told) = port();
        desk.connect("flat", Some((port.handle(), 7)));
        valve.drive(Target::Closed).unwrap();
        assert_eq!(told_to_move(&told), Valve::Closed);
        desk.moved("flat", Valve::Closed, Err(why));
        assert!(valve.late_failure().is_some());
        desk.is_there("flat");
        assert_eq!(told_to_move(&told), Valve::Closed);
        assert_eq!(desk.seats()["flat"].under_way, Some(Target::Closed));
        // It is under way already.
        desk.is_there("flat");
        assert!(told.recv_timeout(Duration::from_millis(50)).is_err());
    }
}
