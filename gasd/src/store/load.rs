// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reading: what a starting daemon needs, and the tail of the audit record.

use redb::{ReadTransaction, ReadableDatabase as _, ReadableTable as _, TableError};

use crate::state::{Position, VerdictRecord};
use crate::store::codec::Record;
use crate::store::commit::number;
use crate::store::db::{
    AUDIT, BASES, HOLDS, KNOWN, LEARNED, MARKS, META, Named, REMEMBERED, Store, UNACKNOWLEDGED, UNKNOWN,
    VALVES, VERDICTS,
};
use crate::store::error::StoreError;
use crate::store::position::LastKnown;
use crate::store::records::{AuditEntry, AuditPage, Loaded, NextIds, StoredHold};
use crate::store::totals::Base;

impl Store {
    /// Everything that a starting daemon needs, as of one moment.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn load(&self) -> Result<Loaded, StoreError> {
        Ok(Loaded {
            bases: self.load_bases()?,
            holds: self.holds()?,
            verdicts: self.unacknowledged()?,
            commanded: self.commanded()?,
            known: self.known()?,
            unknown: self.unknown()?,
            learned: self.learned()?,
            remembered: self.optional(REMEMBERED)?,
        })
    }

    /// Meter ids and their bases, by id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn load_bases(&self) -> Result<Vec<(String, Base)>, StoreError> {
        self.named(BASES)
    }

    /// Valve ids and where they were last told to be, by id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn commanded(&self) -> Result<Vec<(String, Position)>, StoreError> {
        self.named(VALVES)
    }

    /// Valve ids and where each was when that was last known, by id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn known(&self) -> Result<Vec<(String, LastKnown)>, StoreError> {
        let rows: Vec<(String, Vec<u8>)> = self.optional(KNOWN)?;
        let known = |(id, bytes): (String, Vec<u8>)| Some((id, LastKnown::decode(&bytes)?));
        Ok(rows.into_iter().filter_map(known).collect())
    }

    /// Ids of meters whose total is not known, and since when they count, Unix time in µs.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn unknown(&self) -> Result<Vec<(String, u64)>, StoreError> {
        self.read(|read| {
            let mut found = Vec::new();
            for row in read.open_table(META)?.range(UNKNOWN..)? {
                let (key, bytes) = row?;
                let Some(meter) = key.value().strip_prefix(UNKNOWN) else { break };
                let since = bytes.value().try_into().map_or(0, u64::from_le_bytes);
                found.push((meter.to_owned(), since));
            }
            Ok(found)
        })
    }

    /// Meter ids and what was learned of their homes, without what was kept aside.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn learned(&self) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        let mut rows: Vec<(String, Vec<u8>)> = self.optional(LEARNED)?;
        rows.retain(|(key, _)| !key.contains(':'));
        Ok(rows)
    }

    /// The rows of a table that a store may be without.
    fn optional<B: From<Vec<u8>>>(&self, table: Named) -> Result<Vec<(String, B)>, StoreError> {
        self.read(|read| {
            let table = match read.open_table(table) {
                Ok(table) => table,
                Err(TableError::TableDoesNotExist(_)) => return Ok(Vec::new()),
                Err(error) => return Err(error.into()),
            };
            let mut rows = Vec::new();
            for row in table.iter()? {
                let (key, bytes) = row?;
                rows.push((key.value().to_owned(), bytes.value().to_vec().into()));
            }
            Ok(rows)
        })
    }

    /// All holds, in the order of their cookies.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn holds(&self) -> Result<Vec<StoredHold>, StoreError> {
        let rows = self.read(|read| {
            let mut rows = Vec::new();
            let marks = match read.open_table(MARKS) {
                Ok(table) => Some(table),
                Err(TableError::TableDoesNotExist(_)) => None,
                Err(error) => return Err(error.into()),
            };
            for row in read.open_table(HOLDS)?.iter()? {
                let (cookie, bytes) = row?;
                let text = match &marks {
                    Some(marks) => marks.get(cookie.value())?.map(|text| text.value().to_vec()),
                    None => None,
                };
                rows.push((bytes.value().to_vec(), text.unwrap_or_default()));
            }
            Ok(rows)
        })?;
        let hold = |(bytes, text): &(Vec<u8>, Vec<u8>)| {
            let held: StoredHold = self.decode(bytes)?;
            let marks = String::from_utf8_lossy(text).lines().map(ToOwned::to_owned).collect();
            Ok(StoredHold { marks, ..held })
        };
        rows.iter().map(hold).collect()
    }

    /// Verdicts that nobody acknowledged, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn unacknowledged(&self) -> Result<Vec<VerdictRecord>, StoreError> {
        self.read(|read| {
            let verdicts = read.open_table(VERDICTS)?;
            let mut rows = Vec::new();
            for row in read.open_table(UNACKNOWLEDGED)?.iter()? {
                if let Some(bytes) = verdicts.get(row?.0.value())? {
                    rows.push(bytes.value().to_vec());
                }
            }
            Ok(rows)
        })?
        .iter()
        .map(|bytes| self.decode(bytes))
        .collect()
    }

    /// One verdict, acknowledged or not.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn verdict(&self, id: u64) -> Result<Option<VerdictRecord>, StoreError> {
        self.read(|read| Ok(read.open_table(VERDICTS)?.get(id)?.map(|bytes| bytes.value().to_vec())))?
            .map(|bytes| self.decode(&bytes))
            .transpose()
    }

    /// The last `n` audit entries with their numbers, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn audit_tail(&self, n: usize) -> Result<Vec<(u64, AuditEntry)>, StoreError> {
        self.audit_page(AuditPage { last: n, before: None })
    }

    /// A page of audit entries with their numbers, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn audit_page(&self, page: AuditPage) -> Result<Vec<(u64, AuditEntry)>, StoreError> {
        let mut rows = self.read(|read| {
            let mut rows = Vec::new();
            let end = page.before.unwrap_or(u64::MAX);
            for row in read.open_table(AUDIT)?.range(..end)?.rev().take(page.last) {
                let (seq, bytes) = row?;
                rows.push((seq.value(), bytes.value().to_vec()));
            }
            Ok(rows)
        })?;
        rows.reverse();
        rows.into_iter().map(|(seq, bytes)| Ok((seq, self.decode(&bytes)?))).collect()
    }

    /// The next numbers to hand out.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn next_ids(&self) -> Result<NextIds, StoreError> {
        self.read(|read| {
            let meta = read.open_table(META)?;
            let least = NextIds::default();
            Ok(NextIds {
                verdict: number(&meta, "next_verdict")?.unwrap_or(0).max(least.verdict),
                cookie: number(&meta, "next_cookie")?.unwrap_or(0).max(least.cookie),
            })
        })
    }

    fn named<R: Record>(&self, table: Named) -> Result<Vec<(String, R)>, StoreError> {
        self.read(|read| {
            let mut rows = Vec::new();
            for row in read.open_table(table)?.iter()? {
                let (key, bytes) = row?;
                rows.push((key.value().to_owned(), bytes.value().to_vec()));
            }
            Ok(rows)
        })?
        .into_iter()
        .map(|(key, bytes)| Ok((key, self.decode(&bytes)?)))
        .collect()
    }

    fn decode<R: Record>(&self, bytes: &[u8]) -> Result<R, StoreError> {
        R::decode(bytes).map_err(|error| StoreError::from_codec(&self.path, &error))
    }

    fn read<T>(
        &self,
        query: impl FnOnce(&ReadTransaction) -> Result<T, redb::Error>,
    ) -> Result<T, StoreError> {
        let fail = |error| StoreError::from_redb(&self.path, error);
        let read = self.db.begin_read().map_err(|error| fail(error.into()))?;
        query(&read).map_err(fail)
    }
}
