// SPDX-License-Identifier: MIT OR Apache-2.0
//! The file: how it is made, opened and checked.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use redb::backends::FileBackend;
use redb::{
    Database, ReadableDatabase as _, ReadableTable as _, StorageBackend, TableDefinition, TableError,
};

use crate::store::error::{StoreError, directory};
use crate::store::records::NextIds;

/// The newest layout of tables and records that this gasd reads and writes.
pub const FORMAT: u32 = 1;

/// Bytes of redb's page cache. The whole state is a few hundred kilobytes; the default of 1 GiB is
/// a bound that a gateway with 256 MiB should not rely on.
const CACHE_BYTES: usize = 512 * 1024;

pub(super) type Named = TableDefinition<'static, &'static str, &'static [u8]>;
pub(super) type Numbered = TableDefinition<'static, u64, &'static [u8]>;

/// `format`, `next_verdict`, `next_cookie`, `stamp`, and [`UNKNOWN`]: little-endian numbers.
pub(super) const META: Named = TableDefinition::new("meta");
/// Key of `META`, before a meter's id: since when its total counts, as what was before is not known;
/// Unix time in µs.
pub(super) const UNKNOWN: &str = "unknown:";
/// Meter id → `Base`.
pub(super) const BASES: Named = TableDefinition::new("bases");
/// What drives a valve → last commanded `Position`. Of an earlier gasd, valve id.
pub(super) const VALVES: Named = TableDefinition::new("valves");
/// As `VALVES` → `LastKnown`. As young as `LEARNED`.
pub(super) const KNOWN: Named = TableDefinition::new("known");
/// Cookie → `StoredHold`.
pub(super) const HOLDS: Numbered = TableDefinition::new("holds");
/// Verdict id → `VerdictRecord`, acknowledged or not.
pub(super) const VERDICTS: Numbered = TableDefinition::new("verdicts");
/// Verdict id → nothing: those that nobody acknowledged.
pub(super) const UNACKNOWLEDGED: Numbered = TableDefinition::new("unacknowledged");
/// Meter id → `Learned`, and what was kept aside. Younger than the format: a store may be without it, and a gasd
/// that does not know it leaves it alone.
pub(super) const LEARNED: Named = TableDefinition::new("learned");
/// `memory:` or `latest:` and a meter's id → what is remembered of a meter on a port. As young as `LEARNED`.
pub(super) const REMEMBERED: Named = TableDefinition::new("remembered");
/// Cookie → the marks of a `StoredHold`, a line each. As young as `LEARNED`.
pub(super) const MARKS: Numbered = TableDefinition::new("marks");
/// Number → `AuditEntry`. Nothing in gasd removes or replaces a row of it.
pub(super) const AUDIT: Numbered = TableDefinition::new("audit");

/// The state of one gateway, in one file.
///
/// One process and one thread write it ([`crate::store::Writer`]); redb locks the file against others.
#[derive(Debug)]
pub struct Store {
    pub(super) db: Database,
    pub(super) path: PathBuf,
}

impl Store {
    /// Opens the store, or makes it (mode 0600) when there is none. The directory must exist.
    ///
    /// A new file appears under its name only when it is whole, so a power cut while it is made
    /// leaves none behind that could not be opened. Every page is checked against its checksum before
    /// anything is believed.
    ///
    /// # Errors
    /// [`StoreError`], with the directory and what to do.
    pub fn open(path: &Path) -> Result<Store, StoreError> {
        match path.symlink_metadata() {
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => make(path)?,
            Err(error) => return Err(StoreError::from_io(path, &error)),
        }
        match Store::open_file(path, true) {
            // The check writes a commit of its own. A full disk must not hide the holds from a starting
            // daemon, so they are read without it.
            Err(StoreError::DiskFull { .. }) => Store::open_file(path, false),
            other => other,
        }
    }

    /// Opens the store again after an error. Unlike [`Store::open`] it makes none: a file that is gone
    /// while gasd runs is a finding for a person, not a reason to begin anew.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn reopen(path: &Path) -> Result<Store, StoreError> {
        match Store::open_file(path, false) {
            Err(StoreError::MissingDirectory { dir }) if dir.is_dir() => Err(StoreError::Io {
                path: path.into(),
                detail: "the file is gone; what is in memory is kept until gasd stops".into(),
            }),
            other => other,
        }
    }

    /// After the last commit of an orderly stop: the next numbers exactly, so that no numbers are
    /// skipped. Not below a number that is in use.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn settle_ids(&self, next: NextIds) -> Result<(), StoreError> {
        let write = || -> Result<(), redb::Error> {
            let mut write = self.db.begin_write()?;
            write.set_two_phase_commit(true);
            let past = |last: Option<u64>| last.map_or(1, |last| last.saturating_add(1));
            let verdict = past(write.open_table(VERDICTS)?.last()?.map(|(id, _)| id.value()));
            let cookie = past(write.open_table(HOLDS)?.last()?.map(|(id, _)| id.value()));
            let mut meta = write.open_table(META)?;
            meta.insert("next_verdict", next.verdict.max(verdict).to_le_bytes().as_slice())?;
            meta.insert("next_cookie", next.cookie.max(cookie).to_le_bytes().as_slice())?;
            drop(meta);
            write.commit()?;
            Ok(())
        };
        write().map_err(|error| StoreError::from_redb(&self.path, error))
    }

    fn open_file(path: &Path, check: bool) -> Result<Store, StoreError> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(path)
            .map_err(|error| StoreError::from_io(path, &error))?;
        // The database would take an empty file for a new one, and forget what was in it. One of ours
        // has its name only when it is whole, see `make`.
        if file.metadata().map_err(|error| StoreError::from_io(path, &error))?.len() == 0 {
            return Err(StoreError::Corrupted { path: path.into(), detail: "it is empty".into() });
        }
        let backend = FileBackend::new(file).map_err(|error| StoreError::from_redb(path, error))?;
        Store::with_backend(backend, path, check)
    }

    /// Opens a store that lives elsewhere than in a file; `path` is what errors call it. `check`
    /// verifies every page first, which writes.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn with_backend(backend: impl StorageBackend, path: &Path, check: bool) -> Result<Store, StoreError> {
        let db = Database::builder()
            .set_cache_size(CACHE_BYTES)
            .set_check_integrity_on_open(check)
            .create_with_backend(backend)
            .map_err(|error| StoreError::from_redb(path, error))?;
        let store = Store { db, path: path.into() };
        match store.format()? {
            Some(FORMAT) => {}
            Some(found) if found > FORMAT => {
                return Err(StoreError::Newer { path: path.into(), found, known: FORMAT });
            }
            Some(found) => {
                return Err(StoreError::Corrupted {
                    path: path.into(),
                    detail: format!("it has format {found}"),
                });
            }
            None => store.format_new()?,
        }
        Ok(store)
    }

    /// What errors call the file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn format(&self) -> Result<Option<u32>, StoreError> {
        let fail = |error: redb::Error| StoreError::from_redb(&self.path, error);
        let read = self.db.begin_read().map_err(|error| fail(error.into()))?;
        let meta = match read.open_table(META) {
            Ok(meta) => meta,
            Err(TableError::TableDoesNotExist(_)) => {
                // A file without a format is new only if it is empty: it might be somebody else's.
                let mut tables = read.list_tables().map_err(|error| fail(error.into()))?;
                return match tables.next() {
                    None => Ok(None),
                    Some(_) => Err(StoreError::Corrupted {
                        path: self.path.clone(),
                        detail: "it is a database, but not one of gasd".into(),
                    }),
                };
            }
            Err(error) => return Err(fail(error.into())),
        };
        let format = meta.get("format").map_err(|error| fail(error.into()))?;
        let bytes = format.as_ref().map(|format| format.value());
        match bytes.map(<[u8; 4]>::try_from) {
            Some(Ok(bytes)) => Ok(Some(u32::from_le_bytes(bytes))),
            _ => {
                Err(StoreError::Corrupted { path: self.path.clone(), detail: "its format is missing".into() })
            }
        }
    }

    /// All tables are made at once, so that later reads need not ask whether they exist.
    fn format_new(&self) -> Result<(), StoreError> {
        let write = || -> Result<(), redb::Error> {
            let mut write = self.db.begin_write()?;
            write.set_two_phase_commit(true);
            for table in [BASES, VALVES] {
                write.open_table(table)?;
            }
            for table in [HOLDS, VERDICTS, UNACKNOWLEDGED, AUDIT] {
                write.open_table(table)?;
            }
            write.open_table(META)?.insert("format", FORMAT.to_le_bytes().as_slice())?;
            write.commit()?;
            Ok(())
        };
        write().map_err(|error| StoreError::from_redb(&self.path, error))
    }
}

/// Makes a whole, empty store under a name of its own and then links it to `path`.
fn make(path: &Path) -> Result<(), StoreError> {
    let fail = |error: std::io::Error| StoreError::from_io(path, &error);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let new = directory(path).join(format!(".{name}.{}.new", std::process::id()));
    let made = (|| {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&new)
            .map_err(fail)?;
        let backend = FileBackend::new(file).map_err(|error| StoreError::from_redb(path, error))?;
        drop(Store::with_backend(backend, path, false)?);
        File::open(&new).and_then(|file| file.sync_all()).map_err(fail)?;
        // Unlike a rename, a link never replaces a store that somebody else made meanwhile.
        match fs::hard_link(&new, path) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(fail(error)),
            _ => Ok(()),
        }
    })();
    // Nothing depends on the spare name; a next start with this process id writes over it.
    let _ = fs::remove_file(&new);
    made?;
    File::open(directory(path)).and_then(|dir| dir.sync_all()).map_err(fail)
}
