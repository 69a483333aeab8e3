// SPDX-License-Identifier: MIT OR Apache-2.0
//! Compact frames (EN 13757-3): the data without the DIFs and VIFs, which a full frame has shown before.

use alloc::vec::Vec;

use crate::bytes::Cursor;
use crate::crc;
use crate::error::Error;
use crate::mbus::Address;
use crate::mbus::record::{self, Item, Items, TextOrder};

/// Most formats that are kept. A meter has one or two.
pub const MAX_FORMATS: usize = 64;

/// The DIFs and VIFs of a full frame, of all meters of this manufacturer, version and medium.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Format {
    /// Manufacturer.
    pub manufacturer: u16,
    /// Version of the meter.
    pub version: u8,
    /// Medium.
    pub medium: u8,
    /// CRC of `heads`, which compact frames name the format by.
    pub signature: u16,
    /// DIF to VIFE of each record, one after the other.
    pub heads: Vec<u8>,
}

/// The formats that were seen, the last used first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Formats(Vec<Format>);

impl Formats {
    /// Those that were kept before, as [`Formats::all`] gave them. What is not a format is left out.
    #[must_use]
    pub fn restore(formats: impl IntoIterator<Item = Format>) -> Self {
        let right = |format: &Format| format.signature == crc::en13757(&format.heads);
        Self(formats.into_iter().filter(right).take(MAX_FORMATS).collect())
    }

    /// Takes in those that were kept elsewhere, as far as there is room. What is not a format is left out.
    pub fn take_in(&mut self, formats: impl IntoIterator<Item = Format>) {
        for format in Self::restore(formats).0 {
            if self.0.len() < MAX_FORMATS && !self.0.contains(&format) {
                self.0.push(format);
            }
        }
    }

    /// All of them, to be kept over a restart.
    #[must_use]
    pub fn all(&self) -> &[Format] {
        &self.0
    }

    /// Notes the format of a full frame of `meter`. Whether it is a new one, worth to be kept.
    pub(super) fn learn(&mut self, meter: &Address, payload: &[u8]) -> bool {
        let (mut items, mut heads) = (Items::new(Cursor::new(payload)), Vec::new());
        loop {
            match items.step() {
                Ok(Some(Item::Record(record))) => heads.extend(record.head.bytes),
                Ok(Some(Item::Filler(_))) => {}
                Ok(Some(Item::Manufacturer(dif, _))) => heads.push(dif),
                Ok(None) if !heads.is_empty() => break,
                Ok(None) | Err(_) => return false,
            }
        }
        let signature = crc::en13757(&heads);
        let known = self.position(meter, signature);
        let format = match known {
            Some(n) => self.0.remove(n),
            None => Format {
                manufacturer: meter.manufacturer,
                version: meter.version,
                medium: meter.medium,
                signature,
                heads,
            },
        };
        self.0.truncate(MAX_FORMATS - 1);
        self.0.insert(0, format);
        known.is_none()
    }

    fn position(&self, meter: &Address, signature: u16) -> Option<usize> {
        self.0.iter().position(|format| {
            format.signature == signature
                && format.manufacturer == meter.manufacturer
                && format.version == meter.version
                && format.medium == meter.medium
        })
    }

    /// The full frame's data of a compact frame: signature, CRC of the full data, data.
    pub(super) fn expand(&mut self, meter: &Address, compact: &mut Cursor<'_>) -> Result<Vec<u8>, Error> {
        let (signature, got) = (compact.u16_le()?, compact.u16_le()?);
        let n = self.position(meter, signature).ok_or(Error::FormatUnknown { signature })?;
        let format = self.0.remove(n);
        let filled = |order| {
            let full = fill(&format.heads, *compact, order)?;
            let want = crc::en13757(&full);
            if got == want { Ok(full) } else { Err(Error::Checksum { got, want }) }
        };
        // Where units in plain text stand the heads alone do not say, and the CRC of the whole does.
        let usual = filled(TextOrder::BeforeExtensions);
        let full = usual.or_else(|error| filled(TextOrder::AfterExtensions).map_err(|_| error));
        self.0.insert(0, format);
        full
    }
}

/// The compact frame's data of the full frame's: signature, CRC of the full data without fillers, data. `None` of what
/// are no records.
pub(super) fn shorten(records: &[u8]) -> Option<Vec<u8>> {
    let mut items = Items::in_order(Cursor::new(records), TextOrder::BeforeExtensions);
    let (mut full, mut heads, mut data) = (Vec::<u8>::new(), Vec::<u8>::new(), Vec::<u8>::new());
    while let Some(item) = items.step().ok()? {
        let manufacturer;
        let (head, body) = match item {
            Item::Record(record) => (record.head.bytes, record.data.body),
            Item::Filler(_) => continue,
            Item::Manufacturer(dif, data) => {
                manufacturer = [dif];
                (&manufacturer[..], data)
            }
        };
        for part in [head, body] {
            full.extend(part);
        }
        heads.extend(head);
        data.extend(body);
    }
    let mut out = Vec::from(crc::en13757(&heads).to_le_bytes());
    out.extend(crc::en13757(&full).to_le_bytes());
    out.extend(data);
    Some(out)
}

/// Each record of `heads` with its data.
fn fill<'a>(heads: &'a [u8], mut data: Cursor<'a>, order: TextOrder) -> Result<Vec<u8>, Error> {
    let mut heads = Cursor::new(heads);
    let mut full = Vec::with_capacity(heads.len() + data.len());
    while let Some(&dif) = heads.rest().first() {
        if matches!(dif, 0x0F | 0x1F) {
            heads.take_rest();
            full.push(dif);
            full.extend(data.take_rest());
            break;
        }
        let (head, body);
        ((head, _), heads) = record::head(heads, Some(order))?;
        (body, data) = record::data(dif, data)?;
        full.extend(head.bytes);
        full.extend(body.body);
    }
    match data.is_empty() {
        true => Ok(full),
        false => Err(Error::Malformed { what: "more data than its format has" }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hex;

    fn meter() -> Address {
        "12345678.ABC.1B.16".parse().expect("an address")
    }

    #[test]
    fn a_full_frame_explains_the_compact_ones() {
        let full = hex::parse("02FD177100 04130819000044130719000061 5B7F616713").expect("hexadecimal");
        let data = hex::parse("7100 08190000 07190000 7F 13").expect("hexadecimal");
        let heads = hex::parse("02FD17 0413 4413 615B 6167").expect("hexadecimal");
        let signature = crc::en13757(&heads);
        let compact = |signature: u16, full: &[u8], data: &[u8]| {
            [&signature.to_le_bytes()[..], &crc::en13757(full).to_le_bytes(), data].concat()
        };
        let mut formats = Formats::default();
        let bytes = compact(signature, &full, &data);
        let expanded = formats.expand(&meter(), &mut Cursor::new(&bytes));
        assert_eq!(expanded, Err(Error::FormatUnknown { signature }));
        assert!(formats.learn(&meter(), &full) && !formats.learn(&meter(), &full));
        assert_eq!(shorten(&full).as_deref(), Some(&bytes[..]));
        assert_eq!(shorten(&full[..full.len() - 1]), None);
        assert_eq!(formats.all()[0].heads, heads);
        assert_eq!(formats.expand(&meter(), &mut Cursor::new(&bytes)).as_deref(), Ok(&full[..]));
        // Of another kind of meter, changed, short, long.
        let other = Address { version: 0, ..meter() };
        assert_eq!(formats.expand(&other, &mut Cursor::new(&bytes)), Err(Error::FormatUnknown { signature }));
        let changed = compact(signature, &full, &[&data[..10], &[1, 0x13][..]].concat());
        let error = formats.expand(&meter(), &mut Cursor::new(&changed)).expect_err("changed");
        assert_eq!(error.kind(), "checksum");
        let error = formats.expand(&meter(), &mut Cursor::new(&bytes[..bytes.len() - 1]));
        assert_eq!(error, Err(Error::Truncated { need: 1 }));
        let long = compact(signature, &full, &[&data[..], &[0]].concat());
        let error = formats.expand(&meter(), &mut Cursor::new(&long)).expect_err("too long");
        assert_eq!(error.kind(), "malformed");
        // It outlives a restart.
        assert_eq!(Formats::restore(formats.all().iter().cloned()), formats);
        let wrong = Format { signature: 0, ..formats.all()[0].clone() };
        assert_eq!(Formats::restore([wrong]), Formats::default());
    }

    #[test]
    fn a_unit_in_plain_text_may_stand_on_either_side_of_the_extensions() {
        // 3mc behind the VIFE, as the standard has it since 2004, and before it.
        for head in ["04FC3B03336D63", "04FC03336D633B"] {
            let hex = |text: &str| hex::parse(text).expect("hexadecimal");
            let (heads, full) =
                (hex(&[head, "0C13"].concat()), hex(&[head, "01000000 0C13 05010100"].concat()));
            let mut formats = Formats::default();
            assert!(formats.learn(&meter(), &full));
            assert_eq!(formats.all()[0].heads, heads);
            let now = hex(&[head, "02000000 0C13 06010100"].concat());
            let crcs = [crc::en13757(&heads).to_le_bytes(), crc::en13757(&now).to_le_bytes()].concat();
            let compact = [crcs, hex("02000000 06010100")].concat();
            assert_eq!(formats.expand(&meter(), &mut Cursor::new(&compact)), Ok(now), "{head}");
        }
    }

    #[test]
    fn the_least_used_make_room() {
        let mut formats = Formats::default();
        for n in 0..100u8 {
            // One record for each storage number, so many formats.
            let payload = [0x82 | (n & 1) << 6, (n >> 1 & 0x0F) | 0x80, n >> 5 & 0x0F, 0x13, 0, 0];
            assert!(formats.learn(&meter(), &payload));
            formats.learn(&meter(), &[0x02, 0x13, 0, 0]);
        }
        assert_eq!(formats.all().len(), MAX_FORMATS);
        assert_eq!(formats.all()[0].heads, [0x02, 0x13]);
    }
}
