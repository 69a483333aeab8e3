// SPDX-License-Identifier: MIT OR GPL-2.0-only
//! The yardsticks of `make bench`: programs that do nothing, attached beside the real ones, and
//! programs that do one thing of what the real ones must. Never part of what `gasd load` loads.
#![no_std]
#![no_main]

use aya_ebpf::{
    helpers::bpf_ktime_get_boot_ns,
    macros::{btf_tracepoint, map, raw_tracepoint},
    maps::{Array, ProgramArray},
    programs::{BtfTracePointContext, RawTracePointContext},
};

#[btf_tracepoint(function = "irq_handler_entry")]
pub fn gasd_empty(_: BtfTracePointContext) -> i32 {
    0
}

#[raw_tracepoint(tracepoint = "irq_handler_entry")]
pub fn gasd_empty_twin(_: RawTracePointContext) -> i32 {
    0
}

/// One per interrupt, as the dispatcher has.
#[map]
static PART_LINES: Array<u32> = Array::with_max_entries(4096, 0);

/// Slot 0: [`gasd_part_end`].
#[map]
static PART_SLOTS: ProgramArray = ProgramArray::with_max_entries(1, 0);

/// Looks the interrupt's line up.
#[btf_tracepoint(function = "irq_handler_entry")]
pub fn gasd_part_lookup(ctx: BtfTracePointContext) -> i32 {
    let irq: i32 = ctx.arg(0);
    PART_LINES.get(irq as u32).map_or(0, |line| *line as i32)
}

/// Jumps through a slot.
#[btf_tracepoint(function = "irq_handler_entry")]
pub fn gasd_part_jump(ctx: BtfTracePointContext) -> i32 {
    // SAFETY: both programs take the same context; control returns only on failure.
    unsafe { PART_SLOTS.tail_call(&ctx, 0) };
    -1
}

/// Where the jump ends.
#[btf_tracepoint(function = "irq_handler_entry")]
pub fn gasd_part_end(_: BtfTracePointContext) -> i32 {
    0
}

/// Asks what time it is.
#[btf_tracepoint(function = "irq_handler_entry")]
pub fn gasd_part_time(_: BtfTracePointContext) -> i32 {
    // SAFETY: the helper has no preconditions.
    let now = unsafe { bpf_ktime_get_boot_ns() };
    now as i32
}

#[cfg(not(test))]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {}
}

#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";
