// SPDX-License-Identifier: MIT OR Apache-2.0
//! The store on a disk that loses its current at any write.
#![expect(clippy::unwrap_used, reason = "a test")]

use std::path::Path;
use std::sync::{Arc, Mutex};

use gasd::state::{Hold, VerdictRecord};
use gasd::store::{AuditEntry, Store, StoredHold};
use proptest::prelude::*;
use redb::{BackendError, StorageBackend};

fn verdict(id: u64) -> VerdictRecord {
    VerdictRecord {
        id,
        meter: "kitchen".into(),
        kind: "surge".into(),
        severity: "critical".into(),
        t_ns: 1,
        decided_ns: 2,
        unix_us: 3,
        evidence_json: "{}".into(),
        text: "gas".into(),
        acknowledged_by: None,
    }
}

fn hold(cookie: u64) -> StoredHold {
    let hold = Hold {
        cookie,
        owner: "gasd".into(),
        reason: "surge".into(),
        verdict: Some(1),
        uid: None,
        since_unix_us: 5,
    };
    StoredHold { valve: "main".into(), hold, marks: Vec::new() }
}

fn entry(n: u64) -> AuditEntry {
    AuditEntry { time_unix_us: n, action: "close".into(), ..AuditEntry::default() }
}

/// A disk that forgets, at a power cut, any part of what was not synced.
#[derive(Clone, Debug, Default)]
struct Disk(Arc<Mutex<Platter>>);

#[derive(Debug, Default)]
struct Platter {
    safe: Vec<u8>,
    /// Writes since the last sync, whole.
    unsynced: Vec<(usize, Vec<u8>)>,
    view: Vec<u8>,
    /// Writes and syncs to go before the current fails.
    left: Option<u32>,
}

impl Platter {
    fn step(&mut self) -> Result<(), std::io::Error> {
        match &mut self.left {
            Some(0) => Err(std::io::Error::other("the power is off")),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// The power is back; each unsynced write reached the platter or not.
    fn cut(&mut self, kept: &[bool]) {
        for (n, (at, data)) in std::mem::take(&mut self.unsynced).into_iter().enumerate() {
            if kept[n % kept.len()] {
                if self.safe.len() < at + data.len() {
                    self.safe.resize(at + data.len(), 0);
                }
                self.safe[at..at + data.len()].copy_from_slice(&data);
            }
        }
        self.view = self.safe.clone();
        self.left = None;
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> Result<u64, std::io::Error> {
        Ok(self.0.lock().unwrap().view.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), std::io::Error> {
        let at = offset as usize;
        out.copy_from_slice(&self.0.lock().unwrap().view[at..at + out.len()]);
        Ok(())
    }

    fn set_len(&self, len: u64) -> Result<(), std::io::Error> {
        let mut platter = self.0.lock().unwrap();
        platter.step()?;
        platter.view.resize(len as usize, 0);
        platter.safe.resize(len as usize, 0);
        Ok(())
    }

    fn sync_data(&self) -> Result<(), std::io::Error> {
        let mut platter = self.0.lock().unwrap();
        platter.step()?;
        platter.safe = platter.view.clone();
        platter.unsynced.clear();
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), std::io::Error> {
        let mut platter = self.0.lock().unwrap();
        platter.step()?;
        let at = offset as usize;
        platter.view[at..at + data.len()].copy_from_slice(data);
        platter.unsynced.push((at, data.to_vec()));
        Ok(())
    }

    fn try_lock_range(&self, _: std::ops::Bound<u64>, _: std::ops::Bound<u64>) -> Result<bool, BackendError> {
        Ok(true)
    }

    fn unlock_range(&self, _: std::ops::Bound<u64>, _: std::ops::Bound<u64>) -> Result<(), BackendError> {
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// What a commit promised is there after the power comes back; what it did not promise is there
    /// whole or not at all.
    #[test]
    fn a_power_cut_takes_back_no_promise(steps in 1u32..120, kept in proptest::collection::vec(any::<bool>(), 1..40)) {
        let disk = Disk::default();
        let path = Path::new("platter");
        let store = Store::with_backend(disk.clone(), path, false).unwrap();
        disk.0.lock().unwrap().left = Some(steps);
        let mut promised = 0;
        let mut id = 0;
        loop {
            id += 1;
            let done = store.record_critical(verdict(id), vec![hold(id)], vec![entry(id)]);
            if done.is_err() || id > 40 {
                break;
            }
            promised = id;
        }
        drop(store);
        disk.0.lock().unwrap().cut(&kept);
        let store = Store::with_backend(disk.clone(), path, true).unwrap();
        let loaded = store.load().unwrap();
        let audit = store.audit_tail(1000).unwrap();
        let n = loaded.verdicts.len() as u64;
        prop_assert!(n >= promised);
        prop_assert!(loaded.verdicts.iter().map(|verdict| verdict.id).eq(1..=n));
        prop_assert!(loaded.holds.iter().map(|hold| hold.hold.cookie).eq(1..=n));
        prop_assert!(audit.iter().map(|(seq, _)| *seq).eq(1..=n));
        prop_assert!(store.next_ids().unwrap().verdict > n);
    }
}
