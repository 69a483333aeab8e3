// SPDX-License-Identifier: MIT OR Apache-2.0
//! The telegrams: by others where they are there, else the project's own; and only those that can be read.

use gasd_meters::lorawan::{Direction, Draft, Keys, Phy, Radio};
use gasd_meters::mbus::Link;
use gasd_meters::wmbus::{Access, Content, Key, Received, Receiver, Security, Telegram};
use gasd_meters::{Error, cjt188, dlt645, hart, hex, mbus, modbus};
use serde_json::Value;

use crate::common::{bytes, own, vectors};

/// Telegrams of one protocol.
pub struct Set<T> {
    pub items: Vec<T>,
    /// Bytes of one, on average.
    pub bytes: f64,
    pub whose: &'static str,
}

impl<T> Set<T> {
    fn new(items: Vec<T>, len: impl Fn(&T) -> usize, whose: &'static str) -> Self {
        let all: usize = items.iter().map(len).sum();
        Self { bytes: all as f64 / items.len().max(1) as f64, items, whose }
    }
}

/// The lines of a file by others, else of the own one, and whose they are.
fn lines(others: &str, file: &str) -> (Vec<Value>, &'static str) {
    match vectors(others) {
        Some(lines) => (lines, "by others"),
        None => (own(file), "of the project's own"),
    }
}

/// What `find` finds in each line.
fn found(others: &str, file: &str, find: fn(&[u8]) -> Result<&[u8], Error>) -> Set<Vec<u8>> {
    let (lines, whose) = lines(others, file);
    let whole = lines.iter().filter(|line| line["hex"].is_string()).map(|line| bytes(line, "hex"));
    let frames: Vec<Vec<u8>> = whole.filter_map(|line| find(&line).ok().map(<[u8]>::to_vec)).collect();
    Set::new(frames, Vec::len, whose)
}

fn only(mut set: Set<Vec<u8>>, reads: impl Fn(&[u8]) -> bool) -> Set<Vec<u8>> {
    set.items.retain(|frame| reads(frame));
    Set::new(set.items, Vec::len, set.whose)
}

/// Answers and requests of either edition.
pub fn dlt645() -> Set<Vec<u8>> {
    only(found("dlt645/frames.jsonl", "dlt645.jsonl", dlt645::find), |bytes| {
        dlt645::Frame::parse(bytes).is_ok_and(|frame| dlt645::decode(&frame, None, &mut ()).is_ok())
    })
}

/// Answers and requests of either edition.
pub fn cjt188() -> Set<Vec<u8>> {
    only(found("cjt188/frames.jsonl", "cjt188.jsonl", cjt188::find), |bytes| {
        cjt188::Frame::parse(bytes)
            .is_ok_and(|frame| cjt188::decode(&frame, &cjt188::Profile::STANDARD, None, &mut ()).is_ok())
    })
}

/// Long frames of meters.
pub fn mbus() -> Set<Vec<u8>> {
    let set = match vectors("mbus/libmbus_frames.jsonl") {
        Some(lines) => Set::new(lines.iter().map(|line| bytes(line, "hex")).collect(), Vec::len, "by others"),
        None => {
            let frame = |line: Value| {
                let header = [0x78, 0x56, 0x34, 0x12, 0x93, 0x15, 0x33, 0x03, 7, 0, 0, 0];
                let data = [&header[..], &bytes(&line, "records")].concat();
                mbus::Frame::Long(Link { control: 8, address: 1 }, 0x72, &data)
                    .encode()
                    .expect("short enough")
            };
            Set::new(own("mbus.jsonl").into_iter().map(frame).collect(), Vec::len, "of the project's own")
        }
    };
    only(set, |bytes| mbus::Frame::parse(bytes).is_ok_and(|frame| mbus::decode(&frame, &mut ()).is_ok()))
}

/// Answers, and requests to them.
pub fn modbus() -> Set<Vec<u8>> {
    only(found("modbus/frames.jsonl", "modbus.jsonl", modbus::find), |bytes| {
        modbus::Frame::parse(bytes).is_ok_and(|frame| {
            modbus::decode_answer(&frame, &mut ()).is_ok() || modbus::decode_request(&frame, &mut ()).is_ok()
        })
    })
}

/// Answers and requests without their preambles.
pub fn hart() -> Set<Vec<u8>> {
    only(found("hart/frames.jsonl", "hart.jsonl", hart::find), |bytes| {
        hart::Frame::parse(bytes).is_ok_and(|frame| hart::decode(&frame, &mut ()).is_ok())
    })
}

/// There are none by others.
pub fn coap() -> Set<Vec<u8>> {
    let messages = own("coap.jsonl").into_iter().filter(|line| line["error"].is_null());
    Set::new(messages.map(|line| bytes(&line, "hex")).collect(), Vec::len, "of the project's own")
}

/// A telegram of the radio and the key of its meter.
pub struct Sealed {
    bytes: Vec<u8>,
    key: Option<Key>,
}

/// Those that are protected in this way.
pub fn wmbus(security: Security) -> Set<Sealed> {
    let (lines, whose) = lines("wmbus/lvogt_vectors.jsonl", "wmbus.jsonl");
    let all = lines
        .iter()
        .map(|line| Sealed { bytes: bytes(line, "hex"), key: line["key"].as_str().and_then(Key::from_hex) });
    let items = all.filter(|one| receive(one).is_ok_and(|content| content.security == security)).collect();
    Set::new(items, |one: &Sealed| one.bytes.len(), whose)
}

/// As a receiver that has not heard the meter before.
pub fn receive(one: &Sealed) -> Result<Content, Error> {
    let telegram = Telegram::parse(&one.bytes, None)?;
    let access = Access { key: one.key.as_ref(), plain: true };
    match Receiver::default().receive(0, &telegram, &access, &mut ())? {
        Received::New(content) => Ok(content),
        Received::Duplicate | Received::Part => Err(Error::Malformed { what: "no telegram that is whole" }),
    }
}

/// A frame of the air, its session, and its whole counter.
pub struct Air {
    bytes: Vec<u8>,
    keys: Keys,
    counter: u32,
}

/// Data frames of LoRaWAN 1.0 with their keys.
pub fn lorawan() -> Set<Air> {
    let frames = |lines: Vec<Value>| -> Vec<Air> {
        let of = |line: &Value| {
            let key = |name: &str| line["keys"][name].as_str().and_then(Key::from_hex);
            let keys = Keys::V1_0 { network: key("NwkSKey")?, application: key("AppSKey") };
            let counter = u32::try_from(line["expect"]["fcnt32"].as_u64()?).ok()?;
            Some(Air { bytes: bytes(line, "hex"), keys, counter })
        };
        lines.iter().filter_map(of).filter(open).collect()
    };
    match vectors("lorawan/frames.jsonl") {
        Some(lines) => Set::new(frames(lines), |air| air.bytes.len(), "by others"),
        None => {
            let seal = |line: Value| {
                let keys = || Keys::V1_0 { network: Key::new([1; 16]), application: Some(Key::new([2; 16])) };
                let payload = bytes(&line, "hex");
                let draft = Draft {
                    direction: Direction::Up,
                    confirmed: false,
                    dev_addr: 1,
                    control: 0,
                    counter: 1,
                    options: &[],
                    payload: Some((10, &payload)),
                };
                let bytes = draft.seal(&keys(), Radio::default()).expect("short enough");
                Air { bytes, keys: keys(), counter: 1 }
            };
            let own = own("lorawan.jsonl").into_iter().map(seal).collect();
            Set::new(own, |air: &Air| air.bytes.len(), "of the project's own")
        }
    }
}

/// Checks the MIC and deciphers.
pub fn open(air: &Air) -> bool {
    match Phy::parse(&air.bytes) {
        Ok(Phy::Data(frame)) => air.keys.open(&frame, air.counter, Radio::default()).is_ok(),
        _ => false,
    }
}

/// A frame as text for another program.
pub fn text(bytes: &[u8]) -> String {
    hex::Hex(bytes).to_string()
}
