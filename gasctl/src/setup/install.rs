// SPDX-License-Identifier: MIT OR Apache-2.0
//! The file comes into place whole or not at all, and only after gasd itself has read it together with
//! everything else that is configured.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::{NamedTempFile, TempDir};

use crate::fail::Failure;

use super::layers;

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

/// As [`stage`] of a file that must not be there. Where gasd is not installed the file is not checked, which is among its
/// warnings.
///
/// # Errors
/// As [`stage`], but for a missing gasd.
pub fn stage_if_checked(target: &Path, text: &str) -> Result<Staged, Failure> {
    match stage(target, text, false) {
        Err(Failure::Missing(why)) if !is_installed() => {
            let dir = target.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
            let file = write(dir, text).map_err(|error| cannot_write(target, &error))?;
            let warnings = vec![format!("not checked: {why}")];
            Ok(Staged { file, target: target.to_owned(), force: false, warnings })
        }
        staged => staged,
    }
}

/// Whether there is a gasd that can be asked.
fn is_installed() -> bool {
    let answers = Command::new(gasd()).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    answers.is_ok()
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
///
/// # Errors
/// [`Failure::Usage`] with gasd's words where it does not take the file, and as [`ask`].
pub fn judge(target: &Path, text: &str) -> Result<Vec<String>, Failure> {
    ask(target, text)?
        .map_err(|said| Failure::Usage(format!("gasd does not take this file; nothing was written:\n{said}")))
}

/// Asks gasd about a copy of the configuration with the new file in it: its warnings, or what is wrong.
///
/// # Errors
/// [`Failure::Missing`] without gasd; [`Failure::Refused`] where there can be no copy.
pub fn ask(target: &Path, text: &str) -> Result<Result<Vec<String>, String>, Failure> {
    let stage = Stage::build(target, text).map_err(|error| {
        Failure::Refused(format!("the configuration could not be copied for a check: {error}"))
    })?;
    let output = Command::new(gasd()).arg("check-config").arg("--config").arg(&stage.config).output();
    let output = output.map_err(|error| {
        Failure::Missing(format!(
            "gasd could not be asked whether the file is right ({error}); install the package gasd, or use --dry-run"
        ))
    })?;
    let said = stage.real_names(&String::from_utf8_lossy(&output.stderr));
    if output.status.success() {
        return Ok(Ok(said.lines().filter_map(|l| l.strip_prefix("warning: ")).map(str::to_owned).collect()));
    }
    Ok(Err(said.trim_end().to_owned()))
}

/// The gasd beside this program, else the one in the path.
pub fn gasd() -> PathBuf {
    let beside = std::env::current_exe().ok().and_then(|exe| Some(exe.parent()?.join("gasd")));
    beside.filter(|path| path.exists()).unwrap_or_else(|| PathBuf::from("gasd"))
}

/// A copy of the configuration, the new file included.
struct Stage {
    /// Goes with the stage.
    _dir: TempDir,
    /// What gasd is to check: the directory, or the one file.
    config: PathBuf,
    /// What the copies are called in it, and what they stand for.
    names: Vec<(String, String)>,
}

impl Stage {
    /// A drop-in is judged with the main files and the other drop-ins; any other file alone.
    fn build(target: &Path, text: &str) -> std::io::Result<Stage> {
        let dir = tempfile::Builder::new().prefix("gasctl-setup-").tempdir()?;
        let name = target.file_name().unwrap_or_default();
        let mut names = Vec::new();
        let mut put = |copy: PathBuf, real: &Path, text: &[u8]| {
            names.push((copy.display().to_string(), real.display().to_string()));
            fs::write(copy, text)
        };
        let drop_ins = target.parent().filter(|parent| parent.file_name().is_some_and(|n| n == "conf.d"));
        let Some(base) = drop_ins.and_then(Path::parent) else {
            let config = dir.path().join(name);
            put(config.clone(), target, text.as_bytes())?;
            return Ok(Stage { _dir: dir, config, names });
        };
        let copies = dir.path().join("conf.d");
        fs::create_dir(&copies)?;
        for file in layers::files(&layers::roots(base)) {
            let name = file.file_name().unwrap_or_default();
            let copy = match file.parent().and_then(Path::file_name) {
                Some(parent) if parent == "conf.d" => copies.join(name),
                // Of two main files the later one comes before every drop-in: `!` sorts before all names.
                _ if dir.path().join("gasd.toml").exists() => copies.join("!gasd.toml"),
                _ => dir.path().join("gasd.toml"),
            };
            if file != target {
                put(copy, &file, &fs::read(&file)?)?;
            }
        }
        put(copies.join(name), target, text.as_bytes())?;
        Ok(Stage { config: dir.path().to_owned(), _dir: dir, names })
    }

    /// What gasd said, with the files called as they are.
    fn real_names(&self, said: &str) -> String {
        self.names.iter().fold(said.to_owned(), |said, (copy, real)| said.replace(copy, real))
    }
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
