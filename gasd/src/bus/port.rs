// SPDX-License-Identifier: MIT OR Apache-2.0
//! `io.gasd1.Port`, one object a port that meters are read through.

use std::collections::BTreeMap;

use gasd_meters::detect::Protocol;
use gasd_meters::drive::scan::{Bounds, Search};
use zbus::message::Header;
use zbus::{Connection, OwnedFd, interface};

use super::call::{Desk, Options, no_other_options, option};
use super::guard::Duty;
use super::refusal::Refusal;
use super::{Searcher, look};
use crate::state::{CommandError, PortState, Shared};

/// A port, by its id: its place in the snapshot changes with the configuration.
pub(super) struct Port {
    pub(super) shared: Shared,
    pub(super) id: String,
    pub(super) desk: Desk,
    pub(super) search: Option<Searcher>,
}

impl Port {
    fn get<T: Default>(&self, read: impl FnOnce(&PortState) -> T) -> T {
        look(&self.shared).ports.iter().find(|port| port.id == self.id).map(read).unwrap_or_default()
    }
}

const PROTOCOLS: &str = "names of protocols (as): dlt645, cjt188, mbus, hart, modbus";

/// What is looked for: all protocols, or those that are named.
fn wish(options: &Options) -> Result<Search, Refusal> {
    no_other_options(options, &["Protocols"])?;
    let names: Vec<String> = option(options, "Protocols", PROTOCOLS)?.unwrap_or_default();
    let mut protocols = Vec::new();
    for name in &names {
        let found = Protocol::ALL.into_iter().find(|protocol| protocol.name() == name);
        protocols.push(found.ok_or(Refusal::WrongOption { name: "Protocols", expected: PROTOCOLS })?);
    }
    if protocols.is_empty() {
        protocols = Protocol::ALL.to_vec();
    }
    Ok(Search::new(&protocols, &Bounds::default()))
}

#[interface(name = "io.gasd1.Port", introspection_docs = false)]
impl Port {
    #[zbus(out_args("found"))]
    async fn scan(
        &self,
        #[zbus(connection)] connection: &Connection,
        #[zbus(header)] header: Header<'_>,
        options: Options,
    ) -> Result<OwnedFd, Refusal> {
        let _ticket = self.desk.guard.admit(&header)?;
        let search = wish(&options)?;
        self.desk.guard.may(connection, &header, Duty::Configure).await?;
        let start = self.search.as_ref().ok_or(CommandError::Stopping)?;
        Ok(start(&self.id, search).map_err(Refusal::NoScan)?.into())
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn id(&self) -> String {
        self.id.clone()
    }

    #[zbus(property)]
    fn kind(&self) -> String {
        self.get(|port| port.kind.clone())
    }

    #[zbus(property)]
    fn place(&self) -> String {
        self.get(|port| port.place.clone())
    }

    #[zbus(property)]
    fn health(&self) -> String {
        self.get(|port| port.health.clone())
    }

    #[zbus(property)]
    fn supply(&self) -> &'static str {
        self.get(|port| port.supply)
    }

    #[zbus(property)]
    fn meters(&self) -> Vec<String> {
        self.get(|port| port.meters.clone())
    }

    #[zbus(property)]
    fn counts(&self) -> BTreeMap<&'static str, u64> {
        self.get(|port| port.counts.clone())
    }

    #[zbus(property)]
    fn echo(&self) -> &'static str {
        self.get(|port| port.echo)
    }

    #[zbus(property)]
    fn strangers(&self) -> Vec<(String, String)> {
        self.get(|port| port.strangers.clone())
    }
}
