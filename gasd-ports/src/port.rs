// SPDX-License-Identifier: MIT OR Apache-2.0
//! The thread of one port: it gives a [`Bus`] its wire, and opens that anew when it is lost.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use gasd_meters::Valve;
use gasd_meters::drive::ProcedureSettings;
use gasd_meters::drive::scan::Search;
use gasd_meters::poll::{Echo, Supply};
use rustix::event::PollFlags;
use zeroize::Zeroizing;

use crate::bus::{Bus, Counts, Event, Key, Look, NotMoved, Pace, Searched, Spec, Step};
use crate::pause::{AGAIN, TELL_NS, Wake, boottime_ns};
use crate::wire::{Damage, Wire, WireSpec};

/// A line that was open so long was well: when it is lost, it is opened again soon, ns.
const WELL_NS: u64 = 30_000_000_000;

/// Bytes that are taken from a line before anything else has its turn.
const MOST_READ: usize = 4_096;

/// A port.
#[derive(Clone, Debug)]
pub struct PortSpec {
    /// Its name: threads and messages have it.
    pub id: String,
    /// How it is reached.
    pub wire: WireSpec,
    /// How long who may take.
    pub pace: Pace,
}

/// What a port tells.
#[derive(Debug)]
pub enum Told {
    /// Something of a meter.
    Event(Event),
    /// What is wrong with the port itself; `None` when it is well.
    Health(Option<String>),
    /// What it has seen, now and then.
    Seen(Seen),
    /// Something of a search.
    Searched(Searched),
}

/// What a port has seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Exchanges.
    pub counts: Counts,
    /// Whether the adapter hears what it sends.
    pub echo: Echo,
    /// What the hardware counted, where it counts.
    pub damage: Option<Damage>,
    /// How far a search is.
    pub search: Option<Look>,
}

/// Who is told; called on the port's thread, which waits for it.
pub type Teller = Box<dyn FnMut(Told) + Send>;

enum Order {
    Meters(Vec<Spec>),
    Move(Key, Valve, ProcedureSettings),
    Supply(Supply),
    Search(Option<Box<Search>>),
}

struct Shared {
    orders: Mutex<Vec<Order>>,
    stop: std::sync::atomic::AtomicBool,
    wake: Wake,
}

/// A port at work; its thread ends when this is dropped.
pub struct Port {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// A hand on a port.
#[derive(Clone)]
pub struct PortHandle(Arc<Shared>);

impl PortHandle {
    /// Whether both are of one port.
    #[must_use]
    pub fn is_of_same(&self, other: &PortHandle) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Other meters from now on.
    pub fn set_meters(&self, specs: Vec<Spec>) {
        self.0.order(Order::Meters(specs));
    }

    /// Moves a meter's valve; what becomes of it is told by [`Event::Moved`].
    pub fn move_valve(&self, key: Key, to: Valve, settings: ProcedureSettings) {
        self.0.order(Order::Move(key, to, settings));
    }

    /// How the supply is.
    pub fn set_supply(&self, supply: Supply) {
        self.0.order(Order::Supply(supply));
    }

    /// Looks for meters, in place of a search that is under way; `None` ends it.
    pub fn search(&self, search: Option<Box<Search>>) {
        self.0.order(Order::Search(search));
    }
}

impl Port {
    /// Starts the thread.
    ///
    /// # Errors
    /// No thread or no descriptor can be had.
    pub fn start(spec: PortSpec, meters: Vec<Spec>, told: Teller) -> io::Result<Port> {
        let shared = Arc::new(Shared {
            orders: Mutex::default(),
            stop: std::sync::atomic::AtomicBool::new(false),
            wake: Wake::new()?,
        });
        // The kernel shows 15 bytes.
        let name = format!("port-{}", spec.id).chars().take(15).collect();
        let theirs = shared.clone();
        let thread = std::thread::Builder::new().name(name).stack_size(512 * 1024).spawn(move || {
            let bus = Bus::new(spec.pace, meters, boottime_ns());
            Work {
                spec,
                shared: theirs,
                told,
                bus,
                unsent: Zeroizing::default(),
                request: 0,
                seen: Seen::default(),
                told_ns: 0,
            }
            .run();
        })?;
        Ok(Port { shared, thread: Some(thread) })
    }

    /// A hand on it.
    #[must_use]
    pub fn handle(&self) -> PortHandle {
        PortHandle(self.shared.clone())
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        self.shared.stop.store(true, std::sync::atomic::Ordering::Relaxed);
        self.shared.wake.wake();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn order(&self, order: Order) {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner).push(order);
        self.wake.wake();
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(std::sync::atomic::Ordering::Relaxed)
    }
}

struct Work {
    spec: PortSpec,
    shared: Arc<Shared>,
    told: Teller,
    bus: Bus,
    /// What is to be sent and found no room yet.
    unsent: Zeroizing<Vec<u8>>,
    /// So many bytes the last request has.
    request: usize,
    seen: Seen,
    told_ns: u64,
}

impl Work {
    fn run(mut self) {
        let mut pauses = AGAIN.iter();
        let mut pause = AGAIN[0];
        while !self.shared.is_stopped() {
            match self.spec.wire.open() {
                Ok(wire) => {
                    (self.told)(Told::Health(None));
                    let opened_ns = boottime_ns();
                    if let Err(error) = self.serve(wire) {
                        let text =
                            format!("{}: {error}; it is opened again as soon as it can be", self.spec.wire);
                        (self.told)(Told::Health(Some(text)));
                    }
                    // A server that takes a connection and hangs up is no line that was well.
                    if boottime_ns().saturating_sub(opened_ns) >= WELL_NS {
                        pauses = AGAIN.iter();
                    }
                    self.lose();
                }
                Err(error) => (self.told)(Told::Health(Some(error.to_string()))),
            }
            pause = pauses.next().copied().unwrap_or(pause);
            self.rest(pause);
        }
    }

    /// Works on a wire until it is lost, or this is to stop.
    fn serve(&mut self, mut wire: Box<dyn Wire>) -> io::Result<()> {
        let mut bytes = [0u8; 512];
        while !self.shared.is_stopped() {
            self.take_orders();
            let mut now_ns = boottime_ns();
            self.bus.held_back(self.is_held_back());
            let step = self.bus.step(now_ns);
            let until_ns = match step {
                Step::Send(request) => {
                    self.take_place(request)?;
                    now_ns
                }
                Step::Wait { until_ns } => {
                    if !self.bus.is_asking() {
                        self.take_place(Zeroizing::default())?;
                    }
                    until_ns
                }
            };
            // First what it means: that a command goes out is to be kept before it does.
            self.tell(now_ns, wire.damage());
            if !self.unsent.is_empty() {
                let sent = wire.write(&self.unsent)?;
                self.unsent = self.unsent.get(sent..).unwrap_or_default().to_vec().into();
            }
            self.wait(wire.as_ref(), until_ns.saturating_sub(now_ns));
            let mut read = 0;
            while read < MOST_READ {
                let count = wire.read(&mut bytes)?;
                now_ns = boottime_ns();
                if count == 0 {
                    break;
                }
                read += count;
                self.bus.heard(now_ns, &bytes[..count.min(bytes.len())]);
            }
            if read >= MOST_READ {
                // No line is so fast: somebody sends without end, and must not have the whole processor.
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        Ok(())
    }

    /// Whether nothing of the last request was written yet.
    fn is_held_back(&self) -> bool {
        self.request > 0 && self.unsent.len() >= self.request
    }

    /// The exchange of the last request is over, and there is a next one or none. What the line had no room for until now is not
    /// sent any more: nobody waits for the answer, and a command to a valve would be carried out whenever there is room, with
    /// the next one at its heels.
    ///
    /// # Errors
    /// A part of it is out, and the rest cannot be taken back but with the line.
    fn take_place(&mut self, next: Zeroizing<Vec<u8>>) -> io::Result<()> {
        let is_begun = !self.unsent.is_empty() && !self.is_held_back();
        (self.request, self.unsent) = (next.len(), next);
        match is_begun {
            true => Err(io::Error::new(io::ErrorKind::TimedOut, "it takes no more bytes")),
            false => Ok(()),
        }
    }

    /// The wire is lost, and with it what was not written.
    fn lose(&mut self) {
        let now_ns = boottime_ns();
        if self.is_held_back() {
            self.bus.not_written(now_ns);
        }
        self.bus.lost(now_ns);
        (self.unsent, self.request) = (Zeroizing::default(), 0);
    }

    fn take_orders(&mut self) {
        let orders = std::mem::take(&mut *self.shared.orders.lock().unwrap_or_else(PoisonError::into_inner));
        let now_ns = boottime_ns();
        for order in orders {
            match order {
                Order::Meters(specs) => self.bus.set_meters(specs, now_ns),
                Order::Move(key, to, settings) => {
                    if !self.bus.move_valve(key, to, settings, now_ns) {
                        let (result, at_work) = (Err(NotMoved::NoMeter), None);
                        (self.told)(Told::Event(Event::Moved { key, to, result, at_work }));
                    }
                }
                Order::Supply(supply) => self.bus.set_supply(supply),
                Order::Search(Some(search)) => self.bus.search(*search),
                Order::Search(None) => self.bus.stop_search(),
            }
        }
    }

    /// Tells what has happened.
    fn tell(&mut self, now_ns: u64, damage: Option<Damage>) {
        for event in self.bus.events() {
            (self.told)(Told::Event(event));
        }
        for searched in self.bus.searched() {
            (self.told)(Told::Searched(searched));
        }
        if now_ns.saturating_sub(self.told_ns) >= TELL_NS {
            self.told_ns = now_ns;
            let (counts, echo, search) = (self.bus.counts(), self.bus.echo(), self.bus.look());
            let seen = Seen { counts, echo, damage, search };
            if seen != self.seen {
                self.seen = seen;
                (self.told)(Told::Seen(seen));
            }
        }
    }

    /// Waits for bytes, an order, or the time.
    fn wait(&self, wire: &dyn Wire, left_ns: u64) {
        let events = if self.unsent.is_empty() { PollFlags::IN } else { PollFlags::IN | PollFlags::OUT };
        // What was seen is told every second, so a longer wait is none.
        self.shared.wake.wait(Some((wire.fd(), events)), left_ns.min(TELL_NS));
    }

    /// Waits without a wire. Orders to valves end at once, for the reason that is the port's health.
    fn rest(&mut self, pause: Duration) {
        let until_ns = boottime_ns().saturating_add(pause.as_nanos() as u64);
        loop {
            self.take_orders();
            self.bus.drop_orders(boottime_ns());
            self.tell(boottime_ns(), None);
            let now_ns = boottime_ns();
            if self.shared.is_stopped() || now_ns >= until_ns {
                return;
            }
            self.shared.wake.wait(None, until_ns - now_ns);
        }
    }
}

#[cfg(test)]
#[path = "port_tests.rs"]
mod tests;
