// SPDX-License-Identifier: MIT OR Apache-2.0
//! Valves that are not configured any more and that something is still held for. Pure.
//!
//! Such a valve has no actuator: nothing closes, opens or holds it. It is there so that its holds are seen
//! and can be released, for as long as the service runs; kept, they close a valve of that name as soon as
//! one is configured again.

use std::borrow::Cow;

use crate::config::Config;
use crate::response::known::Known;
use crate::response::valves::{GASD, Valve};
use crate::state::{CommandError, Hold, NO_ACTUATOR, Position, ValveState, VerdictRecord};
use crate::store::{Loaded, StoredHold};

/// The ids of those valves, in the order of their oldest holds. They come after the configured ones.
#[must_use]
pub fn ids(config: &Config, loaded: &Loaded) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    for StoredHold { valve, .. } in &loaded.holds {
        if !config.valves.iter().any(|known| known.id == *valve) && !ids.contains(valve) {
            ids.push(valve.clone());
        }
    }
    ids
}

/// Such a valve with its holds.
pub(super) fn valve(id: String, loaded: &Loaded) -> Valve {
    let holds = loaded.holds.iter().filter(|hold| hold.valve == id).map(|hold| hold.hold.clone()).collect();
    let key = id.clone();
    let mut state = ValveState {
        id,
        position: Position::Unknown,
        actuator: NO_ACTUATOR.into(),
        holds,
        health: String::new(),
    };
    state.health = health(&state);
    Valve {
        state,
        cannot_open: None,
        commanded: Position::Unknown,
        epoch: 0,
        told: None,
        told_by: Cow::Borrowed(GASD),
        known: Known::at_start(None, Position::Unknown),
        drivers: Vec::new(),
        key,
    }
}

/// What there is to say of it.
pub(super) fn health(valve: &ValveState) -> String {
    if valve.holds.is_empty() {
        return "is not configured any more, and nothing is held; it is gone after the next start of gasd"
            .to_owned();
    }
    format!(
        "is not configured any more, so nothing moves it; what is held closes it again as soon as a valve of \
         that name is configured; `gasctl valve release {} COOKIE` releases a hold, `gasctl status` lists them",
        valve.id
    )
}

/// The sentence among the service's problems, while something is held.
#[must_use]
pub fn problem(valve: &ValveState) -> Option<String> {
    let held = !valve.is_configured() && !valve.holds.is_empty();
    held.then(|| format!("valve \"{}\" {}", valve.id, valve.health))
}

/// Whether a hold of gasd or the operator may be released. On a configured valve they go with an opening
/// only; this one cannot be opened, so they go alone, but not before their verdict was seen.
///
/// # Errors
/// [`CommandError::VerdictWaits`].
pub(super) fn may_release(hold: &Hold, unacknowledged: &[VerdictRecord]) -> Result<(), CommandError> {
    let its = |verdict: &&VerdictRecord| verdict.severity == "critical" && hold.verdict == Some(verdict.id);
    match unacknowledged.iter().find(its) {
        Some(verdict) => Err(CommandError::VerdictWaits { cookie: hold.cookie, verdict: verdict.id }),
        None => Ok(()),
    }
}

#[cfg(test)]
#[path = "unconfigured_tests.rs"]
mod tests;
