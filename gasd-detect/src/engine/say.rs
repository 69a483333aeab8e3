// SPDX-License-Identifier: MIT OR Apache-2.0
//! From what the layers found to what the engine says: how grave it is in this home, and one at a time.

use super::Engine;
use crate::finding::{Found, around, by_home, by_input};
use crate::home::{Home, Limits, On, Unexplained};
use crate::inputs::Broken;
use crate::profile::Windows;
use crate::readings::SHARP_NS;
use crate::units::volume_ul;
use crate::verdict::{Believed, Estimate, Kind, Process, Rule, Severity, Verdict};
use crate::windows::episode::{Finding, WINDOWS_NS};

impl Engine {
    pub(super) fn collect(&mut self, finding: Option<Finding>, broken: Option<Broken>, at_ns: u64) {
        let known = self.rules.learns && self.home.knows_load();
        let finding = finding.map(|finding| self.temper(finding, known, at_ns));
        let found = finding.map(|finding| self.by_windows(finding, at_ns));
        self.waiting.push(found);
        self.broke(broken, at_ns);
        let implausible = self.implausible.due(at_ns).map(|t_ns| {
            Found::plain(Finding {
                kind: Kind::ImplausibleRate,
                severity: Severity::Warning,
                rule: Rule::AbovePhysicalLimit,
                t_ns,
            })
        });
        self.waiting.push(implausible);
    }

    /// Takes in a broken rule about inputs.
    pub(super) fn broke(&mut self, broken: Option<Broken>, at_ns: u64) {
        let found = broken.map(|b| by_input(b, &self.inputs, &self.rules, self.pulse_volume_ul, at_ns));
        self.waiting.push(found);
    }

    /// A finding of the windows with the slope that decided it. The home's plateau follows later than the windows
    /// do, so it is the flow before.
    fn by_windows(&self, finding: Finding, at_ns: u64) -> Found {
        let at = match finding.rule {
            Rule::Confirmed5s | Rule::Unconfirmed5s => 1,
            Rule::Sustained30s | Rule::Transient30s => 2,
            _ => return Found::plain(finding),
        };
        let mean = |window: usize| self.track.mean(WINDOWS_NS[window], at_ns).flow as f32;
        let (now, plateau) = (mean(0), self.home.flow());
        let before = if plateau < 0.9 * now { around(plateau) } else { Estimate::default() };
        let process = Process { value: mean(at), threshold: self.thresholds[at] as f32, unit: "m3/h" };
        Found { before, after: around(now), process, ..Found::plain(finding) }
    }

    /// Has the home judge, and takes in all that it does not explain.
    pub(super) fn ask_home(
        &mut self,
        at_ns: u64,
        judge: impl FnOnce(&mut Home, &Limits<'_>, &mut dyn FnMut(Unexplained)),
    ) {
        let mut limits = Limits::new(self.pulse_volume_ul, self.max_flow_ul_per_h, &self.rules, self.poll_ns);
        limits.share = self.advisor.share(&self.rules.learned_model, at_ns);
        let known = limits.sharp() && self.rules.learns && self.home.knows_load();
        let waiting = &mut self.waiting;
        judge(&mut self.home, &limits, &mut |u| waiting.push(Some(by_home(&u, &limits, known, at_ns))));
    }

    /// How grave a finding of the windows is in this home: what its appliances take together is no alarm.
    fn temper(&self, finding: Finding, known: bool, at_ns: u64) -> Finding {
        if finding.severity != Severity::Critical {
            return finding;
        }
        let closes = match self.rules.windows {
            Windows::Always => true,
            Windows::Never => false,
            Windows::AboveLoad => {
                let flow = self.track.mean(WINDOWS_NS[0], at_ns).flow;
                !known || flow > f64::from(self.home.envelope(&self.limits()))
            }
        };
        // What lasts from one reading to the next is more than an appliance that was lit.
        let seen = if self.poll_ns > SHARP_NS { Severity::Warning } else { Severity::Info };
        Finding { severity: if closes { Severity::Critical } else { seen }, ..finding }
    }

    pub(super) fn next(&mut self, at_ns: u64, decided_ns: u64) -> Option<Verdict> {
        let found = self.waiting.pop()?;
        let Finding { kind, severity, rule, t_ns } = found.finding;
        let mut evidence = self.evidence(rule, at_ns);
        let now = self.home.flow();
        evidence.before = found.before;
        evidence.after = if found.after.mid > 0.0 { found.after } else { around(now) };
        evidence.process = found.process;
        let more = f64::from((evidence.after.mid - evidence.before.mid).max(0.0));
        evidence.released_ul =
            found.released_ul.unwrap_or_else(|| volume_ul(more, at_ns.saturating_sub(t_ns)) as u64);
        Some(Verdict { kind, severity, t_ns, decided_ns: decided_ns.max(at_ns).max(t_ns), evidence })
    }
}

pub(super) fn believed(on: &[On]) -> [Believed; 4] {
    let mut all = [Believed::default(); 4];
    for one in on.iter().filter(|on| on.rate > 0.0) {
        let mut new = Believed { m3_per_h: one.rate, since_ns: one.since_ns };
        for place in &mut all {
            if new.m3_per_h > place.m3_per_h {
                core::mem::swap(place, &mut new);
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use crate::home::{Restless, Unexplained};
    use crate::{DEFAULT_THRESHOLDS_M3_PER_H, Engine, EngineConfig, Kind, Profile};

    #[test]
    fn what_is_found_at_once_is_said_one_after_the_other() {
        let mut engine = Engine::new(EngineConfig {
            pulse_volume_ul: 1_000_000,
            max_flow_ul_per_h: 6_000_000_000,
            thresholds_m3_per_h: DEFAULT_THRESHOLDS_M3_PER_H,
            rules: Profile::EuG4.rules(),
        });
        engine.ask_home(9, |_, _, say| {
            say(Unexplained::Rest(Restless::Still(1, 30.0)));
            say(Unexplained::Rest(Restless::Never(1, 30.0)));
        });
        let said: Vec<Kind> = (10..14).filter_map(|t| engine.tick(t)).map(|v| v.kind).collect();
        assert_eq!(said, [Kind::NeverZero, Kind::SilentMeter], "the graver one first, and neither is lost");
    }
}
