// SPDX-License-Identifier: MIT OR Apache-2.0
//! A gateway of its own for each test: a BPF file system in a private mount namespace, a store, a
//! configuration and the built `gasd`. When it goes, nothing of it may be left.
#![allow(dead_code, reason = "each test uses its part")]
#![allow(clippy::unwrap_used, missing_docs, reason = "test code")]

pub mod bpf;
pub mod daemon;
pub mod next;
pub mod random;
pub mod train;

use std::{
    ffi::{CString, OsStr},
    fs,
    io::{self, Write},
    os::unix::{ffi::OsStrExt, fs::PermissionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use aya::programs::ProgramInfo;
use gasd::store::{Base, Store};

/// Longest wait for anything that should happen.
pub const SOON: Duration = Duration::from_secs(120);

/// The program under test.
pub const GASD: &str = env!("CARGO_BIN_EXE_gasd");

/// Says that something is not tested here, past the capture of the test harness.
pub fn skip(what: &str, why: &str) {
    let _ = writeln!(io::stderr(), "SKIPPED {what}: {why}");
}

/// Waits until it is so.
pub fn wait(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < SOON, "{what} did not happen");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// A run of a program that ended.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

/// Runs a program to its end; one that does not end is a failure.
pub fn run(mut command: Command) -> Ended {
    die_with_parent(&mut command);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let start = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if start.elapsed() > SOON {
            let _ = child.kill();
            panic!("{command:?} does not end: {:?}", child.wait_with_output().unwrap());
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    let output = child.wait_with_output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ended { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
}

/// No child outlives the thread that started it, however that thread ends.
pub fn die_with_parent(command: &mut Command) {
    // SAFETY: prctl is async-signal-safe.
    unsafe {
        command.pre_exec(|| {
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
            Ok(())
        });
    }
}

fn c(path: &Path) -> CString {
    CString::new(path.as_os_str().as_bytes()).unwrap()
}

/// Mounts a file system; in this thread's namespace only.
pub fn mount(kind: &str, at: &Path, options: &str) -> io::Result<()> {
    let (kind, options) = (CString::new(kind)?, CString::new(options)?);
    let at = c(at);
    // SAFETY: all strings are live.
    let ret = unsafe { libc::mount(kind.as_ptr(), at.as_ptr(), kind.as_ptr(), 0, options.as_ptr().cast()) };
    if ret == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

pub fn unmount(at: &Path) {
    // SAFETY: the string is live.
    let ret = unsafe { libc::umount2(c(at).as_ptr(), 0) };
    assert_eq!(ret, 0, "unmounting {}: {}", at.display(), io::Error::last_os_error());
}

/// What keeps these tests from running here; found by trying, never by a version.
fn obstacle() -> Option<String> {
    // SAFETY: no arguments.
    if unsafe { libc::geteuid() } != 0 {
        return Some("not root".into());
    }
    if !Path::new("/sys/kernel/btf/vmlinux").exists() {
        return Some("this kernel has no BTF".into());
    }
    // SAFETY: no memory is passed. Threads and processes that this thread starts follow it.
    if unsafe { libc::unshare(libc::CLONE_NEWNS) } != 0 {
        return Some(format!("no mount namespace: {}", io::Error::last_os_error()));
    }
    let private = libc::MS_REC | libc::MS_PRIVATE;
    let root = c"/".as_ptr();
    // SAFETY: constant strings.
    if unsafe { libc::mount(std::ptr::null(), root, std::ptr::null(), private, std::ptr::null()) } != 0 {
        return Some(format!("no private mounts: {}", io::Error::last_os_error()));
    }
    bpf::create_map(bpf::ARRAY, 4, 4, 1, 0).err().map(|e| format!("bpf(2) is refused: {e}"))
}

/// A gateway.
pub struct House {
    dir: Option<tempfile::TempDir>,
    pub root: PathBuf,
    pub pins: PathBuf,
    pub store: PathBuf,
    pub config: PathBuf,
}

impl House {
    /// A house with a BPF file system and nothing loaded; `None`, said loudly, where that cannot be.
    pub fn new(test: &str) -> Option<House> {
        let why = obstacle();
        if let Some(why) = why {
            skip(test, &why);
            return None;
        }
        let dir = tempfile::Builder::new().prefix("gasd-kernel-").tempdir().unwrap();
        // Other users must reach what is theirs.
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let root = dir.path().to_owned();
        let pins = root.join("pins");
        fs::create_dir(&pins).unwrap();
        let house = House {
            store: root.join("store.redb"),
            config: root.join("gasd.toml"),
            dir: Some(dir),
            pins,
            root,
        };
        if let Err(error) = mount("bpf", &house.pins, "mode=0755") {
            skip(test, &format!("no BPF file system: {error}"));
            return None;
        }
        house.configure(&[meter("kitchen", 0, "")], "");
        Some(house)
    }

    /// Writes the configuration: meters, and whatever else stands after them.
    pub fn configure(&self, meters: &[String], more: &str) {
        let text = format!(
            "{}{more}\n[store]\npath = \"{}\"\npersist = \"50 ms\"\n[kernel]\npins = \"{}\"\n",
            meters.concat(),
            self.store.display(),
            self.pins.display()
        );
        fs::write(&self.config, text).unwrap();
    }

    /// `gasd load` of the program under test.
    pub fn load(&self, more: &[&str]) -> Ended {
        self.load_with(Path::new(GASD), more)
    }

    /// `gasd load` of another build.
    pub fn load_with(&self, gasd: &Path, more: &[&str]) -> Ended {
        let mut command = Command::new(gasd);
        command.arg("load").arg("--pins").arg(&self.pins).args(more);
        run(command)
    }

    /// Loads and insists.
    pub fn must_load(&self, more: &[&str]) -> String {
        let ended = self.load(more);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        ended.out
    }

    pub fn unload(&self) -> Ended {
        let mut command = Command::new(GASD);
        command.args(["unload", "--discard-counts", "--pins"]).arg(&self.pins);
        run(command)
    }

    /// The command of a daemon on this house, not started yet.
    pub fn run_command(&self, gasd: &Path, more: &[&str]) -> Command {
        let mut command = Command::new(gasd);
        command.args(["run", "--simulated", "--bus", "none", "--config"]).arg(&self.config).args(more);
        command
    }

    /// What a reboot does to the kernel side.
    pub fn reboot(&self) {
        unmount(&self.pins);
        mount("bpf", &self.pins, "mode=0755").unwrap();
    }

    /// The bases in the store. No daemon may run.
    pub fn bases(&self) -> Vec<(String, Base)> {
        Store::open(&self.store).unwrap().load_bases().unwrap()
    }

    /// A meter's persisted base; nothing counted if there is none.
    pub fn base(&self, meter: &str) -> Base {
        self.bases().into_iter().find(|(id, _)| id == meter).map_or(Base::default(), |(_, base)| base)
    }

    /// Every pin with what it is, so that two listings compare.
    pub fn listing(&self) -> Vec<String> {
        let mut found = Vec::new();
        list(&self.pins, &self.pins, &mut found);
        found.sort();
        found
    }
}

fn list(root: &Path, dir: &Path, found: &mut Vec<String>) {
    let Ok(entries) = fs::read_dir(dir) else { return };
    for entry in entries.filter_map(Result::ok) {
        let path = entry.path();
        if entry.file_type().unwrap().is_dir() {
            found.push(format!("{}/", path.strip_prefix(root).unwrap().display()));
            list(root, &path, found);
        } else {
            found.push(format!("{} {}", path.strip_prefix(root).unwrap().display(), bpf::identity(&path)));
        }
    }
}

/// A meter without a chip. `more` are further keys.
pub fn meter(id: &str, line: u32, more: &str) -> String {
    format!("[[meter]]\nid = \"{id}\"\nline = {line}\npulse_volume = \"1 L\"\n{more}\n")
}

impl Drop for House {
    fn drop(&mut self) {
        let programs: Vec<u32> = pins_of(&self.pins).iter().filter_map(|p| program_id(p)).collect();
        // SAFETY: the string is live.
        let unmounted = unsafe { libc::umount2(c(&self.pins).as_ptr(), libc::MNT_DETACH) };
        self.dir.take();
        if std::thread::panicking() {
            return;
        }
        assert_eq!(unmounted, 0, "the BPF file system could not be unmounted");
        assert_eq!(processes_of(&self.root), Vec::<String>::new(), "a process outlives its test");
        let start = Instant::now();
        let left = || programs.iter().copied().filter(|id| bpf::program_exists(*id)).collect::<Vec<_>>();
        while !left().is_empty() {
            assert!(start.elapsed() < SOON, "programs outlive their test: {:?}", left());
            std::thread::sleep(Duration::from_millis(5));
        }
        let mounts = fs::read_to_string("/proc/thread-self/mounts").unwrap();
        assert!(!mounts.contains(self.root.to_str().unwrap()), "a mount outlives its test");
        assert!(!self.root.exists(), "{} outlives its test", self.root.display());
    }
}

fn pins_of(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).into_iter().flatten().filter_map(Result::ok) {
        if entry.file_type().is_ok_and(|t| t.is_dir()) {
            found.extend(pins_of(&entry.path()));
        } else {
            found.push(entry.path());
        }
    }
    found
}

/// A pinned program's id; `None` for a pin of something else.
pub fn program_id(pin: &Path) -> Option<u32> {
    let names = ["pulse", "twin", "dispatcher", "new-pulse", "new-twin"];
    let known = pin.file_name().and_then(OsStr::to_str).is_some_and(|n| names.contains(&n));
    known.then(|| ProgramInfo::from_pin(pin).ok().map(|i| i.id())).flatten()
}

/// Command lines of processes that work in `dir`.
fn processes_of(dir: &Path) -> Vec<String> {
    let wanted = dir.as_os_str().as_bytes();
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().filter_map(Result::ok) {
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        if line.windows(wanted.len()).any(|w| w == wanted) {
            found.push(String::from_utf8_lossy(&line).replace('\0', " "));
        }
    }
    found
}
