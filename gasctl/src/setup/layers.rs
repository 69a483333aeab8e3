// SPDX-License-Identifier: MIT OR Apache-2.0
//! The files that a configuration consists of, in the order in which they count; as gasd.toml(5) says.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

/// What the package brings.
const VENDOR: &str = "/usr/lib/gasd";
/// What this gateway's people wrote.
pub const LOCAL: &str = "/etc/gasd";

/// The layers below and with `base`: the package's defaults belong to the installed configuration only.
pub fn roots(base: &Path) -> Vec<PathBuf> {
    let vendor = (base == Path::new(LOCAL)).then(|| PathBuf::from(VENDOR));
    vendor.into_iter().chain([base.to_owned()]).collect()
}

/// First the main file of each layer, then all drop-ins by name. One hides another of the same name in
/// an earlier layer; a link to /dev/null hides it and says nothing. What cannot be read is left out.
pub fn files(roots: &[PathBuf]) -> Vec<PathBuf> {
    let mut drop_ins: BTreeMap<OsString, PathBuf> = BTreeMap::new();
    for root in roots {
        let entries = fs::read_dir(root.join("conf.d")).into_iter().flatten().flatten();
        drop_ins.extend(entries.map(|entry| (entry.file_name(), entry.path())).filter(|(name, _)| {
            let name = name.to_string_lossy();
            name.ends_with(".toml") && !name.starts_with('.')
        }));
    }
    let mains = roots.iter().map(|root| root.join("gasd.toml"));
    mains.chain(drop_ins.into_values()).filter(|path| path.is_file()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_layers_hide_earlier_ones() {
        let dir = tempfile::tempdir().unwrap();
        let (vendor, local) = (dir.path().join("usr"), dir.path().join("etc"));
        for root in [&vendor, &local] {
            fs::create_dir_all(root.join("conf.d")).unwrap();
            fs::write(root.join("gasd.toml"), "").unwrap();
        }
        for (root, name) in [
            (&vendor, "10-a.toml"),
            (&vendor, "20-b.toml"),
            (&vendor, "30-c.toml"),
            (&local, "20-b.toml"),
            (&local, ".hidden.toml"),
            (&local, "x.toml.bak"),
        ] {
            fs::write(root.join("conf.d").join(name), "").unwrap();
        }
        std::os::unix::fs::symlink("/dev/null", local.join("conf.d/30-c.toml")).unwrap();
        let found = files(&[vendor.clone(), local.clone()]);
        let wanted = [
            vendor.join("gasd.toml"),
            local.join("gasd.toml"),
            vendor.join("conf.d/10-a.toml"),
            local.join("conf.d/20-b.toml"),
        ];
        assert_eq!(found, wanted);
    }

    #[test]
    fn only_the_installed_configuration_has_the_packages_defaults_below() {
        assert_eq!(roots(Path::new("/etc/gasd")).len(), 2);
        assert_eq!(roots(Path::new("/srv/gasd")), [PathBuf::from("/srv/gasd")]);
    }
}
