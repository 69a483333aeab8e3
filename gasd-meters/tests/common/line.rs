// SPDX-License-Identifier: MIT OR Apache-2.0
//! A line with meters that are played: each request of a dialogue goes through a real exchange.
#![allow(dead_code, reason = "each test takes what it needs")]

use gasd_meters::drive::{Ask, Dialogue, Finished};
use gasd_meters::poll::{Echo, Exchange, Line, Outcome, Step};

const MS: u64 = 1_000_000;

pub const LINE: Line = Line {
    byte_ns: 5 * MS,
    answer_ns: 500 * MS,
    gap_ns: 100 * MS,
    quiet_ns: 50 * MS,
    babble_ns: 2_000 * MS,
    echo: Echo::Never,
};

/// One exchange: what comes back after the request, by `answer`; empty for silence.
pub fn exchange(dialogue: &Dialogue, ask: &Ask, answer: &mut dyn FnMut(&[u8]) -> Vec<u8>) -> Outcome {
    let probe = |bytes: &[u8]| dialogue.probe(bytes);
    let judge = |bytes: &[u8]| dialogue.judge(bytes);
    let exchange = Exchange::new(ask.request.clone(), LINE, false, 0);
    let mut exchange = if ask.many { exchange.to_many() } else { exchange };
    let mut now_ns = 0;
    for _ in 0..10 {
        match exchange.step(now_ns, probe, judge) {
            Step::Send(bytes) => {
                let sent = bytes.to_vec();
                now_ns += LINE.byte_ns * sent.len() as u64 + 10 * MS;
                let heard = answer(&sent);
                if !heard.is_empty() {
                    exchange.heard(now_ns, &heard, probe, judge);
                }
            }
            Step::Wait { until_ns } => now_ns = until_ns,
            Step::Done => return exchange.outcome(),
        }
    }
    panic!("an exchange without an end");
}

/// A whole dialogue; what was asked, each time.
pub fn talk(mut dialogue: Dialogue, mut answer: impl FnMut(&[u8]) -> Vec<u8>) -> (Finished, Vec<Vec<u8>>) {
    let mut asked = Vec::new();
    while let Some(ask) = dialogue.next() {
        asked.push(ask.request.to_vec());
        assert!(asked.len() < 10_000, "a dialogue without an end");
        let heard = exchange(&dialogue, &ask, &mut answer);
        dialogue.beside(&heard.more, heard.garbage);
        dialogue.heard(heard.result.as_deref().map_err(|error| *error));
    }
    assert!(dialogue.next().is_none());
    (dialogue.finish(), asked)
}
