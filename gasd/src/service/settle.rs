// SPDX-License-Identifier: MIT OR Apache-2.0
//! The totals' bases made durable at the start, if the disk lets us.

use crate::{
    config::Config,
    exit::Fatal,
    store::{Base, Store, StoreError, Writer},
};

/// Writes the bases and starts the writer. Also says whether they are durable.
///
/// A full disk must not keep the meters from counting or the valves from closing, so the writer goes
/// on trying. It does if the bases that are on the disk would lead to these ones again: not for a
/// meter that is new, or whose pulses are worth something else from now on.
pub fn settle(
    store: Store,
    config: &Config,
    before: &[(String, Base)],
    bases: &[(String, Base)],
) -> Result<(Writer, bool), Fatal> {
    match store.persist_bases(bases) {
        Ok(_) => Ok((Writer::start(store)?, true)),
        Err(StoreError::DiskFull { .. }) if leads_there_again(config, before) => {
            // After an error the file has to be opened anew.
            drop(store);
            let writer = Writer::start(Store::reopen(&config.store)?)?;
            let _ = writer.handle().persist_bases(bases.iter().cloned());
            Ok((writer, false))
        }
        Err(error) => Err(error.into()),
    }
}

fn leads_there_again(config: &Config, before: &[(String, Base)]) -> bool {
    config.meters.iter().all(|meter| {
        before.iter().any(|(id, base)| *id == meter.id && base.pulse_volume_ul == meter.pulse_volume_ul)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_endured_by_meters_that_it_knows_as_they_are() {
        let config = |litres: u32| {
            let text = format!("[[meter]]\nid = \"kitchen\"\nline = 1\npulse_volume = \"{litres} L\"\n");
            crate::config::parse("t.toml", &text).unwrap()
        };
        let base = Base { pulse_volume_ul: 10_000_000, ..Base::default() };
        let before = [("kitchen".to_owned(), base)];
        assert!(leads_there_again(&config(10), &before));
        assert!(!leads_there_again(&config(1), &before));
        assert!(!leads_there_again(&config(10), &[]));
    }
}
