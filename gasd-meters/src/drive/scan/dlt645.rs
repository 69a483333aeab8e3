// SPDX-License-Identifier: MIT OR Apache-2.0
//! DL/T 645: a wildcard asks whoever is there, in either edition. Where answers destroy each other the meters are asked by
//! parts of their addresses.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::super::cjt188::WAKE;
use super::super::device::Device;
use super::once::Once;
use super::round::{Round, Verdict};
use super::shortened::{Said, Shortened, Told};
use super::{Answer, FoundMeter, Heard, Hunt, Listens, repeated, several, twice};
use crate::detect::Protocol;
use crate::dlt645::{Address, Di, Frame, Message, Request, Standard, decode, encode};
use crate::reading::Identity;

/// The search.
#[derive(Debug)]
pub(super) struct Wildcard {
    round: Round,
    quick: bool,
    /// In each edition: it is not plain who answers the wildcard.
    unclear: [Option<Unclear>; 2],
    /// Something was damaged that is told where nobody is found.
    damaged: bool,
    /// Under way: by shortened addresses in this edition.
    shortened: Option<(Standard, Unclear, Shortened)>,
    known: Vec<Address>,
    /// So many of them were known when the search of this edition began.
    before: usize,
    /// Meters that refuse what they were asked: told when all is asked, since they may answer in the other edition.
    refusing: Vec<FoundMeter>,
    /// Addresses that several answered to: told at the end, since on a noisy line there is no end of them.
    alike: Vec<Address>,
    /// Addresses of which one request had two answers.
    twice: Vec<Address>,
}

#[derive(Clone, Copy, Debug)]
struct Unclear {
    /// It was answers that destroyed each other, and not noise alone.
    sure: bool,
    /// What was heard was not heard each time.
    noisy: bool,
}

/// So much that is damaged is likely to be several meters: noise does not come each time.
const LIKELY: u8 = 2;

/// The editions in the order in which they are searched.
const EDITIONS: [(Standard, Di); 2] =
    [(Standard::V2007, Di::Long(0x0001_0000)), (Standard::V1997, Di::Short(0x9010))];

const ASKS: [(Request<'static>, Standard, &str); 3] = [
    (Request::ReadAddress, Standard::V2007, "the address (2007)"),
    (Request::Read { di: Di::Long(0x0001_0000), blocks: None }, Standard::V2007, "a reading (2007)"),
    (Request::Read { di: Di::Short(0x9010), blocks: None }, Standard::V1997, "a reading (1997)"),
];

impl Wildcard {
    pub(super) const fn new(quick: bool) -> Self {
        Self {
            round: Round::new(ASKS.len(), quick),
            quick,
            unclear: [None; 2],
            damaged: false,
            shortened: None,
            known: Vec::new(),
            before: 0,
            refusing: Vec::new(),
            alike: Vec::new(),
            twice: Vec::new(),
        }
    }

    /// Who of those that answered was not known yet.
    fn meet(&mut self, heard: Heard<'_>, standard: Standard) -> Vec<FoundMeter> {
        let frames: Vec<_> = heard.frames().filter_map(|bytes| Frame::parse(bytes).ok()).collect();
        let addresses: Vec<_> = frames.iter().map(|frame| frame.address).collect();
        self.twice.extend(repeated(&addresses).iter().filter(|address| address.is_exact()));
        let mut told = Vec::new();
        for frame in frames {
            let found = found(&frame, standard);
            let address = whose(&found);
            // One that takes a shortened address for the wildcard answers to each of them.
            if address.is_some_and(|address| self.known.contains(&address)) {
                continue;
            }
            if frame.abnormal() && self.round.question().is_some() {
                self.refusing.push(found);
                continue;
            }
            self.known.extend(address);
            told.push(found);
        }
        told
    }

    fn heard_wildcard(&mut self, n: usize, heard: Heard<'_>) -> Vec<FoundMeter> {
        let Some((_, standard, _)) = ASKS.get(n) else { return Vec::new() };
        let mut told = self.meet(heard, *standard);
        let Some(verdict) = self.round.heard(heard) else { return told };
        let edition = EDITIONS.iter().zip(&mut self.unclear).find(|((of, _), _)| of == standard);
        if let Some((_, unclear)) = edition {
            match verdict {
                Verdict::Silent => {}
                // What a reading has is all that a search by shortened addresses, which asks for the same, can find.
                Verdict::Plain => *unclear = None,
                Verdict::Unclear { damaged, noise, silent } => {
                    self.damaged |= verdict.destroyed() > 0;
                    if damaged + noise >= LIKELY {
                        *unclear = Some(Unclear { sure: verdict.destroyed() >= LIKELY, noisy: silent > 0 });
                    }
                }
            }
        }
        if self.round.question().is_none() {
            for found in core::mem::take(&mut self.refusing) {
                let address = whose(&found);
                if !address.is_some_and(|address| self.known.contains(&address)) {
                    self.known.extend(address);
                    told.push(found);
                }
            }
            told.extend(self.begin());
        }
        told
    }

    /// The next edition in which several answered; what is told where there is none.
    fn begin(&mut self) -> Vec<FoundMeter> {
        self.before = self.known.len();
        let next = EDITIONS.iter().zip(&mut self.unclear).find(|(_, unclear)| unclear.is_some());
        let next = next.and_then(|((standard, _), unclear)| Some((*standard, unclear.take()?)));
        match next {
            Some((standard, unclear)) if !self.quick => {
                self.damaged = false;
                self.shortened = Some((standard, unclear, Shortened::new(unclear.noisy)));
                Vec::new()
            }
            _ => {
                self.shortened = None;
                self.end(next.is_some())
            }
        }
    }

    /// What is told when all is asked.
    fn end(&self, unclear: bool) -> Vec<FoundMeter> {
        let mut addresses = self.twice.clone();
        addresses.sort_unstable_by_key(|address| address.0);
        addresses.dedup();
        let mut told: Vec<_> =
            addresses.iter().map(|address| twice(Protocol::Dlt645, &address.to_string())).collect();
        if self.damaged && (unclear || self.known.is_empty()) {
            told.push(several(Protocol::Dlt645, "to the wildcard"));
        }
        told
    }

    fn heard_shortened(&mut self, heard: Heard<'_>) -> Vec<FoundMeter> {
        let Some((standard, unclear, search)) = self.shortened.as_mut() else { return Vec::new() };
        let (standard, unclear) = (*standard, *unclear);
        let told = search.heard(match heard {
            Heard::Nothing => Said::Nothing,
            Heard::Answer(Answer { damaged: false, .. }) => Said::Whole,
            Heard::Answer(_) | Heard::Damaged | Heard::Noise => Said::Several,
        });
        let (over, noisy) = (search.address().is_none(), search.is_noisy());
        if let Some(Told::Several(address)) = told
            && !self.alike.contains(&address)
        {
            self.alike.push(address);
        }
        let mut found = self.meet(heard, standard);
        if over {
            let remark = self.remark(unclear, told == Some(Told::GivenUp));
            found.extend(remark.or_else(|| noisy.then(disturbed)));
            found.extend(self.begin());
        }
        found
    }

    /// What is to be told of the search of an edition.
    fn remark(&mut self, unclear: Unclear, given_up: bool) -> Option<FoundMeter> {
        let (alike, sure) = (core::mem::take(&mut self.alike), unclear.sure);
        let found = self.known.len() - self.before;
        if given_up {
            let words = "the search by parts of the address was given up: something is heard all the time, as on a noisy line";
            return Some(FoundMeter { words: words.into(), ..several(Protocol::Dlt645, "") });
        }
        let place = match alike[..] {
            // Several answered the wildcard, so there are others yet.
            [] if sure && found == 0 => "to the wildcard, and nobody else to a part of its address".into(),
            [] if sure && found == 1 => "to the wildcard, and one alone to a part of its address".into(),
            [] => return None,
            // Noise, and then nobody: there was nobody.
            [Address::WILDCARD] if !sure => return None,
            [Address::WILDCARD] => "to the wildcard, and none to a part of its address".into(),
            [one] => alloc::format!("to the address {one}"),
            _ => {
                let names: Vec<_> = alike.iter().map(ToString::to_string).collect();
                alloc::format!("to each of the addresses {}", names.join(", "))
            }
        };
        Some(several(Protocol::Dlt645, &place))
    }
}

/// A meter may have been lost in noise.
fn disturbed() -> FoundMeter {
    let words = "what answers does not answer each time, as on a noisy line: there may be more meters; find the cause with `gasctl \
                 doctor` and search again";
    FoundMeter { words: words.into(), ..several(Protocol::Dlt645, "") }
}

/// The address of a meter that was found, where it says one.
fn whose(found: &FoundMeter) -> Option<Address> {
    match found.device {
        Some(Device::Dlt645 { address, .. }) if address.is_exact() => Some(address),
        _ => None,
    }
}

impl Hunt for Wildcard {
    fn question(&self) -> Option<(String, Once)> {
        let (request, standard, address, what) = match (self.round.question(), &self.shortened) {
            (Some(n), _) => {
                let (request, standard, what) = ASKS.get(n)?;
                (*request, *standard, Address::WILDCARD, (*what).into())
            }
            (None, Some((standard, _, search))) => {
                let (_, di) = EDITIONS.iter().find(|(of, _)| of == standard)?;
                let address = search.address()?;
                let request = Request::Read { di: *di, blocks: None };
                (request, *standard, address, alloc::format!("a reading of {address}"))
            }
            (None, None) => return None,
        };
        let bytes = encode(standard, address, &request, WAKE);
        Some((alloc::format!("DL/T 645: {what}"), Once::to_many(Protocol::Dlt645, bytes)))
    }

    fn listens(&self) -> Listens {
        // Hundreds of short addresses are asked.
        if self.round.question().is_some() { Listens::Long } else { Listens::AsHeard }
    }

    fn heard(&mut self, heard: Heard<'_>) -> Vec<FoundMeter> {
        match self.round.question() {
            Some(n) => self.heard_wildcard(n, heard),
            None => self.heard_shortened(heard),
        }
    }
}

fn found(frame: &Frame<'_>, standard: Standard) -> FoundMeter {
    let address = match decode(frame, Some(standard), &mut ()) {
        Ok(Message::Address(address)) => address,
        _ => frame.address,
    };
    let (edition, di) = match standard {
        Standard::V1997 => ("1997", Di::Short(0x9010)),
        Standard::V2007 => ("2007", Di::Long(0x0001_0000)),
    };
    let exact = address.is_exact();
    let mut words = alloc::format!("edition of {edition}");
    if frame.abnormal() {
        words.push_str("; it refuses what it was asked");
    }
    if !exact {
        words.push_str("; it answers with the wildcard: its address is on its label");
    }
    FoundMeter {
        protocol: Protocol::Dlt645,
        address: exact.then(|| address.to_string()),
        identity: Identity { id: address.digits(), ..Identity::default() },
        device: Some(Device::Dlt645 { address, standard, di, authority: None }),
        words,
    }
}
