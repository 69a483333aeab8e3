// SPDX-License-Identifier: MIT OR Apache-2.0
//! Puts the fragments of long messages together.

use alloc::vec::Vec;

use super::afl::Afl;
use crate::error::Error;
use crate::mbus::Address;

/// Most messages that wait for fragments.
const MAX_MESSAGES: usize = 16;
/// Most bytes of a message; OMS allows 1 KiB and a half.
const MAX_BYTES: usize = 4096;
/// How long a message waits, s.
const PATIENCE_S: u64 = 120;

#[derive(Clone, Debug, PartialEq, Eq)]
struct Message {
    sender: Address,
    began_s: u64,
    afl: Afl,
    bytes: Vec<u8>,
}

/// The messages that are not complete.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Fragments(Vec<Message>);

impl Fragments {
    /// The whole message, where this completes one; `None` where others are missing.
    pub fn push(
        &mut self,
        now_s: u64,
        sender: Address,
        afl: Afl,
        bytes: &[u8],
    ) -> Result<Option<(Afl, Vec<u8>)>, Error> {
        let alive = |message: &Message| now_s.abs_diff(message.began_s) < PATIENCE_S;
        self.0.retain(alive);
        let pending = self.0.iter().position(|message| message.sender == sender);
        let mut message = match (pending, afl.fragment) {
            // Fragment 0 is a message in one piece; 1 is a first one, whatever came before.
            (pending, 0 | 1) => {
                if let Some(n) = pending {
                    self.0.swap_remove(n);
                }
                Message { sender, began_s: now_s, afl, bytes: bytes.into() }
            }
            (Some(n), fragment) => {
                let mut message = self.0.swap_remove(n);
                if fragment == message.afl.fragment {
                    // The same once more, from a repeater.
                    self.0.push(message);
                    return Ok(None);
                }
                if fragment != message.afl.fragment.wrapping_add(1)
                    || message.bytes.len() + bytes.len() > MAX_BYTES
                {
                    return Err(Error::Malformed { what: "a fragment of the message is missing" });
                }
                message.afl.join(afl);
                message.bytes.extend(bytes);
                message
            }
            (None, _) => {
                return Err(Error::Malformed { what: "the first fragment of the message is missing" });
            }
        };
        if message.afl.more {
            if self.0.len() >= MAX_MESSAGES {
                self.0.remove(0);
            }
            self.0.push(message);
            return Ok(None);
        }
        if let Some(n) = message.afl.message_length() {
            if message.bytes.len() < n {
                return Err(Error::Truncated { need: n - message.bytes.len() });
            }
            message.bytes.truncate(n);
        }
        Ok(Some((message.afl, message.bytes)))
    }
}
