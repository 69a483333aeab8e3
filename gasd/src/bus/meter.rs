// SPDX-License-Identifier: MIT OR Apache-2.0
//! `io.gasd1.Meter`, one object a meter.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use gasd_abi::Reason;
use gasd_abi::records::meter_key;
use gasd_detect::{Counts, Heard};
use zbus::message::Header;
use zbus::{Connection, Variant, interface};

use super::call::{Desk, Options, no_other_options, option};
use super::guard::Duty;
use super::look;
use super::refusal::Refusal;
use crate::state::{Command, MeterState, OnPortState, PRESSURE_KPA, Report, SEISMIC_GAL, Shared};

/// A meter, by its id: its place in the snapshot changes with the configuration.
pub(super) struct Meter {
    pub(super) shared: Shared,
    pub(super) id: String,
    pub(super) desk: Desk,
}

impl Meter {
    fn on_port<T: Default>(&self, read: impl FnOnce(&OnPortState) -> T) -> T {
        look(&self.shared).on_ports.get(&self.id).map(read).unwrap_or_default()
    }

    fn get<T: Default>(&self, read: impl FnOnce(&MeterState) -> T) -> T {
        look(&self.shared).meters.iter().find(|m| m.id == self.id).map(read).unwrap_or_default()
    }
}

/// D-Bus carries not-a-number, but nobody expects it.
fn finite(value: f64) -> f64 {
    if value.is_finite() { value } else { 0.0 }
}

fn heard(heard: &Heard) -> HashMap<&'static str, Variant<'static>> {
    HashMap::from([
        ("Topic", Variant::from(heard.topic.name())),
        ("FalseAlarms", Variant::from(u32::from(heard.false_alarms))),
        ("RealLeaks", Variant::from(u32::from(heard.real_leaks))),
        ("Times", Variant::from(f64::from(heard.times))),
        ("Text", Variant::from(heard.to_string())),
    ])
}

/// What became of readings, by name.
fn readings(counts: &Counts) -> [(&'static str, u64); 13] {
    [
        ("readings", counts.readings),
        ("duplicates", counts.duplicates),
        ("conflicts", counts.conflicts),
        ("late", counts.late),
        ("gaps", counts.gaps),
        ("rollovers", counts.rollovers),
        ("exchanges", counts.exchanges),
        ("falls", counts.falls),
        ("misread", counts.misread),
        ("leaps", counts.leaps),
        ("judged_ul", counts.given_ul),
        ("missed_ul", counts.missed_ul),
        ("refused_ul", counts.refused_ul),
    ]
}

const PRESSURE: &str = "kPa above the air's (d), -10 to 1000";
const SEISMIC: &str = "gal (d), 0 to 10000";
const ALARM: &str = "true or false (b)";

/// What a report says of a meter, out of its values by name.
fn report(meter: String, values: &Options) -> Result<Report, Refusal> {
    no_other_options(values, &["pressure_kpa", "seismic_gal", "gas_alarm"])?;
    let number = |name, expected, bounds: RangeInclusive<f64>| match option::<f64>(values, name, expected)? {
        // Not-a-number is in no range.
        Some(value) if !bounds.contains(&value) => Err(Refusal::WrongOption { name, expected }),
        value => Ok(value),
    };
    let report = Report {
        meter,
        pressure_kpa: number("pressure_kpa", PRESSURE, PRESSURE_KPA)?,
        seismic_gal: number("seismic_gal", SEISMIC, SEISMIC_GAL)?,
        gas_alarm: option(values, "gas_alarm", ALARM)?,
    };
    if report.is_empty() {
        return Err(Refusal::WrongValue("the report says nothing".to_owned()));
    }
    Ok(report)
}

#[interface(name = "io.gasd1.Meter", introspection_docs = false)]
impl Meter {
    async fn report(
        &self,
        #[zbus(connection)] connection: &Connection,
        #[zbus(header)] header: Header<'_>,
        values: Options,
    ) -> Result<(), Refusal> {
        let _ticket = self.desk.guard.admit(&header)?;
        // Who may not report is told so, whatever the report says.
        let caller = self.desk.guard.may(connection, &header, Duty::Report).await?.name();
        let report = report(self.id.clone(), &values)?;
        self.desk.hand_over(Command::Report { report, caller }).await.map(drop)
    }

    #[zbus(out_args("readings"))]
    async fn latest(
        &self,
        #[zbus(connection)] connection: &Connection,
        #[zbus(header)] header: Header<'_>,
        options: Options,
    ) -> Result<Vec<(u64, u64)>, Refusal> {
        let _ticket = self.desk.guard.admit(&header)?;
        no_other_options(&options, &[])?;
        self.desk.guard.may_read(connection, &header, "read the last readings").await?;
        Ok(self.on_port(|on| on.latest.to_vec()))
    }

    #[zbus(out_args("answers"))]
    async fn rejected_answers(
        &self,
        #[zbus(connection)] connection: &Connection,
        #[zbus(header)] header: Header<'_>,
        options: Options,
    ) -> Result<Vec<(u64, &'static str, String)>, Refusal> {
        let _ticket = self.desk.guard.admit(&header)?;
        no_other_options(&options, &[])?;
        self.desk.guard.may_read(connection, &header, "read what was rejected").await?;
        Ok(self.on_port(|on| on.rejected.to_vec()))
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn id(&self) -> String {
        self.get(|m| m.id.clone())
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn key(&self) -> u64 {
        self.get(|m| meter_key(&m.id))
    }

    #[zbus(property)]
    fn volume_microlitres(&self) -> u64 {
        self.get(|m| m.volume_ul)
    }

    #[zbus(property)]
    fn total_known(&self) -> bool {
        self.get(|m| m.total_known)
    }

    #[zbus(property)]
    fn pulses(&self) -> u64 {
        self.get(|m| m.pulses)
    }

    #[zbus(property)]
    fn flow_cubic_metres_per_hour(&self) -> f64 {
        self.get(|m| finite(m.flow_m3_per_h.unwrap_or_default()))
    }

    #[zbus(property)]
    fn flow_known(&self) -> bool {
        self.get(|m| m.flow_m3_per_h.is_some_and(f64::is_finite))
    }

    #[zbus(property)]
    fn slopes(&self) -> Vec<f64> {
        self.get(|m| m.slopes_m3_per_h.map(finite).to_vec())
    }

    #[zbus(property)]
    fn thresholds(&self) -> Vec<f64> {
        self.get(|m| m.thresholds_m3_per_h.map(finite).to_vec())
    }

    #[zbus(property)]
    fn last_pulse(&self) -> u64 {
        self.get(|m| m.last_pulse_ns)
    }

    #[zbus(property)]
    fn last_interval(&self) -> u64 {
        self.get(|m| m.last_interval_ns)
    }

    #[zbus(property)]
    fn edges(&self) -> u64 {
        self.get(|m| m.totals.edges)
    }

    #[zbus(property)]
    fn accepted(&self) -> u64 {
        self.get(|m| m.totals.accepted)
    }

    #[zbus(property)]
    fn recovered(&self) -> u64 {
        self.get(|m| m.totals.recovered)
    }

    #[zbus(property)]
    fn rejected(&self) -> HashMap<&'static str, u64> {
        self.get(|m| {
            Reason::ALL.iter().map(|&reason| (reason.name(), m.totals.rejected[reason as usize])).collect()
        })
    }

    #[zbus(property)]
    fn storms(&self) -> u64 {
        self.get(|m| m.totals.storms)
    }

    #[zbus(property)]
    fn resyncs(&self) -> u64 {
        self.get(|m| m.totals.resyncs)
    }

    #[zbus(property)]
    fn health(&self) -> String {
        self.get(|m| m.health.clone())
    }

    #[zbus(property)]
    fn valve(&self) -> String {
        self.get(|m| m.valve.clone())
    }

    #[zbus(property)]
    fn phase(&self) -> String {
        let phase = self.get(|m| m.phase.clone());
        if phase.is_empty() { "unknown".to_owned() } else { phase }
    }

    #[zbus(property)]
    fn days_learned(&self) -> f64 {
        self.get(|m| finite(m.days_learned))
    }

    #[zbus(property)]
    fn envelope(&self) -> f64 {
        self.get(|m| finite(m.envelope_m3_per_h))
    }

    #[zbus(property)]
    fn read_every(&self) -> u64 {
        self.get(|m| m.read_every_ns)
    }

    #[zbus(property)]
    fn readings(&self) -> HashMap<&'static str, u64> {
        self.get(|m| m.readings.map(|counts| readings(&counts).into()).unwrap_or_default())
    }

    #[zbus(property)]
    fn sight(&self) -> String {
        self.get(|m| m.sight.clone())
    }

    #[zbus(property)]
    fn port(&self) -> String {
        self.on_port(|on| on.port.clone())
    }

    #[zbus(property)]
    fn protocol(&self) -> String {
        self.on_port(|on| on.protocol.clone())
    }

    #[zbus(property)]
    fn breaker(&self) -> &'static str {
        self.on_port(|on| on.breaker)
    }

    #[zbus(property)]
    fn failures(&self) -> u32 {
        self.on_port(|on| on.failures)
    }

    #[zbus(property)]
    fn last_error(&self) -> String {
        self.on_port(|on| on.last_error.clone())
    }

    #[zbus(property)]
    fn last_error_kind(&self) -> &'static str {
        self.on_port(|on| on.last_error_kind)
    }

    #[zbus(property)]
    fn next_probe(&self) -> u64 {
        self.on_port(|on| on.next_probe_ns)
    }

    #[zbus(property)]
    fn fields(&self) -> Vec<(String, String)> {
        self.on_port(|on| on.fields.clone())
    }

    #[zbus(property)]
    fn answers(&self) -> HashMap<&'static str, u64> {
        self.on_port(|on| {
            let counts = [("answers", on.answers), ("errors", on.errors)];
            counts.into_iter().chain(on.oddities.iter().map(|(name, count)| (*name, *count))).collect()
        })
    }

    #[zbus(property)]
    fn sensitivity(&self) -> Vec<HashMap<&'static str, Variant<'static>>> {
        self.get(|m| m.heard.iter().map(heard).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(all: &[(&str, Variant<'_>)]) -> Options {
        let owned = |(name, value): &(&str, Variant<'_>)| {
            ((*name).to_owned(), value.try_to_owned().expect("no descriptor is in it"))
        };
        all.iter().map(owned).collect()
    }

    #[test]
    fn a_report_is_taken_whole_or_not_at_all() {
        let good = values(&[("pressure_kpa", 2.1.into()), ("gas_alarm", true.into())]);
        let taken = report("kitchen".into(), &good).unwrap();
        assert_eq!((taken.pressure_kpa, taken.seismic_gal, taken.gas_alarm), (Some(2.1), None, Some(true)));
        for bad in [
            values(&[]),
            values(&[("pressure_kpa", f64::NAN.into())]),
            values(&[("pressure_kpa", 1_000.1.into())]),
            values(&[("seismic_gal", (-1.0).into())]),
            values(&[("seismic_gal", "200".into())]),
            values(&[("gas_alarm", 1_u32.into())]),
            values(&[("pressure_kpa", 2.1.into()), ("pressure_mbar", 21.0.into())]),
        ] {
            assert!(report("kitchen".into(), &bad).is_err(), "{bad:?}");
        }
    }
}
