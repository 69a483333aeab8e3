// SPDX-License-Identifier: MIT OR GPL-2.0-only
//! The pulse program: one interrupt in, the shared filter, counters, live page and event out; and
//! its raw_tp twin, which takes edges with their own times and level samples.
//!
//! Needs Linux 5.12 (atomic compare-and-exchange) and 5.8 (ring buffer, boot-time clock).
#![no_std]
#![no_main]
#![allow(internal_features, reason = "the BPF target has compare-and-exchange only as an intrinsic")]
#![feature(core_intrinsics, stmt_expr_attributes)]

mod commit;

use aya_ebpf::{
    bindings::BPF_RB_AVAIL_DATA,
    helpers::bpf_ktime_get_boot_ns,
    macros::{btf_tracepoint, map},
    maps::{Array, LruPerCpuHashMap, PerCpuArray, RingBuf},
    programs::{BtfTracePointContext, RawTracePointContext},
};
use gasd_abi::{
    filter::{self, FilterState},
    live::{self, LivePage, WRITERS, Writer, counters},
    outcome::{Outcome, PULSE, RESYNC, Reason, STALE, STORM, Totals, WAKE},
    records::{
        BUCKET_NS, Bucket, BucketKey, EVENT_PULSE, EVENT_RESYNC, EVENT_STORM, EVENT_TICK, EVENT_WAKE, Event,
        LINE_FED, LINE_SIMULATED, LineConfig, MAX_BUCKETS, MAX_IRQS, MAX_LINES, Meta, RING_BYTES, twin,
    },
    takeover::{self, Handover, Kept},
};

const BPF_F_MMAPABLE: u32 = 1 << 10;

/// Shared with the dispatcher by its pin.
#[map]
static IRQ_LINES: Array<u32> = Array::with_max_entries(MAX_IRQS, 0);

/// Who made this generation.
#[map]
static META: Array<Meta> = Array::with_max_entries(1, 0);

/// The lines' settings.
#[map]
static LINES: Array<LineConfig> = Array::with_max_entries(MAX_LINES, 0);

/// The lines' state, mapped by readers, frozen against writes from user space.
#[map]
static LIVE: Array<LivePage> = Array::with_max_entries(MAX_LINES, BPF_F_MMAPABLE);

/// The lines' counters, by line and writer. Their `edges` are only those that the live page missed.
#[map]
static TOTALS: PerCpuArray<Totals> = PerCpuArray::with_max_entries(MAX_LINES * WRITERS, 0);

/// Intervals by line and minute.
#[map]
static BUCKETS: LruPerCpuHashMap<BucketKey, Bucket> = LruPerCpuHashMap::with_max_entries(MAX_BUCKETS, 0);

/// Times of edges that came while a line was taken over.
#[map]
static KEPT: Array<Kept> = Array::with_max_entries(MAX_LINES, 0);

/// Events to the daemon.
#[map]
static EVENTS: RingBuf = RingBuf::with_byte_size(RING_BYTES, 0);

#[btf_tracepoint(function = "irq_handler_entry")]
pub fn gasd_pulse(ctx: BtfTracePointContext) -> i32 {
    let irq: i32 = ctx.arg(0);
    let Some(&line) = IRQ_LINES.get(irq as u32) else {
        return 0;
    };
    // SAFETY: the helper has no preconditions.
    let now = unsafe { bpf_ktime_get_boot_ns() };
    edge(line.wrapping_sub(1), now, false)
}

/// Written without the macro, which throws the return value away; a test run wants it.
#[unsafe(no_mangle)]
#[unsafe(link_section = "raw_tp/irq_handler_entry")]
pub extern "C" fn gasd_twin(ctx: *mut core::ffi::c_void) -> i32 {
    let ctx = RawTracePointContext::new(ctx);
    let op: u64 = ctx.arg(0);
    let line: u64 = ctx.arg(1);
    let now: u64 = ctx.arg(2);
    let line = line as u32;
    match op {
        twin::EDGE | twin::REPLAY => edge(line, now, op == twin::REPLAY),
        twin::SAMPLE => {
            let level: u64 = ctx.arg(3);
            let edges: u64 = ctx.arg(4);
            sample(line, now, level as u8, edges)
        }
        twin::ADOPT => adopt(line, &ctx),
        twin::TICK => {
            send(line, EVENT_TICK, now, &FilterState::default(), Writer::Sample);
            0
        }
        _ => -1,
    }
}

/// An interrupt at `now`, or (`replay`) the next of those that were kept while the line was taken over.
#[inline(always)]
fn edge(line: u32, now: u64, replay: bool) -> i32 {
    let (Some(config), Some(page)) = (LINES.get(line), LIVE.get_ptr_mut(line)) else {
        return -1;
    };
    // Inlined, too: on CPUs that mitigate return speculation a call costs as much as the filter.
    let step = #[inline(always)]
    |st: &mut FilterState| {
        let mut at = now;
        if st.adopting != 0 {
            at = kept(line, if replay { st.replayed } else { st.kept }, now, replay);
        }
        takeover::edge_or_replay(&config.filter, st, at, replay)
    };
    // The loader takes the sampler's part: there is none before it is done.
    let writer = if replay { Writer::Sample } else { Writer::Edge };
    // SAFETY: the page is map memory that outlives the program; see `commit` for who writes it.
    let done = unsafe { commit::commit(page, writer, step) };
    if replay && done.1.flags & STALE != 0 {
        return STALE as i32;
    }
    account(line, config, now, page, done, writer)
}

/// Puts the time of an edge aside that comes while its line is taken over, or reads it back.
#[inline(always)]
fn kept(line: u32, nth: u32, now: u64, read: bool) -> u64 {
    let Some(kept) = KEPT.get_ptr_mut(line) else { return now };
    let place = takeover::place(nth);
    // Through the stack, so that the compiler does not leave out the mask that the verifier wants.
    // SAFETY: a live local.
    let place = unsafe { (&raw const place).read_volatile() } & (takeover::KEPT - 1);
    // SAFETY: map memory, the index is in it; a line's interrupts run one after another, and what is
    // read was written before the state that says so was published.
    unsafe {
        let at = &raw mut (*kept).at_ns[place];
        if read {
            return at.read_volatile();
        }
        at.write_volatile(now);
    }
    now
}

#[inline(always)]
fn sample(line: u32, now: u64, level: u8, edges: u64) -> i32 {
    let (Some(config), Some(page)) = (LINES.get(line), LIVE.get_ptr_mut(line)) else {
        return -1;
    };
    // A daemon of the layout before may still sample while the loader hands lines over. It must not
    // prepare a copy then: the loader prepares one in the same place.
    // SAFETY: the page is map memory; the index is below SLOTS.
    let adopting = unsafe {
        let current = (&raw const (*page).current).read_volatile();
        (&raw const (*page).slots[live::slot(current) & 3].adopting).read_volatile()
    };
    if adopting != 0 {
        return STALE as i32;
    }
    let step = |st: &mut FilterState| filter::sample(&config.filter, st, now, level, edges);
    // SAFETY: as above.
    let done = unsafe { commit::commit(page, Writer::Sample, step) };
    account(line, config, now, page, done, Writer::Sample)
}

#[inline(always)]
fn adopt(line: u32, ctx: &RawTracePointContext) -> i32 {
    let (Some(config), Some(page)) = (LINES.get(line), LIVE.get_ptr_mut(line)) else {
        return -1;
    };
    let (pending, bits): (u64, u64) = (ctx.arg(10), ctx.arg(11));
    let old = Handover {
        pulse_ns: ctx.arg(2),
        pulse_first_ns: ctx.arg(3),
        last_edge_ns: ctx.arg(4),
        first_ns: ctx.arg(5),
        candidate_ns: ctx.arg(6),
        since_ns: ctx.arg(7),
        evidence_ns: ctx.arg(8),
        checked_ns: ctx.arg(9),
        pending: pending as u32,
        level: bits as u8 & 1,
        contact: (bits >> 1) as u8 & 1,
        counted: (bits >> 2) as u8 & 1,
        reserved: 0,
    };
    let step = |st: &mut FilterState| takeover::adopt(st, &old);
    // SAFETY: as above; the loader adopts before the sampler of the new generation begins.
    let done = unsafe { commit::commit(page, Writer::Sample, step) };
    if done.1.flags & STALE != 0 {
        return STALE as i32;
    }
    account(line, config, old.last_edge_ns, page, done, Writer::Sample)
}

/// Counts a step and sends what is worth an event. Returns the outcome's flags.
#[inline(always)]
fn account(
    line: u32,
    config: &LineConfig,
    now: u64,
    page: *mut LivePage,
    (slot, out): (usize, Outcome),
    writer: Writer,
) -> i32 {
    // An edge that decides nothing touches no counter: its number is in the live page.
    if out.flags & !WAKE != 0 || out.rejected | out.bounced != 0 {
        let Some(totals) = TOTALS.get_ptr_mut(counters(line, writer)) else {
            return -1;
        };
        // SAFETY: a per-CPU value with one writer: a line's interrupts do not interrupt one another,
        // and neither does the sampler itself.
        let totals = unsafe { &mut *totals };
        if out.flags & commit::CONTENDED != 0 {
            let edge = matches!(writer, Writer::Edge) as u64;
            totals.edges += edge;
            totals.rejected[Reason::Contended as usize] += edge;
            return -1;
        }
        totals.apply(false, &out);
    }
    if out.flags & (PULSE | WAKE | STORM | RESYNC) == 0 {
        return out.flags as i32;
    }
    // SAFETY: the slot was published by this step and stays untouched while the writer that made
    // it, this very program, has not run again.
    let st = unsafe { &(*page).slots[slot & 3] };
    if out.flags & PULSE != 0 {
        bucket(line, st);
        send(line, EVENT_PULSE, st.pulse_ns, st, writer);
    }
    if out.flags & STORM != 0 {
        send(line, EVENT_STORM, now, st, writer);
    }
    if out.flags & RESYNC != 0 {
        send(line, EVENT_RESYNC, now, st, writer);
    }
    // A candidate matters only to a daemon that keeps up; pulses go first when it does not.
    if out.flags & WAKE != 0
        && config.flags & (LINE_SIMULATED | LINE_FED) == 0
        && EVENTS.query(BPF_RB_AVAIL_DATA as u64) < RING_BYTES as u64 / 4
    {
        send(line, EVENT_WAKE, now, st, writer);
    }
    out.flags as i32
}

#[inline(always)]
fn send(line: u32, kind: u32, t_ns: u64, st: &FilterState, writer: Writer) {
    let Some(mut entry) = EVENTS.reserve::<Event>(0) else {
        if let Some(totals) = TOTALS.get_ptr_mut(counters(line, writer)) {
            // SAFETY: a per-CPU value with one writer.
            unsafe { (*totals).overrun += 1 };
        }
        return;
    };
    entry.write(Event {
        kind,
        line,
        seq: st.accepted,
        t_ns,
        decided_ns: st.decided_ns,
        interval_ns: st.interval_ns,
        edges: st.edges,
    });
    entry.submit(0);
}

#[inline(always)]
fn bucket(line: u32, st: &FilterState) {
    if st.interval_ns == 0 {
        return;
    }
    let key = BucketKey { line, bucket: (st.pulse_ns / BUCKET_NS) as u32 };
    let interval = st.interval_ns;
    if let Some(found) = BUCKETS.get_ptr_mut(&key) {
        // SAFETY: a per-CPU value.
        let found = unsafe { &mut *found };
        // Another CPU made the entry: here it is all zero yet.
        if found.count == 0 || interval < found.min_ns {
            found.min_ns = interval;
        }
        found.count += 1;
        found.sum_ns += interval;
        found.max_ns = if interval > found.max_ns { interval } else { found.max_ns };
    } else {
        let first = Bucket { count: 1, sum_ns: interval, min_ns: interval, max_ns: interval };
        // The least recently used bucket makes room; an error leaves the totals untouched.
        let _ = BUCKETS.insert(&key, &first, 0);
    }
}

#[cfg(not(test))]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {}
}

#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";
