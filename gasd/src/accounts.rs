// SPDX-License-Identifier: MIT OR Apache-2.0
//! Users and groups in the system's own files, without the name service: for messages, and for the
//! loader, which has neither the rights nor the need to talk to that. Who is in a group is asked in
//! [`crate::bus`].

use std::fs;

/// The file of users, passwd(5).
pub const USERS: &str = "/etc/passwd";
/// The file of groups, group(5).
pub const GROUPS: &str = "/etc/group";

/// Name and number of every entry: `name:password:id:…` in both files.
fn entries(text: &str) -> impl Iterator<Item = (&str, u32)> {
    text.lines().filter_map(|line| {
        let mut fields = line.split(':');
        Some((fields.next()?, fields.nth(1)?.parse().ok()?))
    })
}

/// The name of a user or group in the system's file, else its number.
#[must_use]
pub fn name_in(file: &str, id: u32) -> String {
    let text = fs::read_to_string(file).unwrap_or_default();
    entries(&text).find(|entry| entry.1 == id).map_or_else(|| id.to_string(), |entry| entry.0.to_owned())
}

/// The number of a user or group in the system's file.
///
/// # Errors
/// The file cannot be read, or [`std::io::ErrorKind::NotFound`]: it has no such entry.
pub fn id_in(file: &str, name: &str) -> std::io::Result<u32> {
    let text = fs::read_to_string(file)?;
    let found = entries(&text).find(|entry| entry.0 == name).map(|entry| entry.1);
    found.ok_or_else(|| std::io::Error::from(std::io::ErrorKind::NotFound))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_are_found_in_both_files() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("group");
        let file = path.to_str().unwrap();
        fs::write(&path, "root:x:0:0::/root:/bin/sh\ngasd-reader:x:7:a\nbroken\ngasd-read:x:998:gasd\n")
            .unwrap();
        assert_eq!((name_in(file, 998).as_str(), name_in(file, 0).as_str()), ("gasd-read", "root"));
        assert_eq!(name_in(file, 12), "12");
        assert_eq!(id_in(file, "gasd-read").unwrap(), 998);
        for nobody in ["gasd", "broken"] {
            assert_eq!(id_in(file, nobody).unwrap_err().kind(), std::io::ErrorKind::NotFound);
        }
    }
}
