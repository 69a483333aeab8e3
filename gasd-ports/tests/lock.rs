// SPDX-License-Identifier: MIT OR Apache-2.0
//! A serial device is opened by one at a time, whoever they are.
#![allow(clippy::unwrap_used, reason = "test code")]

use gasd_lab::pty::Pty;
use gasd_lab::{Bus, Line};
use gasd_ports::WireError;
use gasd_ports::wire::{Parity, Serial, SerialSpec, Transceiver};

fn spec(pty: &Pty, baud: u32) -> SerialSpec {
    SerialSpec {
        device: pty.path().to_owned(),
        baud,
        parity: Parity::Even,
        two_stops: false,
        transceiver: Transceiver::Adapter,
    }
}

#[test]
fn a_device_that_is_open_is_busy_for_everybody_and_free_afterwards() {
    let pty = Pty::open(Bus::new(Line::new(2_400), Vec::new())).unwrap();
    for baud in [2_400, 9_600] {
        let first = Serial::open(&spec(&pty, baud)).unwrap();
        // Also for root, whom the kernel lets past the lock.
        let busy = Serial::open(&spec(&pty, 300)).unwrap_err();
        assert!(matches!(busy, WireError::Busy(ref path) if path == pty.path()), "{busy}");
        drop(first);
    }
    // The one that was not let in has changed nothing.
    assert!(Serial::open(&spec(&pty, 2_400)).is_ok());
}
