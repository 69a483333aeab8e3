// SPDX-License-Identifier: MIT OR Apache-2.0
//! The client: the connection to gasd, one descriptor for the caller's own event loop.

use std::ffi::{c_char, c_int};
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::abi::guard;
use crate::abi::handle;
use crate::abi::result::{Failure, gasd_result};
use crate::abi::sized::{self, sized};
use crate::abi::text;
use crate::client::gasd_client;

use super::{put, put_bytes};

/// How to connect. All zero but the size is the system bus.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gasd_client_options {
    /// `sizeof(struct gasd_client_options)`.
    pub struct_size: usize,
    /// `system`, `session` or a D-Bus address. NULL: the environment's `GASD_BUS_ADDRESS`, else `system`.
    pub bus: *const c_char,
    /// Who the program is: becomes the owner of its holds. 1 to 64 of `A-Z a-z 0-9 . _ -`. NULL: the name
    /// of the process.
    pub app_id: *const c_char,
}
sized!(gasd_client_options, size_of::<gasd_client_options>());

/// Makes a client. It connects by itself once it is dispatched, and again whenever gasd or the bus was away;
/// that neither is there now is no error. `options` may be NULL.
///
/// No thread is started, no signal is touched, and all descriptors are close-on-exec. After a fork(2) the
/// child must not use it.
///
/// Any thread. Free it with `gasd_client_free()`.
///
/// Errors: `GASD_NULL` for `client`, `GASD_STRUCT_SIZE`, `GASD_INVALID` for text that is no UTF-8 or an
/// `app_id` that is none, `GASD_LIMIT` with 4095 clients, `GASD_SYSTEM`.
///
/// # Safety
/// Pointers are NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gasd_client_new(
    options: *const gasd_client_options,
    client: *mut *mut gasd_client,
) -> gasd_result {
    guard::call(|| {
        super::check_out(client, "client")?;
        let (mut bus, mut app) = (None, None);
        if !options.is_null() {
            // SAFETY: the caller's promise, here and below.
            let options = unsafe { sized::read(options) }?;
            // SAFETY: see above.
            bus = unsafe { text::optional(options.bus, "bus") }?;
            // SAFETY: see above.
            app = unsafe { text::optional(options.app_id, "app_id") }?;
        }
        let bus = bus
            .map(str::to_owned)
            .or_else(|| std::env::var("GASD_BUS_ADDRESS").ok())
            .filter(|address| !address.is_empty())
            .unwrap_or_else(|| "system".to_owned());
        let app = match app {
            Some(app) => checked_app(app)?,
            None => own_name(),
        };
        let made = handle::insert(Arc::new(gasd_client::new(bus, app)?))?;
        // SAFETY: see above.
        unsafe { put(client, "client", made) }
    })
}

fn checked_app(app: &str) -> Result<String, Failure> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if app.is_empty() || app.len() > 64 || !app.chars().all(fits) || app == "gasd" || app == "operator" {
        let message = format!(
            "app_id \"{app}\" is none: expected 1 to 64 of A-Z a-z 0-9 . _ -, and neither \"gasd\" nor \"operator\""
        );
        return Err(Failure::new(gasd_result::GASD_INVALID, message));
    }
    Ok(app.to_owned())
}

/// The process's name, with what an id must not have made `_`.
fn own_name() -> String {
    let name = std::fs::read_to_string("/proc/self/comm").unwrap_or_default();
    let fits = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-') { c } else { '_' };
    let name: String = name.trim().chars().map(fits).take(64).collect();
    if name.is_empty() || name == "gasd" || name == "operator" { "libgasdetect".to_owned() } else { name }
}

/// Frees a client and everything that was made of it: its connections are closed. Its subscriptions, live handles
/// and feeds are void (`GASD_HANDLE`), but each is still to be freed. Requests under way are given up without a callback; what they asked for may
/// be done. NULL does nothing.
///
/// Any thread. In a callback of the client itself it is the last that is made; from another thread it waits
/// until a callback that is under way has returned.
///
/// # Safety
/// `client` is of `gasd_client_new()`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gasd_client_free(client: *mut gasd_client) {
    let _ = guard::call(|| {
        if let Some(client) = handle::remove(client)? {
            client.end();
        }
        Ok(())
    });
}

/// The client's descriptor: wait until it is readable, with poll, epoll, libuv, GLib or uloop, then call
/// `gasd_client_dispatch()`. It stays the same as long as the client lives, and is the client's: never
/// read it, never close it. It has a timer, so no timeout is needed. -1 on error.
///
/// Any thread.
///
/// # Safety
/// `client` is of `gasd_client_new()`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gasd_client_fd(client: *const gasd_client) -> c_int {
    guard::value(gasd_result::GASD_PANIC, || handle::get(client).map(|client| client.fd())).unwrap_or(-1)
}

/// Does what is to be done, without waiting, and makes the callbacks that are due. Call it once after
/// `gasd_client_new()`, and whenever the descriptor is readable; more often is no harm.
///
/// Any thread, one at a time. A callback may call everything but this and `gasd_client_wait()`.
///
/// Errors: `GASD_NULL`, `GASD_HANDLE`, `GASD_BUSY`. That gasd is away is none: see the state.
///
/// # Safety
/// `client` is of `gasd_client_new()`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gasd_client_dispatch(client: *mut gasd_client) -> gasd_result {
    guard::call(|| handle::get(client.cast_const())?.dispatch())
}

/// Waits until there is something to do, at most `timeout_ms` (negative: for ever), and dispatches. For a
/// program without an event loop. Interrupted by a signal it dispatches and returns.
///
/// Any thread, one at a time.
///
/// Errors: those of `gasd_client_dispatch()`; `GASD_TIMED_OUT` when nothing happened; `GASD_SYSTEM`.
///
/// # Safety
/// `client` is of `gasd_client_new()`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gasd_client_wait(client: *mut gasd_client, timeout_ms: c_int) -> gasd_result {
    guard::call(|| {
        let client = handle::get(client.cast_const())?;
        client.check_idle()?;
        let longest = u64::try_from(timeout_ms).ok().map(Duration::from_millis);
        let longest =
            longest.map(|all| Timespec { tv_sec: all.as_secs() as _, tv_nsec: all.subsec_nanos() as _ });
        // SAFETY: the client is ours until the end of the call, and its descriptor with it.
        let fd = unsafe { BorrowedFd::borrow_raw(client.fd()) };
        let mut fds = [PollFd::new(&fd, PollFlags::IN)];
        match poll(&mut fds, longest.as_ref()) {
            Ok(0) => Err(Failure::new(gasd_result::GASD_TIMED_OUT, "nothing happened in time")),
            Ok(_) | Err(rustix::io::Errno::INTR) => client.dispatch(),
            Err(error) => Err(Failure::system("waiting for gasd", error)),
        }
    })
}

/// How it stands with gasd: a `gasd_state`.
///
/// Any thread.
///
/// Errors: `GASD_NULL`, `GASD_HANDLE`.
///
/// # Safety
/// `client` is of `gasd_client_new()`; `state` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gasd_client_state(client: *const gasd_client, state: *mut u32) -> gasd_result {
    guard::call(|| {
        let now = handle::get(client)?.lock().state as u32;
        // SAFETY: the caller's promise.
        unsafe { put(state, "state", now) }
    })
}

/// How it stands with gasd, in words. They go into a buffer of `size` bytes, with a zero behind them; what is
/// needed goes to `needed`, which may be NULL.
///
/// Any thread.
///
/// Errors: `GASD_NULL`, `GASD_HANDLE`, `GASD_BUFFER`.
///
/// # Safety
/// `client` is of `gasd_client_new()`; `buffer` may be written for `size` bytes or is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gasd_client_state_text(
    client: *const gasd_client,
    buffer: *mut c_char,
    size: usize,
    needed: *mut usize,
) -> gasd_result {
    guard::call(|| {
        let text = handle::get(client)?.lock().text.clone();
        // SAFETY: the caller's promise.
        unsafe { put_bytes(text.as_bytes(), true, buffer.cast(), size, needed) }
    })
}

/// The version of the gasd that runs, like "0.1.0". It goes into a buffer of `size` bytes, with a zero behind it;
/// what is needed goes to `needed`, which may be NULL.
///
/// Any thread.
///
/// Errors: `GASD_NULL`, `GASD_HANDLE`, `GASD_BUFFER`, `GASD_NOT_CONNECTED` before gasd has said it.
///
/// # Safety
/// `client` is of `gasd_client_new()`; `buffer` may be written for `size` bytes or is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gasd_client_service_version(
    client: *const gasd_client,
    buffer: *mut c_char,
    size: usize,
    needed: *mut usize,
) -> gasd_result {
    guard::call(|| {
        let client = handle::get(client)?;
        let core = client.lock();
        if core.version.is_empty() {
            core.check_ready()?;
            return Err(Failure::new(gasd_result::GASD_NOT_CONNECTED, "gasd has not said its version"));
        }
        // SAFETY: the caller's promise.
        unsafe { put_bytes(core.version.as_bytes(), true, buffer.cast(), size, needed) }
    })
}
