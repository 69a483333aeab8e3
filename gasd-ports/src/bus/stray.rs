// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is heard and answers nothing that was asked: an acknowledgement of M-Bus that comes too late.

use gasd_meters::Error;
use gasd_meters::detect::Protocol;
use gasd_meters::mbus::ACK;
use gasd_meters::poll::Outcome;

/// Whether bytes that came alone are an acknowledgement of one byte.
pub(super) fn is_ack(protocol: Protocol, bytes: &[u8]) -> bool {
    protocol == Protocol::Mbus && bytes == [ACK]
}

/// Tells acknowledgements of a request before from noise, of which the speed may be the reason: `early` came alone before
/// the request was out, and others before all else that was heard behind it.
pub(super) fn sort_acks(outcome: &mut Outcome, early: usize) {
    outcome.drained = outcome.drained.saturating_sub(early);
    outcome.others = outcome.others.saturating_add(early);
    let late = outcome.raw.iter().take_while(|byte| **byte == ACK).count();
    // Where more was garbage it was noise, and this may be a part of it.
    if late == 0 || outcome.garbage != late {
        return;
    }
    outcome.garbage = 0;
    outcome.others = outcome.others.saturating_add(late);
    if let Err(error @ Error::NoFrame { .. }) = &mut outcome.result {
        // What was asked now has no answer.
        *error = Error::Timeout;
    }
}

#[cfg(test)]
mod tests {
    use gasd_meters::poll::Heard;

    use super::*;

    fn sorted(raw: &[u8], garbage: usize, result: Result<Vec<u8>, Error>) -> Outcome {
        let heard = Heard::Nothing;
        let mut outcome = Outcome { result, heard, drained: 0, garbage, others: 0, raw: raw.to_vec() };
        sort_acks(&mut outcome, 0);
        outcome
    }

    #[test]
    fn an_acknowledgement_alone_is_a_timeout_and_noise_stays_noise() {
        let noise = |garbage| Err(Error::NoFrame { garbage });
        let late = sorted(&[ACK], 1, noise(1));
        assert_eq!((late.result, late.garbage, late.others), (Err(Error::Timeout), 0, 1));
        for raw in [&[0x21, ACK][..], &[ACK, 0x21], &[0x21]] {
            let outcome = sorted(raw, raw.len(), noise(raw.len()));
            assert_eq!((outcome.result, outcome.others), (noise(raw.len()), 0), "{raw:?}");
        }
    }

    #[test]
    fn an_acknowledgement_before_an_answer_is_no_noise() {
        let answer = [0x10, 0x08, 0x01, 0x09, 0x16];
        let outcome = sorted(&[&[ACK], &answer[..]].concat(), 1, Ok(answer.to_vec()));
        assert_eq!((outcome.result, outcome.garbage, outcome.others), (Ok(answer.to_vec()), 0, 1));
        // What a frame has in it is not looked at.
        let inside = sorted(&[0x10, ACK, 0x01, 0x09, 0x16], 0, Ok(answer.to_vec()));
        assert_eq!(inside.others, 0);
    }
}
