// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bodies that come in several messages (RFC 7959).

use alloc::vec::Vec;

/// Most bytes of a body that is put together.
pub const MAX_BODY: usize = 16_384;

/// The value of a block option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// Which, from 0.
    pub number: u32,
    /// Whether more follow.
    pub more: bool,
    /// Its size is 2^(4 + this), 0–6.
    pub size: u8,
}

impl Block {
    /// The block that the number in an option means; `None` of one that cannot be.
    #[must_use]
    pub const fn from_option(value: u32) -> Option<Self> {
        let size = (value & 0x07) as u8;
        if value > 0x00FF_FFFF || size == 7 {
            return None;
        }
        Some(Self { number: value >> 4, more: value & 0x08 != 0, size })
    }

    /// The number for the option.
    #[must_use]
    pub const fn to_option(self) -> u32 {
        self.number << 4 | (self.more as u32) << 3 | self.size as u32
    }

    /// Bytes of every block but the last.
    #[must_use]
    pub const fn bytes(self) -> usize {
        1 << (self.size + 4)
    }
}

/// Why a block cannot be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Misfit {
    /// Not the next one: 4.08.
    Order,
    /// A block that more follow has another size than it says: 4.00.
    Size,
    /// The body is too long: 4.13.
    TooLarge,
}

/// A body of which blocks are there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assembly {
    bytes: Vec<u8>,
    /// Which state of the resource it is of (ETag); empty where that is not said.
    tag: Vec<u8>,
    /// It was begun anew, as it had changed meanwhile.
    anew: bool,
}

impl Assembly {
    /// Adds the next block. The whole body after the last one.
    ///
    /// A block of another size may follow if it begins where the last one ended.
    pub(super) fn push(&mut self, block: Block, payload: &[u8]) -> Result<Option<Vec<u8>>, Misfit> {
        if block.number == 0 {
            self.bytes.clear();
        }
        let begins = (block.number as usize).checked_mul(block.bytes());
        if begins != Some(self.bytes.len()) {
            return Err(Misfit::Order);
        }
        if payload.len() > block.bytes() || (block.more && payload.len() != block.bytes()) {
            return Err(Misfit::Size);
        }
        if self.bytes.len() + payload.len() > MAX_BODY {
            return Err(Misfit::TooLarge);
        }
        self.bytes.extend(payload);
        Ok((!block.more).then(|| core::mem::take(&mut self.bytes)))
    }

    /// Whether the block of this number is of the same state of the resource as those before it, as `tag` says.
    pub(super) fn is_of(&mut self, number: u32, tag: &[u8]) -> bool {
        if number == 0 {
            self.tag = tag.into();
        }
        self.tag == tag
    }

    /// Drops what is there, so that it can be fetched from the first block on; `false` the second time: it changes faster
    /// than it comes.
    pub(super) fn begin_anew(&mut self) -> bool {
        (self.bytes, self.tag) = (Vec::new(), Vec::new());
        !core::mem::replace(&mut self.anew, true)
    }

    /// Bytes that are there.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_in_their_order() {
        let block = |number, more| Block { number, more, size: 0 };
        let mut body = Assembly::default();
        assert_eq!(body.push(block(0, true), &[1; 16]), Ok(None));
        assert_eq!(body.push(block(2, true), &[3; 16]), Err(Misfit::Order));
        assert_eq!(body.push(block(1, true), &[2; 15]), Err(Misfit::Size));
        assert_eq!(body.push(block(1, false), &[2; 3]), Ok(Some([[1; 16].as_slice(), &[2; 3]].concat())));
        // A first block begins anew; a smaller size goes on where the larger ended.
        let large = |number, more| Block { number, more, size: 1 };
        assert_eq!(body.push(large(0, true), &[1; 32]), Ok(None));
        assert_eq!(body.push(block(2, false), &[2; 1]).map(|body| body.map(|b| b.len())), Ok(Some(33)));
        let huge = |number| Block { number, more: true, size: 6 };
        for number in 0..16 {
            assert_eq!(body.push(huge(number), &[0; 1024]), Ok(None));
        }
        assert_eq!(body.push(huge(16), &[0; 1024]), Err(Misfit::TooLarge));
        assert_eq!((Block::from_option(7), Block::from_option(0x0100_0000)), (None, None));
        let all = Block { number: 0xF_FFFF, more: true, size: 6 };
        assert_eq!(Block::from_option(all.to_option()), Some(all));
    }
}
