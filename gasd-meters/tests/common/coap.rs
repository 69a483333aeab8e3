// SPDX-License-Identifier: MIT OR Apache-2.0
//! CoAP messages, read with their explanation, and any that there may be.

use gasd_meters::Explanation;
use gasd_meters::nbiot::{Code, Message, Type};
use proptest::prelude::*;

/// A message, whose explanation has every byte once.
pub fn parse(bytes: &[u8]) -> Message {
    let mut explanation = Explanation::default();
    let message = Message::parse(bytes, &mut explanation).unwrap();
    tiles(&explanation, bytes.len());
    message
}

fn tiles(explanation: &Explanation, len: usize) {
    let mut at = 0;
    for field in &explanation.0 {
        assert_eq!(field.at, at, "{field:?}");
        at += field.raw.len();
    }
    assert_eq!(at, len, "{explanation}");
}

/// Any message that can be written.
pub fn any_message() -> impl Strategy<Value = Message> {
    let kind = prop_oneof![
        Just(Type::Confirmable),
        Just(Type::NonConfirmable),
        Just(Type::Acknowledgement),
        Just(Type::Reset)
    ];
    let bytes = |most| prop::collection::vec(any::<u8>(), 0..most);
    let option = (any::<u16>(), bytes(400));
    (kind, 1..=255u8, any::<u16>(), bytes(9), prop::collection::vec(option, 0..8), bytes(60)).prop_map(
        |(kind, code, id, token, mut options, payload)| {
            options.sort_by_key(|(number, _)| *number);
            Message { kind, code: Code(code), id, token, options, payload }
        },
    )
}
