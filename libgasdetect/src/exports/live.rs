// SPDX-License-Identifier: MIT OR Apache-2.0
//! A meter's state, without a call of the bus.

use std::ffi::c_char;
use std::sync::Arc;

use gasd_abi::records::meter_key;

use crate::abi::guard;
use crate::abi::handle::{self, object};
use crate::abi::result::{Failure, gasd_result};
use crate::abi::sized::{self, sized};
use crate::abi::text;
use crate::client::gasd_client;
use crate::client::live::Table;
use crate::client::wait::boottime_ns;

use super::put;

/// A meter's state at hand.
#[derive(Debug)]
pub struct gasd_live {
    client: Arc<gasd_client>,
    table: Arc<Table>,
    meter: String,
    key: u64,
}
object!(gasd_live, 3, "live handle");

/// A meter's state.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gasd_meter_state {
    /// `sizeof(struct gasd_meter_state)`.
    pub struct_size: usize,
    /// A `gasd_source`: where it was read.
    pub source: u32,
    /// 0.
    pub reserved: u32,
    /// As of when, `CLOCK_BOOTTIME` ns.
    pub t_ns: u64,
    /// The total, µL.
    pub volume_ul: u64,
    /// The total, pulses.
    pub pulses: u64,
    /// Flow, µL/h: that of the last interval, and the most that it can be once the next pulse is overdue.
    /// `GASD_UNKNOWN` before the second pulse; of `GASD_SOURCE_STREAM` only until 30 s were without one, as in
    /// `gasd_reading_event`.
    pub flow_ul_per_h: u64,
    /// Leading edge of the last pulse, `CLOCK_BOOTTIME` ns; 0 before the first.
    pub last_pulse_ns: u64,
    /// Interval between the last two pulses, ns; 0 before the second, and where the source does not tell.
    pub interval_ns: u64,
    /// `GASD_SIMULATED`, `GASD_TOTAL_INCOMPLETE`, `GASD_SERVICE_AWAY`.
    pub flags: u64,
}
sized!(gasd_meter_state, size_of::<gasd_meter_state>());

/// Makes a handle for a meter's state. It is filled once the client is ready, and goes on over restarts.
///
/// Any thread. Free it with `gasd_live_free()`.
///
/// Errors: `GASD_NULL`, `GASD_HANDLE`, `GASD_INVALID`, `GASD_LIMIT`.
///
/// # Safety
/// `client` is of `gasd_client_new()`, `meter` a text, and `live` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gasd_live_new(
    client: *mut gasd_client,
    meter: *const c_char,
    live: *mut *mut gasd_live,
) -> gasd_result {
    guard::call(|| {
        let client = handle::get(client.cast_const())?;
        super::check_out(live, "live")?;
        // SAFETY: the caller's promise.
        let meter = unsafe { text::id(meter, "meter") }?.to_owned();
        let mut core = client.lock();
        let table = core.live.clone();
        let key = meter_key(&meter);
        let made = handle::insert(Arc::new(gasd_live { client: client.clone(), table, meter, key }))?;
        core.add_live();
        // SAFETY: the caller's promise.
        unsafe { put(live, "live", made) }
    })
}

/// A meter's state now. Reads memory that the kernel writes, or where the kernel's programs do not run, gasd's
/// last reading; `source` says which. Never waits, and never sees half of a change.
///
/// Any thread, many at a time.
///
/// Errors: `GASD_NULL`, `GASD_HANDLE`, `GASD_STRUCT_SIZE`, `GASD_NOT_CONNECTED` before gasd was there,
/// `GASD_NOT_FOUND` for a meter that it does not have.
///
/// # Safety
/// `live` is of `gasd_live_new()`; `state` may be written for its `struct_size`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gasd_live_read(live: *const gasd_live, state: *mut gasd_meter_state) -> gasd_result {
    guard::call(|| {
        let live = handle::get(live)?;
        live.client.check_alive()?;
        let Some(now) = live.table.read(live.key, boottime_ns()) else {
            let core = live.client.lock();
            core.check_ready()?;
            if core.house.meter(&live.meter).is_some() {
                let message = format!("meter \"{}\" was not read yet; dispatch, and try again", live.meter);
                return Err(Failure::new(gasd_result::GASD_NOT_CONNECTED, message));
            }
            let message = format!("no meter is called \"{}\"; `gasctl status` lists them", live.meter);
            return Err(Failure::new(gasd_result::GASD_NOT_FOUND, message));
        };
        let value = gasd_meter_state {
            struct_size: 0,
            source: now.source,
            reserved: 0,
            t_ns: now.t_ns,
            volume_ul: now.volume_ul,
            pulses: now.pulses,
            flow_ul_per_h: now.flow_ul_per_h,
            last_pulse_ns: now.last_pulse_ns,
            interval_ns: now.interval_ns,
            flags: now.flags,
        };
        // SAFETY: the caller's promise.
        unsafe { sized::write(state, &value) }
    })
}

/// Frees a live handle. NULL does nothing.
///
/// Any thread.
///
/// # Safety
/// `live` is of `gasd_live_new()`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gasd_live_free(live: *mut gasd_live) {
    let _ = guard::call(|| {
        if let Some(live) = handle::remove(live)? {
            live.client.lock().drop_live();
        }
        Ok(())
    });
}
