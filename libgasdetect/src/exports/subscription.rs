// SPDX-License-Identifier: MIT OR Apache-2.0
//! Subscriptions: what happens, as it happens.

use std::ffi::{c_char, c_void};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::abi::guard;
use crate::abi::handle::{self, object};
use crate::abi::result::{Failure, gasd_result};
use crate::abi::sized::{self, sized};
use crate::abi::text;
use crate::client::gasd_client;
use crate::client::out::{Data, Listener};
use crate::client::subscription::Subscription;

use super::events::{gasd_filter, gasd_handlers};
use super::put;

sized!(gasd_handlers, size_of::<gasd_handlers>());
sized!(gasd_filter, size_of::<gasd_filter>());

/// A subscription.
#[derive(Debug)]
pub struct gasd_subscription {
    client: Arc<gasd_client>,
    listener: Arc<Listener>,
}
object!(gasd_subscription, 2, "subscription");

/// Subscriptions of one client.
const MOST: usize = 64;

/// Subscribes to what `handlers` names, restricted by `filter` (NULL: everything). `data` is handed to each
/// callback. Goes on over restarts of gasd and of the bus, which `handlers.state` tells; what was missed is
/// told by `handlers.gap`, and verdicts are never missed. Callbacks begin with the next dispatch.
///
/// Any thread. Free it with `gasd_subscription_free()`.
///
/// Errors: `GASD_NULL`, `GASD_HANDLE`, `GASD_STRUCT_SIZE`, `GASD_INVALID` without a handler or for a severity or
/// meter's id that is none, `GASD_LIMIT` with 64 of this client. That gasd refuses it (no right, no such meter) is told by
/// `handlers.refused`.
///
/// # Safety
/// Pointers are NULL or valid, and `filter.meters` has `meter_count` texts.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gasd_client_subscribe(
    client: *mut gasd_client,
    handlers: *const gasd_handlers,
    filter: *const gasd_filter,
    data: *mut c_void,
    subscription: *mut *mut gasd_subscription,
) -> gasd_result {
    guard::call(|| {
        let client = handle::get(client.cast_const())?;
        super::check_out(subscription, "subscription")?;
        // SAFETY: the caller's promise, here and below.
        let handlers = unsafe { sized::read(handlers) }?;
        let listener = Arc::new(Listener { handlers, data: Data(data), ended: AtomicBool::new(false) });
        let (mut meters, mut min_severity) = (Vec::new(), 0);
        if !filter.is_null() {
            // SAFETY: see above.
            let filter = unsafe { sized::read(filter) }?;
            // SAFETY: see above.
            meters = unsafe { list(filter.meters, filter.meter_count) }?;
            min_severity = filter.min_severity;
            if min_severity > super::codes::gasd_severity::GASD_SEVERITY_CRITICAL as u32 {
                let message = format!("min_severity is {min_severity}, expected 0 to 4 (gasd_severity)");
                return Err(Failure::new(gasd_result::GASD_INVALID, message));
            }
        }
        let mut core = client.lock();
        // The one behind live handles is nobody's.
        if core.subscriptions.len() - usize::from(core.readings.is_some()) >= MOST {
            let message = format!("the client has {MOST} subscriptions already; free what is not needed");
            return Err(Failure::new(gasd_result::GASD_LIMIT, message));
        }
        let mut one = Subscription::new(core.number(), listener.clone(), meters, min_severity);
        if !one.wants_stream() && handlers.state.is_none() {
            let message = "none of the handlers state, pulse, reading, verdict, explained, acknowledged and valve is set, so nothing would ever be told";
            return Err(Failure::new(gasd_result::GASD_INVALID, message));
        }
        let made = handle::insert(Arc::new(gasd_subscription {
            client: client.clone(),
            listener: listener.clone(),
        }))?;
        core.tell_state(listener.clone());
        // What waits is known by now, or will be told once gasd has said it.
        let mut events = Vec::new();
        if core.check_ready().is_ok() {
            one.joined(&core.house, false, &mut events);
        }
        core.out
            .extend(events.into_iter().map(|event| crate::client::out::Out::Event(listener.clone(), event)));
        core.subscriptions.push(one);
        core.tell_denied();
        core.open_streams();
        core.rearm();
        // SAFETY: see above.
        unsafe { put(subscription, "subscription", made) }
    })
}

/// Texts of C.
///
/// # Safety
/// `texts` is NULL or has `count` texts.
unsafe fn list(texts: *const *const c_char, count: usize) -> Result<Vec<String>, Failure> {
    if texts.is_null() {
        if count > 0 {
            return Err(Failure::new(
                gasd_result::GASD_NULL,
                format!("meters is NULL, and meter_count {count}"),
            ));
        }
        return Ok(Vec::new());
    }
    if count > 1024 {
        return Err(Failure::new(
            gasd_result::GASD_INVALID,
            format!("meter_count is {count}; there are at most 1024"),
        ));
    }
    (0..count)
        .map(|at| {
            // SAFETY: the caller's promise.
            let id = unsafe { text::id(texts.add(at).read_unaligned(), "an id in meters") }?;
            Ok(id.to_owned())
        })
        .collect()
}

/// Ends a subscription; no callback of it begins after this. NULL does nothing.
///
/// Any thread, also a callback of it. From another thread it waits until a callback that is under way has
/// returned, so it must not be called by what that callback waits for.
///
/// # Safety
/// `subscription` is of `gasd_client_subscribe()`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gasd_subscription_free(subscription: *mut gasd_subscription) {
    let _ = guard::call(|| {
        let Some(subscription) = handle::remove(subscription)? else { return Ok(()) };
        subscription.listener.ended.store(true, Ordering::Release);
        subscription.client.wait_for_callback();
        // Closed by the next dispatch, or with the client.
        subscription.client.lock().forget_ended();
        Ok(())
    });
}
