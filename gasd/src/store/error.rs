// SPDX-License-Identifier: MIT OR Apache-2.0
//! Why the store could not be opened, read or written, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

use crate::store::codec::CodecError;

/// What is wrong with the store.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The directory of the file does not exist.
    #[error(
        "the store's directory {} does not exist; `systemctl restart gasd` makes the default one (StateDirectory=), another one is made with `install -d -o gasd -g gasd -m 0750 {}`",
        .dir.display(), .dir.display()
    )]
    MissingDirectory {
        /// The directory.
        dir: PathBuf,
    },
    /// gasd may not read or write it.
    #[error(
        "gasd may not use the store {} ({detail}); the directory {} must belong to the user gasd: `chown -R gasd:gasd {}`",
        .path.display(), .dir.display(), .dir.display()
    )]
    Permission {
        /// The file.
        path: PathBuf,
        /// Its directory.
        dir: PathBuf,
        /// What the kernel said.
        detail: String,
    },
    /// The file system is read-only, for everybody or for the service.
    #[error(
        "gasd may not write the store {}: Read-only file system. For the service all is read-only but its own directory; let it write there: `systemctl edit gasd`, in it [Service] and ReadWritePaths={}, then `systemctl restart gasd`. If the disk itself is: `mount -o remount,rw`",
        .path.display(), .dir.display()
    )]
    ReadOnly {
        /// The file.
        path: PathBuf,
        /// Its directory.
        dir: PathBuf,
    },
    /// No space is left, or the quota is used up.
    #[error("no space is left for the store in {}; free some (`df -h {}`), gasd tries again by itself", .dir.display(), .dir.display())]
    DiskFull {
        /// The directory.
        dir: PathBuf,
    },
    /// Another process has it open.
    #[error("the store {} is in use by another gasd; `systemctl status gasd` and `fuser {}` name it", .path.display(), .path.display())]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// The file is not what gasd wrote.
    #[error(
        "the store {} is damaged ({detail}); the daemon sets it aside at its next start and begins a new one: totals are unknown then, and valves are held closed until a person opens them",
        .path.display()
    )]
    Corrupted {
        /// The file.
        path: PathBuf,
        /// What was found.
        detail: String,
    },
    /// A newer gasd wrote it.
    #[error(
        "the store {} has format {found}, this gasd knows up to {known}; install the newer gasd again. The daemon of this one sets it aside and begins a new one",
        .path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest format known.
        known: u32,
    },
    /// Something else went wrong between gasd and the disk.
    #[error("the store {} cannot be used: {detail}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the kernel or the database said.
        detail: String,
    },
    /// The write was not done in time; whether it still will be is not known.
    #[error("the disk of the store {} did not answer within {seconds} s", .path.display())]
    Slow {
        /// The file.
        path: PathBuf,
        /// How long it was waited for, s.
        seconds: u64,
    },
    /// The writer was stopped.
    #[error("the store is closed, the service is stopping")]
    Stopped,
}

impl StoreError {
    /// Whether the service can go on without this store: meters and valves need no disk. What it cannot
    /// do without is a person who mends what only a person can.
    #[must_use]
    pub const fn is_survivable(&self) -> bool {
        !matches!(
            self,
            StoreError::MissingDirectory { .. } | StoreError::Permission { .. } | StoreError::Locked { .. }
        )
    }

    /// From an error of the operating system about `path`.
    #[must_use]
    pub fn from_io(path: &Path, error: &io::Error) -> StoreError {
        let dir = directory(path);
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => StoreError::MissingDirectory { dir },
            io::ErrorKind::PermissionDenied => {
                StoreError::Permission { path: path.into(), dir, detail: error.to_string() }
            }
            io::ErrorKind::ReadOnlyFilesystem => StoreError::ReadOnly { path: path.into(), dir },
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
                StoreError::DiskFull { dir }
            }
            io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => {
                StoreError::Corrupted { path: path.into(), detail: error.to_string() }
            }
            _ => StoreError::Io { path: path.into(), detail: error.to_string() },
        }
    }

    /// From any error of the database about `path`.
    #[must_use]
    pub fn from_redb(path: &Path, error: impl Into<redb::Error>) -> StoreError {
        match error.into() {
            redb::Error::Io(error) => StoreError::from_io(path, &error),
            redb::Error::DatabaseAlreadyOpen | redb::Error::LockProtocolMismatch => {
                StoreError::Locked { path: path.into() }
            }
            error @ (redb::Error::Corrupted(_)
            | redb::Error::TableTypeMismatch { .. }
            | redb::Error::TypeDefinitionChanged { .. }
            | redb::Error::TableIsMultimap(_)
            | redb::Error::RepairAborted
            | redb::Error::UpgradeRequired(_)) => {
                StoreError::Corrupted { path: path.into(), detail: error.to_string() }
            }
            error => StoreError::Io { path: path.into(), detail: error.to_string() },
        }
    }

    /// From a record that does not decode.
    #[must_use]
    pub fn from_codec(path: &Path, error: &CodecError) -> StoreError {
        StoreError::Corrupted { path: path.into(), detail: error.to_string() }
    }
}

/// The directory that holds `path`; `.` for a bare name.
#[must_use]
pub fn directory(path: &Path) -> PathBuf {
    match path.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir.into(),
        _ => ".".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_names_the_directory_or_file_and_what_to_do() {
        let path = Path::new("/var/lib/gasd/state.redb");
        for (errno, wants) in [
            (libc::ENOENT, "install -d -o gasd -g gasd -m 0750 /var/lib/gasd"),
            (libc::EACCES, "chown -R gasd:gasd /var/lib/gasd"),
            (libc::EROFS, "ReadWritePaths=/var/lib/gasd,"),
            (libc::ENOSPC, "df -h /var/lib/gasd"),
            (libc::EDQUOT, "df -h /var/lib/gasd"),
            (libc::EIO, "/var/lib/gasd/state.redb cannot be used"),
        ] {
            let text = StoreError::from_io(path, &io::Error::from_raw_os_error(errno)).to_string();
            assert!(text.contains(wants), "{errno}: {text}");
        }
    }

    #[test]
    fn a_bare_name_lies_in_the_working_directory() {
        assert_eq!(directory(Path::new("x")), PathBuf::from("."));
    }
}
