// SPDX-License-Identifier: MIT OR Apache-2.0
//! TLV of LwM2M: how objects, their instances and resources are written.

use alloc::vec::Vec;

use crate::bytes::Cursor;
use crate::error::Error;

/// Deepest nesting: an instance of an object, a resource, an instance of that.
const DEEPEST: u8 = 3;

/// What an item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// An instance of an object: items inside.
    ObjectInstance,
    /// One of several values of a resource.
    ResourceInstance,
    /// A resource with several values: items inside.
    MultipleResource,
    /// A resource with one value.
    Resource,
}

/// One item; what is inside others follows them, with their numbers before its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item<'a> {
    /// What it is.
    pub kind: Kind,
    /// The numbers of those around it and its own, the outermost first.
    pub path: Vec<u16>,
    /// Its value: of an item with others inside, all of these.
    pub value: &'a [u8],
}

/// All items, each before those inside it.
///
/// # Errors
///
/// [`Error::Truncated`]; [`Error::Malformed`] where they are nested in a way that they cannot be.
pub fn items(bytes: &[u8]) -> Result<Vec<Item<'_>>, Error> {
    let mut items = Vec::new();
    read(&mut Cursor::new(bytes), &[], DEEPEST, &mut items)?;
    Ok(items)
}

fn read<'a>(
    cursor: &mut Cursor<'a>,
    outer: &[u16],
    deeper: u8,
    items: &mut Vec<Item<'a>>,
) -> Result<(), Error> {
    while !cursor.is_empty() {
        let first = cursor.u8()?;
        let id = if first & 0x20 != 0 { cursor.u16_be()? } else { u16::from(cursor.u8()?) };
        let len = match first >> 3 & 0x03 {
            0 => usize::from(first & 0x07),
            1 => usize::from(cursor.u8()?),
            2 => usize::from(cursor.u16_be()?),
            _ => {
                let [a, b, c] = cursor.array()?;
                u32::from_be_bytes([0, a, b, c]) as usize
            }
        };
        let value = cursor.take(len)?;
        let kind = match first >> 6 {
            0 => Kind::ObjectInstance,
            1 => Kind::ResourceInstance,
            2 => Kind::MultipleResource,
            _ => Kind::Resource,
        };
        let path: Vec<u16> = outer.iter().copied().chain([id]).collect();
        items.push(Item { kind, path: path.clone(), value });
        if matches!(kind, Kind::ObjectInstance | Kind::MultipleResource) {
            let deeper = deeper.checked_sub(1).ok_or(Error::Malformed { what: "TLV is nested too deep" })?;
            read(&mut Cursor::new(value), &path, deeper, items)?;
        }
    }
    Ok(())
}
