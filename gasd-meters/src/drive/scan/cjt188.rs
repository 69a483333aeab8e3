// SPDX-License-Identifier: MIT OR Apache-2.0
//! CJ/T 188: a wildcard asks whoever is there. There are no other addresses that stand for several, so meters whose answers
//! destroy each other are only told.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::super::cjt188::WAKE;
use super::super::device::Device;
use super::once::Once;
use super::round::{Round, Verdict};
use super::{FoundMeter, Heard, Hunt, Listens, repeated, several, twice};
use crate::cjt188::{self, Address, Frame, Order, Profile, Request, Target};
use crate::detect::Protocol;
use crate::reading::Identity;

/// The search.
#[derive(Debug)]
pub(super) struct Wildcard {
    round: Round,
    known: Vec<Address>,
    /// Addresses of which one request had two answers.
    twice: Vec<Address>,
    /// Damaged answers to the question that had most of them and was never answered plainly.
    damaged: u8,
}

const ASKS: [(Request<'static>, Order, &str); 4] = [
    (Request::ReadAddress, Order::HighFirst, "the address, high byte first"),
    (Request::ReadAddress, Order::LowFirst, "the address, low byte first"),
    (Request::Read(0x901F), Order::HighFirst, "the current data, high byte first"),
    (Request::Read(0x901F), Order::LowFirst, "the current data, low byte first"),
];

impl Wildcard {
    pub(super) const fn new(quick: bool) -> Self {
        // Some meters have no address to be read.
        let round = Round::new(if quick { 2 } else { ASKS.len() }, quick);
        Self { round, known: Vec::new(), twice: Vec::new(), damaged: 0 }
    }

    /// What is told when all is asked.
    fn end(&self) -> Vec<FoundMeter> {
        let mut told: Vec<_> =
            self.twice.iter().map(|address| twice(Protocol::Cjt188, &address.to_string())).collect();
        // One damaged frame beside a meter that was found may be noise; where nobody was, it is all there is.
        let (least, place) = match self.known[..] {
            [] => (1, "to the wildcard"),
            _ => (2, "to the wildcard beside what was found"),
        };
        if self.damaged >= least {
            told.push(several(Protocol::Cjt188, place));
        }
        told
    }
}

impl Hunt for Wildcard {
    fn question(&self) -> Option<(String, Once)> {
        let n = self.round.question()?;
        let (request, order, what) = ASKS.get(n)?;
        let target = Target { kind: 0xAA, address: Address::WILDCARD, order: *order };
        let bytes = cjt188::encode(&target, &Profile::STANDARD, n as u8, request, WAKE);
        Some((alloc::format!("CJ/T 188: {what}"), Once::to_many(Protocol::Cjt188, bytes)))
    }

    fn listens(&self) -> Listens {
        Listens::Long
    }

    fn heard(&mut self, heard: Heard<'_>) -> Vec<FoundMeter> {
        let frames: Vec<_> = heard.frames().filter_map(|bytes| Frame::parse(bytes).ok()).collect();
        let addresses: Vec<_> = frames.iter().map(|frame| frame.address).collect();
        for address in repeated(&addresses) {
            if !self.twice.contains(&address) {
                self.twice.push(address);
            }
        }
        let mut told = Vec::new();
        for frame in &frames {
            if !self.known.contains(&frame.address) {
                self.known.push(frame.address);
                told.push(found(frame));
            }
        }
        let destroyed = self.round.heard(heard).map_or(0, Verdict::destroyed);
        self.damaged = self.damaged.max(destroyed);
        if self.round.question().is_none() {
            told.extend(self.end());
        }
        told
    }
}

fn found(frame: &Frame<'_>) -> FoundMeter {
    let (address, kind) = (frame.address, frame.kind);
    let medium = cjt188::medium(kind);
    let identity =
        Identity { id: address.digits(), manufacturer: Some(address.maker()), medium, ..Identity::default() };
    let exact = !address.is_wildcard();
    FoundMeter {
        protocol: Protocol::Cjt188,
        address: exact.then(|| address.to_string()),
        identity,
        device: Some(Device::Cjt188 { address, kind, profile: Profile::STANDARD }),
        words: if exact {
            alloc::format!("type {kind:02X}, {medium}")
        } else {
            alloc::format!(
                "type {kind:02X}, {medium}; it answers with the wildcard: its address is on its label"
            )
        },
    }
}
