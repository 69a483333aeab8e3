// SPDX-License-Identifier: MIT OR Apache-2.0
//! A line as a serial port, in real time.
#![allow(clippy::unwrap_used, reason = "test code")]

mod common;

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::time::{Duration, Instant};

use common::{MS, truth};
use gasd_lab::cjt188::{GasMeter, Settings};
use gasd_lab::clock::now_ns;
use gasd_lab::pty::Pty;
use gasd_lab::truth::look;
use gasd_lab::{Bus, Habits, Line};
use gasd_meters::cjt188::{Order, Profile, Request, Target, encode, find};

fn open(pty: &Pty) -> File {
    OpenOptions::new().read(true).write(true).open(pty.path()).unwrap()
}

/// Writes a request and reads until its answer is whole.
fn ask(port: &mut File, request: &[u8]) -> Vec<u8> {
    port.write_all(request).unwrap();
    let mut bytes = Vec::new();
    let mut buffer = [0; 64];
    while find(&bytes).is_err() {
        let n = port.read(&mut buffer).unwrap();
        bytes.extend(&buffer[..n]);
    }
    find(&bytes).unwrap().to_vec()
}

#[test]
fn a_host_opens_it_asks_closes_and_opens_it_again() {
    let address = "33780000000001".parse().unwrap();
    let truth = truth(0);
    let habits = Habits { think_ns: (20 * MS, 20 * MS), ..Habits::default() };
    let meter = GasMeter::new(Settings::new(address), habits, truth.clone());
    let pty = Pty::open(Bus::new(Line::new(9600), vec![Box::new(meter)])).unwrap();
    let target = Target { kind: 0x30, address, order: Order::LowFirst };
    let request = encode(&target, &Profile::STANDARD, 1, &Request::Read(0x901F), 2).unwrap();
    for n in 1..=2 {
        let mut port = open(&pty);
        let (began, began_ns) = (Instant::now(), now_ns());
        assert_eq!(ask(&mut port, &request).len(), 35);
        let (took, answered) = (began.elapsed(), look(&truth).answered().to_vec());
        // 18 bytes there, 20 ms, 37 bytes back, 1.15 ms each.
        assert!(took >= Duration::from_millis(80), "at the speed of the line: {took:?}");
        assert_eq!(answered.len(), n);
        assert!((began_ns..now_ns()).contains(&answered[n - 1].0));
    }
    assert_eq!(pty.bus().corrupted().0, 0);
    let began = Instant::now();
    drop(pty);
    assert!(began.elapsed() < Duration::from_millis(500));
}

/// Whether a program has the port for itself. Root may open it all the same.
fn is_locked(port: &File) -> bool {
    const TIOCGEXCL: rustix::ioctl::Opcode = rustix::ioctl::opcode::read::<u32>(b'T', 0x40);
    // SAFETY: TIOCGEXCL writes one int, and nothing else.
    unsafe { rustix::ioctl::ioctl(port, rustix::ioctl::Getter::<TIOCGEXCL, u32>::new()) }.unwrap() != 0
}

#[test]
fn the_lock_of_a_host_goes_with_the_last_who_has_it_open() {
    let pty = Pty::open(Bus::new(Line::new(9600), Vec::new())).unwrap();
    let (first, second) = (open(&pty), open(&pty));
    rustix::termios::ioctl_tiocexcl(&first).unwrap();
    // As when it is killed: it takes nothing back.
    drop(first);
    std::thread::sleep(Duration::from_millis(200));
    assert!(is_locked(&second), "another has it open");
    drop(second);
    let until = Instant::now() + Duration::from_secs(5);
    // Whoever looks is root or comes when it is free, and never locks it himself.
    loop {
        match OpenOptions::new().read(true).write(true).open(pty.path()) {
            Ok(port) if !is_locked(&port) => break,
            _ => assert!(Instant::now() < until, "it stays locked"),
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
