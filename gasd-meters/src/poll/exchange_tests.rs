// SPDX-License-Identifier: MIT OR Apache-2.0

use proptest::prelude::*;

use super::*;
use crate::crc;

const MS: u64 = 1_000_000;
const LINE: Line = Line {
    byte_ns: 5 * MS,
    answer_ns: 500 * MS,
    gap_ns: 100 * MS,
    quiet_ns: 50 * MS,
    babble_ns: 2_000 * MS,
    echo: Echo::Unknown,
};

/// `68`, length, address, number, data, sum.
fn frame(address: u8, number: u8, data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x68, data.len() as u8, address, number];
    bytes.extend(data);
    bytes.push(crc::sum(&bytes));
    bytes
}

fn probe(bytes: &[u8]) -> Probe {
    match bytes {
        [0x68, length, ..] if bytes.len() >= usize::from(*length) + 5 => {
            let len = usize::from(*length) + 5;
            let (got, want) = (bytes[len - 1], crc::sum(&bytes[..len - 1]));
            if got == want {
                Probe::Frame(len)
            } else {
                Probe::Bad { len, error: Error::Checksum { got: got.into(), want: want.into() } }
            }
        }
        [0x68, length, ..] => Probe::Need(usize::from(*length) + 5),
        [0x68] => Probe::Need(5),
        _ => Probe::No,
    }
}

/// An answer of meter 7, of the number that was asked.
fn judge(bytes: &[u8]) -> Result<(), Error> {
    match bytes {
        [_, _, 7, 0x81, ..] => Ok(()),
        [_, _, 7, ..] => Err(Error::AnswerMismatch { what: "another number" }),
        _ => Err(Error::AddressMismatch),
    }
}

/// What others do on the line: bytes, each at its time after the request was begun.
fn play(line: Line, waited: bool, before: &[(u64, u8)], after: &[(u64, u8)]) -> (Option<u64>, Outcome) {
    let request = frame(7, 1, b"ask");
    let mut exchange = Exchange::new(request.clone(), line, waited, 0);
    let (mut now_ns, mut sent_ns) = (0, None);
    let mut coming: Vec<(u64, u8)> = before.to_vec();
    for _ in 0..10_000 {
        match exchange.step(now_ns, probe, judge) {
            Step::Send(bytes) => {
                assert_eq!((bytes, sent_ns), (&request[..], None), "once");
                sent_ns = Some(now_ns);
                coming.extend(after.iter().map(|(later, byte)| (now_ns + later, *byte)));
                coming.sort_by_key(|(t_ns, _)| *t_ns);
            }
            Step::Wait { until_ns } => {
                assert!(until_ns > now_ns, "it is waited for what is over");
                match coming.first().copied().filter(|(t_ns, _)| *t_ns <= until_ns) {
                    Some((t_ns, byte)) => {
                        coming.remove(0);
                        now_ns = now_ns.max(t_ns);
                        exchange.heard(now_ns, &[byte], probe, judge);
                    }
                    None => now_ns = until_ns,
                }
            }
            Step::Done => return (sent_ns, exchange.outcome()),
        }
    }
    panic!("it never ends");
}

fn bytes_at(from_ns: u64, bytes: &[u8]) -> Vec<(u64, u8)> {
    (1u64..).zip(bytes).map(|(n, byte)| (from_ns + n * LINE.byte_ns, *byte)).collect()
}

/// Behind the request, which takes 40 ms.
fn answer() -> Vec<(u64, u8)> {
    bytes_at(100 * MS, &frame(7, 0x81, b"answer"))
}

fn echo() -> Vec<(u64, u8)> {
    bytes_at(0, &frame(7, 1, b"ask"))
}

#[test]
fn an_answer_is_taken_with_and_without_an_echo() {
    for (line, after, heard) in [
        (Echo::Unknown, answer(), Heard::Nothing),
        (Echo::Never, answer(), Heard::Nothing),
        (Echo::Unknown, [echo(), answer()].concat(), Heard::Whole),
        (Echo::Always, [echo(), answer()].concat(), Heard::Whole),
    ] {
        let (sent_ns, outcome) = play(Line { echo: line, ..LINE }, false, &[], &after);
        assert_eq!(sent_ns, Some(50 * MS));
        assert_eq!(outcome.result, Ok(frame(7, 0x81, b"answer")), "{line:?}");
        assert_eq!((outcome.heard, outcome.garbage, outcome.others), (heard, 0, 0), "{line:?}");
    }
}

#[test]
fn an_echo_that_is_damaged_was_a_collision_and_the_answer_counts() {
    let mut collided = echo();
    collided[3].1 ^= 0x40;
    for known in [Echo::Unknown, Echo::Always] {
        let line = Line { echo: known, ..LINE };
        let (_, outcome) = play(line, false, &[], &[collided.clone(), answer()].concat());
        assert_eq!((outcome.result, outcome.heard), (Ok(frame(7, 0x81, b"answer")), Heard::Damaged));
    }
}

#[test]
fn a_late_answer_is_drained_and_the_request_waits_for_silence() {
    let late = bytes_at(20 * MS, &frame(7, 0x81, b"late"));
    let (sent_ns, outcome) = play(LINE, false, &late, &answer());
    assert_eq!(sent_ns, Some(late.last().unwrap().0 + 50 * MS));
    assert_eq!((outcome.result, outcome.drained), (Ok(frame(7, 0x81, b"answer")), late.len()));
    // Behind one that was not answered, as long as a meter may think.
    let (sent_ns, _) = play(LINE, true, &[], &answer());
    assert_eq!(sent_ns, Some(500 * MS));
    // One that comes while the request goes out is none to it.
    let early = bytes_at(0, &frame(7, 0x81, b"")[..5]);
    let (_, outcome) = play(Line { echo: Echo::Never, ..LINE }, false, &[], &early);
    assert_eq!((outcome.result, outcome.drained), (Err(Error::Timeout), 5));
}

#[test]
fn why_there_is_no_answer_is_said_as_well_as_it_is_known() {
    let no = |after: Vec<(u64, u8)>| play(LINE, false, &[], &after).1.result.unwrap_err();
    assert_eq!(no(vec![]), Error::Timeout);
    assert_eq!(no(echo()), Error::Timeout);
    let mut wrong = frame(7, 0x81, b"answer");
    let last = wrong.len() - 1;
    wrong[last] ^= 1;
    assert!(matches!(no(bytes_at(100 * MS, &wrong)), Error::Checksum { .. }));
    assert_eq!(no(bytes_at(100 * MS, &frame(7, 0x81, b"answer")[..6])), Error::Truncated { need: 5 });
    assert_eq!(no(bytes_at(100 * MS, &frame(8, 0x81, b"answer"))), Error::AddressMismatch);
    assert_eq!(no(bytes_at(100 * MS, &[1, 2, 3])), Error::NoFrame { garbage: 3 });
    let endless: Vec<(u64, u8)> = (0..2_000).map(|n| (n * 5 * MS, 0x55)).collect();
    let (sent_ns, outcome) = play(LINE, false, &endless, &[]);
    assert_eq!((sent_ns, outcome.sent), (None, false), "nobody talks into a babble");
    assert!(matches!(outcome.result, Err(Error::NoFrame { garbage: 390.. })), "{:?}", outcome.result);
}

proptest! {
    /// Whatever noise, echoes and other meters there are: an answer that comes whole and in time is found, nothing else
    /// is taken for one, and it ends in time.
    #[test]
    fn the_answer_is_found_and_nothing_else_is(
        noise in proptest::collection::vec((0u64..600, any::<u8>()), 0..40),
        echoes in any::<bool>(),
        known in any::<bool>(),
        think_ms in 45u64..480,
        data in proptest::collection::vec(any::<u8>(), 0..20),
        comes in any::<bool>(),
        other in proptest::option::of(any::<u8>()),
    ) {
        // Noise that is no header: behind the request, before the answer.
        let noise = noise.into_iter().filter(|(ms, byte)| *byte != 0x68 && *ms > 45 && *ms < think_ms);
        let mut noise: Vec<(u64, u8)> = noise.map(|(ms, byte)| (ms * MS, byte)).collect();
        noise.sort_by_key(|(t_ns, _)| *t_ns);
        let wanted = frame(7, 0x81, &data);
        let mut from_ns = think_ms * MS;
        let mut after = if echoes { echo() } else { vec![] };
        after.extend(noise);
        if let Some(number) = other.filter(|number| *number != 0x81) {
            let stranger = frame(7, number, b"x");
            let its = bytes_at(from_ns, &stranger);
            from_ns = its.last().unwrap().0;
            after.extend(its);
        }
        if comes {
            after.extend(bytes_at(from_ns, &wanted));
        }
        let echo = match (known, echoes) {
            (false, _) => Echo::Unknown,
            (true, true) => Echo::Always,
            (true, false) => Echo::Never,
        };
        // The one before it may take as long as an answer.
        let line = Line { echo, answer_ns: 700 * MS, ..LINE };
        let (_, outcome) = play(line, false, &[], &after);
        match outcome.result {
            Ok(frame) => prop_assert_eq!((comes, frame), (true, wanted)),
            Err(why) => prop_assert!(!comes, "{why}"),
        }
        if echoes {
            prop_assert_eq!(outcome.heard, Heard::Whole);
        }
    }

    #[test]
    fn no_bytes_at_any_time_are_a_panic_or_never_end(
        before in proptest::collection::vec((0u64..3_000, any::<u8>()), 0..60),
        after in proptest::collection::vec((0u64..3_000, any::<u8>()), 0..200),
        echo in prop_oneof![Just(Echo::Unknown), Just(Echo::Never), Just(Echo::Always)],
        waited in any::<bool>(),
    ) {
        let timed = |bytes: Vec<(u64, u8)>| {
            let mut bytes: Vec<(u64, u8)> = bytes.into_iter().map(|(ms, byte)| (ms * MS, byte)).collect();
            bytes.sort_by_key(|(t_ns, _)| *t_ns);
            bytes
        };
        let (_, outcome) = play(Line { echo, ..LINE }, waited, &timed(before), &timed(after));
        if let Ok(frame) = outcome.result {
            prop_assert!(judge(&frame).is_ok());
        }
    }
}
