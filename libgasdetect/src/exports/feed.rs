// SPDX-License-Identifier: MIT OR Apache-2.0
//! Feeds: a program that owns a meter's interrupt, or decodes its telegrams, hands gasd what it sees.

use std::ffi::{c_char, c_void};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gasd_abi::feed::{EDGES, Entry, Level, READINGS};
use gasd_abi::records::meter_key;

use crate::abi::guard;
use crate::abi::handle::{self, object};
use crate::abi::result::{Failure, gasd_result};
use crate::abi::sized::{self, sized};
use crate::abi::text;
use crate::client::feed::{Feed, Rejected, Socket};
use crate::client::feeder::{Feeder, Shared};
use crate::client::gasd_client;
use crate::client::out::Data;

use super::events::gasd_feed_fn;
use super::put;

/// The way of one meter's edges or readings to gasd.
#[derive(Debug)]
pub struct gasd_feed {
    client: Arc<gasd_client>,
    shared: Arc<Shared>,
    kind: u32,
    ended: Arc<AtomicBool>,
}
object!(gasd_feed, 4, "feed");

/// An edge of a meter's contact, or a pulse.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gasd_edge {
    /// When, `CLOCK_BOOTTIME` ns: the kernel's time of the interrupt, not the time at which the program ran.
    pub t_ns: u64,
    /// A `gasd_level`: what is known of the contact after it.
    pub level: u32,
    /// 0.
    pub reserved: u32,
}

/// How it stands with a feed.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gasd_feed_status {
    /// `sizeof(struct gasd_feed_status)`.
    pub struct_size: usize,
    /// A `gasd_feed_state`.
    pub state: u32,
    /// Why gasd does not take entries; `GASD_OK` if it does.
    pub result: gasd_result,
    /// Entries that gasd has taken. They are counted, whatever happens to this program.
    pub taken: u64,
    /// Entries that wait in this process.
    pub waiting: u64,
    /// Entries that gasd refused and will never take.
    pub refused: u64,
}
sized!(gasd_feed_status, size_of::<gasd_feed_status>());

/// Feeds of one client.
const MOST: usize = 256;
/// Another processor's clock may be read a moment later than ours; gasd allows as much.
const AHEAD_NS: u64 = 1_000_000_000;

/// Makes a feed for a meter that is configured with `source = "stack"`: of edges, or, with `readings` other than 0, of
/// readings for one that has `readings`. gasd takes entries of members of the group gasd-control. Until gasd
/// is there entries are kept, 16384 of them. `changed` is told when it stands otherwise with the feed; it may be NULL.
///
/// A meter has one feed: the newest takes it over.
///
/// Any thread. Free it with `gasd_feed_free()`.
///
/// Errors: `GASD_NULL`, `GASD_HANDLE`, `GASD_INVALID`, `GASD_LIMIT`. That gasd refuses it (no right, no such meter) is told
/// by `changed` and `gasd_feed_read()`.
///
/// # Safety
/// `client` is of `gasd_client_new()`, `meter` a text, and `feed` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gasd_feed_new(
    client: *mut gasd_client,
    meter: *const c_char,
    readings: i32,
    changed: gasd_feed_fn,
    data: *mut c_void,
    feed: *mut *mut gasd_feed,
) -> gasd_result {
    guard::call(|| {
        let client = handle::get(client.cast_const())?;
        super::check_out(feed, "feed")?;
        // SAFETY: the caller's promise.
        let meter = unsafe { text::id(meter, "meter") }?.to_owned();
        let kind = if readings == 0 { EDGES } else { READINGS };
        let mut core = client.lock();
        if core.feeds.len() >= MOST {
            let message = format!("the client has {MOST} feeds already; free what is not needed");
            return Err(Failure::new(gasd_result::GASD_LIMIT, message));
        }
        let shared = Shared::new(Feed::new(kind, meter_key(&meter)), core.number());
        let ended = Arc::new(AtomicBool::new(false));
        let object = gasd_feed { client: client.clone(), shared: shared.clone(), kind, ended: ended.clone() };
        let made = handle::insert(Arc::new(object))?;
        core.feeds.push(Feeder::new(shared, meter, changed, Data(data), ended));
        if core.denied || core.check_ready().is_ok() {
            core.open_feeds();
        }
        core.rearm();
        // SAFETY: the caller's promise.
        unsafe { put(feed, "feed", made) }
    })
}

/// Hands over edges of the meter's contact, in their order, many at a time or one. They are gasd's once
/// `gasd_feed_read()` counts them as taken; until then they are kept here, and handed over again if gasd restarts. Each is
/// counted once. How many were taken in goes to `taken`, which may be NULL.
///
/// Any thread, also one that never dispatches: as little as a copy and one system call. For interrupts at more than
/// some hundred a second hand over batches.
///
/// Errors: `GASD_NULL`, `GASD_HANDLE`, `GASD_INVALID` for a level that is none, for more than 1048576 edges or for a
/// feed of readings (nothing is taken in), and for a time that has not come yet (those before it are taken in): is it
/// `CLOCK_BOOTTIME`? `GASD_ORDER` for a time that is not above the one before, `GASD_FULL` with 16384 entries waiting (those before
/// it are taken in).
///
/// # Safety
/// `feed` is of `gasd_feed_new()`, and `edges` has `count`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gasd_pulse(
    feed: *mut gasd_feed,
    edges: *const gasd_edge,
    count: usize,
    taken: *mut usize,
) -> gasd_result {
    guard::call(|| {
        let feed = handle::get(feed.cast_const())?;
        feed.client.check_alive()?;
        feed.is_of(EDGES)?;
        // SAFETY: the caller's promise.
        let edges = unsafe { self::edges(edges, count) }?;
        let entries = edges.into_iter().map(|(t_ns, level)| Entry { t_ns, word: level as u64 });
        // SAFETY: the caller's promise.
        unsafe { feed.take(entries, taken) }
    })
}

/// Hands over what the meter's register showed: `volume_ul`, at `t_ns`, `CLOCK_BOOTTIME` ns, which is the register's own
/// time and not the telegram's. It counts as taken once gasd has it on the disk, some seconds later. Otherwise as
/// `gasd_pulse()`.
///
/// Any thread.
///
/// Errors: `GASD_NULL`, `GASD_HANDLE`, `GASD_INVALID` for a feed of edges or a time that has not come yet, `GASD_ORDER`,
/// `GASD_FULL`.
///
/// # Safety
/// `feed` is of `gasd_feed_new()`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gasd_reading(feed: *mut gasd_feed, t_ns: u64, volume_ul: u64) -> gasd_result {
    guard::call(|| {
        let feed = handle::get(feed.cast_const())?;
        feed.client.check_alive()?;
        feed.is_of(READINGS)?;
        // SAFETY: no output.
        unsafe { feed.take(std::iter::once(Entry { t_ns, word: volume_ul }), std::ptr::null_mut()) }
    })
}

impl gasd_feed {
    fn is_of(&self, kind: u32) -> Result<(), Failure> {
        if self.kind == kind {
            return Ok(());
        }
        let message = if kind == EDGES { "the feed is of readings" } else { "the feed is of edges" };
        Err(Failure::new(gasd_result::GASD_INVALID, message))
    }

    /// # Safety
    /// `taken` is NULL or may be written.
    unsafe fn take(&self, entries: impl Iterator<Item = Entry>, taken: *mut usize) -> Result<(), Failure> {
        let mut feed = self.shared.lock();
        let refused = feed.refused;
        let (mut n, mut rejected) = (0, None);
        let latest_ns = crate::client::wait::boottime_ns().saturating_add(AHEAD_NS);
        for entry in entries {
            if entry.t_ns > latest_ns {
                // gasd would refuse it, and no right time would be above it any more.
                rejected = Some(Rejected::Future { now_ns: latest_ns - AHEAD_NS });
                break;
            }
            let mut pushed = feed.push(entry);
            if pushed == Err(Rejected::Full) {
                // Perhaps gasd has answered and nobody dispatched.
                feed.flush();
                feed.answers();
                pushed = feed.push(entry);
            }
            if let Err(why) = pushed {
                rejected = Some(why);
                break;
            }
            n += 1;
        }
        let full = feed.flush() == Socket::Full;
        if feed.waiting() > crate::client::feed::MOST_KEPT / 2 {
            feed.answers();
        }
        let news = feed.refused != refused || feed.foreign.is_some();
        drop(feed);
        if full || news {
            let mut core = self.client.lock();
            // What gasd refused is told by the next dispatch, though it was read here.
            core.rearm();
            let feed = self.shared.lock();
            if let Some(socket) = feed.socket().filter(|_| full) {
                core.wait.want_room(socket.as_fd(), self.shared.number, true);
            }
        }
        if !taken.is_null() {
            // SAFETY: the caller's promise.
            unsafe { taken.write_unaligned(n) };
        }
        match rejected {
            None => Ok(()),
            Some(why @ Rejected::Full) => Err(Failure::new(gasd_result::GASD_FULL, why.to_string())),
            Some(why @ Rejected::Future { .. }) => {
                Err(Failure::new(gasd_result::GASD_INVALID, why.to_string()))
            }
            Some(why @ Rejected::Order { .. }) => Err(Failure::new(gasd_result::GASD_ORDER, why.to_string())),
        }
    }
}

/// Edges of C, checked.
///
/// # Safety
/// `edges` is NULL or has `count`.
pub(super) unsafe fn edges(edges: *const gasd_edge, count: usize) -> Result<Vec<(u64, Level)>, Failure> {
    if count == 0 {
        return Ok(Vec::new());
    }
    if edges.is_null() {
        return Err(Failure::new(gasd_result::GASD_NULL, "edges is NULL"));
    }
    if count > 1 << 20 {
        return Err(Failure::new(
            gasd_result::GASD_INVALID,
            format!("{count} edges at once; at most 1048576 are taken"),
        ));
    }
    (0..count)
        .map(|at| {
            // SAFETY: the caller's promise.
            let edge = unsafe { edges.add(at).read_unaligned() };
            let level = Level::of(u64::from(edge.level)).ok_or_else(|| {
                let message = format!("edge {at} has level {}, expected 0 to 3 (gasd_level)", edge.level);
                Failure::new(gasd_result::GASD_INVALID, message)
            })?;
            Ok((edge.t_ns, level))
        })
        .collect()
}

/// How it stands with a feed.
///
/// Any thread.
///
/// Errors: `GASD_NULL`, `GASD_HANDLE`, `GASD_STRUCT_SIZE`.
///
/// # Safety
/// `feed` is of `gasd_feed_new()`; `status` may be written for its `struct_size`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gasd_feed_read(
    feed: *const gasd_feed,
    status: *mut gasd_feed_status,
) -> gasd_result {
    guard::call(|| {
        let feed = handle::get(feed)?;
        feed.client.check_alive()?;
        feed.shared.lock().answers();
        let mut core = feed.client.lock();
        // What gasd refused is told by the next dispatch, though it was read here.
        core.rearm();
        let found = core.feeds.iter().find(|one| one.shared.number == feed.shared.number);
        let (state, result) = found.map_or(
            (super::codes::gasd_feed_state::GASD_FEED_WAITING, gasd_result::GASD_CANCELLED),
            Feeder::standing,
        );
        drop(core);
        let inner = feed.shared.lock();
        let value = gasd_feed_status {
            struct_size: 0,
            state: state as u32,
            result,
            taken: inner.taken,
            waiting: inner.waiting() as u64,
            refused: inner.refused,
        };
        // SAFETY: the caller's promise.
        unsafe { sized::write(status, &value) }
    })
}

/// Frees a feed. What gasd has not taken yet is handed over as far as the socket has room, and lost otherwise; see
/// `gasd_feed_read()`. NULL does nothing.
///
/// Any thread, also its callback. From another thread it waits until a callback that is under way has returned.
///
/// # Safety
/// `feed` is of `gasd_feed_new()`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gasd_feed_free(feed: *mut gasd_feed) {
    let _ = guard::call(|| {
        let Some(feed) = handle::remove(feed)? else { return Ok(()) };
        feed.shared.lock().flush();
        feed.ended.store(true, Ordering::Release);
        feed.client.wait_for_callback();
        feed.client.lock().forget_ended();
        Ok(())
    });
}
