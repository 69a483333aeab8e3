// SPDX-License-Identifier: MIT OR Apache-2.0
//! Answers of wired M-Bus that are encrypted, as OMS has them: opened with the meter's key, or not read.

use alloc::vec::Vec;

use super::device::SharedKey;
use super::memory::Counted;
use crate::error::Error;
use crate::fault::Fault;
use crate::mbus::{Address, Frame, Message, Target};
use crate::wmbus::{Access, Content, Received, Receiver, Security, WEAKER};

/// What the check of a key is made of: no meter sends that.
const CHECK: &[u8] = b"gasd";

const REPEATED: Error = Error::Malformed { what: "the meter repeats a telegram instead of sending the next" };

/// Keys whose counters are kept: after a key and back to it nothing old is read as new.
pub(super) const KEYS: usize = 4;

/// What opens the answers of one dialogue.
#[derive(Debug)]
pub(super) struct Opener {
    key: SharedKey,
    /// Who is asked, as far as that is known.
    meter: Address,
    receiver: Receiver,
    mark: [u8; 4],
    last: Option<Counted>,
    /// Of other keys, that of the last one first.
    others: Vec<Counted>,
}

impl Opener {
    /// `counters`: what was remembered, that of the last key first.
    pub fn new(key: SharedKey, target: Target, counters: &[Counted]) -> Self {
        let meter = match target {
            Target::Selected(address) => address,
            _ => Address::ANY,
        };
        let [a, b, c, d, ..] = key.0.mac(&[CHECK]);
        let mark = [a, b, c, d];
        // Of another key there is nothing to go on from.
        let last = counters.iter().copied().find(|of| of.check == mark);
        let others = counters.iter().copied().filter(|of| of.check != mark).collect();
        Self { key, meter, receiver: Receiver::default(), mark, last, others }
    }

    /// The next telegram is the first of a reading.
    pub fn begin(&mut self) {
        self.receiver = Receiver::default();
    }

    /// What an answer says; `None` where it is a part, and the others are to be asked for.
    pub fn open(&mut self, frame: &Frame<'_>) -> Result<Option<Message>, Error> {
        let access = Access { key: Some(&self.key.0), plain: false };
        // What is refused after it was opened leaves no trace: it may be asked for once more.
        let before = self.receiver.clone();
        let content = match self.receiver.receive_wired(0, frame, self.meter, &access, &mut ())? {
            Received::New(content) => content,
            Received::Part => return Ok(None),
            Received::Duplicate => return Err(REPEATED),
        };
        if let Err(why) = self.check(&content) {
            self.receiver = before;
            return Err(why);
        }
        if let Some(counter) = content.counter {
            self.last = Some(Counted { check: self.mark, counter });
        }
        let mut reading = content.reading;
        reading.fields.retain(|field| field.doubt != Some(Fault::Unprotected));
        let header = content.header.map(|mut header| {
            header.meter = Some(content.meter);
            header
        });
        Ok(Some(Message::Data(header, reading)))
    }

    /// Whether what was opened may be read.
    fn check(&self, content: &Content) -> Result<(), Error> {
        if content.security == Security::None && content.counter.is_none() {
            return Err(Error::NotEncrypted);
        }
        if !content.meter.matches(&self.meter) {
            return Err(Error::AddressMismatch);
        }
        match (content.counter, self.last) {
            // The same once more is the message that was read: a meter that is asked anew may not have another yet.
            (Some(got), Some(Counted { counter: last, .. })) if got < last => {
                Err(Error::Replay { got, last })
            }
            (None, Some(_)) => Err(WEAKER),
            _ => Ok(()),
        }
    }

    /// What is to be remembered.
    pub fn counters(&self) -> Vec<Counted> {
        self.last.into_iter().chain(self.others.iter().copied()).take(KEYS).collect()
    }
}
