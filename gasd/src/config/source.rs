// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where a configuration is read from: one file, or layers of files.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::io::ErrorKind as Io;
use std::path::{Path, PathBuf};

use super::error::{ErrorKind, Errors, Problem};
use super::load::{FileError, closed_to, text_of};
use super::parse::parse_with;
use super::types::Config;

/// What the package brings, then what this gateway's people wrote. Later wins.
pub const SYSTEM: [&str; 2] = ["/usr/lib/gasd", "/etc/gasd"];
/// The file of a layer.
const FILE: &str = "gasd.toml";
/// The directory of a layer's drop-ins.
const DROP_INS: &str = "conf.d";

/// A text and what messages call it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The file, as the caller or its directory named it.
    pub name: String,
    /// What it says.
    pub text: String,
}

/// Where a configuration comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// The layers of the system, [`SYSTEM`].
    #[default]
    System,
    /// A file alone; or a directory, which is read as one layer: `gasd.toml` and `conf.d/*.toml` in it.
    Path(PathBuf),
}

impl Origin {
    /// `--config`: the layers without it.
    #[must_use]
    pub fn from_option(path: Option<PathBuf>) -> Self {
        path.map_or(Self::System, Self::Path)
    }

    /// Reads every file, in the order in which they count: later ones win.
    ///
    /// # Errors
    /// One problem for each file that is there and cannot be read, or for a single file that is not
    /// there.
    pub fn read(&self) -> Result<Vec<Source>, Errors> {
        match self {
            Self::System => layers(&SYSTEM.map(Path::new)),
            Self::Path(path) if path.is_dir() => layers(&[path]),
            Self::Path(path) => match text_of(path) {
                Ok(text) => Ok(vec![Source { name: path.display().to_string(), text }]),
                Err(error) => Err(Errors::one(problem(path, error))),
            },
        }
    }

    /// Reads and checks.
    ///
    /// # Errors
    /// As [`Origin::read`], or what [`check`] finds.
    pub fn load(&self) -> Result<Config, Errors> {
        check(&self.read()?)
    }
}

/// Checks texts on this machine: as [`parse_with`], with the devices that links lead to now. One that leads
/// nowhere, as its device is not plugged in, is no problem.
///
/// # Errors
/// What [`parse_with`] finds.
pub fn check(sources: &[Source]) -> Result<Config, Errors> {
    parse_with(sources, &|path| fs::canonicalize(path).ok())
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System => write!(f, "{}", SYSTEM.join(" and ")),
            Self::Path(path) => write!(f, "{}", path.display()),
        }
    }
}

/// Reads layers as systemd does: first the `gasd.toml` of each, then all drop-ins in the order of
/// their names, whatever their layer. A drop-in hides one of the same name in an earlier layer; a
/// symbolic link to `/dev/null` hides it and says nothing itself. What is not there is no problem.
///
/// # Errors
/// One problem for each file or directory that is there and cannot be read.
pub fn layers(roots: &[&Path]) -> Result<Vec<Source>, Errors> {
    let mut problems = Vec::new();
    let mut files: Vec<PathBuf> = roots.iter().map(|root| root.join(FILE)).collect();
    let mut drop_ins: BTreeMap<OsString, PathBuf> = BTreeMap::new();
    for root in roots {
        let dir = root.join(DROP_INS);
        match names(&dir) {
            Ok(found) => drop_ins.extend(found.into_iter().map(|name| (name.clone(), dir.join(name)))),
            Err(error) => problems.push(problem(&dir, error)),
        }
    }
    files.extend(drop_ins.into_values().filter(|path| !is_mask(path)));
    let mut sources = Vec::new();
    for path in files {
        match text_of(&path) {
            Ok(text) => sources.push(Source { name: path.display().to_string(), text }),
            Err(FileError::Missing) => {}
            Err(error) => problems.push(problem(&path, error)),
        }
    }
    Errors::new(problems).map_or(Ok(sources), Err)
}

/// Refuses files that the user `name` (`uid`, in `groups`) may not read, although this process could.
///
/// # Errors
/// One problem for each of them.
pub fn require_readable(sources: &[Source], name: &str, uid: u32, groups: &[u32]) -> Result<(), Errors> {
    let closed = sources.iter().filter_map(|source| {
        let path = Path::new(&source.name);
        closed_to(path, name, uid, groups).map(|error| problem(path, error))
    });
    Errors::new(closed.collect()).map_or(Ok(()), Err)
}

/// Names of a directory's drop-ins; none if it is not there.
fn names(dir: &Path) -> Result<Vec<OsString>, FileError> {
    let explain = |error: std::io::Error| FileError::of(dir, &error);
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == Io::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(explain(error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let name = entry.map_err(explain)?.file_name();
        let text = name.to_string_lossy();
        // Editors and package tools leave hidden files and other endings behind.
        if text.ends_with(".toml") && !text.starts_with('.') {
            found.push(name);
        }
    }
    Ok(found)
}

fn is_mask(path: &Path) -> bool {
    fs::canonicalize(path).is_ok_and(|at| at == Path::new("/dev/null"))
}

fn problem(path: &Path, error: FileError) -> Problem {
    Problem {
        file: path.display().to_string(),
        place: None,
        key: String::new(),
        value: None,
        kind: ErrorKind::File(error),
    }
}
