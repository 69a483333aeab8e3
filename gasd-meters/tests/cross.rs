// SPDX-License-Identifier: MIT OR Apache-2.0
//! Protocols that share a line: a frame of one is no frame of another.

mod common;

use common::{bytes, vectors};
use gasd_meters::scan::{Probe, first};
use gasd_meters::{cjt188, dlt645, mbus};

/// A name, and the probe of a protocol.
type Protocol = (&'static str, fn(&[u8]) -> Probe);

const PROTOCOLS: [Protocol; 3] =
    [("dlt645", dlt645::probe), ("cjt188", cjt188::probe), ("mbus", mbus::probe)];

/// Frames by others, and whose they are.
const FILES: [(&str, &str); 7] = [
    ("dlt645", "dlt645/frames.jsonl"),
    ("cjt188", "cjt188/frames.jsonl"),
    ("mbus", "mbus/libmbus_frames.jsonl"),
    ("mbus", "mbus/link_frames.jsonl"),
    ("hart", "hart/frames.jsonl"),
    ("modbus", "modbus/frames.jsonl"),
    ("lorawan", "lorawan/frames.jsonl"),
];

#[test]
fn a_frame_of_one_is_no_frame_of_another() {
    let mut frames = 0;
    for (family, file) in FILES {
        let Some(lines) = vectors(file) else { continue };
        for line in &lines {
            let stream = bytes(line, "hex");
            for (name, probe) in PROTOCOLS {
                if name != family {
                    assert!(first(&stream, probe).is_err(), "{file} {} is a frame of {name}", line["id"]);
                }
            }
            frames += 1;
        }
    }
    println!("{frames} frames");
}
