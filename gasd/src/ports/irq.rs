// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which interrupt belongs to a line: the kernel names it after the line's consumer label.

use std::{fs, io, path::Path};

/// Where the kernel lists its interrupts, one directory each.
const SYS_IRQ: &str = "/sys/kernel/irq";

/// The interrupt whose action carries `label`; `None` if there is none.
pub fn find(label: &str) -> io::Result<Option<u32>> {
    find_in(Path::new(SYS_IRQ), label)
}

/// Slashes of a label show up as colons (Linux 6.9 and later).
fn names(actions: &str, label: &str) -> bool {
    let shown = label.replace('/', ":");
    actions.trim().split(',').any(|a| a == label || a == shown)
}

fn find_in(root: &Path, label: &str) -> io::Result<Option<u32>> {
    for entry in fs::read_dir(root)? {
        let entry = entry?;
        let Some(irq) = entry.file_name().to_str().and_then(|n| n.parse().ok()) else { continue };
        match fs::read_to_string(entry.path().join("actions")) {
            Ok(actions) if names(&actions, label) => return Ok(Some(irq)),
            Ok(_) => {}
            // The interrupt was given back while we looked.
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => return Err(e),
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_interrupt_by_its_label_and_no_other() {
        let dir = tempfile::tempdir().unwrap();
        for (irq, actions) in [(7, "rtc0\n"), (33, "gasd:kitchen2\n"), (41, "other,gasd:kitchen\n")] {
            let d = dir.path().join(irq.to_string());
            fs::create_dir(&d).unwrap();
            fs::write(d.join("actions"), actions).unwrap();
        }
        assert_eq!(find_in(dir.path(), "gasd:kitchen").unwrap(), Some(41));
        assert_eq!(find_in(dir.path(), "gasd:cellar").unwrap(), None);
    }
}
