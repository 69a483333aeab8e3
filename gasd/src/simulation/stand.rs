// SPDX-License-Identifier: MIT OR Apache-2.0
//! The test stand: one simulation at a time, from its order to its end.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use gasd_abi::records::LINE_SIMULATED;

use crate::config::{MeterConfig, show::long};
use crate::journal::{self, Note, what::What};
use crate::kernel::sys::boottime_ns;
use crate::pipeline::filter::LineFilter;
use crate::pipeline::latency::Latencies;
use crate::pipeline::queue::{Input, Queue};
use crate::player::{self, House, Target};
use crate::response::{audit, clock};
use crate::state::{CommandError, MeterState, Phase, Position, Shared, SimulationState};
use crate::store::{Change, WriterHandle};

use super::rows::{Rows, rows};
use super::{Hose, Order, Shadow, Step, Trace, line_key};

/// However slowly it is played, it ends.
const LONGEST: Duration = Duration::from_secs(30 * 60);
/// Time that runs on after the last row, so that what is pending is decided, ns.
const AFTERMATH_NS: u64 = 2_000_000_000;
/// Stack of the player.
const STACK: usize = 512 * 1024;

/// Finds a meter as it is configured now, with the id of its valve (empty for none).
pub type Meters = Box<dyn Fn(&str) -> Option<(MeterConfig, String)> + Send + Sync>;

/// The test stand.
pub struct Stand {
    meters: Meters,
    bank: Arc<dyn LineFilter>,
    queue: Queue,
    shared: Shared,
    writer: WriterHandle,
    running: Mutex<Option<Running>>,
}

struct Running {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

/// Everything a player takes along.
struct Play {
    bank: Arc<dyn LineFilter>,
    queue: Queue,
    target: Target,
    speed: f64,
    base_ns: u64,
    house: House,
    rows: Rows,
}

impl Stand {
    /// A stand for the meters of the running service.
    #[must_use]
    pub fn new(
        meters: Meters,
        bank: Arc<dyn LineFilter>,
        queue: Queue,
        shared: Shared,
        writer: WriterHandle,
    ) -> Stand {
        Stand { meters, bank, queue, shared, writer, running: Mutex::default() }
    }

    /// Begins a simulation and returns at once.
    ///
    /// # Errors
    /// [`CommandError::NoSuchMeter`], or [`CommandError::Simulation`] in words. Nothing is played then.
    pub fn start(&self, order: &Order, caller: &str) -> Result<(), CommandError> {
        let done = self.attempt(order);
        let valve = if order.valve { "the valve is driven" } else { "the valve is not moved" };
        let text = format!("trace \"{}\", {valve}", order.trace.name());
        let (detail, outcome) = match &done {
            Ok(()) => (text, "done"),
            Err(why) => (why.to_string(), "refused"),
        };
        let said = format!("simulation on meter \"{}\" for {caller}: {outcome}: {detail}", order.meter);
        journal::tell(Note::new(What::Simulation, said).meter(&order.meter));
        self.record(caller, "simulate", &order.meter, &detail, outcome);
        done
    }

    fn record(&self, caller: &str, action: &str, meter: &str, detail: &str, outcome: &str) {
        let entry = audit::entry(clock::now(), caller, action, meter, detail, outcome);
        self.writer.push(vec![Change::Audit(entry)]);
    }

    fn attempt(&self, order: &Order) -> Result<(), CommandError> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if running.as_ref().is_some_and(|r| !r.thread.is_finished()) {
            return Err(refused("another simulation runs; stop it first, or wait for its end"));
        }
        let (meter, valve) =
            (self.meters)(&order.meter).ok_or_else(|| CommandError::NoSuchMeter(order.meter.clone()))?;
        if let Some(readings) = meter.readings {
            return Err(refused(&format!(
                "meter \"{}\" is read every {}, and the test stand plays pulses: what it showed would not be what a \
                 reading shows; simulate on a meter whose pulses are counted",
                meter.id,
                long(readings.every_ns)
            )));
        }
        if order.valve && valve.is_empty() {
            return Err(refused(&format!("meter \"{}\" has no valve", meter.id)));
        }
        if order.valve && self.position(&valve) == Some(Position::Closed) {
            return Err(refused(&format!(
                "valve \"{valve}\" is closed already, so nothing would flow; open it first, or leave it out"
            )));
        }
        let rows = rows(&order.trace, &meter, self.takes(&meter.id)).map_err(|why| refused(&why))?;
        let assigned = self.bank.assign(line_key(), meter.filter.abi, LINE_SIMULATED);
        let line = assigned.map_err(|error| refused(&error.to_string()))?;
        let before = self.bank.state(line);
        // The line's time goes on; a fast simulation before this one may have run ahead of the clock.
        let base_ns = boottime_ns().max(before.since_ns + player::TICK_NS);
        let onset_ns = if order.trace == Trace::Hose { Hose::onset_ns() } else { 0 };
        let latencies = Arc::new(Latencies::default());
        let times = (base_ns, onset_ns);
        let shadow = Shadow::new(&meter, line, &before, times, order.valve, latencies.clone());
        let stop = Arc::new(AtomicBool::new(false));
        let play = Play {
            bank: self.bank.clone(),
            queue: self.queue.clone(),
            target: Target::of(&meter, line),
            speed: f64::from(order.speed_thousandths) / 1_000.0,
            base_ns,
            house: House {
                gas_flows: flows(&self.shared, order.valve.then_some(valve.clone())),
                latencies,
                stop: stop.clone(),
                until: Some(Instant::now() + LONGEST),
            },
            rows,
        };
        show(&self.shared, |shown| {
            *shown = SimulationState {
                number: shown.number + 1,
                phase: Phase::Running,
                meter: meter.id.clone(),
                trace: order.trace.name().to_owned(),
                valve: order.valve,
                valve_id: valve.clone(),
                speed: play.speed,
                ..SimulationState::default()
            };
        });
        if !self.queue.push_wait(Input::Simulation(Step::Begin(Box::new(shadow)))) {
            return Err(CommandError::Stopping);
        }
        let builder = std::thread::Builder::new().name("gasd-simulation".to_owned()).stack_size(STACK);
        let thread = builder.spawn(move || play.run()).map_err(|error| {
            let why = format!("its thread could not be made: {error}");
            self.queue.push_wait(Input::Simulation(Step::End("failed", why.clone())));
            refused(&why)
        })?;
        *running = Some(Running { stop, thread });
        Ok(())
    }

    /// What the home behind a meter takes at the most, m³/h; 0 while that is not known.
    fn takes(&self, meter: &str) -> f64 {
        let snapshot = self.shared.read().unwrap_or_else(PoisonError::into_inner);
        let known = |m: &&MeterState| m.id == meter && ["watching", "away"].contains(&m.phase.as_str());
        snapshot.meters.iter().find(known).map_or(0.0, |m| m.envelope_m3_per_h)
    }

    fn position(&self, valve: &str) -> Option<Position> {
        let snapshot = self.shared.read().unwrap_or_else(PoisonError::into_inner);
        snapshot.valves.iter().find(|v| v.id == valve).map(|v| v.position)
    }

    /// Ends the simulation under way, if there is one, and waits for its end.
    pub fn stop(&self, caller: &str) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Running { stop, thread }) = running {
            if !thread.is_finished() {
                self.record(caller, "simulate", "", "stopped", "done");
            }
            stop.store(true, Ordering::Relaxed);
            // A panic of the thread was reported when it happened.
            let _ = thread.join();
        }
    }
}

impl Play {
    fn run(self) {
        let Play { bank, queue, target, speed, base_ns, house, rows } = self;
        let line = target.line;
        let mut played = 0_u64;
        let wanted = target.trace_line;
        let rows = rows.inspect(|row| played += u64::from(row.as_ref().is_ok_and(|r| r.line == wanted)));
        let ended =
            player::play_rows(speed, &mut [target], bank.as_ref(), &house, base_ns, AFTERMATH_NS, rows);
        // The last events are on their way through the ring; this one comes behind them.
        let last = bank.state(line).since_ns.max(base_ns);
        let told = bank.tick(line, last);
        std::thread::sleep(Duration::from_millis(300));
        let (outcome, problem) = match ended {
            Err(why) => ("failed", why),
            Ok(true) if played == 0 => ("failed", format!("the trace has no row of line {wanted}")),
            Ok(true) => ("ended", told.err().map(|error| error.to_string()).unwrap_or_default()),
            Ok(false) if house.stop.load(Ordering::Relaxed) => ("stopped", String::new()),
            Ok(false) => ("too-long", format!("a simulation lasts {} min at most", LONGEST.as_secs() / 60)),
        };
        // Behind everything that was played: whoever sees the end sees all of it.
        queue.push_wait(Input::Simulation(Step::End(outcome, problem)));
    }
}

/// Gas flows until the valve is closed, if the valve takes part.
fn flows(shared: &Shared, valve: Option<String>) -> Box<dyn Fn(usize) -> bool + Send> {
    let shared = shared.clone();
    Box::new(move |_| {
        let Some(valve) = &valve else { return true };
        let snapshot = shared.read().unwrap_or_else(PoisonError::into_inner);
        snapshot.valves.iter().find(|v| v.id == *valve).is_none_or(|v| v.position != Position::Closed)
    })
}

/// A valve was closed: if a simulation's first critical verdict waits for that, it took this long.
pub fn driven(shared: &Shared, valve: &str, latency_ns: u64) {
    let now = shared.read().unwrap_or_else(PoisonError::into_inner).simulation.clone();
    // The verdict itself is shown a moment later than its valve is driven.
    if now.is_running() && now.valve && now.valve_id == valve && now.valve_latency_ns == 0 {
        show(shared, |shown| shown.valve_latency_ns = latency_ns);
    }
}

fn show(shared: &Shared, write: impl FnOnce(&mut SimulationState)) {
    write(&mut shared.write().unwrap_or_else(PoisonError::into_inner).simulation);
}

fn refused(why: &str) -> CommandError {
    CommandError::Simulation(why.to_owned())
}
