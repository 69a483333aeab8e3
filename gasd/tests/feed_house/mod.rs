// SPDX-License-Identifier: MIT OR Apache-2.0
//! A daemon with meters that programs feed, and the programs' side of a feed.
#![allow(dead_code, clippy::unwrap_used, reason = "test code, of which each test uses a part")]

use std::collections::HashMap;
use std::fs::{self, File};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use gasd_abi::feed::{ANSWER_BYTES, Answer};
use gasd_proxy::{Client, ClientError};
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{RecvFlags, SendFlags, recv, send};
use zbus::Variant;

use crate::bus_support::PrivateBus;
use crate::kernel_house::{self, GASD, SOON};

/// The daemon, on a bus of its own.
pub struct Daemon(Child);

impl Daemon {
    /// Starts one with the meters of `config`.
    pub fn start(config: &str, bus: &PrivateBus, dir: &Path, more: &[&str]) -> Daemon {
        fs::write(dir.join("gasd.toml"), config).unwrap();
        let mut command = Command::new(GASD);
        command
            .args(["run", "--simulated", "--bus", &bus.address()])
            .args(["--config".as_ref(), dir.join("gasd.toml").as_os_str()])
            .args(["--store".as_ref(), dir.join("gasd.redb").as_os_str()])
            .args(more)
            .env_remove("NOTIFY_SOCKET")
            .env_remove("JOURNAL_STREAM")
            .stderr(File::create(dir.join("stderr")).unwrap());
        kernel_house::die_with_parent(&mut command);
        Daemon(command.spawn().unwrap())
    }

    /// Ends it so.
    pub fn end(&mut self, signal: i32) {
        // SAFETY: our own child.
        unsafe { libc::kill(self.0.id().cast_signed(), signal) };
        let _ = self.0.wait();
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.end(libc::SIGKILL);
    }
}

/// Asks until the daemon is there.
pub async fn connect(bus: &PrivateBus) -> Client {
    let start = Instant::now();
    loop {
        let client = Client::connect(Some(&bus.address())).await.unwrap();
        if client.state().await.is_ok() {
            return client;
        }
        assert!(start.elapsed() < SOON, "no daemon");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A feed of these meters.
pub async fn feed(client: &Client, meters: &[&str]) -> Result<OwnedFd, ClientError> {
    let options = HashMap::from([("Meters", Variant::from(meters.to_vec()))]);
    Ok(client.manager().await?.feed(options).await?.into())
}

/// Hands a packet in.
pub fn hand_in(feed: &OwnedFd, bytes: &[u8]) {
    send(feed, bytes, SendFlags::NOSIGNAL).unwrap();
}

/// The next answer; `None` when the feed has ended.
pub fn answer(feed: &OwnedFd) -> Option<Answer> {
    let patience = Some(Duration::from_secs(30));
    set_socket_timeout(feed, Timeout::Recv, patience).unwrap();
    let mut bytes = [0; ANSWER_BYTES];
    match recv(feed, &mut bytes, RecvFlags::empty()) {
        Ok((ANSWER_BYTES, _)) => Some(Answer::from_bytes(&bytes)),
        _ => None,
    }
}

/// Waits until the meter's health begins so.
pub async fn wait_health(client: &Client, meter: &str, wanted: &str) {
    let start = Instant::now();
    loop {
        let health = client.meter(meter).await.unwrap().health().await.unwrap();
        if health.starts_with(wanted) {
            return;
        }
        assert!(start.elapsed() < SOON, "{health}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Name and text of a refusal.
pub fn refused(error: ClientError) -> (String, String) {
    match error {
        ClientError::Refused { name, text } => (name, text),
        other => panic!("{other}"),
    }
}
