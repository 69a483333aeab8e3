// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reads a configuration file, and says who may not when it cannot.

use std::fs::{self, File, Metadata};
use std::io::{ErrorKind as Io, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::accounts::{GROUPS, USERS, name_in};

use super::error::Errors;
use super::source::Origin;
use super::types::Config;

/// More than this is no configuration but a mistake in the path, bytes.
const LARGEST: u64 = 1 << 20;

/// Why a file could not be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// It is not there.
    #[error("there is no such file; create it with one [[meter]] for each meter")]
    Missing,
    /// It, or a directory above it, does not let this process in.
    #[error("may not be read: {0}")]
    Permission(String),
    /// A directory, a device.
    #[error("is no regular file")]
    NotAFile,
    /// More than a configuration ever is.
    #[error("is larger than {LARGEST} bytes; this is no configuration")]
    TooLarge,
    /// Not text.
    #[error("is not UTF-8 text from byte {0} on")]
    NotUtf8(usize),
    /// Anything else the system says.
    #[error("could not be read: {0}")]
    Other(String),
}

/// Reads the configuration at `path`: a file alone, or a directory as [`Origin::Path`] says.
///
/// # Errors
/// One [`FileError`] a file, or what [`super::parse_all`] finds.
pub fn load(path: &Path) -> Result<Config, Errors> {
    Origin::Path(path.to_owned()).load()
}

impl FileError {
    /// From what the system said of `path`.
    pub(super) fn of(path: &Path, error: &std::io::Error) -> Self {
        match error.kind() {
            Io::NotFound => Self::Missing,
            Io::PermissionDenied => Self::Permission(denied(path)),
            _ => Self::Other(error.to_string()),
        }
    }
}

/// The text of a file.
pub(super) fn text_of(path: &Path) -> Result<String, FileError> {
    let explain = |error: std::io::Error| FileError::of(path, &error);
    // Asked before it is opened: opening a pipe would wait for a writer.
    if !fs::metadata(path).map_err(explain)?.is_file() {
        return Err(FileError::NotAFile);
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(explain)?;
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(explain)?;
    if bytes.len() as u64 > LARGEST {
        return Err(FileError::TooLarge);
    }
    String::from_utf8(bytes).map_err(|e| FileError::NotUtf8(e.utf8_error().valid_up_to()))
}

/// Who is kept out by what: the file itself, or the first directory on the way that hides it.
fn denied(path: &Path) -> String {
    let mut hidden_by: Option<PathBuf> = None;
    let mut at = Some(path);
    while let Some(here) = at {
        if let Ok(metadata) = fs::metadata(here) {
            let uid = fs::metadata("/proc/self").map_or(u32::MAX, |own| own.uid());
            let blocked = if hidden_by.is_some() { "directory" } else { "file" };
            return refusal(blocked, here, &Owner::of(&metadata), &name_in(USERS, uid));
        }
        hidden_by = Some(here.to_path_buf());
        at = here.parent();
    }
    "a directory on the way to it may not be entered".to_owned()
}

/// Whose a file is.
struct Owner {
    user: String,
    group: String,
    mode: u32,
}

impl Owner {
    fn of(metadata: &Metadata) -> Self {
        Self {
            user: name_in(USERS, metadata.uid()),
            group: name_in(GROUPS, metadata.gid()),
            mode: metadata.mode() & 0o7777,
        }
    }
}

fn refusal(what: &str, path: &Path, owner: &Owner, me: &str) -> String {
    let Owner { user, group, mode } = owner;
    let path = path.display();
    let need = if what == "file" { "g+r" } else { "g+rx" };
    format!(
        "the {what} {path} belongs to {user}:{group} with mode {mode:04o}, and this is user {me}; \
         let the service's group in: chgrp gasd {path} && chmod {need} {path}"
    )
}

/// What keeps the user `name` (`uid`, in `groups`) from reading a file that is there, if its mode does.
/// Access lists are not looked at.
pub fn closed_to(path: &Path, name: &str, uid: u32, groups: &[u32]) -> Option<FileError> {
    let metadata = fs::metadata(path).ok()?;
    let bit = if metadata.uid() == uid {
        0o400
    } else if groups.contains(&metadata.gid()) {
        0o040
    } else {
        0o004
    };
    let closed = metadata.mode() & bit == 0;
    closed.then(|| FileError::Permission(refusal("file", path, &Owner::of(&metadata), name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_owner_group_mode_and_the_way_out() {
        let owner = Owner { user: "root".to_owned(), group: "root".to_owned(), mode: 0o600 };
        let text = refusal("file", Path::new("/etc/gasd/gasd.toml"), &owner, "gasd");
        assert_eq!(
            text,
            "the file /etc/gasd/gasd.toml belongs to root:root with mode 0600, and this is user \
             gasd; let the service's group in: chgrp gasd /etc/gasd/gasd.toml && chmod g+r \
             /etc/gasd/gasd.toml"
        );
    }

    #[test]
    fn a_file_is_closed_to_whom_its_mode_keeps_out() {
        use std::os::unix::fs::PermissionsExt;
        let file = tempfile::NamedTempFile::new().unwrap();
        let own = fs::metadata(file.path()).unwrap();
        let closed = |mode, uid: u32, groups: &[u32]| {
            fs::set_permissions(file.path(), fs::Permissions::from_mode(mode)).unwrap();
            closed_to(file.path(), "gasd", uid, groups)
        };
        let other = own.uid() + 1;
        assert_eq!(closed(0o644, other, &[]), None);
        assert_eq!(closed(0o640, other, &[own.gid()]), None);
        assert_eq!(closed(0o600, own.uid(), &[]), None);
        let why = closed(0o600, other, &[own.gid()]).unwrap().to_string();
        assert!(why.contains("this is user gasd; let the service's group in: chgrp gasd"), "{why}");
        assert!(closed(0o640, other, &[]).is_some());
        assert_eq!(closed_to(Path::new("/no/such/file"), "gasd", other, &[]), None);
    }
}
