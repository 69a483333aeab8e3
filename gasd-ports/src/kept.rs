// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is kept of a meter over a restart: bytes that may hold the keys of a session.

use std::fmt;
use std::ops::Deref;

use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// Bytes that are not shown, and whose memory is cleared when they go. That holds for each copy.
///
/// They are made whole and never grow: a vector that grows leaves behind what it was moved from.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Kept(Zeroizing<Vec<u8>>);

impl From<Vec<u8>> for Kept {
    /// Takes the bytes over; none is copied.
    fn from(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }
}

impl Deref for Kept {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Kept {
    /// How many there are.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

impl Zeroize for Kept {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}

impl ZeroizeOnDrop for Kept {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_not_shown() {
        let kept = Kept::from(vec![0xAB; 3]);
        assert_eq!(format!("{kept:?} {kept:#?}"), "3 bytes 3 bytes");
        assert_eq!(format!("{:?}", Some(("key", kept))), "Some((\"key\", 3 bytes))");
    }

    #[test]
    fn it_is_cleared_with_all_the_room_that_it_has() {
        fn clears<T: ZeroizeOnDrop>() {}
        clears::<Kept>();
        clears::<Zeroizing<Vec<u8>>>();
        assert!(std::mem::needs_drop::<Kept>());
        let mut kept = Kept::from(vec![0xAB; 64]);
        kept.zeroize();
        assert!(kept.is_empty());
    }
}
