// SPDX-License-Identifier: MIT OR Apache-2.0
//! CJ/T 188 and DL/T 645: a wildcard asks whoever is there, and finds the one meter of a line that has one. Where several of
//! DL/T 645 answer they are asked by parts of their addresses.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::super::cjt188::WAKE;
use super::super::device::Device;
use super::once::Once;
use super::shortened::{Said, Shortened, Told};
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

/// The search for DL/T 645 meters.
#[derive(Debug)]
pub(super) struct Dlt645 {
    list: List,
    quick: bool,
    /// How much speaks for several that answered to the wildcard, in 2007 and in 1997.
    several: [u8; 2],
    /// It was frames that were damaged, and not noise alone.
    sure: bool,
    /// Under way: by shortened addresses in this edition.
    shortened: Option<(Standard, Shortened)>,
    /// Addresses that several answered to: told at the end, since on a noisy line there is no end of them.
    alike: Vec<dlt645::Address>,
    known: Vec<dlt645::Address>,
    /// So many of them were known when the search of this edition began.
    before: usize,
}

/// So much is likely to be several meters.
const LIKELY: u8 = 2;
/// What a damaged frame counts.
const DAMAGED: u8 = 4;

/// The editions in the order in which they are searched.
const EDITIONS: [(Standard, Di); 2] =
    [(Standard::V2007, Di::Long(0x0001_0000)), (Standard::V1997, Di::Short(0x9010))];

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

    pub(super) const fn new(quick: bool) -> Self {
        let list = List::new(Self::ASKS.len());
        Self {
            list,
            quick,
            several: [0; 2],
            sure: false,
            shortened: None,
            alike: Vec::new(),
            known: Vec::new(),
            before: 0,
        }
    }

    /// The next edition in which several answered.
    fn begin(&mut self) {
        self.before = self.known.len();
        let next = EDITIONS.iter().zip(&mut self.several).find(|(_, several)| **several >= LIKELY);
        self.shortened = next.map(|((standard, _), several)| {
            self.sure = core::mem::take(several) >= DAMAGED;
            (*standard, Shortened::new())
        });
    }

    fn heard_wildcard(&mut self, n: usize, heard: Heard<'_>) -> Option<FoundMeter> {
        let standard = Self::ASKS.get(n).map(|(_, standard, _)| *standard)?;
        // Answers that destroy each other often leave no frame at all. One burst of noise is no meter, but the old edition
        // is asked once.
        let weight = match heard {
            Heard::Damaged => DAMAGED,
            Heard::Noise if standard == Standard::V1997 => LIKELY,
            Heard::Noise => 1,
            Heard::Nothing | Heard::Answer(_) => 0,
        };
        let edition = EDITIONS.iter().zip(&mut self.several).find(|((of, _), _)| *of == standard);
        if let Some((_, several)) = edition.filter(|_| !self.quick) {
            *several = several.saturating_add(weight);
        }
        let found = match heard {
            Heard::Answer(bytes) => dlt645::Frame::parse(bytes).ok().map(|frame| found_645(&frame, standard)),
            _ => None,
        };
        let told = self.list.heard(Protocol::Dlt645, heard, found);
        if self.list.question().is_none() {
            self.begin();
        }
        // That several answer is told when it is known which of them cannot be told apart.
        let told = told.filter(|told| told.device.is_some() || self.shortened.is_none());
        self.known.extend(told.as_ref().and_then(whose));
        told
    }

    fn heard_shortened(&mut self, heard: Heard<'_>) -> Option<FoundMeter> {
        let (standard, search) = self.shortened.as_mut()?;
        let frame = match heard {
            Heard::Answer(bytes) => dlt645::Frame::parse(bytes).ok(),
            _ => None,
        };
        let told = search.heard(match heard {
            Heard::Nothing => Said::Nothing,
            Heard::Answer(_) => Said::One,
            Heard::Damaged | Heard::Noise => Said::Several,
        });
        let found = frame.map(|frame| found_645(&frame, *standard));
        let over = search.address().is_none();
        if let Some(Told::Several(address)) = told {
            self.alike.push(address);
        }
        let address = found.as_ref().and_then(whose);
        // One that takes a shortened address for the wildcard answers to each of them.
        let again = address.is_some_and(|address| self.known.contains(&address));
        self.known.extend(address.filter(|_| !again));
        let end = if over { self.end(told == Some(Told::GivenUp)) } else { None };
        let Some(mut found) = found.filter(|_| !again) else { return end };
        if let Some(end) = end {
            found.words = alloc::format!("{}; {}", found.words, end.words);
        }
        Some(found)
    }

    /// The search of an edition is over. What is to be told of it.
    fn end(&mut self, given_up: bool) -> Option<FoundMeter> {
        let (alike, sure) = (core::mem::take(&mut self.alike), self.sure);
        let found = self.known.len() - self.before;
        self.begin();
        if given_up {
            let words = "the search by parts of the address was given up: something is heard all the time, as on a noisy line";
            return Some(FoundMeter { words: words.into(), ..several(Protocol::Dlt645, "") });
        }
        let place = match alike[..] {
            // Several answered the wildcard, so there are others yet.
            [] if sure && found == 1 => "to the wildcard, and one alone to a part of its address".into(),
            [] => return None,
            // Noise, and then nobody: there was nobody.
            [dlt645::Address::WILDCARD] if !sure => return None,
            [dlt645::Address::WILDCARD] => "to the wildcard, and none to a part of its address".into(),
            [one] => alloc::format!("to the address {one}"),
            _ => {
                let names: Vec<_> = alike.iter().map(ToString::to_string).collect();
                alloc::format!("to each of the addresses {}", names.join(", "))
            }
        };
        Some(several(Protocol::Dlt645, &place))
    }
}

/// The address of a meter that was found, where it says one.
fn whose(found: &FoundMeter) -> Option<dlt645::Address> {
    match found.device {
        Some(Device::Dlt645 { address, .. }) if address.is_exact() => Some(address),
        _ => None,
    }
}

impl Hunt for Dlt645 {
    fn question(&self) -> Option<(String, Once)> {
        let (request, standard, address, what) = match (self.list.question(), &self.shortened) {
            (Some(n), _) => {
                let (request, standard, what) = Self::ASKS.get(n)?;
                (*request, *standard, dlt645::Address::WILDCARD, (*what).into())
            }
            (None, Some((standard, search))) => {
                let (_, di) = EDITIONS.iter().find(|(of, _)| of == standard)?;
                let address = search.address()?;
                let request = dlt645::Request::Read { di: *di, blocks: None };
                (request, *standard, address, alloc::format!("a reading of {address}"))
            }
            (None, None) => return None,
        };
        let bytes = dlt645::encode(standard, address, &request, WAKE);
        Some((alloc::format!("DL/T 645: {what}"), Once::new(Protocol::Dlt645, bytes, false)))
    }

    fn heard(&mut self, heard: Heard<'_>) -> Option<FoundMeter> {
        match self.list.question() {
            Some(n) => self.heard_wildcard(n, heard),
            None => self.heard_shortened(heard),
        }
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
