// SPDX-License-Identifier: MIT OR Apache-2.0
//! LoRaWAN: any bytes of the air and of a packet forwarder, any payload of any profile; and what is sealed
//! is opened with its own keys and counter, and with no others.
#![no_main]

use arbitrary::Arbitrary;
use gasd_meters::lorawan::payload::{JOOBY, PROFILES, Profile};
use gasd_meters::lorawan::{
    Counter, DataFrame, Datagram, Direction, Draft, JoinAccept, Key, Keys, Phy, Radio, Session,
};
use gasd_meters::{Decimal, Explanation, crc};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
struct Input {
    bytes: Vec<u8>,
    key: [u8; 16],
    other: bool,
    up: bool,
    dev_addr: u32,
    control: u8,
    counter: u32,
    last: Option<u32>,
    options: Vec<u8>,
    port: Option<u8>,
    radio: (u16, u8, u8),
    pulse: Option<(i64, i8)>,
}

fn keys(input: &Input) -> Keys {
    let key = |n: u8| Key::new(input.key.map(|byte| byte ^ n));
    if input.other {
        Keys::V1_1 { forwarding: key(1), serving: key(2), encryption: key(3), application: Some(key(4)) }
    } else {
        Keys::V1_0 { network: key(1), application: Some(key(4)) }
    }
}

fn data(bytes: &[u8]) -> Option<DataFrame<'_>> {
    match Phy::parse(bytes) {
        Ok(Phy::Data(frame)) => Some(frame),
        _ => None,
    }
}

fuzz_target!(|input: Input| {
    let (acknowledged, data_rate, channel) = input.radio;
    let radio = Radio { acknowledged, data_rate, channel };
    let up = input.last.map_or(Counter::new(), Counter::after);
    // Nobody has these keys: nothing comes out of what the fuzzer makes up.
    if let Some(frame) = data(&input.bytes) {
        let mut session = Session { dev_addr: frame.dev_addr, keys: keys(&input), up };
        assert!(session.open(&frame, radio).is_err() && session.up == up);
    }
    let _ = JoinAccept::open(&input.bytes, &Key::new(input.key), None);
    if let Ok(datagram) = Datagram::parse(&input.bytes) {
        let _ = datagram.acknowledgement();
    }
    let draft = Draft {
        direction: if input.up { Direction::Up } else { Direction::Down },
        confirmed: input.key[0] & 1 != 0,
        dev_addr: input.dev_addr,
        control: input.control,
        counter: input.counter,
        options: &input.options,
        payload: input.port.map(|port| (port, &input.bytes[..])),
    };
    if let Ok(sealed) = draft.seal(&keys(&input), radio) {
        let frame = data(&sealed).expect("what is sealed is a frame");
        let opened = keys(&input).open(&frame, input.counter, radio).expect("its own keys");
        assert_eq!(opened.options, input.options);
        assert_eq!(
            opened.payload.as_deref(),
            Some(if input.port.is_some() { &input.bytes[..] } else { &[] })
        );
        let mut session = Session { dev_addr: input.dev_addr, keys: keys(&input), up };
        let fits = input.last.is_none_or(|last| input.counter > last && input.counter - last <= 16_384);
        let begins = input.last.is_some() || input.counter < 0x2_0000;
        assert_eq!(session.open(&frame, radio).is_ok(), input.up && fits && begins);
    }
    for profile in PROFILES {
        let pulse = input.pulse.map(|(mantissa, exponent)| Decimal::new(mantissa, exponent));
        let profile = Profile { pulse, ..*profile };
        let mut message = input.bytes.clone();
        if profile.name == JOOBY {
            message.push(crc::xor(&message) ^ 0x55);
        }
        let mut explanation = Explanation::default();
        let port = input.port.unwrap_or(2);
        let readings = profile.decode(port, &message, &mut explanation);
        assert_eq!(readings, profile.decode(port, &message, &mut ()));
        if readings.is_ok() {
            let mut at = 0;
            for field in &explanation.0 {
                assert_eq!(field.at, at);
                at += field.raw.len();
            }
            assert_eq!(at, message.len());
        }
    }
});
