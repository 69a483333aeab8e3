// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the dashboard shows and what keys do to it. Time comes in as an argument.

use std::collections::{BTreeMap, VecDeque};

use gasd_proxy::{Meter, State, Verdict};

use crate::output::Style as Meaning;

use super::palette::Palette;

/// How much of the past the chart shows, s.
pub const SPAN_S: f64 = 300.0;
/// Samples closer together than this are left out, s: a chart of 300 s has some 150 columns of dots.
const STEP_S: f64 = 0.5;
/// How long a note stays, s.
const NOTE_S: f64 = 8.0;

/// Points in time, on the three clocks that are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Now {
    /// Since the dashboard began, s.
    pub t: f64,
    /// `CLOCK_BOOTTIME`, ns.
    pub boottime_ns: u64,
    /// Unix time, µs.
    pub unix_us: u64,
}

/// How it stands with the service.
#[derive(Clone, Debug, PartialEq)]
pub enum Link {
    /// Not there yet, in words.
    Waiting(String),
    /// Everything shown is true now.
    Live,
    /// What is shown is as old as this, s since the dashboard began, and why.
    Lost(f64, String),
}

/// A question or a text over everything else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dialog {
    /// Which keys there are.
    Help,
    /// Acknowledge which of these? By number, with the chosen one.
    Ack(Vec<u64>, usize),
    /// Close this valve of that meter?
    Close(String, String),
}

/// What a key means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// The next meter, or verdict in a dialog.
    Next,
    /// The one before.
    Previous,
    /// Acknowledge.
    Ack,
    /// Close.
    Close,
    /// Help.
    Help,
    /// Yes.
    Yes,
    /// No, or away with it.
    No,
    /// The end.
    Quit,
}

/// What the program has to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// End.
    Quit,
    /// Acknowledge a verdict.
    Acknowledge(u64),
    /// Close a valve.
    Close(String),
}

/// What is shown.
#[derive(Clone, Debug)]
pub struct Model {
    /// The service as it was last seen.
    pub state: State,
    /// How it stands with the service.
    pub link: Link,
    /// Flow over time by meter: s since the dashboard began, and m³/h.
    pub history: BTreeMap<String, VecDeque<(f64, f64)>>,
    /// Id of the chosen meter.
    pub chosen: String,
    /// What lies over everything else.
    pub dialog: Option<Dialog>,
    /// A sentence in the last line, since when, s.
    pub note: Option<(String, Meaning, f64)>,
    /// When.
    pub now: Now,
    /// Colours.
    pub palette: Palette,
}

impl Model {
    /// Nothing known yet.
    pub fn new(palette: Palette, now: Now) -> Model {
        Model {
            state: State::default(),
            link: Link::Waiting("connecting".to_owned()),
            history: BTreeMap::new(),
            chosen: String::new(),
            dialog: None,
            note: None,
            now,
            palette,
        }
    }

    /// Time passes: flows become samples, notes fade.
    pub fn tick(&mut self, now: Now) {
        self.now = now;
        if self.note.as_ref().is_some_and(|(.., since)| now.t - since > NOTE_S) {
            self.note = None;
        }
        if self.link != Link::Live {
            return;
        }
        for meter in self.state.meters.values() {
            let samples = self.history.entry(meter.id.clone()).or_default();
            let due = samples.back().is_none_or(|(t, _)| now.t - t >= STEP_S);
            // An unknown flow leaves a gap.
            if let (true, Some(flow)) = (due, meter.flow_m3_per_h.filter(|flow| flow.is_finite())) {
                samples.push_back((now.t, flow));
            }
            while samples.front().is_some_and(|(t, _)| now.t - t > SPAN_S) {
                samples.pop_front();
            }
        }
    }

    /// The service as it is now.
    pub fn see(&mut self, state: State) {
        self.state = state;
        self.link = Link::Live;
        if !self.state.meters.contains_key(&self.chosen) {
            self.chosen = self.state.meters.keys().next().cloned().unwrap_or_default();
        }
        self.history.retain(|id, _| self.state.meters.contains_key(id));
        self.check_dialog();
    }

    /// The service cannot be seen any more.
    pub fn lose(&mut self, why: String) {
        self.link = match &self.link {
            Link::Waiting(_) => Link::Waiting(why),
            Link::Lost(since, _) => Link::Lost(*since, why),
            Link::Live => Link::Lost(self.now.t, why),
        };
        // What was asked was about a state that is not known any more.
        if self.dialog.as_ref().is_some_and(|dialog| *dialog != Dialog::Help) {
            self.dialog = None;
            self.say("the connection was lost; nothing was done".to_owned(), Meaning::Warn);
        }
    }

    /// A sentence for the last line.
    pub fn say(&mut self, text: String, meaning: Meaning) {
        self.note = Some((text, meaning, self.now.t));
    }

    /// The chosen meter.
    pub fn meter(&self) -> Option<&Meter> {
        self.state.meters.get(&self.chosen)
    }

    /// Verdicts, critical ones first, then the newest first.
    pub fn verdicts(&self) -> Vec<&Verdict> {
        let mut verdicts: Vec<&Verdict> = self.state.verdicts.values().collect();
        verdicts.sort_by_key(|v| (v.severity != "critical", std::cmp::Reverse(v.id)));
        verdicts
    }

    /// A question about something that is gone is no question.
    fn check_dialog(&mut self) {
        let gone = match &self.dialog {
            Some(Dialog::Ack(ids, at)) => ids.get(*at).is_none_or(|id| !self.state.verdicts.contains_key(id)),
            Some(Dialog::Close(valve, _)) => !self.state.valves.contains_key(valve),
            Some(Dialog::Help) | None => false,
        };
        if gone {
            self.dialog = None;
            self.say("that was settled elsewhere meanwhile".to_owned(), Meaning::Plain);
        }
    }

    /// A key was pressed.
    pub fn key(&mut self, key: Key) -> Option<Action> {
        match (&mut self.dialog, key) {
            (None, Key::Quit) => return Some(Action::Quit),
            (None, Key::Next) => self.choose(1),
            (None, Key::Previous) => self.choose(-1),
            (None, Key::Help) => self.dialog = Some(Dialog::Help),
            (None, Key::Ack) => self.ask_ack(),
            (None, Key::Close) => self.ask_close(),
            (None, Key::Yes | Key::No) => {}
            (Some(Dialog::Help), _) | (Some(_), Key::No | Key::Quit) => self.dialog = None,
            (Some(Dialog::Ack(ids, at)), Key::Next) => *at = (*at + 1) % ids.len().max(1),
            (Some(Dialog::Ack(ids, at)), Key::Previous) => {
                *at = (*at + ids.len().saturating_sub(1)) % ids.len().max(1);
            }
            (Some(Dialog::Ack(ids, at)), Key::Yes) => {
                let chosen = ids.get(*at).copied();
                self.dialog = None;
                return chosen.map(Action::Acknowledge);
            }
            (Some(Dialog::Close(valve, _)), Key::Yes) => {
                let valve = std::mem::take(valve);
                self.dialog = None;
                return Some(Action::Close(valve));
            }
            // A question stays until it is answered.
            (Some(Dialog::Ack(..) | Dialog::Close(..)), _) => {}
        }
        None
    }

    fn choose(&mut self, step: isize) {
        let ids: Vec<&String> = self.state.meters.keys().collect();
        let Some(at) = ids.iter().position(|id| **id == self.chosen) else { return };
        let next = (at as isize + step).rem_euclid(ids.len() as isize);
        self.chosen = ids[next as usize].clone();
    }

    fn live(&mut self) -> bool {
        let live = self.link == Link::Live;
        if !live {
            self.say("gasd cannot be reached; nothing was done".to_owned(), Meaning::Warn);
        }
        live
    }

    fn ask_ack(&mut self) {
        if !self.live() {
            return;
        }
        let ids: Vec<u64> = self.verdicts().iter().map(|v| v.id).collect();
        if ids.is_empty() {
            self.say("no verdict waits".to_owned(), Meaning::Plain);
        } else {
            self.dialog = Some(Dialog::Ack(ids, 0));
        }
    }

    fn ask_close(&mut self) {
        if !self.live() {
            return;
        }
        match self.meter().map(|meter| (meter.id.clone(), meter.valve.clone())) {
            Some((meter, Some(valve))) => self.dialog = Some(Dialog::Close(valve, meter)),
            Some((meter, None)) => self.say(format!("meter {meter} has no valve"), Meaning::Warn),
            None => self.say("no meter is configured".to_owned(), Meaning::Warn),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model() -> Model {
        let mut model = Model::new(Palette { colour: false }, Now::default());
        let mut state = State::default();
        for (id, valve) in [("boiler", None), ("kitchen", Some("main".to_owned()))] {
            let meter = Meter { id: id.into(), valve, flow_m3_per_h: Some(1.0), ..Meter::default() };
            state.meters.insert(id.into(), meter);
        }
        let valve = gasd_proxy::Valve { id: "main".into(), ..Default::default() };
        state.valves.insert("main".into(), valve);
        for (id, severity) in [(7, "info"), (8, "critical"), (9, "info")] {
            let severity = severity.to_owned();
            state.verdicts.insert(id, Verdict { id, severity, ..Verdict::default() });
        }
        model.see(state);
        model
    }

    #[test]
    fn nothing_is_done_before_a_yes() {
        let mut model = model();
        assert_eq!(model.key(Key::Ack), None);
        assert_eq!(model.key(Key::Next), None);
        assert_eq!(model.key(Key::Ack), None, "the same key again is no yes");
        assert_eq!(model.key(Key::Yes), Some(Action::Acknowledge(9)));
        assert_eq!(model.dialog, None);
        model.key(Key::Ack);
        assert_eq!(model.key(Key::No), None);
        assert_eq!((model.dialog.clone(), model.key(Key::Yes)), (None, None));
    }

    #[test]
    fn the_critical_verdict_comes_first() {
        let mut model = model();
        model.key(Key::Ack);
        assert_eq!(model.dialog, Some(Dialog::Ack(vec![8, 9, 7], 0)));
        model.key(Key::Previous);
        assert_eq!(model.key(Key::Yes), Some(Action::Acknowledge(7)));
    }

    #[test]
    fn the_valve_of_the_chosen_meter_is_closed() {
        let mut model = model();
        assert_eq!(model.chosen, "boiler");
        model.key(Key::Close);
        assert!(model.dialog.is_none() && model.note.is_some(), "it has none");
        model.key(Key::Next);
        model.key(Key::Close);
        assert_eq!(model.key(Key::Yes), Some(Action::Close("main".into())));
        model.key(Key::Next);
        assert_eq!(model.chosen, "boiler", "round and round");
    }

    #[test]
    fn a_question_about_something_that_is_gone_is_taken_back() {
        let mut model = model();
        model.key(Key::Ack);
        let mut state = model.state.clone();
        state.verdicts.remove(&8);
        model.see(state);
        assert_eq!((model.dialog.clone(), model.key(Key::Yes)), (None, None));
        model.key(Key::Ack);
        model.lose("gasd left the bus".into());
        assert_eq!((model.dialog.clone(), model.key(Key::Yes)), (None, None));
    }

    #[test]
    fn nothing_is_asked_of_a_service_that_cannot_be_seen() {
        let mut model = model();
        model.lose("gone".into());
        for key in [Key::Ack, Key::Close] {
            assert_eq!((model.key(key), model.dialog.clone()), (None, None));
        }
        model.tick(Now { t: 3.0, ..Now::default() });
        model.lose("still gone".into());
        assert_eq!(model.link, Link::Lost(0.0, "still gone".into()), "since the first loss");
    }

    #[test]
    fn the_past_is_kept_for_the_charts_span_and_no_longer() {
        let mut model = model();
        for tenth in 0..=4_000 {
            model.tick(Now { t: f64::from(tenth) / 10.0, ..Now::default() });
        }
        let samples = &model.history["kitchen"];
        assert!((590..=602).contains(&samples.len()), "{}", samples.len());
        assert!(samples.front().unwrap().0 >= 100.0);
        model.lose("gone".into());
        model.tick(Now { t: 401.0, ..Now::default() });
        assert!(model.history["kitchen"].back().unwrap().0 <= 400.0, "no sample of what is not seen");
    }

    #[test]
    fn notes_fade() {
        let mut model = model();
        model.say("done".into(), Meaning::Good);
        model.tick(Now { t: 7.0, ..Now::default() });
        assert!(model.note.is_some());
        model.tick(Now { t: 9.0, ..Now::default() });
        assert!(model.note.is_none());
    }
}
