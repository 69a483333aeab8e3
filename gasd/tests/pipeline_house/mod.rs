// SPDX-License-Identifier: MIT OR Apache-2.0
//! A whole daemon in this process, from the filter to the bus, put together as `gasd run` does it, with
//! a clock at each place that a verdict passes. For tests and benches.
#![allow(dead_code, reason = "each user uses its part")]
#![allow(clippy::unwrap_used, missing_docs, reason = "test code")]

use std::collections::HashMap;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel, sync_channel};
use std::sync::{Arc, Mutex, RwLock};
use std::thread::JoinHandle;
use std::time::Duration;

use gasd::bus::{AuditReader, Bus, BusAddress, BusStatus, Ports, Request, VerdictReader, serve};
use gasd::config::Config;
use gasd::kernel::{Events, Kernel};
use gasd::pipeline::condition::{Reading, StoreStart};
use gasd::pipeline::counting::{self, Source};
use gasd::pipeline::engine::Engine;
use gasd::pipeline::filter::{LineFilter, UserBank};
use gasd::pipeline::latency::Latencies;
use gasd::pipeline::meter::MeterRun;
use gasd::pipeline::queue::{Input, Queue};
use gasd::response::clock::boottime_ns;
use gasd::response::{Response, Update, publish};
use gasd::state::{MeterState, Mode, ServiceState, Shared, Snapshot};
use gasd::store::{Base, Store, Writer};
use gasd::stream::{House, Stream};
use gasd_abi::records::meter_key;

/// A verdict that was made.
#[derive(Clone, Copy, Debug)]
pub struct Made {
    pub id: u64,
    pub critical: bool,
    /// From the decision to its being made, ns.
    pub after_ns: u64,
}

/// The daemon.
pub struct Pipeline {
    pub queue: Queue,
    pub bank: Arc<dyn LineFilter>,
    /// The filter's line of each meter.
    pub lines: Vec<u32>,
    pub response: Response,
    pub shared: Shared,
    pub stream: Stream,
    pub made: Receiver<Made>,
    /// For each order to a valve ns from the decision to the line being set.
    pub driven: Receiver<u64>,
    bus: Option<Bus>,
    engine: Option<JoinHandle<Vec<(String, Base)>>>,
    counting: Option<(Arc<counting::Pulse>, JoinHandle<()>)>,
    writer: Option<Writer>,
}

impl Pipeline {
    /// Starts it. With a kernel the filter runs there, without in this process.
    pub fn start(
        config: &Config,
        store: &Path,
        kernel: Option<Arc<Kernel>>,
        address: BusAddress,
    ) -> Pipeline {
        let (queue, inputs) = Queue::new();
        let store = Store::open(store).unwrap();
        let loaded = store.load().unwrap();
        let writer = Writer::start(store).unwrap();
        let meter = |id: &str| MeterState { id: id.into(), health: "ok".into(), ..MeterState::default() };
        let snapshot = Snapshot {
            service: ServiceState { mode: Mode::Userspace, ..ServiceState::default() },
            meters: config.meters.iter().map(|m| meter(&m.id)).collect(),
            ..Snapshot::default()
        };
        let shared: Shared = Arc::new(RwLock::new(snapshot));
        let (changes, changed) = tokio::sync::mpsc::channel(256);
        let signal = changes.clone();
        let publish = publish(Arc::clone(&shared), move |change| drop(signal.try_send(change)));
        let house = House::of(config);
        let stream = Stream::start(Arc::clone(&shared), house.clone()).unwrap();
        let told = stream.clone();
        let (making, made) = channel();
        let (driving, driven) = channel();
        let ends = Mutex::new((making, driving));
        let hook = Box::new(move |update: Update<'_>| {
            let now_ns = boottime_ns();
            let (making, driving) = &*ends.lock().unwrap();
            match &update {
                Update::VerdictAdded(v) => {
                    let after_ns = now_ns.saturating_sub(v.decided_ns);
                    let _ = making.send(Made { id: v.id, critical: v.severity == "critical", after_ns });
                }
                Update::Driven { latency_ns: Some(ns), .. } => {
                    let _ = driving.send(*ns);
                }
                _ => {}
            }
            told.tell_update(&update);
            publish(update);
        });
        let response =
            Response::start(config, &loaded, writer.handle(), HashMap::new(), hook, &Default::default());
        let (bank, lines): (Arc<dyn LineFilter>, Vec<u32>) = match &kernel {
            Some(kernel) => {
                let line =
                    |m: &gasd::config::MeterConfig| kernel.assign(meter_key(&m.id), m.filter.abi, 0).unwrap();
                (kernel.clone(), config.meters.iter().map(line).collect())
            }
            None => {
                let bank = UserBank::new(queue.clone(), [1, 2]);
                let line =
                    |m: &gasd::config::MeterConfig| bank.assign(meter_key(&m.id), m.filter.abi, 0).unwrap();
                let lines = config.meters.iter().map(line).collect();
                (Arc::new(bank), lines)
            }
        };
        let pulse = Arc::new(counting::Pulse::default());
        let counting = kernel.as_ref().map(|kernel| {
            let source = Source::Kernel(kernel.clone(), Box::new(Events::open(kernel.pins()).unwrap()));
            let (queue, pulse) = (queue.clone(), pulse.clone());
            let nobody: counting::OnLine = Box::new(|_, _| {});
            // Nobody orders anything: the sender lives as long as the thread.
            let (orders, ordered) = channel();
            let work = move || {
                let _orders: std::sync::mpsc::Sender<counting::Orders> = orders;
                drop(counting::run(source, Vec::new(), &queue, &pulse, &ordered, &nobody));
            };
            std::thread::spawn(work)
        });
        let base = |m: &gasd::config::MeterConfig| Base {
            generation: bank.generation(),
            pulse_volume_ul: m.pulse_volume_ul,
            ..Base::default()
        };
        let run = |(m, line): (&gasd::config::MeterConfig, &u32)| MeterRun::new(m, *line, base(m));
        let mut engine = Engine {
            meters: config.meters.iter().zip(&lines).map(run).collect(),
            valves: config
                .meters
                .iter()
                .map(|m| m.valve.map_or_else(String::new, |at| config.valves[at].id.clone()))
                .collect(),
            bank: bank.clone(),
            kernel: kernel.clone(),
            response: response.clone(),
            writer: writer.handle(),
            shared: shared.clone(),
            changes,
            stream: stream.clone(),
            house,
            queue: queue.clone(),
            counting: pulse.clone(),
            latencies: Arc::new(Latencies::default()),
            persist: Duration::from_secs(10),
            problems: Vec::new(),
            store: StoreStart::default(),
            reading: Reading { read_unix_us: 1, ..Reading::default() },
            known: HashMap::new(),
            unknown: HashMap::new(),
            beat: Arc::default(),
            said: gasd::journal::changes::Service::default(),
            civil: gasd::pipeline::civil::Civil::default(),
            learned: gasd::pipeline::learned::Memory::new(&[]),
            shadow: None,
            underway: gasd::pipeline::written::Underway::default(),
            proved: false,
        };
        engine.show();
        let engine = std::thread::spawn(move || engine.run(&inputs));
        let (commands, asked) = sync_channel::<Request>(16);
        let answers = response.clone();
        std::thread::spawn(move || {
            while let Ok((command, reply)) = asked.recv() {
                let _ = reply.send(answers.command(&command));
            }
        });
        let records = writer.handle();
        let audit: AuditReader =
            Arc::new(move |page, reply| records.audit_page(page, move |entries| drop(reply.send(entries))));
        let records = writer.handle();
        let verdicts: VerdictReader =
            Arc::new(move |id, reply| records.verdict(id, move |verdict| drop(reply.send(verdict))));
        let (tell, status) = channel();
        let notify = move |status: &BusStatus| drop(tell.send(status.clone()));
        let ports = Ports {
            shared: shared.clone(),
            changes: changed,
            commands,
            stream: stream.clone(),
            audit,
            verdicts,
            doors: Default::default(),
        };
        let bus = serve(address, ports, notify).unwrap();
        let first = status.recv_timeout(Duration::from_secs(20)).unwrap();
        assert!(matches!(first, BusStatus::Serving { .. }), "{first}");
        Pipeline {
            queue,
            bank,
            lines,
            response,
            shared,
            stream,
            made,
            driven,
            bus: Some(bus),
            engine: Some(engine),
            counting: counting.map(|thread| (pulse, thread)),
            writer: Some(writer),
        }
    }

    pub fn stop(mut self) {
        if let Some((pulse, thread)) = self.counting.take() {
            pulse.stop.store(true, std::sync::atomic::Ordering::Relaxed);
            thread.join().unwrap();
        }
        self.queue.push_wait(Input::Stop);
        self.engine.take().unwrap().join().unwrap();
        self.bus.take().unwrap().stop();
        self.response.stop();
        self.writer.take().unwrap().stop().unwrap();
    }
}

/// Meters with a simulated valve each.
pub fn config(meters: usize, pulse_volume: &str) -> Config {
    let mut text = String::new();
    for n in 0..meters {
        text += &format!(
            "[[meter]]\nid = \"m{n}\"\nline = {n}\npulse_volume = \"{pulse_volume}\"\nvalve = \"v{n}\"\n\
             [[valve]]\nid = \"v{n}\"\nactuator = \"simulated\"\n"
        );
    }
    gasd::config::parse("test.toml", &text).unwrap()
}

/// Median, the 99th of 100, and the longest, in ms.
pub fn quantiles(samples: &mut [u64]) -> (f64, f64, f64) {
    samples.sort_unstable();
    let ms = |ns: Option<&u64>| ns.map_or(f64::NAN, |ns| *ns as f64 / 1e6);
    let last = samples.len().saturating_sub(1);
    let at = |part: usize| ms(samples.get((samples.len() * part / 100).min(last)));
    (at(50), at(99), ms(samples.last()))
}
