// SPDX-License-Identifier: MIT OR Apache-2.0
//! What comes while nobody is asked: before a request is out, and after its time is over. Most of it is whole frames, an
//! answer that is late before all, and no noise, for which people look at cables.

use gasd_meters::Error;
use gasd_meters::detect::{self, Protocol};
use gasd_meters::poll::Outcome;
use gasd_meters::scan::{Found, Probe, Scanner};
use gasd_meters::whose::{Whose, whose};
use zeroize::Zeroizing;

use super::event::{Event, Key, Odd};
use super::stray::is_ack;
use super::talk::Talk;
use super::{Bus, What};

/// `gap_ns` where nobody was asked yet: as long as any protocol allows.
const IDLE_NS: u64 = 500_000_000;

/// The request that went out last.
struct Asked {
    /// Whom; `None`: whoever is there, in a search.
    key: Option<Key>,
    protocol: Protocol,
    /// There may be a password in it.
    request: Zeroizing<Vec<u8>>,
}

/// Takes apart what comes while nobody is asked. Nothing of it is kept but half a frame.
pub(super) struct Unasked {
    scanner: Scanner,
    /// Half a frame waits so long for its rest, ns.
    gap_ns: u64,
    /// Bytes of the scanner's garbage that were told.
    told: usize,
    asked: Option<Asked>,
}

/// What bytes were found to be.
#[derive(Debug, Default, PartialEq, Eq)]
struct Sorted {
    frames: Vec<Vec<u8>>,
    /// Bytes of no frame.
    garbage: usize,
}

impl Default for Unasked {
    fn default() -> Self {
        Self { scanner: Scanner::new(IDLE_NS), gap_ns: IDLE_NS, told: 0, asked: None }
    }
}

impl Unasked {
    /// A request goes out. What came before is of the protocol before.
    fn sent(&mut self, asked: Asked, gap_ns: u64) -> Sorted {
        let before = self.asked.as_ref().map(|asked| asked.protocol);
        let sorted = match before == Some(asked.protocol) {
            true => Sorted::default(),
            false => {
                let sorted = self.end();
                self.gap_ns = gap_ns;
                self.forget();
                sorted
            }
        };
        self.asked = Some(asked);
        sorted
    }

    /// These bytes came.
    fn heard(&mut self, now_ns: u64, bytes: &[u8]) -> Sorted {
        if self.scanner.pending().is_empty()
            && self.protocol().is_some_and(|protocol| is_ack(protocol, bytes))
        {
            return Sorted { frames: vec![bytes.to_vec()], garbage: 0 };
        }
        self.scan(|scanner, probe, found| scanner.push(now_ns, bytes, probe, found))
    }

    /// Gives up half a frame whose rest is overdue.
    fn tick(&mut self, now_ns: u64) -> Sorted {
        self.scan(|scanner, probe, found| scanner.tick(now_ns, probe, found))
    }

    /// Nothing more comes.
    fn end(&mut self) -> Sorted {
        self.scan(|scanner, probe, found| scanner.flush(probe, found))
    }

    /// The half of a frame that is held was told with its rest.
    fn forget(&mut self) {
        (self.scanner, self.told) = (Scanner::new(self.gap_ns), 0);
    }

    fn protocol(&self) -> Option<Protocol> {
        self.asked.as_ref().map(|asked| asked.protocol)
    }

    fn scan(
        &mut self,
        work: impl FnOnce(&mut Scanner, &dyn Fn(&[u8]) -> Probe, &mut dyn FnMut(Found<'_>)),
    ) -> Sorted {
        let protocol = self.protocol();
        let probe =
            |bytes: &[u8]| protocol.map_or_else(|| detect::probe(bytes), |protocol| protocol.probe(bytes));
        let mut sorted = Sorted::default();
        let told = &mut self.told;
        work(&mut self.scanner, &probe, &mut |found| {
            if let Found::Frame { bytes, garbage, .. } = found {
                sorted.garbage += garbage - *told;
                sorted.frames.push(bytes.to_vec());
                *told = 0;
            }
        });
        sorted.garbage += self.scanner.garbage() - *told;
        *told = self.scanner.garbage();
        sorted
    }
}

impl Bus {
    /// A request of the talk under way goes out.
    pub(super) fn went_out(&mut self, request: &[u8], now_ns: u64) {
        let Some(talk) = &self.talk else { return };
        let key = (talk.job.what != What::Search).then_some(talk.job.meter);
        let (protocol, gap_ns) = (talk.protocol, talk.gap_ns());
        if talk.is_answered() {
            self.owed.sent(key, protocol, request, now_ns);
        }
        let asked = Asked { key, protocol, request: request.to_vec().into() };
        let sorted = self.unasked.sent(asked, gap_ns);
        self.search_asks(request.len(), now_ns);
        self.command_is_out(now_ns);
        self.sort(sorted, now_ns);
    }

    /// These bytes came while no request was out.
    pub(super) fn unasked(&mut self, bytes: &[u8], now_ns: u64) {
        if !bytes.is_empty() {
            let sorted = self.unasked.heard(now_ns, bytes);
            self.sort(sorted, now_ns);
        }
    }

    /// Gives up half a frame whose rest is overdue; when it will be, ns.
    pub(super) fn unasked_due_ns(&mut self, now_ns: u64) -> u64 {
        let sorted = self.unasked.tick(now_ns);
        self.sort(sorted, now_ns);
        self.unasked.scanner.due_ns().unwrap_or(u64::MAX)
    }

    /// The line is gone: nothing more comes.
    pub(super) fn unasked_ends(&mut self, now_ns: u64) {
        let sorted = self.unasked.end();
        self.sort(sorted, now_ns);
    }

    fn sort(&mut self, sorted: Sorted, now_ns: u64) {
        self.counts.garbage = self.counts.garbage.saturating_add(sorted.garbage as u64);
        let sending = self.talk.as_ref().is_some_and(Talk::is_sent);
        for frame in sorted.frames {
            self.came(&frame, sending, now_ns);
        }
    }

    /// Tells a frame from noise that began before the request was out and ended behind it.
    pub(super) fn sort_split(&mut self, outcome: &mut Outcome, now_ns: u64) {
        let Some(protocol) = self.unasked.protocol() else { return };
        let head = self.unasked.scanner.pending();
        let both = [head, &outcome.raw].concat();
        let Probe::Frame(len) = protocol.probe(&both) else { return };
        // What of it came behind the request; that a part of it was taken for something else is not likely.
        let Some(tail) = len.checked_sub(head.len()).filter(|tail| *tail <= outcome.garbage) else { return };
        if head.is_empty() || len > both.len() {
            return;
        }
        outcome.garbage -= tail;
        match &mut outcome.result {
            Err(error) if outcome.raw.len() == tail => *error = Error::Timeout,
            Err(Error::NoFrame { garbage }) => *garbage = outcome.garbage,
            _ => {}
        }
        self.unasked.forget();
        self.came(&both[..len], true, now_ns);
    }

    /// A whole frame came while no answer was awaited. What comes while a request is being sent is a meter's that is very
    /// late, or one's that is faster than the port is set.
    fn came(&mut self, frame: &[u8], sending: bool, t_ns: u64) {
        let by =
            self.unasked.protocol().or_else(|| detect::which(frame)).and_then(|spoken| whose(spoken, frame));
        let own = self.unasked.asked.as_ref().is_some_and(|asked| asked.request.ends_with(frame));
        let count = match self.late_for(by.as_ref()) {
            _ if own => &mut self.counts.others,
            _ if by.as_ref().is_some_and(|by| !by.from_meter) => &mut self.counts.masters,
            Some(key) if !sending => {
                self.tell_late(key, frame, t_ns);
                &mut self.counts.late
            }
            _ => &mut self.counts.others,
        };
        *count = count.saturating_add(1);
    }

    /// Whose late answer this may be: a meter's that left a request unanswered of late, `Some(None)` that of one that is
    /// searched. `None`: it is nobody's.
    fn late_for(&mut self, by: Option<&Whose>) -> Option<Option<Key>> {
        let asked = self.unasked.asked.as_ref()?;
        let member = by.and_then(|by| self.member_of(asked.protocol, &by.address));
        // Who is asked by an address that many have answers with his own, and meters of CJ/T 188 are about that answer with
        // one that nobody has.
        let any = || {
            asked.protocol == Protocol::Cjt188
                || whose(asked.protocol, &asked.request).is_none_or(|asked| !asked.one)
        };
        let key = match (member, by) {
            (Some(key), _) => Some(key),
            (None, Some(_)) if !any() => return None,
            // A device in burst mode sends unasked.
            (None, Some(by)) if asked.protocol == Protocol::Hart && by.kind >> 8 != 0 => return None,
            _ => asked.key,
        };
        (*self.late(key) > 0).then_some(key)
    }

    /// The meter with this address.
    pub(super) fn member_of(&self, protocol: Protocol, address: &str) -> Option<Key> {
        let has = |member: &&super::Member| {
            let device = member.guesses.device();
            device.protocol() == protocol
                && device
                    .look(&member.spec.memory)
                    .next()
                    .and_then(|ask| whose(protocol, &ask.request))
                    .is_some_and(|asked| asked.one && asked.address == address)
        };
        // Of several in one device the one whose answer may be late.
        let mut those = self.members.iter().filter(has);
        let first = those.clone().next();
        those.find(|member| member.late > 0).or(first).map(|member| member.spec.key)
    }

    /// So many exchanges with this meter, or with whom a search asks, may still be answered by the answer to one before.
    pub(super) fn late(&mut self, key: Option<Key>) -> &mut u8 {
        let member = self.members.iter_mut().find(|member| Some(member.spec.key) == key);
        member.map_or(&mut self.late, |member| &mut member.late)
    }

    /// Tells of a meter's late answer.
    pub(super) fn tell_late(&mut self, key: Option<Key>, answer: &[u8], t_ns: u64) {
        let after_ns = self.owed.came(key, answer, t_ns);
        let Some(key) = key else { return };
        self.events.push_back(Event::Odd { key, t_ns, odd: Odd::Late { after_ns } });
    }
}
