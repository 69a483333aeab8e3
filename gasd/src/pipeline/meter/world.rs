// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a meter is told of the world beside its pulses.

use gasd_detect::{Input, Said, Topic, Verdict};

use crate::response::clock::utc;
use crate::state::Report;

use super::MeterRun;

/// What sensors beside a meter said last.
#[derive(Clone, Debug, Default)]
pub(super) struct Sensed {
    /// A gas detector's alarm, by the meter's alarm line; either way is enough.
    line: bool,
    /// The same by a report.
    reported: bool,
    /// Why the alarm line says nothing.
    broken: Option<String>,
    /// Pressure behind the meter, kPa.
    pressure_kpa: Option<f64>,
}

impl Sensed {
    const fn alarm(&self) -> Input {
        Input::AlarmLink(self.line || self.reported)
    }
}

impl MeterRun {
    /// What sensors beside the meter measure. Returns what the engine finds.
    pub fn report(&mut self, report: &Report, now_ns: u64) -> impl Iterator<Item = Verdict> + use<> {
        let now_ns = self.own(now_ns);
        self.sensed.reported = report.gas_alarm.unwrap_or(self.sensed.reported);
        self.sensed.pressure_kpa = report.pressure_kpa.or(self.sensed.pressure_kpa);
        let inputs = [
            report.pressure_kpa.map(|kpa| Input::Pressure(kpa as f32)),
            report.seismic_gal.map(|gal| Input::Seismic(gal as f32)),
            report.gas_alarm.map(|_| self.sensed.alarm()),
        ];
        inputs.map(|input| self.detector.input(input?, now_ns)).into_iter().flatten()
    }

    /// What the alarm line says: alarm or none, or why nobody knows. Then what it said before counts, and the
    /// meter's health says so.
    pub fn set_alarm(&mut self, now: Result<bool, String>, now_ns: u64) -> Option<Verdict> {
        match now {
            Ok(on) => {
                (self.sensed.line, self.sensed.broken) = (on, None);
                self.detector.input(self.sensed.alarm(), self.own(now_ns))
            }
            Err(why) => {
                self.sensed.broken = Some(why);
                None
            }
        }
    }

    /// What is wrong with the alarm line.
    #[must_use]
    pub fn alarm_health(&self) -> Option<&str> {
        self.sensed.broken.as_deref()
    }

    /// `ok`, or what is wrong with it.
    pub(super) fn words(&self) -> String {
        let left = match self.detector.register() {
            None => "only what the filter still had counted went on",
            Some(_) => "it counts from the first reading after that",
        };
        let total = self.unknown_since.map(|since| {
            format!("its total is not known: the store was lost at {}, and {left}", utc(since / 1_000_000))
        });
        let alarm = self.alarm_health().map(str::to_owned);
        let parts: Vec<String> =
            self.health.iter().cloned().chain(self.overdue()).chain(alarm).chain(total).collect();
        if parts.is_empty() { "ok".to_owned() } else { parts.join("; ") }
    }

    /// It is another line from now on, or none: what the old one said is over.
    pub(super) fn forget_alarm_line(&mut self) {
        (self.sensed.line, self.sensed.broken) = (false, None);
        self.detector.input(self.sensed.alarm(), self.now_ns);
    }

    /// Knows the home as `real` does, from `from_ns` of its own time on: what was learned, and what people said.
    /// What is under way there is not, and gas that flows here flows through an open valve.
    pub fn learn_from(&mut self, real: &MeterRun, from_ns: u64) {
        // The clock of a real meter is this one's, too; a player's is its own.
        let moved_ns =
            if real.simulated { from_ns.cast_signed().saturating_sub_unsigned(real.now_ns) } else { 0 };
        self.detector = real.detector.clone();
        self.detector.clock_moved(moved_ns);
        self.detector.set_valve(true, from_ns);
        if let Some(offset_ns) = real.civil_offset_ns {
            // Its hours go on from those of the real meter.
            self.set_civil(offset_ns.saturating_sub(moved_ns));
        }
    }

    /// Civil time is the clock's plus this from now on.
    pub fn set_civil(&mut self, offset_ns: i64) {
        self.civil_offset_ns = Some(offset_ns);
        self.detector.set_civil_offset(offset_ns);
    }

    /// Where the meter's valve is known to be, `true` for open. Returns what the engine finds.
    pub fn set_valve(&mut self, open: bool, now_ns: u64) -> Option<Verdict> {
        let now_ns = self.own(now_ns);
        match self.valve_open.replace(open) {
            Some(before) if before == open => None,
            Some(_) => self.detector.input(Input::Valve(open), now_ns),
            None => {
                self.detector.set_valve(open, now_ns);
                None
            }
        }
    }

    /// What flows when nobody uses gas is all right, a person said.
    pub fn accept_base_flow(&mut self) {
        self.detector.accept_base_flow();
    }

    /// A person said what a verdict about gas that does not rest was.
    pub fn hear_no_rest(&mut self, said: Said) {
        self.detector.hear_no_rest(said);
    }

    /// A person said what a verdict of this topic was.
    pub fn hear(&mut self, topic: Topic, said: Said, now_ns: u64) {
        self.detector.hear(topic, said, self.own(now_ns));
    }

    /// Tells a new engine what the one before knew of the world.
    pub(super) fn retell(&mut self) {
        if let Some(offset_ns) = self.civil_offset_ns {
            self.detector.set_civil_offset(offset_ns);
        }
        if let Some(open) = self.valve_open {
            self.detector.set_valve(open, self.now_ns);
        }
        // Both begin to last anew, so there is nothing to be found yet.
        if let Some(kpa) = self.sensed.pressure_kpa {
            self.detector.input(Input::Pressure(kpa as f32), self.now_ns);
        }
        self.detector.input(self.sensed.alarm(), self.now_ns);
    }

    /// A player's time is its own.
    const fn own(&self, now_ns: u64) -> u64 {
        if self.simulated { self.now_ns } else { now_ns }
    }
}

#[cfg(test)]
mod tests {
    use gasd_abi::Totals;
    use gasd_abi::records::{EVENT_PULSE, EVENT_TICK, Event};

    use super::*;
    use crate::config::parse;
    use crate::store::Base;

    const S: u64 = 1_000_000_000;

    fn meter() -> MeterRun {
        let text = "[[meter]]\nid = \"kitchen\"\nline = 1\npulse_volume = \"10 L\"\nrules = { seismic = \"200 gal\" }\n";
        MeterRun::new(&parse("t.toml", text).unwrap().meters[0], 0, Base::default())
    }

    /// Its time comes to that second, with a pulse or without.
    fn at(meter: &mut MeterRun, second: u64, pulse: bool) -> Option<&'static str> {
        let kind = if pulse { EVENT_PULSE } else { EVENT_TICK };
        let event = Event { kind, seq: second, t_ns: second * S, decided_ns: second * S, ..Event::default() };
        meter.event(&event).map(|verdict| verdict.kind.name())
    }

    fn reported(meter: &mut MeterRun, report: &Report) -> Vec<&'static str> {
        meter.report(report, 0).map(|verdict| verdict.kind.name()).collect()
    }

    fn alarm(on: bool) -> Report {
        Report { gas_alarm: Some(on), ..Report::default() }
    }

    #[test]
    fn an_alarm_by_either_way_counts_and_only_both_can_end_it() {
        let mut meter = meter();
        at(&mut meter, 100, false);
        assert_eq!(meter.set_alarm(Ok(true), 0), None);
        assert_eq!(reported(&mut meter, &alarm(true)), [""; 0]);
        at(&mut meter, 110, false);
        assert_eq!(meter.set_alarm(Ok(false), 0), None);
        assert_eq!(at(&mut meter, 139, false), None);
        assert_eq!(at(&mut meter, 140, false), Some("gas-alarm"), "40 s");
        assert_eq!(reported(&mut meter, &alarm(false)), [""; 0]);
        meter.set_alarm(Ok(true), 0);
        at(&mut meter, 170, false);
        meter.set_alarm(Ok(false), 0);
        assert_eq!(at(&mut meter, 500, false), None, "30 s are not enough");
    }

    #[test]
    fn an_alarm_line_that_breaks_is_the_meters_health_and_what_it_said_counts() {
        let mut meter = meter();
        at(&mut meter, 100, false);
        meter.set_alarm(Ok(true), 0);
        assert_eq!(meter.set_alarm(Err("its alarm line cannot be read: gone".into()), 0), None);
        let state = meter.state([0, 0], &Totals::default(), "");
        assert_eq!(state.health, "its alarm line cannot be read: gone");
        assert_eq!(at(&mut meter, 140, false), Some("gas-alarm"));
        meter.set_alarm(Ok(false), 0);
        assert_eq!(meter.state([0, 0], &Totals::default(), "").health, "ok");
        // Another line: what the old one said is over.
        meter.set_alarm(Ok(true), 0);
        meter.forget_alarm_line();
        assert_eq!(at(&mut meter, 300, false), None);
    }

    #[test]
    fn pressure_and_earthquakes_count_while_gas_flows() {
        let mut meter = meter();
        let low = Report { pressure_kpa: Some(0.1), ..Report::default() };
        at(&mut meter, 100, false);
        assert_eq!(reported(&mut meter, &low), [""; 0]);
        assert_eq!(at(&mut meter, 200, false), None, "nothing flows");
        assert_eq!(at(&mut meter, 210, true), Some("low-pressure"));
        let quake = Report { seismic_gal: Some(250.0), ..Report::default() };
        assert_eq!(reported(&mut meter, &quake), ["earthquake"]);
        let weak = Report { seismic_gal: Some(80.0), pressure_kpa: Some(2.0), ..Report::default() };
        assert_eq!(reported(&mut meter, &weak), [""; 0]);
    }
}
