// SPDX-License-Identifier: MIT OR Apache-2.0
//! How many telegrams a second each decoder takes apart on one core, beside other decoders of M-Bus in the same run.
//!
//! Every round times each decoder once, one after the other, so that all see the same machine; the figures are medians of
//! CPU time, in which other work on the machine does not show but by its traces in caches.
//! A telegram is decoded from its bytes to its reading, checksum, MIC and decryption included; nobody asks for an
//! explanation.

#[path = "../../tests/common/mod.rs"]
mod common;
mod frames;
mod peers;

use std::hint::black_box;
use std::time::{Duration, Instant};

use gasd_meters::nbiot::Message;
use gasd_meters::wmbus::Security;
use gasd_meters::{cjt188, dlt645, hart, mbus, modbus};

use frames::Set;

const ROUNDS: usize = 11;
const ROUND: Duration = Duration::from_millis(100);

/// One decoder on its telegrams.
struct Job {
    name: &'static str,
    set: String,
    bytes: f64,
    /// Does one round and says how many telegrams a second it were.
    round: Box<dyn FnMut() -> f64>,
    seen: Vec<f64>,
}

impl Job {
    /// Times `decode` on all items of a set in turns.
    fn new<T: 'static>(name: &'static str, set: Set<T>, decode: impl Fn(&T) -> bool + 'static) -> Self {
        assert!(!set.items.is_empty(), "{name} has no telegrams");
        assert!(set.items.iter().all(&decode), "{name} is to be timed on what it reads");
        let about = format!("{} {}", set.items.len(), set.whose);
        let round = move || {
            let (begun, cpu, mut done) = (Instant::now(), cpu_time(), 0u32);
            while begun.elapsed() < ROUND {
                // The clock is asked rarely enough to cost nothing.
                for _ in 0..64 {
                    for item in &set.items {
                        black_box(decode(black_box(item)));
                    }
                }
                done += 64 * set.items.len() as u32;
            }
            f64::from(done) / (cpu_time() - cpu).as_secs_f64()
        };
        Self { name, set: about, bytes: set.bytes, round: Box::new(round), seen: Vec::new() }
    }

    fn median(&self) -> f64 {
        median(self.seen.clone())
    }

    /// How many times as fast as `other`, round by round.
    fn median_ratio(&self, other: &Self) -> f64 {
        median(self.seen.iter().zip(&other.seen).map(|(mine, others)| mine / others).collect())
    }
}

fn main() {
    let mut jobs = vec![
        Job::new("DL/T 645", frames::dlt645(), |bytes| {
            dlt645::Frame::parse(bytes).is_ok_and(|frame| dlt645::decode(&frame, None, &mut ()).is_ok())
        }),
        Job::new("CJ/T 188", frames::cjt188(), |bytes| {
            cjt188::Frame::parse(bytes)
                .is_ok_and(|frame| cjt188::decode(&frame, &cjt188::Profile::STANDARD, None, &mut ()).is_ok())
        }),
        Job::new("M-Bus", frames::mbus(), |bytes| mbus_ours(bytes)),
    ];
    for (name, security) in [
        ("wM-Bus, open", Security::None),
        ("wM-Bus, mode 5", Security::Mode5),
        ("wM-Bus, mode 7", Security::Mode7),
    ] {
        jobs.push(Job::new(name, frames::wmbus(security), |one| frames::receive(one).is_ok()));
    }
    jobs.extend([
        Job::new("Modbus", frames::modbus(), |bytes| {
            modbus::Frame::parse(bytes).is_ok_and(|frame| {
                modbus::decode_answer(&frame, &mut ()).is_ok()
                    || modbus::decode_request(&frame, &mut ()).is_ok()
            })
        }),
        Job::new("HART", frames::hart(), |bytes| {
            hart::Frame::parse(bytes).is_ok_and(|frame| hart::decode(&frame, &mut ()).is_ok())
        }),
        Job::new("LoRaWAN, MIC and AES", frames::lorawan(), frames::open),
        Job::new("CoAP", frames::coap(), |bytes| Message::parse(bytes, &mut ()).is_ok()),
    ]);
    let own = jobs.len();
    jobs.extend(peers::jobs());

    // An argument picks decoders by a part of their names; cargo adds `--bench`.
    let picked: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    let wanted = |name: &str| picked.is_empty() || picked.iter().any(|part| name.contains(part.as_str()));
    for _ in 0..ROUNDS {
        for job in jobs.iter_mut().filter(|job| wanted(job.name)) {
            let rate = (job.round)();
            job.seen.push(rate);
        }
    }
    println!("telegrams a second of CPU time, median of {ROUNDS} rounds (slowest, fastest)\n");
    for (n, job) in jobs.iter().enumerate() {
        if job.seen.is_empty() {
            continue;
        }
        if n == own {
            println!("\nM-Bus on the telegrams that all of these read");
        }
        let of = |pick: fn(f64, f64) -> f64| job.seen.iter().copied().reduce(pick).unwrap_or_default();
        println!(
            "{:24} {:>11.0} ({:>11.0}, {:>11.0})  {:7.0} ns each, {:5.1} MB/s, {}",
            job.name,
            job.median(),
            of(f64::min),
            of(f64::max),
            1e9 / job.median(),
            job.median() * job.bytes / 1e6,
            job.set
        );
    }
    let ran = |job: &&Job| !job.seen.is_empty();
    for ours in jobs[own..].iter().filter(|job| job.name.starts_with("gasd")).filter(ran) {
        for peer in jobs[own..].iter().filter(|job| !job.name.starts_with("gasd")).filter(ran) {
            println!("{}: {:.2} times as fast as {}", ours.name, ours.median_ratio(peer), peer.name);
        }
    }
}

/// How long this thread has run on a CPU: what others do on the machine is not in it, but for caches and clocks.
fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux with CONFIG_SCHED_INFO");
    let ns = stat.split_whitespace().next().and_then(|ns| ns.parse().ok());
    Duration::from_nanos(ns.expect("the time is the first number"))
}

fn median(mut seen: Vec<f64>) -> f64 {
    seen.sort_by(f64::total_cmp);
    seen[seen.len() / 2]
}

fn mbus_ours(bytes: &[u8]) -> bool {
    mbus::Frame::parse(bytes).is_ok_and(|frame| mbus::decode(&frame, &mut ()).is_ok())
}
