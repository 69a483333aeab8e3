// SPDX-License-Identifier: MIT OR Apache-2.0
//! What journald gets: the fields of real entries of a real daemon, from a socket in journald's place.
#![allow(clippy::unwrap_used, reason = "test code")]

mod kernel_house;

use std::{
    collections::HashMap,
    fs::{self, File},
    os::unix::{fs::MetadataExt, net::UnixDatagram},
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use gasd::{journal::what::What, kernel::Kernel};
use gasd_abi::records::{MAX_LINES, meter_key};
use kernel_house::{House, meter, mount, skip};

type Entry = HashMap<String, String>;

/// An entry in journald's native protocol, <https://systemd.io/JOURNAL_NATIVE_PROTOCOL/>.
fn decode(mut bytes: &[u8]) -> Entry {
    let mut entry = Entry::new();
    while let Some(end) = bytes.iter().position(|b| *b == b'\n') {
        let line = String::from_utf8(bytes[..end].to_vec()).unwrap();
        bytes = &bytes[end + 1..];
        if let Some((name, value)) = line.split_once('=') {
            entry.insert(name.to_owned(), value.to_owned());
        } else {
            let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
            let value = String::from_utf8(bytes[8..8 + length].to_vec()).unwrap();
            bytes = &bytes[8 + length + 1..];
            entry.insert(line, value);
        }
    }
    entry
}

/// Waits for an entry with this id.
fn next(socket: &UnixDatagram, what: What) -> Entry {
    let start = Instant::now();
    let mut buffer = vec![0; 65_536];
    let mut seen = Vec::new();
    while start.elapsed() < kernel_house::SOON {
        if let Ok(n) = socket.recv(&mut buffer) {
            let entry = decode(&buffer[..n]);
            if entry.get("MESSAGE_ID").is_some_and(|id| id == what.id()) {
                return entry;
            }
            seen.push(entry);
        }
    }
    panic!("no {what:?} among {seen:?}");
}

#[test]
fn entries_have_ids_fields_and_priorities() {
    let Some(house) = House::new("journal_entries") else { return };
    // journald's place, in this mount namespace only.
    if let Err(error) = mount("tmpfs", Path::new("/run"), "size=1m") {
        return skip("journal_entries", &format!("no tmpfs: {error}"));
    }
    fs::create_dir_all("/run/systemd/journal").unwrap();
    let journald = UnixDatagram::bind("/run/systemd/journal/socket").unwrap();
    journald.set_read_timeout(Some(Duration::from_millis(100))).unwrap();

    house.configure(
        &[meter("kitchen", 0, "valve = \"main\"")],
        "[[valve]]\nid = \"main\"\nactuator = \"simulated\"\n",
    );
    house.must_load(&[]);
    let path = house.root.join("stderr");
    let stderr = File::create(&path).unwrap();
    let about = stderr.metadata().unwrap();
    let mut command = house.run_command(Path::new(kernel_house::GASD), &[]);
    kernel_house::die_with_parent(&mut command);
    command.env("JOURNAL_STREAM", format!("{}:{}", about.dev(), about.ino())).stderr(stderr);
    let mut daemon = command.spawn().unwrap();

    let started = next(&journald, What::Started);
    assert_eq!(
        started["MESSAGE"],
        format!("gasd {} watches 1 meters and 1 valves; filter in kernel", env!("CARGO_PKG_VERSION"))
    );
    assert_eq!((started["PRIORITY"].as_str(), started["SYSLOG_IDENTIFIER"].as_str()), ("6", "gasd"));
    assert!(!started.contains_key("METER"), "{started:?}");

    // A hose comes off: 9 m3/h at a litre a pulse.
    let kernel = Kernel::open(&house.pins).unwrap();
    let key = meter_key("kitchen");
    let line = (0..MAX_LINES).find(|l| kernel.line_config(*l).unwrap().key == key).unwrap();
    for edge in 0..40u64 {
        kernel.edge(line, 1_000_000_000 + edge * 200_000_000).unwrap();
    }
    let surge = next(&journald, What::Surge);
    let field = |name: &str| surge.get(name).map(String::as_str);
    assert_eq!(field("PRIORITY"), Some("2"), "{surge:?}");
    assert_eq!(
        (field("METER"), field("KIND"), field("SEVERITY")),
        (Some("kitchen"), Some("surge"), Some("critical"))
    );
    assert_eq!((field("VERDICT"), field("VALVE")), (Some("1"), None));
    assert!(surge["MESSAGE"].contains("gas flow rose suddenly"), "{surge:?}");

    fs::write(&house.config, "colour = 1").unwrap();
    // SAFETY: our own child, not waited for yet.
    assert_eq!(unsafe { libc::kill(daemon.id() as i32, libc::SIGHUP) }, 0);
    let refused = next(&journald, What::ConfigurationRefused);
    assert_eq!(refused["PRIORITY"], "3");
    assert!(refused["MESSAGE"].contains("gasd.toml:1:1: unknown key `colour`"), "{refused:?}");

    // SAFETY: as above.
    assert_eq!(unsafe { libc::kill(daemon.id() as i32, libc::SIGTERM) }, 0);
    next(&journald, What::Stopping);
    assert!(daemon.wait().unwrap().success());
    assert_eq!(fs::read_to_string(&path).unwrap(), "", "all went to the journal");

    // An inherited variable is not enough: this standard error is a pipe.
    let mut command = Command::new(kernel_house::GASD);
    command.args(["run", "--bus", "none", "--config", "/nonexistent"]);
    command.env("JOURNAL_STREAM", format!("{}:{}", about.dev(), about.ino()));
    let ended = kernel_house::run(command);
    assert!(ended.err.starts_with("gasd: /nonexistent: there is no such file"), "{ended:?}");
}
