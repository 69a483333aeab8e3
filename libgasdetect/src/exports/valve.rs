// SPDX-License-Identifier: MIT OR Apache-2.0
//! Valves. Each request returns at once; what became of it is told by a callback out of a dispatch.

use std::ffi::{c_char, c_void};

use crate::abi::guard;
use crate::abi::handle;
use crate::abi::result::{Failure, gasd_result};
use crate::abi::sized::{self, sized};
use crate::abi::text;
use crate::client::calls::Asked;
use crate::client::core::{Core, SERVICE};
use crate::client::gasd_client;
use crate::client::out::Data;
use crate::sdbus::{Message, To, path_of};

use super::codes::gasd_state;
use super::events::gasd_done_fn;

/// Bytes of a reason that gasd keeps.
const REASON: usize = 512;

/// What is known of a valve.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gasd_valve_state {
    /// `sizeof(struct gasd_valve_state)`.
    pub struct_size: usize,
    /// A `gasd_position`.
    pub position: u32,
    /// 1 when something is wrong with it, 0 otherwise.
    pub fault: u32,
}
sized!(gasd_valve_state, size_of::<gasd_valve_state>());

/// Closes a valve and holds it closed until a person opens it. `done` is told when the actuator has done it, or
/// why not: `GASD_DENIED` with a sentence that says who is missing which right, `GASD_ACTUATOR`, `GASD_LIMIT`,
/// `GASD_TIMED_OUT`, `GASD_CANCELLED`. `reason`: in the program's words, at most 512 bytes, kept in gasd's
/// record.
///
/// Any thread. `done` may be NULL; it is not called when this fails.
///
/// Asking again does no harm: with the same reason it is one hold, and the valve is driven again. The program need
/// not be ready or allowed to read what gasd has; then it is `done` that is told `GASD_NOT_FOUND`.
///
/// Errors: `GASD_NULL`, `GASD_HANDLE`, `GASD_INVALID`, `GASD_NOT_CONNECTED` where no gasd is there, `GASD_NOT_FOUND`
/// for a valve that gasd does not have, `GASD_LIMIT` with 256 requests under way.
///
/// # Safety
/// `client` is of `gasd_client_new()`, `valve` and `reason` are texts.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gasd_valve_close(
    client: *mut gasd_client,
    valve: *const c_char,
    reason: *const c_char,
    done: gasd_done_fn,
    data: *mut c_void,
) -> gasd_result {
    guard::call(|| {
        // SAFETY: the caller's promise.
        let reason = unsafe { self::reason(reason) }?;
        let fill = |_: &Core, message: &mut Message| {
            message.put_str(reason)?;
            message.put_options(&[], &[])
        };
        // SAFETY: the caller's promise.
        unsafe { ask(client, valve, "Close", Asked::Request { done, data: Data(data), cookie: false }, fill) }
    })
}

/// Opens a valve. gasd refuses while a critical verdict waits (`GASD_UNACKNOWLEDGED`) or an application holds it
/// (`GASD_HELD`); only a person's decision opens gas, so call it for one and for nothing else. `reason`: that
/// person's, at most 512 bytes, kept in gasd's record. Otherwise as `gasd_valve_close()`.
///
/// Any thread. `done` may be NULL; it is not called when this fails.
///
/// Errors: those of `gasd_valve_close()`.
///
/// # Safety
/// As `gasd_valve_close()`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gasd_valve_open(
    client: *mut gasd_client,
    valve: *const c_char,
    reason: *const c_char,
    done: gasd_done_fn,
    data: *mut c_void,
) -> gasd_result {
    guard::call(|| {
        // SAFETY: the caller's promise.
        let reason = unsafe { self::reason(reason) }?;
        let fill = |_: &Core, message: &mut Message| message.put_options(&[], &[("Reason", reason)]);
        // SAFETY: the caller's promise.
        unsafe { ask(client, valve, "Open", Asked::Request { done, data: Data(data), cookie: false }, fill) }
    })
}

/// Closes a valve and holds it closed for the program: nobody can open it while the hold is there, and it stays
/// over the end of the program, of gasd and of the machine. `done` is told the hold's cookie for
/// `gasd_valve_release()`; the same program asking with the same reason again gets the same. The cookie says
/// that the hold is in place, not that the valve is closed: see its state.
///
/// Any thread. `done` may be NULL; it is not called when this fails.
///
/// Errors: those of `gasd_valve_close()`; `done` may also be told `GASD_LIMIT` with 8 holds of the user on this
/// valve.
///
/// # Safety
/// As `gasd_valve_close()`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gasd_valve_hold(
    client: *mut gasd_client,
    valve: *const c_char,
    reason: *const c_char,
    done: gasd_done_fn,
    data: *mut c_void,
) -> gasd_result {
    guard::call(|| {
        // SAFETY: the caller's promise.
        let reason = unsafe { self::reason(reason) }?;
        let fill = |core: &Core, message: &mut Message| {
            message.put_str(reason)?;
            message.put_str(&core.app)?;
            message.put_options(&[], &[])
        };
        // SAFETY: the caller's promise.
        unsafe { ask(client, valve, "Hold", Asked::Request { done, data: Data(data), cookie: true }, fill) }
    })
}

/// Releases a hold by its cookie. Moves nothing: the valve stays closed until a person opens it. `done` is
/// told when that is on gasd's disk.
///
/// Any thread. `done` may be NULL; it is not called when this fails.
///
/// Errors: those of `gasd_valve_close()`; `done` may also be told `GASD_NOT_FOUND` for a cookie of no hold of
/// this valve.
///
/// # Safety
/// As `gasd_valve_close()`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gasd_valve_release(
    client: *mut gasd_client,
    valve: *const c_char,
    cookie: u64,
    done: gasd_done_fn,
    data: *mut c_void,
) -> gasd_result {
    guard::call(|| {
        let fill = |_: &Core, message: &mut Message| {
            message.put_u64(cookie)?;
            message.put_options(&[], &[])
        };
        // SAFETY: the caller's promise.
        unsafe {
            ask(client, valve, "Release", Asked::Request { done, data: Data(data), cookie: false }, fill)
        }
    })
}

/// What is known of a valve, without a call of the bus: what gasd said last.
///
/// Any thread.
///
/// Errors: `GASD_NULL`, `GASD_HANDLE`, `GASD_STRUCT_SIZE`, `GASD_INVALID`, `GASD_NOT_CONNECTED`,
/// `GASD_NOT_FOUND`.
///
/// # Safety
/// `client` is of `gasd_client_new()`, `valve` a text, and `state` may be written for its `struct_size`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gasd_valve_read(
    client: *const gasd_client,
    valve: *const c_char,
    state: *mut gasd_valve_state,
) -> gasd_result {
    guard::call(|| {
        let client = handle::get(client)?;
        // SAFETY: the caller's promise.
        let id = unsafe { text::required(valve, "valve") }?;
        let core = client.lock();
        core.check_ready()?;
        let valve = core.house.valve(id).ok_or_else(|| no_valve(&core, id))?;
        let fault = u32::from(valve.health != "ok");
        let value = gasd_valve_state { struct_size: 0, position: valve.position, fault };
        // SAFETY: the caller's promise.
        unsafe { sized::write(state, &value) }
    })
}

/// # Safety
/// `reason` is NULL or a text.
unsafe fn reason<'a>(reason: *const c_char) -> Result<&'a str, Failure> {
    // SAFETY: the caller's promise.
    let reason = unsafe { text::required(reason, "reason") }?;
    if reason.len() > REASON {
        let message = format!("the reason is {} bytes long; at most {REASON} are kept", reason.len());
        return Err(Failure::new(gasd_result::GASD_INVALID, message));
    }
    Ok(reason)
}

/// A valve's object. What gasd has is not known before it was read, and never to a program that may not read but
/// close, as polkit can have it: closing does not wait for that, and gasd's answer says whether it has such a valve.
fn path(core: &Core, id: &str) -> Result<String, Failure> {
    if core.state == gasd_state::GASD_STATE_READY {
        return core.house.valve(id).map(|valve| valve.named.path.clone()).ok_or_else(|| no_valve(core, id));
    }
    path_of(c"/io/gasd1/valves", id).map_err(|error| Failure::system("the valve's id has no path", error))
}

fn no_valve(core: &Core, id: &str) -> Failure {
    let known: Vec<_> = core.house.valves.iter().map(|valve| valve.named.id.to_string_lossy()).collect();
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    Failure::new(gasd_result::GASD_NOT_FOUND, format!("no valve is called \"{id}\"; there are: {known}"))
}

/// # Safety
/// `client` is of `gasd_client_new()`, `valve` is NULL or a text.
unsafe fn ask(
    client: *mut gasd_client,
    valve: *const c_char,
    member: &str,
    asked: Asked,
    fill: impl FnOnce(&Core, &mut Message) -> std::io::Result<()>,
) -> Result<(), Failure> {
    let client = handle::get(client.cast_const())?;
    // SAFETY: the caller's promise.
    let id = unsafe { text::required(valve, "valve") }?;
    let mut core = client.lock();
    core.check_there()?;
    let path = path(&core, id)?;
    let to = To { service: SERVICE, path: &path, interface: "io.gasd1.Valve", member };
    core.request(to, asked, fill)
}
