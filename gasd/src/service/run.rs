// SPDX-License-Identifier: MIT OR Apache-2.0
//! The order of things: configuration, store, kernel, lines, response, bus, and back.

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use gasd_abi::records::meter_key;
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    iterator::Signals,
};

use crate::{
    bus,
    config::{Config, NO_METER, Origin},
    exit::{self, Fatal},
    feed,
    journal::{self, Journal, Note, changes, what::What},
    kernel::{Events, load},
    pipeline::{
        civil::Civil,
        condition::{Reading, StoreStart},
        counting::{self, Source},
        engine::{Beat, Engine},
        filter::{LineFilter, UserBank},
        latency::Latencies,
        learned::Memory,
        meter::MeterRun,
        queue::{Input, Queue},
        written::{Underway, Written},
    },
    player::Play,
    ports::meters::{Readers, desk::Desk, valve::ValveDesk},
    response::{self, Response},
    simulation::{self, Stand},
    state::Shared,
    store::{OF_A_PROCESS, Recovered},
    stream::{self, Stream},
};

use super::{
    alarms, fold,
    heartbeat::Heart,
    kept::{self, Kept},
    lines, notify, play, process,
    reload::{Hands, Reloader},
    report,
    serve::{self, Window},
    settle::{self, Settled},
    start,
};

/// What the command line says.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the configuration is read from.
    pub config: Origin,
    /// Which bus; `None` for none.
    pub bus: Option<String>,
    /// Run the filter in this process even if the kernel could.
    pub userspace: bool,
    /// A trace to play on the meters that have no chip.
    pub play: Option<Play>,
    /// End when the trace has ended, and print what was measured.
    pub until_end: bool,
    /// Meters without a chip are allowed.
    pub simulated: bool,
    /// Instead of the configured pin directory.
    pub pins: Option<PathBuf>,
    /// Instead of the configured store.
    pub store: Option<PathBuf>,
}

/// Runs until SIGTERM or SIGINT.
///
/// # Errors
/// [`Fatal`] when the service cannot start; nothing is half done then, and holds stay.
pub fn run(options: &Options) -> Result<(), Fatal> {
    // Before any thread: a signal must find its handler.
    let signals =
        Signals::new([SIGTERM, SIGINT, SIGHUP]).map_err(|e| Fatal::new(exit::FAILED, e.to_string()))?;
    process::prepare();
    let read = start::reader(options);
    let read_unix_us = response::clock::now().unix_us;
    let config = read().map_err(|e| Fatal::new(exit::BAD_INPUT, e.to_string()))?;
    let journal =
        Journal::start().map_err(|e| Fatal::new(exit::FAILED, format!("thread gasd-journal: {e}")))?;
    for warning in &config.warnings {
        let what = if warning == NO_METER { What::NoMeter } else { What::ConfigurationWarning };
        journal::tell(Note::new(what, warning.as_str()));
    }
    let mut kept = Kept::take().map_err(|e| {
        Fatal::new(exit::FAILED, format!("the descriptors that the service manager passed: {e}"))
    })?;
    let (queue, receiver) = Queue::new();
    // Only looks: nothing of the kernel's is changed yet.
    let (kernel, mode, mode_reason) = start::filter_side(options, &config)?;
    // A second daemon stops here, before it touches anything that the first one works with: at the
    // store, or, if it has one of its own, at the events, and then without having made that store.
    let idle = if options.userspace { fold::idle(&config.pins)? } else { None };
    let store = start::existing_store(&config)?;
    let events = kernel.as_ref().map(|kernel| Events::open(kernel.pins())).transpose()?;
    let (Recovered { store, loaded, next, loss }, rows) = start::store(&config, store)?;
    let kept_valves = kept.valves(&config);
    kept.discard_but_meters(&config);
    let lines = lines::set_up(&config, kernel.as_ref(), &mut kept)?;
    let current = match &kernel {
        Some(kernel) => kernel.generation(),
        None => [OF_A_PROCESS, load::random()?[0]],
    };
    let left = idle.map(fold::stand_down).transpose()?.unwrap_or_default();
    let past = match &kernel {
        Some(kernel) => fold::past(kernel.pins(), current)?,
        None => Vec::new(),
    };
    let counted = |at: usize| match (&kernel, lines.numbers.get(at)) {
        (Some(kernel), Some(&line)) => kernel.state(line).accepted,
        _ => 0,
    };
    let folded = [&left[..], &past].concat();
    let bases = fold::fold(&config, &loaded.bases, &folded, current, counted);
    let Settled { writer, ticket } = settle::settle(store, &config.store, next, rows, &bases)?;
    if ticket.is_none() {
        // The counts of the past are elsewhere now.
        for old in &past {
            load::remove(&old.dir)?;
        }
    }

    let shared: Shared = Shared::default();
    let valve_ids: Vec<String> = config
        .meters
        .iter()
        .map(|m| m.valve.map_or_else(String::new, |v| config.valves[v].id.clone()))
        .collect();
    start::first_snapshot(&shared, &config, &valve_ids, mode, mode_reason);
    let (change_sender, change_receiver) = tokio::sync::mpsc::channel(256);
    let (signal, port_changes) = (change_sender.clone(), change_sender.clone());
    let latencies = Arc::new(Latencies::default());
    let publish = response::publish(shared.clone(), move |change| {
        let _ = signal.try_send(change);
    });
    let timed = latencies.clone();
    let driven = shared.clone();
    let house = stream::House::of(&config).with_valves(&response::unconfigured::ids(&config, &loaded));
    let stream = Stream::start(shared.clone(), house.clone())
        .map_err(|e| Fatal::new(exit::FAILED, format!("thread gasd-stream: {e}")))?;
    let told = stream.clone();
    let ids: Vec<String> = config.valves.iter().map(|v| v.id.clone()).collect();
    let valve_lines = kept::valve_lines(&config, &kept_valves);
    let said = Mutex::new(changes::Valves::default());
    let hook: response::Hook = Box::new(move |update| {
        match update {
            response::Update::Driven { valve, latency_ns: Some(ns), to, .. } => {
                timed.valve.add(ns);
                if to == response::Target::Closed {
                    simulation::driven(&driven, &ids[valve], ns);
                }
            }
            response::Update::Line(at, fd) => valve_lines[at].follow(&ids[at], fd),
            response::Update::Valve(_, state) => {
                let mut said = said.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                said.now(state).into_iter().for_each(journal::tell);
            }
            _ => {}
        }
        told.tell_update(&update);
        publish(update);
    });
    let kept_valves = kept_valves.into_iter().map(|(id, kept)| (id, kept.fd)).collect();
    let meter_valves = ValveDesk::default();
    let response = Response::start(&config, &loaded, writer.handle(), kept_valves, hook, &meter_valves);

    let (bank, source): (Arc<dyn LineFilter>, Source) = match (&kernel, events) {
        (Some(kernel), Some(events)) => (kernel.clone(), Source::Kernel(kernel.clone(), Box::new(events))),
        _ => {
            let bank = Arc::new(UserBank::new(queue.clone(), current));
            for meter in &config.meters {
                // In the order of the configuration, as their lines are numbered.
                bank.assign(meter_key(&meter.id), meter.filter.abi, 0)?;
            }
            (bank.clone(), Source::User(bank))
        }
    };
    let unknown: HashMap<String, u64> = loaded.unknown.iter().cloned().collect();
    let mut memory = Memory::new(&loaded.learned);
    let mut meters = Vec::new();
    for ((meter, (_, base)), (&line, health)) in
        config.meters.iter().zip(&bases).zip(lines.numbers.iter().zip(&lines.health))
    {
        let mut run = MeterRun::new(meter, line, *base);
        run.health.clone_from(health);
        run.unknown_since = unknown.get(&meter.id).copied();
        if let Some(ticket) = ticket {
            let before = loaded.bases.iter().find(|(id, _)| *id == meter.id);
            run.doubt(before.map_or(0, |(_, base)| base.pulse_volume_ul), ticket);
        }
        let now = response::clock::now();
        writer.handle().push(memory.recall(&mut run, now).into_iter().collect());
        run.resume(now);
        meters.push(run);
    }
    // What a total goes up to is on the disk.
    let written = Written::default();
    written.tell(&meters.iter().filter_map(|m| Some((m.key(), m.read_ns()?))).collect::<Vec<_>>());
    let pulse = Arc::new(counting::Pulse::default());
    let beat = Arc::new(Beat::default());
    let mut engine = Engine {
        meters,
        valves: valve_ids,
        bank: bank.clone(),
        kernel: kernel.clone(),
        response: response.clone(),
        writer: writer.handle(),
        shared: shared.clone(),
        changes: change_sender,
        stream: stream.clone(),
        house,
        queue: queue.clone(),
        counting: pulse.clone(),
        latencies: latencies.clone(),
        persist: Duration::from_nanos(config.persist_ns),
        problems: Vec::new(),
        store: StoreStart { lost: loss.as_ref().map(ToString::to_string), ticket },
        reading: Reading { read_unix_us, warnings: config.warnings.clone(), refused: Vec::new() },
        known: loaded.bases.iter().cloned().collect(),
        unknown,
        beat: beat.clone(),
        said: changes::Service::default(),
        civil: Civil::default(),
        learned: memory,
        shadow: None,
        underway: Underway::new(written.clone()),
        proved: false,
    };
    // Whoever is the first to look must not see a total of zero.
    engine.show();
    let engine = spawn("gasd-engine", move || engine.run(&receiver))?;
    let stop_play = Arc::new(AtomicBool::new(false));
    let playing = options.play.is_some();
    let desk = Desk::new(
        queue.clone(),
        shared.clone(),
        port_changes,
        writer.handle(),
        meter_valves.clone(),
        &loaded.remembered,
    );
    let readers = Arc::new(Readers::new(desk, meter_valves, shared.clone()));
    readers.apply(&config, &numbered(&config, &lines.numbers))?;
    let hands =
        Hands { bank: bank.clone(), queue: queue.clone(), writer: writer.handle(), readers: readers.clone() };
    let (reloader, orders) = Reloader::new(read, config.clone(), &lines.numbers, hands, playing);
    let reloader = Arc::new(reloader);
    let (feeds, feeding) = feed::start(reloader.meters(), bank.clone(), queue.clone(), written)?;
    let alarms = alarms::Reading::start(reloader.alarms(), queue.clone(), readers.clone())?;
    let counting = {
        let (queue, pulse) = (queue.clone(), pulse.clone());
        let on_line: counting::OnLine = Box::new(lines::follow);
        spawn("gasd-counting", move || {
            counting::run(source, lines.watches, &queue, &pulse, &orders, &on_line)
        })?
    };
    let configured = reloader.clone();
    let stand = Arc::new(Stand::new(
        Box::new(move |id| configured.meter(id)),
        bank.clone(),
        queue.clone(),
        shared.clone(),
        writer.handle(),
    ));
    let records = writer.handle();
    let audit: bus::AuditReader = Arc::new(move |page, reply| {
        // A client that did not wait is no error.
        records.audit_page(page, move |entries| drop(reply.send(entries)));
    });
    let records = writer.handle();
    let verdicts: bus::VerdictReader =
        Arc::new(move |id, reply| records.verdict(id, move |verdict| drop(reply.send(verdict))));
    let paged = kernel.clone();
    let page: Option<bus::PageOpener> = paged.map(|kernel| -> bus::PageOpener {
        Arc::new(move || kernel.pins().open_map("live").map_err(|error| error.to_string()))
    });
    let searched = readers.clone();
    let search: bus::Searcher =
        Arc::new(move |port, search| crate::ports::meters::search::start(&searched, port, search));
    let doors = bus::Doors { feeds: Some(feeds), page, search: Some(search) };
    let window = Window { shared: shared.clone(), changes: change_receiver, stream, audit, verdicts, doors };
    let bus = serve::bus(options.bus.as_deref(), window, &response, &reloader, &stand, &queue)?;
    notify::ready();
    journal::tell(Note::new(What::Started, start::started(&config, mode)));
    // Whoever watches is there by now; nothing of the play is missed.
    let player = match &options.play {
        Some(play) => {
            Some(play::start(play, &config, &lines.numbers, bank, &shared, &latencies, stop_play.clone())?)
        }
        None => None,
    };
    let ended = || options.until_end && player.as_ref().is_some_and(thread::JoinHandle::is_finished);
    let heart =
        Heart { shared: &shared, counting: &pulse, engine: &beat, bus: bus.as_ref(), reloader: &reloader };
    heart.beat(signals, &ended);
    stand.stop("gasd, which stops");
    stop_play.store(true, Ordering::Relaxed);
    let played = player.map_or(Ok(()), |p| p.join().unwrap_or(Ok(())));

    notify::stopping();
    journal::tell(Note::new(What::Stopping, "stopping"));
    drop(alarms);
    // Before the engine ends: what was handed over by now is counted.
    drop(feeding);
    let remembered = readers.stop();
    pulse.stop.store(true, Ordering::Relaxed);
    let watches = counting.join().ok();
    queue.push_wait(Input::Stop);
    let last = engine.join().unwrap_or_default();
    let totals = last.into_iter().map(|(meter, base)| crate::store::Change::Base { meter, base });
    let saved = writer.handle().write_now(totals.chain(remembered).collect());
    response.stop();
    drop(bus);
    let stopped = writer.stop();
    // The lines go last: until here the interrupts were ours.
    drop(watches);
    drop(journal);
    saved.map(drop).and(stopped).map_err(Fatal::from)?;
    if options.until_end {
        report::print(&shared, &latencies);
    }
    played.map_err(|why| Fatal::new(exit::FAILED, format!("the trace could not be played: {why}")))
}

/// The lines of meters by their ids.
fn numbered(config: &Config, lines: &[u32]) -> HashMap<String, u32> {
    config.meters.iter().zip(lines).map(|(meter, line)| (meter.id.clone(), *line)).collect()
}

/// A thread that has as much stack as it needs.
pub(crate) fn spawn<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<thread::JoinHandle<T>, Fatal> {
    thread::Builder::new()
        .name(name.to_owned())
        .stack_size(512 * 1024)
        .spawn(work)
        .map_err(|e| Fatal::new(exit::FAILED, format!("thread {name}: {e}")))
}
