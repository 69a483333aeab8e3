// SPDX-License-Identifier: MIT OR Apache-2.0
//! `io.gasd1.Manager` at `/io/gasd1`: the service itself.

use std::collections::HashMap;

use zbus::object_server::SignalEmitter;
use zbus::{ObjectPath, Variant, interface};

use super::look;
use crate::state::Shared;

/// The service.
pub(super) struct Manager {
    pub(super) shared: Shared,
}

#[interface(name = "io.gasd1.Manager", introspection_docs = false)]
impl Manager {
    #[zbus(property(emits_changed_signal = "const"))]
    fn version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }

    #[zbus(property)]
    fn mode(&self) -> &'static str {
        look(&self.shared).service.mode.name()
    }

    #[zbus(property)]
    fn mode_reason(&self) -> String {
        look(&self.shared).service.mode_reason.clone()
    }

    #[zbus(property)]
    fn ring_overrun(&self) -> u64 {
        look(&self.shared).service.ring_overrun
    }

    #[zbus(property)]
    fn fall_through(&self) -> u64 {
        look(&self.shared).service.fall_through
    }

    #[zbus(property)]
    fn queue_full(&self) -> u64 {
        look(&self.shared).service.queue_full
    }

    #[zbus(property)]
    fn events_missed(&self) -> u64 {
        look(&self.shared).service.events_missed
    }

    #[zbus(property)]
    fn problems(&self) -> Vec<String> {
        look(&self.shared).service.problems.clone()
    }

    #[zbus(signal)]
    pub(super) async fn verdict_added(
        emitter: &SignalEmitter<'_>,
        verdict: ObjectPath<'_>,
        properties: HashMap<&str, Variant<'_>>,
    ) -> zbus::Result<()>;

    #[zbus(signal)]
    pub(super) async fn verdict_removed(
        emitter: &SignalEmitter<'_>,
        verdict: ObjectPath<'_>,
        details: HashMap<&str, Variant<'_>>,
    ) -> zbus::Result<()>;
}
