// SPDX-License-Identifier: MIT OR Apache-2.0
//! What becomes of a packet: edges are stepped and answered at once, readings go to the engine and are answered
//! once they are on the disk.

use gasd_abi::feed::{Answer, EDGES, Entry, Header, READINGS, REFUSED, Refusal, TAKEN, parse};

use crate::journal::{self, Note, what::What};
use crate::kernel::sys::boottime_ns;
use crate::pipeline::queue::Reading;

use super::Fed;
use super::line::{Fate, is_now};
use super::session::{Session, Waiting};
use super::thread::Work;

impl Work {
    /// Takes a packet in.
    pub(super) fn packet(&mut self, session: &mut Session, packet: &[u8]) {
        let Ok((header, entries)) = parse(packet) else {
            // Whose entries those are is not known; the sender hears that something was wrong.
            let code = Refusal::Malformed as u32;
            let key = session.keys.first().copied().unwrap_or_default();
            return session.answer(Answer { kind: REFUSED, code, key, number: 0, t_ns: 0 });
        };
        let Header { kind, count, key, first } = header;
        let last = first.saturating_add(u64::from(count) - 1);
        let fed = self.fed.get(&key).filter(|_| session.keys.contains(&key)).cloned();
        match (fed, kind) {
            (Some(Fed { line, filter: Some(filter), id }), EDGES) => {
                self.edges(session, key, (line, &filter, &id), (first..=last).zip(entries));
            }
            (Some(Fed { filter: None, .. }), READINGS) => {
                self.readings(session, key, (first..=last).zip(entries));
            }
            _ => {
                let code = Refusal::NotFed as u32;
                session.answer(Answer { kind: REFUSED, code, key, number: last, t_ns: 0 });
            }
        }
    }

    fn edges(
        &mut self,
        session: &mut Session,
        key: u64,
        (line, filter, id): (u32, &gasd_abi::FilterConfig, &str),
        entries: impl Iterator<Item = (u64, Entry)>,
    ) {
        let state = self.lines.entry(key).or_default();
        let now_ns = boottime_ns();
        let mut taken = 0;
        for (number, entry) in entries {
            match state.take(self.bank.as_ref(), line, filter, entry, now_ns) {
                Ok(Fate::Taken) => taken = number,
                Ok(Fate::Refused(why)) => {
                    if taken > 0 {
                        session.answer(Answer { kind: TAKEN, code: 0, key, number: taken, t_ns: entry.t_ns });
                        taken = 0;
                    }
                    refuse(session, key, number, entry, why);
                }
                Err(error) => {
                    // Not answered: it is sent again over the next feed.
                    journal::tell(Note::new(What::KernelFault, format!("meter \"{id}\": {error}")));
                    session.keys.retain(|other| *other != key);
                    break;
                }
            }
        }
        if taken > 0 {
            session.answer(Answer { kind: TAKEN, code: 0, key, number: taken, t_ns: 0 });
        }
    }

    fn readings(&mut self, session: &mut Session, key: u64, entries: impl Iterator<Item = (u64, Entry)>) {
        let now_ns = boottime_ns();
        for (number, Entry { t_ns, word }) in entries {
            let refused = (!is_now(t_ns, now_ns)).then_some(Refusal::Time);
            // What the disk has is a repetition, and the engine need not hear it.
            if refused.is_none() && t_ns > self.written.until_ns(key) {
                // It must not be dropped, and no pulse is to stand behind many of them.
                self.queue.push_reading(Reading { key, register_ul: word, t_ns });
            }
            session.wait(Waiting { key, number, t_ns, refused });
        }
    }
}

fn refuse(session: &mut Session, key: u64, number: u64, entry: Entry, why: Refusal) {
    session.answer(Answer { kind: REFUSED, code: why as u32, key, number, t_ns: entry.t_ns });
}
