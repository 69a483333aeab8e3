// SPDX-License-Identifier: MIT OR Apache-2.0
//! Lines with simulated meters, and gasctl on them.
#![allow(dead_code, reason = "every test file uses a part of it")]

use std::os::fd::{AsRawFd as _, OwnedFd};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel, sync_channel};

use gasd::bus::{Bus as DBus, BusAddress, BusStatus, Request, serve};
use gasd::state::{Change, Shared, Snapshot};
use gasd_lab::pty::Pty;
use gasd_lab::{Bus, Habits, Line, Meter, Noise, Register, Shared as Kept, Truth};
use gasd_lab::{cjt188, dlt645, hart, mbus, modbus};
use gasd_ports::wire::{Parity, Serial, SerialSpec, Transceiver};

use super::support;

pub const MS: u64 = 1_000_000;
/// Fast enough that tests need not wait for bytes.
pub const BAUD: u32 = 38_400;

pub fn truth() -> Kept {
    Truth::new(Register { base_ul: 1_234_560_000_000, ..Register::default() }).shared()
}

/// A meter of this protocol, and the address under which it is to be found.
pub fn meter(protocol: &str, habits: Habits) -> (Box<dyn Meter>, &'static str) {
    let truth = truth();
    match protocol {
        "cjt188" => {
            let settings = cjt188::Settings::new("33781122334455".parse().unwrap());
            (Box::new(cjt188::GasMeter::new(settings, habits, truth)), "33781122334455")
        }
        "dlt645" => {
            let settings = dlt645::Settings::new("001122334455".parse().unwrap());
            (Box::new(dlt645::SwitchMeter::new(settings, habits, truth)), "001122334455")
        }
        "mbus" => {
            let settings = mbus::Settings::new(1, [0x78, 0x56, 0x34, 0x12]);
            (Box::new(mbus::GasMeter::new(settings, habits, truth)), "1")
        }
        "hart" => {
            let settings = hart::Settings::new(0, 7);
            (Box::new(hart::FlowComputer::new(settings, habits, truth)), "0")
        }
        "modbus" => {
            let settings = modbus::Settings::new(1);
            (Box::new(modbus::Corrector::new(settings, habits, truth)), "1")
        }
        other => panic!("{other}"),
    }
}

/// A line with these meters, as a device.
pub fn line(noise: Noise, echo: bool, meters: Vec<Box<dyn Meter>>) -> Pty {
    Pty::open(Bus::new(Line { noise, echo, ..Line::new(BAUD) }, meters)).unwrap()
}

/// A good line with a CJ/T 188 meter, at this speed.
pub fn line_at(baud: u32) -> Pty {
    Pty::open(Bus::new(Line::new(baud), vec![meter("cjt188", Habits::default()).0])).unwrap()
}

/// Waits until somebody has the device.
pub fn wait_until_held(pty: &Pty) {
    let began = std::time::Instant::now();
    loop {
        // Whoever is not root is not let in at all.
        let Ok(file) = std::fs::File::open(pty.path()) else { return };
        let mut locked: libc::c_int = 0;
        // SAFETY: TIOCGEXCL writes an `int`, which is live.
        let asked = unsafe { libc::ioctl(file.as_raw_fd(), libc::TIOCGEXCL, &raw mut locked) };
        if asked == 0 && locked != 0 {
            return;
        }
        assert!(began.elapsed() < support::SOON, "nobody took it");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

pub fn quiet(protocol: &str) -> Pty {
    line(Noise::NONE, false, vec![meter(protocol, Habits::default()).0])
}

/// Somebody else who has the device.
pub fn held(pty: &Pty) -> Serial {
    let spec = SerialSpec {
        device: pty.path().to_owned(),
        baud: BAUD,
        parity: Parity::Even,
        two_stops: false,
        transceiver: Transceiver::Adapter,
    };
    Serial::open(&spec).unwrap()
}

/// gasctl on a machine without a bus.
pub fn alone(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gasctl"));
    command.args(["--bus", "unix:path=/no/such/bus"]).args(args);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Exit status, standard output, standard error.
pub fn told(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

/// A gasd on a bus, with a search that says these lines; `None`: it never ends by itself.
pub struct Searching {
    pub shared: Shared,
    _bus: DBus,
    /// The bus ends with what it is told by.
    _changes: (tokio::sync::mpsc::Sender<Change>, Receiver<Request>),
}

pub fn searching(
    bus: &support::PrivateBus,
    snapshot: Snapshot,
    lines: Option<&'static [&'static str]>,
) -> Searching {
    let shared: Shared = Arc::new(std::sync::RwLock::new(snapshot));
    let (changes, changed) = tokio::sync::mpsc::channel(4);
    let (requests, requested) = sync_channel::<Request>(4);
    let mut ports = support::ports(&shared, changed, requests);
    ports.doors.search = Some(Arc::new(move |port, _search| {
        if port != "rs485" {
            return Err("nothing can be asked on it".to_owned());
        }
        let (reader, mut writer) = std::io::pipe().map_err(|error| error.to_string())?;
        std::thread::spawn(move || {
            use std::io::Write as _;
            match lines {
                Some(lines) => lines.iter().try_for_each(|line| writeln!(writer, "{line}")).is_ok(),
                None => loop {
                    if writeln!(writer, "{{\"asking\":\"and on\"}}").is_err() {
                        return false;
                    }
                    std::thread::sleep(std::time::Duration::from_millis(50));
                },
            }
        });
        Ok(OwnedFd::from(reader))
    }));
    let (tell, statuses) = channel();
    let notify = move |status: &BusStatus| drop(tell.send(status.clone()));
    let served = serve(BusAddress::Address(bus.address()), ports, notify).unwrap();
    while !matches!(statuses.recv_timeout(support::SOON).unwrap(), BusStatus::Serving { .. }) {}
    Searching { shared, _bus: served, _changes: (changes, requested) }
}

/// A serial server: bytes of one connection at a time go to the line and back.
pub fn server(pty: &Pty) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let path: PathBuf = pty.path().to_owned();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let line = std::fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
            let (mut from, mut to) = (stream.try_clone().unwrap(), line.try_clone().unwrap());
            std::thread::spawn(move || std::io::copy(&mut from, &mut to));
            let (mut from, mut to) = (line, stream);
            std::thread::spawn(move || std::io::copy(&mut from, &mut to));
        }
    });
    address
}
