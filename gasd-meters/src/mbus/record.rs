// SPDX-License-Identifier: MIT OR Apache-2.0
//! The structure of variable data (EN 13757-3): records of DIF, DIFE, VIF, VIFE and data. What they
//! mean is `meaning`'s.

use crate::bytes::Cursor;
use crate::error::Error;
use crate::kind::Function;

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

/// One record.
#[derive(Clone, Debug)]
pub(crate) struct Record<'a> {
    /// DIF to the last VIFE and the plain-text unit.
    pub head: &'a [u8],
    /// Where it begins in the frame.
    pub at: usize,
    pub function: Function,
    pub storage: u64,
    pub tariff: u32,
    pub subunit: u32,
    /// The VIF.
    pub vif: u8,
    /// The VIFEs.
    pub extensions: &'a [u8],
    /// The unit as text, the last letter first.
    pub unit: &'a [u8],
    pub coding: Coding,
    /// The data with the byte before them that gives their length and coding, where there is one.
    pub body: &'a [u8],
    pub data: &'a [u8],
}

impl Record<'_> {
    /// One that is still to be read.
    pub const EMPTY: Self = Self {
        head: &[],
        at: 0,
        function: Function::Instant,
        storage: 0,
        tariff: 0,
        subunit: 0,
        vif: 0,
        extensions: &[],
        unit: &[],
        coding: Coding::None,
        body: &[],
        data: &[],
    };
}

/// What variable data are made of.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Item<'a> {
    /// A record: [`Items::record`].
    Record,
    /// 2F, or 7F.
    Filler { at: usize, dif: u8 },
    /// Whatever the manufacturer likes, to the end; more telegrams may follow.
    Manufacturer { at: usize, dif: u8, data: &'a [u8] },
}

/// The items up to the end of some bytes, one after the other. A record is read into one place, and is no longer there
/// when the next one is: none is ever copied.
#[derive(Clone, Debug)]
pub(crate) struct Items<'a> {
    cursor: Cursor<'a>,
    order: TextOrder,
    /// The last record.
    pub record: Record<'a>,
}

impl<'a> Items<'a> {
    /// Those from `cursor` on.
    pub const fn new(cursor: Cursor<'a>, order: TextOrder) -> Self {
        Self { cursor, order, record: Record::EMPTY }
    }

    /// Where the next one begins, and what is left from there on.
    pub const fn left(&self) -> Cursor<'a> {
        self.cursor
    }

    /// The next one; `None` at the end. The place stays where it is when that breaks off.
    #[inline]
    pub fn step(&mut self) -> Result<Option<Item<'a>>, Error> {
        let (at, mut next) = (self.cursor.at(), self.cursor);
        let Some(&dif) = next.rest().first() else { return Ok(None) };
        let item = match dif {
            0x2F | 0x7F => {
                next.u8()?;
                Item::Filler { at, dif }
            }
            0x0F | 0x1F => {
                next.u8()?;
                Item::Manufacturer { at, dif, data: next.take_rest() }
            }
            0x3F | 0x4F | 0x5F | 0x6F => return Err(Error::Malformed { what: "a DIF that is reserved" }),
            _ => {
                head(&mut self.record, &mut next, self.order)?;
                data(&mut self.record, &mut next)?;
                Item::Record
            }
        };
        self.cursor = next;
        Ok(Some(item))
    }
}

/// What `read` makes of a chain of items in the order in which it comes out even: nothing in it says which that is.
pub(crate) fn in_either_order<T>(read: impl Fn(TextOrder) -> Result<T, Error>) -> Result<T, Error> {
    read(TextOrder::BeforeExtensions).or_else(|error| read(TextOrder::AfterExtensions).map_err(|_| error))
}

/// Reads a record up to its data.
#[inline]
pub(crate) fn head<'a>(
    record: &mut Record<'a>,
    cursor: &mut Cursor<'a>,
    order: TextOrder,
) -> Result<(), Error> {
    let start = *cursor;
    let dif = cursor.u8()?;
    record.function = match dif >> 4 & 0x3 {
        0 => Function::Instant,
        1 => Function::Maximum,
        2 => Function::Minimum,
        _ => Function::AtError,
    };
    let (mut storage, mut tariff, mut subunit) = (u64::from(dif >> 6 & 1), 0, 0);
    for (n, &byte) in (0u32..).zip(extensions(cursor, dif, "more than 10 DIFEs")?) {
        storage |= u64::from(byte & 0x0F) << (1 + 4 * n);
        tariff |= u32::from(byte >> 4 & 0x3) << (2 * n);
        subunit |= u32::from(byte >> 6 & 1) << n;
    }
    (record.storage, record.tariff, record.subunit) = (storage, tariff, subunit);
    let vif = cursor.u8()?;
    let text = |cursor: &mut Cursor<'a>| -> Result<&'a [u8], Error> {
        let n = cursor.u8()?;
        let text = cursor.take(n.into())?;
        if text.iter().all(|&c| matches!(c, 0x20..=0x7E | 0xA0..)) {
            Ok(text)
        } else {
            Err(Error::Malformed { what: "a unit in plain text that is no text" })
        }
    };
    let plain = vif & 0x7F == 0x7C;
    let mut unit: &[u8] = &[];
    if plain && order == TextOrder::BeforeExtensions {
        unit = text(cursor)?;
    }
    record.extensions = extensions(cursor, vif, "more than 10 VIFEs")?;
    if plain && order == TextOrder::AfterExtensions {
        unit = text(cursor)?;
    }
    (record.vif, record.unit) = (vif, unit);
    record.coding = match dif & 0x0F {
        0x0 | 0x8 => Coding::None,
        0x5 => Coding::Real,
        0x9..=0xC | 0xE => Coding::Bcd,
        // 0DH is settled by a byte of the data.
        _ => Coding::Binary,
    };
    record.head = start.rest().get(..cursor.at() - start.at()).unwrap_or_default();
    record.at = start.at();
    (record.body, record.data) = (&[], &[]);
    Ok(())
}

/// Takes the data of `record`.
#[inline]
pub(crate) fn data<'a>(record: &mut Record<'a>, cursor: &mut Cursor<'a>) -> Result<(), Error> {
    let dif = record.head.first().copied().unwrap_or_default();
    let start = *cursor;
    let len = match dif & 0x0F {
        0x0 | 0x8 => 0,
        n @ 0x1..=0x4 | n @ 0x6 => n.into(),
        0x5 => 4,
        0x7 => 8,
        n @ 0x9..=0xC => usize::from(n - 8),
        0xE => 6,
        _ => {
            let variable = cursor.u8()?;
            let (coding, len) = match variable {
                0x00..=0xBF => (Coding::Text, variable.into()),
                0xC0..=0xCF => (Coding::Bcd, usize::from(variable - 0xC0)),
                0xD0..=0xDF => (Coding::NegativeBcd, usize::from(variable - 0xD0)),
                0xE0..=0xEF => (Coding::Binary, usize::from(variable - 0xE0)),
                0xF0..=0xF4 => (Coding::Wide, 4 * usize::from(variable - 0xEC)),
                0xF5 => (Coding::Wide, 48),
                0xF6 => (Coding::Wide, 64),
                _ => return Err(Error::Malformed { what: "a length of variable data that is reserved" }),
            };
            record.coding = coding;
            len
        }
    };
    record.data = cursor.take(len)?;
    record.body = start.rest().get(..cursor.at() - start.at()).unwrap_or_default();
    Ok(())
}

/// The extension bytes behind `first`.
#[inline]
fn extensions<'a>(cursor: &mut Cursor<'a>, first: u8, many: &'static str) -> Result<&'a [u8], Error> {
    if first & 0x80 == 0 {
        return Ok(&[]);
    }
    match cursor.rest().iter().position(|byte| byte & 0x80 == 0) {
        Some(last) if last < MAX_EXTENSIONS => cursor.take(last + 1),
        None if cursor.len() < MAX_EXTENSIONS => Err(Error::Truncated { need: 1 }),
        _ => Err(Error::Malformed { what: many }),
    }
}
