// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the service manager is told. Without a manager every call is a no-op.

use sd_notify::NotifyState;

use crate::state::Snapshot;

/// The service works.
pub fn ready() {
    let _ = sd_notify::notify(&[NotifyState::Ready]);
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
