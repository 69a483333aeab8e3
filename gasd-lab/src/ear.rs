// SPDX-License-Identifier: MIT OR Apache-2.0
//! How a meter listens: whole frames out of what comes over the line.

use gasd_meters::scan::{Found, Probe, Scanner};

use crate::meter::{Meter, Reply};
use crate::truth::Shared;

/// A meter's receiver.
#[derive(Clone, Debug)]
pub(crate) struct Ear {
    scanner: Scanner,
    probe: fn(&[u8]) -> Probe,
}

impl Ear {
    /// One that forgets half a frame after `gap_ns` without a byte.
    pub(crate) fn new(gap_ns: u64, probe: fn(&[u8]) -> Probe) -> Self {
        Self { scanner: Scanner::new(gap_ns), probe }
    }

    /// Bytes at `now_ns`, or none where only time has passed; the frames that are whole by that.
    pub(crate) fn hear(&mut self, now_ns: u64, bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut frames = Vec::new();
        let found = |found: Found<'_>| {
            if let Found::Frame { bytes, .. } = found {
                frames.push(bytes.to_vec());
            }
        };
        if bytes.is_empty() {
            self.scanner.tick(now_ns, self.probe, found);
        } else {
            self.scanner.push(now_ns, bytes, self.probe, found);
        }
        frames
    }

    /// When half a frame is forgotten, ns.
    pub(crate) const fn due_ns(&self) -> Option<u64> {
        self.scanner.due_ns()
    }
}

/// A meter that answers whole requests, each at once: all but how it listens.
pub(crate) trait Listens: Send {
    /// Its receiver, and what really is.
    fn parts(&self) -> (&Ear, &Shared);

    /// Its receiver.
    fn ear(&mut self) -> &mut Ear;

    /// What it answers to a whole frame.
    fn asked(&mut self, now_ns: u64, request: &[u8]) -> Vec<Reply>;
}

impl<M: Listens> Meter for M {
    fn heard(&mut self, now_ns: u64, bytes: &[u8]) -> Vec<Reply> {
        let requests = self.ear().hear(now_ns, bytes);
        requests.iter().flat_map(|request| self.asked(now_ns, request)).collect()
    }

    fn due_ns(&self) -> Option<u64> {
        self.parts().0.due_ns()
    }

    fn truth(&self) -> &Shared {
        self.parts().1
    }
}
