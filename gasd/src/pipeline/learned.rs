// SPDX-License-Identifier: MIT OR Apache-2.0
//! What was learned of a home, over restarts: saved now and then, never pulse by pulse; used again at a start
//! or a reload; and kept aside, loudly, where it cannot be.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::{
    config::show::volume,
    journal::{self, Note, what::What},
    response::clock::Now,
    store::{Change, Learned, codec::Record as _},
};

use super::{
    detector::{Detector, Setup},
    engine::Engine,
    meter::MeterRun,
};

/// How often it is saved. An hour of a home is quickly learned again.
pub const EVERY: Duration = Duration::from_secs(3_600);

/// What is on the disk, or on its way there, by meter.
#[derive(Debug)]
pub struct Memory {
    rows: HashMap<String, Vec<u8>>,
    saved: Instant,
}

impl Memory {
    /// With what a store said.
    #[must_use]
    pub fn new(loaded: &[(String, Vec<u8>)]) -> Self {
        Self { rows: loaded.iter().cloned().collect(), saved: Instant::now() }
    }

    /// Gives a meter what was learned of its home, if anything was. What cannot be used is kept aside: the
    /// row for that is returned, and the journal is told why.
    pub fn recall(&mut self, meter: &mut MeterRun, now: Now) -> Option<Change> {
        let bytes = self.rows.get(&meter.id)?;
        let why = meter.recall(bytes, now).err()?;
        let bytes = self.rows.remove(&meter.id)?;
        Some(set_aside(&meter.id, bytes, &why))
    }
}

/// A row that keeps aside what a meter cannot use; the journal is told why.
fn set_aside(meter: &str, bytes: Vec<u8>, why: &str) -> Change {
    let key = Learned::aside(meter);
    let text = format!(
        "meter \"{meter}\": what was learned of its home is not used: {why}; it is kept aside in the store as \
         \"{key}\", and learning begins anew"
    );
    journal::tell(Note::new(What::LearnedLost, text).meter(meter));
    Change::Learned { key, bytes }
}

/// An engine that goes on from what was saved. Pulses may have come since; where the clock is another one, what was
/// under way is forgotten and times are moved.
///
/// # Errors
/// In words, why it cannot.
pub fn restore(setup: Setup, bytes: &[u8], now: Now) -> Result<Detector, String> {
    let learned = Learned::decode(bytes).map_err(|error| error.to_string())?;
    match (setup, learned.register) {
        (Setup::Pulses(_), true) => {
            return Err("it was learned from readings of a register, and pulses are counted now".to_owned());
        }
        (Setup::Register(_), false) => {
            return Err("it was learned from pulses, and the register is read now".to_owned());
        }
        _ => {}
    }
    if let Setup::Pulses(config) = setup
        && learned.pulse_volume_ul != config.pulse_volume_ul
    {
        return Err(format!(
            "it was learned from pulses of {}, and they are of {} now",
            volume(learned.pulse_volume_ul),
            volume(config.pulse_volume_ul)
        ));
    }
    let mut detector = Detector::restore(setup, &learned.state)?;
    let saved = Now { unix_us: learned.unix_us, boottime_ns: learned.boottime_ns, boot: learned.boot };
    detector.clock_moved(moved_ns(saved, now));
    // Somebody may have opened it meanwhile, and pulses that waited come before the valve is looked at.
    detector.forget_valve();
    Ok(detector)
}

/// A clock on the wall that says less was never set, Unix time in µs: 2025-01-01.
const PLAUSIBLE_US: u64 = 1_735_689_600_000_000;
/// Clocks on the wall are set by less than this without anybody noticing, ns.
const SET_NS: i64 = 5_000_000_000;

/// What `CLOCK_BOOTTIME` says later now than the clock of the saved times would: 0 within one boot, whatever the clock
/// on the wall was set to. After a reboot that one tells; where it is not set, no time has passed as far as anybody
/// knows. What was saved is never later than now.
pub(crate) fn moved_ns(saved: Now, now: Now) -> i64 {
    let known = saved.boot != 0 && now.boot != 0;
    if known && saved.boot == now.boot {
        return 0;
    }
    let apart = |late: u64, early: u64| late.cast_signed().saturating_sub(early.cast_signed());
    let clock_ns = apart(now.boottime_ns, saved.boottime_ns);
    if saved.unix_us.min(now.unix_us) < PLAUSIBLE_US {
        return if clock_ns >= 0 && !known { 0 } else { clock_ns };
    }
    let wall_ns = apart(now.unix_us, saved.unix_us).saturating_mul(1_000);
    let moved = clock_ns.saturating_sub(wall_ns);
    if clock_ns >= 0 && moved.abs() < SET_NS && !known { 0 } else { moved.min(clock_ns) }
}

/// What an engine has learned, as it is stored.
#[must_use]
pub fn save(detector: &Detector, pulse_volume_ul: u64, now: Now) -> Vec<u8> {
    let Now { unix_us, boottime_ns, boot } = now;
    let register = detector.register().is_some();
    Learned { unix_us, boottime_ns, boot, pulse_volume_ul, register, state: detector.save() }.encode()
}

impl Engine {
    /// Saves what was learned if that is due.
    pub(super) fn save_learned_if_due(&mut self, now: Now) {
        if self.learned.saved.elapsed() >= EVERY {
            self.save_learned(now, |_| true);
            self.learned.saved = Instant::now();
        }
    }

    /// Saves what was learned of those meters, and with it their totals: a register's reading must not be in the
    /// one and not in the other. Does not wait for the disk.
    pub(super) fn save_learned(&mut self, now: Now, which: impl Fn(&MeterRun) -> bool) {
        let bases = self.bases();
        let rows: Vec<(String, Vec<u8>)> = self
            .meters
            .iter()
            .filter(|meter| which(meter))
            .map(|meter| (meter.id.clone(), meter.learned(now)))
            .collect();
        self.learned.rows.extend(rows.iter().cloned());
        let learned = rows.into_iter().map(|(key, bytes)| Change::Learned { key, bytes });
        let totals = bases.into_iter().map(|(meter, base)| Change::Base { meter, base });
        self.writer.push(totals.chain(learned).collect());
    }

    /// What was learned before a change of the configuration cannot be used after it: it is kept aside. What was kept
    /// there before is gone on from, if it can be used again: the change was taken back.
    pub(super) fn learned_lost(&mut self, meter: &mut MeterRun, bytes: Vec<u8>, why: &str, now: Now) {
        let key = Learned::aside(&meter.id);
        let before = self.learned.rows.remove(&key);
        self.learned.rows.remove(&meter.id);
        let back = before.as_ref().is_some_and(|before| meter.recall(before, now).is_ok());
        if back {
            let text = format!(
                "meter \"{}\": what was learned of its home before the configuration was changed is used again",
                meter.id
            );
            journal::tell(Note::new(What::LearnedBack, text).meter(&meter.id));
        }
        self.learned.rows.insert(key, bytes.clone());
        let row = set_aside(&meter.id, bytes, why);
        self.writer.push(vec![row]);
    }
}

#[cfg(test)]
mod tests {
    use gasd_detect::{DEFAULT_THRESHOLDS_M3_PER_H, Engine, EngineConfig, Profile};

    use super::*;

    fn config(pulse_volume_ul: u64) -> Setup {
        Setup::Pulses(EngineConfig {
            pulse_volume_ul,
            max_flow_ul_per_h: 6_000_000_000,
            thresholds_m3_per_h: DEFAULT_THRESHOLDS_M3_PER_H,
            rules: Profile::default().rules(),
        })
    }

    fn known(detector: &Detector) -> [u32; 2] {
        let engine = detector.engine();
        [engine.days_learned().to_bits(), engine.envelope_m3_per_h().to_bits()]
    }

    const NOW: Now = Now { unix_us: 1_790_000_500_000_000, boottime_ns: 500_000_000_000_000, boot: 7 };

    /// Five days with an hour of cooking each.
    fn lived() -> Detector {
        let Setup::Pulses(config) = config(10_000_000) else { panic!("pulses") };
        let mut engine = Engine::new(config);
        engine.set_civil_offset(1_790_000_000_000_000_000);
        for day in 0..5u64 {
            for pulse in 0..60 {
                let t_ns = (day * 86_400 + 36_000 + pulse * 60) * 1_000_000_000;
                engine.pulse(t_ns, t_ns);
            }
        }
        Detector::Pulses(Box::new(engine))
    }

    #[test]
    fn what_was_saved_is_there_again() {
        let engine = lived();
        let bytes = save(&engine, 10_000_000, NOW);
        assert!(bytes.len() <= 4096 + 64, "{}", bytes.len());
        let again = restore(config(10_000_000), &bytes, NOW).unwrap();
        assert!(again.engine().days_learned() > 0.0);
        assert_eq!(known(&again), known(&engine));
    }

    #[test]
    fn a_clock_that_began_anew_is_reckoned_from_the_one_on_the_wall() {
        let at = |unix_s: u64, boottime_s: u64| Now {
            unix_us: unix_s * 1_000_000,
            boottime_ns: boottime_s * 1_000_000_000,
            boot: 0,
        };
        let unix = 1_790_000_000;
        let saved = at(unix, 5_000);
        for (now, moved_s) in [
            (at(unix + 60, 5_060), 0),
            (at(unix + 62, 5_060), 0),
            // A reboot, after which the clock says less; and a long one, after which it says more.
            (at(unix + 60, 20), -5_040),
            (at(unix + 86_400, 9_000), -82_400),
            // No clock on the wall.
            (at(100, 20), -4_980),
            (at(100, 6_000), 0),
        ] {
            assert_eq!(moved_ns(saved, now), moved_s * 1_000_000_000, "{now:?}");
        }
        assert_eq!(moved_ns(at(100, 5_000), at(unix, 20)), -4_980 * 1_000_000_000);
    }

    #[test]
    fn a_clock_on_the_wall_that_is_set_moves_nothing_within_one_boot_and_never_makes_a_time_of_tomorrow() {
        let at = |unix_s: u64, boottime_s: u64, boot| Now {
            unix_us: unix_s * 1_000_000,
            boottime_ns: boottime_s * 1_000_000_000,
            boot,
        };
        let unix = 1_790_000_000;
        let saved = at(unix, 5_000, 7);
        for now_s in [unix - 30 * 86_400, unix + 60, unix + 30 * 86_400] {
            assert_eq!(moved_ns(saved, at(now_s, 5_060, 7)), 0);
        }
        // Another boot that is as old by now: what was saved is of now, as far as anybody knows.
        assert_eq!(moved_ns(at(100, 30, 7), at(100, 50, 8)), 20 * 1_000_000_000);
        // Another boot, after which the wall says that it is a month before.
        for now in [at(unix - 30 * 86_400, 20, 8), at(unix - 30 * 86_400, 9_000, 8)] {
            let moved = saved.boottime_ns.cast_signed() + moved_ns(saved, now);
            assert!(moved <= now.boottime_ns.cast_signed(), "{moved}");
        }
    }

    #[test]
    fn after_a_reboot_nothing_that_was_learned_is_lost_and_the_gas_may_go_on() {
        let engine = lived();
        let bytes = save(&engine, 10_000_000, NOW);
        let now = Now { unix_us: NOW.unix_us + 3_600_000_000, boottime_ns: 30_000_000_000, boot: 8 };
        let mut again = restore(config(10_000_000), &bytes, now).unwrap();
        again.set_civil_offset((now.unix_us * 1_000 - now.boottime_ns).cast_signed());
        assert_eq!(known(&again), known(&engine));
        let Detector::Pulses(again) = &mut again else { panic!("pulses") };
        for pulse in 0..30 {
            let t_ns = now.boottime_ns + pulse * 60_000_000_000;
            assert_eq!(again.pulse(t_ns, t_ns), None);
            assert_eq!(again.tick(t_ns + 1_000_000_000), None);
        }
    }

    #[test]
    fn what_cannot_be_used_says_why() {
        let bytes = save(&lived(), 10_000_000, NOW);
        let why = restore(config(1_000_000), &bytes, NOW).unwrap_err();
        assert_eq!(why, "it was learned from pulses of 10 L, and they are of 1 L now");
        for cut in [0, 1, 20, bytes.len() - 1] {
            assert!(restore(config(10_000_000), &bytes[..cut], NOW).is_err(), "{cut}");
        }
        let mut newer = bytes;
        newer[0] = 9;
        assert!(restore(config(10_000_000), &newer, NOW).unwrap_err().contains("version 9"));
    }
}
