// SPDX-License-Identifier: MIT OR Apache-2.0
//! Questions to whoever is there, each asked until it is plain who answers.

use super::{Answer, Heard};

/// A request may be lost on the line: silence is believed when it came so often and nothing else did.
const SILENT: u8 = 2;
/// Where something came that is no plain answer, so often is asked in all.
const MOST: u8 = 5;
/// The same of a quick search.
const QUICK: (u8, u8) = (1, 2);

/// How a question ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nobody answers it.
    Silent,
    /// Whoever answers it was heard, and nothing beside.
    Plain,
    /// Answers that destroy each other, or noise: how often.
    Unclear {
        /// Frames that are damaged.
        damaged: u8,
        /// Bytes of no frame.
        noise: u8,
        /// Nothing at all: what is heard is not heard each time, as on a noisy line.
        silent: u8,
    },
}

impl Verdict {
    /// How often answers destroyed each other: damaged frames, and bytes of no frame where something came each time. Noise
    /// does not wait for a question.
    pub(super) const fn destroyed(self) -> u8 {
        match self {
            Self::Silent | Self::Plain => 0,
            Self::Unclear { damaged, noise, silent: 0 } => damaged + noise,
            Self::Unclear { damaged, .. } => damaged,
        }
    }
}

/// The questions, in their order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Round {
    next: usize,
    len: usize,
    /// How often silence is asked for, and how often is asked in all.
    times: (u8, u8),
    damaged: u8,
    noise: u8,
    silent: u8,
}

impl Round {
    pub(super) const fn new(len: usize, quick: bool) -> Self {
        let times = if quick { QUICK } else { (SILENT, MOST) };
        Self { next: 0, len, times, damaged: 0, noise: 0, silent: 0 }
    }

    /// The number of the question; `None` at the end.
    pub(super) fn question(&self) -> Option<usize> {
        (self.next < self.len).then_some(self.next)
    }

    /// What came of the question. How it ended; `None` while it is to be asked again.
    pub(super) fn heard(&mut self, heard: Heard<'_>) -> Option<Verdict> {
        match heard {
            Heard::Nothing => self.silent += 1,
            Heard::Answer(Answer { damaged: false, .. }) => return self.end(Verdict::Plain),
            Heard::Answer(_) | Heard::Damaged => self.damaged += 1,
            Heard::Noise => self.noise += 1,
        }
        let Self { damaged, noise, silent, times: (quiet, most), .. } = *self;
        match damaged + noise {
            0 if silent >= quiet => self.end(Verdict::Silent),
            heard if heard > 0 && heard + silent >= most => {
                self.end(Verdict::Unclear { damaged, noise, silent })
            }
            _ => None,
        }
    }

    fn end(&mut self, verdict: Verdict) -> Option<Verdict> {
        *self = Self { next: self.next + 1, damaged: 0, noise: 0, silent: 0, ..*self };
        Some(verdict)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLEAN: Heard<'static> = Heard::Answer(Answer { frame: &[], more: &[], damaged: false });

    #[test]
    fn silence_is_asked_for_twice_and_a_plain_answer_ends_a_question() {
        let mut round = Round::new(3, false);
        assert_eq!((round.heard(Heard::Nothing), round.question()), (None, Some(0)));
        assert_eq!((round.heard(Heard::Nothing), round.question()), (Some(Verdict::Silent), Some(1)));
        assert_eq!(round.heard(Heard::Noise), None);
        assert_eq!(round.heard(Heard::Nothing), None);
        assert_eq!((round.heard(CLEAN), round.question()), (Some(Verdict::Plain), Some(2)));
        for _ in 1..MOST {
            assert_eq!(round.heard(Heard::Damaged), None);
        }
        let unclear = Verdict::Unclear { damaged: MOST, noise: 0, silent: 0 };
        assert_eq!((round.heard(Heard::Damaged), round.question()), (Some(unclear), None));
    }

    #[test]
    fn bytes_of_no_frame_are_answers_where_they_come_each_time() {
        let unclear = |damaged, noise, silent| Verdict::Unclear { damaged, noise, silent }.destroyed();
        assert_eq!(
            (unclear(0, 5, 0), unclear(0, 4, 1), unclear(1, 3, 1), Verdict::Plain.destroyed()),
            (5, 0, 1, 0)
        );
    }

    #[test]
    fn an_answer_with_something_beside_it_is_not_plain() {
        let mut round = Round::new(1, true);
        let beside = Heard::Answer(Answer { frame: &[], more: &[], damaged: true });
        assert_eq!(round.heard(beside), None);
        assert_eq!(round.heard(CLEAN), Some(Verdict::Plain));
    }
}
