// SPDX-License-Identifier: MIT OR Apache-2.0
//! Valves while the disk is full or stands still: closing goes on, opening does not.
#![expect(clippy::unwrap_used, reason = "a test")]

mod response_house;

use std::path::Path;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use gasd::response::Target;
use gasd::state::{Command, CommandError, Position};
use gasd::store::{Store, StoreError};
use redb::StorageBackend;
use response_house::{House, verdict};

/// Memory that fails with an errno, or stands still while it is `-1`.
#[derive(Clone, Debug, Default)]
struct Disk(Arc<Mutex<Vec<u8>>>, Arc<AtomicI32>);

impl Disk {
    fn store(&self) -> Result<Store, StoreError> {
        Store::with_backend(self.clone(), Path::new("/disk/state.redb"), false)
    }

    fn house(&self) -> House {
        let again = self.clone();
        House::start(self.store().unwrap(), Some(Box::new(move || again.store())))
    }

    fn check(&self) -> Result<(), std::io::Error> {
        while self.1.load(Ordering::SeqCst) == -1 {
            std::thread::sleep(Duration::from_millis(1));
        }
        match self.1.load(Ordering::SeqCst) {
            0 => Ok(()),
            errno => Err(std::io::Error::from_raw_os_error(errno)),
        }
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> Result<u64, std::io::Error> {
        Ok(self.0.lock().unwrap().len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), std::io::Error> {
        let at = offset as usize;
        out.copy_from_slice(&self.0.lock().unwrap()[at..at + out.len()]);
        Ok(())
    }

    fn set_len(&self, len: u64) -> Result<(), std::io::Error> {
        self.check()?;
        self.0.lock().unwrap().resize(len as usize, 0);
        Ok(())
    }

    fn sync_data(&self) -> Result<(), std::io::Error> {
        self.check()
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), std::io::Error> {
        self.check()?;
        let at = offset as usize;
        self.0.lock().unwrap()[at..at + data.len()].copy_from_slice(data);
        Ok(())
    }
}

/// A disk that fails so: nothing is opened, everything is closed.
fn closes_and_does_not_open(errno: i32) {
    let disk = Disk::default();
    let house = disk.house();
    house.open().unwrap();
    disk.1.store(errno, Ordering::SeqCst);
    let id = house.response.on_verdict(0, verdict("critical"));
    house.wait_for(Position::Closed);
    assert!(matches!(house.acknowledge(id), Err(CommandError::Store(_))));
    assert!(matches!(house.open(), Err(CommandError::Unacknowledged { .. })));
    disk.1.store(0, Ordering::SeqCst);
    let start = Instant::now();
    while house.acknowledge(id).is_err() {
        assert!(start.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(20));
    }
    disk.1.store(errno, Ordering::SeqCst);
    let error = house.open().unwrap_err();
    assert!(error.to_string().contains("nothing was opened"), "{error}");
    assert_eq!((house.position(), house.response.valve_states()[0].holds.len()), (Position::Closed, 1));
    disk.1.store(0, Ordering::SeqCst);
    house.stop();
    let store = disk.store().unwrap();
    assert_eq!(store.holds().unwrap().len(), 1, "the hold is in the file");
    assert_eq!(store.commanded().unwrap(), [("simulated house".to_owned(), Position::Closed)]);
}

#[test]
fn with_a_full_disk_nothing_is_opened_but_everything_is_closed() {
    closes_and_does_not_open(libc::ENOSPC);
}

#[test]
fn with_a_read_only_disk_too() {
    closes_and_does_not_open(libc::EROFS);
}

#[test]
fn and_with_one_that_fails() {
    closes_and_does_not_open(libc::EIO);
}

#[test]
fn a_verdict_while_the_disk_writes_an_opening_wins() {
    let disk = Disk::default();
    let house = disk.house();
    house.open().unwrap();
    house.close().unwrap();
    house
        .response
        .command(&Command::Acknowledge { verdict: 77, feedback: None, caller: "x".into() })
        .unwrap_err();
    let before = house.moves().len();
    disk.1.store(-1, Ordering::SeqCst);
    std::thread::scope(|scope| {
        let opening = scope.spawn(|| house.open());
        std::thread::sleep(Duration::from_millis(200));
        let start = Instant::now();
        house.response.on_verdict(0, verdict("critical"));
        assert!(start.elapsed() < Duration::from_millis(100), "a verdict does not wait for the disk");
        std::thread::sleep(Duration::from_millis(50));
        disk.1.store(0, Ordering::SeqCst);
        let refused = opening.join().unwrap().unwrap_err();
        assert!(matches!(refused, CommandError::Unacknowledged { .. }), "{refused}");
    });
    assert_eq!(house.moves()[before..], [Target::Closed]);
    house.stop();
    let store = disk.store().unwrap();
    assert_eq!(store.holds().unwrap().len(), 2, "the released hold is placed again");
    assert_eq!(store.commanded().unwrap(), [("simulated house".to_owned(), Position::Closed)]);
}
