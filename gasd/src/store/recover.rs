// SPDX-License-Identifier: MIT OR Apache-2.0
//! The store at a start, whatever has become of it. People come before data, data before convenience:
//! gas is metered and valves close without a store, and no byte of a store that cannot be read is
//! thrown away.
//!
//! | what is found | what happens |
//! |---|---|
//! | a good file | it is used |
//! | none, or a disk that is full or read-only | what can be read is used, what is to be written waits in memory |
//! | a damaged file, or a newer gasd's | it is renamed, a new one is begun, totals and holds count as unknown |
//! | in use, not permitted, no directory | an error: somebody's mistake, and nothing is touched |

use std::fmt;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use redb::StorageBackend as _;
use redb::backends::InMemoryBackend;

use crate::state::Hold;
use crate::store::db::Store;
use crate::store::error::{StoreError, directory};
use crate::store::records::{AuditEntry, Change, GASD, Loaded, NextIds, StoredHold};

/// Files that are kept aside at the most. Beyond that the damaged one stays where it is and nothing is
/// written: a disk that damages a file at every start is not to be filled with them.
pub const ASIDE: usize = 4;
/// A store that is larger is not copied into memory, bytes.
const LARGEST_COPY: u64 = 64 << 20;

/// What a starting daemon has to go on.
#[derive(Debug)]
pub struct Recovered {
    /// The store; `None` while it cannot be written.
    pub store: Option<Store>,
    /// What it said.
    pub loaded: Loaded,
    /// The next numbers to hand out.
    pub next: NextIds,
    /// What is lost, if anything.
    pub loss: Option<Loss>,
}

/// Totals, holds and verdicts of before are not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// What was wrong.
    pub why: StoreError,
    /// What the file is called now; `None` if it stayed where it was.
    pub aside: Option<PathBuf>,
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let detail = match &self.why {
            StoreError::Corrupted { detail, .. } => format!("was damaged ({detail})"),
            StoreError::Newer { found, known, .. } => {
                format!("is of a newer gasd (format {found}, this one knows {known})")
            }
            other => format!("could not be read ({other})"),
        };
        write!(f, "the store {detail}")?;
        match &self.aside {
            Some(aside) => write!(f, " and was set aside as {}", aside.display())?,
            None => write!(f, " and could not be set aside, so nothing is written down")?,
        }
        write!(
            f,
            "; totals go on from what the filter still had counted and are marked unknown, and valves are held closed"
        )
    }
}

/// Goes on from the store at `path`. `first` is what opening it brought, if it was there; it must be
/// clear by now that no other gasd works here. `unix_s` is the time of day, for names and numbers.
///
/// # Errors
/// [`StoreError`] for a mistake that a person can mend: in use by another gasd, not permitted, no
/// directory. Nothing was changed then.
pub fn recover(
    first: Option<Result<Store, StoreError>>,
    path: &Path,
    unix_s: u64,
) -> Result<Recovered, StoreError> {
    let opened = first.unwrap_or_else(|| Store::open(path)).and_then(|store| {
        let loaded = store.load()?;
        let next = store.next_ids()?;
        Ok(Recovered { store: Some(store), loaded, next, loss: None })
    });
    match opened {
        Ok(recovered) => Ok(recovered),
        Err(error) if !error.is_survivable() => Err(error),
        Err(why @ (StoreError::Corrupted { .. } | StoreError::Newer { .. })) => {
            Ok(begin_anew(path, why, unix_s))
        }
        Err(why) => Ok(without(path, why, unix_s)),
    }
}

/// A new store in place of one that cannot be read.
fn begin_anew(path: &Path, why: StoreError, unix_s: u64) -> Recovered {
    let aside = set_aside(path, &why, unix_s);
    let store = aside.as_ref().and_then(|_| Store::open(path).ok());
    let loaded = Loaded::default();
    Recovered { store, loaded, next: numbers(unix_s), loss: Some(Loss { why, aside }) }
}

/// The file cannot be written now: what it says may be known all the same.
fn without(path: &Path, why: StoreError, unix_s: u64) -> Recovered {
    let copied = copy(path).and_then(|copy| Ok((copy.load()?, copy.next_ids()?)));
    match copied {
        Ok((loaded, next)) => Recovered { store: None, loaded, next, loss: None },
        // A full disk that never had a store: there is nothing to know.
        Err(_) if matches!(why, StoreError::DiskFull { .. }) && !path.exists() => {
            Recovered { store: None, loaded: Loaded::default(), next: NextIds::default(), loss: None }
        }
        Err(_) => Recovered {
            store: None,
            loaded: Loaded::default(),
            next: numbers(unix_s),
            loss: Some(Loss { why, aside: None }),
        },
    }
}

/// A copy of the file in memory, which mends itself without touching the disk.
fn copy(path: &Path) -> Result<Store, StoreError> {
    let fail = |error: std::io::Error| StoreError::from_io(path, &error);
    let length = fs::metadata(path).map_err(fail)?.len();
    if length > LARGEST_COPY {
        return Err(StoreError::Io {
            path: path.into(),
            detail: format!("{length} bytes are too many to copy"),
        });
    }
    let bytes = fs::read(path).map_err(fail)?;
    let backend = InMemoryBackend::new();
    backend.set_len(bytes.len() as u64).map_err(fail)?;
    backend.write(0, &bytes).map_err(fail)?;
    Store::with_backend(backend, path, true)
}

/// Renames the file, unless too many were already. Never over another file, never away.
fn set_aside(path: &Path, why: &StoreError, unix_s: u64) -> Option<PathBuf> {
    let name = path.file_name()?.to_str()?;
    let dir = directory(path);
    let prefixes = [format!("{name}.damaged-"), format!("{name}.newer-")];
    let kept = fs::read_dir(&dir).ok()?.filter_map(Result::ok).filter(|entry| {
        entry.file_name().to_str().is_some_and(|name| prefixes.iter().any(|prefix| name.starts_with(prefix)))
    });
    if kept.count() >= ASIDE {
        return None;
    }
    let prefix = &prefixes[usize::from(matches!(why, StoreError::Newer { .. }))];
    // The clock may stand still or go back; a name is not used twice.
    let aside = (unix_s..).map(|second| dir.join(format!("{prefix}{second}"))).find(|path| !path.exists())?;
    fs::rename(path, &aside).ok()?;
    // The rename is what matters; a directory that cannot be synced is told of by the next write.
    let _ = File::open(&dir).and_then(|dir| dir.sync_all());
    Some(aside)
}

/// Numbers that were surely not handed out before: those of a store count from 1.
fn numbers(unix_s: u64) -> NextIds {
    let from = unix_s.max(1_000_000_000);
    NextIds { verdict: from, cookie: from }
}

impl Recovered {
    /// After a [`Loss`]: holds every one of these valves, and marks every one of these totals unknown.
    /// Returns what is to be written down; it is in [`Recovered::loaded`] already.
    pub fn mark(&mut self, valves: &[String], meters: &[String], unix_us: u64) -> Vec<Change> {
        let Some(loss) = &self.loss else { return Vec::new() };
        let entry = AuditEntry {
            time_unix_us: unix_us,
            actor: GASD.to_owned(),
            action: "begin anew".to_owned(),
            object: "store".to_owned(),
            detail: loss.to_string(),
            outcome: "done".to_owned(),
            ..AuditEntry::default()
        };
        let mut rows = vec![Change::Ids(self.next), Change::Audit(entry)];
        for valve in valves {
            let hold = Hold {
                cookie: self.next.cookie,
                owner: GASD.to_owned(),
                reason: format!("what held this valve before is not known: {loss}"),
                verdict: None,
                since_unix_us: unix_us,
                uid: None,
            };
            self.next.cookie += 1;
            let hold = StoredHold { valve: valve.clone(), hold, marks: Vec::new() };
            rows.push(Change::PlaceHold(hold.clone()));
            self.loaded.holds.push(hold);
        }
        for meter in meters {
            rows.push(Change::TotalUnknown { meter: meter.clone(), since_unix_us: unix_us });
            self.loaded.unknown.push((meter.clone(), unix_us));
        }
        rows
    }
}
