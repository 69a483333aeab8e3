// SPDX-License-Identifier: MIT OR Apache-2.0
//! Files that keys are read from. A key is never shown, not even in what is said of a file that is wrong.
//!
//! A file holds one key in hexadecimal digits, or lines `name = digits` with a name of [`gasd_meters::key_name`]. Empty
//! lines and what stands behind `#` do not count. Others than its owner and group must not be able to read it.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use gasd_meters::key_name::{METER, PASSWORD, named};
use gasd_meters::{hex, lorawan, wmbus};
use zeroize::Zeroizing;

/// Bytes that a file may have.
pub const MAX_FILE: usize = 4_096;

/// Bytes of a key, and most of a password.
const KEY_BYTES: usize = 16;
const PASSWORD_BYTES: usize = 32;

/// Bits of a mode that let others than owner and group in.
const OTHERS: u32 = 0o007;

/// The keys of one file; their memory is cleared when they go.
pub struct KeyFile(Vec<(&'static str, Zeroizing<Vec<u8>>)>);

/// Why a file's keys are not taken.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// It cannot be read.
    #[error("the key file {} cannot be read: {error}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// It is a folder, a device or something else.
    #[error("the key file {} is {found} (expected a regular file)", .path.display())]
    NoFile {
        /// The file.
        path: PathBuf,
        /// What it is, in words.
        found: &'static str,
    },
    /// Anybody can read or change it.
    #[error("the key file {} is open to everybody (mode {mode:04o}): `chmod o= {}`", .path.display(), .path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// It is longer than any file of keys.
    #[error("the key file {} has more than {MAX_FILE} bytes, which no file of keys has", .0.display())]
    TooLong(PathBuf),
    /// A line is wrong; it is not shown, as there may be a key in it.
    #[error("the key file {}, line {line}: {what}", .path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Which, from 1.
        line: usize,
        /// What is wrong, in words.
        what: &'static str,
    },
    /// There is no key in it.
    #[error("there is no key in the key file {}", .0.display())]
    Empty(PathBuf),
}

impl KeyFile {
    /// Reads the keys of a file.
    ///
    /// # Errors
    ///
    /// [`KeyError`].
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let failed = |error| KeyError::Io { path: path.into(), error };
        // A pipe without a writer would keep whoever opens it waiting.
        let flags = libc::O_NONBLOCK | libc::O_NOCTTY | libc::O_CLOEXEC;
        let file = OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(failed)?;
        let about = file.metadata().map_err(failed)?;
        if !about.is_file() {
            return Err(KeyError::NoFile { path: path.into(), found: crate::sort::of(about.file_type()) });
        }
        let mode = about.mode() & 0o7777;
        if mode & OTHERS != 0 {
            return Err(KeyError::Open { path: path.into(), mode });
        }
        let bytes = bytes(&file).map_err(failed)?.ok_or_else(|| KeyError::TooLong(path.into()))?;
        Self::parse(&bytes, path)
    }

    /// The keys of a file's bytes; `path` is what the file is called in errors.
    ///
    /// # Errors
    ///
    /// [`KeyError::Line`], [`KeyError::Empty`].
    pub fn parse(bytes: &[u8], path: &Path) -> Result<Self, KeyError> {
        let mut keys: Vec<(&'static str, Zeroizing<Vec<u8>>)> = Vec::new();
        let mut bare = false;
        for (n, line) in bytes.split(|&byte| byte == b'\n').enumerate() {
            let wrong = |what| KeyError::Line { path: path.into(), line: n + 1, what };
            let line = std::str::from_utf8(line).map_err(|_| wrong("it is no text"))?;
            let line = line.split('#').next().unwrap_or_default().trim();
            if line.is_empty() {
                continue;
            }
            if bare {
                return Err(wrong("a key without a name must be the only one of its file"));
            }
            let (name, digits) = match line.split_once('=') {
                Some((name, digits)) => (name.trim(), digits.trim()),
                None if keys.is_empty() => {
                    bare = true;
                    (METER, line)
                }
                None => return Err(wrong("a name, = and hexadecimal digits are wanted")),
            };
            let name = named(name).ok_or_else(|| wrong(UNKNOWN_NAME))?;
            if keys.iter().any(|(other, _)| *other == name) {
                return Err(wrong("this name is there twice"));
            }
            let digits = digits.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(digits);
            keys.push((name, value(name, digits).map_err(wrong)?));
        }
        if keys.is_empty() { Err(KeyError::Empty(path.into())) } else { Ok(Self(keys)) }
    }

    /// The bytes of the key of this name.
    #[must_use]
    pub fn bytes(&self, name: &str) -> Option<&[u8]> {
        self.0.iter().find(|(other, _)| *other == name).map(|(_, bytes)| &bytes[..])
    }

    /// The key of this name, for LoRaWAN.
    #[must_use]
    pub fn lorawan(&self, name: &str) -> Option<lorawan::Key> {
        lorawan::Key::from_slice(self.bytes(name)?)
    }

    /// The key of this name, for M-Bus.
    #[must_use]
    pub fn wmbus(&self, name: &str) -> Option<wmbus::Key> {
        wmbus::Key::from_slice(self.bytes(name)?)
    }

    /// The names that are there.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|(name, _)| *name)
    }
}

impl fmt::Debug for KeyFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KeyFile").field(&self.names().collect::<Vec<_>>()).finish()
    }
}

const UNKNOWN_NAME: &str = "no key has this name; the names are key, nwk_s_key, app_s_key, app_key, nwk_key, \
     s_nwk_s_int_key, nwk_s_enc_key, f_nwk_s_int_key and password, and those of LoRaWAN as its specification writes them, too";

fn value(name: &str, digits: &str) -> Result<Zeroizing<Vec<u8>>, &'static str> {
    let bytes = hex::secret(digits).ok_or("hexadecimal digits are wanted, two for each byte")?;
    match (name, bytes.len()) {
        (PASSWORD, 1..=PASSWORD_BYTES) => Ok(bytes),
        (PASSWORD, _) => Err("a password has 1 to 32 bytes, which are 2 to 64 digits"),
        (_, KEY_BYTES) => Ok(bytes),
        _ => Err("a key has 16 bytes, which are 32 digits"),
    }
}

/// A file's bytes; `None` where there are too many. The buffer never moves, so that it can be cleared.
fn bytes(mut file: &File) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    let mut bytes = Zeroizing::new(vec![0; MAX_FILE + 1]);
    let mut have = 0;
    while let Some(room) = bytes.get_mut(have..).filter(|room| !room.is_empty()) {
        match file.read(room) {
            Ok(0) => break,
            Ok(count) => have += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    if have > MAX_FILE {
        return Ok(None);
    }
    bytes.truncate(have);
    Ok(Some(bytes))
}

#[cfg(test)]
#[path = "keys_tests.rs"]
mod tests;
