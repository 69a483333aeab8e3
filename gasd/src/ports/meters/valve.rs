// SPDX-License-Identifier: MIT OR Apache-2.0
//! The valve in a meter: moved by a command over the meter's port, which goes out once and is read back.
//!
//! An order is handed to the port and its outcome comes later; until then nobody knows where the valve is. A closing that
//! failed is not forgotten: readings that show the valve open count again a minute later, the
//! [runner](crate::response::runner) sees a valve that was unknown and is open, and it is closed again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gasd_meters::Valve;
use gasd_meters::drive::ProcedureSettings;
use gasd_ports::bus::NotMoved;
use gasd_ports::port::PortHandle;

use crate::response::actuator::{Actuator, ActuatorError, Description, Driven, Target};
use crate::response::clock::boottime_ns;
use crate::state::Position;

/// How long an order may take before it counts as failed: reading, moving and reading back on a slow line.
const SETTLE: Duration = Duration::from_secs(120);

/// What is said of an order that no port could take.
const NO_PORT: &str = "its port is not there yet";

/// What is said of an opening whose meter left its port meanwhile.
const LEFT: &str = "its port was opened anew or is another one now, so nobody knows whether it was opened: look where the valve is";

/// How long after a closing that failed a reading of "open" is not shown, ns. The runner looks every two seconds: without a
/// pause it would see "open" before and after, and no change to act on. And a stuck valve is not told to close without end.
const DOUBT_NS: u64 = 60_000_000_000;

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
    /// A closing never went out: it is sent as soon as the meter is there.
    unsent: bool,
    /// A closing is to go out as soon as its port is there, which since the start it never was: what to say if that is not
    /// in time.
    waits: Option<String>,
    /// Until then a port that never was there may still come up, `CLOCK_BOOTTIME` ns.
    comes_up_until_ns: u64,
    /// A closing failed: it is not shown as open before this time, `CLOCK_BOOTTIME` ns.
    doubt_until_ns: u64,
    /// It was said where orders go. The port may be open before that.
    connected: bool,
    /// Where orders go; `None` while the port is not there.
    hand: Option<(PortHandle, u64)>,
}

impl Seat {
    /// An order failed.
    fn fail(&mut self, to: Target, now_ns: u64) {
        self.position = Position::Unknown;
        if to == Target::Closed {
            self.doubt_until_ns = now_ns.saturating_add(DOUBT_NS);
        }
    }

    /// Hands an order to the port; `false` where there is none.
    fn order(&mut self, to: Target) -> bool {
        let Some((hand, key)) = &self.hand else { return false };
        let valve = match to {
            Target::Open => Valve::Open,
            Target::Closed => Valve::Closed,
        };
        hand.move_valve(*key, valve, ProcedureSettings::default());
        (self.under_way, self.failed, self.unsent, self.waits) = (Some(to), None, false, None);
        true
    }

    /// Keeps an order for a port that is coming up; `false` where it has had its time, and for an opening: nothing is ever
    /// opened later.
    fn wait(&mut self, to: Target, why: &str, now_ns: u64) -> bool {
        let waits = to == Target::Closed && now_ns < self.comes_up_until_ns;
        if waits {
            (self.position, self.waits) = (Position::Unknown, Some(why.to_owned()));
        }
        waits
    }

    /// Its port is there: what waited for that goes out, and a closing that it was told while nobody could hear it.
    fn is_there(&mut self) {
        if !self.connected {
            return;
        }
        self.comes_up_until_ns = 0;
        if self.waits.is_some() || self.unsent && self.under_way.is_none() {
            self.order(Target::Closed);
        }
    }

    /// Orders go elsewhere from now on, or nowhere. A closing that is under way begins anew there; an opening does not.
    fn goes_elsewhere(&mut self, now_ns: u64) {
        match self.under_way {
            Some(Target::Open) => {
                self.under_way = None;
                self.fail(Target::Open, now_ns);
                self.failed = Some(LEFT.to_owned());
            }
            Some(Target::Closed) if self.hand.is_none() => self.no_line(Target::Closed, NO_PORT, now_ns),
            Some(Target::Closed) => _ = self.order(Target::Closed),
            None if self.unsent => _ = self.order(Target::Closed),
            None => {}
        }
    }

    /// An order ended as its port has no line.
    fn no_line(&mut self, to: Target, why: &str, now_ns: u64) {
        self.under_way = None;
        if !self.wait(to, why, now_ns) {
            self.fail(to, now_ns);
            (self.unsent, self.failed) = (to == Target::Closed, Some(why.to_owned()));
        }
    }

    /// Why the last order failed, once.
    fn failure(&mut self, now_ns: u64) -> Option<String> {
        if now_ns >= self.comes_up_until_ns
            && let Some(why) = self.waits.take()
        {
            self.fail(Target::Closed, now_ns);
            (self.unsent, self.failed) = (true, Some(why));
        }
        self.failed.take()
    }

    /// Where the valve is, for the runner. That it is closed is shown at once, always.
    const fn shown(&self, now_ns: u64) -> Position {
        match self.position {
            _ if self.under_way.is_some() || self.waits.is_some() => Position::Unknown,
            Position::Open if now_ns < self.doubt_until_ns => Position::Unknown,
            position => position,
        }
    }

    /// An order that was under way has ended.
    fn moved(&mut self, to: Valve, result: Result<Valve, NotMoved>, now_ns: u64) {
        let Some(target) = self.under_way.filter(|target| target.position() == position(to)) else {
            // A newer order took its place.
            return;
        };
        self.under_way = None;
        match result {
            Ok(valve) => (self.position, self.failed, self.doubt_until_ns) = (position(valve), None, 0),
            // One that is out is sent anew only where the meter does not say that it did what it was to do.
            Err(why @ (NotMoved::NoLine | NotMoved::LineLost)) => {
                self.no_line(target, &why.to_string(), now_ns);
            }
            Err(why) => {
                self.fail(target, now_ns);
                (self.unsent, self.failed) = (false, Some(why.to_string()));
            }
        }
    }
}

impl ValveDesk {
    fn seats(&self) -> MutexGuard<'_, HashMap<String, Seat>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The valve of this meter, for its runner.
    #[must_use]
    pub fn actuator(&self, meter: &str) -> MeterValve {
        // At the start valves are there before ports are: an order that comes meanwhile has not failed.
        let comes_up_until_ns = boottime_ns().saturating_add(SETTLE.as_nanos() as u64);
        let seat = || Seat { comes_up_until_ns, ..Seat::default() };
        self.seats().entry(meter.to_owned()).or_insert_with(seat);
        MeterValve { desk: self.clone(), meter: meter.to_owned() }
    }

    /// Orders to this meter's valve go here from now on; `None`: its port is not there.
    pub fn connect(&self, meter: &str, hand: Option<(PortHandle, u64)>) {
        let mut seats = self.seats();
        let seat = seats.entry(meter.to_owned()).or_default();
        if hand.is_none() {
            seat.position = Position::Unknown;
        }
        let same = match (&seat.hand, &hand) {
            (Some((before, of)), Some((now, key))) => of == key && before.is_of_same(now),
            (before, now) => before.is_none() && now.is_none(),
        };
        seat.connected |= hand.is_some();
        seat.hand = hand;
        if !same || seat.hand.is_none() {
            seat.goes_elsewhere(boottime_ns());
        }
        if seat.waits.is_some() {
            seat.order(Target::Closed);
        }
    }

    /// The meter's port is about to go, and another one or the same comes up in its place: until then a closing waits, as it does
    /// at the start. Returns where to the valve is under way.
    pub fn disconnect(&self, meter: &str) -> Option<Target> {
        let mut seats = self.seats();
        let seat = seats.get_mut(meter)?;
        (seat.hand, seat.connected) = (None, false);
        seat.comes_up_until_ns = boottime_ns().saturating_add(SETTLE.as_nanos() as u64);
        seat.under_way
    }

    /// The port of this meter is open.
    pub fn is_there(&self, meter: &str) {
        if let Some(seat) = self.seats().get_mut(meter) {
            seat.is_there();
        }
    }

    /// The meter answered, and said where its valve is or did not.
    pub fn read(&self, meter: &str, valve: Option<Valve>) {
        if let Some(seat) = self.seats().get_mut(meter) {
            seat.position = valve.map_or(Position::Unknown, position);
            seat.is_there();
        }
    }

    /// Nobody knows any more where it is: the meter does not answer.
    pub fn lost(&self, meter: &str) {
        if let Some(seat) = self.seats().get_mut(meter) {
            seat.position = Position::Unknown;
        }
    }

    /// An order has ended.
    pub fn moved(&self, meter: &str, to: Valve, result: Result<Valve, NotMoved>) {
        if let Some(seat) = self.seats().get_mut(meter) {
            seat.moved(to, result, boottime_ns());
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
        seat.waits = None;
        if !seat.order(to) && !seat.wait(to, NO_PORT, boottime_ns()) {
            seat.fail(to, boottime_ns());
            seat.unsent = to == Target::Closed;
            return Err(self.fail(NO_PORT.to_owned()));
        }
        // There is no line to be set: when the meter hears it is the port's business.
        Ok(Driven { line_set_ns: None, pulse: None })
    }

    fn feedback(&mut self) -> Result<Option<Position>, ActuatorError> {
        let mut seats = self.desk.seats();
        let seat = seats.entry(self.meter.clone()).or_default();
        if let Some(why) = seat.failure(boottime_ns()) {
            return Err(self.fail(why));
        }
        Ok(Some(seat.shown(boottime_ns())))
    }

    fn late_failure(&mut self) -> Option<ActuatorError> {
        let failed = self.desk.seats().get_mut(&self.meter)?.failure(boottime_ns())?;
        Some(self.fail(failed))
    }

    fn describe(&self) -> Description {
        let until_ns = self.desk.seats().get(&self.meter).map_or(0, |seat| seat.comes_up_until_ns);
        // An order that first waits for its port has its time after that.
        let waits = Duration::from_nanos(until_ns.saturating_sub(boottime_ns()));
        Description {
            has_feedback: true,
            settle: Some(SETTLE + waits),
            text: format!("in meter \"{}\", by its own command", self.meter),
            ..Description::default()
        }
    }
}

#[cfg(test)]
#[path = "valve_tests.rs"]
mod tests;
