// SPDX-License-Identifier: MIT OR GPL-2.0-only
//! The yardstick of `make bench`: programs that do nothing, attached beside the real ones. Never
//! part of what `gasd load` loads.
#![no_std]
#![no_main]

use aya_ebpf::{
    macros::{btf_tracepoint, raw_tracepoint},
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

#[cfg(not(test))]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {}
}

#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";
