// SPDX-License-Identifier: MIT OR Apache-2.0
//! One subscription: its socket, and records turned into events. No lock and no bus in here.

use std::ffi::CString;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use gasd_abi::stream::{
    ACKNOWLEDGED, MAGIC, Message, POSITIONS, RECORD_BYTES, Record, SEVERITIES, VERDICT_KINDS, VERSION,
};

use crate::exports::codes::{GASD_RECOVERED, GASD_SIMULATED, GASD_UNKNOWN, gasd_gap_reason};

use super::house::{House, Words};
use super::out::{Event, Listener, Said};
use super::verdicts::Verdicts;
use super::wait::{PAUSE_NS, monotonic_ns};

/// A subscription.
#[derive(Debug)]
pub struct Subscription {
    /// Names it.
    pub number: u64,
    /// Whom it calls.
    pub listener: Arc<Listener>,
    /// Ids of the meters; empty for all.
    pub meters: Vec<String>,
    /// The least severity of verdicts.
    pub min_severity: u32,
    /// Kinds of records, as `Subscribe` wants them.
    pub kinds: Vec<String>,
    /// Where records come from.
    pub socket: Option<OwnedFd>,
    /// It was asked for, and no answer came yet; or it was refused, and is asked for with the next connection.
    pub asked: bool,
    /// Its socket is not asked for again before, `CLOCK_MONOTONIC`.
    pub not_before_ns: u64,
    /// It was told that the program may not know what gasd has.
    pub denied: bool,
    /// Since when nothing came, because gasd is away.
    pub away_since_ns: Option<u64>,
    /// The numbering is new: names are to be read anew before the next record, and until then the socket is
    /// not waited for.
    pub renamed: bool,
    /// The next HELLO is the first of its socket, and numbers what the house has.
    fresh: bool,
    /// A record of something whose name was not known: the house is read anew first.
    held: Option<Record>,
    /// What it was told of verdicts.
    pub verdicts: Verdicts,
}

impl Subscription {
    /// A new one.
    pub fn new(number: u64, listener: Arc<Listener>, meters: Vec<String>, min_severity: u32) -> Subscription {
        let handlers = &listener.handlers;
        let verdicts =
            handlers.verdict.is_some() || handlers.explained.is_some() || handlers.acknowledged.is_some();
        let kinds = [
            (handlers.pulse.is_some(), "pulse"),
            (handlers.reading.is_some(), "reading"),
            (verdicts, "verdict"),
            (handlers.valve.is_some(), "valve"),
        ];
        Subscription {
            number,
            meters,
            min_severity,
            kinds: kinds.iter().filter(|(wanted, _)| *wanted).map(|(_, kind)| (*kind).to_owned()).collect(),
            listener,
            socket: None,
            asked: false,
            not_before_ns: 0,
            denied: false,
            away_since_ns: None,
            renamed: false,
            fresh: false,
            held: None,
            verdicts: Verdicts::default(),
        }
    }

    /// One that follows all readings, for live handles.
    pub fn of_readings(number: u64, listener: Arc<Listener>) -> Subscription {
        Subscription {
            kinds: vec!["reading".to_owned()],
            ..Subscription::new(number, listener, Vec::new(), 0)
        }
    }

    /// gasd handed out a socket.
    pub fn connect(&mut self, socket: OwnedFd) {
        (self.socket, self.asked, self.fresh, self.held) = (Some(socket), false, true, None);
        self.not_before_ns = monotonic_ns() + PAUSE_NS;
    }

    /// A record that waited for its name.
    pub fn take_held(&mut self) -> Option<Record> {
        self.held.take()
    }

    /// A record has no name: it waits until the house was read anew, once.
    pub fn hold(&mut self, record: Record) {
        (self.held, self.renamed) = (Some(record), true);
    }

    /// Whether it was freed.
    pub fn has_ended(&self) -> bool {
        self.listener.ended.load(Ordering::Acquire)
    }

    /// Whether it needs a stream: a subscriber to the state alone needs none.
    pub fn wants_stream(&self) -> bool {
        !self.kinds.is_empty()
    }

    fn wants_verdict(&self, meter: &CString, severity: u32) -> bool {
        self.kinds.iter().any(|kind| kind == "verdict")
            && severity >= self.min_severity
            && (self.meters.is_empty() || self.meters.iter().any(|id| id.as_bytes() == meter.as_bytes()))
    }

    /// gasd said what it has: what waits and was not told yet is told now, and what waits no more is, too.
    /// `anew`: it is the first time that this gasd says it.
    pub fn joined(&mut self, house: &House, anew: bool, events: &mut Vec<Event>) {
        for words in house.verdicts.values() {
            self.made(words, GASD_RECOVERED, events);
        }
        self.verdicts.settle(house, anew, events);
    }

    /// A verdict with its words.
    pub fn made(&mut self, words: &Arc<Words>, flags: u64, events: &mut Vec<Event>) {
        if self.wants_verdict(&words.meter, words.severity) {
            let flags = flags | if words.simulated { GASD_SIMULATED } else { 0 };
            self.verdicts.made(Said::of(words, flags), events);
        }
    }

    /// Turns a record into events. Returns false for a record of something whose name is not known.
    pub fn record(&mut self, record: &Record, house: &House, events: &mut Vec<Event>) -> bool {
        let meter =
            || house.meters.iter().find(|meter| meter.key == record.key).map(|meter| meter.id.clone());
        match record.message() {
            Some(Message::Hello { .. }) => {
                self.renamed = !std::mem::take(&mut self.fresh);
                if let Some(since_ns) = self.away_since_ns.take() {
                    let reason = gasd_gap_reason::GASD_GAP_AWAY as u32;
                    events.push(Event::Gap { reason, lost: GASD_UNKNOWN, since_ns, until_ns: record.t_ns });
                }
            }
            Some(Message::Gap { lost, since_ns, .. }) => {
                let reason = gasd_gap_reason::GASD_GAP_SLOW as u32;
                events.push(Event::Gap { reason, lost, since_ns, until_ns: record.t_ns });
            }
            Some(Message::Pulse { .. }) => {
                let Some(meter) = meter() else { return false };
                events.push(Event::Pulse { meter, t_ns: record.t_ns, words: record.body });
            }
            Some(Message::Reading { .. }) => {
                let Some(meter) = meter() else { return false };
                events.push(Event::Reading { meter, t_ns: record.t_ns, words: record.body });
            }
            Some(Message::Verdict { id, flags, .. }) if flags & ACKNOWLEDGED != 0 => {
                events.extend(self.verdicts.acknowledged(id, record.t_ns));
            }
            Some(Message::Verdict { id, kind, severity, start_ns, flags }) => {
                let Some(meter) = meter() else { return false };
                let (kind, severity) = (known(&VERDICT_KINDS, kind), known(&SEVERITIES, severity));
                if !self.wants_verdict(&meter, severity) {
                    return true;
                }
                let decided_ns = record.t_ns;
                // Another one of this number would be of a store that is gone.
                let words = house.verdicts.get(&id).filter(|words| words.decided_ns == decided_ns).cloned();
                let flags = flags & GASD_SIMULATED;
                let said = Said { id, meter, kind, severity, start_ns, decided_ns, flags, words };
                self.verdicts.made(said, events);
            }
            Some(Message::Valve { position, holds, fault }) => {
                let Some(valve) = house.valves.iter().find(|valve| valve.named.key == record.key) else {
                    return false;
                };
                events.push(Event::Valve {
                    valve: valve.named.id.clone(),
                    t_ns: record.t_ns,
                    position: known(&POSITIONS, position),
                    holds,
                    fault: u32::from(fault != 0),
                });
            }
            Some(Message::Meter { .. }) | None => {}
        }
        true
    }
}

/// A code as the header has it: one that this version does not know is 0, which is "unknown" in each list.
pub fn known(names: &[&str], code: u64) -> u32 {
    u32::try_from(code).ok().filter(|code| (*code as usize) < names.len()).unwrap_or(0)
}

/// Why a stream is none of ours, if so: what it says would be misunderstood.
pub fn foreign(record: &Record) -> Option<String> {
    match record.message()? {
        Message::Hello { version, record_bytes, .. }
            if version != VERSION || record_bytes != RECORD_BYTES as u64 || record.key != MAGIC =>
        {
            Some(format!(
                "gasd's event stream is of version {version}, and this library knows {VERSION}: install a newer \
                 libgasdetect1"
            ))
        }
        _ => None,
    }
}

#[cfg(test)]
#[path = "subscription_tests.rs"]
mod tests;
