// SPDX-License-Identifier: MIT OR Apache-2.0

use std::io;
use std::sync::{Arc, Mutex};

use super::*;

/// Lines in memory, and the order in which they were set.
#[derive(Clone, Default)]
struct Board(Arc<Mutex<Wires>>);

/// The levels, and each setting of one.
type Wires = (Vec<bool>, Vec<(usize, bool)>);

struct Fake(Board, usize);

impl Board {
    fn line(&self, n: usize, high: bool) -> Box<dyn Level> {
        let mut board = self.0.lock().unwrap();
        if board.0.len() <= n {
            board.0.resize(n + 1, false);
        }
        board.0[n] = high;
        Box::new(Fake(self.clone(), n))
    }

    fn levels(&self) -> Vec<bool> {
        self.0.lock().unwrap().0.clone()
    }

    fn sets(&self) -> Vec<(usize, bool)> {
        std::mem::take(&mut self.0.lock().unwrap().1)
    }
}

impl Level for Fake {
    fn set(&mut self, high: bool) -> io::Result<()> {
        let mut board = self.0.0.lock().unwrap();
        board.0[self.1] = high;
        board.1.push((self.1, high));
        Ok(())
    }

    fn get(&mut self) -> io::Result<bool> {
        Ok(self.0.0.lock().unwrap().0[self.1])
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        None
    }
}

const PULSE: Duration = Duration::from_millis(80);

#[test]
fn a_level_valve_keeps_its_level() {
    for closed_high in [true, false] {
        let board = Board::default();
        let mut valve = GpioActuator::level(board.line(0, !closed_high), closed_high, None, "x".into());
        assert_eq!(valve.position(), Ok(Position::Open));
        assert_eq!(valve.drive(Target::Closed).unwrap().pulse, None);
        valve.rest().unwrap();
        assert_eq!((board.levels()[0], valve.position()), (closed_high, Ok(Position::Closed)));
        valve.drive(Target::Open).unwrap();
        assert_eq!(board.levels()[0], !closed_high);
        drop(valve);
        assert_eq!(board.levels()[0], !closed_high);
    }
}

#[test]
fn a_latching_valve_is_pulsed_on_one_coil_at_a_time() {
    let board = Board::default();
    let coil = Coil { line: board.line(1, false), active_high: true };
    let mut valve = GpioActuator::latching(board.line(0, false), true, PULSE, Some(coil), None, "x".into());
    assert_eq!(valve.position(), Ok(Position::Unknown));
    assert_eq!(valve.drive(Target::Open).unwrap().pulse, Some(PULSE));
    assert_eq!(board.levels(), [false, true]);
    // A closing order cuts the opening pulse short.
    assert_eq!(valve.drive(Target::Closed).unwrap().pulse, Some(PULSE));
    assert_eq!(board.sets(), [(0, false), (1, true), (1, false), (0, true)]);
    drop(valve);
    assert_eq!(board.levels(), [false, false]);
}

#[test]
fn a_single_coil_valve_is_closed_but_not_opened() {
    let board = Board::default();
    let mut valve = GpioActuator::latching(board.line(0, true), false, PULSE, None, None, "x".into());
    assert_eq!(valve.drive(Target::Open), Err(ActuatorError::CannotOpen));
    assert!(valve.describe().cannot_open.is_some());
    valve.drive(Target::Closed).unwrap();
    assert_eq!(board.levels(), [false]);
    valve.rest().unwrap();
    assert_eq!(board.levels(), [true]);
}

#[test]
fn feedback_is_active_when_closed() {
    for active_low in [false, true] {
        for high in [false, true] {
            let board = Board::default();
            let feedback = Feedback { line: board.line(1, high), active_low };
            let mut valve = GpioActuator::level(board.line(0, false), true, Some(feedback), "x".into());
            let want = if high != active_low { Position::Closed } else { Position::Open };
            assert_eq!(valve.position(), Ok(want));
        }
    }
}

#[test]
fn a_line_stays_open_only_if_all_agree() {
    let open: Vec<_> = [false, true]
        .into_iter()
        .flat_map(|held| [Position::Unknown, Position::Open, Position::Closed].map(|at| (held, at)))
        .flat_map(|(held, at)| [false, true].map(|reads_closed| (held, at, reads_closed)))
        .filter(|(held, at, reads_closed)| !level_to_keep(*held, *at, *reads_closed))
        .collect();
    assert_eq!(open, [(false, Position::Open, false)]);
}

#[test]
fn a_line_taken_over_is_closed_when_a_hold_is_left_and_else_not_touched() {
    let board = Board::default();
    let mut valve = GpioActuator::level(board.line(0, false), true, None, "x".into());
    valve.keep(false, Position::Open).unwrap();
    assert_eq!(board.sets(), []);
    valve.keep(true, Position::Open).unwrap();
    assert_eq!(board.sets(), [(0, true)]);
    valve.keep(false, Position::Open).unwrap();
    assert_eq!(board.sets(), []);
}

#[test]
fn a_line_without_its_chip_is_gone_and_any_other_trouble_is_not() {
    let gone = failed("setting", "line 0", &io::Error::from_raw_os_error(libc::ENODEV));
    assert_eq!(gone, ActuatorError::Gone { name: "line 0".into() });
    let busy = failed("setting", "line 0", &io::Error::from_raw_os_error(libc::EIO));
    assert!(matches!(busy, ActuatorError::Io { .. }), "{busy}");
}
