// SPDX-License-Identifier: MIT OR Apache-2.0
//! The file comes into place whole or not at all, and only after gasd itself has read it together with
//! everything else that is configured.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::{NamedTempFile, TempDir};

use crate::fail::Failure;

/// A file that gasd takes and that is not in place yet. Dropped, it leaves nothing behind.
pub struct Staged {
    file: NamedTempFile,
    target: PathBuf,
    force: bool,
    /// What gasd warns of.
    pub warnings: Vec<String>,
}

/// Writes the text beside its target and lets gasd judge it.
///
/// # Errors
/// [`Failure::Refused`] where the target is there and `force` is not; [`Failure::Usage`] with gasd's
/// words where it does not take the file; [`Failure::Missing`] without gasd; [`Failure::Denied`] where
/// the directory is closed.
pub fn stage(target: &Path, text: &str, force: bool) -> Result<Staged, Failure> {
    if !force && target.symlink_metadata().is_ok() {
        return Err(exists(target));
    }
    let dir = target.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let file = write(dir, text).map_err(|error| cannot_write(target, &error))?;
    let warnings = judge(target, text)?;
    Ok(Staged { file, target: target.to_owned(), force, warnings })
}

fn exists(target: &Path) -> Failure {
    Failure::Refused(format!("{} is there already; --force replaces it", target.display()))
}

fn cannot_write(target: &Path, error: &std::io::Error) -> Failure {
    let text = format!("cannot write {}: {error}", target.display());
    match error.kind() {
        std::io::ErrorKind::PermissionDenied => Failure::Denied(format!("{text}; run this as root")),
        std::io::ErrorKind::NotFound => Failure::Missing(format!("{text}; is gasd installed?")),
        _ => Failure::Refused(text),
    }
}

fn write(dir: &Path, text: &str) -> std::io::Result<NamedTempFile> {
    if !dir.exists() {
        fs::create_dir(dir)?;
        fs::set_permissions(dir, fs::Permissions::from_mode(0o755))?;
    }
    // The name begins with a dot and has another ending: no reader of drop-ins takes it for one.
    let mut file = tempfile::Builder::new().prefix(".gasctl-setup-").suffix(".new").tempfile_in(dir)?;
    file.write_all(text.as_bytes())?;
    // The service reads it as another user.
    file.as_file().set_permissions(fs::Permissions::from_mode(0o644))?;
    file.as_file().sync_all()?;
    Ok(file)
}

/// Has gasd read a copy of the configuration with the new file in it. Returns its warnings.
fn judge(target: &Path, text: &str) -> Result<Vec<String>, Failure> {
    let stage = Stage::build(target, text).map_err(|error| {
        Failure::Refused(format!("the configuration could not be copied for a check: {error}"))
    })?;
    let output = Command::new(gasd()).arg("check-config").arg("--config").arg(&stage.config).output();
    let output = output.map_err(|error| {
        Failure::Missing(format!(
            "gasd could not be asked whether the file is right ({error}); install the package gasd, or use --dry-run"
        ))
    })?;
    // The copy's names mean nothing to the reader.
    let said = String::from_utf8_lossy(&output.stderr).replace(&stage.prefix(), &stage.stands_for);
    if output.status.success() {
        return Ok(said.lines().filter_map(|l| l.strip_prefix("warning: ")).map(str::to_owned).collect());
    }
    Err(Failure::Usage(format!("gasd does not take this file; nothing was written:\n{}", said.trim_end())))
}

/// The gasd beside this program, else the one in the path.
pub fn gasd() -> PathBuf {
    let beside = std::env::current_exe().ok().and_then(|exe| Some(exe.parent()?.join("gasd")));
    beside.filter(|path| path.exists()).unwrap_or_else(|| PathBuf::from("gasd"))
}

/// A copy of the configuration, the new file included.
struct Stage {
    dir: TempDir,
    config: PathBuf,
    stands_for: String,
}

impl Stage {
    /// A drop-in is judged with the main file and the other drop-ins; any other file alone.
    fn build(target: &Path, text: &str) -> std::io::Result<Stage> {
        let dir = tempfile::Builder::new().prefix("gasctl-setup-").tempdir()?;
        let name = target.file_name().unwrap_or_default();
        let drop_ins = target.parent().filter(|parent| parent.file_name().is_some_and(|n| n == "conf.d"));
        let Some((drop_ins, base)) = drop_ins.and_then(|d| Some((d, d.parent()?))) else {
            let config = dir.path().join(name);
            fs::write(&config, text)?;
            let stands_for = prefix_of(target.parent().unwrap_or(Path::new("")));
            return Ok(Stage { dir, config, stands_for });
        };
        let config = dir.path().join("gasd.toml");
        match fs::copy(base.join("gasd.toml"), &config) {
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => fs::write(&config, "")?,
            Err(error) => return Err(error),
        }
        let copies = dir.path().join("conf.d");
        fs::create_dir(&copies)?;
        for entry in fs::read_dir(drop_ins)? {
            let path = entry?.path();
            if path.extension().is_some_and(|e| e == "toml") && path.is_file() {
                fs::copy(&path, copies.join(path.file_name().unwrap_or_default()))?;
            }
        }
        fs::write(copies.join(name), text)?;
        Ok(Stage { dir, config, stands_for: prefix_of(base) })
    }

    fn prefix(&self) -> String {
        prefix_of(self.dir.path())
    }
}

fn prefix_of(dir: &Path) -> String {
    if dir.as_os_str().is_empty() { String::new() } else { format!("{}/", dir.display()) }
}

impl Staged {
    /// Moves the file to its place in one step.
    ///
    /// # Errors
    /// [`Failure::Refused`] where somebody else wrote the target meanwhile and `force` is not given.
    pub fn commit(self) -> Result<(), Failure> {
        let Staged { file, target, force, .. } = self;
        let moved =
            if force { file.persist(&target).map_err(|e| e.error) } else { persist_new(file, &target) };
        match moved {
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => return Err(exists(&target)),
            Err(error) => return Err(cannot_write(&target, &error)),
        }
        // The name, too, stands a power cut. A directory that cannot be synced is no reason to fail now.
        if let Some(dir) = target.parent().and_then(|dir| fs::File::open(dir).ok()) {
            let _ = dir.sync_all();
        }
        Ok(())
    }
}

fn persist_new(file: NamedTempFile, target: &Path) -> std::io::Result<fs::File> {
    file.persist_noclobber(target).map_err(|error| error.error)
}
