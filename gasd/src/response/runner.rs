// SPDX-License-Identifier: MIT OR Apache-2.0
//! One thread for each valve: pulses and feedback take their time there and nowhere else.
//!
//! An order that comes while another is under way takes over: a closing order cuts an opening pulse
//! short, and everything else waits for the end of the pulse (half a pulse may leave a latching valve
//! half-way). A repeated order joins the one under way. A closing that fails is tried again, with the
//! actuator made anew if it had failed to come up.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::response::actuator::{Actuator, ActuatorError, Description, Target};
use crate::state::Position;

/// Pauses before a closing that failed is tried again; then it is left to the next order, and the
/// valve reports what is wrong.
const RETRIES: [Duration; 4] =
    [Duration::from_millis(50), Duration::from_millis(200), Duration::from_secs(1), Duration::from_secs(5)];
/// How long the feedback may take to agree. Small motor valves turn within a few seconds; a slower
/// one is reported as not closed first and as closed when its feedback changes.
const SETTLE: Duration = if cfg!(test) { Duration::from_millis(100) } else { Duration::from_secs(6) };
/// How often the feedback is read while it settles.
const SETTLE_STEP: Duration = Duration::from_millis(5);
/// How often the feedback is read when nothing happens, and an actuator looked for that is missing or
/// may be gone.
const IDLE: Duration = if cfg!(test) { Duration::from_millis(50) } else { Duration::from_secs(2) };
/// A coil rests this many times as long as it was pulsed before the same pulse is given again.
const COIL_REST: u32 = 5;

/// Makes the actuator; asked again when it failed.
pub type Factory = Box<dyn FnMut() -> Result<Box<dyn Actuator>, ActuatorError> + Send>;

/// How an order ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The order.
    pub to: Target,
    /// From the decision to the line being set, ns; `None` if it was not set.
    pub latency_ns: Option<u64>,
    /// Where the valve is, or why that is not known.
    pub result: Result<Position, ActuatorError>,
    /// It is tried again by itself.
    pub will_retry: bool,
}

/// What the thread has to say.
#[derive(Debug)]
pub enum Report {
    /// The actuator came up after all, and this is where the valve is.
    Ready(Description, Result<Position, ActuatorError>),
    /// The actuator's lines are gone with their chip.
    Gone(ActuatorError),
    /// An order ended.
    Driven(Outcome),
    /// The feedback reads something else than was last reported.
    Observed(Position),
}

/// An order.
#[derive(Debug)]
pub struct Order {
    /// Where to.
    pub to: Target,
    /// Pulse again even if the feedback says it is there.
    pub force: bool,
    /// When it was decided, `CLOCK_BOOTTIME` ns.
    pub decided_ns: u64,
    /// Told of the first outcome; dropped when a newer order took over.
    pub reply: Option<Sender<Outcome>>,
}

/// The thread.
pub struct Runner {
    orders: Option<Sender<Order>>,
    thread: Option<JoinHandle<()>>,
}

impl Runner {
    /// Starts the thread with an actuator that is there, or will be made when it is needed.
    ///
    /// # Errors
    /// When the thread cannot be made.
    pub fn start(
        name: &str,
        actuator: Option<Box<dyn Actuator>>,
        factory: Factory,
        report: Box<dyn Fn(Report) + Send>,
    ) -> std::io::Result<Runner> {
        let (orders, inbox) = channel();
        // The kernel shows 15 bytes.
        let name = format!("valve-{name}").chars().take(15).collect();
        let thread = thread::Builder::new().name(name).spawn(move || {
            Work { actuator, factory, report, inbox, last_pulse: None, seen: None }.run();
        })?;
        Ok(Runner { orders: Some(orders), thread: Some(thread) })
    }

    /// Hands an order over; returns at once. Orders are taken in their order.
    pub fn order(&self, order: Order) {
        if let Some(orders) = &self.orders {
            let _ = orders.send(order);
        }
    }
}

impl Drop for Runner {
    /// The order under way is finished; a pulse is never left standing.
    fn drop(&mut self) {
        self.orders = None;
        // The thread itself may be the last to let go of what holds its runner.
        if let Some(thread) =
            self.thread.take().filter(|thread| thread.thread().id() != thread::current().id())
        {
            let _ = thread.join();
        }
    }
}

/// Why an attempt ended.
enum End {
    Done(Option<u64>, Result<Position, ActuatorError>),
    Overtaken(Order),
}

/// Orders of one direction, and all who wait for them.
struct Current {
    to: Target,
    force: bool,
    decided_ns: u64,
    replies: Vec<Sender<Outcome>>,
}

impl Current {
    fn new(order: Order) -> Current {
        Current {
            to: order.to,
            force: order.force,
            decided_ns: order.decided_ns,
            replies: order.reply.into_iter().collect(),
        }
    }

    /// Joins an order of the same direction; gives one of the other back.
    fn join(&mut self, order: Order) -> Option<Order> {
        if order.to != self.to {
            return Some(order);
        }
        self.force |= order.force;
        self.replies.extend(order.reply);
        None
    }
}

struct Work {
    actuator: Option<Box<dyn Actuator>>,
    factory: Factory,
    report: Box<dyn Fn(Report) + Send>,
    inbox: Receiver<Order>,
    /// Direction, end and length of the last whole pulse.
    last_pulse: Option<(Target, Instant, Duration)>,
    /// The feedback as it was last reported.
    seen: Option<Position>,
}

impl Work {
    fn run(mut self) {
        loop {
            // A valve that stays there and cannot say where it is gives no reason to wake up.
            let watch = self.actuator.as_ref().is_none_or(|actuator| {
                let is = actuator.describe();
                is.has_feedback || is.can_vanish
            });
            let order = match watch {
                true => self.inbox.recv_timeout(IDLE),
                false => self.inbox.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match order {
                Ok(order) => self.fulfil(order),
                Err(RecvTimeoutError::Timeout) => self.observe(),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn fulfil(&mut self, order: Order) {
        let mut current = Current::new(order);
        let mut retries = RETRIES.iter();
        loop {
            while let Ok(newer) = self.inbox.try_recv() {
                if let Some(other) = current.join(newer) {
                    current = Current::new(other);
                    retries = RETRIES.iter();
                }
            }
            match self.attempt(&mut current) {
                End::Overtaken(newer) => {
                    current = Current::new(newer);
                    retries = RETRIES.iter();
                }
                End::Done(latency_ns, result) => {
                    let pause = match result {
                        Err(_) if current.to == Target::Closed => retries.next(),
                        _ => None,
                    };
                    match &result {
                        Ok(position) => self.seen = Some(*position),
                        Err(error @ ActuatorError::Gone { .. }) => self.lose(error.clone()),
                        Err(_) => self.last_pulse = None,
                    }
                    let outcome = Outcome { to: current.to, latency_ns, result, will_retry: pause.is_some() };
                    // First to those who keep the state, so that it is true when the caller goes on.
                    (self.report)(Report::Driven(outcome.clone()));
                    for reply in current.replies.drain(..) {
                        let _ = reply.send(outcome.clone());
                    }
                    let Some(pause) = pause else { return };
                    match self.inbox.recv_timeout(*pause) {
                        Ok(newer) => {
                            if let Some(other) = current.join(newer) {
                                current = Current::new(other);
                                retries = RETRIES.iter();
                            }
                        }
                        Err(RecvTimeoutError::Timeout) => current.force = true,
                        Err(RecvTimeoutError::Disconnected) => return,
                    }
                }
            }
        }
    }

    fn attempt(&mut self, current: &mut Current) -> End {
        let actuator = match self.actuator.take().map_or_else(|| self.make(), Ok) {
            Ok(actuator) => self.actuator.insert(actuator),
            Err(error) => return End::Done(None, Err(error)),
        };
        let is = actuator.describe();
        if is.latching {
            let there = !current.force
                && current.to == Target::Closed
                && actuator.feedback().is_ok_and(|at| at == Some(Position::Closed));
            let just_pulsed = self.last_pulse.is_some_and(|(to, end, pulse)| {
                to == current.to && end.elapsed() < pulse * COIL_REST && self.seen == Some(to.position())
            });
            if there || just_pulsed {
                return End::Done(None, Ok(current.to.position()));
            }
        }
        let driven = match actuator.drive(current.to) {
            Ok(driven) => driven,
            Err(error) => return End::Done(None, Err(error)),
        };
        let latency = driven.line_set_ns.map(|ns| ns.saturating_sub(current.decided_ns));
        if let Some(pulse) = driven.pulse {
            let overtaken = wait(&self.inbox, pulse, current);
            let rested = actuator.rest();
            self.last_pulse = Some((current.to, Instant::now(), pulse));
            if let Some(newer) = overtaken {
                return End::Overtaken(newer);
            }
            if let Err(error) = rested {
                return End::Done(latency, Err(error));
            }
        }
        let wanted = current.to.position();
        let deadline = Instant::now() + is.settle.unwrap_or(SETTLE);
        loop {
            match actuator.feedback() {
                Err(error) => return End::Done(latency, Err(error)),
                Ok(None) => return End::Done(latency, Ok(wanted)),
                Ok(Some(read)) if read == wanted => return End::Done(latency, Ok(wanted)),
                Ok(Some(read)) if Instant::now() >= deadline => {
                    self.seen = Some(read);
                    let error = ActuatorError::Mismatch { wanted: wanted.name(), read: read.name() };
                    return End::Done(latency, Err(error));
                }
                Ok(Some(_)) => {}
            }
            match self.inbox.recv_timeout(SETTLE_STEP) {
                Ok(newer) => {
                    if let Some(other) = current.join(newer) {
                        return End::Overtaken(other);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return End::Done(latency, Ok(Position::Unknown));
                }
            }
        }
    }

    fn make(&mut self) -> Result<Box<dyn Actuator>, ActuatorError> {
        let mut actuator = (self.factory)()?;
        (self.report)(Report::Ready(actuator.describe(), actuator.position()));
        Ok(actuator)
    }

    /// Its requests are dead; the next order, or the next look, makes it anew.
    fn lose(&mut self, error: ActuatorError) {
        self.actuator = None;
        self.last_pulse = None;
        self.seen = None;
        (self.report)(Report::Gone(error));
    }

    fn observe(&mut self) {
        let Some(actuator) = &mut self.actuator else {
            // Its chip may come up later than gasd.
            self.actuator = self.make().ok();
            return;
        };
        if let Err(error @ ActuatorError::Gone { .. }) = actuator.check() {
            self.lose(error);
            return;
        }
        if let Some(error) = actuator.late_failure() {
            let (to, result) = (Target::Closed, Err(error));
            (self.report)(Report::Driven(Outcome { to, latency_ns: None, result, will_retry: false }));
        }
        if let Ok(Some(position)) = actuator.feedback()
            && self.seen != Some(position)
        {
            self.seen = Some(position);
            (self.report)(Report::Observed(position));
        }
    }
}

/// Waits for the end of a pulse. Only a closing order ends an opening pulse early.
fn wait(inbox: &Receiver<Order>, pulse: Duration, current: &mut Current) -> Option<Order> {
    let end = Instant::now() + pulse;
    let mut next: Option<Order> = None;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return next;
        }
        match inbox.recv_timeout(left) {
            Ok(order) if order.to == Target::Closed && current.to == Target::Open => {
                return Some(order);
            }
            // The last of several orders counts.
            Ok(order) => next = current.join(order),
            Err(RecvTimeoutError::Timeout) => return next,
            Err(RecvTimeoutError::Disconnected) => {
                thread::sleep(end.saturating_duration_since(Instant::now()));
                return None;
            }
        }
    }
}

#[cfg(test)]
#[path = "runner_tests.rs"]
mod tests;
