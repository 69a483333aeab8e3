// SPDX-License-Identifier: MIT OR Apache-2.0
//! Writing: a slice of changes is one transaction, all of it or none.

use redb::{ReadableTable as _, Table, WriteTransaction};

use crate::state::VerdictRecord;
use crate::store::codec::{CodecError, Record as _};
use crate::store::db::{
    AUDIT, BASES, HOLDS, KNOWN, LEARNED, MARKS, META, REMEMBERED, Store, UNACKNOWLEDGED, UNKNOWN, VALVES,
    VERDICTS,
};
use crate::store::error::StoreError;
use crate::store::records::{AuditEntry, Change, NextIds, StoredHold};
use crate::store::totals::Base;

/// Names one transaction of one writer, so that a transaction whose commit failed half-way can be
/// tried again without being applied twice: it is in the file with its rows, or not at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The writer: a number that no other writer of this file has.
    pub session: u64,
    /// Ascending within the writer.
    pub seq: u64,
}

/// What a commit did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Committed {
    /// Meters whose new base was lower than the stored one. The stored one was kept.
    pub kept: Vec<String>,
    /// The stamp was there already: nothing was written.
    pub already: bool,
}

/// An error inside a transaction, before it is told about its file.
#[derive(Debug)]
enum Fault {
    Redb(redb::Error),
    Codec(CodecError),
}

impl<E: Into<redb::Error>> From<E> for Fault {
    fn from(error: E) -> Self {
        Fault::Redb(error.into())
    }
}

impl Store {
    /// Applies all changes in one transaction and waits until they are on the disk.
    ///
    /// # Errors
    /// [`StoreError`]; after one the store must be opened again before it is used further.
    pub fn commit(&self, changes: &[Change]) -> Result<Committed, StoreError> {
        self.commit_stamped(None, changes)
    }

    /// As [`Store::commit`], but not twice for the same stamp.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn commit_stamped(&self, stamp: Option<Stamp>, changes: &[Change]) -> Result<Committed, StoreError> {
        self.try_commit(stamp, changes).map_err(|fault| match fault {
            Fault::Redb(error) => StoreError::from_redb(&self.path, error),
            Fault::Codec(error) => StoreError::from_codec(&self.path, &error),
        })
    }

    /// Persists the bases of several meters in one commit. A base that would make a total smaller is
    /// not written.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn persist_bases(&self, bases: &[(String, Base)]) -> Result<Committed, StoreError> {
        let changes: Vec<_> =
            bases.iter().map(|(meter, base)| Change::Base { meter: meter.clone(), base: *base }).collect();
        self.commit(&changes)
    }

    /// Places a hold.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn place_hold(&self, hold: StoredHold) -> Result<(), StoreError> {
        self.commit(&[Change::PlaceHold(hold)]).map(drop)
    }

    /// Releases a hold; releasing one that is not there changes nothing.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn release_hold(&self, cookie: u64) -> Result<(), StoreError> {
        self.commit(&[Change::ReleaseHold(cookie)]).map(drop)
    }

    /// Keeps a verdict until somebody acknowledges it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn add_verdict(&self, verdict: VerdictRecord) -> Result<(), StoreError> {
        self.commit(&[Change::Verdict(verdict)]).map(drop)
    }

    /// Notes who acknowledged a verdict; the record stays. An unknown id changes nothing.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn acknowledge(&self, verdict: u64, by: &str) -> Result<(), StoreError> {
        self.commit(&[Change::Acknowledge { verdict, by: by.into() }]).map(drop)
    }

    /// Appends an audit entry.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn audit(&self, entry: AuditEntry) -> Result<(), StoreError> {
        self.commit(&[Change::Audit(entry)]).map(drop)
    }

    /// A critical verdict, the holds it places and their audit entries: all or nothing.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn record_critical(
        &self,
        verdict: VerdictRecord,
        holds: Vec<StoredHold>,
        audits: Vec<AuditEntry>,
    ) -> Result<(), StoreError> {
        let mut changes = vec![Change::Verdict(verdict)];
        changes.extend(holds.into_iter().map(Change::PlaceHold));
        changes.extend(audits.into_iter().map(Change::Audit));
        self.commit(&changes).map(drop)
    }

    /// An opening: the holds it releases and its audit entry, all or nothing.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing may be opened.
    pub fn record_open(&self, released: &[u64], audit: AuditEntry) -> Result<(), StoreError> {
        let mut changes: Vec<_> = released.iter().map(|cookie| Change::ReleaseHold(*cookie)).collect();
        changes.push(Change::Audit(audit));
        self.commit(&changes).map(drop)
    }

    fn try_commit(&self, stamp: Option<Stamp>, changes: &[Change]) -> Result<Committed, Fault> {
        let mut write = self.db.begin_write()?;
        write.set_two_phase_commit(changes.iter().any(Change::is_weighty));
        let mut done = Committed::default();
        if let Some(stamp) = stamp {
            let mut meta = write.open_table(META)?;
            let old = [number(&meta, "stamp_session")?, number(&meta, "stamp_seq")?];
            if old[0] == Some(stamp.session) && old[1] >= Some(stamp.seq) {
                done.already = true;
                return Ok(done);
            }
            meta.insert("stamp_session", stamp.session.to_le_bytes().as_slice())?;
            meta.insert("stamp_seq", stamp.seq.to_le_bytes().as_slice())?;
        }
        for change in changes {
            apply(&write, change, &mut done)?;
        }
        write.commit()?;
        Ok(done)
    }
}

fn apply(write: &WriteTransaction, change: &Change, done: &mut Committed) -> Result<(), Fault> {
    match change {
        Change::Base { meter, base } => {
            let mut bases = write.open_table(BASES)?;
            let stored = match bases.get(meter.as_str())? {
                Some(bytes) => Base::decode(bytes.value()).map_err(Fault::Codec)?,
                None => Base::default(),
            };
            if base.pulses < stored.pulses || base.volume_ul < stored.volume_ul {
                done.kept.push(meter.clone());
            } else {
                bases.insert(meter.as_str(), base.encode().as_slice())?;
            }
        }
        Change::PlaceHold(hold) => {
            write.open_table(HOLDS)?.insert(hold.hold.cookie, hold.encode().as_slice())?;
            let marks = hold.marks.join("\n");
            write.open_table(MARKS)?.insert(hold.hold.cookie, marks.as_bytes())?;
            raise(write, "next_cookie", hold.hold.cookie.saturating_add(1))?;
        }
        Change::ReleaseHold(cookie) => {
            write.open_table(HOLDS)?.remove(cookie)?;
            write.open_table(MARKS)?.remove(cookie)?;
        }
        Change::Verdict(verdict) => {
            write.open_table(VERDICTS)?.insert(verdict.id, verdict.encode().as_slice())?;
            write.open_table(UNACKNOWLEDGED)?.insert(verdict.id, [].as_slice())?;
            raise(write, "next_verdict", verdict.id.saturating_add(1))?;
        }
        Change::Acknowledge { verdict, by } => {
            let mut verdicts = write.open_table(VERDICTS)?;
            let stored = match verdicts.get(verdict)? {
                Some(bytes) => Some(VerdictRecord::decode(bytes.value()).map_err(Fault::Codec)?),
                None => None,
            };
            if let Some(mut record) = stored {
                record.acknowledged_by = Some(by.clone());
                verdicts.insert(verdict, record.encode().as_slice())?;
                write.open_table(UNACKNOWLEDGED)?.remove(verdict)?;
            }
        }
        Change::Commanded { valve, to } => {
            write.open_table(VALVES)?.insert(valve.as_str(), to.encode().as_slice())?;
        }
        Change::Known { valve, last } => {
            write.open_table(KNOWN)?.insert(valve.as_str(), last.encode().as_slice())?;
        }
        Change::TotalUnknown { meter, since_unix_us } => {
            let key = format!("{UNKNOWN}{meter}");
            write.open_table(META)?.insert(key.as_str(), since_unix_us.to_le_bytes().as_slice())?;
        }
        Change::Learned { key, bytes } => {
            write.open_table(LEARNED)?.insert(key.as_str(), bytes.as_slice())?;
        }
        Change::Remembered { key, bytes } => {
            write.open_table(REMEMBERED)?.insert(key.as_str(), &**bytes)?;
        }
        Change::Audit(entry) => {
            let mut audit = write.open_table(AUDIT)?;
            // Rows are never removed, so the last number is the highest ever given.
            let next = audit.last()?.map_or(1, |(seq, _)| seq.value().saturating_add(1));
            audit.insert(next, entry.encode().as_slice())?;
        }
        Change::Ids(NextIds { verdict, cookie }) => {
            raise(write, "next_verdict", *verdict)?;
            raise(write, "next_cookie", *cookie)?;
        }
    }
    Ok(())
}

/// A number of the meta table; one of the wrong length counts as missing.
pub(super) fn number(
    meta: &impl redb::ReadableTable<&'static str, &'static [u8]>,
    key: &str,
) -> Result<Option<u64>, redb::StorageError> {
    Ok(meta.get(key)?.and_then(|bytes| bytes.value().try_into().ok()).map(u64::from_le_bytes))
}

/// Raises a number of the meta table; it never goes down.
fn raise(write: &WriteTransaction, key: &str, to: u64) -> Result<(), Fault> {
    let mut meta: Table<'_, &str, &[u8]> = write.open_table(META)?;
    if number(&meta, key)?.unwrap_or(0) < to {
        meta.insert(key, to.to_le_bytes().as_slice())?;
    }
    Ok(())
}
