// SPDX-License-Identifier: MIT OR Apache-2.0
//! A real `gasd run`, and what it tells its service manager.

use std::{
    fs::File,
    os::unix::net::UnixDatagram,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus},
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use super::{GASD, House, SOON, die_with_parent};

/// A daemon; killed when dropped.
pub struct Daemon {
    child: Child,
    notices: UnixDatagram,
    files: [PathBuf; 2],
    ready: bool,
    /// How often it said that it is ready: once at the start, once after each reload.
    pub readies: u32,
    /// The last status line.
    pub status: String,
    /// Pulses in the last status line.
    pub shown: Option<u64>,
}

/// What the daemon's user is.
pub const NOBODY: u32 = 65_534;

impl Daemon {
    /// Starts the program under test and waits until it is ready.
    pub fn start(house: &House) -> Daemon {
        let mut daemon = Daemon::spawn(house, house.run_command(Path::new(GASD), &[]));
        daemon.wait_ready();
        daemon
    }

    /// Starts a command and waits for nothing.
    pub fn spawn(house: &House, mut command: Command) -> Daemon {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let files = [house.root.join(format!("notify{number}")), house.root.join(format!("stderr{number}"))];
        let notices = UnixDatagram::bind(&files[0]).unwrap();
        let open = <std::fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o777);
        std::fs::set_permissions(&files[0], open).unwrap();
        notices.set_nonblocking(true).unwrap();
        die_with_parent(&mut command);
        let child =
            command.env("NOTIFY_SOCKET", &files[0]).stderr(File::create(&files[1]).unwrap()).spawn().unwrap();
        Daemon { child, notices, files, ready: false, readies: 0, status: String::new(), shown: None }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it wrote to stderr so far.
    pub fn said(&self) -> String {
        std::fs::read_to_string(&self.files[1]).unwrap_or_default()
    }

    /// Reads what it told its manager since.
    pub fn listen(&mut self) {
        let mut buffer = [0u8; 4096];
        while let Ok(n) = self.notices.recv(&mut buffer) {
            let text = String::from_utf8_lossy(&buffer[..n]).into_owned();
            let ready = text.lines().any(|l| l == "READY=1");
            self.ready |= ready;
            self.readies += u32::from(ready);
            if let Some(status) = text.lines().find_map(|l| l.strip_prefix("STATUS=")) {
                status.clone_into(&mut self.status);
            }
            let pulses = text.lines().find_map(|l| {
                let words: Vec<&str> = l.strip_prefix("STATUS=")?.split_whitespace().collect();
                let at = words.iter().position(|w| *w == "pulses,")?;
                words.get(at.checked_sub(1)?)?.parse().ok()
            });
            self.shown = pulses.or(self.shown);
        }
    }

    pub fn is_ready(&mut self) -> bool {
        self.listen();
        self.ready
    }

    pub fn wait_ready(&mut self) {
        let start = Instant::now();
        while !self.is_ready() {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "the daemon ended with {ended:?}: {}", self.said());
            assert!(start.elapsed() < SOON, "the daemon is not ready: {}", self.said());
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Waits until its status line shows that many pulses.
    pub fn wait_shown(&mut self, pulses: u64) {
        let start = Instant::now();
        loop {
            self.listen();
            if self.shown == Some(pulses) {
                return;
            }
            let seen = self.shown;
            assert!(start.elapsed() < SOON, "shows {seen:?}, not {pulses}: {}", self.said());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// SIGHUP, and waits until the service is ready again.
    pub fn reload(&mut self) {
        self.listen();
        let before = self.readies;
        self.signal(libc::SIGHUP);
        let start = Instant::now();
        while self.readies == before {
            assert!(start.elapsed() < SOON, "not ready again: {}", self.said());
            std::thread::sleep(Duration::from_millis(1));
            self.listen();
        }
    }

    pub fn signal(&self, signal: i32) {
        // SAFETY: our own child, not waited for yet.
        let ret = unsafe { libc::kill(self.child.id() as i32, signal) };
        assert_eq!(ret, 0);
    }

    /// `kill -9`. Returns the pulses that it showed last.
    pub fn kill9(mut self) -> Option<u64> {
        self.listen();
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.listen();
        self.shown
    }

    /// Waits for its end.
    pub fn ended(&mut self) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(start.elapsed() < SOON, "the daemon does not end: {}", self.said());
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// SIGTERM, and an orderly end.
    pub fn stop(mut self) {
        self.signal(libc::SIGTERM);
        let status = self.ended();
        assert!(status.success(), "{status:?}: {}", self.said());
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("the daemon said: {}", self.said());
        }
        for file in &self.files {
            let _ = std::fs::remove_file(file);
        }
    }
}
