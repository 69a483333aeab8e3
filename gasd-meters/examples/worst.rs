// SPDX-License-Identifier: MIT OR Apache-2.0
//! The slowest input of each decoder, in ns a byte: what a line full of the worst that fuzzing has found would cost.
//!
//! ```text
//! cargo run --release -p gasd-meters --example worst -- ~/.cache/gasd/fuzz/corpus
//! ```
//!
//! Every kept input goes through its decoder as bytes of a line or of a datagram; beside them inputs in which a frame
//! seems to begin at every byte. Exit status 1 where one takes more than 1 µs a byte.

use std::hint::black_box;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use gasd_meters::lorawan::payload::PROFILES;
use gasd_meters::lorawan::{Datagram, Keys, Phy, Radio};
use gasd_meters::nbiot::{Content, Message, Path as ObjectPath, items, say};
use gasd_meters::scan::{Probe, Scanner};
use gasd_meters::wmbus::{Access, Key, Receiver, Telegram};
use gasd_meters::{cjt188, dlt645, hart, mbus, modbus};

/// ns a byte that no input may take.
const LIMIT: f64 = 1000.0;
const REPEATS: usize = 15;
/// What is shorter is timed as if it had so many bytes: a call costs something whatever is in it.
const SHORTEST: usize = 8;

type Decoder = fn(&[u8]);

const DECODERS: [(&str, Decoder); 9] = [
    ("dlt645", |bytes| {
        let Ok(frame) = dlt645::find(bytes).and_then(dlt645::Frame::parse) else { return };
        let _ = black_box(dlt645::decode(&frame, None, &mut ()));
    }),
    ("cjt188", |bytes| {
        let _ = black_box(cjt188::LookAlike::parse(bytes));
        let Ok(frame) = cjt188::find(bytes).and_then(cjt188::Frame::parse) else { return };
        let _ = black_box(cjt188::decode(&frame, &cjt188::Profile::STANDARD, None, &mut ()));
    }),
    ("mbus", |bytes| {
        let Ok(frame) = mbus::find(bytes).and_then(mbus::Frame::parse) else { return };
        let _ = black_box(mbus::decode(&frame, &mut ()));
    }),
    ("wmbus", |bytes| {
        let Ok(telegram) = Telegram::parse(bytes, None) else { return };
        let key = Key::new([7; 16]);
        let access = Access { key: Some(&key), plain: true };
        let _ = black_box(Receiver::default().receive(0, &telegram, &access, &mut ()));
    }),
    ("modbus", |bytes| {
        scan(bytes, modbus::probe);
        let Ok(frame) = modbus::find(bytes).and_then(modbus::Frame::parse) else { return };
        let _ = black_box(modbus::decode_answer(&frame, &mut ()));
        let _ = black_box(modbus::decode_request(&frame, &mut ()));
    }),
    ("hart", |bytes| {
        scan(bytes, hart::probe);
        let Ok(frame) = hart::find(bytes).and_then(hart::Frame::parse) else { return };
        let _ = black_box(hart::decode(&frame, &mut ()));
    }),
    ("lorawan", |bytes| {
        let _ = black_box(Datagram::parse(bytes));
        for profile in PROFILES {
            let _ = black_box(profile.decode(2, bytes, &mut ()));
        }
        let Ok(Phy::Data(frame)) = Phy::parse(bytes) else { return };
        let keys = Keys::V1_0 { network: Key::new([1; 16]), application: Some(Key::new([2; 16])) };
        let _ = black_box(keys.open(&frame, frame.counter.into(), Radio::default()));
    }),
    ("coap", |bytes| {
        let _ = black_box(items(bytes));
        let Ok(message) = Message::parse(bytes, &mut ()) else { return };
        let content = Content::of(message.number(12), message.payload);
        let _ = black_box(say(ObjectPath::new(&[3, 0]), &content));
    }),
    ("scan", |bytes| {
        scan(bytes, |bytes| dlt645::probe(bytes).or(cjt188::probe(bytes)).or(mbus::probe(bytes)))
    }),
];

fn scan(bytes: &[u8], probe: fn(&[u8]) -> Probe) {
    let mut frames = 0;
    let mut scanner = Scanner::new(1);
    scanner.push(0, bytes, probe, |_| frames += 1);
    scanner.flush(probe, |_| frames += 1);
    black_box(frames);
}

/// Beginnings of frames, over and over.
fn beginnings() -> Vec<(String, Vec<u8>)> {
    let patterns: [&[u8]; 9] = [
        &[0x68],
        &[0x68, 0x10],
        &[0x68, 0x10, 0, 0, 0, 0, 0, 0, 0, 0x81, 0xC8],
        &[0x68, 0, 0, 0, 0, 0, 0, 0x68, 0x91, 0xC8],
        &[0x68, 0xFF, 0xFF, 0x68],
        &[0xFE],
        &[0xFF],
        &[0x86, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0xFF],
        &[0x01, 0x03, 0xFC],
    ];
    let repeated = patterns.iter().map(|pattern| {
        let name = format!("{} over and over", gasd_meters::hex::Hex(pattern));
        (name, pattern.iter().copied().cycle().take(4096).collect())
    });
    repeated.collect()
}

/// ns a byte: the median of some repeats, each of several calls where one is short.
fn ns_a_byte(decode: Decoder, bytes: &[u8]) -> f64 {
    let calls = (4096 / bytes.len().max(SHORTEST)).max(1);
    let mut seen: Vec<f64> = (0..REPEATS)
        .map(|_| {
            let begun = Instant::now();
            for _ in 0..calls {
                decode(black_box(bytes));
            }
            begun.elapsed().as_nanos() as f64 / calls as f64 / bytes.len().max(SHORTEST) as f64
        })
        .collect();
    seen.sort_by(f64::total_cmp);
    seen[seen.len() / 2]
}

/// The inputs that are kept of a target.
fn kept(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let Ok(files) = std::fs::read_dir(folder) else {
        eprintln!("SKIPPED: no inputs in {}", folder.display());
        return Vec::new();
    };
    let read = |entry: std::io::Result<std::fs::DirEntry>| {
        let path = entry.ok()?.path();
        Some((path.file_name()?.to_string_lossy().into_owned(), std::fs::read(path).ok()?))
    };
    files.filter_map(read).collect()
}

fn main() -> ExitCode {
    let Some(corpus) = std::env::args().nth(1) else {
        eprintln!("usage: worst CORPUS, a folder with one of inputs for each target of scripts/fuzz");
        return ExitCode::from(2);
    };
    let mut over = false;
    println!("{:8} {:>7} {:>10} {:>6}  slowest input", "target", "inputs", "ns a byte", "bytes");
    for (name, decode) in DECODERS {
        let mut inputs = kept(&Path::new(&corpus).join(name));
        inputs.extend(beginnings());
        let timed = inputs.iter().map(|(input, bytes)| (ns_a_byte(decode, bytes), bytes.len(), input));
        let Some((ns, len, input)) = timed.max_by(|a, b| a.0.total_cmp(&b.0)) else { continue };
        println!("{name:8} {:7} {ns:10.1} {len:6}  {input}", inputs.len());
        over |= ns > LIMIT;
    }
    if over { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
