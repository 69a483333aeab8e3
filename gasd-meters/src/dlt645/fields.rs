// SPDX-License-Identifier: MIT OR Apache-2.0
//! The fields behind a data identifier.

use alloc::vec::Vec;

use super::di::Di;
use super::format::{Item, Layout};
use super::{table1997, table2007};
use crate::bytes::Cursor;
use crate::fault::Fault;
use crate::kind::{Kind, Register};
use crate::reading::{Field, Value};
use crate::trace::Trace;

/// Which part of the data an answer has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// All of them. Some meters send a sequence number behind, all the same.
    Whole,
    /// The first of several: it may end in the middle of a field.
    First,
    /// Another: it may begin in the middle of a field. With its number at the end, or without (1997).
    Next { numbered: bool },
}

/// Reads all that is left: the fields, and the number of the part.
pub(super) fn read(
    di: Di,
    cursor: &mut Cursor<'_>,
    part: Part,
    trace: &mut impl Trace,
) -> (Vec<Field>, Option<u8>) {
    let layout = match (part, di) {
        (Part::Next { .. }, _) => None,
        (_, Di::Short(di)) => table1997::layout(di),
        (_, Di::Long(di)) => table2007::layout(di),
    };
    let mut fields = Vec::new();
    match layout {
        None => {}
        Some(Layout::Items(items)) => read_items(&items, false, cursor, &mut fields, trace),
        Some(Layout::Blocks(blocks)) => {
            for items in &blocks {
                read_items(items, true, cursor, &mut fields, trace);
                if cursor.rest().first() == Some(&0xAA) {
                    let at = cursor.at();
                    let _ = cursor.u8();
                    trace.field(at, &[0xAA], format_args!("end of block"), format_args!("AA"));
                }
            }
        }
    }
    let rest = cursor.len();
    let data = match (part, rest) {
        (Part::Next { numbered: true }, rest) => rest.saturating_sub(1),
        // More of them are something else than a number.
        (Part::Whole, 1) if !fields.is_empty() => 0,
        (_, rest) => rest,
    };
    if data > 0 {
        let (at, raw) = (cursor.at(), cursor.take(data).unwrap_or_default());
        trace.field(at, raw, format_args!("data"), format_args!("not in the table"));
        fields.push(Field::new(Kind::Unknown, Register::default(), Value::Raw(raw.into())));
    }
    let at = cursor.at();
    let seq = cursor.u8().ok();
    if let Some(seq) = seq {
        trace.field(at, &[seq], format_args!("sequence"), format_args!("{seq}"));
    }
    (fields, seq)
}

/// Reads `items` as far as there are bytes; of a `block` of 1997 up to the AA that ends it.
fn read_items(
    items: &[Item],
    block: bool,
    cursor: &mut Cursor<'_>,
    fields: &mut Vec<Field>,
    trace: &mut impl Trace,
) {
    for (n, item) in items.iter().enumerate() {
        if cursor.is_empty() || (block && cursor.rest().first() == Some(&0xAA)) {
            return;
        }
        let at = cursor.at();
        let value = match cursor.take(item.format.len()) {
            Ok(raw) => {
                let value = item.format.value(raw);
                let field = Field::new(item.kind, item.register, value);
                trace.field(at, raw, format_args!("{}", field.name()), format_args!("{}", field.value));
                fields.push(field);
                continue;
            }
            // Half an item behind others is for the caller: a sequence number, or to be continued.
            Err(_) if n > 0 => return,
            Err(_) => {
                let raw = cursor.take_rest();
                trace.field(at, raw, format_args!("{}", item.kind.name()), format_args!("too short"));
                Value::Absent(Fault::Length, raw.into())
            }
        };
        fields.push(Field::new(item.kind, item.register, value));
    }
}
