// SPDX-License-Identifier: MIT OR Apache-2.0
//! The counting thread: works off the ring (or the chips' own queues), reads levels when they are
//! due, and hands events to the engine. It waits for nobody.

use std::{
    io,
    os::fd::{AsFd, AsRawFd, RawFd},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender},
    },
};

use gasd_abi::records::EVENT_WAKE;

use crate::{
    config::FilterSettings,
    journal::{self, Note, what::What},
    kernel::{Events, Kernel, sys::boottime_ns},
    ports::gpio::InputLine,
};

use super::{
    filter::{LineFilter, UserBank},
    queue::{Input, Queue},
    user_events,
    watch::{Found, Watch},
};

/// Longest sleep: how soon a stop is noticed and how often the thread shows that it lives.
const LONGEST_SLEEP_NS: u64 = 200_000_000;

/// What others see of the thread.
#[derive(Debug, Default)]
pub struct Pulse {
    /// Ends the thread.
    pub stop: AtomicBool,
    /// Rounds made; a number that stands still is a dead thread.
    pub rounds: AtomicU64,
}

/// Where edges come from.
pub enum Source {
    /// The kernel programs and their ring.
    Kernel(Arc<Kernel>, Box<Events>),
    /// The chips' own queues and the filter in this process.
    User(Arc<UserBank>),
}

/// Told of a line that was lost (`None`) or found again, for the service manager.
pub type OnLine = Box<dyn Fn(&Watch, Option<&InputLine>) + Send>;

/// What is to be watched otherwise.
#[derive(Debug)]
pub enum Order {
    /// This meter's line no more: its interrupt counts nowhere from now on.
    Drop(String),
    /// Another line; it is requested at once, and once a second until it is there.
    Watch(Box<Watch>),
    /// A meter's line with other settings.
    Settings(String, FilterSettings),
}

/// Orders that are carried out together, and who is told when they are.
#[derive(Debug)]
pub struct Orders {
    /// In their order.
    pub orders: Vec<Order>,
    /// Is told; nobody need wait for it.
    pub done: SyncSender<()>,
}

/// Runs until told to stop. Returns the watches so that their lines stay requested until the end.
pub fn run(
    mut source: Source,
    watches: Vec<Watch>,
    queue: &Queue,
    pulse: &Pulse,
    orders: &Receiver<Orders>,
    on_line: &OnLine,
) -> Vec<Watch> {
    let bank: Arc<dyn LineFilter> = match &source {
        Source::Kernel(kernel, _) => kernel.clone(),
        Source::User(bank) => bank.clone(),
    };
    let kernel = match &source {
        Source::Kernel(kernel, _) => Some(kernel.clone()),
        Source::User(_) => None,
    };
    let mut attach = |watch: &Watch, io: &InputLine| attach(kernel.as_deref(), watch, io);
    let mut posts: Vec<Post> = watches.into_iter().map(Post::new).collect();
    while !pulse.stop.load(Ordering::Relaxed) {
        pulse.rounds.fetch_add(1, Ordering::Release);
        match &mut source {
            Source::Kernel(_, events) => drain(events, queue),
            Source::User(bank) => read_chips(bank, &mut posts),
        }
        while let Ok(Orders { orders, done }) = orders.try_recv() {
            for order in orders {
                follow(order, &mut posts, kernel.as_deref(), on_line);
            }
            // Whoever gave them may have given up.
            let _ = done.try_send(());
        }
        let now = boottime_ns();
        let mut next = now + LONGEST_SLEEP_NS;
        for Post { watch, told } in &mut posts {
            let was_there = watch.io.is_some();
            let (at, found) = watch.visit(bank.as_ref(), now, &mut attach);
            next = next.min(at);
            if was_there != watch.io.is_some() {
                if was_there && let Some(kernel) = &kernel {
                    release(kernel, watch.line);
                }
                on_line(watch, watch.io.as_ref());
            }
            match found {
                Found::Nothing => {}
                Found::Lost(why) => told.now(Some(why)),
                Found::Back => told.now(None),
            }
            told.tell(|health| queue.push(Input::Health(watch.line, health.clone())));
        }
        let mut fds: Vec<libc::pollfd> = Vec::with_capacity(posts.len() + 1);
        match &source {
            Source::Kernel(_, events) => fds.push(readable(events.as_raw_fd())),
            Source::User(_) => {
                fds.extend(
                    posts
                        .iter()
                        .filter_map(|post| post.watch.io.as_ref())
                        .map(|io| readable(io.as_fd().as_raw_fd())),
                );
            }
        }
        wait(&mut fds, next.saturating_sub(boottime_ns()));
    }
    // What the ring holds by now was decided before the stop.
    if let Source::Kernel(_, events) = &mut source {
        drain(events, queue);
    }
    posts.into_iter().map(|post| post.watch).collect()
}

/// A line that is watched.
struct Post {
    watch: Watch,
    told: Told,
}

impl Post {
    fn new(watch: Watch) -> Self {
        Self { watch, told: Told::default() }
    }
}

fn follow(order: Order, posts: &mut Vec<Post>, kernel: Option<&Kernel>, on_line: &OnLine) {
    match order {
        Order::Drop(id) => {
            let Some(at) = posts.iter().position(|post| post.watch.id == id) else { return };
            let Post { mut watch, .. } = posts.remove(at);
            // First the interrupt, then the request: the kernel may give the number to another device.
            if let Some(kernel) = kernel {
                release(kernel, watch.line);
            }
            on_line(&watch, None);
            drop(watch.io.take());
        }
        Order::Watch(watch) => posts.push(Post::new(*watch)),
        Order::Settings(id, settings) => {
            if let Some(post) = posts.iter_mut().find(|post| post.watch.id == id) {
                post.watch.settings = settings;
            }
        }
    }
}

/// What the engine knows of a line's health, and what it is still to be told.
#[derive(Default)]
struct Told {
    /// Nothing was told yet; what the start found is not known here.
    said: Option<Option<String>>,
    news: Option<Option<String>>,
}

impl Told {
    fn now(&mut self, health: Option<String>) {
        self.news = (self.said.as_ref() != Some(&health)).then_some(health);
    }

    /// Tells it; what found the queue full is told the next time.
    fn tell(&mut self, push: impl FnOnce(&Option<String>) -> bool) {
        if self.news.as_ref().is_some_and(push) {
            self.said = self.news.take();
        }
    }
}

/// Makes the interrupt of a line that is gone count nowhere: the kernel gives its number to the next
/// device that asks.
pub fn release(kernel: &Kernel, line: u32) {
    if let Err(error) = kernel.release(line) {
        journal::tell(Note::new(What::KernelFault, error.to_string()));
    }
}

/// Makes a line's interrupt count on it.
pub fn attach(kernel: Option<&Kernel>, watch: &Watch, io: &InputLine) -> Result<(), String> {
    let Some(kernel) = kernel else { return Ok(()) };
    let irq = io.irq().map_err(|e| e.to_string())?;
    kernel.map_irq(watch.line, irq).map_err(|e| e.to_string())
}

fn drain(events: &mut Events, queue: &Queue) {
    while let Some(event) = events.take() {
        // A wake-up has done its work by waking this thread.
        if event.kind != EVENT_WAKE {
            queue.push(Input::Event(event));
        }
    }
}

fn read_chips(bank: &UserBank, posts: &mut [Post]) {
    let to_boottime = boottime_ns().wrapping_sub(monotonic_ns());
    for Post { watch, .. } in posts {
        let Some(io) = &watch.io else { continue };
        loop {
            let mut fds = [readable(io.as_fd().as_raw_fd())];
            wait(&mut fds, 0);
            if fds[0].revents & libc::POLLIN == 0 {
                break;
            }
            let Ok(edges) = user_events::read(io.as_fd()) else { break };
            for edge in edges {
                let t = edge.monotonic_ns.wrapping_add(to_boottime);
                // Neither call can fail on this bank. The event tells the level, so a lost edge is
                // mended on the spot.
                let _ = bank.edge(watch.line, t);
                let state = bank.state(watch.line);
                if state.level != u8::from(edge.active) {
                    let _ = bank.sample(watch.line, t, edge.active, state.edges);
                }
            }
        }
    }
}

fn readable(fd: RawFd) -> libc::pollfd {
    libc::pollfd { fd, events: libc::POLLIN, revents: 0 }
}

fn wait(fds: &mut [libc::pollfd], nanoseconds: u64) {
    let timeout = libc::timespec {
        tv_sec: (nanoseconds / 1_000_000_000) as libc::time_t,
        tv_nsec: (nanoseconds % 1_000_000_000) as libc::c_long,
    };
    // SAFETY: the slice and the timespec are live; no signal mask is passed. An interrupted wait is
    // simply a shorter one.
    let ret = unsafe {
        libc::ppoll(fds.as_mut_ptr(), fds.len() as libc::nfds_t, &raw const timeout, std::ptr::null())
    };
    if ret < 0 && io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
        // Never spin on an error that does not go away.
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}

fn monotonic_ns() -> u64 {
    let mut t = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `t` is a live timespec.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut t) };
    t.tv_sec as u64 * 1_000_000_000 + t.tv_nsec as u64
}
