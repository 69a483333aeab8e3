// SPDX-License-Identifier: MIT OR Apache-2.0
//! A gasd of the layout that comes after this one.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Its path: `GASD_NEXT_LAYOUT`, or built now. `None`, said loudly, where it cannot be built.
pub fn next_layout() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("GASD_NEXT_LAYOUT") {
        return Some(path.into());
    }
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("next-layout");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
        .args(["build", "-q", "-p", "gasd", "--locked", "--features", "next-layout", "--target-dir"])
        .arg(&target)
        .stdin(Stdio::null())
        .status();
    match built {
        Ok(status) => assert!(status.success(), "the next layout does not compile"),
        Err(error) => {
            super::skip("the next layout", &format!("cargo cannot be started: {error}"));
            return None;
        }
    }
    Some(target.join("debug/gasd"))
}
