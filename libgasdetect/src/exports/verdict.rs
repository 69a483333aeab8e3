// SPDX-License-Identifier: MIT OR Apache-2.0
//! Verdicts: acknowledging them.

use std::ffi::{c_char, c_void};

use crate::abi::guard;
use crate::abi::handle;
use crate::abi::result::{Failure, gasd_result};
use crate::abi::text;
use crate::client::calls::Asked;
use crate::client::core::SERVICE;
use crate::client::gasd_client;
use crate::client::out::Data;
use crate::sdbus::To;

use super::codes::gasd_state;
use super::events::gasd_done_fn;

/// Acknowledges a verdict for a person: it waits no more, and the valve may be opened again. `feedback`: what
/// the person found, `false-alarm` or `real-leak`, which moves the meter's thresholds within bounds; NULL
/// if nothing was said. `done` as with `gasd_valve_close()`; it may be told `GASD_NOT_FOUND` for a verdict
/// that does not wait.
///
/// Any thread. `done` may be NULL; it is not called when this fails.
///
/// Errors: `GASD_NULL`, `GASD_HANDLE`, `GASD_INVALID`, `GASD_NOT_CONNECTED`, `GASD_NOT_FOUND`, `GASD_LIMIT`.
///
/// # Safety
/// `client` is of `gasd_client_new()`; `feedback` is NULL or a text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gasd_verdict_acknowledge(
    client: *mut gasd_client,
    id: u64,
    feedback: *const c_char,
    done: gasd_done_fn,
    data: *mut c_void,
) -> gasd_result {
    guard::call(|| {
        let client = handle::get(client.cast_const())?;
        // SAFETY: the caller's promise.
        let feedback = unsafe { text::optional(feedback, "feedback") }?;
        if feedback.is_some_and(|said| !matches!(said, "false-alarm" | "real-leak")) {
            let message = "feedback is none: expected \"false-alarm\", \"real-leak\" or NULL";
            return Err(Failure::new(gasd_result::GASD_INVALID, message));
        }
        let mut core = client.lock();
        core.check_there()?;
        // Where it is not known what waits gasd's answer says it.
        if core.state == gasd_state::GASD_STATE_READY && !core.knows_verdict(id) {
            let message = format!("no verdict {id} waits");
            return Err(Failure::new(gasd_result::GASD_NOT_FOUND, message));
        }
        let path = format!("/io/gasd1/verdicts/{id}");
        let to = To { service: SERVICE, path: &path, interface: "io.gasd1.Verdict", member: "Acknowledge" };
        let asked = Asked::Request { done, data: Data(data), cookie: false };
        core.request(to, asked, |_, message| {
            message.put_options(&[], feedback.map(|said| ("Feedback", said)).as_slice())
        })
    })
}
