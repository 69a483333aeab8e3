// SPDX-License-Identifier: MIT OR Apache-2.0
//! A gateway as it comes out of the package: no meter. It runs, says so, and takes the first meter
//! without a restart.
#![allow(clippy::unwrap_used, reason = "test code")]

use std::{
    fs::{self, File},
    os::unix::net::UnixDatagram,
    path::Path,
    process::{Child, Command},
    time::{Duration, Instant},
};

const SOON: Duration = Duration::from_secs(20);

/// `gasd run` of a directory of configuration, in user space.
struct Service {
    child: Child,
    notices: UnixDatagram,
    dir: tempfile::TempDir,
    status: String,
    states: Vec<String>,
}

impl Service {
    fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::create_dir_all(at("etc/conf.d")).unwrap();
        let notices = UnixDatagram::bind(at("notify")).unwrap();
        notices.set_nonblocking(true).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_gasd"))
            .args(["run", "--userspace", "--simulated", "--bus", "none"])
            .arg("--config")
            .arg(at("etc"))
            .arg("--store")
            .arg(at("gasd.redb"))
            .env("NOTIFY_SOCKET", at("notify"))
            .env_remove("JOURNAL_STREAM")
            .stderr(File::create(at("stderr")).unwrap())
            .spawn()
            .unwrap();
        Self { child, notices, dir, status: String::new(), states: Vec::new() }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        Path::new(self.dir.path()).join(name)
    }

    fn said(&self) -> String {
        fs::read_to_string(self.path("stderr")).unwrap()
    }

    fn wait(&mut self, what: &str, mut done: impl FnMut(&Self) -> bool) {
        let start = Instant::now();
        let mut buffer = [0; 4096];
        while !done(self) {
            while let Ok(n) = self.notices.recv(&mut buffer) {
                for line in String::from_utf8_lossy(&buffer[..n]).lines() {
                    match line.strip_prefix("STATUS=") {
                        Some(status) => status.clone_into(&mut self.status),
                        None => self.states.push(line.to_owned()),
                    }
                }
            }
            assert!(start.elapsed() < SOON, "{what}: {} {:?} {}", self.status, self.states, self.said());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn ready(&mut self, times: usize) {
        let count = |service: &Self| service.states.iter().filter(|state| *state == "READY=1").count();
        self.wait("ready", |service| count(service) == times);
    }

    fn hangup(&self) {
        // SAFETY: our own child, not waited for yet.
        assert_eq!(unsafe { libc::kill(self.child.id() as i32, libc::SIGHUP) }, 0);
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn it_runs_and_says_how_to_add_a_meter_and_takes_one_without_a_restart() {
    let mut service = Service::start();
    service.ready(1);
    service.wait("the status", |service| service.status.contains("gasctl setup"));
    // What it says is written by a thread of its own.
    service.wait("the words", |service| service.said().contains("no meter is configured"));

    fs::write(
        service.path("etc/conf.d/kitchen.toml"),
        "[[meter]]\nid = \"kitchen\"\nline = 1\npulse_volume = \"10 L\"\n",
    )
    .unwrap();
    service.hangup();
    service.ready(2);
    service.wait("the first meter", |service| service.status.starts_with("1 meters, 0 pulses"));
    service
        .wait("the words", |service| service.said().contains("new configuration: meter \"kitchen\" added"));

    // systemd wants the time of the reload with it.
    let at = service.states.iter().position(|state| state == "RELOADING=1").unwrap();
    assert!(service.states[at + 1].starts_with("MONOTONIC_USEC="), "{:?}", service.states);

    fs::write(service.path("etc/conf.d/kitchen.toml"), "[[meter]]\nid = \"kitchen\"\nline = 1\n").unwrap();
    service.hangup();
    service.ready(3);
    service.wait("the words", |service| {
        let said = service.said();
        said.contains("the one before stays in force: ") && said.contains("kitchen.toml:1:1: meter")
    });
    service.wait("the meter", |service| service.status.starts_with("1 meters"));
}
