// SPDX-License-Identifier: MIT OR Apache-2.0
//! HART: who is at each poll address.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::ops::RangeInclusive;

use super::super::device::Device;
use super::super::hart::{HartSelect, Meter};
use super::once::Once;
use super::{Bounds, FoundMeter, Heard, Hunt, several};
use crate::detect::Protocol;
use crate::hart::{Frame, Identification, Master, Message, decode, find};
use crate::reading::Identity;

#[derive(Debug)]
pub(super) struct Polls {
    left: RangeInclusive<u8>,
    master: Master,
}

impl Polls {
    pub(super) fn new(bounds: &Bounds) -> Self {
        let (first, last) = (*bounds.hart.start(), *bounds.hart.end());
        Self { left: first..=last.min(63), master: bounds.master }
    }

    fn poll(&self) -> Option<u8> {
        self.left.clone().next()
    }
}

impl Hunt for Polls {
    fn question(&self) -> Option<(String, Once)> {
        let poll = self.poll()?;
        let request = Meter { select: HartSelect::Poll(poll), master: self.master }.identify();
        Some((alloc::format!("HART: poll address {poll}"), Once::new(Protocol::Hart, request, true)))
    }

    fn heard(&mut self, heard: Heard<'_>) -> Vec<FoundMeter> {
        self.one(heard).into_iter().collect()
    }
}

impl Polls {
    fn one(&mut self, heard: Heard<'_>) -> Option<FoundMeter> {
        let (poll, master) = (self.left.next()?, self.master);
        match heard {
            Heard::Answer(answer) => Some(found(answer.frame, poll, master)),
            Heard::Damaged => Some(several(Protocol::Hart, &alloc::format!("at poll address {poll}"))),
            Heard::Nothing | Heard::Noise => None,
        }
    }
}

fn found(bytes: &[u8], poll: u8, master: Master) -> FoundMeter {
    let message = find(bytes).and_then(Frame::parse).and_then(|frame| decode(&frame, &mut ()));
    let who = match message.map(|decoded| decoded.message) {
        Ok(Message::Identity(who)) => Some(who),
        _ => None,
    };
    let id = who.as_ref().map(|who| who.address().digits()).unwrap_or_default();
    let manufacturer = who
        .as_ref()
        .and_then(|who| who.manufacturer)
        .map(|manufacturer| alloc::format!("{manufacturer:04X}"));
    FoundMeter {
        protocol: Protocol::Hart,
        address: Some(poll.to_string()),
        identity: Identity { id, manufacturer, ..Identity::default() },
        device: Some(Device::Hart { select: HartSelect::Poll(poll), master }),
        words: who.as_ref().map_or_else(|| "it does not say who it is".into(), words),
    }
}

fn words(who: &Identification) -> String {
    alloc::format!("long address {}, HART {}", who.address(), who.hart)
}
