// SPDX-License-Identifier: MIT OR Apache-2.0
//! The committed header is what the exports make. `BLESS=1 cargo test -p libgasdetect --test header` writes it.
#![allow(clippy::unwrap_used, reason = "test code")]

use std::path::{Path, PathBuf};
use std::{env, fs};

use cbindgen::{Builder, Config};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The header, without what is for Rust alone.
fn header() -> String {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources: Vec<PathBuf> = fs::read_dir(here.join("src/exports"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| !path.ends_with("mod.rs"))
        .collect();
    sources.sort();
    sources.insert(0, here.join("src/abi/result.rs"));
    sources.push(here.join("src/client/dispatch.rs"));
    let config = Config::from_file(here.join("cbindgen.toml")).unwrap();
    let builder = sources.iter().fold(Builder::new().with_config(config), Builder::with_src);
    let mut bytes = Vec::new();
    builder.generate().unwrap().write(&mut bytes);
    for_c(&String::from_utf8(bytes).unwrap())
}

/// Leaves out the sections on safety, which C has in each description, and Rust's marks for code.
fn for_c(text: &str) -> String {
    let mut lines: Vec<&str> = Vec::new();
    let mut left_out = false;
    for line in text.lines() {
        left_out |= line.trim() == "* # Safety";
        left_out &= line.trim() != "*/";
        if left_out {
            continue;
        }
        // An empty line of a comment that nothing follows.
        if line.trim() == "*/" && lines.last().is_some_and(|last| last.trim() == "*") {
            lines.pop();
        }
        lines.push(line);
    }
    let mut text = lines.join("\n").replace('`', "");
    text.push('\n');
    text
}

#[test]
fn the_committed_header_is_what_the_exports_make() {
    let (path, made) = (root().join("include/gasdetect.h"), header());
    if env::var_os("BLESS").is_some() {
        fs::write(&path, &made).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    let differs = committed.lines().zip(made.lines()).find(|(old, new)| old != new);
    assert!(
        committed == made,
        "include/gasdetect.h is not what the exports make (first difference: {differs:?}); \
         BLESS=1 cargo test -p libgasdetect --test header writes it"
    );
}
