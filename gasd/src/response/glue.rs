// SPDX-License-Identifier: MIT OR Apache-2.0
//! The response as the daemon uses it: the pure state machine, the valves' threads and the store's
//! writer, held together.
//!
//! One lock guards the state machine and the order of what follows from it (orders to the threads,
//! records to the writer, updates to the hook). It is never held while a disk or a valve is waited for.

use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use crate::config::{self, Config};
use crate::ports::meters::valve::ValveDesk;
use crate::response::actuator::{Actuator, ActuatorError, Target};
use crate::response::clock::{Now, now};
use crate::response::command::sentence;
use crate::response::request::{Before, build};
use crate::response::runner::{Factory, Order, Outcome, Report, Runner};
use crate::response::update::{Hook, Update};
use crate::response::valves::{Step, Valves};
use crate::state::{ValveState, VerdictRecord};
use crate::store::{Loaded, WriterHandle};

/// Makes the actuator of the valve with this index; for the first time with the request that was
/// kept over a restart, if there is one.
pub type Maker =
    Arc<dyn Fn(usize, Before, Option<OwnedFd>) -> Result<Box<dyn Actuator>, ActuatorError> + Send + Sync>;

/// Verdicts and commands in, valves driven. Cheap to clone; all methods may be called from any thread.
#[derive(Clone)]
pub struct Response(pub(super) Arc<Inner>);

pub(super) struct Inner {
    core: Mutex<Core>,
    pub(super) writer: WriterHandle,
    pub(super) hook: Hook,
}

pub(super) struct Core {
    pub(super) valves: Valves,
    unannounced: Vec<Unannounced>,
    pub(super) runners: Vec<Option<Runner>>,
}

/// A verdict whose valve is driven and whose record is on its way to the disk. It is announced when it is
/// there, so that nobody has seen a verdict which a crash takes back.
struct Unannounced {
    verdict: VerdictRecord,
    /// Number of the push that has its record.
    ticket: u64,
    since: Instant,
}

/// A disk that takes longer keeps nobody from hearing of a verdict.
const ANNOUNCED_WITHIN: Duration = Duration::from_secs(1);

impl Response {
    /// Requests the lines, closes what is held and leaves everything else as it is. `kept` are the
    /// requests that the service manager kept, by valve id. An actuator that does not come up is the
    /// valve's health, not an error: metering goes on, and each order tries again.
    #[must_use]
    pub fn start(
        config: &Config,
        loaded: &Loaded,
        writer: WriterHandle,
        kept: HashMap<String, OwnedFd>,
        hook: Hook,
        desk: &ValveDesk,
    ) -> Response {
        let (valves, desk) = (config.valves.clone(), desk.clone());
        let make: Maker = Arc::new(move |at, before, kept| match &valves[at].actuator {
            config::Actuator::Meter { meter } => Ok(Box::new(desk.actuator(meter))),
            _ => build(&valves[at], before, kept),
        });
        Response::start_with(config, loaded, writer, kept, hook, &make)
    }

    /// As [`Response::start`] with other actuators.
    #[must_use]
    pub fn start_with(
        config: &Config,
        loaded: &Loaded,
        writer: WriterHandle,
        mut kept: HashMap<String, OwnedFd>,
        hook: Hook,
        make: &Maker,
    ) -> Response {
        let mut valves = Valves::new(config, loaded);
        let mut actuators = Vec::new();
        let settled = valves.settled();
        let mut first: Vec<_> = (!settled.is_empty()).then_some(Step::Persist(settled)).into_iter().collect();
        for (at, valve) in config.valves.iter().enumerate() {
            let kept = kept.remove(&valve.id);
            let spare = kept.as_ref().and_then(|fd| fd.try_clone().ok());
            match make(at, valves.before(at), kept) {
                Ok(mut actuator) => {
                    let position = actuator.position().map_err(|error| error.to_string());
                    first.extend(valves.ready(at, actuator.describe(), position, now()));
                    actuators.push((Some(actuator), spare));
                }
                Err(error) => {
                    first.extend(valves.unusable(at, error.to_string()));
                    actuators.push((None, spare));
                }
            }
        }
        let core = Mutex::new(Core { valves, unannounced: Vec::new(), runners: Vec::new() });
        let response = Response(Arc::new(Inner { core, writer, hook }));
        let mut core = response.0.lock();
        for (at, (actuator, mut spare)) in actuators.into_iter().enumerate() {
            if let Some(actuator) = &actuator {
                response.0.requested(at, spare.take().is_some(), actuator.as_ref());
            }
            let runner = response.runner(at, &config.valves[at].id, actuator, spare, make);
            if let Err(error) = &runner {
                core.valves.unusable(at, format!("its thread could not be made: {error}"));
            }
            core.runners.push(runner.ok());
        }
        response.0.take(&core, first, now());
        for verdict in core.valves.unacknowledged() {
            (response.0.hook)(Update::VerdictAdded(verdict));
        }
        response.0.show_all(&core);
        drop(core);
        let inner = Arc::downgrade(&response.0);
        response.0.writer.on_written(Box::new(move |written| {
            if let Some(inner) = inner.upgrade() {
                inner.announce(|waiting| waiting.ticket <= written);
            }
        }));
        response
    }

    fn runner(
        &self,
        at: usize,
        id: &str,
        actuator: Option<Box<dyn Actuator>>,
        mut spare: Option<OwnedFd>,
        make: &Maker,
    ) -> std::io::Result<Runner> {
        let make = Arc::clone(make);
        let asked = Arc::downgrade(&self.0);
        let factory: Factory = Box::new(move || {
            let stopping = || ActuatorError::Io {
                what: "requesting its lines".into(),
                detail: "the service is stopping".into(),
            };
            let inner = asked.upgrade().ok_or_else(stopping)?;
            let before = inner.lock().valves.before(at);
            // While the manager keeps the request nobody gets another one of that line.
            let kept = spare.as_ref().and_then(|fd| fd.try_clone().ok());
            let actuator = make(at, before, kept)?;
            let _core = inner.lock();
            inner.requested(at, spare.take().is_some(), actuator.as_ref());
            Ok(actuator)
        });
        let inner: Weak<Inner> = Arc::downgrade(&self.0);
        Runner::start(
            id,
            actuator,
            factory,
            Box::new(move |report| {
                if let Some(inner) = inner.upgrade() {
                    inner.report(at, report);
                }
            }),
        )
    }

    /// A verdict on the meter with this index. Gives it its number, which is returned. Never waits.
    pub fn on_verdict(&self, meter: usize, verdict: VerdictRecord) -> u64 {
        let (critical, decided_ns) = (verdict.severity == "critical", verdict.decided_ns);
        self.on_finding(meter, critical, decided_ns, || verdict).id
    }

    /// As [`Response::on_verdict`], with the record made only after the valve of a critical one was ordered
    /// to close: its words and numbers take longer than the order. Returns it with its number.
    pub fn on_finding(
        &self,
        meter: usize,
        critical: bool,
        decided_ns: u64,
        record: impl FnOnce() -> VerdictRecord,
    ) -> VerdictRecord {
        let now = now();
        let decided = Now { boottime_ns: decided_ns.min(now.boottime_ns), ..now };
        let mut core = self.0.lock();
        let closing = if critical { core.valves.close_for(meter) } else { Vec::new() };
        let touched = touched(&closing);
        self.0.take(&core, closing, decided);
        let id = self.0.writer.next_verdict_id();
        let cookie = if critical { self.0.writer.next_cookie() } else { 0 };
        let verdict = VerdictRecord { id, ..record() };
        let keeping = core.valves.keep_verdict(meter, &verdict, cookie, now);
        self.0.take(&core, keeping, decided);
        let ticket = self.0.writer.pushed();
        core.unannounced.push(Unannounced { verdict: verdict.clone(), ticket, since: Instant::now() });
        if let Some((old, rows)) = core.valves.make_room(now) {
            self.0.writer.push(rows);
            core.forget(old);
            (self.0.hook)(Update::VerdictRemoved(old));
        }
        touched.into_iter().for_each(|at| self.0.show(&core, at));
        verdict
    }

    /// Announces verdicts that have waited for the disk for a second. To be called now and then.
    pub fn announce_overdue(&self) {
        self.0.announce(|waiting| waiting.since.elapsed() >= ANNOUNCED_WITHIN);
    }

    /// Other meters from now on, with the id of the valve of each, empty for none: the indices of
    /// [`Response::on_verdict`] are of these. Holds and verdicts stay as they are.
    pub fn set_meters(&self, meters: Vec<(String, String)>) {
        self.0.lock().valves.set_meters(meters);
    }

    /// All valves, in the order of the configuration, then those that are not configured any more.
    #[must_use]
    pub fn valve_states(&self) -> Vec<ValveState> {
        self.0.lock().valves.states()
    }

    /// Verdicts that nobody acknowledged, oldest first.
    #[must_use]
    pub fn unacknowledged(&self) -> Vec<VerdictRecord> {
        self.0.lock().valves.unacknowledged().to_vec()
    }

    /// Ends the valves' threads after the orders under way. Levels stay for as long as the requests
    /// are kept; later orders are not carried out.
    pub fn stop(&self) {
        // Not under the lock: a thread that ends may still have to report.
        let runners = std::mem::take(&mut self.0.lock().runners);
        drop(runners);
    }
}

impl Core {
    /// A verdict that is acknowledged is announced no more.
    pub(super) fn forget(&mut self, verdict: u64) {
        self.unannounced.retain(|waiting| waiting.verdict.id != verdict);
    }
}

impl Inner {
    pub(super) fn lock(&self) -> MutexGuard<'_, Core> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn announce(&self, due: impl Fn(&Unannounced) -> bool) {
        let mut core = self.lock();
        for Unannounced { verdict, .. } in core.unannounced.extract_if(.., |waiting| due(waiting)) {
            (self.hook)(Update::VerdictAdded(&verdict));
        }
    }

    /// Carries steps out in their order; `decided` is when they were decided.
    fn take(&self, core: &Core, steps: Vec<Step>, decided: Now) {
        drop(self.run(core, steps, decided, false));
    }

    /// As `take`, showing the valves that were touched, with the outcome of the driving.
    pub(super) fn go(&self, core: &Core, steps: Vec<Step>, decided: Now) -> Receiver<Outcome> {
        let touched = touched(&steps);
        let answer = self.run(core, steps, decided, true);
        touched.into_iter().for_each(|at| self.show(core, at));
        answer
    }

    fn run(&self, core: &Core, steps: Vec<Step>, decided: Now, wants_reply: bool) -> Receiver<Outcome> {
        let (reply, answer) = channel();
        for step in steps {
            match step {
                Step::Drive { valve, to, force } => {
                    let reply = wants_reply.then(|| reply.clone());
                    let order = Order { to, force, decided_ns: decided.boottime_ns, reply };
                    match core.runners.get(valve) {
                        Some(Some(runner)) => runner.order(order),
                        Some(None) => drop(order.reply.map(|reply| reply.send(no_thread(to)))),
                        // Stopping: the reply is dropped.
                        None => {}
                    }
                }
                Step::Persist(rows) => self.writer.push(rows),
            }
        }
        answer
    }

    /// Shows every valve: those that are not configured any more, too, and those that one hold holds.
    pub(super) fn show_all(&self, core: &Core) {
        for at in 0..core.valves.len() {
            self.show(core, at);
        }
    }

    fn show(&self, core: &Core, at: usize) {
        if let Some(state) = core.valves.state(at) {
            (self.hook)(Update::Valve(at, state));
        }
    }

    /// Tells of a new request. `kept`: there was one that had been kept over a restart.
    fn requested(&self, at: usize, kept: bool, actuator: &dyn Actuator) {
        if kept && !actuator.took_over() {
            (self.hook)(Update::Line(at, None));
        }
        if let Some(fd) = actuator.request_fd() {
            (self.hook)(Update::Line(at, Some(fd)));
        }
    }

    fn report(&self, at: usize, report: Report) {
        let now = now();
        let mut core = self.lock();
        let steps = match report {
            Report::Ready(description, position) => {
                core.valves.ready(at, description, position.map_err(|error| error.to_string()), now)
            }
            Report::Gone(error) => {
                (self.hook)(Update::Line(at, None));
                core.valves.unusable(at, error.to_string())
            }
            Report::Observed(position) => core.valves.observed(at, position, now),
            Report::Driven(outcome) => {
                let Outcome { to, latency_ns, result, will_retry } = outcome;
                (self.hook)(Update::Driven { valve: at, to, latency_ns, failed: result.is_err() });
                let result = result.map_err(|error| sentence(&error, will_retry));
                core.valves.driven(at, to, latency_ns, result, now)
            }
        };
        self.take(&core, steps, now);
        self.show(&core, at);
    }
}

fn no_thread(to: Target) -> Outcome {
    let error =
        ActuatorError::Io { what: "driving it".into(), detail: "its thread could not be made".into() };
    Outcome { to, latency_ns: None, result: Err(error), will_retry: false }
}

fn touched(steps: &[Step]) -> Vec<usize> {
    let valve = |step: &Step| match step {
        Step::Drive { valve, .. } => Some(*valve),
        Step::Persist(_) => None,
    };
    steps.iter().filter_map(valve).collect()
}
