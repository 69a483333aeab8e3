// SPDX-License-Identifier: MIT OR Apache-2.0
//! Each function and type of the header has a manual page that man(1) takes without a warning.
#![allow(clippy::unwrap_used, reason = "test code")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::{env, fs};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The folder of the pages, made once.
fn pages() -> &'static Path {
    static PAGES: OnceLock<PathBuf> = OnceLock::new();
    PAGES.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("man3");
        let _ = fs::remove_dir_all(&folder);
        let made = Command::new(root().join("scripts/man3")).arg(&folder).output().unwrap();
        let said = String::from_utf8_lossy(&made.stderr);
        assert!(made.status.success() && said.is_empty(), "scripts/man3 says: {said}");
        folder
    })
}

fn page(name: &str) -> String {
    let path = pages().join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What libgasdetect.so.1 exports.
fn functions() -> Vec<String> {
    let map = fs::read_to_string(root().join("libgasdetect/gasdetect.map")).unwrap();
    let names: Vec<String> = map
        .lines()
        .filter_map(|line| line.trim().strip_suffix(';'))
        .filter(|name| name.starts_with("gasd_"))
        .map(str::to_owned)
        .collect();
    assert!(names.len() > 30, "only {} functions in gasdetect.map", names.len());
    names
}

#[test]
fn each_function_has_a_page() {
    for name in functions() {
        let text = page(&format!("{name}.3"));
        let about = text.lines().skip_while(|line| *line != ".SH NAME").nth(1).unwrap();
        assert!(about.starts_with(&format!("{name} \\- ")), "{name}: the name is {about}");
        assert!(about.len() < 110 + name.len(), "{name}: {about} is no name but a story");
        for section in ["SYNOPSIS", "DESCRIPTION", "THREADS", "RETURN VALUE", "SEE ALSO"] {
            assert!(text.contains(&format!("\n.SH {section}\n")), "{name}: no {section}");
        }
        let prototype = format!("{}(", name.replace('-', "\\-"));
        assert!(text.contains(&prototype), "{name}: no prototype");
        if text.contains("enum gasd_result") {
            assert!(text.contains("\n.SH ERRORS\n"), "{name}: no ERRORS");
            assert!(text.contains("\n\\fBGASD_NULL\\fR\n"), "{name}: GASD_NULL is not explained");
        }
    }
}

#[test]
fn each_type_has_a_page_and_the_overview_has_all() {
    let header = fs::read_to_string(root().join("include/gasdetect.h")).unwrap();
    let overview = page("gasdetect.7");
    let mut types = 0;
    for line in header.lines().filter(|line| line.starts_with("typedef ")) {
        let name = match line.split_once("(*") {
            Some((_, rest)) => rest.split(')').next().unwrap(),
            None => line.split_whitespace().nth(2).unwrap(),
        };
        assert!(page(&format!("{name}.3")).contains("\n.SH DESCRIPTION\n"), "{name}");
        types += 1;
    }
    assert!(types > 25, "only {types} types");
    for name in functions() {
        assert!(overview.contains(&format!(".BR {name} (3)\n")), "gasdetect.7 does not name {name}");
    }
    for name in ["state", "pulse", "verdict", "gap", "refused"] {
        assert!(overview.contains(&format!(".TP\n\\fI{name}\\fR")), "gasdetect.7 has no event {name}");
    }
}

#[test]
fn man_has_no_warning() {
    let there = |program: &str| {
        Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
    };
    if !there("man") || !there("lexgrog") {
        eprintln!("SKIPPED: man(1) is not installed");
        return;
    }
    for entry in fs::read_dir(pages()).unwrap() {
        let path = entry.unwrap().path();
        let shown = Command::new("man")
            .env("MANWIDTH", "80")
            .args(["--warnings", "-E", "UTF-8", "-l"])
            .arg(&path)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&shown.stderr);
        assert!(shown.status.success() && said.is_empty(), "{}: {said}", path.display());
        let shown = String::from_utf8_lossy(&shown.stdout);
        for request in [".PP", ".TP", ".SH", ".SS", ".IP", ".BR", ".fi"] {
            assert!(!shown.contains(request), "{}: {request} is shown", path.display());
        }
        let whatis = Command::new("lexgrog").arg(&path).output().unwrap();
        assert!(whatis.status.success(), "{}: no entry for whatis(1)", path.display());
    }
}
