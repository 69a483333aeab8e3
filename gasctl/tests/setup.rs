// SPDX-License-Identifier: MIT OR Apache-2.0
//! `gasctl setup` without a terminal, as provisioning scripts use it, on a machine that need not have a
//! GPIO chip.
#![allow(clippy::unwrap_used, reason = "test code")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Held while a program is written and while one is started. A process that is started just then would
/// hold the other test's program open for writing for a moment, and it could not be run: "text file busy".
static PROGRAMS: Mutex<()> = Mutex::new(());

fn programs() -> MutexGuard<'static, ()> {
    PROGRAMS.lock().unwrap_or_else(PoisonError::into_inner)
}

fn output(command: &mut Command) -> Output {
    let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let started = programs();
    let child = command.spawn().unwrap();
    drop(started);
    child.wait_with_output().unwrap()
}

/// A gasctl with a gasd beside it that answers as told.
struct Bench {
    dir: tempfile::TempDir,
}

const TAKES_IT: &str = "echo \"warning: meter \\\"kitchen\\\": has no valve\" >&2";
const REFUSES: &str = "echo \"gasd: $3/conf.d/50-kitchen.toml:4:16: pulse_volume: no unit\" >&2; exit 2";

impl Bench {
    /// `answer` is what the pretended gasd does after it has kept a copy of what it was to check.
    fn new(answer: &str) -> Bench {
        let dir = tempfile::tempdir().unwrap();
        let _writing = programs();
        fs::copy(env!("CARGO_BIN_EXE_gasctl"), dir.path().join("gasctl")).unwrap();
        let script = format!(
            "#!/bin/sh\ntest \"$1 $2\" = 'check-config --config' || exit 9\n\
             cp -r \"$3\" '{0}/seen'\n{answer}\n",
            dir.path().display()
        );
        let gasd = dir.path().join("gasd");
        fs::write(&gasd, script).unwrap();
        fs::set_permissions(&gasd, fs::Permissions::from_mode(0o755)).unwrap();
        fs::create_dir(dir.path().join("etc")).unwrap();
        Bench { dir }
    }

    fn target(&self) -> PathBuf {
        self.dir.path().join("etc/conf.d/50-kitchen.toml")
    }

    fn gasctl(&self, args: &[&str]) -> Output {
        output(Command::new(self.dir.path().join("gasctl")).args(args))
    }

    /// A whole meter, and more flags.
    fn setup(&self, more: &[&str]) -> (i32, String, String) {
        let target = self.target();
        let mut args = vec!["setup", "--offline", "--id", "kitchen", "--chip", "gpiochip0", "--line", "4"];
        args.extend(["--pulse-volume", "10 L", "--output", target.to_str().unwrap()]);
        args.extend(more);
        told(&self.gasctl(&args))
    }

    fn left_behind(&self) -> Vec<String> {
        let entries = fs::read_dir(self.target().parent().unwrap()).into_iter().flatten().flatten();
        entries.map(|e| e.file_name().into_string().unwrap()).collect()
    }
}

fn told(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn without_a_terminal_missing_flags_are_named() {
    let bench = Bench::new(TAKES_IT);
    let (code, out, err) = told(&bench.gasctl(&["setup", "--id", "kitchen", "--line", "4"]));
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("missing: --chip, --pulse-volume"), "{err}");
}

#[test]
fn nothing_is_written_without_a_yes() {
    let bench = Bench::new(TAKES_IT);
    let (code, _, err) = bench.setup(&[]);
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("--yes"), "{err}");
    assert_eq!(bench.left_behind(), Vec::<String>::new());
}

#[test]
fn the_file_comes_into_place_and_says_what_is_next() {
    let bench = Bench::new(TAKES_IT);
    fs::write(bench.dir.path().join("etc/gasd.toml"), "# the main file\n").unwrap();
    fs::create_dir(bench.dir.path().join("etc/conf.d")).unwrap();
    fs::write(bench.dir.path().join("etc/conf.d/40-valve.toml"), "# a valve\n").unwrap();
    let (code, out, err) = bench.setup(&["--yes", "--valve", "main", "--active-low", "--bias", "pull-up"]);
    assert_eq!(code, 0, "{err}");
    assert!(
        out.contains("systemctl reload gasd") && err.contains("note: meter \"kitchen\": has no valve"),
        "{out}{err}"
    );
    let text = fs::read_to_string(bench.target()).unwrap();
    assert!(
        text.contains("active = \"low\", bias = \"pull-up\"") && text.contains("valve = \"main\""),
        "{text}"
    );
    assert_eq!(fs::metadata(bench.target()).unwrap().permissions().mode() & 0o777, 0o644);
    assert_eq!(bench.left_behind().len(), 2);
    // gasd judged it together with what was there already.
    let seen = |name: &str| fs::read_to_string(bench.dir.path().join("seen").join(name)).unwrap();
    assert_eq!(seen("gasd.toml"), "# the main file\n");
    assert_eq!(seen("conf.d/40-valve.toml"), "# a valve\n");
    assert_eq!(seen("conf.d/50-kitchen.toml"), text);
}

#[test]
fn a_new_valve_wants_a_restart_and_a_file_elsewhere_a_move() {
    let bench = Bench::new(TAKES_IT);
    let (code, out, err) = bench.setup(&["--yes", "--valve", "main", "--valve-simulated"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("systemctl restart gasd") && !out.contains("reload"), "{out}");
    // The bench is not /etc/gasd.
    assert!(
        out.contains("does not read the file") && out.contains("/etc/gasd/conf.d/50-kitchen.toml"),
        "{out}"
    );
    assert!(!out.contains("gasctl status"), "{out}");
    let (code, out, _) = bench.setup(&["--yes", "--force", "--json"]);
    let object: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &object["next"]), (0, &serde_json::json!([])));
    assert_eq!(object["read_by_gasd"], false);
}

#[test]
fn a_drop_in_that_gasd_would_pass_over_is_refused() {
    let bench = Bench::new(TAKES_IT);
    let target = bench.target().with_extension("conf");
    let mut args = vec!["setup", "--offline", "--id", "kitchen", "--chip", "gpiochip0", "--line", "4"];
    args.extend(["--pulse-volume", "10 L", "--yes", "--output", target.to_str().unwrap()]);
    let (code, _, err) = told(&bench.gasctl(&args));
    assert!(code == 2 && err.contains(".toml"), "{err}");
    assert_eq!(bench.left_behind(), Vec::<String>::new());
}

#[test]
fn a_file_that_gasd_does_not_take_never_comes_into_place() {
    let bench = Bench::new(REFUSES);
    let (code, _, err) = bench.setup(&["--yes"]);
    assert_eq!(code, 2);
    // The words name the files as they will be called, not the copy that was checked.
    let shown = bench.target().display().to_string();
    assert!(err.contains(&format!("{shown}:4:16: pulse_volume")), "{err}");
    // One problem a line.
    assert!(err.lines().nth(1).is_some_and(|line| line.contains("pulse_volume")), "{err}");
    assert_eq!(bench.left_behind(), Vec::<String>::new());
}

#[test]
fn an_existing_file_is_never_replaced_without_force() {
    let bench = Bench::new(TAKES_IT);
    fs::create_dir_all(bench.target().parent().unwrap()).unwrap();
    fs::write(bench.target(), "mine").unwrap();
    let (code, _, err) = bench.setup(&["--yes"]);
    assert_eq!(code, 1);
    assert!(err.contains("--force"), "{err}");
    assert_eq!(fs::read_to_string(bench.target()).unwrap(), "mine");
    assert_eq!(bench.setup(&["--yes", "--force"]).0, 0);
    assert!(fs::read_to_string(bench.target()).unwrap().contains("[[meter]]"));
    // A link that leads nowhere is a file that is there, too.
    fs::remove_file(bench.target()).unwrap();
    std::os::unix::fs::symlink("/nonexistent", bench.target()).unwrap();
    assert_eq!(bench.setup(&["--yes"]).0, 1);
}

#[test]
fn a_dry_run_prints_the_file_and_leaves_nothing() {
    let bench = Bench::new(TAKES_IT);
    let (code, out, err) = bench.setup(&["--dry-run"]);
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("note: meter \"kitchen\": has no valve"), "{err}");
    assert!(out.starts_with('#') && out.contains("id = \"kitchen\""), "{out}");
    assert!(!bench.target().parent().unwrap().exists());
    let target = bench.target();
    let json = bench.gasctl(&[
        "--json",
        "setup",
        "--offline",
        "--id",
        "kitchen",
        "--chip",
        "gpiochip0",
        "--line",
        "4",
        "--pulse-volume",
        "10 L",
        "--dry-run",
        "--output",
        target.to_str().unwrap(),
    ]);
    let object: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!((&object["written"], &object["file"]), (&false.into(), &target.to_str().unwrap().into()));
}

#[test]
fn a_dry_run_is_judged_like_a_real_one() {
    let bench = Bench::new(REFUSES);
    let (code, out, err) = bench.setup(&["--dry-run"]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("conf.d/50-kitchen.toml:4:16: pulse_volume"), "{err}");
    assert!(!bench.target().parent().unwrap().exists());
}

#[test]
fn without_gasd_nothing_is_written() {
    let bench = Bench::new(TAKES_IT);
    fs::remove_file(bench.dir.path().join("gasd")).unwrap();
    let target = bench.target();
    let mut command = Command::new(bench.dir.path().join("gasctl"));
    command
        .args([
            "setup",
            "--offline",
            "--id",
            "kitchen",
            "--chip",
            "gpiochip0",
            "--line",
            "4",
            "--pulse-volume",
            "10 L",
        ])
        .args(["--yes", "--output", target.to_str().unwrap()])
        .env("PATH", "/nonexistent");
    let (code, _, err) = told(&output(&mut command));
    assert_eq!(code, 3);
    assert!(err.contains("install the package gasd"), "{err}");
    assert_eq!(bench.left_behind(), Vec::<String>::new());
}

#[test]
fn a_chip_that_is_not_there_is_refused_by_name() {
    let bench = Bench::new(TAKES_IT);
    let (code, _, err) = told(&bench.gasctl(&[
        "setup",
        "--id",
        "k",
        "--chip",
        "nochip",
        "--line",
        "4",
        "--pulse-volume",
        "1 L",
        "--yes",
    ]));
    assert_eq!(code, 3);
    assert!(err.contains("no GPIO chip"), "{err}");
}

#[test]
fn the_real_gasd_takes_what_setup_writes() {
    let gasd = Path::new(env!("CARGO_BIN_EXE_gasctl")).with_file_name("gasd");
    if !gasd.exists() {
        eprintln!("SKIPPED: {} is not built", gasd.display());
        return;
    }
    let bench = Bench::new(TAKES_IT);
    let writing = programs();
    fs::copy(gasd, bench.dir.path().join("gasd")).unwrap();
    drop(writing);
    let (code, out, err) = bench.setup(&["--yes", "--valve", "main", "--valve-simulated"]);
    assert_eq!(code, 0, "{out}{err}");
    fs::remove_file(bench.target()).unwrap();
    let (code, _, err) = bench.setup(&["--yes", "--max-flow", "six"]);
    assert_eq!(code, 2);
    assert!(err.contains("max_flow") && err.contains("conf.d/50-kitchen.toml"), "{err}");
    for more in ["--yes", "--dry-run"] {
        let (code, _, err) = bench.setup(&[more, "--valve", "nowhere"]);
        assert_eq!(code, 2);
        assert!(err.contains("nowhere"), "{err}");
        let (code, _, err) =
            bench.setup(&[more, "--valve", "main", "--valve-line", "4", "--valve-closed", "high"]);
        assert_eq!(code, 2, "one line twice");
        assert!(err.contains("line 4"), "{err}");
    }
}
