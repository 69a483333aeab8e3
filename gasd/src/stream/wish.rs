// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a subscriber chose: which meters, which kinds. Pure.

use gasd_abi::records::meter_key;
use gasd_abi::stream::{CHOICES, GAP, HELLO, METER, PULSE, READING, Record, VERDICT};

use super::house::House;

/// What a subscriber asked for. Empty lists choose everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    /// Ids of meters.
    pub meters: Vec<String>,
    /// Names out of [`CHOICES`].
    pub kinds: Vec<String>,
}

/// A choice of what does not exist.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadWish {
    /// No such meter.
    #[error("no meter is called \"{0}\"; `gasctl status` lists them")]
    Meter(String),
    /// No such kind.
    #[error("no kind of record is called \"{0}\"; there are {list}", list = CHOICES.map(|(name, _)| name).join(", "))]
    Kind(String),
}

/// The choice as it is asked of each record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Bit `1 << kind`.
    kinds: u64,
    /// Keys of the meters; `None` for all.
    meters: Option<Vec<u64>>,
}

impl Choice {
    /// Checks a wish.
    ///
    /// # Errors
    /// The first name that is not known.
    pub fn new(wish: &Wish, house: &House) -> Result<Choice, BadWish> {
        let always = 1 << HELLO | 1 << METER | 1 << GAP;
        let mut kinds = always;
        for wanted in &wish.kinds {
            let known = CHOICES.iter().find(|(name, _)| name == wanted);
            kinds |= 1 << known.ok_or_else(|| BadWish::Kind(wanted.clone()))?.1;
        }
        if wish.kinds.is_empty() {
            kinds |= CHOICES.iter().fold(0, |all, (_, kind)| all | 1 << kind);
        }
        if let Some(stranger) =
            wish.meters.iter().find(|wanted| !house.meters.iter().any(|meter| meter.id == **wanted))
        {
            return Err(BadWish::Meter(stranger.clone()));
        }
        let keys = wish.meters.iter().map(|id| meter_key(id)).collect();
        Ok(Choice { kinds, meters: (!wish.meters.is_empty()).then_some(keys) })
    }

    /// The kinds, for the HELLO.
    #[must_use]
    pub fn kinds(&self) -> u64 {
        self.kinds
    }

    /// Whether the subscriber gets this record. A choice of meters says nothing about valves.
    #[must_use]
    pub fn wants(&self, record: &Record) -> bool {
        let of_a_meter = [METER, PULSE, READING, VERDICT].contains(&record.kind);
        let chosen = |keys: &Vec<u64>| !of_a_meter || keys.contains(&record.key);
        self.kinds >> record.kind.min(63) & 1 == 1 && self.meters.as_ref().is_none_or(chosen)
    }
}

#[cfg(test)]
mod tests {
    use gasd_abi::stream::VALVE;

    use super::*;
    use crate::stream::Named;

    fn house() -> House {
        let meter = |id: &str| Named::new(id, 10_000, false);
        House { meters: vec![meter("kitchen"), meter("boiler")], valves: vec![meter("main")] }
    }

    fn record(kind: u32, id: &str) -> Record {
        Record { kind, key: meter_key(id), ..Record::default() }
    }

    #[test]
    fn nothing_chosen_is_everything() {
        let all = Choice::new(&Wish::default(), &house()).unwrap();
        for kind in HELLO..=GAP {
            assert!(all.wants(&record(kind, "boiler")), "{kind}");
        }
        assert!(!all.wants(&record(63, "boiler")) && !all.wants(&record(u32::MAX, "boiler")));
    }

    #[test]
    fn a_choice_is_kept_and_never_hides_what_explains_it() {
        let wish = Wish { meters: vec!["kitchen".into()], kinds: vec!["pulse".into(), "valve".into()] };
        let some = Choice::new(&wish, &house()).unwrap();
        assert!(some.wants(&record(PULSE, "kitchen")) && !some.wants(&record(PULSE, "boiler")));
        assert!(some.wants(&record(METER, "kitchen")) && !some.wants(&record(METER, "boiler")));
        assert!(some.wants(&record(VALVE, "main")) && !some.wants(&record(READING, "kitchen")));
        assert!(some.wants(&record(GAP, "")) && some.wants(&record(HELLO, "")));
    }

    #[test]
    fn a_name_that_is_not_known_is_an_error_and_not_an_empty_stream() {
        let wish = Wish { meters: vec!["cellar".into()], ..Wish::default() };
        assert_eq!(Choice::new(&wish, &house()), Err(BadWish::Meter("cellar".into())));
        let wish = Wish { kinds: vec!["puls".into()], ..Wish::default() };
        let error = Choice::new(&wish, &house()).unwrap_err();
        assert!(error.to_string().contains("\"puls\"; there are pulse, reading, verdict, valve"), "{error}");
    }
}
