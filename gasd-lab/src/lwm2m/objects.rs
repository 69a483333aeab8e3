// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the objects say: TLV of LwM2M, or the bytes of one resource.

use gasd_meters::nbiot::Path;

/// Content formats.
pub(super) const OPAQUE: u32 = 42;
pub(super) const TLV: u32 = 11_542;
pub(super) const LINKS: u32 = 40;

/// What a client has, as it registers.
pub(super) const OBJECTS: &str = "</>;rt=\"oma.lwm2m\";ct=11542,</1/0>,</3/0>,</4/0>,</5/0>,</19/0>,</19/1>";

/// Kinds of items.
const RESOURCE_INSTANCE: u8 = 0x40;
const MULTIPLE_RESOURCE: u8 = 0x80;
const RESOURCE: u8 = 0xC0;

/// An item; numbers are below 256 here.
fn item(kind: u8, id: u8, value: &[u8]) -> Vec<u8> {
    let mut bytes = match (value.len(), u8::try_from(value.len())) {
        (0..8, Ok(len)) => vec![kind | len, id],
        (_, Ok(len)) => vec![kind | 0x08, id, len],
        (len, Err(_)) => {
            let [_, _, high, low] = (len as u32).to_be_bytes();
            vec![kind | 0x10, id, high, low]
        }
    };
    bytes.extend(value);
    bytes
}

/// What there is at `path` but for object 19, and its format; `None` where there is nothing.
pub(super) fn content(path: Path, serial: &str, unix_s: u32, signal_dbm: i8) -> Option<(u32, Vec<u8>)> {
    let resource = |id, value: &[u8]| item(RESOURCE, id, value);
    let bytes = match path.numbers() {
        [3] | [3, 0] => [
            resource(0, b"gasd"),
            resource(1, b"lab"),
            resource(2, serial.as_bytes()),
            resource(3, b"1.0"),
            item(MULTIPLE_RESOURCE, 7, &item(RESOURCE_INSTANCE, 0, &3_600u16.to_be_bytes())),
            resource(9, &[97]),
            item(MULTIPLE_RESOURCE, 11, &item(RESOURCE_INSTANCE, 0, &[0])),
            resource(13, &unix_s.to_be_bytes()),
            resource(16, b"U"),
        ]
        .concat(),
        [4] | [4, 0] => [
            resource(0, &[7]),
            resource(2, &[signal_dbm as u8]),
            item(MULTIPLE_RESOURCE, 4, &item(RESOURCE_INSTANCE, 0, b"10.0.0.2")),
        ]
        .concat(),
        [5] | [5, 0] => [resource(3, &[0]), resource(5, &[0]), resource(7, b"1.0")].concat(),
        _ => return None,
    };
    Some((TLV, bytes))
}

/// Frames of the application: alone as they are, several as values of one resource.
pub(super) fn frames(frames: &[Vec<u8>]) -> (u32, Vec<u8>) {
    match frames {
        [frame] => (OPAQUE, frame.clone()),
        frames => {
            let instances = (0..).zip(frames).flat_map(|(n, frame)| item(RESOURCE_INSTANCE, n, frame));
            (TLV, item(MULTIPLE_RESOURCE, 0, &instances.collect::<Vec<_>>()))
        }
    }
}
