// SPDX-License-Identifier: MIT OR Apache-2.0
//! Looks. Nothing is changed, no line is requested, and what cannot be had is left open.

use std::fs;
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::UNIX_EPOCH;

use gasd_proxy::{Client, ClientError};

use crate::setup::{chips, install, layers};
use crate::units::now_unix_us;

use super::facts::{AppArmor, Caller, ChipFacts, Clock, Config, ConfiguredLine, Disk, Facts, Mount, Service};
use super::pins;
use super::units::{self, UNITS};

const PINS: &str = "/run/gasd/bpf";
const STATE: &str = "/var/lib/gasd";
const STORE: &str = "/var/lib/gasd/gasd.redb";

/// Everything.
pub async fn all(bus: Option<&str>) -> Facts {
    let units = units();
    let daemon = units.iter().find(|unit| unit.id == "gasd.service").map_or(0, |unit| unit.pid);
    Facts {
        kernel: trimmed("/proc/sys/kernel/osrelease").unwrap_or_default(),
        btf: Path::new("/sys/kernel/btf/vmlinux").exists(),
        unprivileged_bpf_disabled: trimmed("/proc/sys/kernel/unprivileged_bpf_disabled")
            .and_then(|text| text.parse().ok()),
        pins_mount: pins_mount(),
        pins: pins::look(Path::new(PINS)),
        apparmor: AppArmor {
            enabled: trimmed("/sys/module/apparmor/parameters/enabled").is_some_and(|text| text == "Y"),
            daemon: (daemon != 0).then(|| trimmed(format!("/proc/{daemon}/attr/current"))).flatten(),
        },
        gasd_uid: entry("passwd", "gasd"),
        groups: ["gasd", gasd_proxy::READ_GROUP, gasd_proxy::CONTROL_GROUP]
            .into_iter()
            .filter_map(|name| Some((name.to_owned(), entry("group", name)?)))
            .collect(),
        caller: caller(),
        chips: chips::all().unwrap_or_default().into_iter().filter_map(device).collect(),
        config: config(),
        lines: configured(&layers::files(&layers::roots(Path::new(layers::LOCAL)))),
        units,
        clock: clock(),
        disk: disk(STATE),
        service: service(bus).await,
    }
}

fn trimmed(path: impl AsRef<Path>) -> Option<String> {
    Some(fs::read_to_string(path).ok()?.trim_matches(|c: char| c.is_whitespace() || c == '\0').to_owned())
}

fn output(program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The third field of an entry, asked of the system's name service.
fn entry(database: &str, name: &str) -> Option<u32> {
    output("getent", &[database, name])?.lines().next()?.split(':').nth(2)?.parse().ok()
}

fn caller() -> Caller {
    // SAFETY: these two have no preconditions and cannot fail.
    let (uid, gid) = unsafe { (libc::geteuid(), libc::getegid()) };
    let mut gids = vec![0; 65_536];
    // SAFETY: the length is the buffer's.
    let count = unsafe { libc::getgroups(65_536, gids.as_mut_ptr()) };
    gids.truncate(usize::try_from(count).unwrap_or(0));
    gids.push(gid);
    Caller { uid, gids }
}

fn pins_mount() -> Option<Mount> {
    let mounts = fs::read_to_string("/proc/self/mounts").ok()?;
    // The last one lies on top.
    let fs = mounts
        .lines()
        .map(|line| line.split(' ').collect::<Vec<_>>())
        .filter(|fields| fields.get(1) == Some(&PINS))
        .filter_map(|fields| fields.get(2).map(|fs| (*fs).to_owned()))
        .next_back()?;
    let meta = fs::metadata(PINS).ok()?;
    Some(Mount { fs, uid: meta.uid(), mode: meta.mode() & 0o7777 })
}

fn device(chip: chips::ChipInfo) -> Option<ChipFacts> {
    let meta = fs::metadata(&chip.path).ok()?;
    Some(ChipFacts { gid: meta.gid(), mode: meta.mode() & 0o7777, chip })
}

fn config() -> Config {
    let Ok(output) = Command::new(install::gasd()).arg("check-config").stdin(Stdio::null()).output() else {
        return Config::NotAsked;
    };
    let (told, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if !output.status.success() {
        return Config::Bad(said.trim().trim_start_matches("gasd: ").to_owned());
    }
    let warnings = said.lines().map(|l| l.strip_prefix("warning: ").unwrap_or(l).to_owned());
    // Before its last line it names the files.
    let summary = told.trim().lines().next_back().unwrap_or_default();
    Config::Good(summary.to_owned(), warnings.collect())
}

/// The lines that the files name, as far as they can be read; `gasd check-config` judges them.
fn configured(files: &[PathBuf]) -> Vec<ConfiguredLine> {
    files.iter().filter_map(|file| fs::read_to_string(file).ok()).flat_map(|text| lines_in(&text)).collect()
}

/// The lines of GPIO chips that one file names.
fn lines_in(text: &str) -> Vec<ConfiguredLine> {
    let Ok(table) = text.parse::<toml::Table>() else { return Vec::new() };
    let tables = |key: &str| {
        let list = table.get(key).and_then(toml::Value::as_array).cloned().unwrap_or_default();
        list.into_iter().filter_map(|value| value.as_table().cloned()).collect::<Vec<_>>()
    };
    let line = |of: &str, value: Option<&toml::Value>| {
        let table = value?.as_table()?;
        let chip = table.get("chip")?.as_str()?.to_owned();
        let line = u32::try_from(table.get("line")?.as_integer()?).ok()?;
        Some(ConfiguredLine { of: of.to_owned(), chip, line })
    };
    let title = |what: &str, table: &toml::Table| {
        format!("{what} \"{}\"", table.get("id").and_then(toml::Value::as_str).unwrap_or("?"))
    };
    let mut found = Vec::new();
    for meter in tables("meter") {
        found.extend(line(&title("meter", &meter), meter.get("gpio")));
    }
    for valve in tables("valve") {
        let Some(actuator) = valve.get("actuator").and_then(toml::Value::as_table) else { continue };
        for key in ["gpio", "open_line", "feedback"] {
            found.extend(line(&title("valve", &valve), actuator.get(key)));
        }
    }
    found
}

fn units() -> Vec<super::facts::Unit> {
    let properties = "-pId,LoadState,ActiveState,UnitFileState,Result,NRestarts,MainPID";
    let args: Vec<&str> = ["show", properties].into_iter().chain(UNITS).collect();
    output("systemctl", &args).map(|text| units::parse(&text)).unwrap_or_default()
}

fn clock() -> Clock {
    // SAFETY: an all-zero timex asks for nothing but to be filled in.
    let mut timex: libc::timex = unsafe { std::mem::zeroed() };
    // SAFETY: `timex` is live; with `modes` zero nothing is changed and no capability is needed.
    let state = unsafe { libc::adjtimex(&raw mut timex) };
    let written = fs::metadata(STORE).and_then(|m| m.modified()).ok();
    Clock {
        now_s: now_unix_us() / 1_000_000,
        synchronised: (state >= 0).then_some(timex.status & libc::STA_UNSYNC == 0),
        store_written_s: written.and_then(|t| Some(t.duration_since(UNIX_EPOCH).ok()?.as_secs())),
    }
}

fn disk(path: &str) -> Option<Disk> {
    let name = std::ffi::CString::new(Path::new(path).as_os_str().as_bytes()).ok()?;
    let mut found = MaybeUninit::<libc::statvfs>::uninit();
    // SAFETY: the name is terminated and `found` is live.
    if unsafe { libc::statvfs(name.as_ptr(), found.as_mut_ptr()) } != 0 {
        return None;
    }
    // SAFETY: the call succeeded, so it filled `found`.
    let found = unsafe { found.assume_init() };
    #[allow(clippy::unnecessary_cast, reason = "the fields are narrower on 32 bit")]
    let (blocks, size, files) = (found.f_bavail as u64, found.f_frsize as u64, found.f_files as u64);
    #[allow(clippy::unnecessary_cast, reason = "the fields are narrower on 32 bit")]
    let free_files = (files != 0).then_some(found.f_favail as u64);
    let read_only = found.f_flag & libc::ST_RDONLY != 0;
    Some(Disk { path: path.to_owned(), free: blocks.saturating_mul(size), free_files, read_only })
}

async fn service(bus: Option<&str>) -> Service {
    let client = match Client::connect(bus).await {
        Ok(client) => client,
        Err(error) => return Service::NoBus(error.to_string()),
    };
    match client.state().await {
        Ok(state) => Service::State(Box::new(state)),
        Err(ClientError::Denied(_)) => {
            Service::Denied("that needs root, or the group gasd-read or gasd-control".to_owned())
        }
        Err(error @ (ClientError::Lost | ClientError::BusUnreachable { .. })) => {
            Service::NoBus(error.to_string())
        }
        Err(error) => Service::NoAnswer(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_meters_and_valves_are_found() {
        let text = r#"
            [[meter]]
            id = "boiler"
            gpio = { chip = "gpiochip0", line = 17, active = "low" }
            [[meter]]
            id = "trace"
            line = 4
            [[valve]]
            id = "street"
            [valve.actuator]
            gpio = { chip = "other", line = 22 }
            feedback = { chip = "other", line = 24 }
            [[valve]]
            id = "memory"
            actuator = "simulated"
        "#;
        let found: Vec<_> = lines_in(text).into_iter().map(|l| (l.of, l.chip, l.line)).collect();
        let line = |of: &str, chip: &str, line| (of.to_owned(), chip.to_owned(), line);
        assert_eq!(
            found,
            [
                line("meter \"boiler\"", "gpiochip0", 17),
                line("valve \"street\"", "other", 22),
                line("valve \"street\"", "other", 24)
            ]
        );
        assert!(lines_in("not toml").is_empty());
    }

    #[test]
    fn this_machine_can_be_looked_at() {
        assert!(disk("/").unwrap().free_files != Some(0));
        assert!(disk("/no/such/place").is_none());
        assert!(clock().now_s > 1_700_000_000);
        assert!(!caller().gids.is_empty());
        assert_eq!(entry("passwd", "root"), Some(0));
        assert_eq!(entry("group", "no-such-group-of-gasd"), None);
    }
}
