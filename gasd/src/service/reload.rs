// SPDX-License-Identifier: MIT OR Apache-2.0
//! A new configuration under the running service: read, planned, and only then applied, all of it or
//! nothing.
//!
//! The order keeps every pulse. Lines that go are unmapped first, so the counts that the engine writes
//! down are final; meters that come are known to the engine before their interrupts count. Lines that
//! stay are not touched: neither their requests nor their place in the kernel.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, RecvTimeoutError, Sender, sync_channel},
    },
    time::Duration,
};

use gasd_abi::records::meter_key;

use crate::{
    config::{
        Config, Errors, MeterConfig, Problem,
        change::{self, Fate, Plan, valve_id},
    },
    journal::{self, Note, what::What},
    pipeline::{
        counting::{Order, Orders},
        filter::LineFilter,
        queue::{Input, Queue},
        reload::{Arrival, Reload},
        watch::Watch,
    },
    ports::alarm::{self, Wanted},
    ports::meters::Readers,
    response::{audit, clock},
    state::CommandError,
    store::{Change, WriterHandle},
};

use super::notify;

/// How long a thread may take to do its part. They make a round every 200 ms; one that takes longer
/// has the watchdog to answer to.
const PATIENCE: Duration = Duration::from_secs(10);

/// Reads the configuration again, as the start did.
pub type Reader = Box<dyn Fn() -> Result<Config, Errors> + Send + Sync>;

/// What is in force.
struct InForce {
    config: Config,
    /// Index of each meter's line in the filter.
    lines: HashMap<String, u32>,
}

/// What a new configuration is applied to.
pub struct Hands {
    /// Where the lines count.
    pub bank: Arc<dyn LineFilter>,
    /// The way to the engine.
    pub queue: Queue,
    /// The way to the disk.
    pub writer: WriterHandle,
    /// The ports.
    pub readers: Arc<Readers>,
}

/// Applies new configurations, one after another.
pub struct Reloader {
    read: Reader,
    in_force: Mutex<InForce>,
    bank: Arc<dyn LineFilter>,
    queue: Queue,
    counting: Sender<Orders>,
    writer: WriterHandle,
    /// The ports.
    readers: Arc<Readers>,
    /// What the thread that reads alarm lines follows.
    alarms: Arc<Mutex<Wanted>>,
    /// What feeds follow.
    meters: Arc<Mutex<Vec<(MeterConfig, u32)>>>,
    /// A trace is played on the meters as they were at the start.
    playing: bool,
}

impl Reloader {
    /// For a service that runs `config` on these lines of the filter.
    pub fn new(
        read: Reader,
        config: Config,
        lines: &[u32],
        hands: Hands,
        playing: bool,
    ) -> (Self, Receiver<Orders>) {
        let Hands { bank, queue, writer, readers } = hands;
        let lines = config.meters.iter().zip(lines).map(|(meter, line)| (meter.id.clone(), *line)).collect();
        let (counting, orders) = std::sync::mpsc::channel();
        let alarms = Arc::new(Mutex::new(alarm::wanted(&config)));
        let meters = Arc::new(Mutex::new(placed(&config, &lines)));
        let in_force = Mutex::new(InForce { config, lines });
        (Self { read, in_force, bank, queue, counting, writer, readers, alarms, meters, playing }, orders)
    }

    /// The alarm lines in force, now and after each reload.
    pub fn alarms(&self) -> Arc<Mutex<Wanted>> {
        self.alarms.clone()
    }

    /// Reads the configuration again and applies what changed. Returns a sentence for each change; none
    /// if there was nothing to change.
    ///
    /// # Errors
    /// [`CommandError::Configuration`] with every problem or [`CommandError::NeedsRestart`] with what
    /// cannot be changed live. The configuration before stays in force, whole.
    pub fn reload(&self, caller: &str) -> Result<Vec<String>, CommandError> {
        let mut in_force = self.in_force.lock().unwrap_or_else(PoisonError::into_inner);
        notify::reloading();
        let done = self.attempt(&mut in_force);
        let (text, outcome) = match &done {
            Ok(changes) if changes.is_empty() => ("nothing changed".to_owned(), "done"),
            Ok(changes) => (changes.join("; "), "done"),
            Err(why) => (why.to_string(), "refused"),
        };
        if let Err(why) = &done {
            self.queue.push_wait(Input::Refused(why.problems()));
        }
        report(&done);
        let entry = audit::entry(clock::now(), caller, "reload", "configuration", &text, outcome);
        self.writer.push(vec![Change::Audit(entry)]);
        notify::ready();
        done
    }

    /// A meter as it is configured now, and the id of its valve (empty for none).
    pub fn meter(&self, id: &str) -> Option<(MeterConfig, String)> {
        let in_force = self.in_force.lock().unwrap_or_else(PoisonError::into_inner);
        let meter = in_force.config.meters.iter().find(|meter| meter.id == id)?;
        Some((meter.clone(), valve_id(&in_force.config, meter).to_owned()))
    }

    /// The meters in force with their lines in the filter, now and after each reload. Whoever asks waits for
    /// no reload.
    #[must_use]
    pub fn meters(&self) -> crate::feed::Meters {
        let meters = self.meters.clone();
        Arc::new(move || meters.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    fn attempt(&self, in_force: &mut InForce) -> Result<Vec<String>, CommandError> {
        if self.playing {
            return Err(refused("a trace is played on the meters of the start; stop gasd to change them"));
        }
        let read_unix_us = clock::now().unix_us;
        let next = (self.read)().map_err(|errors| {
            CommandError::Configuration(errors.problems().iter().map(Problem::to_string).collect())
        })?;
        let plan = change::between(&in_force.config, &next).map_err(CommandError::NeedsRestart)?;
        let lines = self.apply(in_force, &next, &plan, read_unix_us)?;
        *in_force = InForce { config: next, lines };
        Ok(plan.summary)
    }

    /// Applies a plan. Only the first step can fail for a reason that lies in the configuration, and it
    /// changes nothing that counts.
    fn apply(
        &self,
        now: &InForce,
        next: &Config,
        plan: &Plan,
        read_unix_us: u64,
    ) -> Result<HashMap<String, u32>, CommandError> {
        let mut lines = HashMap::new();
        for (meter, fate) in next.meters.iter().zip(&plan.fates) {
            let line = match (fate, now.lines.get(&meter.id)) {
                (Fate::Same | Fate::Changed(_), Some(line)) => *line,
                _ => self.assign(meter)?,
            };
            lines.insert(meter.id.clone(), line);
        }

        let moved = |fate: &Fate| matches!(fate, Fate::Changed(delta) if delta.line);
        let chips_of =
            |id: &str| now.config.meters.iter().any(|old| old.id == id && old.source.chip().is_some());
        let mut leaving: Vec<Order> = Vec::new();
        let changed_lines =
            next.meters.iter().zip(&plan.fates).filter(|(_, fate)| moved(fate)).map(|(meter, _)| &meter.id);
        for id in plan.removed.iter().chain(changed_lines).filter(|id| chips_of(id)) {
            leaving.push(Order::Drop(id.clone()));
        }
        self.order(leaving)?;

        let (done, answer) = sync_channel(1);
        let arrivals = next.meters.iter().zip(&plan.fates).map(|(meter, fate)| Arrival {
            config: meter.clone(),
            fate: *fate,
            line: lines[&meter.id],
            valve: valve_id(next, meter).to_owned(),
        });
        let reload = Reload {
            meters: arrivals.collect(),
            persist: Duration::from_nanos(next.persist_ns),
            read_unix_us,
            warnings: next.warnings.clone(),
            done,
        };
        if !self.queue.push_wait(Input::Reload(Box::new(reload))) {
            return Err(CommandError::Stopping);
        }
        answer.recv_timeout(PATIENCE).map_err(no_answer)?;

        let mut coming = Vec::new();
        for (meter, fate) in next.meters.iter().zip(&plan.fates) {
            let line = lines[&meter.id];
            if let Fate::Changed(delta) = fate {
                if delta.filter || delta.line {
                    self.assign(meter)?;
                }
                if (delta.filter || delta.poll) && !delta.line {
                    coming.push(Order::Settings(meter.id.clone(), meter.filter));
                }
            }
            if (*fate == Fate::Added || moved(fate))
                && let Some(gpio) = meter.source.chip()
            {
                let watch = Watch::new(meter.id.clone(), line, meter.filter, gpio.clone(), None);
                coming.push(Order::Watch(Box::new(watch)));
            }
        }
        self.order(coming)?;
        *self.alarms.lock().unwrap_or_else(PoisonError::into_inner) = alarm::wanted(next);
        *self.meters.lock().unwrap_or_else(PoisonError::into_inner) = placed(next, &lines);
        self.readers.apply(next, &lines).map_err(|error| refused(&error.message))?;
        Ok(lines)
    }

    fn assign(&self, meter: &MeterConfig) -> Result<u32, CommandError> {
        let flags = meter.source.line_flags();
        let assigned = self.bank.assign(meter_key(&meter.id), meter.filter.abi, flags);
        assigned.map_err(|error| refused(&format!("meter \"{}\": {error}", meter.id)))
    }

    /// Lets the counting thread do something, and waits until it is done.
    fn order(&self, orders: Vec<Order>) -> Result<(), CommandError> {
        if orders.is_empty() {
            return Ok(());
        }
        let (done, answer) = sync_channel(1);
        let sent = self.counting.send(Orders { orders, done });
        sent.map_err(|_| CommandError::Stopping)?;
        answer.recv_timeout(PATIENCE).map_err(no_answer)
    }
}

/// The meters with their lines.
fn placed(config: &Config, lines: &HashMap<String, u32>) -> Vec<(MeterConfig, u32)> {
    let line = |meter: &MeterConfig| lines.get(&meter.id).copied();
    config.meters.iter().filter_map(|meter| Some((meter.clone(), line(meter)?))).collect()
}

/// A thread that has ended, or one that the watchdog will end.
fn no_answer(error: RecvTimeoutError) -> CommandError {
    match error {
        RecvTimeoutError::Disconnected => CommandError::Stopping,
        RecvTimeoutError::Timeout => refused(&format!(
            "the service has not taken it within {} s; if it hangs its watchdog restarts it",
            PATIENCE.as_secs()
        )),
    }
}

fn refused(why: &str) -> CommandError {
    CommandError::Configuration(vec![why.to_owned()])
}

fn report(done: &Result<Vec<String>, CommandError>) {
    let (what, texts) = match done {
        Ok(changes) if changes.is_empty() => {
            (What::ConfigurationChanged, vec!["the configuration was read again; nothing changed".to_owned()])
        }
        Ok(changes) => {
            let texts = changes.iter().map(|change| format!("new configuration: {change}"));
            (What::ConfigurationChanged, texts.collect())
        }
        Err(why) => (What::ConfigurationRefused, vec![why.to_string()]),
    };
    texts.into_iter().for_each(|text| journal::tell(Note::new(what, text)));
}
