// SPDX-License-Identifier: MIT OR Apache-2.0
//! Compiles the kernel programs with the same toolchain and hands their paths to the crate.
//!
//! `aya-ebpf` needs one unstable feature, so only this inner build sets `RUSTC_BOOTSTRAP`.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Joins flags the way `CARGO_ENCODED_RUSTFLAGS` wants them.
const SEPARATOR: &str = "\u{1f}";

fn main() {
    let manifest_dir = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("set by cargo"));
    let out_dir = PathBuf::from(env::var_os("OUT_DIR").expect("set by cargo"));
    let crate_dir = manifest_dir.join("../gasd-ebpf");
    for watched in
        ["../gasd-ebpf/src", "../gasd-ebpf/Cargo.toml", "../gasd-ebpf/Cargo.lock", "../gasd-abi/src"]
    {
        println!("cargo:rerun-if-changed={watched}");
    }
    println!("cargo:rerun-if-env-changed=PATH");
    println!("cargo:rerun-if-env-changed=CARGO_HOME");

    let arch = env::var("CARGO_CFG_TARGET_ARCH").expect("set by cargo");
    let big_endian = env::var("CARGO_CFG_TARGET_ENDIAN").is_ok_and(|e| e == "big");
    let target = if big_endian { "bpfeb-unknown-none" } else { "bpfel-unknown-none" };
    let next_layout = env::var_os("CARGO_FEATURE_NEXT_LAYOUT").is_some();
    let target_dir = shared_dir(&out_dir, next_layout);
    let arch_flag = format!("bpf_target_arch=\"{arch}\"");
    // No object shows where it was built: neither the tree nor the crates nor what is generated.
    let remap = |from: PathBuf, to: &str| format!("--remap-path-prefix={}={to}", from.display());
    let cargo_home = env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cargo")))
        .unwrap_or_default();
    let crates = fs::read_dir(cargo_home.join("registry/src"))
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            // A compiler that works in there sees where a link leads.
            let real = path.canonicalize().unwrap_or_else(|_| path.clone());
            Some([remap(path, "crates"), remap(real, "crates")])
        })
        .flatten();
    // v3 has the atomic compare-and-exchange that publishes a line's state.
    let flags =
        ["-Clinker=bpf-linker", "-Clink-arg=--btf", "-Cdebuginfo=2", "-Ctarget-cpu=v3", "--cfg", &arch_flag]
            .map(str::to_owned)
            .into_iter()
            .chain([
                remap(manifest_dir.join(".."), "gasd"),
                // As cargo spells the workspace, without the detour.
                remap(manifest_dir.parent().unwrap_or(&manifest_dir).to_owned(), "gasd"),
                remap(target_dir.clone(), "target"),
            ])
            .chain(crates)
            .collect::<Vec<_>>()
            .join(SEPARATOR);

    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .current_dir(&crate_dir)
        .args(["build", "--release", "--locked", "--target", target])
        .env("CARGO_TARGET_DIR", &target_dir)
        .env("CARGO_ENCODED_RUSTFLAGS", flags)
        .env("RUSTC_BOOTSTRAP", "1")
        .env_remove("RUSTC")
        .env_remove("RUSTC_WORKSPACE_WRAPPER")
        .env_remove("RUSTC_WRAPPER");
    if next_layout {
        cargo.args(["--features", "next-layout"]);
    }
    match cargo.status() {
        Ok(status) if status.success() => {}
        Ok(status) => panic!(
            "the kernel programs did not compile ({status}); `make setup` installs bpf-linker and \
             the BPF target's library, and puts both first in PATH"
        ),
        Err(error) => panic!("cargo could not be started for the kernel programs: {error}"),
    }
    for object in ["dispatch", "pulse", "bench"] {
        // The crate includes a copy of its own: the shared folder belongs to whoever builds next.
        let built = target_dir.join(target).join("release").join(object);
        let path = out_dir.join(object);
        if let Err(error) = fs::copy(&built, &path) {
            panic!("{} could not be copied to {}: {error}", built.display(), path.display());
        }
        println!("cargo:rustc-env=GASD_EBPF_{}={}", object.to_uppercase(), path.display());
    }
}

/// One folder for all profiles and feature sets of this crate: what the kernel programs are built
/// with is the same for all of them. Cargo's own lock keeps two builds apart.
fn shared_dir(out_dir: &Path, next_layout: bool) -> PathBuf {
    let name = if next_layout { "ebpf-next-layout" } else { "ebpf" };
    // OUT_DIR is TARGET/PROFILE/build/PACKAGE/out.
    out_dir.ancestors().nth(4).unwrap_or(out_dir).join(name)
}
