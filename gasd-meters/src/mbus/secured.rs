// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether the data of a wired answer are plain.
//!
//! The word that says how data are secured was a signature once, and meters of old put there what they like: a mode
//! alone is no proof of encryption. No value may be made of ciphertext either, and bytes at random are a chain of records
//! more often than one believes (one of eight short ones). So:
//!
//! | the word says | the data are |
//! |---|---|
//! | mode 0, or no encrypted bytes in a mode that counts them | plain |
//! | any other, and they begin with 2F 2F | plain: that is what deciphered data begin with |
//! | 5 or 7 | encrypted: a key opens them |
//! | another one that the standards have, as DES (2, 3), CTR (8) or TLS (13) | encrypted, and not read |
//! | one that no standard has: a signature | plain if nothing in them speaks against it |
//!
//! A meter of old whose signature looks like one of the standards' modes is not read. Deciphered by nobody, its data cannot
//! be told from ciphertext surely enough: a wrong volume is worse than none.

use super::header::Header;
use super::payload::Records;
use super::record::Items;
use super::{BorrowedField, BorrowedValue};
use crate::bytes::Cursor;
use crate::error::Error;
use crate::fault::Fault;
use crate::kind::{Kind, Period, Register};
use crate::medium::Medium;

/// What plain and deciphered data of a secured answer begin with.
const CHECK: [u8; 2] = [0x2F, 0x2F];

/// So many values must there be where the word is a signature: fewer come out even by chance.
const RECORDS: usize = 4;

/// Nothing, where the data behind `header` can be read as they are.
///
/// # Errors
///
/// [`Error::KeyMissing`], [`Error::UnsupportedMode`].
pub(super) fn plain(header: &Header, data: &Cursor<'_>, medium: Medium) -> Result<(), Error> {
    let mode = header.mode();
    let counted = match mode {
        // Bytes (DES), and blocks.
        2 | 3 => usize::from(header.config as u8),
        4 | 5 | 7 => header.blocks(),
        _ => 1,
    };
    if mode == 0 || counted == 0 || data.rest().starts_with(&CHECK) {
        return Ok(());
    }
    match mode {
        5 | 7 => Err(Error::KeyMissing),
        1..=4 | 8..=10 | 13 => Err(Error::UnsupportedMode { mode }),
        _ if is_sane(data, medium) => Ok(()),
        _ => Err(Error::UnsupportedMode { mode }),
    }
}

/// Whether all of the data are records that a meter may well send, up to their end.
fn is_sane(data: &Cursor<'_>, medium: Medium) -> bool {
    let mut records = Records::new(Items::new(*data), medium);
    let mut values = 0;
    records.all(|record| {
        let Ok(field) = record else { return false };
        values += usize::from(!matches!(field.value, BorrowedValue::Absent(..)));
        is_known(&field)
    }) && values >= RECORDS
}

/// Whether a record is in the tables, and its value one of its kind.
fn is_known(field: &BorrowedField<'_>) -> bool {
    let said = match field.value {
        BorrowedValue::Raw(_) => false,
        BorrowedValue::Absent(fault, bytes) => {
            matches!(fault, Fault::NotFilled | Fault::NotSet | Fault::SaidInvalid) && !bytes.is_empty()
        }
        BorrowedValue::Text(text) => text.to_text().chars().all(|c| matches!(c, ' '..='~')),
        BorrowedValue::Number(_) | BorrowedValue::Moment(_) | BorrowedValue::Bits(_) => true,
    };
    let Register { period, tariff, subunit, .. } = field.register;
    let period = match period {
        Period::Storage(n) => n < 256,
        _ => true,
    };
    let named = !matches!(field.kind, Kind::Unknown | Kind::ManufacturerData);
    said && named && field.doubt.is_none() && period && tariff < 16 && subunit < 16
}
