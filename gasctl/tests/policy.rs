// SPDX-License-Identifier: MIT OR Apache-2.0
//! The shipped bus policy and the service's own check, tried by users with different rights. Needs
//! root and the users `games`, `mail` and `nobody` of every Debian system; skipped without.
//!
//! One test only: it names the system bus by an environment variable of the whole process.
#![allow(clippy::unwrap_used, reason = "test code")]

#[path = "../../gasd/tests/bus_support.rs"]
mod support;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use gasd::bus::{BusAddress, BusStatus};
use support::{PrivateBus, Service, snapshot, verdict};

/// What a Debian system bus allows everybody.
const SYSTEM: &str = "<deny own=\"*\"/><deny send_type=\"method_call\"/>\
    <allow send_type=\"signal\"/><allow send_requested_reply=\"true\" send_type=\"method_return\"/>\
    <allow send_requested_reply=\"true\" send_type=\"error\"/>\
    <allow receive_type=\"method_call\"/><allow receive_type=\"method_return\"/>\
    <allow receive_type=\"error\"/><allow receive_type=\"signal\"/>\
    <allow send_destination=\"org.freedesktop.DBus\"/>";

/// The shipped policy with groups that exist here: `games` controls, `mail` reads.
fn policy() -> String {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../dbus/io.gasd1.conf");
    let xml = std::fs::read_to_string(file).unwrap();
    let inner = xml.split_once("<busconfig>").unwrap().1.split_once("</busconfig>").unwrap().0;
    inner
        .replace("group=\"gasd-read\"", "group=\"mail\"")
        .replace("group=\"gasd-control\"", "group=\"games\"")
        .replace("user=\"gasd\"", "user=\"root\"")
}

fn gasctl(program: &Path, user: &str, args: &[&str]) -> (i32, String) {
    let output = Command::new("setpriv")
        .args([&format!("--reuid={user}"), "--init-groups"])
        .arg(format!("--regid={}", if user == "nobody" { "nogroup" } else { user }))
        .arg(program)
        .args(args)
        .output()
        .unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn each_user_may_what_its_group_may() {
    // SAFETY: geteuid has no preconditions.
    let root = unsafe { libc::geteuid() } == 0;
    let users = std::fs::read_to_string("/etc/passwd").unwrap();
    if !root || !["games:", "mail:", "nobody:"].iter().all(|user| users.contains(user)) {
        eprintln!("skipped: needs root and the users games, mail and nobody");
        return;
    }
    let bus = PrivateBus::with_policy(SYSTEM, &policy());
    // SAFETY: this is the only test of this program, and its threads read no environment yet.
    unsafe { std::env::set_var("DBUS_SYSTEM_BUS_ADDRESS", bus.address()) };
    let mut start = snapshot();
    start.verdicts.push(verdict(1, "warning"));
    let service = Service::launch(BusAddress::System, start);
    service.wait_for(|status| matches!(status, BusStatus::Serving { .. }));

    // Others must reach the program, wherever it was built.
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let program = folder.path().join("gasctl");
    std::fs::copy(env!("CARGO_BIN_EXE_gasctl"), &program).unwrap();
    let gasctl = |user: &str, args: &[&str]| gasctl(&program, user, args);

    assert_eq!(gasctl("root", &["status"]), (0, String::new()));
    assert_eq!(gasctl("root", &["valve", "close", "main"]), (0, String::new()));

    let (code, err) = gasctl("nobody", &["status"]);
    assert_eq!(code, 4, "{err}");
    assert!(err.contains("may not read the state of gasd") && err.contains("gasd-read"), "{err}");
    let (code, err) = gasctl("nobody", &["watch"]);
    assert_eq!(code, 4, "{err}");

    assert_eq!(gasctl("mail", &["status"]), (0, String::new()));
    assert!(gasctl("nobody", &["explain", "77"]).1.contains("gasd-read"));
    // The bus lets `mail` through here; the service asks for the real group, which it is not in.
    let (code, err) = gasctl("mail", &["explain", "77"]);
    assert!(code == 4 && err.contains("may not read the record") && err.contains("gasd-read"), "{err}");
    assert_eq!(gasctl("root", &["explain", "77"]), (0, String::new()));
    let report = &["report", "kitchen", "--gas-alarm", "off"][..];
    for args in [&["valve", "close", "main"][..], &["valve", "open", "main"], &["ack", "1"], report] {
        let (code, err) = gasctl("mail", args);
        assert_eq!(code, 4, "{err}");
        assert!(err.contains("gasd-control") && !err.contains("Rejected"), "{err}");
    }

    // Simulating is root's alone, whatever the group.
    for user in ["nobody", "mail", "games"] {
        let (code, err) = gasctl(user, &["simulate", "kitchen"]);
        assert_eq!(code, 4, "{user}: {err}");
        assert!(err.contains("root") && !err.contains("gasd-read"), "{user}: {err}");
    }

    // The bus lets `games` through here; the service asks for the real group, which it is not in.
    assert_eq!(gasctl("games", &["status"]), (0, String::new()));
    for args in [&["valve", "close", "main"][..], &["valve", "open", "main"], report] {
        let (code, err) = gasctl("games", args);
        assert_eq!(code, 4, "{err}");
        assert!(err.contains("uid 5 (:") && err.contains("group gasd-control"), "{err}");
    }
    assert_eq!(service.commands.lock().unwrap().len(), 1, "only root reached the pipeline");
}
