// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the service manager is told. Without a manager every call is a no-op.

use std::{
    env,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use sd_notify::NotifyState;

use crate::{config::NO_METER, state::Snapshot};

/// How long a start that failed rests before the manager tries the next one.
const REST: Duration = Duration::from_secs(2);

static WAS_READY: AtomicBool = AtomicBool::new(false);

/// Rests after a start that failed. The unit restarts at once and for ever, so that the lines which
/// the manager keeps are not dropped; where every start fails, that would take the machine's time and
/// fill its journal.
pub fn rest() {
    if WAS_READY.load(Ordering::Relaxed) || env::var_os("NOTIFY_SOCKET").is_none() {
        return;
    }
    for signal in [libc::SIGTERM, libc::SIGINT] {
        // SAFETY: the default action needs no handler; nothing is under way that would want one.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
    thread::sleep(REST);
}

/// The service works.
pub fn ready() {
    WAS_READY.store(true, Ordering::Relaxed);
    let _ = sd_notify::notify(&[NotifyState::Ready]);
}

/// A new configuration is read; [`ready`] ends it.
pub fn reloading() {
    let Ok(now) = NotifyState::monotonic_usec_now() else { return };
    let _ = sd_notify::notify(&[NotifyState::Reloading, now]);
}

/// The service ends.
pub fn stopping() {
    let _ = sd_notify::notify(&[NotifyState::Stopping]);
}

/// The counting thread lives.
pub fn watchdog() {
    let _ = sd_notify::notify(&[NotifyState::Watchdog]);
}

/// One line for `systemctl status`.
pub fn status(snapshot: &Snapshot, bus: &str) {
    let text = line(snapshot, bus);
    let _ = sd_notify::notify(&[NotifyState::Status(&text)]);
}

fn line(snapshot: &Snapshot, bus: &str) -> String {
    let pulses: u64 = snapshot.meters.iter().map(|m| m.pulses).sum();
    let service = &snapshot.service;
    let lost = service.queue_full + service.ring_overrun + service.events_missed;
    if snapshot.meters.is_empty() {
        return format!("{NO_METER}; {bus}");
    }
    let mut text = format!(
        "{} meters, {pulses} pulses, {lost} late events, {} verdicts open; filter in {}; {bus}",
        snapshot.meters.len(),
        snapshot.verdicts.len(),
        service.mode.name(),
    );
    for meter in snapshot.meters.iter().filter(|m| m.health != "ok") {
        text.push_str(&format!("; {}: {}", meter.id, meter.health));
    }
    text
}
