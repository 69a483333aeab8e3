// SPDX-License-Identifier: MIT OR Apache-2.0
//! What was found on the machine. A fact that could not be had says so; nothing is guessed.

use gasd_proxy::State;

use crate::setup::chips::ChipInfo;

/// Everything the checks look at.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// `uname -r`.
    pub kernel: String,
    /// Whether the kernel shows its types.
    pub btf: bool,
    /// `kernel.unprivileged_bpf_disabled`; `None` where the kernel has no bpf(2).
    pub unprivileged_bpf_disabled: Option<u8>,
    /// What is mounted for the pins.
    pub pins_mount: Option<Mount>,
    /// The pins.
    pub pins: Pins,
    /// AppArmor.
    pub apparmor: AppArmor,
    /// uid of the user gasd.
    pub gasd_uid: Option<u32>,
    /// gid of each group that exists, by name.
    pub groups: Vec<(String, u32)>,
    /// Who asks.
    pub caller: Caller,
    /// The GPIO chips with their devices.
    pub chips: Vec<ChipFacts>,
    /// What `gasd check-config` says.
    pub config: Config,
    /// The lines that the configuration names.
    pub lines: Vec<ConfiguredLine>,
    /// The units; empty without systemd.
    pub units: Vec<Unit>,
    /// The clock.
    pub clock: Clock,
    /// The store's file system.
    pub disk: Option<Disk>,
    /// What the service says of itself.
    pub service: Service,
}

/// A mount.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mount {
    /// Its type.
    pub fs: String,
    /// Owner of its root.
    pub uid: u32,
    /// Permission bits of its root.
    pub mode: u32,
}

/// What is pinned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Pins {
    /// The directory is closed to the caller.
    #[default]
    Closed,
    /// There are none.
    None,
    /// What is there. What is closed to the caller is `None`.
    Found {
        /// Whether the dispatcher is linked to the kernel, for all generations.
        linked: Option<bool>,
        /// Generations by name, each with whether its counting program is there.
        generations: Vec<(String, Option<bool>)>,
    },
}

/// AppArmor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AppArmor {
    /// Whether the kernel uses it.
    pub enabled: bool,
    /// The daemon's profile and mode, as the kernel writes them: `gasd (enforce)`.
    pub daemon: Option<String>,
}

/// Who asks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caller {
    /// Its effective user.
    pub uid: u32,
    /// All its groups.
    pub gids: Vec<u32>,
}

/// A chip and its device file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChipFacts {
    /// The chip.
    pub chip: ChipInfo,
    /// Group of the device file.
    pub gid: u32,
    /// Permission bits of the device file.
    pub mode: u32,
}

/// What `gasd check-config` says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Config {
    /// gasd is not installed, or could not be started.
    #[default]
    NotAsked,
    /// All is well, with its last line and its warnings.
    Good(String, Vec<String>),
    /// What is wrong.
    Bad(String),
}

/// A line that the configuration names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfiguredLine {
    /// `meter "kitchen"` or `valve "main"`.
    pub of: String,
    /// The chip.
    pub chip: String,
    /// The offset.
    pub line: u32,
}

/// A unit as the service manager sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unit {
    /// Its name.
    pub id: String,
    /// `loaded`, `not-found`, …
    pub load: String,
    /// `active`, `failed`, …
    pub active: String,
    /// `enabled`, …
    pub file: String,
    /// Why it ended, `success` otherwise.
    pub result: String,
    /// Restarts by the manager.
    pub restarts: u32,
    /// Its main process, 0 for none.
    pub pid: u32,
}

/// The clock.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Clock {
    /// Unix time, s.
    pub now_s: u64,
    /// Whether the kernel holds it to be synchronised.
    pub synchronised: Option<bool>,
    /// When the store was last written, Unix time in s.
    pub store_written_s: Option<u64>,
}

/// A file system.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Disk {
    /// Where.
    pub path: String,
    /// Bytes that a user may still use.
    pub free: u64,
    /// Files that may still be made; `None` where the file system has no such limit.
    pub free_files: Option<u64>,
    /// Mounted read-only.
    pub read_only: bool,
}

/// What the service says of itself.
#[derive(Clone, Debug, Default)]
pub enum Service {
    /// Not asked.
    #[default]
    NotAsked,
    /// The bus does not answer, in words.
    NoBus(String),
    /// The bus answers, the service does not, in words.
    NoAnswer(String),
    /// The caller may not ask, in words.
    Denied(String),
    /// Everything.
    State(Box<State>),
}

/// For tests: a gateway on which all is well.
#[cfg(test)]
pub fn healthy() -> Facts {
    use crate::setup::chips::{LineInfo, LineState};
    let unit = |id: &str, pid| Unit {
        id: id.into(),
        load: "loaded".into(),
        active: "active".into(),
        file: "enabled".into(),
        result: "success".into(),
        restarts: 0,
        pid,
    };
    let mut state = State::default();
    state.service.version = env!("CARGO_PKG_VERSION").into();
    state.service.mode = "kernel".into();
    state.service.store = "good".into();
    state.service.configuration = "in-force".into();
    let meter = gasd_proxy::Meter { id: "kitchen".into(), health: "ok".into(), ..Default::default() };
    state.meters.insert("kitchen".into(), meter);
    Facts {
        kernel: "6.1.0-32-amd64".into(),
        btf: true,
        unprivileged_bpf_disabled: Some(2),
        pins_mount: Some(Mount { fs: "bpf".into(), uid: 990, mode: 0o750 }),
        pins: Pins::Found { linked: Some(true), generations: vec![("v1".into(), Some(true))] },
        apparmor: AppArmor { enabled: true, daemon: Some("gasd (enforce)".into()) },
        gasd_uid: Some(990),
        groups: vec![("gasd".into(), 991), ("gasd-read".into(), 992), ("gasd-control".into(), 993)],
        caller: Caller { uid: 0, gids: vec![0] },
        chips: vec![ChipFacts {
            chip: ChipInfo {
                name: "gpiochip0".into(),
                path: "/dev/gpiochip0".into(),
                label: "gpio".into(),
                lines: vec![LineInfo {
                    line: 4,
                    name: String::new(),
                    consumer: "gasd:kitchen".into(),
                    state: LineState::Taken,
                    edges: true,
                }],
                problem: None,
            },
            gid: 991,
            mode: 0o660,
        }],
        config: Config::Good("1 meters, 0 valves, no errors".into(), Vec::new()),
        lines: vec![ConfiguredLine { of: "meter \"kitchen\"".into(), chip: "gpio".into(), line: 4 }],
        units: vec![unit("run-gasd-bpf.mount", 0), unit("gasd-load.service", 0), unit("gasd.service", 321)],
        clock: Clock { now_s: 1_800_000_000, synchronised: Some(true), store_written_s: Some(1_799_999_990) },
        disk: Some(Disk {
            path: "/var/lib/gasd".into(),
            free: 5_000_000_000,
            free_files: Some(100_000),
            read_only: false,
        }),
        service: Service::State(Box::new(state)),
    }
}
