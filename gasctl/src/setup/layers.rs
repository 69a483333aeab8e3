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
/// A layer's main file.
const MAIN: &str = "gasd.toml";
/// A layer's directory of drop-ins.
pub const DROP_INS: &str = "conf.d";

/// Whether the installed gasd reads a file of this name there: a main file, or a drop-in.
pub fn is_read(file: &Path) -> bool {
    // The name need not be there yet, but its directory may be reached by a link or from where we are.
    let dir = file.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let dir = fs::canonicalize(dir).unwrap_or_else(|_| dir.to_owned());
    [VENDOR, LOCAL].map(Path::new).iter().any(|root| {
        let main = dir == *root && file.file_name().is_some_and(|name| name == MAIN);
        main || (dir == root.join(DROP_INS) && is_drop_in(file))
    })
}

/// Whether a file stands in a directory of drop-ins under a name by which none is read.
pub fn is_passed_over(file: &Path) -> bool {
    let among = file.parent().and_then(Path::file_name).is_some_and(|dir| dir == DROP_INS);
    among && !is_drop_in(file)
}

fn is_drop_in(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    name.ends_with(".toml") && !name.starts_with('.')
}

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
        let entries = fs::read_dir(root.join(DROP_INS)).into_iter().flatten().flatten();
        drop_ins.extend(
            entries.map(|entry| (entry.file_name(), entry.path())).filter(|(_, path)| is_drop_in(path)),
        );
    }
    let mains = roots.iter().map(|root| root.join(MAIN));
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
    fn gasd_reads_main_files_and_drop_ins_and_nothing_else() {
        for (file, read, passed_over) in [
            ("/etc/gasd/gasd.toml", true, false),
            ("/etc/gasd/conf.d/50-k.toml", true, false),
            ("/usr/lib/gasd/conf.d/50-k.toml", true, false),
            ("/etc/gasd/conf.d/50-k.conf", false, true),
            ("/etc/gasd/conf.d/.k.toml", false, true),
            ("/etc/gasd/k.toml", false, false),
            ("/srv/conf.d/k.toml", false, false),
            ("relative.toml", false, false),
        ] {
            let file = Path::new(file);
            assert_eq!((is_read(file), is_passed_over(file)), (read, passed_over), "{file:?}");
        }
    }

    #[test]
    fn only_the_installed_configuration_has_the_packages_defaults_below() {
        assert_eq!(roots(Path::new("/etc/gasd")).len(), 2);
        assert_eq!(roots(Path::new("/srv/gasd")), [PathBuf::from("/srv/gasd")]);
    }
}
