// SPDX-License-Identifier: MIT OR Apache-2.0
//! Edge → everybody who must know: how long after the kernel program decided the pulse that makes a
//! surge the verdict is made, the subscriber's record is in its hands, the D-Bus signal is received, and
//! the (simulated) valve is driven. All four in one run, on an idle machine and under `stress-ng`.
//! Needs root.
//!
//! Edges enter through the kernel program's twin; the last edge of each surge has the time of the clock,
//! and so do all latencies begin there. The edges before it are played with the times that they
//! would have had.
#![allow(clippy::unwrap_used, reason = "a bench")]

mod house;
#[path = "../tests/pipeline_house/mod.rs"]
mod pipeline;
#[path = "../tests/bus_support.rs"]
mod support;

use std::{
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        mpsc::{Receiver, channel},
    },
    thread,
    time::Duration,
};

use futures_util::StreamExt;
use gasd::{
    bus::BusAddress,
    kernel::{Kernel, load, sys::boottime_ns},
    stream::{Stream, Wish},
};
use gasd_abi::stream::{RECORD_BYTES, Record, SEVERITIES, VERDICT, code};
use gasd_detect::{Engine, EngineConfig, Severity};
use rustix::{
    event::{PollFd, PollFlags, poll},
    net::{RecvFlags, recv},
};

use house::{Any, with_pins};
use pipeline::{Pipeline, config, quantiles};
use support::PrivateBus;

const METERS: usize = 60;
/// Surges of each meter in each phase.
const ROUNDS: usize = 3;
/// Between two surges of any meter; times [`METERS`] it is long enough for a meter to be armed again.
const GAP: Duration = Duration::from_millis(400);
/// Before the last pulse: those before it came in one go, and real ones are 42 ms apart.
const LULL: Duration = Duration::from_millis(10);
/// 0.1 L every 42 ms: 8.6 m³/h, a hose that came off.
const INTERVAL_NS: u64 = 42_000_000;
const WIDTH_NS: u64 = 20_000_000;
const SECOND_NS: u64 = 1_000_000_000;

fn main() -> Result<(), Any> {
    with_pins(measure)
}

fn measure(root: &Path) -> Result<(), Any> {
    load::load(root, false)?;
    let kernel = Arc::new(Kernel::open(root)?);
    let bus = PrivateBus::start();
    let config = config(METERS, "0.1 L");
    let pulses = pulses_to_surge(&config.meters[0]);
    let store = tempfile::tempdir()?;
    let address = BusAddress::Address(bus.address());
    // The service's threads as its unit has them (`Nice=-10`); those of this bench are everybody's.
    nice(-10)?;
    let pipeline = Pipeline::start(&config, &store.path().join("store.redb"), Some(kernel), address);
    nice(0)?;
    // A first pulse, and until when each meter knows the time.
    let first = boottime_ns() - 60 * SECOND_NS;
    for line in &pipeline.lines {
        pipeline.bank.edge(*line, first)?;
        pipeline.bank.edge(*line, first + WIDTH_NS)?;
    }
    let mut known = vec![first + WIDTH_NS; METERS];
    let records = subscriber(&pipeline.stream)?;
    let signals = listener(bus.address());
    println!("edge → …, {} surges each on {METERS} meters, the kernel programs' clock, ms:", METERS * ROUNDS);
    println!("  {:34} {:>9} {:>9} {:>9} {:>8}", "", "p50", "p99", "max", "samples");
    phase("idle", &pipeline, pulses, &mut known, &records, &signals)?;
    match stress() {
        Ok(_stress) => {
            thread::sleep(Duration::from_secs(1));
            phase("stress-ng on all CPUs", &pipeline, pulses, &mut known, &records, &signals)?;
        }
        Err(error) => eprintln!("SKIPPED under load: stress-ng (Debian package stress-ng): {error}"),
    }
    pipeline.stop();
    Ok(())
}

/// Priority of this thread and of those that it starts from now on.
fn nice(value: i32) -> std::io::Result<()> {
    // SAFETY: no memory is passed; 0 is the calling thread.
    match unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, value) } {
        0 => Ok(()),
        _ => Err(std::io::Error::last_os_error()),
    }
}

/// Pulses until the engine calls it a surge; the same in every episode, or this bench measures nothing.
fn pulses_to_surge(meter: &gasd::config::MeterConfig) -> u64 {
    let t = &meter.thresholds;
    let mut engine = Engine::new(EngineConfig {
        pulse_volume_ul: meter.pulse_volume_ul,
        max_flow_ul_per_h: meter.max_flow_ul_per_h,
        thresholds_m3_per_h: [t.suspect_m3_per_h, t.confirm_m3_per_h, t.sustain_m3_per_h],
        rules: gasd_detect::Profile::default().rules(),
    });
    let mut last = SECOND_NS;
    engine.pulse(last, last + WIDTH_NS);
    let mut found = Vec::new();
    for episode in 1..=4u64 {
        let start = episode * GAP.as_nanos() as u64 * METERS as u64;
        while last + SECOND_NS < start {
            last += SECOND_NS;
            engine.tick(last);
        }
        let critical = |n: &u64| {
            last = start + n * INTERVAL_NS + WIDTH_NS;
            let verdict = engine.pulse(last - WIDTH_NS, last);
            verdict.is_some_and(|verdict| verdict.severity == Severity::Critical)
        };
        found.push((0..400).find(critical).expect("no surge"));
    }
    assert!(found.iter().all(|n| *n == found[0]), "the meter is not armed again: {found:?}");
    found[0] + 1
}

fn phase(
    name: &str,
    pipeline: &Pipeline,
    pulses: u64,
    known: &mut [u64],
    records: &Receiver<u64>,
    signals: &Receiver<u64>,
) -> Result<(), Any> {
    let patience = Duration::from_secs(10);
    let mut found: [Vec<u64>; 4] = Default::default();
    for _ in 0..ROUNDS {
        for (line, known) in pipeline.lines.iter().zip(known.iter_mut()) {
            let first = boottime_ns() + LULL.as_nanos() as u64 - (pulses - 1) * INTERVAL_NS - WIDTH_NS;
            // What a player does once a second: the time that passed since the last surge.
            while *known + SECOND_NS < first {
                *known += SECOND_NS;
                pipeline.bank.tick(*line, *known)?;
            }
            for n in 0..pulses {
                let t_ns = first + n * INTERVAL_NS;
                if n + 1 == pulses {
                    thread::sleep(LULL);
                }
                pipeline.bank.edge(*line, t_ns)?;
                let end = if n + 1 < pulses { t_ns + WIDTH_NS } else { boottime_ns() };
                pipeline.bank.edge(*line, end)?;
                *known = end;
            }
            let made = loop {
                let made = pipeline.made.recv_timeout(patience)?;
                // Those below critical are the afterthoughts of earlier surges.
                if made.critical {
                    break made.after_ns;
                }
            };
            let driven = pipeline.driven.recv_timeout(patience)?;
            let samples = [made, driven, records.recv_timeout(patience)?, signals.recv_timeout(patience)?];
            found.iter_mut().zip(samples).for_each(|(found, sample)| found.push(sample));
            thread::sleep(GAP);
        }
    }
    println!("  {name}");
    let names =
        ["verdict made", "valve driven (simulated)", "subscriber has the record", "D-Bus signal received"];
    for (name, samples) in names.iter().zip(&mut found) {
        let (p50, p99, max) = quantiles(samples);
        println!("    {name:32} {p50:>9.3} {p99:>9.3} {max:>9.3} {:>8}", samples.len());
    }
    Ok(())
}

/// Reads verdicts off the stream as a program with an event loop would.
fn subscriber(stream: &Stream) -> Result<Receiver<u64>, Any> {
    let wish = Wish { kinds: vec!["verdict".into(), "pulse".into()], ..Wish::default() };
    let socket = stream.subscribe(0, &wish)?;
    let (tell, told) = channel();
    thread::spawn(move || {
        let mut bytes = [0; RECORD_BYTES];
        loop {
            let mut fds = [PollFd::new(&socket, PollFlags::IN)];
            if poll(&mut fds, None).is_err() {
                return;
            }
            let now = boottime_ns();
            let Ok((n, _)) = recv(&socket, &mut bytes[..], RecvFlags::DONTWAIT) else { continue };
            if n == 0 {
                return;
            }
            let record = Record::from_bytes(&bytes);
            if record.kind == VERDICT && record.body[2] == code(&SEVERITIES, "critical") {
                let _ = tell.send(now.saturating_sub(record.t_ns));
            }
        }
    });
    Ok(told)
}

/// Listens for VerdictAdded as a client of the bus would.
fn listener(address: String) -> Receiver<u64> {
    let (tell, told) = channel();
    let (ready, is_ready) = channel();
    thread::spawn(move || {
        support::runtime().block_on(async {
            let client = gasd_proxy::Client::connect(Some(&address)).await.unwrap();
            let manager = client.manager().await.unwrap();
            let mut added = manager.receive_verdict_added().await.unwrap();
            ready.send(()).unwrap();
            while let Some(signal) = added.next().await {
                let now = boottime_ns();
                let args = signal.args().unwrap();
                let properties = args.properties();
                let text = |name: &str| String::try_from(properties[name].try_clone().unwrap()).unwrap();
                if text("Severity") == "critical" {
                    let decided = u64::try_from(properties["Decided"].try_clone().unwrap()).unwrap();
                    let _ = tell.send(now.saturating_sub(decided));
                }
            }
        });
    });
    is_ready.recv_timeout(Duration::from_secs(10)).unwrap();
    told
}

struct Stress(Child);

fn stress() -> std::io::Result<Stress> {
    let cpus = thread::available_parallelism()?.to_string();
    let mut command = Command::new("stress-ng");
    command.args(["--quiet", "--cpu", &cpus, "--timeout", "600"]);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().map(Stress)
}

impl Drop for Stress {
    fn drop(&mut self) {
        // It tells its workers; SIGKILL would leave them behind.
        // SAFETY: our own child that was not waited for.
        unsafe { libc::kill(self.0.id() as libc::pid_t, libc::SIGTERM) };
        let _ = self.0.wait();
    }
}
