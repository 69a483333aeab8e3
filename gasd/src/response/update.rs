// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the response tells the rest of the daemon.

use std::os::fd::BorrowedFd;

use crate::response::actuator::Target;
use crate::state::{Change, Shared, ValveState, VerdictRecord};

/// Something changed.
#[derive(Clone, Copy, Debug)]
pub enum Update<'a> {
    /// A valve, by index.
    Valve(usize, &'a ValveState),
    /// A verdict waits to be acknowledged.
    VerdictAdded(&'a VerdictRecord),
    /// A verdict was acknowledged.
    VerdictRemoved(u64),
    /// The request whose level holds a valve, by index: for the service manager to keep over a restart
    /// (`FDSTORE=1`), and to hand to the next [`crate::response::Response::start`]. `None`: what it
    /// keeps is no use any more.
    Line(usize, Option<BorrowedFd<'a>>),
    /// An order ended; for the metrics.
    Driven {
        /// Index of the valve.
        valve: usize,
        /// The order.
        to: Target,
        /// From the decision to the line being set, ns; `None` if it was not set.
        latency_ns: Option<u64>,
        /// The valve is not where it should be.
        failed: bool,
    },
}

/// Told of each update, in order, on whatever thread it happens and with the response locked: it must
/// be quick and must not call the response.
pub type Hook = Box<dyn Fn(Update<'_>) + Send + Sync>;

/// A hook that keeps a snapshot's valves and verdicts true and passes on what is worth a signal.
#[must_use]
pub fn publish(shared: Shared, signal: impl Fn(Change) + Send + Sync + 'static) -> Hook {
    Box::new(move |update| {
        let mut snapshot = shared.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        let change = match update {
            Update::Valve(at, state) => {
                if snapshot.valves.len() <= at {
                    snapshot.valves.resize_with(at + 1, ValveState::default);
                }
                if snapshot.valves[at] == *state {
                    return;
                }
                snapshot.valves[at] = state.clone();
                Change::Valve(at)
            }
            Update::VerdictAdded(verdict) => {
                snapshot.verdicts.push(verdict.clone());
                Change::VerdictAdded(verdict.id)
            }
            Update::VerdictRemoved(id) => {
                snapshot.verdicts.retain(|verdict| verdict.id != id);
                Change::VerdictRemoved(id)
            }
            Update::Driven { .. } | Update::Line(..) => return,
        };
        drop(snapshot);
        signal(change);
    })
}
