// SPDX-License-Identifier: MIT OR Apache-2.0
//! Variable data as fields of a reading.

use alloc::vec::Vec;

use super::borrowed::{BorrowedField, BorrowedValue};
use super::meaning;
use super::record::{Coding, Item, Items, Record, TextOrder};
use super::short::Short;
use crate::bytes::Cursor;
use crate::error::Error;
use crate::fault::Fault;
use crate::hex::Hex;
use crate::kind::{Kind, Register};
use crate::medium::Medium;
use crate::reading::{Field, Value};
use crate::trace::Trace;

/// The records of variable data, one after the other, each read when it is asked for: there is no list of them, and
/// nothing is allocated. After an error there are no more.
#[derive(Clone, Debug)]
pub struct Records<'a> {
    items: Items<'a>,
    medium: Medium,
    more: bool,
    broken: bool,
}

impl<'a> Records<'a> {
    pub(super) const fn new(items: Items<'a>, medium: Medium) -> Self {
        Self { items, medium, more: false, broken: false }
    }

    /// Whether more follows in another telegram: known once the last record was passed.
    #[must_use]
    pub const fn more(&self) -> bool {
        self.more
    }

    /// The next one, short or not.
    fn step(&mut self) -> Result<Option<BorrowedField<'a>>, Error> {
        loop {
            match self.items.step()? {
                Some(Item::Record(record)) => return Ok(Some(meaning::field(&record, self.medium))),
                Some(Item::Filler(_)) => {}
                Some(Item::Manufacturer(dif, data)) => {
                    self.more = dif == 0x1F;
                    if !data.is_empty() {
                        return Ok(Some(manufacturers(data)));
                    }
                }
                None => return Ok(None),
            }
        }
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<BorrowedField<'a>, Error>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.broken {
            return None;
        }
        if let Some(short) = self.items.short(self.medium) {
            let value = short.number().map_or_else(|| short.value(), BorrowedValue::Number);
            let (kind, register) = (short.kind, short.register);
            return Some(Ok(BorrowedField { kind, register, value, doubt: None, unit: &[] }));
        }
        let next = self.step();
        self.broken = next.is_err();
        next.transpose()
    }
}

/// What only the manufacturer knows, to the end.
fn manufacturers(data: &[u8]) -> BorrowedField<'_> {
    let value = BorrowedValue::Raw(data);
    BorrowedField { kind: Kind::ManufacturerData, register: Register::PLAIN, value, doubt: None, unit: &[] }
}

/// The fields of variable data, and whether more follow in another telegram.
pub(crate) fn read(
    cursor: &mut Cursor<'_>,
    medium: Medium,
    trace: &mut impl Trace,
) -> Result<(Vec<Field>, bool), Error> {
    let whole = *cursor;
    let mut fields = room_for(whole.len());
    let mut records = Records::new(Items::new(whole), medium);
    keep(&mut records, &mut fields)?;
    cursor.take_rest();
    if trace.listens() {
        explain_all(Items::new(whole), &fields, trace);
    }
    Ok((fields, records.more))
}

/// The fields of data of which the last `lost` bytes cannot be read: what stands whole before them, and
/// one field that says that there was more.
pub(crate) fn read_front(
    cursor: &mut Cursor<'_>,
    lost: usize,
    medium: Medium,
    trace: &mut impl Trace,
) -> Vec<Field> {
    let (at, bytes) = (cursor.at(), cursor.take_rest());
    let whole = bytes.get(..bytes.len().saturating_sub(lost)).unwrap_or_default();
    let front = Items::in_order(Cursor::inside(whole, at), TextOrder::BeforeExtensions);
    let mut fields = room_for(whole.len());
    let mut records = Records::new(front, medium);
    // What breaks off is told below.
    let _ = keep(&mut records, &mut fields);
    let rest = records.items.left();
    if trace.listens() {
        explain_all(front, &fields, trace);
    }
    let lost = bytes.get(rest.at() - at..).unwrap_or_default();
    trace.field(rest.at(), lost, format_args!("records"), format_args!("broken off, not readable"));
    let value = Value::Absent(Fault::Length, lost.into());
    fields.push(Field::new(Kind::Unknown, Register::default(), value));
    fields
}

/// How many of the fields of `bytes` stand in the first `n` of them, whatever the others are. A unit in plain text ends
/// that: where it stands is decided by whether all records come out even, the last ones, too.
pub(crate) fn whole_before(bytes: &[u8], n: usize) -> usize {
    let mut items = Items::new(Cursor::new(bytes));
    let mut fields = 0;
    while let Ok(Some(item)) = items.step() {
        if bytes.len() - items.left().len() > n {
            break;
        }
        match item {
            Item::Record(record) if record.head.vif & 0x7F == 0x7C => break,
            Item::Record(_) => fields += 1,
            Item::Filler(_) => {}
            // It goes on to the end.
            Item::Manufacturer(..) => break,
        }
    }
    fields
}

/// A record has some six bytes. Room for more than twelve fields is no longer one of the small pieces that an
/// allocator has at hand: it is asked for where there are surely more, else it grows where it is needed.
fn room_for(bytes: usize) -> Vec<Field> {
    Vec::with_capacity(match bytes / 6 + 1 {
        few @ ..=16 => few.min(12),
        many => many,
    })
}

/// Keeps all records. Nobody listens here, so that this is compiled once, where it is fast.
#[inline(never)]
fn keep(records: &mut Records<'_>, fields: &mut Vec<Field>) -> Result<(), Error> {
    loop {
        while let Some(short) = records.items.short(records.medium) {
            // A number is put where it stays, part by part: one that is made elsewhere and moved makes the processor wait
            // for its own writes, which takes longer than to read the record.
            match short.number() {
                Some(number) => fields.push(Field::new(short.kind, short.register, Value::Number(number))),
                None => keep_short(short, fields),
            }
        }
        match records.step()? {
            Some(record) => fields.push(record.to_field()),
            None => return Ok(()),
        }
    }
}

/// A function of its own, as the compiler would make one place of this and of a number.
#[inline(never)]
fn keep_short(short: Short<'_>, fields: &mut Vec<Field>) {
    fields.push(Field::new(short.kind, short.register, short.value().to_value()));
}

/// Explains items that were read, the fields that they made beside them.
fn explain_all(mut items: Items<'_>, fields: &[Field], trace: &mut impl Trace) {
    let mut fields = fields.iter();
    loop {
        let at = items.left().at();
        match items.step() {
            Ok(Some(Item::Record(record))) => {
                if let Some(field) = fields.next() {
                    explain(at, &record, field, trace);
                }
            }
            Ok(Some(Item::Filler(dif))) => {
                trace.field(at, &[dif], format_args!("filler"), format_args!("nothing"));
            }
            Ok(Some(Item::Manufacturer(dif, data))) => {
                let says = if dif == 0x1F { "more telegrams follow" } else { "no more telegrams follow" };
                trace.field(at, &[dif], format_args!("manufacturer's data"), format_args!("{says}"));
                if !data.is_empty() {
                    let name = format_args!("manufacturer's data");
                    trace.field(at + 1, data, name, format_args!("{}", Hex(data)));
                }
            }
            Ok(None) | Err(_) => return,
        }
    }
}

fn explain(at: usize, record: &Record<'_>, field: &Field, trace: &mut impl Trace) {
    let coding = match record.data.coding {
        Coding::None => "no data",
        Coding::Binary => "binary",
        Coding::Real => "a float",
        Coding::Bcd => "decimal digits",
        Coding::NegativeBcd => "decimal digits below nought",
        Coding::Text => "text",
        Coding::Wide => "a wide number",
    };
    let (head, body) = (record.head.bytes, record.data.body);
    let (n, label) = (record.data.bytes.len(), field.label.as_deref().unwrap_or_default());
    trace.field(
        at,
        head,
        format_args!("record"),
        format_args!(
            "{}{}{label}, {coding}, {n} bytes",
            field.name(),
            if label.is_empty() { "" } else { " " }
        ),
    );
    if body.is_empty() {
        return;
    }
    let at = at + head.len();
    if matches!(field.value, Value::Absent(Fault::Hidden, _)) {
        let zeros = [0; 256];
        let hidden = zeros.get(..body.len()).unwrap_or(&zeros);
        return trace.field(at, hidden, format_args!("{}", field.name()), format_args!("hidden"));
    }
    match field.doubt {
        None => {
            trace.field(at, body, format_args!("{}", field.name()), format_args!("{}", field.value));
        }
        Some(doubt) => trace.field(
            at,
            body,
            format_args!("{}", field.name()),
            format_args!("{} (in doubt: {doubt})", field.value),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Bytes that are records more often than not.
    fn records() -> impl Strategy<Value = Vec<u8>> {
        let dif = prop_oneof![any::<u8>(), 0..0x0Fu8, Just(0x84), Just(0xCC), Just(0x42)];
        let vif = prop_oneof![any::<u8>(), 0..0x7Cu8, Just(0xFD), Just(0xFB), Just(0x6D), Just(0x6C)];
        let data = proptest::collection::vec(
            prop_oneof![any::<u8>(), Just(0x12), Just(0xFF), Just(0x80), Just(0)],
            0..9,
        );
        let record = (dif, proptest::option::of(any::<u8>()), vif, data)
            .prop_map(|(dif, dife, vif, data)| [&[dif][..], dife.as_slice(), &[vif], &data].concat());
        proptest::collection::vec(record, 0..5).prop_map(|records| records.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        #[test]
        fn short_records_are_read_as_any_others(bytes in records(), medium in prop_oneof![
            Just(Medium::Unknown), Just(Medium::Electricity), Just(Medium::Cooling)
        ]) {
            let mut slow = Records::new(Items::new(Cursor::new(&bytes)), medium);
            let mut fields = Vec::new();
            let end = loop {
                match slow.step() {
                    Ok(Some(record)) => fields.push(record),
                    Ok(None) => break None,
                    Err(error) => break Some(error),
                }
            };
            let mut quick = Records::new(Items::new(Cursor::new(&bytes)), medium);
            for field in &fields {
                prop_assert_eq!(quick.next(), Some(Ok(*field)));
            }
            prop_assert_eq!(quick.next(), end.map(Err));
            prop_assert_eq!(quick.next(), None);
            prop_assert_eq!(quick.more(), slow.more());

            // And what is kept of them is the same.
            let kept = read(&mut Cursor::new(&bytes), medium, &mut ());
            let same = fields.iter().map(BorrowedField::to_field).collect();
            prop_assert_eq!(kept, end.map_or(Ok((same, slow.more())), Err));
            for field in &fields {
                if let (BorrowedValue::Text(text), Value::Text(kept)) = (field.value, field.value.to_value()) {
                    prop_assert_eq!(alloc::format!("{}", text), kept);
                }
            }
        }
    }
}
