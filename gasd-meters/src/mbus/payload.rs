// SPDX-License-Identifier: MIT OR Apache-2.0
//! Variable data as fields of a reading.

use alloc::vec::Vec;

use super::meaning;
use super::record::{self, Coding, Item, Items, Record, TextOrder};
use crate::bytes::Cursor;
use crate::error::Error;
use crate::fault::Fault;
use crate::hex::Hex;
use crate::kind::{Kind, Register};
use crate::medium::Medium;
use crate::reading::{Field, Value};
use crate::trace::Trace;

/// The fields of variable data, and whether more follow in another telegram.
pub(crate) fn read(
    cursor: &mut Cursor<'_>,
    medium: Medium,
    trace: &mut impl Trace,
) -> Result<(Vec<Field>, bool), Error> {
    let whole = *cursor;
    let (fields, order) = chain(whole, medium)?;
    cursor.take_rest();
    if trace.listens() {
        explain_all(Items::new(whole, order), &fields.all, trace);
    }
    Ok((fields.all, fields.more))
}

/// The fields of a chain of records, and in which order it comes out even. Nobody listens here, so that this is compiled
/// once, where it is fast.
fn chain(whole: Cursor<'_>, medium: Medium) -> Result<(Fields, TextOrder), Error> {
    record::in_either_order(|order| {
        let mut read = Fields::with_room_for(whole.len());
        let mut items = Items::new(whole, order);
        while let Some(item) = items.step()? {
            read.take(&item, &items.record, medium);
        }
        Ok((read, order))
    })
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
    let front = Items::new(Cursor::inside(whole, at), TextOrder::BeforeExtensions);
    let (mut fields, mut items) = (Fields::with_room_for(whole.len()), front.clone());
    while let Ok(Some(item)) = items.step() {
        fields.take(&item, &items.record, medium);
    }
    if trace.listens() {
        explain_all(front, &fields.all, trace);
    }
    let rest = items.left();
    let lost = bytes.get(rest.at() - at..).unwrap_or_default();
    trace.field(rest.at(), lost, format_args!("records"), format_args!("broken off, not readable"));
    let value = Value::Absent(Fault::Length, lost.into());
    fields.all.push(Field::new(Kind::Unknown, Register::default(), value));
    fields.all
}

/// Fields as they come.
struct Fields {
    all: Vec<Field>,
    more: bool,
}

impl Fields {
    /// A record has some six bytes. Room for more than twelve fields is no longer one of the small pieces that an
    /// allocator has at hand: it grows where it is needed.
    fn with_room_for(bytes: usize) -> Self {
        Self { all: Vec::with_capacity((bytes / 6 + 1).min(12)), more: false }
    }

    #[inline]
    fn take(&mut self, item: &Item<'_>, record: &Record<'_>, medium: Medium) {
        match *item {
            Item::Record => meaning::push_field(record, medium, &mut self.all),
            Item::Filler { .. } => {}
            Item::Manufacturer { dif, data, .. } => {
                self.more = dif == 0x1F;
                if !data.is_empty() {
                    let value = Value::Raw(data.into());
                    self.all.push(Field::new(Kind::ManufacturerData, Register::default(), value));
                }
            }
        }
    }
}

/// Explains items that were read, the fields that they made beside them.
fn explain_all(mut items: Items<'_>, fields: &[Field], trace: &mut impl Trace) {
    let mut fields = fields.iter();
    while let Ok(Some(item)) = items.step() {
        match item {
            Item::Record => {
                if let Some(field) = fields.next() {
                    explain(&items.record, field, trace);
                }
            }
            Item::Filler { at, dif } => {
                trace.field(at, &[dif], format_args!("filler"), format_args!("nothing"));
            }
            Item::Manufacturer { at, dif, data } => {
                let says = if dif == 0x1F { "more telegrams follow" } else { "no more telegrams follow" };
                trace.field(at, &[dif], format_args!("manufacturer's data"), format_args!("{says}"));
                if !data.is_empty() {
                    let name = format_args!("manufacturer's data");
                    trace.field(at + 1, data, name, format_args!("{}", Hex(data)));
                }
            }
        }
    }
}

fn explain(record: &Record<'_>, field: &Field, trace: &mut impl Trace) {
    let coding = match record.coding {
        Coding::None => "no data",
        Coding::Binary => "binary",
        Coding::Real => "a float",
        Coding::Bcd => "decimal digits",
        Coding::NegativeBcd => "decimal digits below nought",
        Coding::Text => "text",
        Coding::Wide => "a wide number",
    };
    let (n, label) = (record.data.len(), field.label.as_deref().unwrap_or_default());
    trace.field(
        record.at,
        record.head,
        format_args!("record"),
        format_args!(
            "{}{}{label}, {coding}, {n} bytes",
            field.name(),
            if label.is_empty() { "" } else { " " }
        ),
    );
    if record.body.is_empty() {
        return;
    }
    let at = record.at + record.head.len();
    if matches!(field.value, Value::Absent(Fault::Hidden, _)) {
        let zeros = [0; 256];
        let hidden = zeros.get(..record.body.len()).unwrap_or(&zeros);
        return trace.field(at, hidden, format_args!("{}", field.name()), format_args!("hidden"));
    }
    match field.doubt {
        None => {
            trace.field(at, record.body, format_args!("{}", field.name()), format_args!("{}", field.value));
        }
        Some(doubt) => trace.field(
            at,
            record.body,
            format_args!("{}", field.name()),
            format_args!("{} (in doubt: {doubt})", field.value),
        ),
    }
}
