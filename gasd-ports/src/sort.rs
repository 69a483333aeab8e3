// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a path leads to, in words, where another sort of file was expected.

use std::fs::FileType;
use std::os::unix::fs::FileTypeExt as _;

/// What it is.
#[must_use]
pub fn of(kind: FileType) -> &'static str {
    match () {
        () if kind.is_file() => "a regular file",
        () if kind.is_dir() => "a directory",
        () if kind.is_char_device() => "a character device",
        () if kind.is_block_device() => "a block device",
        () if kind.is_fifo() => "a pipe",
        () if kind.is_socket() => "a socket",
        () => "no file of a known sort",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sort_has_its_word() {
        let sort = |path: &str| of(std::fs::metadata(path).unwrap().file_type());
        assert_eq!(sort("/dev/zero"), "a character device");
        assert_eq!(sort("/"), "a directory");
        assert_eq!(sort("/proc/self/exe"), "a regular file");
    }
}
