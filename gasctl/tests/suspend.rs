// SPDX-License-Identifier: MIT OR Apache-2.0
//! `gasctl top` stopped and continued, on a terminal that answers no questions.
#![allow(clippy::unwrap_used, reason = "test code")]

#[path = "../../gasd/tests/bus_support.rs"]
mod support;

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{FromRawFd, OwnedFd};
use std::process::{Child, Command};
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;

use support::{PrivateBus, SOON, Service};

/// The question where the cursor is.
const WHERE: &str = "\x1b[6n";

/// Both ends of a terminal of 80x24: the user's, and the program's.
fn terminal() -> (File, OwnedFd) {
    let size = libc::winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
    let (mut user, mut program) = (-1, -1);
    // SAFETY: the pointers are live or null where that is allowed.
    let made = unsafe {
        let none = std::ptr::null_mut();
        libc::openpty(&raw mut user, &raw mut program, none, std::ptr::null(), &raw const size)
    };
    assert_eq!(made, 0, "no terminal");
    // SAFETY: openpty gave both to us alone.
    unsafe { (File::from_raw_fd(user), OwnedFd::from_raw_fd(program)) }
}

/// What the program draws, piece by piece.
fn drawn(mut user: File) -> Receiver<String> {
    let (tell, pieces) = channel();
    std::thread::spawn(move || {
        let mut piece = [0; 4096];
        while let Ok(n @ 1..) = user.read(&mut piece) {
            if tell.send(String::from_utf8_lossy(&piece[..n]).into_owned()).is_err() {
                return;
            }
        }
    });
    pieces
}

/// Everything up to and with `word`.
fn until(pieces: &Receiver<String>, word: &str) -> String {
    let (end, mut seen) = (Instant::now() + SOON, String::new());
    while !seen.contains(word) {
        let left = end.saturating_duration_since(Instant::now());
        seen += &pieces.recv_timeout(left).unwrap_or_else(|_| panic!("no {word:?} in {seen:?}"));
    }
    seen
}

fn signal(child: &Child, signal: i32) {
    // SAFETY: kill has no memory to spoil; the child is ours and not yet waited for.
    unsafe { libc::kill(child.id().try_into().unwrap(), signal) };
}

fn stopped(child: &Child) {
    let mut status = 0;
    // SAFETY: `status` is live and the child ours.
    let pid = unsafe { libc::waitpid(child.id().try_into().unwrap(), &raw mut status, libc::WUNTRACED) };
    assert!(pid > 0 && libc::WIFSTOPPED(status), "it ended instead of stopping: {status:#x}");
}

#[test]
fn after_a_pause_everything_is_drawn_anew_and_nothing_asked() {
    let bus = PrivateBus::start();
    let _service = Service::start(&bus);
    let (mut user, program) = terminal();
    let mut child = Command::new(env!("CARGO_BIN_EXE_gasctl-top"))
        .args(["--bus", &bus.address()])
        .env("TERM", "xterm-256color")
        .stdin(program.try_clone().unwrap())
        .stdout(program.try_clone().unwrap())
        .stderr(program)
        .spawn()
        .unwrap();
    let pieces = drawn(user.try_clone().unwrap());
    until(&pieces, "kitchen");
    // First by the key, then by the signal.
    for by_key in [true, false] {
        if by_key {
            user.write_all(b"\x1a").unwrap();
        } else {
            signal(&child, libc::SIGTSTP);
        }
        stopped(&child);
        while pieces.try_recv().is_ok() {}
        signal(&child, libc::SIGCONT);
        let seen = until(&pieces, "kitchen");
        assert!(!seen.contains(WHERE), "{seen:?}");
    }
    user.write_all(b"q").unwrap();
    let status = child.wait().unwrap();
    assert!(status.success(), "{status}");
}
