// SPDX-License-Identifier: MIT OR Apache-2.0
//! Every message id has an explanation in the catalog, and the catalog has no others.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    process::Command,
};

use gasd::journal::what::What;

const CATALOG: &str = include_str!("../../systemd/gasd.catalog");

/// Entries by id: headers and text.
fn entries() -> BTreeMap<&'static str, (Vec<&'static str>, &'static str)> {
    let mut found = BTreeMap::new();
    for entry in CATALOG.split("\n-- ").skip(1) {
        let (id, rest) = entry.split_once('\n').unwrap();
        let (headers, text) = rest.split_once("\n\n").unwrap();
        let twice = found.insert(id, (headers.lines().collect(), text));
        assert!(twice.is_none(), "{id} is explained twice");
    }
    found
}

#[test]
fn every_id_is_explained_and_no_other() {
    let explained: BTreeSet<&str> = entries().into_keys().collect();
    let known: BTreeSet<&str> = What::ALL.iter().map(|what| what.id()).collect();
    assert_eq!(explained, known);
}

#[test]
fn every_entry_says_what_it_means_and_what_to_do() {
    for (id, (headers, text)) in entries() {
        for header in ["Subject: ", "Defined-By: gasd", "Documentation: man:gasd"] {
            assert!(headers.iter().any(|line| line.starts_with(header)), "{id} has no {header}");
        }
        let paragraphs: Vec<&str> = text.trim().split("\n\n").collect();
        assert_eq!(paragraphs.len(), 2, "{id}: what it means, and what to do");
        assert!(text.lines().all(|line| line.len() <= 80), "{id}: a line is too long for a terminal");
        // Only what entries carry can be filled in.
        let words = headers.iter().copied().chain([text]).flat_map(|part| part.split('@').skip(1).step_by(2));
        for field in words {
            assert!(["METER", "VALVE", "VERDICT", "KIND", "SEVERITY"].contains(&field), "{id}: @{field}@");
        }
    }
}

#[test]
fn systemd_compiles_it() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("usr/lib/systemd/catalog");
    fs::create_dir_all(&dir).unwrap();
    fs::create_dir_all(root.path().join("var/lib/systemd/catalog")).unwrap();
    fs::write(dir.join("gasd.catalog"), CATALOG).unwrap();
    let journalctl =
        |what: &[&str]| Command::new("journalctl").arg("--root").arg(root.path()).args(what).output();
    let updated = match journalctl(&["--update-catalog"]) {
        Ok(updated) => updated,
        Err(error) => return eprintln!("SKIPPED journal_catalog, compiling: no journalctl: {error}"),
    };
    let said = String::from_utf8_lossy(&updated.stderr);
    assert!(updated.status.success() && said.trim().is_empty(), "{said}");
    let listed = journalctl(&["--list-catalog"]).unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    for what in What::ALL {
        assert!(listed.contains(what.id()), "{what:?} is not in the compiled catalog: {listed}");
    }
}
