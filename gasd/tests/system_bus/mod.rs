// SPDX-License-Identifier: MIT OR Apache-2.0
//! A system bus of our own with the shipped policy, and users with different rights on it: in a mount
//! namespace with a user database that has them, so that nothing here depends on this machine's users.
#![allow(dead_code, reason = "every test binary uses another part of it")]
#![allow(clippy::unwrap_used, missing_docs, reason = "test code")]

use std::ffi::CString;
use std::fmt::Write as _;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;

use gasd::bus::{BusAddress, BusStatus};

use crate::support::{PrivateBus, Service, Snapshot};

/// A user of the test's own database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct User {
    pub name: &'static str,
    pub uid: u32,
    /// Its group besides its own.
    pub group: Option<(&'static str, u32)>,
}

pub const ROOT: User = User { name: "root", uid: 0, group: None };
pub const GASD: User = User { name: "gasd", uid: 61_000, group: None };
pub const STRANGER: User = User { name: "gt-stranger", uid: 61_001, group: None };
pub const READER: User = User { name: "gt-reader", uid: 61_002, group: Some(("gasd-read", 61_102)) };
pub const CONTROLLER: User = User { name: "gt-control", uid: 61_003, group: Some(("gasd-control", 61_103)) };
const USERS: [User; 4] = [GASD, STRANGER, READER, CONTROLLER];

/// What a Debian system bus allows everybody.
const DEBIAN: &str = "<deny own=\"*\"/><deny send_type=\"method_call\"/>\
    <allow send_type=\"signal\"/><allow send_requested_reply=\"true\" send_type=\"method_return\"/>\
    <allow send_requested_reply=\"true\" send_type=\"error\"/>\
    <allow receive_type=\"method_call\"/><allow receive_type=\"method_return\"/>\
    <allow receive_type=\"error\"/><allow receive_type=\"signal\"/>\
    <allow send_destination=\"org.freedesktop.DBus\"/>";

pub const POLICY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../dbus/io.gasd1.conf");

/// Says that something is not tested here, past the capture of the test harness.
pub fn skip(test: &str, why: &str) {
    let _ = writeln!(std::io::stderr(), "SKIPPED {test}: {why}");
}

/// Mounts a file or folder over another; in this thread's namespace only.
pub fn cover(with: &Path, what: &str) -> std::io::Result<()> {
    let (with, what) = (CString::new(with.to_str().unwrap())?, CString::new(what)?);
    // SAFETY: both strings are live.
    let ret = unsafe {
        libc::mount(with.as_ptr(), what.as_ptr(), std::ptr::null(), libc::MS_BIND, std::ptr::null())
    };
    if ret == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) }
}

/// The bus. Make it in the thread of the test: its namespace is that thread's, and that of all that the
/// thread starts.
pub struct System {
    pub bus: PrivateBus,
    pub folder: tempfile::TempDir,
}

impl System {
    /// `None`, said loudly, where it cannot be. `more` is policy of others on this bus.
    pub fn start(test: &str, more: &str) -> Option<System> {
        // SAFETY: geteuid has no preconditions.
        if unsafe { libc::geteuid() } != 0 {
            skip(test, "not root");
            return None;
        }
        // SAFETY: no memory is passed.
        if unsafe { libc::unshare(libc::CLONE_NEWNS) } != 0 {
            skip(test, &format!("no mount namespace: {}", std::io::Error::last_os_error()));
            return None;
        }
        let (private, root) = (libc::MS_REC | libc::MS_PRIVATE, c"/".as_ptr());
        // SAFETY: constant strings.
        let ret = unsafe { libc::mount(std::ptr::null(), root, std::ptr::null(), private, std::ptr::null()) };
        assert_eq!(ret, 0, "private mounts: {}", std::io::Error::last_os_error());
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        database(folder.path());
        let shipped = format!("<include>{POLICY}</include>{more}");
        let bus = PrivateBus::with_policy(DEBIAN, &shipped);
        // SAFETY: each test of this kind is the only one of its program, and its threads read no
        // environment yet.
        unsafe { std::env::set_var("DBUS_SYSTEM_BUS_ADDRESS", bus.address()) };
        Some(System { bus, folder })
    }

    /// The service, run by the user gasd as an installed one is.
    pub fn serve(&self, snapshot: Snapshot) -> Service {
        let launch = move || {
            become_user(GASD);
            Service::launch(BusAddress::System, snapshot)
        };
        let service = std::thread::spawn(launch).join().unwrap();
        service.wait_for(|status| matches!(status, BusStatus::Serving { .. }));
        service
    }

    /// A connection of a user.
    pub async fn client(&self, user: User) -> zbus::Connection {
        let path = self.bus.address().strip_prefix("unix:path=").unwrap().to_owned();
        let connect = move || {
            become_user(user);
            UnixStream::connect(path).unwrap()
        };
        let stream = std::thread::spawn(connect).join().unwrap();
        zbus::connection::Builder::unix_stream(stream).user_id(user.uid).build().await.unwrap()
    }
}

fn database(folder: &Path) {
    let old = |file: &str, ours: &dyn Fn(&str) -> bool| {
        let text = std::fs::read_to_string(file).unwrap();
        let kept = text.lines().filter(|line| !ours(line.split(':').next().unwrap()));
        kept.fold(String::new(), |all, line| all + line + "\n")
    };
    let group = |name: &str| USERS.iter().any(|u| u.name == name || u.group.is_some_and(|(g, _)| g == name));
    let mut users = old("/etc/passwd", &|name| USERS.iter().any(|user| user.name == name));
    let mut groups = old("/etc/group", &group);
    for User { name, uid, group } in USERS {
        writeln!(users, "{name}:x:{uid}:{uid}::/nonexistent:/usr/sbin/nologin").unwrap();
        writeln!(groups, "{name}:x:{uid}:").unwrap();
        if let Some((group, gid)) = group {
            writeln!(groups, "{group}:x:{gid}:{name}").unwrap();
        }
    }
    for (file, text) in [("passwd", users), ("group", groups)] {
        let new = folder.join(file);
        std::fs::write(&new, text).unwrap();
        cover(&new, &format!("/etc/{file}")).unwrap();
    }
}

/// Makes the calling thread, and the threads that it starts, those of a user. The C library would change
/// all threads of the process.
pub fn become_user(user: User) {
    let groups: Vec<libc::gid_t> = user.group.map(|(_, gid)| gid).into_iter().collect();
    let uid = user.uid;
    // SAFETY: the list is live and has the length that is said.
    let ret = unsafe { libc::syscall(libc::SYS_setgroups, groups.len(), groups.as_ptr()) };
    assert_eq!(ret, 0, "setgroups: {}", std::io::Error::last_os_error());
    for call in [libc::SYS_setresgid, libc::SYS_setresuid] {
        // SAFETY: numbers only.
        let ret = unsafe { libc::syscall(call, uid, uid, uid) };
        assert_eq!(ret, 0, "{}", std::io::Error::last_os_error());
    }
}

/// Name and text of a call's error; `None` when it was carried out.
pub async fn call<B>(
    client: &zbus::Connection,
    path: &str,
    interface: &str,
    member: &str,
    body: &B,
) -> Option<(String, String)>
where
    B: serde::Serialize + zbus::DynamicType,
{
    let call = client.call_method(Some(gasd_proxy::NAME), path, Some(interface), member, body);
    let answer = tokio::time::timeout(crate::support::SOON, call).await;
    match answer.unwrap_or_else(|_| panic!("{interface}.{member} got no answer")) {
        Ok(_) => None,
        Err(zbus::Error::MethodError(name, text, _)) => Some((name.to_string(), text.unwrap_or_default())),
        Err(zbus::Error::FDO(error)) => {
            use zbus::DBusError;
            Some((error.name().to_string(), error.description().unwrap_or_default().to_owned()))
        }
        Err(other) => panic!("{interface}.{member}: {other}"),
    }
}
