// SPDX-License-Identifier: MIT OR GPL-2.0-only
//! The dispatcher: the one program that is attached to the tracepoint, pinned for good.
//!
//! It asks whether an interrupt is ours and hands it on through a slot. What the slot holds can be
//! replaced by one write, with no edge lost and none counted twice; the dispatcher itself never
//! changes, so it holds nothing that could need to. Needs Linux 5.5 (tp_btf), 5.10 for the twin.
#![no_std]
#![no_main]

use aya_ebpf::{
    macros::{btf_tracepoint, map},
    maps::{Array, PerCpuArray, ProgramArray},
    programs::{BtfTracePointContext, RawTracePointContext},
};
use gasd_abi::records::MAX_IRQS;

/// Interrupt number → line + 1; 0 means that the interrupt is not ours.
#[map]
static IRQ_LINES: Array<u32> = Array::with_max_entries(MAX_IRQS, 0);

/// Slot 0: the pulse program.
#[map]
static SLOTS: ProgramArray = ProgramArray::with_max_entries(1, 0);

/// Slot 0: the pulse program's raw_tp twin. A slot takes one program type only.
#[map]
static TWIN_SLOTS: ProgramArray = ProgramArray::with_max_entries(1, 0);

/// Interrupts of ours that found the slot empty. An empty slot is silent otherwise.
#[map]
static FALL_THROUGH: PerCpuArray<u64> = PerCpuArray::with_max_entries(1, 0);

#[btf_tracepoint(function = "irq_handler_entry")]
pub fn gasd_dispatch(ctx: BtfTracePointContext) -> i32 {
    let irq: i32 = ctx.arg(0);
    match IRQ_LINES.get(irq as u32) {
        None | Some(0) => 0,
        Some(_) => {
            // SAFETY: both programs take the same context; control returns only on failure.
            unsafe { SLOTS.tail_call(&ctx, 0) };
            fell_through()
        }
    }
}

/// Written without the macro, which throws the return value away; a test run wants it.
#[unsafe(no_mangle)]
#[unsafe(link_section = "raw_tp/irq_handler_entry")]
pub extern "C" fn gasd_twin_dispatch(ctx: *mut core::ffi::c_void) -> i32 {
    let ctx = RawTracePointContext::new(ctx);
    // Reading the last argument makes the kernel insist on all eight of them: it checks the size of
    // a test run's context against this program, not against the one in the slot.
    let last: u64 = ctx.arg(7);
    if last == u64::MAX {
        return 0;
    }
    // SAFETY: as above.
    unsafe { TWIN_SLOTS.tail_call(&ctx, 0) };
    fell_through()
}

#[inline(always)]
fn fell_through() -> i32 {
    if let Some(count) = FALL_THROUGH.get_ptr_mut(0) {
        // SAFETY: a per-CPU value, and no program of ours is interrupted by another of ours.
        unsafe { *count += 1 };
    }
    -1
}

#[cfg(not(test))]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {}
}

#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";
