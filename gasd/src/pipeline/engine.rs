// SPDX-License-Identifier: MIT OR Apache-2.0
//! The engine thread: events in, verdicts to the response, totals to the store, state to whoever
//! looks. It never waits for a disk, a bus or a valve.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::{Duration, Instant},
};

use gasd_abi::records::{EVENT_PULSE, Event, MAX_LINES};
use gasd_detect::{Severity, Verdict, sentence};
use tokio::sync::mpsc::Sender;

use crate::{
    journal::{self, changes},
    kernel::{Kernel, sys::boottime_ns},
    response::{Response, clock::now},
    simulation::Shadow,
    state::{Change, Report, Shared, VerdictRecord, look},
    store::{Base, WriterHandle},
    stream::{House, Stream},
};

use super::{
    civil::Civil,
    condition::{Reading, StoreStart},
    counting::Pulse,
    filter::LineFilter,
    hurry::Hurry,
    latency::Latencies,
    learned::Memory,
    meter::MeterRun,
    queue::{self, Input, Queue},
    written::Underway,
};

/// How often the snapshot follows the counters while pulses come.
const SHOW: Duration = Duration::from_millis(250);
/// How often meters that follow the clock are told the time.
const TICK: Duration = Duration::from_secs(1);

/// Shows that the thread lives.
#[derive(Debug, Default)]
pub struct Beat(AtomicU64);

impl Beat {
    /// Rounds that the thread has made; one takes no longer than a second.
    #[must_use]
    pub fn beats(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What the thread works with.
pub struct Engine {
    /// The meters, in the order of the configuration.
    pub meters: Vec<MeterRun>,
    /// Id of each meter's valve, empty for none.
    pub valves: Vec<String>,
    /// Where the counters are.
    pub bank: Arc<dyn LineFilter>,
    /// The kernel's own health, if the filter runs there.
    pub kernel: Option<Arc<Kernel>>,
    /// Where verdicts go.
    pub response: Response,
    /// Where totals go.
    pub writer: WriterHandle,
    /// Where state is shown.
    pub shared: Shared,
    /// Who is told that it changed.
    pub changes: Sender<Change>,
    /// Who is told of each record.
    pub stream: Stream,
    /// The meters as the stream numbers them.
    pub house: House,
    /// The queue, for its counter.
    pub queue: Queue,
    /// The counting thread.
    pub counting: Arc<Pulse>,
    /// Where moments are noted.
    pub latencies: Arc<Latencies>,
    /// How often a changed total is persisted.
    pub persist: Duration,
    /// What was found wrong at the start and since.
    pub problems: Vec<String>,
    /// What became of the store at the start.
    pub store: StoreStart,
    /// The configuration in force, and what was read since.
    pub reading: Reading,
    /// The last bases of meters, also of those that are not configured (any more).
    pub known: HashMap<String, Base>,
    /// Meters whose total is not known, and since when it counts, Unix time in µs.
    pub unknown: HashMap<String, u64>,
    /// Where the thread shows that it lives.
    pub beat: Arc<Beat>,
    /// What the journal was told of the service.
    pub said: changes::Service,
    /// What the meters were told of civil time.
    pub civil: Civil,
    /// What was learned of the homes, as it is on the disk.
    pub learned: Memory,
    /// The simulation under way.
    pub shadow: Option<Box<Shadow>>,
    /// Readings that are not on the disk yet.
    pub underway: Underway,
    /// A total has become certain: who reckons it from the live page is to ask anew.
    pub proved: bool,
}

impl Engine {
    /// Works until told to stop. Returns the bases to persist last.
    pub fn run(mut self, receiver: &Receiver<Input>) -> Vec<(String, Base)> {
        let mut by_line = self.by_line();
        let (mut shown, mut ticked, mut persisted) = (Instant::now(), Instant::now(), Instant::now());
        let (mut stale, mut unsaved, mut hurry) = (true, true, Hurry::default());
        loop {
            self.beat.0.fetch_add(1, Ordering::Relaxed);
            // Read first: when the queue is found empty, all that these rounds brought was worked off.
            let rounds = self.counting.rounds.load(Ordering::Acquire);
            let most = if stale || self.underway.is_any() { SHOW } else { TICK };
            match receiver.recv_timeout(hurry.wait(Instant::now).map_or(most, |wait| most.min(wait))) {
                Ok(Input::Event(event)) => {
                    self.event(&event, &by_line);
                    stale = true;
                    unsaved = true;
                }
                Ok(Input::Reading(reading, place, slip)) => {
                    self.reading(reading);
                    drop(place);
                    slip.into_iter().for_each(|slip| hurry.want(slip));
                    stale = true;
                    unsaved = true;
                }
                Ok(Input::ReadAgain(reading, place, slip)) => {
                    self.read_again(reading);
                    drop(place);
                    hurry.want(slip);
                    stale = true;
                    unsaved = true;
                }
                Ok(Input::Health(line, health)) => {
                    if let Some(&Some(at)) = by_line.get(line as usize) {
                        self.meters[at].health = health;
                        self.tell_health(at);
                    }
                    stale = true;
                }
                Ok(Input::Reload(reload)) => {
                    self.reload(*reload);
                    by_line = self.by_line();
                    unsaved = true;
                }
                Ok(Input::Refused(why)) => {
                    self.reading.refused = why;
                    stale = true;
                }
                Ok(Input::Acknowledged(what)) => self.acknowledged(&what),
                Ok(Input::Report(report)) => self.report(&report),
                Ok(Input::Alarm(meter, now)) => {
                    self.alarm(&meter, now);
                    stale = true;
                }
                Ok(Input::Simulation(step)) => {
                    self.simulation(step);
                    stale = true;
                }
                Ok(Input::Stop) | Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    let missed = self.compare(rounds);
                    stale |= missed;
                    unsaved |= missed;
                }
            }
            if stale && shown.elapsed() >= SHOW {
                self.show();
                (shown, stale) = (Instant::now(), false);
            }
            if ticked.elapsed() >= TICK {
                self.tick();
                self.save_learned_if_due(now());
                (ticked, stale) = (Instant::now(), true);
            }
            let hurried = hurry.wait(Instant::now).is_some_and(|wait| wait.is_zero());
            if unsaved && persisted.elapsed() >= self.persist || hurried {
                hurry.given(self.persist());
                (persisted, unsaved) = (Instant::now(), false);
            }
            if self.underway.is_any() {
                self.underway.proved(self.writer.written());
            }
        }
        self.show();
        self.save_learned(now(), |_| true);
        self.bases()
    }

    /// The meter of each line.
    fn by_line(&self) -> Vec<Option<usize>> {
        let mut by_line = vec![None; MAX_LINES as usize];
        for (at, meter) in self.meters.iter().enumerate() {
            if let Some(slot) = by_line.get_mut(meter.line as usize) {
                *slot = Some(at);
            }
        }
        by_line
    }

    fn event(&mut self, event: &Event, by_line: &[Option<usize>]) {
        let Some(&Some(at)) = by_line.get(event.line as usize) else { return self.shadow_event(event) };
        if event.kind == EVENT_PULSE {
            self.latencies.arrived(event, self.meters[at].simulated, boottime_ns());
        }
        if let Some(verdict) = self.meters[at].event(event) {
            self.verdict(at, &verdict);
        }
        // After the verdict: the valve comes first.
        if self.stream.is_wanted()
            && let Some(record) = self.meters[at].pulse_record(at, self.bank.generation(), event)
        {
            self.stream.tell(record);
        }
    }

    /// Takes in what a register showed. One of a meter that is gone is nobody's.
    fn reading(&mut self, reading: queue::Reading) {
        let queue::Reading { key, register_ul, t_ns } = reading;
        let Some(at) = self.meters.iter().position(|meter| meter.key() == key) else { return };
        let (_, found) = self.meters[at].reading(register_ul, t_ns, now());
        found.iter().for_each(|verdict| self.verdict(at, verdict));
    }

    /// Takes in what a register showed, unless that is known already: its meter has told it before.
    fn read_again(&mut self, reading: queue::Reading) {
        let is_it = |meter: &&MeterRun| meter.key() == reading.key;
        if !self.meters.iter().find(is_it).is_some_and(|meter| meter.has_shown(reading.register_ul)) {
            self.reading(reading);
        }
    }

    /// Gives the totals to the writer, as the push that is returned.
    fn persist(&mut self) -> u64 {
        let bases = self.bases();
        let read = self.meters.iter().filter_map(|meter| Some((meter.key(), meter.read_ns()?))).collect();
        let ticket = self.writer.persist_bases(bases);
        self.underway.pushed(ticket, read);
        ticket
    }

    /// Looks for pulses whose events never came. Returns whether there were any.
    fn compare(&mut self, rounds: u64) -> bool {
        let mut found = false;
        for meter in &mut self.meters {
            let before = meter.missed();
            meter.compare(self.bank.state(meter.line).accepted, rounds);
            found |= meter.missed() != before;
        }
        found
    }

    fn tick(&mut self) {
        self.response.announce_overdue();
        self.tell_civil();
        let now = boottime_ns();
        let open = self.open_valves();
        for at in 0..self.meters.len() {
            if let Some(&Some(open)) = open.get(at)
                && let Some(verdict) = self.meters[at].set_valve(open, now)
            {
                self.verdict(at, &verdict);
            }
            if let Some(verdict) = self.meters[at].tick(now) {
                self.verdict(at, &verdict);
            }
            self.tell_health(at);
        }
    }

    /// Tells the journal how a meter is, where that is news.
    fn tell_health(&mut self, at: usize) {
        let Some(meter) = self.meters.get_mut(at) else { return };
        let note = meter.told.news(&meter.id, meter.health.as_deref(), boottime_ns());
        note.into_iter().for_each(journal::tell);
    }

    /// Tells the meters what the clock on the wall shows, if that is news.
    fn tell_civil(&mut self) {
        if let Some(offset_ns) = self.civil.news() {
            self.meters.iter_mut().for_each(|meter| meter.set_civil(offset_ns));
        }
    }

    /// Whether each meter's valve is open, where that is known.
    fn open_valves(&self) -> Vec<Option<bool>> {
        let snapshot = look(&self.shared);
        let position = |id: &String| snapshot.valves.iter().find(|valve| valve.id == *id)?.position.is_open();
        self.valves.iter().map(position).collect()
    }

    /// Takes in what sensors beside a meter measure. One of a meter that is gone is nobody's.
    fn report(&mut self, report: &Report) {
        let Some(at) = self.meters.iter().position(|meter| meter.id == report.meter) else { return };
        let found: Vec<Verdict> = self.meters[at].report(report, boottime_ns()).collect();
        found.iter().for_each(|verdict| self.verdict(at, verdict));
    }

    /// Takes in what a meter's alarm line says.
    fn alarm(&mut self, meter: &str, now: Result<bool, String>) {
        let Some(at) = self.meters.iter().position(|known| known.id == meter) else { return };
        let before = self.meters[at].alarm_health().map(str::to_owned);
        if let Some(verdict) = self.meters[at].set_alarm(now, boottime_ns()) {
            self.verdict(at, &verdict);
        }
        changes::line(meter, before.as_deref(), self.meters[at].alarm_health())
            .into_iter()
            .for_each(journal::tell);
    }

    fn verdict(&self, at: usize, verdict: &Verdict) {
        let critical = verdict.severity == Severity::Critical;
        // Drives the valve first; then the record is made and gets its number.
        let record =
            self.response.on_finding(at, critical, verdict.decided_ns, || record(&self.meters[at], verdict));
        journal::tell(changes::verdict(&record));
    }

    pub(super) fn bases(&mut self) -> Vec<(String, Base)> {
        let generation = self.bank.generation();
        let mut bases = Vec::with_capacity(self.meters.len());
        for meter in &mut self.meters {
            let accepted = self.bank.state(meter.line).accepted;
            let (base, problem) = meter.base(generation, accepted);
            self.problems.extend(problem);
            bases.push((meter.id.clone(), base));
        }
        bases
    }
}

/// A verdict as it is kept, shown and acknowledged.
#[must_use]
pub fn record(meter: &MeterRun, verdict: &Verdict) -> VerdictRecord {
    let age_ns = boottime_ns().saturating_sub(verdict.decided_ns);
    VerdictRecord {
        id: 0,
        meter: meter.id.clone(),
        kind: verdict.kind.name().to_owned(),
        severity: verdict.severity.name().to_owned(),
        t_ns: verdict.t_ns,
        decided_ns: verdict.decided_ns,
        unix_us: unix_us().saturating_sub(age_ns / 1_000),
        evidence_json: meter.evidence(verdict).to_string(),
        text: sentence(&meter.id, verdict),
        acknowledged_by: None,
    }
}

fn unix_us() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |d| d.as_micros() as u64)
}
