// SPDX-License-Identifier: MIT OR Apache-2.0
//! TLV of LwM2M: how objects, their instances and resources are written.

use alloc::vec::Vec;

use super::option::Text;
use crate::bytes::Cursor;
use crate::error::Error;
use crate::trace::Trace;

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

impl Kind {
    const fn words(self) -> &'static str {
        match self {
            Self::ObjectInstance => "instance of the object",
            Self::ResourceInstance => "instance of the resource",
            Self::MultipleResource => "resource with several values",
            Self::Resource => "resource",
        }
    }
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
    read(&mut Cursor::new(bytes), (0, &[]), DEEPEST, &mut items, &mut ())?;
    Ok(items)
}

/// As [`items`], and explains them: the header of each, and the value of one that has no others inside.
///
/// # Errors
///
/// As [`items`].
pub fn explain<'a>(bytes: &'a [u8], trace: &mut impl Trace) -> Result<Vec<Item<'a>>, Error> {
    let mut items = Vec::new();
    read(&mut Cursor::new(bytes), (0, &[]), DEEPEST, &mut items, trace)?;
    Ok(items)
}

fn read<'a>(
    cursor: &mut Cursor<'a>,
    // Where the first byte is in the whole, and the numbers of the items around it.
    (base, outer): (usize, &[u16]),
    deeper: u8,
    items: &mut Vec<Item<'a>>,
    trace: &mut impl Trace,
) -> Result<(), Error> {
    while !cursor.is_empty() {
        let (at, before) = (base + cursor.at(), cursor.rest());
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
        let value_at = base + cursor.at();
        let header = before.get(..value_at - at).unwrap_or_default();
        let value = cursor.take(len)?;
        let kind = match first >> 6 {
            0 => Kind::ObjectInstance,
            1 => Kind::ResourceInstance,
            2 => Kind::MultipleResource,
            _ => Kind::Resource,
        };
        let path: Vec<u16> = outer.iter().copied().chain([id]).collect();
        trace.field(at, header, format_args!("{} {id}", kind.words()), format_args!("{len} bytes"));
        items.push(Item { kind, path: path.clone(), value });
        if matches!(kind, Kind::ObjectInstance | Kind::MultipleResource) {
            let deeper = deeper.checked_sub(1).ok_or(Error::Malformed { what: "TLV is nested too deep" })?;
            read(&mut Cursor::new(value), (value_at, &path), deeper, items, trace)?;
        } else if !value.is_empty() {
            trace.field(value_at, value, format_args!("value"), format_args!("{}", Text(value)));
        }
    }
    Ok(())
}
