// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a new configuration changes in a running service. Pure: nothing is read and nothing is done.

use super::rules;
use super::show::{duration, flow, long, volume};
use super::types::{Config, MeterConfig};

/// What is to be done to one meter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delta {
    /// It has another line, or another level or bias on it: the line is requested anew.
    pub line: bool,
    /// Its filter's settings.
    pub filter: bool,
    /// How often its line is read.
    pub poll: bool,
    /// How its register is read, or whether it has one.
    pub register: bool,
    /// What a pulse is worth.
    pub pulse_volume: bool,
    /// Its largest flow.
    pub max_flow: bool,
    /// Its thresholds.
    pub thresholds: bool,
    /// Its profile or single rules.
    pub rules: bool,
    /// The valve that its verdicts close.
    pub valve: bool,
    /// Its alarm line.
    pub alarm: bool,
}

impl Delta {
    /// What differs between two meters of one id; `valve_changed` says whether the valves they name do,
    /// since an index means something in its own configuration only.
    #[must_use]
    pub fn between(old: &MeterConfig, new: &MeterConfig, valve_changed: bool) -> Self {
        Self {
            line: old.source != new.source,
            filter: old.filter.abi != new.filter.abi,
            poll: old.filter.poll_ns != new.filter.poll_ns,
            register: old.register() != new.register(),
            pulse_volume: old.pulse_volume_ul != new.pulse_volume_ul,
            max_flow: old.max_flow_ul_per_h != new.max_flow_ul_per_h,
            thresholds: old.thresholds != new.thresholds,
            rules: old.profile != new.profile || old.rules != new.rules,
            valve: valve_changed,
            alarm: old.alarm != new.alarm,
        }
    }

    /// Whether nothing is to be done.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }

    /// Whether what judges it begins anew, and goes on only from what can be used of what was learned.
    #[must_use]
    pub const fn begins_anew(self) -> bool {
        self.register || self.pulse_volume || self.max_flow
    }
}

/// What becomes of a meter of the new configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It was there and stays as it is, down to the memory of its verdicts.
    Same,
    /// It was there and is another in this.
    Changed(Delta),
    /// It is new.
    Added,
}

/// What a reload does: something for each meter of either configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// One for each meter of the new configuration, in its order.
    pub fates: Vec<Fate>,
    /// Ids of meters that are gone.
    pub removed: Vec<String>,
    /// How often totals are written down, if that changes, ns.
    pub persist_ns: Option<u64>,
    /// One sentence for each change, for a person.
    pub summary: Vec<String>,
}

impl Plan {
    /// Whether nothing changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.summary.is_empty()
    }
}

/// What it takes to get from one configuration to the other while the service runs.
///
/// # Errors
/// What only a restart can change, one sentence each: then nothing of the new configuration is to be
/// applied, because half of a configuration is one that nobody wrote.
pub fn between(running: &Config, next: &Config) -> Result<Plan, Vec<String>> {
    let restart = needs_restart(running, next);
    if !restart.is_empty() {
        return Err(restart);
    }
    let mut plan = Plan::default();
    for meter in &next.meters {
        let fate = match running.meters.iter().find(|old| old.id == meter.id) {
            None => {
                plan.summary.push(format!("meter \"{}\" added", meter.id));
                Fate::Added
            }
            Some(old) => {
                let valve_changed = valve_id(running, old) != valve_id(next, meter);
                let delta = Delta::between(old, meter, valve_changed);
                if delta.is_empty() {
                    Fate::Same
                } else {
                    plan.summary.push(sentence(running, old, next, meter, delta));
                    Fate::Changed(delta)
                }
            }
        };
        plan.fates.push(fate);
    }
    for old in running.meters.iter().filter(|old| next.meters.iter().all(|meter| meter.id != old.id)) {
        plan.summary.push(format!("meter \"{}\" removed; its total is kept in the store", old.id));
        plan.removed.push(old.id.clone());
    }
    for port in &next.ports {
        match running.ports.iter().find(|old| old.id == port.id) {
            None => plan.summary.push(format!("port \"{}\" added", port.id)),
            Some(old) if old != port => {
                plan.summary.push(format!("port \"{}\" changed; it is opened anew", port.id));
            }
            Some(_) => {}
        }
    }
    for old in running.ports.iter().filter(|old| next.ports.iter().all(|port| port.id != old.id)) {
        plan.summary.push(format!("port \"{}\" removed", old.id));
    }
    if running.persist_ns != next.persist_ns {
        plan.persist_ns = Some(next.persist_ns);
        plan.summary.push(format!("totals are written down every {}", duration(next.persist_ns)));
    }
    Ok(plan)
}

/// Id of the valve that a meter names; empty for none.
#[must_use]
pub fn valve_id<'a>(config: &'a Config, meter: &MeterConfig) -> &'a str {
    meter.valve.and_then(|at| config.valves.get(at)).map_or("", |valve| valve.id.as_str())
}

/// A valve has a thread, a line whose level holds it and holds in the store; a store and pins are open.
/// None of them is exchanged under a service that may have to close a valve at any moment.
fn needs_restart(running: &Config, next: &Config) -> Vec<String> {
    let mut reasons = Vec::new();
    let mut reason = |text: String| reasons.push(format!("{text} (needs `systemctl restart gasd`)"));
    for valve in &next.valves {
        match running.valves.iter().find(|old| old.id == valve.id) {
            None => reason(format!("valve \"{}\" was added", valve.id)),
            Some(old) if old != valve => reason(format!("valve \"{}\" is driven otherwise", valve.id)),
            // The same meter by its id, and another one.
            Some(old) if running.driven_by(old) != next.driven_by(valve) => reason(format!(
                "valve \"{}\" is in {} and was in {}",
                valve.id,
                next.driven_by(valve),
                running.driven_by(old)
            )),
            Some(_) => {}
        }
    }
    for old in &running.valves {
        if next.valves.iter().all(|valve| valve.id != old.id) {
            reason(format!("valve \"{}\" was removed", old.id));
        }
    }
    for (key, old, new) in
        [("store.path", &running.store, &next.store), ("kernel.pins", &running.pins, &next.pins)]
    {
        if old != new {
            reason(format!("{key} changed from {} to {}", old.display(), new.display()));
        }
    }
    reasons
}

fn sentence(running: &Config, old: &MeterConfig, next: &Config, new: &MeterConfig, delta: Delta) -> String {
    let mut parts = Vec::new();
    if delta.line {
        let what = if new.source.on_port().is_some() {
            "how it is read (its port or device)"
        } else if new.source.is_fed() {
            "it is fed by a program (which has to open a feed)"
        } else if old.source.is_fed() {
            "its pulses come from its line and no feed any more"
        } else {
            "its line (requested anew; what the contact did meanwhile is not counted)"
        };
        parts.push(what.to_owned());
    }
    if delta.filter {
        parts.push("its filter".to_owned());
    }
    if delta.poll {
        parts.push(format!("filter.poll to {}", duration(new.filter.poll_ns)));
    }
    if delta.register {
        parts.push(register_sentence(old, new));
    } else if delta.pulse_volume {
        parts.push(format!(
            "pulse_volume from {} to {} (for pulses from now on)",
            volume(old.pulse_volume_ul),
            volume(new.pulse_volume_ul)
        ));
    }
    if delta.max_flow {
        parts.push(format!("max_flow to {}", flow(new.max_flow_ul_per_h)));
    }
    if delta.thresholds {
        let t = new.thresholds;
        parts.push(format!(
            "thresholds to {}, {} and {} m3/h",
            t.suspect_m3_per_h, t.confirm_m3_per_h, t.sustain_m3_per_h
        ));
    }
    if delta.rules {
        parts.push(rules_sentence(old, new));
    }
    if delta.valve {
        let name = |id: &str| if id.is_empty() { "none".to_owned() } else { format!("\"{id}\"") };
        parts.push(format!(
            "its valve from {} to {}",
            name(valve_id(running, old)),
            name(valve_id(next, new))
        ));
    }
    if delta.alarm {
        parts.push("its alarm line".to_owned());
    }
    format!("meter \"{}\" changed: {}", new.id, parts.join(", "))
}

/// How its register is read now, or that its pulses are counted again. The total goes on.
fn register_sentence(old: &MeterConfig, new: &MeterConfig) -> String {
    let Some(readings) = new.readings else {
        return format!(
            "pulses of {} are counted, its register is read no more",
            volume(new.pulse_volume_ul)
        );
    };
    let was = if old.readings.is_none() {
        "its register is read instead of pulses counted: "
    } else {
        "readings to "
    };
    let (every, resolution) = (long(readings.every_ns), volume(readings.resolution_ul));
    let rollover = match readings.modulus_ul {
        0 => String::new(),
        ul => format!(", beginning anew at {}", volume(ul)),
    };
    format!("{was}{resolution} every {every}{rollover}")
}

/// What of its rules; what was learned stays.
fn rules_sentence(old: &MeterConfig, new: &MeterConfig) -> String {
    if old.profile != new.profile {
        return format!("its profile from {} to {}", old.profile.name(), new.profile.name());
    }
    let differ = rules::differences(&old.rules, &new.rules);
    let parts: Vec<String> =
        differ.iter().map(|(key, before, after)| format!("rules.{key} from {before} to {after}")).collect();
    parts.join(", ")
}

#[cfg(test)]
#[path = "change_tests.rs"]
mod tests;
