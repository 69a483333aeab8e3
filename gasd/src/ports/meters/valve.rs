// SPDX-License-Identifier: MIT OR Apache-2.0
//! The valve in a meter: moved by a command over the meter's port, which goes out once and is read back.
//!
//! An order is handed to the port and its outcome comes later; until then nobody knows where the valve is. A closing that
//! failed is not forgotten: the next reading that shows the valve open tells the [runner](crate::response::runner) so,
//! and it is closed again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gasd_meters::Valve;
use gasd_meters::drive::ProcedureSettings;
use gasd_ports::port::PortHandle;

use crate::response::actuator::{Actuator, ActuatorError, Description, Driven, Target};
use crate::response::clock::boottime_ns;
use crate::state::Position;

/// How long an order may take before it counts as failed: reading, moving and reading back on a slow line.
const SETTLE: Duration = Duration::from_secs(120);

/// The valves of meters: orders go out through it, and what is read of them comes back.
#[derive(Clone, Default)]
pub struct ValveDesk(Arc<Mutex<HashMap<String, Seat>>>);

/// One meter's valve.
#[derive(Default)]
struct Seat {
    /// Where it was last read to be.
    position: Position,
    /// An order is on its way.
    under_way: Option<Target>,
    /// Why the last order failed, until that was told.
    failed: Option<String>,
    /// Where orders go; `None` while the port is not there.
    hand: Option<(PortHandle, u64)>,
}

impl ValveDesk {
    fn seats(&self) -> MutexGuard<'_, HashMap<String, Seat>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The valve of this meter, for its runner.
    #[must_use]
    pub fn actuator(&self, meter: &str) -> MeterValve {
        self.seats().entry(meter.to_owned()).or_default();
        MeterValve { desk: self.clone(), meter: meter.to_owned() }
    }

    /// Orders to this meter's valve go here from now on; `None`: its port is not there.
    pub fn connect(&self, meter: &str, hand: Option<(PortHandle, u64)>) {
        let mut seats = self.seats();
        let seat = seats.entry(meter.to_owned()).or_default();
        if hand.is_none() {
            seat.position = Position::Unknown;
        }
        seat.hand = hand;
    }

    /// The meter said where its valve is.
    pub fn read(&self, meter: &str, valve: Option<Valve>) {
        if let Some(seat) = self.seats().get_mut(meter) {
            seat.position = valve.map_or(Position::Unknown, position);
        }
    }

    /// Nobody knows any more where it is: the meter does not answer.
    pub fn lost(&self, meter: &str) {
        self.read(meter, None);
    }

    /// An order has ended.
    pub fn moved(&self, meter: &str, to: Valve, result: Result<Valve, String>) {
        let mut seats = self.seats();
        let Some(seat) = seats.get_mut(meter) else { return };
        if seat.under_way.map(Target::position) != Some(position(to)) {
            // A newer order took its place.
            return;
        }
        seat.under_way = None;
        match result {
            Ok(valve) => (seat.position, seat.failed) = (position(valve), None),
            // Not where it was read to be before: the next reading is news, whatever it shows.
            Err(why) => (seat.position, seat.failed) = (Position::Unknown, Some(why)),
        }
    }
}

const fn position(valve: Valve) -> Position {
    match valve {
        Valve::Open => Position::Open,
        Valve::Closed => Position::Closed,
        Valve::Abnormal => Position::Unknown,
    }
}

/// The actuator of one meter's valve.
pub struct MeterValve {
    desk: ValveDesk,
    meter: String,
}

impl MeterValve {
    fn fail(&self, detail: String) -> ActuatorError {
        ActuatorError::Io { what: format!("the valve of meter \"{}\"", self.meter), detail }
    }
}

impl Actuator for MeterValve {
    /// Hands the order to the port. The time that it takes from the decision to here is not the time until the meter has
    /// heard it.
    fn drive(&mut self, to: Target) -> Result<Driven, ActuatorError> {
        let mut seats = self.desk.seats();
        let seat = seats.entry(self.meter.clone()).or_default();
        let Some((hand, key)) = &seat.hand else {
            return Err(self.fail("its port is not there yet".to_owned()));
        };
        let valve = match to {
            Target::Open => Valve::Open,
            Target::Closed => Valve::Closed,
        };
        hand.move_valve(*key, valve, ProcedureSettings::default());
        (seat.under_way, seat.failed) = (Some(to), None);
        Ok(Driven { line_set_ns: boottime_ns(), pulse: None })
    }

    fn feedback(&mut self) -> Result<Option<Position>, ActuatorError> {
        let mut seats = self.desk.seats();
        let seat = seats.entry(self.meter.clone()).or_default();
        if let Some(why) = seat.failed.take() {
            return Err(self.fail(why));
        }
        Ok(Some(if seat.under_way.is_some() { Position::Unknown } else { seat.position }))
    }

    fn describe(&self) -> Description {
        Description {
            has_feedback: true,
            settle: Some(SETTLE),
            text: format!("in meter \"{}\", by its own command", self.meter),
            ..Description::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_valve_whose_port_is_not_there_is_not_driven_and_nobody_knows_where_it_is() {
        let desk = ValveDesk::default();
        let mut valve = desk.actuator("flat");
        assert!(valve.drive(Target::Closed).unwrap_err().to_string().contains("port"));
        assert_eq!(valve.feedback(), Ok(Some(Position::Unknown)));
        desk.read("flat", Some(Valve::Open));
        assert_eq!(valve.feedback(), Ok(Some(Position::Open)));
        desk.lost("flat");
        assert_eq!(valve.feedback(), Ok(Some(Position::Unknown)));
    }

    #[test]
    fn a_failure_is_told_once_and_the_next_reading_is_news() {
        let desk = ValveDesk::default();
        let mut valve = desk.actuator("flat");
        desk.read("flat", Some(Valve::Open));
        desk.seats().get_mut("flat").unwrap().under_way = Some(Target::Closed);
        assert_eq!(valve.feedback(), Ok(Some(Position::Unknown)));
        desk.moved("flat", Valve::Open, Ok(Valve::Open));
        assert_eq!(valve.feedback(), Ok(Some(Position::Unknown)), "that was an older order");
        desk.moved("flat", Valve::Closed, Err("no answer".into()));
        assert!(valve.feedback().unwrap_err().to_string().contains("no answer"));
        assert_eq!(valve.feedback(), Ok(Some(Position::Unknown)));
        desk.read("flat", Some(Valve::Open));
        assert_eq!(valve.feedback(), Ok(Some(Position::Open)));
    }
}
