// SPDX-License-Identifier: MIT OR Apache-2.0
//! The structure of variable data (EN 13757-3): records of DIF, DIFE, VIF, VIFE and data. What they
//! mean is `meaning`'s.

use super::short::{self, Short};
use crate::bytes::Cursor;
use crate::error::Error;
use crate::kind::Function;
use crate::medium::Medium;

/// Most extension bytes of a DIF or VIF.
const MAX_EXTENSIONS: usize = 10;

/// How the data are coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Coding {
    /// No data, or a selection for readout.
    None,
    /// Binary.
    Binary,
    /// A float of four bytes.
    Real,
    /// Decimal digits.
    Bcd,
    /// Text, the last letter first.
    Text,
    /// Decimal digits of a number below nought.
    NegativeBcd,
    /// A binary number of more bytes than any integer has.
    Wide,
}

/// Where a plain-text unit stands, behind the VIF that says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TextOrder {
    /// Before the VIFEs, as most meters send it.
    BeforeExtensions,
    /// After the VIFEs, as the standard has it since 2004.
    AfterExtensions,
}

/// A part of a record, and what is left behind it.
pub(crate) type Part<'a, T> = Result<(T, Cursor<'a>), Error>;

/// A record up to its data.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head<'a> {
    /// DIF to the last VIFE and the plain-text unit.
    pub bytes: &'a [u8],
    pub dif: u8,
    pub storage: u64,
    pub tariff: u32,
    pub subunit: u32,
    /// The VIF.
    pub vif: u8,
    /// The VIFEs.
    pub extensions: &'a [u8],
    /// The unit as text, the last letter first.
    pub unit: &'a [u8],
}

/// The data of a record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Data<'a> {
    /// With the byte before them that gives their length and coding, where there is one.
    pub body: &'a [u8],
    pub bytes: &'a [u8],
    pub coding: Coding,
}

/// One record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record<'a> {
    pub head: Head<'a>,
    pub data: Data<'a>,
}

impl Function {
    /// What a DIF says.
    #[inline(always)]
    pub(super) const fn of_dif(dif: u8) -> Self {
        match dif >> 4 & 0x3 {
            0 => Self::Instant,
            1 => Self::Maximum,
            2 => Self::Minimum,
            _ => Self::AtError,
        }
    }
}

/// Whether the data behind this DIF begin with a byte that says how long they are and how they are coded.
const fn says_length(dif: u8) -> bool {
    dif & 0x0F == 0x0D
}

/// How the data are coded and how many bytes there are, by the low half of the DIF.
static SHAPES: [(Coding, u8); 16] = [
    (Coding::None, 0),
    (Coding::Binary, 1),
    (Coding::Binary, 2),
    (Coding::Binary, 3),
    (Coding::Binary, 4),
    (Coding::Real, 4),
    (Coding::Binary, 6),
    (Coding::Binary, 8),
    (Coding::None, 0),
    (Coding::Bcd, 1),
    (Coding::Bcd, 2),
    (Coding::Bcd, 3),
    (Coding::Bcd, 4),
    // A byte of the data says it.
    (Coding::Binary, 0),
    (Coding::Bcd, 6),
    // No record has it.
    (Coding::Binary, 0),
];

/// How the data behind this DIF are coded and how many bytes there are; 0 where a byte of them says it.
#[inline(always)]
pub(super) fn shape(dif: u8) -> (Coding, usize) {
    let (coding, len) = SHAPES[usize::from(dif & 0x0F)];
    (coding, len.into())
}

/// What variable data are made of.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Item<'a> {
    Record(Record<'a>),
    /// 2F, or 7F.
    Filler(u8),
    /// The DIF, and whatever the manufacturer likes, to the end; more telegrams may follow.
    Manufacturer(u8, &'a [u8]),
}

/// The items up to the end of some bytes, one after the other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Items<'a> {
    cursor: Cursor<'a>,
    /// `None` until a record makes it matter.
    order: Option<TextOrder>,
}

impl<'a> Items<'a> {
    /// Those from `cursor` on. Plain-text units stand where the whole comes out even: nothing in it says where that is.
    pub const fn new(cursor: Cursor<'a>) -> Self {
        Self { cursor, order: None }
    }

    /// As [`Items::new`], with plain-text units in this place.
    pub const fn in_order(cursor: Cursor<'a>, order: TextOrder) -> Self {
        Self { cursor, order: Some(order) }
    }

    /// Where the next one begins, and what is left from there on.
    pub const fn left(&self) -> Cursor<'a> {
        self.cursor
    }

    /// The next one where it is a short record, of a meter for `medium`; else none, and the place stays.
    #[inline(always)]
    pub(super) fn short(&mut self, medium: Medium) -> Option<Short<'a>> {
        let (short, behind) = short::read(self.cursor.rest(), medium)?;
        self.cursor.skip_to(behind);
        Some(short)
    }

    /// The next one; `None` at the end. The place stays where it is when that breaks off.
    #[inline]
    pub fn step(&mut self) -> Result<Option<Item<'a>>, Error> {
        let mut left = self.cursor;
        let Some(&dif) = left.rest().first() else { return Ok(None) };
        let item = match dif {
            0x2F | 0x7F => {
                left.u8()?;
                Item::Filler(dif)
            }
            0x0F | 0x1F => {
                left.u8()?;
                Item::Manufacturer(dif, left.take_rest())
            }
            _ => {
                let (head, data);
                ((head, self.order), left) = self::head(left, self.order)?;
                (data, left) = self::data(dif, left)?;
                Item::Record(Record { head, data })
            }
        };
        self.cursor = left;
        Ok(Some(item))
    }
}

/// Whether all items from `cursor` on can be read.
fn even(cursor: Cursor<'_>, order: TextOrder) -> bool {
    let mut items = Items::in_order(cursor, order);
    loop {
        match items.step() {
            Ok(Some(_)) => {}
            Ok(None) => return true,
            Err(_) => return false,
        }
    }
}

/// In which order the items from `cursor` on come out even, the usual one where in neither.
fn order_of(cursor: Cursor<'_>) -> TextOrder {
    if !even(cursor, TextOrder::BeforeExtensions) && even(cursor, TextOrder::AfterExtensions) {
        TextOrder::AfterExtensions
    } else {
        TextOrder::BeforeExtensions
    }
}

/// Reads a record up to its data. The order is settled where it is not and this record has a unit in plain text.
pub(crate) fn head<'a>(
    start: Cursor<'a>,
    mut order: Option<TextOrder>,
) -> Part<'a, (Head<'a>, Option<TextOrder>)> {
    let mut cursor = start;
    let dif = cursor.u8()?;
    // Of those that end in F only the four that are no record mean something.
    if dif & 0x0F == 0x0F {
        return Err(Error::Malformed { what: "a DIF that is reserved" });
    }
    let (mut storage, mut tariff, mut subunit) = (u64::from(dif >> 6 & 1), 0, 0);
    if dif & 0x80 != 0 {
        let bytes;
        (bytes, cursor) = extensions(cursor, "more than 10 DIFEs")?;
        for (n, &byte) in (0u32..).zip(bytes) {
            storage |= u64::from(byte & 0x0F) << (1 + 4 * n);
            tariff |= u32::from(byte >> 4 & 0x3) << (2 * n);
            subunit |= u32::from(byte >> 6 & 1) << n;
        }
    }
    let vif = cursor.u8()?;
    let (mut unit, mut behind): (&[u8], &[u8]) = (&[], &[]);
    if vif & 0x7F == 0x7C {
        let known = order.unwrap_or_else(|| order_of(start));
        order = Some(known);
        ((unit, behind), cursor) = texts(cursor, vif, known)?;
    } else if vif & 0x80 != 0 {
        (behind, cursor) = extensions(cursor, "more than 10 VIFEs")?;
    }
    let bytes = taken(start, cursor);
    Ok(((Head { bytes, dif, storage, tariff, subunit, vif, extensions: behind, unit }, order), cursor))
}

/// What lies between two places of the same bytes.
fn taken<'a>(from: Cursor<'a>, to: Cursor<'a>) -> &'a [u8] {
    from.rest().get(..from.len() - to.len()).unwrap_or_default()
}

/// The unit in plain text and the VIFEs of a record that has one.
fn texts<'a>(mut cursor: Cursor<'a>, vif: u8, order: TextOrder) -> Part<'a, (&'a [u8], &'a [u8])> {
    let text = |cursor: &mut Cursor<'a>| -> Result<&'a [u8], Error> {
        let n = cursor.u8()?;
        let text = cursor.take(n.into())?;
        if text.iter().all(|&c| matches!(c, 0x20..=0x7E | 0xA0..)) {
            Ok(text)
        } else {
            Err(Error::Malformed { what: "a unit in plain text that is no text" })
        }
    };
    let (mut unit, mut behind): (&[u8], &[u8]) = (&[], &[]);
    if order == TextOrder::BeforeExtensions {
        unit = text(&mut cursor)?;
    }
    if vif & 0x80 != 0 {
        (behind, cursor) = extensions(cursor, "more than 10 VIFEs")?;
    }
    if order == TextOrder::AfterExtensions {
        unit = text(&mut cursor)?;
    }
    Ok(((unit, behind), cursor))
}

/// Takes the data behind the head that begins with `dif`.
pub(crate) fn data<'a>(dif: u8, start: Cursor<'a>) -> Part<'a, Data<'a>> {
    let mut cursor = start;
    let (coding, len) = if says_length(dif) { variable(cursor.u8()?)? } else { shape(dif) };
    let bytes = cursor.take(len)?;
    Ok((Data { body: taken(start, cursor), bytes, coding }, cursor))
}

/// How data are coded and how many there are, by the byte before them that says it.
fn variable(says: u8) -> Result<(Coding, usize), Error> {
    Ok(match says {
        0x00..=0xBF => (Coding::Text, says.into()),
        0xC0..=0xCF => (Coding::Bcd, usize::from(says - 0xC0)),
        0xD0..=0xDF => (Coding::NegativeBcd, usize::from(says - 0xD0)),
        0xE0..=0xEF => (Coding::Binary, usize::from(says - 0xE0)),
        0xF0..=0xF4 => (Coding::Wide, 4 * usize::from(says - 0xEC)),
        0xF5 => (Coding::Wide, 48),
        0xF6 => (Coding::Wide, 64),
        _ => return Err(Error::Malformed { what: "a length of variable data that is reserved" }),
    })
}

/// The extension bytes behind one that says that there are some.
fn extensions<'a>(mut cursor: Cursor<'a>, many: &'static str) -> Part<'a, &'a [u8]> {
    let bytes = match cursor.rest().iter().position(|byte| byte & 0x80 == 0) {
        Some(last) if last < MAX_EXTENSIONS => cursor.take(last + 1)?,
        None if cursor.len() < MAX_EXTENSIONS => return Err(Error::Truncated { need: 1 }),
        _ => return Err(Error::Malformed { what: many }),
    };
    Ok((bytes, cursor))
}
