// SPDX-License-Identifier: MIT OR Apache-2.0
//! Variable data as fields of a reading.

use alloc::vec::Vec;

use super::meaning;
use super::record::{self, Coding, Item, Record};
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
    let items = record::parse(*cursor)?;
    cursor.take_rest();
    Ok(fields(&items, medium, trace))
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
    let (items, rest) = record::parse_front(Cursor::inside(whole, at));
    let (mut fields, _) = fields(&items, medium, trace);
    let lost = bytes.get(rest.at() - at..).unwrap_or_default();
    trace.field(rest.at(), lost, format_args!("records"), format_args!("broken off, not readable"));
    let value = Value::Absent(Fault::Length, lost.into());
    fields.push(Field::new(Kind::Unknown, Register::default(), value));
    fields
}

fn fields(items: &[Item<'_>], medium: Medium, trace: &mut impl Trace) -> (Vec<Field>, bool) {
    let (mut fields, mut more) = (Vec::with_capacity(items.len()), false);
    for item in items {
        match item {
            Item::Record(record) => {
                let field = meaning::field(record, medium);
                explain(record, &field, trace);
                fields.push(field);
            }
            Item::Filler { at, dif } => {
                trace.field(*at, &[*dif], format_args!("filler"), format_args!("nothing"));
            }
            Item::Manufacturer { at, dif, data } => {
                more = *dif == 0x1F;
                let says = if more { "more telegrams follow" } else { "no more telegrams follow" };
                trace.field(*at, &[*dif], format_args!("manufacturer's data"), format_args!("{says}"));
                if !data.is_empty() {
                    let name = format_args!("manufacturer's data");
                    trace.field(*at + 1, data, name, format_args!("{}", Hex(data)));
                    let value = Value::Raw((*data).into());
                    fields.push(Field::new(Kind::ManufacturerData, Register::default(), value));
                }
            }
        }
    }
    (fields, more)
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
