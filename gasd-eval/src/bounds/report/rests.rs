// SPDX-License-Identifier: MIT OR Apache-2.0
//! 20 L/h, in homes with a zero hour and in those without.

use std::fmt::Write;

use super::Section;
use crate::bounds::rests::{LEAK_L_PER_H, Rests, pulses};
use crate::bounds::study::{Seen, Week};
use crate::system::report::{quantiles, rate, share, span};

/// Volumes of a pulse, L.
const PULSES_L: [f64; 3] = [10.0, 1.0, 0.1];
/// Fewer pulses show no flow.
const SHOWS: f64 = 2.0;
/// So many show it whatever came in between.
const SURELY: f64 = 5.0;
/// So many in a week show it, one here and one there.
const TOGETHER: f64 = 20.0;

/// Both tables.
pub fn section(seen: &[Seen]) -> Section {
    let mut out = String::from(
        "## 20 L/h in a home without a zero hour, within 7 days\n\n\
         Weeks of seasons in which less than 95 % of days have an hour without gas (in all homes with a pilot), and \
         the rests in them in which nothing but pilots burns: whether the longest is long enough for so many more \
         pulses of the leak than the pilots give, and whether all rests of ten minutes and more together are. A sound \
         home shows in such a rest that it has no leak; the last column counts weeks in which it cannot, where a rule \
         that warns unless it has seen one would cry. It cannot show what a meter's spacing and single pulses cost, nor a leak \
         that is only a rise of a boiler's flow, which follows the weather.\n\n\
         | home | pulse | weeks | longest rest 1 / 10 / 50 % | two more pulses in one rest | five | twenty in all rests | weeks without two, a meter-year of such seasons |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    let weeks: Vec<&Week> = seen.iter().flat_map(|s| &s.weeks).collect();
    let (mut possible, mut missing) = (String::new(), String::new());
    for (name, pilot) in [("all", None), ("with a pilot", Some(true)), ("without", Some(false))] {
        let mine: Vec<&Week> = weeks.iter().filter(|w| pilot.is_none_or(|p| w.pilot == p)).copied().collect();
        for pulse_l in PULSES_L {
            let enough = |rest: fn(&Week) -> u64, least: f64| {
                mine.iter().filter(|w| pulses(rest(w), pulse_l) >= least).count()
            };
            let longest = |w: &Week| w.rests.longest_ns;
            let two = enough(longest, SHOWS);
            if pulse_l == PULSES_L[0] && pilot.is_none() {
                possible = share(two, mine.len());
            }
            if pulse_l == PULSES_L[0] && pilot == Some(false) {
                missing = share(mine.len() - two, mine.len());
            }
            let _ = writeln!(
                out,
                "| {name} | {pulse_l} L | {} | {} | {} | {} | {} | {} |",
                mine.len(),
                quantiles(&[0.01, 0.1, 0.5], mine.iter().map(|w| longest(w) as f64 * 1e-9), span),
                share(two, mine.len()),
                share(enough(longest, SURELY), mine.len()),
                share(enough(|w| w.rests.all_ns, TOGETHER), mine.len()),
                rate((mine.len() - two) as u64, mine.len() as f64 * 7.0 / 365.25),
            );
        }
    }
    out.push('\n');
    let so = format!(
        "- **20 L/h in a home without a zero hour**: behind {} L a pulse {} of the weeks have a rest that shows the leak, \
         and in a sound home shows that there is none: only in the others (of homes without a pilot {}) do pulses forbid \
         the goal to one who waits for one rest; behind finer meters in none. What is missed beyond those is the \
         detector's, and excused by nothing here.\n",
        PULSES_L[0], possible, missing,
    );
    alike(&mut out, seen);
    let so = days(&mut out, seen) + &so;
    Section { tables: out, so }
}

/// Days of seasons with a zero hour; what follows, as an item of a list.
fn days(out: &mut String, seen: &[Seen]) -> String {
    let days: Vec<&Rests> = seen.iter().flat_map(|s| &s.days).collect();
    out.push_str(
        "\n## 20 L/h in a home with a zero hour, within 24 h\n\n\
         The 24 hours after midnight, 6, 12 and 18 o'clock of each day of seasons in which 95 % of days or more have an hour \
         without gas, and the longest rest in them: whether it is long enough for so many pulses of the leak. One who \
         tells it within 24 hours has seen no more than that.\n\n\
         | pulse | spans of 24 h | longest rest 1 / 10 / 50 % | two pulses in one rest | five |\n|---|---|---|---|---|\n",
    );
    let mut possible = String::new();
    for pulse_l in PULSES_L {
        let enough = |least: f64| days.iter().filter(|day| pulses(day.longest_ns, pulse_l) >= least).count();
        let [two, five] = [SHOWS, SURELY].map(|least| share(enough(least), days.len()));
        let longest = quantiles(&[0.01, 0.1, 0.5], days.iter().map(|day| day.longest_ns as f64 * 1e-9), span);
        let _ = writeln!(out, "| {pulse_l} L | {} | {longest} | {two} | {five} |", days.len());
        if pulse_l == PULSES_L[0] {
            possible = format!(
                "{two} of all spans of 24 hours have a rest that shows two of its pulses, {five} one that shows five"
            );
        }
    }
    format!(
        "- **20 L/h in a home with a zero hour**: behind {} L a pulse {possible}. What is missed beyond those is the \
         detector's.\n",
        PULSES_L[0],
    )
}

/// What one rest alone does not tell from the leak.
fn alike(out: &mut String, seen: &[Seen]) {
    let years = seen.iter().map(|s| f64::from(s.restless_days)).sum::<f64>() / 365.25;
    let _ = writeln!(
        out,
        "What in these seasons gives two pulses as {LEAK_L_PER_H} L/h does, to one who sees no other rest: a flow of \
         10–40 L/h that burns alone, as a stew does; and such that give as much as two hours of the leak. The generator's \
         pilots never change and are never relit, so no base flow imitates the leak here: about real homes it shows \
         nothing of that.\n"
    );
    out.push_str(
        "| pulse | meter-years of such seasons | two pulses, a meter-year | and 40 L |\n|---|---|---|---|\n",
    );
    for pulse_l in PULSES_L {
        let more = |least: f64| {
            let litres = seen.iter().flat_map(|s| &s.alike);
            rate(litres.filter(|litres| **litres >= least).count() as u64, years)
        };
        let (two, long) = (SHOWS * pulse_l, 2.0 * LEAK_L_PER_H);
        let _ = writeln!(out, "| {pulse_l} L | {years:.1} | {} | {} |", more(two), more(long.max(two)));
    }
}
