// SPDX-License-Identifier: MIT OR Apache-2.0
//! Edge → user space: how long after a real interrupt its event is in a program's hands, by the way
//! the program waits. The three ways take turns in one run. Needs root.
//!
//! The interrupt is a disk's; the filter is set so that each interrupt makes an event, which carries
//! the time that the kernel program saw. *polled*: the reader never sleeps. *epoll*: it sleeps in
//! `epoll_wait` on the ring. *signal*: a helper sleeps in epoll and wakes the reader, which sleeps in
//! `sigwaitinfo`, by a real-time signal (a ring cannot send signals itself).
//!
//! The reader runs on another CPU than the interrupt where there are two: on the interrupt's own it would
//! wait for the rest of the disk's handler, which has nothing to do with us.

mod house;

use std::{
    os::fd::AsRawFd,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use gasd::kernel::{Events, Kernel, load, sys::boottime_ns};
use gasd_abi::{FilterConfig, records::EVENT_WAKE};

use house::{Any, disk_file, disk_irq, make_interrupts, with_pins};

const ROUNDS: usize = 6;
const READS: u64 = 1_500;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    Polled,
    Epoll,
    Signal,
}

fn main() -> Result<(), Any> {
    with_pins(measure)
}

fn measure(root: &Path) -> Result<(), Any> {
    load::load(root, false)?;
    let kernel = Kernel::open(root)?;
    let (file, irq) = (disk_file("latency")?, disk_irq()?);
    // Any stretch settles a candidate, so each interrupt begins a new one and makes an event.
    let filter = FilterConfig {
        min_interval_ns: 0,
        min_width_ns: 1,
        min_idle_ns: 1,
        storm_limit: 0,
        ..FilterConfig::default()
    };
    let line = kernel.assign(1, filter, 0)?;
    let ways = [Way::Polled, Way::Epoll, Way::Signal];
    let mut found: [Vec<u64>; 3] = Default::default();
    block_signal();
    let cpu = house::cpu_of_irq(irq)?;
    house::pin(|other| other == cpu);
    for _ in 0..ROUNDS {
        for (way, found) in ways.iter().zip(&mut found) {
            let mut events = Events::open(kernel.pins())?;
            while events.take().is_some() {}
            kernel.map_irq(line, irq)?;
            let stop = Arc::new(AtomicBool::new(false));
            let reader = {
                let (stop, way) = (stop.clone(), *way);
                thread::spawn(move || {
                    house::pin(|other| other != cpu);
                    read(way, events, &stop)
                })
            };
            thread::sleep(Duration::from_millis(20));
            make_interrupts(&file, READS)?;
            thread::sleep(Duration::from_millis(20));
            stop.store(true, Ordering::Relaxed);
            found.extend(reader.join().unwrap_or_default());
            kernel.unmap_irq(irq)?;
        }
    }
    println!("edge → user space, real interrupts (irq {irq}), {ROUNDS} rounds of {READS} reads each, µs:");
    println!("  {:10} {:>8} {:>8} {:>8} {:>8}   published claim", "", "p50", "p99", "max", "events");
    for ((name, claim), samples) in
        [("polled", "3.7"), ("epoll", "26"), ("signal", "82")].iter().zip(&mut found)
    {
        samples.sort_unstable();
        let at =
            |part: usize| samples.get(samples.len() * part / 1000).map_or(f64::NAN, |ns| *ns as f64 / 1e3);
        let max = samples.last().map_or(f64::NAN, |ns| *ns as f64 / 1e3);
        println!("  {name:10} {:>8.2} {:>8.2} {max:>8.1} {:>8}   {claim}", at(500), at(990), samples.len());
    }
    println!("  ring overrun {}, fell through {}", kernel.totals(line)?.overrun, kernel.fall_through()?);
    Ok(())
}

fn read(way: Way, mut events: Events, stop: &Arc<AtomicBool>) -> Vec<u64> {
    let mut samples = Vec::with_capacity(READS as usize * 2);
    let mut take = |events: &mut Events| {
        while let Some(event) = events.take() {
            let now = boottime_ns();
            if event.kind == EVENT_WAKE {
                samples.push(now.saturating_sub(event.t_ns));
            }
        }
    };
    match way {
        Way::Polled => {
            while !stop.load(Ordering::Relaxed) {
                take(&mut events);
            }
        }
        Way::Epoll => {
            let mut epoll = Epoll::on(events.as_raw_fd());
            while !stop.load(Ordering::Relaxed) {
                if epoll.wait() {
                    take(&mut events);
                }
            }
        }
        Way::Signal => {
            let fd = events.as_raw_fd();
            // SAFETY: the calling thread lives until the helper is joined below.
            let me = unsafe { libc::pthread_self() } as usize;
            let helper = {
                let stop = stop.clone();
                thread::spawn(move || {
                    let mut epoll = Epoll::on(fd);
                    while !stop.load(Ordering::Relaxed) {
                        if epoll.wait() {
                            // SAFETY: a thread that outlives this one; the signal is blocked there.
                            unsafe { libc::pthread_kill(me as libc::pthread_t, libc::SIGRTMIN()) };
                        }
                    }
                })
            };
            let set = signal_set();
            let patience = libc::timespec { tv_sec: 0, tv_nsec: 50_000_000 };
            while !stop.load(Ordering::Relaxed) {
                // SAFETY: live arguments; a time-out is a shorter wait.
                unsafe { libc::sigtimedwait(&raw const set, std::ptr::null_mut(), &raw const patience) };
                take(&mut events);
            }
            let _ = helper.join();
        }
    }
    samples
}

struct Epoll(i32);

impl Epoll {
    /// Edge-triggered, as a reader that drains to the end wants it.
    fn on(fd: i32) -> Self {
        let mut event = libc::epoll_event { events: (libc::EPOLLIN | libc::EPOLLET) as u32, u64: 0 };
        // SAFETY: plain calls with live arguments.
        unsafe {
            let epoll = libc::epoll_create1(0);
            libc::epoll_ctl(epoll, libc::EPOLL_CTL_ADD, fd, &raw mut event);
            Self(epoll)
        }
    }

    fn wait(&mut self) -> bool {
        let mut event = libc::epoll_event { events: 0, u64: 0 };
        // SAFETY: room for one event, as said.
        unsafe { libc::epoll_wait(self.0, &raw mut event, 1, 50) > 0 }
    }
}

impl Drop for Epoll {
    fn drop(&mut self) {
        // SAFETY: our own descriptor, closed once.
        unsafe { libc::close(self.0) };
    }
}

fn signal_set() -> libc::sigset_t {
    // SAFETY: sigemptyset makes it a valid set.
    unsafe {
        let mut set = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        libc::sigaddset(&raw mut set, libc::SIGRTMIN());
        set
    }
}

/// Threads made later inherit the mask.
fn block_signal() {
    let set = signal_set();
    // SAFETY: a live set.
    unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut()) };
}
