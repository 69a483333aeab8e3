// SPDX-License-Identifier: MIT OR Apache-2.0
//! A store that cannot be read: kept aside byte for byte, a new one begun, and nothing taken for known
//! that is not.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::{
    fs,
    path::{Path, PathBuf},
};

use gasd::{
    state::{Hold, Position},
    store::{
        Base, Change, Recovered, Store, StoreError, StoredHold, Writer,
        recover::{ASIDE, recover},
    },
};
use redb::ReadableDatabase as _;

const NOW: u64 = 1_800_000_000;

fn hold(cookie: u64) -> StoredHold {
    let hold = Hold {
        cookie,
        owner: "vendor".into(),
        reason: "r".into(),
        verdict: None,
        since_unix_us: 1,
        uid: None,
    };
    StoredHold { valve: "main".into(), hold, marks: Vec::new() }
}

/// A store with something in it; its bytes.
fn store(path: &Path) -> Vec<u8> {
    let store = Store::open(path).unwrap();
    let base = Base { pulses: 7, volume_ul: 70, ..Base::default() };
    store
        .commit(&[
            Change::Base { meter: "kitchen".into(), base },
            Change::PlaceHold(hold(3)),
            Change::Commanded { valve: "main".into(), to: Position::Closed },
        ])
        .unwrap();
    drop(store);
    fs::read(path).unwrap()
}

fn recovered(path: &Path) -> Recovered {
    recover(Some(Store::open(path)), path, NOW).unwrap()
}

fn asides(path: &Path) -> Vec<PathBuf> {
    let mut found: Vec<_> = fs::read_dir(path.parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|other| other != path)
        .collect();
    found.sort();
    found
}

/// What must be so after a file with these bytes was found damaged.
fn set_aside_and_begun_anew(path: &Path, bytes: Option<&[u8]>) {
    let mut found = recovered(path);
    let loss = found.loss.clone().unwrap();
    let aside = loss.aside.clone().unwrap();
    assert_eq!(asides(path), std::slice::from_ref(&aside));
    if let Some(bytes) = bytes {
        assert!(fs::read(&aside).unwrap() == bytes, "a byte was changed");
    }
    assert!(loss.to_string().contains("marked unknown"), "{loss}");

    let valves = ["main".to_owned(), "garden".to_owned()];
    let rows = found.mark(&valves, &["kitchen".to_owned()], 5);
    assert_eq!(found.loaded.holds.len(), 2, "every valve is held");
    assert!(found.loaded.holds.iter().all(|hold| hold.hold.reason.contains("not known")));
    assert_eq!(found.loaded.unknown, [("kitchen".to_owned(), 5)]);
    // A number that the lost file may have handed out is not handed out again.
    assert!(found.next.verdict >= NOW && found.loaded.holds.iter().all(|hold| hold.hold.cookie >= NOW));

    // The next start finds it so in the new store.
    let store = found.store.take().unwrap();
    store.commit(&rows).unwrap();
    drop(store);
    let again = recovered(path);
    assert_eq!(again.loss, None);
    assert_eq!((again.loaded.holds.len(), again.loaded.unknown.len()), (2, 1));
    assert!(again.next.verdict >= NOW);
}

#[test]
fn a_good_store_and_a_first_one_are_used_as_they_are() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("gasd.redb");
    let mut first = recover(None, &path, NOW).unwrap();
    assert!(first.loss.is_none() && first.store.is_some());
    assert_eq!(first.next.verdict, 1);
    assert_eq!(first.mark(&["main".to_owned()], &["kitchen".to_owned()], 1), [], "nothing was lost");
    drop(first);
    store(&path);
    let found = recovered(&path);
    assert_eq!((found.loss, found.loaded.holds, found.loaded.bases.len()), (None, vec![hold(3)], 1));
}

#[test]
fn a_truncated_file_of_any_length() {
    let dir = tempfile::tempdir().unwrap();
    let whole = store(&dir.path().join("whole.redb"));
    let mut tried = 0;
    for part in 0..24 {
        let bytes = &whole[..whole.len() * part / 24];
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("gasd.redb");
        fs::write(&path, bytes).unwrap();
        // What is behind the last page that is in use may be missing.
        if recovered(&path).loss.is_none() {
            assert_eq!(recovered(&path).loaded.holds, [hold(3)]);
            continue;
        }
        tried += 1;
        for aside in asides(&path) {
            fs::remove_file(aside).unwrap();
        }
        fs::write(&path, bytes).unwrap();
        set_aside_and_begun_anew(&path, Some(bytes));
    }
    assert!(tried >= 12, "only {tried} truncations were damages");
}

#[test]
fn garbage_and_somebody_elses_file() {
    for bytes in [b"this is no store at all".to_vec(), vec![0; 100_000], b"{}\n".repeat(10_000)] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("gasd.redb");
        fs::write(&path, &bytes).unwrap();
        set_aside_and_begun_anew(&path, Some(&bytes));
    }
}

#[test]
fn a_store_of_a_newer_gasd_waits_for_that_one() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("gasd.redb");
    store(&path);
    // The format, as the newer one would write it.
    {
        let db = redb::Database::open(&path).unwrap();
        let write = db.begin_write().unwrap();
        let meta = redb::TableDefinition::<&str, &[u8]>::new("meta");
        write.open_table(meta).unwrap().insert("format", 9u32.to_le_bytes().as_slice()).unwrap();
        write.commit().unwrap();
    }
    // Opening a database that is whole may tidy it, so bytes are not compared.
    set_aside_and_begun_anew(&path, None);
    let aside = &asides(&path)[0];
    assert!(aside.to_str().unwrap().contains("gasd.redb.newer-1800000000"), "{aside:?}");
    let refused = Store::open(aside).unwrap_err();
    assert!(matches!(refused, StoreError::Newer { found: 9, .. }), "{refused}");
    // The newer one finds everything.
    let db = redb::Database::open(aside).unwrap();
    let holds = redb::TableDefinition::<u64, &[u8]>::new("holds");
    assert!(db.begin_read().unwrap().open_table(holds).unwrap().get(3).unwrap().is_some());
}

#[test]
fn a_disk_that_damages_every_store_is_not_filled_with_them() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("gasd.redb");
    for n in 0..ASIDE {
        fs::write(&path, format!("damaged for the {n}th time")).unwrap();
        assert!(recovered(&path).loss.unwrap().aside.is_some());
    }
    assert_eq!(asides(&path).len(), ASIDE, "each has a name of its own");
    fs::write(&path, "once more").unwrap();
    let found = recovered(&path);
    let loss = found.loss.unwrap();
    assert!(found.store.is_none() && loss.aside.is_none());
    assert!(loss.to_string().contains("nothing is written down"), "{loss}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "once more", "it stays where it is");
    assert_eq!(asides(&path).len(), ASIDE);

    // The writer says so for as long as it is so, and takes a good store when there is one.
    let writer = Writer::without(path.clone(), found.next).unwrap();
    let handle = writer.handle();
    assert!(handle.write_now(vec![Change::PlaceHold(hold(4))]).is_err(), "nothing may be opened");
    assert!(handle.problem().unwrap().contains("damaged"), "{:?}", handle.problem());
    handle.push(vec![Change::PlaceHold(hold(5))]);
    fs::remove_file(&path).unwrap();
    let start = std::time::Instant::now();
    while handle.waiting() > 0 {
        assert!(start.elapsed().as_secs() < 40, "{:?}", handle.problem());
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    writer.stop().unwrap();
    assert_eq!(Store::open(&path).unwrap().holds().unwrap(), [hold(5)]);
}

#[test]
fn mistakes_of_people_are_told_and_touch_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("gasd.redb");
    store(&path);
    let other = Store::open(&path).unwrap();
    let busy = recover(Some(Store::open(&path)), &path, NOW).unwrap_err();
    assert!(matches!(busy, StoreError::Locked { .. }), "{busy}");
    drop(other);
    let nowhere = dir.path().join("no/gasd.redb");
    let missing = recover(None, &nowhere, NOW).unwrap_err();
    assert!(matches!(missing, StoreError::MissingDirectory { .. }), "{missing}");
    assert_eq!(asides(&path), Vec::<PathBuf>::new());
}
