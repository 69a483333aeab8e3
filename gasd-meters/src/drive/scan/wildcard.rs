// SPDX-License-Identifier: MIT OR Apache-2.0
//! CJ/T 188 and DL/T 645: a wildcard asks whoever is there, and finds the one meter of a line that has one.

use alloc::string::{String, ToString};

use super::super::cjt188::WAKE;
use super::super::device::Device;
use super::once::Once;
use super::{FoundMeter, Heard, Hunt, several};
use crate::cjt188;
use crate::detect::Protocol;
use crate::dlt645::{self, Di, Standard};
use crate::reading::Identity;

const BESIDES: &str = "; something else answered at the same time, too";

/// Questions in their order, until one is answered.
#[derive(Clone, Copy, Debug)]
struct List {
    next: usize,
    len: usize,
    damaged: bool,
}

impl List {
    const fn new(len: usize) -> Self {
        Self { next: 0, len, damaged: false }
    }

    /// The number of the question.
    fn question(&self) -> Option<usize> {
        (self.next < self.len).then_some(self.next)
    }

    /// An answer ends it; what else came is told at the end, where nothing better did.
    fn heard(
        &mut self,
        protocol: Protocol,
        heard: Heard<'_>,
        found: Option<FoundMeter>,
    ) -> Option<FoundMeter> {
        self.next += 1;
        self.damaged |= heard == Heard::Damaged;
        if let Some(mut found) = found {
            self.next = self.len;
            if self.damaged {
                found.words.push_str(BESIDES);
            }
            return Some(found);
        }
        (self.next >= self.len && self.damaged).then(|| several(protocol, "to the wildcard"))
    }
}

/// The search for a CJ/T 188 meter.
#[derive(Debug)]
pub(super) struct Cjt188(List);

impl Cjt188 {
    const ASKS: [(cjt188::Request<'static>, cjt188::Order, &'static str); 4] = [
        (cjt188::Request::ReadAddress, cjt188::Order::HighFirst, "the address, high byte first"),
        (cjt188::Request::ReadAddress, cjt188::Order::LowFirst, "the address, low byte first"),
        (cjt188::Request::Read(0x901F), cjt188::Order::HighFirst, "the current data, high byte first"),
        (cjt188::Request::Read(0x901F), cjt188::Order::LowFirst, "the current data, low byte first"),
    ];

    pub(super) const fn new(quick: bool) -> Self {
        // Some meters have no address to be read.
        Self(List::new(if quick { 2 } else { 4 }))
    }
}

impl Hunt for Cjt188 {
    fn question(&self) -> Option<(String, Once)> {
        let n = self.0.question()?;
        let (request, order, what) = Self::ASKS.get(n)?;
        let target = cjt188::Target { kind: 0xAA, address: cjt188::Address::WILDCARD, order: *order };
        let bytes = cjt188::encode(&target, &cjt188::Profile::STANDARD, n as u8, request, WAKE);
        Some((alloc::format!("CJ/T 188: {what}"), Once::new(Protocol::Cjt188, bytes, false)))
    }

    fn heard(&mut self, heard: Heard<'_>) -> Option<FoundMeter> {
        let found = match heard {
            Heard::Answer(bytes) => cjt188::Frame::parse(bytes).ok().map(|frame| found_188(&frame)),
            _ => None,
        };
        self.0.heard(Protocol::Cjt188, heard, found)
    }
}

fn found_188(frame: &cjt188::Frame<'_>) -> FoundMeter {
    let (address, kind) = (frame.address, frame.kind);
    let medium = cjt188::medium(kind);
    let identity =
        Identity { id: address.digits(), manufacturer: Some(address.maker()), medium, ..Identity::default() };
    let exact = !address.is_wildcard();
    FoundMeter {
        protocol: Protocol::Cjt188,
        address: exact.then(|| address.to_string()),
        identity,
        device: Some(Device::Cjt188 { address, kind, profile: cjt188::Profile::STANDARD }),
        words: if exact {
            alloc::format!("type {kind:02X}, {medium}")
        } else {
            alloc::format!(
                "type {kind:02X}, {medium}; it answers with the wildcard: its address is on its label"
            )
        },
    }
}

/// The search for a DL/T 645 meter.
#[derive(Debug)]
pub(super) struct Dlt645(List);

impl Dlt645 {
    const ASKS: [(dlt645::Request<'static>, Standard, &'static str); 3] = [
        (dlt645::Request::ReadAddress, Standard::V2007, "the address (2007)"),
        (
            dlt645::Request::Read { di: Di::Long(0x0001_0000), blocks: None },
            Standard::V2007,
            "a reading (2007)",
        ),
        (dlt645::Request::Read { di: Di::Short(0x9010), blocks: None }, Standard::V1997, "a reading (1997)"),
    ];

    pub(super) const fn new() -> Self {
        Self(List::new(Self::ASKS.len()))
    }
}

impl Hunt for Dlt645 {
    fn question(&self) -> Option<(String, Once)> {
        let (request, standard, what) = Self::ASKS.get(self.0.question()?)?;
        let bytes = dlt645::encode(*standard, dlt645::Address::WILDCARD, request, WAKE);
        Some((alloc::format!("DL/T 645: {what}"), Once::new(Protocol::Dlt645, bytes, false)))
    }

    fn heard(&mut self, heard: Heard<'_>) -> Option<FoundMeter> {
        let standard = self.0.question().and_then(|n| Self::ASKS.get(n)).map(|(_, standard, _)| *standard);
        let found = match (heard, standard) {
            (Heard::Answer(bytes), Some(standard)) => {
                dlt645::Frame::parse(bytes).ok().map(|frame| found_645(&frame, standard))
            }
            _ => None,
        };
        self.0.heard(Protocol::Dlt645, heard, found)
    }
}

fn found_645(frame: &dlt645::Frame<'_>, standard: Standard) -> FoundMeter {
    let address = match dlt645::decode(frame, Some(standard), &mut ()) {
        Ok(dlt645::Message::Address(address)) => address,
        _ => frame.address,
    };
    let (edition, di) = match standard {
        Standard::V1997 => ("1997", Di::Short(0x9010)),
        Standard::V2007 => ("2007", Di::Long(0x0001_0000)),
    };
    let exact = address.is_exact();
    FoundMeter {
        protocol: Protocol::Dlt645,
        address: exact.then(|| address.to_string()),
        identity: Identity { id: address.digits(), ..Identity::default() },
        device: Some(Device::Dlt645 { address, standard, di, authority: None }),
        words: if exact {
            alloc::format!("edition of {edition}")
        } else {
            alloc::format!("edition of {edition}; it answers with the wildcard: its address is on its label")
        },
    }
}
