// SPDX-License-Identifier: MIT OR Apache-2.0
//! Answers from whom nobody asked, in words: said when it begins, and again after a day without.

use gasd_ports::bus::Odd;

use super::desk::Desk;
use crate::journal::{self, Note, what::What};

/// What was not heard of for so long is news again, ns.
const DAY_NS: u64 = 86_400_000_000_000;

/// When each kind was heard of last, ns.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Heard {
    taken: Option<u64>,
    refused: Option<u64>,
    twice: Option<u64>,
    late: Option<u64>,
}

impl Heard {
    /// Whether this is news at that time.
    fn is_news(&mut self, odd: &Odd, t_ns: u64) -> bool {
        let last = match odd {
            Odd::Address { taken: true, .. } => &mut self.taken,
            Odd::Address { taken: false, .. } => &mut self.refused,
            Odd::Twice { .. } => &mut self.twice,
            Odd::Late { .. } => &mut self.late,
        };
        last.replace(t_ns).is_none_or(|before| t_ns.saturating_sub(before) >= DAY_NS)
    }
}

impl Desk {
    /// Something answered that was not asked, or twice, or too late.
    pub(super) fn odd(&self, key: u64, t_ns: u64, odd: &Odd) {
        let mut news = None;
        self.change(key, |on| {
            if let Some(name) = counted(odd) {
                let count = on.state.oddities.entry(name).or_insert(0);
                *count = count.saturating_add(1);
            }
            if on.heard.is_news(odd, t_ns) {
                news = Some((on.id.clone(), on.port.clone()));
            }
        });
        if let Some((id, port)) = news {
            journal::tell(Note::new(what(odd), words(&id, &port, odd)).meter(&id));
        }
    }
}

/// The name by which it is counted beside the meter's other oddities.
const fn counted(odd: &Odd) -> Option<&'static str> {
    match odd {
        Odd::Address { .. } => None,
        Odd::Late { .. } => Some("late"),
        Odd::Twice { .. } => Some("twice"),
    }
}

const fn what(odd: &Odd) -> What {
    match odd {
        Odd::Address { .. } => What::OtherAddress,
        Odd::Late { .. } => What::LateAnswer,
        Odd::Twice { .. } => What::TwoAnswers,
    }
}

/// What was asked, who answered, and what that probably means.
fn words(id: &str, port: &str, odd: &Odd) -> String {
    let head = format!("meter \"{id}\" on port \"{port}\"");
    match odd {
        Odd::Address { asked, answered, taken: true } => format!(
            "{head} was asked by its address {asked}, and {answered} answered; that is taken for its answer: probably it has \
             another address than is configured, or another meter answers in its place; compare the number on its label"
        ),
        Odd::Address { asked, answered, taken: false } => format!(
            "{head} was asked by its address {asked}, and {answered} answered, which is not taken: probably another meter of \
             the line that was late, or that another master asks"
        ),
        Odd::Late { after_ns } => {
            let after = after_ns.map_or_else(String::new, |ns| {
                // Counted from the oldest request that this may answer, so that who goes by it waits for long enough.
                let tenths = ns.div_ceil(100_000_000);
                format!(" up to {}.{} s after its request,", tenths / 10, tenths % 10)
            });
            format!(
                "{head} answered{after} when its answer was awaited no more, and that is dropped: probably it is slower than \
                 the port waits; make `answer` of the port longer than that, and where a network is between, look at its delays"
            )
        }
        Odd::Twice { address, alike: false } => format!(
            "{head} was asked once, and two answers came from its address {address} that differ: probably two meters have this \
             address, and readings of either may be taken for the other's; take one off the line, or give it another address"
        ),
        Odd::Twice { address, alike: true } => format!(
            "{head} was asked once, and the same answer came twice from its address {address}: probably a converter or \
             repeater sends it twice, or two meters with this address show the same"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(taken: bool) -> Odd {
        Odd::Address { asked: "33780000000001".into(), answered: "33780000000002".into(), taken }
    }

    fn twice(alike: bool) -> Odd {
        Odd::Twice { address: "7".into(), alike }
    }

    #[test]
    fn each_is_said_when_it_begins_and_after_a_day_without() {
        let mut heard = Heard::default();
        assert!(heard.is_news(&address(true), 5));
        assert!(heard.is_news(&address(false), 5) && heard.is_news(&twice(false), 5), "each of its own");
        assert!(!heard.is_news(&twice(true), 6), "that two answer is said");
        assert!(heard.is_news(&Odd::Late { after_ns: None }, 6));
        assert!(!heard.is_news(&Odd::Late { after_ns: Some(7) }, 7));
        let hours = |n: u64| 3_600_000_000_000 * n;
        for n in 1..100 {
            assert!(!heard.is_news(&address(true), hours(20 * n)), "it never was quiet for a day");
        }
        assert!(heard.is_news(&address(true), hours(20 * 99 + 24)));
    }

    #[test]
    fn the_words_name_who_was_asked_and_who_answered_and_what_that_means() {
        for taken in [true, false] {
            let text = words("flat", "cellar", &address(taken));
            for part in ["\"flat\"", "\"cellar\"", "33780000000001", "33780000000002", "probably"] {
                assert!(text.contains(part), "{text}");
            }
            assert_eq!(text.contains("not taken"), !taken, "{text}");
        }
        let late = words("flat", "cellar", &Odd::Late { after_ns: Some(2_540_000_000) });
        assert!(
            late.contains("\"flat\" on port \"cellar\" answered up to 2.6 s after its request, when"),
            "{late}"
        );
        assert!(words("flat", "cellar", &Odd::Late { after_ns: None }).contains("answered when"));
        assert!(words("flat", "cellar", &twice(false)).contains("two meters"));
        assert!(words("flat", "cellar", &twice(true)).contains("repeater"));
    }
}
