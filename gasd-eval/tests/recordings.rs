// SPDX-License-Identifier: MIT OR Apache-2.0
//! Recordings become flows that a gas meter could have seen.

use gasd_eval::household::calendar::DAY_NS;
use gasd_eval::leak::recordings::{folder, read};

#[test]
fn recordings_are_flows_of_homes() {
    let (all, missing) = read(&folder());
    for why in &missing {
        eprintln!("SKIPPED: {why}");
    }
    if missing.is_empty() {
        assert!(all.len() >= 10, "two of CIWS, two of WEUSEDTO, the homes of IDEAL");
    }
    for recording in all {
        let name = &recording.name;
        assert!(recording.days >= 60, "{name}: {} days", recording.days);
        let steps = &recording.steps;
        assert!(steps.windows(2).all(|p| p[0].t_ns < p[1].t_ns), "{name}: in order");
        assert!(steps.iter().all(|s| (0..12_000_000_000).contains(&s.ul_per_h)), "{name}: a flow");
        let end = u64::from(recording.days) * DAY_NS;
        let mut pulses = recording.pulses();
        let n = std::iter::from_fn(|| pulses.next_before(end)).count();
        let m3_a_year = n as f64 * recording.meter.pulse_l / 1000.0 / f64::from(recording.days) * 365.25;
        let largest = recording.largest_m3_per_h();
        let (zero, quiet) = (recording.season().zero_hour, recording.season().busy);
        let quiet = quiet.iter().filter(|b| **b <= 0.02).count();
        eprintln!(
            "{name}: {} days, {m3_a_year:.0} m³ a year, largest {largest:.2} m³/h, {zero:.2} of days with a zero hour, {quiet} quiet hours",
            recording.days
        );
        assert!((20.0..4000.0).contains(&m3_a_year), "{name}: {m3_a_year}");
        assert!((0.5..6.0).contains(&largest), "{name}: {largest}");
        assert!(zero > 0.9, "{name}: {zero}");
    }
}
