// SPDX-License-Identifier: MIT OR Apache-2.0
//! `gasd run` with simulated meters on its ports, and a client of its bus.
#![allow(dead_code, reason = "every test file uses a part of it")]

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use gasd_lab::clock::{now_ns, wall_s};
use gasd_lab::pty::Pty;
use gasd_lab::{Bus, Line, Meter, Register, Shared, Truth};
use gasd_proxy::{Client, State};

use crate::support::{PrivateBus, run};

pub const SECOND: u64 = 1_000_000_000;
pub const M3_PER_H: u64 = 1_000_000_000;

/// A simulated line that is plugged in. Its name goes before it does: the kernel gives the number of a pseudo-terminal
/// to the next one, of another test beside this one as well, and a name that stayed would lead gasd to that one's meters.
pub struct Plugged {
    link: PathBuf,
    pty: Pty,
}

impl std::ops::Deref for Plugged {
    type Target = Pty;

    fn deref(&self) -> &Pty {
        &self.pty
    }
}

impl Drop for Plugged {
    fn drop(&mut self) {
        // The house may be gone before its line.
        let _ = fs::remove_file(&self.link);
    }
}

/// A house with a running gasd.
pub struct House {
    pub bus: PrivateBus,
    pub dir: tempfile::TempDir,
    child: Option<Child>,
}

pub fn truth(base_ul: u64, flow_ul_per_h: u64) -> Shared {
    let register = Register { base_ul, from_ns: now_ns(), flow_ul_per_h, ..Register::default() };
    let mut truth = Truth::new(register);
    truth.wall_s = wall_s();
    truth.shared()
}

/// A register that moves litre by litre, and through which nothing flows yet.
pub fn litres(base_ul: u64) -> Shared {
    let register = Register {
        base_ul,
        from_ns: now_ns(),
        flow_ul_per_h: 0,
        resolution_ul: 1_000_000,
        ..Register::default()
    };
    Truth::new(register).shared()
}

impl House {
    /// One that runs this configuration.
    pub fn start(config: &str) -> Self {
        let mut house = Self::prepare(config);
        house.up();
        house
    }

    /// One that will run this configuration.
    pub fn prepare(config: &str) -> Self {
        let house = Self { bus: PrivateBus::start(), dir: tempfile::tempdir().unwrap(), child: None };
        house.configure(config);
        house
    }

    pub fn at(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn configure(&self, config: &str) {
        let config = config.replace("DIR", self.dir.path().to_str().unwrap());
        fs::write(self.at("gasd.toml"), config).unwrap();
    }

    /// Starts gasd.
    pub fn up(&mut self) {
        let errors = File::options().create(true).append(true).open(self.at("stderr")).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_gasd"))
            .args(["run", "--userspace", "--simulated", "--bus", &self.bus.address(), "--config"])
            .arg(self.at("gasd.toml"))
            .arg("--store")
            .arg(self.at("gasd.redb"))
            .env_remove("NOTIFY_SOCKET")
            .env_remove("JOURNAL_STREAM")
            .stderr(errors)
            .spawn()
            .unwrap();
        self.child = Some(child);
    }

    /// Kills it in the middle of whatever it does.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Has it read its configuration again.
    pub fn reload(&self) {
        let pid = self.child.as_ref().unwrap().id();
        // SAFETY: our own child, not waited for yet.
        assert_eq!(unsafe { libc::kill(pid as i32, libc::SIGHUP) }, 0);
    }

    pub fn pid(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    pub fn said(&self) -> String {
        fs::read_to_string(self.at("stderr")).unwrap()
    }

    /// A simulated line at `DIR/<name>`, until it is dropped.
    pub fn line(&self, name: &str, line: Line, meters: Vec<Box<dyn Meter>>) -> Plugged {
        let pty = Pty::open(Bus::new(line, meters)).unwrap();
        let link = self.at(name);
        std::os::unix::fs::symlink(pty.path(), &link).unwrap();
        Plugged { link, pty }
    }

    /// What gasd shows, once it shows that.
    pub fn wait(&self, what: &str, seconds: u64, mut done: impl FnMut(&State) -> bool) -> State {
        let start = Instant::now();
        let mut last = None;
        loop {
            let state = run(async {
                let client = Client::connect(Some(&self.bus.address())).await.ok()?;
                client.state().await.ok()
            });
            if let Some(state) = state {
                if done(&state) {
                    return state;
                }
                last = Some(state);
            }
            let meters = last.as_ref().map(|state| (&state.meters, &state.ports, &state.valves));
            assert!(
                start.elapsed() < Duration::from_secs(seconds),
                "{what} within {seconds} s: {meters:#?}\n{}",
                self.said()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.kill();
    }
}

/// What a meter on a port has said under this name.
pub fn field<'a>(state: &'a State, meter: &str, name: &str) -> Option<&'a str> {
    let on = state.meters.get(meter)?.on_port.as_ref()?;
    on.fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

/// How often a meter has answered.
pub fn answers(state: &State, meter: &str) -> u64 {
    let on = state.meters.get(meter).and_then(|meter| meter.on_port.as_ref());
    on.and_then(|on| on.answers.get("answers").copied()).unwrap_or(0)
}
