// SPDX-License-Identifier: MIT OR Apache-2.0
//! Debian's polkit asks a person at a terminal for a password, though nothing else there could ask. Needs
//! root and the package polkitd; skipped without.
//!
//! One test only: it names the system bus by an environment variable of the whole process.
#![allow(clippy::unwrap_used, reason = "test code")]

#[path = "../../gasd/tests/bus_support.rs"]
mod support;
#[path = "../../gasd/tests/system_bus/mod.rs"]
mod system_bus;

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use support::{SOON, run, snapshot};
use system_bus::{ROOT, STRANGER, System, cover, skip};

const AUTHORITY: &str = "org.freedesktop.PolicyKit1";
/// As shipped: it also lets polkit talk to its agents.
const POLICY: &str = "/usr/share/dbus-1/system.d/org.freedesktop.PolicyKit1.conf";
const POLKITD: &str = "/usr/lib/polkit-1/polkitd";

/// The stranger's password.
const PASSWORD: &str = "sesame";
/// And as a file of shadows has it.
const HASH: &str =
    "$6$gasdtest$mGSWbB0N.Geu5AWDWIBYj2TpAryXJCEfDr9/TVqF1dwWw/WW6HYmIw/er.JDpsHVTPDJOdIPFVLmMmy8gkR5t/";

/// Ends what it holds.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn polkitd(system: &System) -> Ended {
    let actions = system.folder.path().join("actions");
    std::fs::create_dir(&actions).unwrap();
    let policy = concat!(env!("CARGO_MANIFEST_DIR"), "/../dbus/io.gasd1.policy");
    std::fs::copy(policy, actions.join("io.gasd1.policy")).unwrap();
    cover(&actions, "/usr/share/polkit-1/actions").unwrap();
    let mut started = Command::new(POLKITD);
    started.arg("--no-debug").stdout(Stdio::null()).stderr(Stdio::null());
    let polkitd = Ended(started.spawn().unwrap());
    run(async {
        let bus = zbus::fdo::DBusProxy::new(&system.client(ROOT).await).await.unwrap();
        let start = Instant::now();
        while !bus.name_has_owner(AUTHORITY.try_into().unwrap()).await.unwrap() {
            assert!(start.elapsed() < SOON, "polkitd did not come up");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    });
    polkitd
}

/// Gives the stranger its password, and the bus the place of the system's: polkit's helper, which checks
/// the password as root, looks nowhere else.
fn stage(system: &System) {
    let shadow = system.folder.path().join("shadow");
    std::fs::write(&shadow, format!("{}:{HASH}:20000:0:99999:7:::\n", STRANGER.name)).unwrap();
    cover(&shadow, "/etc/shadow").unwrap();
    let bus = system.folder.path().join("run/dbus");
    std::fs::create_dir_all(&bus).unwrap();
    let address = system.bus.address();
    let socket = address.strip_prefix("unix:path=").unwrap();
    std::os::unix::fs::symlink(socket, bus.join("system_bus_socket")).unwrap();
    cover(&system.folder.path().join("run"), "/run").unwrap();
}

/// `gasctl valve close main` by somebody in no group.
fn close(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.args(["valve", "close", "main"]).uid(STRANGER.uid).gid(STRANGER.uid);
    command
}

/// Both ends of a terminal: the user's, and the program's.
fn terminal() -> (File, OwnedFd) {
    let (mut user, mut program) = (-1, -1);
    // SAFETY: the pointers are live or null where that is allowed.
    let made = unsafe {
        let none = std::ptr::null_mut();
        libc::openpty(&raw mut user, &raw mut program, none, std::ptr::null(), std::ptr::null())
    };
    assert_eq!(made, 0, "no terminal");
    // SAFETY: openpty gave both to us alone.
    unsafe { (File::from_raw_fd(user), OwnedFd::from_raw_fd(program)) }
}

#[test]
fn a_person_at_a_terminal_is_asked() {
    let name = "a_person_at_a_terminal_is_asked";
    let users = std::fs::read_to_string("/etc/passwd").unwrap();
    if ![POLKITD, POLICY, "/usr/bin/pkttyagent"].iter().all(|file| Path::new(file).exists())
        || !users.contains("\npolkitd:")
    {
        skip(name, "polkitd is not installed");
        return;
    }
    let Some(system) = System::start(name, &format!("<include>{POLICY}</include>")) else { return };
    let service = system.serve(snapshot());
    let _polkitd = polkitd(&system);
    stage(&system);
    let program = system.folder.path().join("gasctl");
    std::fs::copy(env!("CARGO_BIN_EXE_gasctl"), &program).unwrap();

    // Nobody is there.
    let alone = close(&program).stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8(alone.stderr).unwrap();
    assert_eq!(alone.status.code(), Some(4), "{said}");
    assert!(said.contains("wants a password") && said.contains("pkttyagent"), "{said}");

    // Somebody is there, and mistypes the password, then types it.
    let (failed, said) = typed(&program, "open");
    assert_eq!(failed, Some(4), "{said}");
    assert!(service.commands.lock().unwrap().is_empty(), "without the password nothing is done");
    let (done, said) = typed(&program, PASSWORD);
    assert_eq!(done, Some(0), "{said}");
    assert!(said.contains("valve main"), "{said}");
    assert_eq!(service.commands.lock().unwrap().len(), 1);
}

/// Waits until the terminal shows no more of what is typed: the agent forgets what was typed before.
fn hidden(terminal: &File) {
    let start = Instant::now();
    loop {
        // SAFETY: an all-zero termios asks for nothing but to be filled in, and is live.
        let echo = unsafe {
            let mut modes: libc::termios = std::mem::zeroed();
            assert_eq!(libc::tcgetattr(terminal.as_raw_fd(), &raw mut modes), 0);
            modes.c_lflag & libc::ECHO != 0
        };
        if !echo {
            return;
        }
        assert!(start.elapsed() < SOON, "the password would be shown");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

/// Closes the valve at a terminal where a password is typed. Exit status, and what the terminal showed.
fn typed(program: &Path, password: &str) -> (Option<i32>, String) {
    let (mut user, inside) = terminal();
    let mut command = close(program);
    command.stdin(inside.try_clone().unwrap()).stdout(inside.try_clone().unwrap()).stderr(inside);
    // SAFETY: both calls may be made between fork and exec, and pass no memory.
    unsafe {
        command.pre_exec(|| {
            if libc::setsid() < 0 || libc::ioctl(0, libc::TIOCSCTTY, 0) < 0 {
                return Err(std::io::Error::last_os_error());
            }
            Ok(())
        });
    }
    let mut person = Ended(command.spawn().unwrap());
    // Its copies of the terminal would keep the reader below waiting after the end.
    drop(command);
    let (mut seen, mut piece, mut asked) = (String::new(), [0; 1024], false);
    while let Ok(n @ 1..) = user.read(&mut piece) {
        seen += &String::from_utf8_lossy(&piece[..n]);
        if !asked && seen.contains("Password:") {
            assert!(seen.contains("io.gasd1.valve.close"), "{seen}");
            hidden(&user);
            writeln!(user, "{password}").unwrap();
            asked = true;
        }
    }
    assert!(asked, "it ended without asking: {seen}");
    (person.0.wait().unwrap().code(), seen)
}
