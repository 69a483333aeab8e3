// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is pinned, as docs/pin-protocol.md lays it out. Group gasd-read may list the root and the maps, not
//! the dispatcher and the programs: what it cannot see is not known, and not missing.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use super::facts::Pins;

/// Looks. Folders that are no generation, such as one half made or one that counts no longer, are left out.
pub fn look(root: &Path) -> Pins {
    let entries = match fs::read_dir(root) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Pins::None,
        Err(_) => return Pins::Closed,
    };
    let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut generations: Vec<_> = names
        .filter(|name| is_generation(name))
        .map(|name| {
            let program = there(&root.join(&name).join("progs/pulse"));
            (name, program)
        })
        .collect();
    generations.sort();
    match (there(&root.join("dispatch/link")), generations.is_empty()) {
        (Some(false), true) => Pins::None,
        (linked, _) => Pins::Found { linked, generations },
    }
}

/// `v1`, `v2` and so on.
fn is_generation(name: &str) -> bool {
    name.strip_prefix('v').is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
}

/// Whether a pin is there; `None` if the caller may not know.
fn there(pin: &Path) -> Option<bool> {
    match fs::symlink_metadata(pin) {
        Ok(_) => Some(true),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Some(false),
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Makes empty files, with their folders.
    fn files(root: &Path, names: &[&str]) {
        for name in names {
            let path = root.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
    }

    fn found(linked: Option<bool>, generations: &[(&str, Option<bool>)]) -> Pins {
        let generations = generations.iter().map(|(name, there)| ((*name).to_owned(), *there)).collect();
        Pins::Found { linked, generations }
    }

    #[test]
    fn the_layout_of_the_protocol_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        assert_eq!(look(root), Pins::None);
        assert_eq!(look(&root.join("nothing")), Pins::None);
        // The kernel's own files of a BPF file system.
        files(root, &["maps.debug", "progs.debug"]);
        assert_eq!(look(root), Pins::None);
        files(root, &["dispatch/dispatcher", "dispatch/twin", "dispatch/slots", "dispatch/irq_lines"]);
        files(root, &["v1/maps/meta", "v1/maps/live", "v1/progs/twin", "old1/progs/pulse"]);
        files(root, &["new-generation/progs/pulse", "vault/progs/pulse"]);
        assert_eq!(look(root), found(Some(false), &[("v1", Some(false))]));
        files(root, &["v1/progs/pulse"]);
        assert_eq!(look(root), found(Some(false), &[("v1", Some(true))]));
        files(root, &["dispatch/link"]);
        assert_eq!(look(root), found(Some(true), &[("v1", Some(true))]));
        fs::remove_dir_all(root.join("v1")).unwrap();
        assert_eq!(look(root), found(Some(true), &[]));
    }

    #[test]
    fn what_is_closed_is_not_known() {
        // A name that is too long gives root an error too, which a closed folder would not.
        assert_eq!(there(&Path::new("/").join("x".repeat(300))), None);
    }
}
