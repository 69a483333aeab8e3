// SPDX-License-Identifier: MIT OR Apache-2.0
//! The totals' bases made durable at the start, if the disk lets us.

use std::path::Path;

use crate::store::{Base, Change, NextIds, Store, StoreError, Writer};

/// A writer that goes on from these bases.
pub struct Settled {
    /// It.
    pub writer: Writer,
    /// The push that makes the bases durable; `None` if they are.
    pub ticket: Option<u64>,
}

/// Writes the bases, after `rows` of the start, and starts the writer.
///
/// A disk that is full or read-only keeps neither the meters from counting nor the valves from
/// closing: the writer goes on trying. What the old bases in the file would lead to after a crash is
/// what is shown meanwhile, see [`crate::pipeline::meter::MeterRun::doubt`].
pub fn settle(
    store: Option<Store>,
    path: &Path,
    next: NextIds,
    rows: Vec<Change>,
    bases: &[(String, Base)],
) -> Result<Settled, StoreError> {
    let mut changes = rows;
    changes.extend(bases.iter().map(|(meter, base)| Change::Base { meter: meter.clone(), base: *base }));
    let writer = match store.map(|store| (store.commit(&changes), store)) {
        Some((Ok(_), store)) => return Ok(Settled { writer: Writer::start(store)?, ticket: None }),
        // After an error the file has to be opened anew.
        Some((Err(_), _)) | None => Writer::without(path.to_owned(), next)?,
    };
    let ticket = Some(writer.handle().push_ticket(changes));
    Ok(Settled { writer, ticket })
}
