// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a start looks at before anything is changed, and what it says at first.

use std::sync::Arc;

use crate::{
    config::Config,
    exit::Fatal,
    journal::{self, Note, what::What},
    kernel::{Kernel, KernelError},
    response::clock,
    state::{MeterState, Mode, Shared, Snapshot},
    store::{Change, Recovered, Store, StoreError, recover},
};

use super::{reload::Reader, run::Options};

/// Reads the configuration as this command line wants it, now and whenever it is asked again.
pub fn reader(options: &Options) -> Reader {
    let Options { config, pins, store, simulated, play, .. } = options.clone();
    let chips = play.is_none() && !simulated;
    Box::new(move || {
        let mut read = config.load()?;
        if chips {
            read.require_chips()?;
        }
        if let Some(pins) = &pins {
            read.pins.clone_from(pins);
        }
        if let Some(store) = &store {
            read.store.clone_from(store);
        }
        Ok(read)
    })
}

/// The kernel's programs where they can be used, with a reason where they cannot.
pub fn filter_side(options: &Options, config: &Config) -> Result<(Option<Arc<Kernel>>, Mode, String), Fatal> {
    if options.userspace {
        return Ok((None, Mode::Userspace, "asked for on the command line".into()));
    }
    match Kernel::open(&config.pins) {
        Ok(kernel) => Ok((Some(Arc::new(kernel)), Mode::Kernel, String::new())),
        // Pins that are there and do not fit are somebody's mistake, not this machine's nature.
        Err(error) if error.allows_userspace() && !matches!(error, KernelError::NotLoaded(_)) => {
            let text =
                format!("the filter runs in user space, nothing is counted while gasd is down: {error}");
            journal::tell(Note::new(What::Userspace, text));
            Ok((None, Mode::Userspace, error.to_string()))
        }
        Err(error) => Err(error.into()),
    }
}

/// Opens the store if there is one. Whether it can be used is [`store`]'s to say; an error here is one
/// that nothing goes on from, and nothing was touched.
pub fn existing_store(config: &Config) -> Result<Option<Result<Store, StoreError>>, StoreError> {
    match config.store.exists().then(|| Store::open(&config.store)) {
        Some(Err(error)) if !error.is_survivable() => Err(error),
        opened => Ok(opened),
    }
}

/// The store, whatever has become of it, and what is to be written into it first. What is lost is said
/// loudly.
pub fn store(
    config: &Config,
    existing: Option<Result<Store, StoreError>>,
) -> Result<(Recovered, Vec<Change>), StoreError> {
    let now = clock::now();
    let mut recovered = recover(existing, &config.store, now.unix_us / 1_000_000)?;
    let valves: Vec<String> = config.valves.iter().map(|valve| valve.id.clone()).collect();
    let meters: Vec<String> = config.meters.iter().map(|meter| meter.id.clone()).collect();
    let rows = recovered.mark(&valves, &meters, now.unix_us);
    if let Some(loss) = &recovered.loss {
        let what = match loss.why {
            StoreError::Newer { .. } => What::StoreNewer,
            _ => What::StoreDamaged,
        };
        journal::tell(Note::new(what, loss.to_string()));
    }
    Ok((recovered, rows))
}

/// What the journal says of a start.
#[must_use]
pub fn started(config: &Config, mode: Mode) -> String {
    let (meters, valves) = (config.meters.len(), config.valves.len());
    format!(
        "gasd {} watches {meters} meters and {valves} valves; filter in {}",
        env!("CARGO_PKG_VERSION"),
        mode.name()
    )
}

/// What may be seen before the first look at the meters.
pub fn first_snapshot(shared: &Shared, config: &Config, valves: &[String], mode: Mode, reason: String) {
    let mut snapshot = shared.write().unwrap_or_else(std::sync::PoisonError::into_inner);
    *snapshot = Snapshot::default();
    snapshot.service.mode = mode;
    snapshot.service.mode_reason = reason;
    for (meter, valve) in config.meters.iter().zip(valves) {
        snapshot.meters.push(MeterState {
            id: meter.id.clone(),
            health: "starting".into(),
            valve: valve.clone(),
            ..MeterState::default()
        });
    }
}
