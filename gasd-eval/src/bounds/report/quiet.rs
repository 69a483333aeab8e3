// SPDX-License-Identifier: MIT OR Apache-2.0
//! Leaks at quiet hours.

use std::fmt::Write;

use super::{BUDGETS, Section, judged, percent, with_budgets, years};
use crate::bounds::afford::{self, Cell};
use crate::bounds::bouts::LITRES;
use crate::bounds::quiet::{BANDS, Imitation};
use crate::bounds::study::{NOTIONS, Plan, Seen};
use crate::household::appliance::HomeType;
use crate::system::class::Class;
use crate::system::report::rate;
use crate::system::stats::garwood;

/// What one who watches takes for a leak: the name, and how far its flow may go from the mean.
const LOOKS: [(&str, f64); 3] =
    [("any flow", f64::INFINITY), ("steady within 10 %", 0.1), ("steady within 3 %", 0.03)];
/// Places in [`LITRES`] that are counted.
const AFTER: [usize; 2] = [0, 2];
/// What one who watches well takes for a leak, by place in [`LOOKS`].
const STEADY: usize = 1;
/// The last moment, by place in [`LITRES`].
const LAST: usize = 2;

/// What one knows who watches.
#[derive(Clone, Copy, PartialEq)]
enum Knows {
    Nothing,
    HomeAndFlow,
    WhatItHasShown,
}

impl Knows {
    const ALL: [(Self, &str); 3] = [
        (Self::Nothing, "nothing"),
        (Self::HomeAndFlow, "home and flow"),
        (Self::WhatItHasShown, "what it has shown"),
    ];
}

/// All three tables.
pub fn section(plan: &Plan, seen: &[Seen]) -> Section {
    let mut out = String::from(
        "## A leak of 0.2–2.5 m³/h at a quiet hour, within 150 L\n\n\
         What sound homes do that looks like such a leak: gas begins to flow, out of rest, in an hour of the season \
         with gas on 2 % of days at most, and when 100 or 150 L have passed its mean is 0.2–2.5 m³/h; any flow (pauses \
         that this meter's pulses do not show are none), or only such as never pauses and after 10 s stays so near to \
         its mean, as a leak does. A meter-year; it cannot show what a person would know of the night.\n\n\
         | home | meter-years |",
    );
    for after in AFTER {
        for (name, _) in LOOKS {
            let _ = write!(out, " {name}, {} L |", LITRES[after]);
        }
    }
    let _ = writeln!(out, "\n|---|---|{}", "---|".repeat(AFTER.len() * LOOKS.len()));
    counts(&mut out, plan, "all", seen, |_| true);
    for home in HomeType::ALL {
        counts(&mut out, plan, home.name(), seen, |s| s.home == home);
    }
    shares(&mut out, plan, seen);
    let so = notions(&mut out, plan, seen);
    Section { tables: out, so }
}

fn looks_like(imitation: &Imitation, after: usize, off: f64) -> bool {
    imitation.after == after && imitation.off <= off
}

fn counts(out: &mut String, plan: &Plan, name: &str, seen: &[Seen], mine: impl Fn(&Seen) -> bool) {
    let homes: Vec<&Seen> = seen.iter().filter(|s| mine(s)).collect();
    if homes.is_empty() {
        return;
    }
    let years = years(plan, homes.len());
    let _ = write!(out, "| {name} | {years:.1} |");
    for after in AFTER {
        for (_, off) in LOOKS {
            let all = homes.iter().flat_map(|s| &s.quiet[0].imitations);
            let n = all.filter(|i| looks_like(i, after, off)).count() as u64;
            let _ = write!(out, " {} |", rate(n, years));
        }
    }
    out.push('\n');
}

/// What one knows, sees and waits for.
#[derive(Clone, Copy)]
struct Watcher {
    /// What is taken for a quiet hour, by place in [`NOTIONS`].
    notion: usize,
    knows: Knows,
    /// By place in [`LITRES`].
    after: usize,
    /// How far a leak's flow may go from its mean.
    off: f64,
}

impl Watcher {
    /// Kinds of leaks that can be told apart, with what looks like them.
    fn cells(&self, seen: &[Seen]) -> Vec<Cell> {
        let place = |home: HomeType, band: usize, new: bool| match self.knows {
            Knows::Nothing => 0,
            Knows::HomeAndFlow => (home as usize * BANDS + band) * 2,
            Knows::WhatItHasShown => (home as usize * BANDS + band) * 2 + usize::from(new),
        };
        let mut cells = vec![Cell::default(); HomeType::ALL.len() * BANDS * 2];
        for s in seen {
            let quiet = &s.quiet[self.notion];
            for (band, leaks) in quiet.leaks.iter().enumerate() {
                for (new, leaks) in [(false, leaks[0]), (true, leaks[1])] {
                    cells[place(s.home, band, new)].leaks += leaks;
                }
            }
            for i in quiet.imitations.iter().filter(|i| looks_like(i, self.after, self.off)) {
                cells[place(s.home, i.band, i.new)].imitations += 1;
            }
        }
        cells
    }

    /// Leaks in hours that are taken for quiet.
    fn taken(&self, seen: &[Seen]) -> f64 {
        let missed: f64 = seen.iter().map(|s| s.quiet[self.notion].missed).sum();
        let taken: f64 = seen.iter().flat_map(|s| s.quiet[self.notion].leaks.as_flattened()).sum();
        if taken > 0.0 { taken / (taken + missed) } else { 0.0 }
    }

    /// What looks like a leak.
    fn imitations(&self, seen: &[Seen]) -> u64 {
        let all = seen.iter().flat_map(|s| &s.quiet[self.notion].imitations);
        all.filter(|i| looks_like(i, self.after, self.off)).count() as u64
    }

    /// The share of all leaks that can be told, by place in [`BUDGETS`].
    fn told(&self, seen: &[Seen], years: f64) -> [f64; BUDGETS.len()] {
        let (cells, taken) = (self.cells(seen), self.taken(seen));
        BUDGETS.map(|budget| taken * afford::share(&cells, budget * years))
    }
}

fn shares(out: &mut String, plan: &Plan, seen: &[Seen]) {
    let years = years(plan, seen.len());
    out.push_str(
        "\nThe share of such leaks that one can tell who tells them when so many litres have passed (140 L: the last \
         pulse of 10 L that surely comes in time) and may cry so often a meter-year: who cannot tell two things apart \
         cries at both or at neither. *Nothing*: all look alike (the interval is that of the count). *Home and flow*: \
         the kind of home and the sixth of the leaks' flows, those first that sound homes seldom imitate. *What it has \
         shown*: also whether this home had a flow within about 3 % before, for a minute and of one appliance. Chosen \
         by these very homes, which flatters. Here the watcher knows the seasons of three years; other gas that begins \
         during a leak and pulses of uneven spacing are not in it; and what is not known here (the hour, the weekday, \
         who is at home) could tell more.\n\n\
         | looks like a leak | after | knows |",
    );
    head(out, 3);
    // What is steady within 10 % is nearly always steady within 3: see the counts.
    for (name, off) in &LOOKS[..=STEADY] {
        let off = *off;
        for (after, litres) in LITRES.iter().enumerate() {
            for (knows, what) in Knows::ALL {
                let watcher = Watcher { notion: 0, knows, after, off };
                let _ = write!(out, "| {name} | {litres} L | {what} |");
                for (budget, share) in BUDGETS.iter().zip(watcher.told(seen, years)) {
                    let _ = write!(out, " {}", percent(share));
                    if knows == Knows::Nothing {
                        let (low, high) = garwood(watcher.imitations(seen));
                        let of = |mean: f64| (budget * years / mean).min(1.0);
                        let _ = write!(out, " ({:.1}–{:.1})", 100.0 * of(high), 100.0 * of(low));
                    }
                    out.push_str(" |");
                }
                out.push('\n');
            }
        }
    }
}

fn head(out: &mut String, columns: usize) {
    for budget in BUDGETS {
        let _ = write!(out, " told with {budget} |");
    }
    let _ = writeln!(out, "\n|{}", "---|".repeat(columns + BUDGETS.len()));
}

/// What it costs not to know the seasons.
fn notions(out: &mut String, plan: &Plan, seen: &[Seen]) -> String {
    let years = years(plan, seen.len());
    let _ = write!(
        out,
        "\nThe same at {} L, {}, for one who must find out which hours are quiet from the 60 days before: the share \
         of the leaks that fall into hours taken for quiet, what sound homes do in those, and the share of all leaks \
         that is told. It cannot show what one could make of longer memories or of hours beside.\n\n\
         | hours taken for quiet | leaks in them | look like a leak | knows |",
        LITRES[LAST], LOOKS[STEADY].0
    );
    head(out, 4);
    let mut most = [[0.0_f64; BUDGETS.len()]; NOTIONS.len()];
    let mut blind = most;
    for (notion, (name, _)) in NOTIONS.iter().enumerate() {
        for (knows, what) in Knows::ALL {
            let watcher = Watcher { notion, knows, after: LAST, off: LOOKS[STEADY].1 };
            let n = rate(watcher.imitations(seen), years);
            let _ = write!(out, "| {name} | {} | {n} | {what} |", percent(watcher.taken(seen)));
            for (i, share) in watcher.told(seen, years).into_iter().enumerate() {
                let _ = write!(out, " {} |", percent(share));
                most[notion][i] = most[notion][i].max(share);
                if knows == Knows::Nothing {
                    blind[notion][i] = share;
                }
            }
            out.push('\n');
        }
    }
    let goal = Class::QuietHour.share().unwrap_or(1.0);
    // Whichever of the two ways to find quiet hours is better.
    let learned = |of: &[[f64; BUDGETS.len()]]| -> [f64; BUDGETS.len()] {
        std::array::from_fn(|i| of[1..].iter().map(|m| m[i]).fold(0.0, f64::max))
    };
    let mut so = String::new();
    for (who, most, blind) in [
        ("the generator's seasons", most[0], blind[0]),
        ("the last 60 days", learned(&most), learned(&blind)),
    ] {
        let met = BUDGETS.iter().zip(&most).find(|(_, share)| **share >= goal).map(|(budget, _)| *budget);
        let costs = met.map_or("none of these meets the goal".into(), |b| {
            format!("the goal is met with {b} a meter-year")
        });
        let _ = writeln!(
            so,
            "- **A leak at a quiet hour, for one who sees each flow exactly and knows {who}**: told at most {} false \
             warnings a meter-year, of {} asked (who takes all such flows for alike, {}). Here {costs}: {}.",
            with_budgets(&most),
            percent(goal),
            with_budgets(&blind),
            judged(met),
        );
    }
    so
}
