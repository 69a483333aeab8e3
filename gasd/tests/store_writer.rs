// SPDX-License-Identifier: MIT OR Apache-2.0
//! The writing thread, on disks that fail, fill up and hang.
#![expect(clippy::unwrap_used, reason = "a test")]

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use gasd::state::Hold;
use gasd::store::{AuditEntry, Base, Change, Store, StoreError, StoredHold, Writer};
use redb::StorageBackend;

fn hold(cookie: u64) -> Change {
    let hold = Hold {
        cookie,
        owner: "gasd".into(),
        reason: "surge".into(),
        verdict: None,
        uid: None,
        since_unix_us: 5,
    };
    Change::PlaceHold(StoredHold { valve: "main".into(), hold, marks: Vec::new() })
}

fn audit(n: u64) -> Change {
    Change::Audit(AuditEntry { time_unix_us: n, ..AuditEntry::default() })
}

fn wait(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(20), "{what} did not happen");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Memory that fails on demand.
#[derive(Clone, Debug, Default)]
struct Flaky {
    bytes: Arc<Mutex<Vec<u8>>>,
    /// The errno of every write and sync, 0 for none.
    errno: Arc<AtomicI32>,
    /// Whether writes and syncs wait for ever.
    hang: Arc<AtomicBool>,
}

impl Flaky {
    fn check(&self) -> Result<(), std::io::Error> {
        while self.hang.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(1));
        }
        match self.errno.load(Ordering::SeqCst) {
            0 => Ok(()),
            errno => Err(std::io::Error::from_raw_os_error(errno)),
        }
    }

    fn store(&self) -> Result<Store, StoreError> {
        Store::with_backend(self.clone(), Path::new("/flaky/state.redb"), false)
    }

    fn writer(&self) -> Writer {
        let again = self.clone();
        Writer::start_with(self.store().unwrap(), Box::new(move || again.store())).unwrap()
    }
}

impl StorageBackend for Flaky {
    fn len(&self) -> Result<u64, std::io::Error> {
        Ok(self.bytes.lock().unwrap().len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), std::io::Error> {
        let at = offset as usize;
        out.copy_from_slice(&self.bytes.lock().unwrap()[at..at + out.len()]);
        Ok(())
    }

    fn set_len(&self, len: u64) -> Result<(), std::io::Error> {
        self.check()?;
        self.bytes.lock().unwrap().resize(len as usize, 0);
        Ok(())
    }

    fn sync_data(&self) -> Result<(), std::io::Error> {
        self.check()
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), std::io::Error> {
        self.check()?;
        let at = offset as usize;
        self.bytes.lock().unwrap()[at..at + data.len()].copy_from_slice(data);
        Ok(())
    }
}

#[test]
fn what_is_pushed_is_in_the_file_after_a_stop() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state.redb");
    let writer = Writer::start(Store::open(&path).unwrap()).unwrap();
    let handle = writer.handle();
    handle.push(vec![hold(handle.next_cookie()), audit(1)]);
    handle.persist_bases([("kitchen".to_owned(), Base { pulses: 3, ..Base::default() })]);
    writer.stop().unwrap();
    let store = Store::open(&path).unwrap();
    let loaded = store.load().unwrap();
    assert_eq!((loaded.holds.len(), loaded.bases.len()), (1, 1));
    assert_eq!(handle.write_now(vec![]).unwrap_err(), StoreError::Stopped);
}

#[test]
fn an_orderly_stop_skips_no_numbers_and_a_crash_reuses_none() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state.redb");
    let writer = Writer::start(Store::open(&path).unwrap()).unwrap();
    assert_eq!((writer.handle().next_verdict_id(), writer.handle().next_verdict_id()), (1, 2));
    writer.stop().unwrap();
    let writer = Writer::start(Store::open(&path).unwrap()).unwrap();
    let handle = writer.handle();
    for want in 3..100 {
        assert_eq!(handle.next_verdict_id(), want);
    }
    handle.write_now(vec![]).unwrap();
    // As a crash would leave it: a copy of the file while the writer runs.
    let crashed = dir.path().join("crashed.redb");
    fs::copy(&path, &crashed).unwrap();
    assert!(Store::open(&crashed).unwrap().next_ids().unwrap().verdict >= 100);
    drop(writer);
    assert_eq!(Store::open(&path).unwrap().next_ids().unwrap().verdict, 100);
}

#[test]
fn a_full_disk_keeps_records_in_memory_says_so_and_writes_them_later() {
    let disk = Flaky::default();
    let writer = disk.writer();
    let handle = writer.handle();
    handle.write_now(vec![audit(1)]).unwrap();
    disk.errno.store(libc::ENOSPC, Ordering::SeqCst);
    handle.push(vec![hold(1), audit(2)]);
    wait("the problem", || handle.problem().is_some());
    let problem = handle.problem().unwrap();
    assert!(problem.contains("no space is left for the store in /flaky"), "{problem}");
    assert!(problem.contains("wait in memory, 0 were dropped"), "{problem}");
    assert!(handle.waiting() >= 2);
    // Refused at once, and not written behind the caller's back.
    assert!(matches!(handle.write_now(vec![Change::ReleaseHold(1)]), Err(StoreError::DiskFull { .. })));
    disk.errno.store(0, Ordering::SeqCst);
    wait("the recovery", || handle.problem().is_none() && handle.waiting() == 0);
    writer.stop().unwrap();
    let store = disk.store().unwrap();
    assert_eq!(store.holds().unwrap().len(), 1);
    let audits: Vec<_> =
        store.audit_tail(9).unwrap().into_iter().map(|(seq, entry)| (seq, entry.time_unix_us)).collect();
    assert_eq!(audits, [(1, 1), (2, 2)]);
}

#[test]
fn a_disk_that_works_again_is_noticed_without_new_records() {
    let disk = Flaky::default();
    let writer = disk.writer();
    let handle = writer.handle();
    disk.errno.store(libc::EIO, Ordering::SeqCst);
    assert!(handle.write_now(vec![audit(1)]).is_err());
    wait("the problem", || handle.problem().is_some());
    disk.errno.store(0, Ordering::SeqCst);
    wait("the recovery", || handle.problem().is_none());
}

#[test]
fn pushing_never_waits_for_a_disk_that_hangs() {
    let disk = Flaky::default();
    let writer = disk.writer();
    let handle = writer.handle();
    handle.write_now(vec![]).unwrap();
    disk.hang.store(true, Ordering::SeqCst);
    let start = Instant::now();
    for n in 0..1000 {
        handle.push(vec![audit(n)]);
    }
    assert!(start.elapsed() < Duration::from_secs(1));
    disk.hang.store(false, Ordering::SeqCst);
    writer.stop().unwrap();
    assert_eq!(disk.store().unwrap().audit_tail(2000).unwrap().len(), 1000);
}

#[test]
fn a_real_full_filesystem_is_survived() {
    let dir = tempfile::tempdir().unwrap();
    let mount =
        Command::new("mount").args(["-t", "tmpfs", "-o", "size=8k", "tmpfs"]).arg(dir.path()).output();
    if !mount.is_ok_and(|out| out.status.success()) {
        eprintln!("SKIPPED: a tmpfs cannot be mounted here");
        return;
    }
    let path = dir.path().join("state.redb");
    let remount = |size: &str| {
        let option = format!("remount,size={size}");
        assert!(Command::new("mount").args(["-o", &option]).arg(dir.path()).status().unwrap().success());
    };
    let result = std::panic::catch_unwind(|| {
        // A new store takes no more than four pages.
        let error = Store::open(&path).map(drop).unwrap_err();
        assert_eq!(error, StoreError::DiskFull { dir: dir.path().into() });
        remount("8m");
        let store = Store::open(&path).unwrap();
        store.commit(&[hold(1)]).unwrap();
        let writer = Writer::start(store).unwrap();
        let handle = writer.handle();
        let filler = dir.path().join("filler");
        let _ = fs::write(&filler, vec![1u8; 9 << 20]);
        let text = "x".repeat(100_000);
        for n in 0..40 {
            let entry = AuditEntry { time_unix_us: n, detail: text.clone(), ..AuditEntry::default() };
            handle.push(vec![Change::Audit(entry)]);
        }
        handle.push(vec![hold(2)]);
        wait("the problem", || handle.problem().is_some());
        println!("{}", handle.problem().unwrap());
        drop(writer);
        // A gateway that starts with a full disk still reads its holds.
        let holds = Store::open(&path).unwrap().holds().unwrap();
        assert!(!holds.is_empty());
        let writer = Writer::start(Store::open(&path).unwrap()).unwrap();
        writer.handle().push(vec![hold(3)]);
        fs::remove_file(&filler).unwrap();
        wait("the recovery", || writer.handle().problem().is_none() && writer.handle().waiting() == 0);
        writer.stop().unwrap();
        assert!(Store::open(&path).unwrap().holds().unwrap().iter().any(|hold| hold.hold.cookie == 3));
    });
    assert!(Command::new("umount").arg(dir.path()).status().unwrap().success());
    result.unwrap();
}
