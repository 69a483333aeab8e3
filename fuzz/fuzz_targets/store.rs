// SPDX-License-Identifier: MIT OR Apache-2.0
//! Any bytes as each of the store's records: refused, or read so that writing gives them back.
#![no_main]

use gasd::state::{Position, VerdictRecord};
use gasd::store::codec::Record;
use gasd::store::{AuditEntry, Base, StoredHold};
use libfuzzer_sys::fuzz_target;

fn there_and_back<R: Record>(bytes: &[u8]) {
    match R::decode(bytes) {
        Ok(record) => assert_eq!(record.encode(), bytes),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

fuzz_target!(|bytes: &[u8]| {
    there_and_back::<Base>(bytes);
    there_and_back::<StoredHold>(bytes);
    there_and_back::<VerdictRecord>(bytes);
    there_and_back::<AuditEntry>(bytes);
    there_and_back::<Position>(bytes);
});
