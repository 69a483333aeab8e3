// SPDX-License-Identifier: MIT OR Apache-2.0
//! How unlike the home the use under way is.

use super::flows::Flows;
use crate::units::{SECOND_NS, flow_m3_per_h, volume_ul};

/// A use ends after so long without gas, ns.
pub(super) const REST_NS: u64 = 600 * SECOND_NS;
/// No gas is no more than twice the base flow, or this, m³/h, beyond it: a pilot flame's pulses keep no use alive.
const REST_M3_PER_H: f32 = 0.012;
/// A flow is not told from less of a use that was large or is told, as a part: of one that lost pulses only what lies
/// between two that were seen tells it.
const TELLS_FLOW: f32 = 0.5;
/// A use of so much is large, µL: its flow is learned, and held against those of the large uses before it.
const LARGE_UL: f32 = 100e6;
/// How much the logarithm of the share of large uses with about its flow weighs, and of those with the same within what
/// pressure changes; see [`super::hours`].
const ABOUT: f32 = 0.71;
const SAME: f32 = 0.9;
/// How much the logarithm of the rest before it weighs, in parts of so long, between the shortest that counts and the
/// longest, ns: people who are about use gas again within the hour, and a leak waits for nobody.
const ALONE: f32 = 0.6;
const ALONE_NS: f32 = 3.0 * 3600e9;
const SOON_NS: f32 = 0.75 * 3600e9;
const LATE_NS: f32 = 4.0 * 3600e9;

/// The use under way, and the flows of those before it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Oddity {
    /// For how long nothing has flowed but the base flow, ns.
    rest_ns: u64,
    /// What the rest before the use under way proves.
    alone: f32,
    /// The first pulse that counts since the last that was missed, ns, and what had passed of the use by then, µL.
    /// 0: the next one is it.
    first_ns: u64,
    /// See `first_ns`.
    first_ul: f32,
    /// The civil hour up to which it was judged, in hours since the epoch.
    pub judged: u64,
    /// The hour before that was a used one.
    pub before: bool,
    /// Days with any use in each hour, forgotten within a season.
    pub any: [f32; 24],
    /// What the hour proves from which it counts: the less, the less the home is used to it; 0 is nothing.
    pub hour: f32,
    /// What its flow proves; none before it is large.
    pub flow: Option<f32>,
    /// Its flow when it was first large, m³/h, which is learned once it is over; 0 before.
    large: f32,
    flows: Flows,
    /// The part of the use before the hour from which it counts, which is a quieter one. Stored behind all else.
    pub earlier: Earlier,
    /// What was seen of the use before the last pulse that was missed. Stored behind all else.
    pub kept: Seen,
}

/// What passed between pulses that were seen one after the other, µL, and in what time, ns: together they tell a flow.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Seen {
    ul: f32,
    ns: f32,
}

impl Seen {
    fn and(self, more: Self) -> Self {
        Self { ul: self.ul + more.ul, ns: self.ns + more.ns }
    }

    /// Its mean, m³/h.
    fn flow(self) -> f32 {
        flow_m3_per_h(f64::from(self.ul), self.ns as u64) as f32
    }
}

/// The part of a use that flowed in a less quiet hour: of one of 0.2 m³/h less than what is told passes in an hour, and
/// counted from its last hour alone it would be told after twice as much.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Earlier {
    /// What its hour proves; 0: there is none.
    hour: f32,
    /// What passed in it, µL.
    run_ul: f32,
    /// What was seen of it up to the first pulse of the hour that counts.
    seen: Seen,
}

crate::state::state!(Oddity {
    rest_ns,
    alone,
    first_ns,
    first_ul,
    judged,
    before,
    any,
    hour,
    flow,
    large,
    flows
} beside { earlier, kept });

crate::state::state!(Earlier { hour, run_ul, seen });
crate::state::state!(Seen { ul, ns });

impl Oddity {
    /// `own_ul` (µL) beyond a base flow of `base` m³/h passed from `from_ns` to `to_ns`, and nothing from `seen_ns`, the
    /// pulse before, to `from_ns`. Whether the gas has rested, so that it is a new use.
    pub fn rested(&mut self, own_ul: f32, base: f32, (from_ns, to_ns): (u64, u64), seen_ns: u64) -> bool {
        let gap_ns = to_ns.saturating_sub(seen_ns);
        let least = volume_ul(f64::from(base.max(REST_M3_PER_H)), to_ns.saturating_sub(from_ns));
        let rests = f64::from(own_ul) < least;
        self.rest_ns = if rests { self.rest_ns.saturating_add(gap_ns) } else { 0 };
        let rest_ns = self.rest_ns.max(gap_ns);
        let rested = rest_ns >= REST_NS;
        if rested {
            self.alone = -ALONE * ((rest_ns as f32).clamp(SOON_NS, LATE_NS) / ALONE_NS).ln();
        }
        if rested && self.large > 0.0 {
            self.flows.learn(core::mem::take(&mut self.large));
        }
        rested
    }

    /// It counts from the pulse at `at_ns` on, which brought `own_ul`, and its hour proves `hour`; `before_ul` (µL) passed
    /// of it in less quiet hours, if it goes on from there.
    pub fn begin(&mut self, at_ns: u64, own_ul: f32, hour: f32, before_ul: Option<f32>) {
        self.earlier = before_ul.map_or_else(Earlier::default, |run_ul| Earlier {
            hour: self.hour,
            run_ul,
            seen: self.seen(run_ul + own_ul, at_ns),
        });
        (self.first_ns, self.first_ul, self.kept) = (at_ns.max(1), own_ul, Seen::default());
        (self.hour, self.flow) = (hour, None);
    }

    /// What was seen of the use when `run_ul` (µL) have passed by a pulse at `now_ns`.
    fn seen(&self, run_ul: f32, now_ns: u64) -> Seen {
        if self.first_ns == 0 {
            return self.kept;
        }
        let ul = (run_ul - self.first_ul).max(0.0);
        self.kept.and(Seen { ul, ns: now_ns.saturating_sub(self.first_ns) as f32 })
    }

    /// `run_ul` have passed since it counts, by `now_ns`. Judges its flow once it is large, or as large as is told.
    pub fn passed(&mut self, run_ul: f32, tell_ul: f32, now_ns: u64) {
        if self.first_ns == 0 {
            (self.first_ns, self.first_ul) = (now_ns.max(1), run_ul);
        }
        let least_ul = LARGE_UL.min(tell_ul);
        let judges = self.flow.is_none() && run_ul >= least_ul;
        let large = self.large <= 0.0 && run_ul >= LARGE_UL;
        if !judges && !large {
            return;
        }
        let seen = self.seen(run_ul, now_ns);
        if seen.ul < TELLS_FLOW * least_ul {
            return;
        }
        if judges {
            self.flow = Some(self.strange(seen.flow()));
        }
        if large {
            self.large = seen.flow();
        }
    }

    /// Pulses were missed, or the clock is another one, when `run_ul` had passed by the last pulse at `last_ns`: what passed
    /// and for how long it took do not belong together there. A flow that was judged before is what it was.
    pub fn lose(&mut self, run_ul: f32, last_ns: u64) {
        self.kept = self.seen(run_ul, last_ns);
        self.first_ns = 0;
    }

    /// The state is of version 5 or before: what had passed by the first pulse is negative where pulses were missed before
    /// it, and what the hour before was is said in another way.
    pub fn lose_earlier(&mut self) {
        self.first_ul = self.first_ul.abs();
        self.earlier = Earlier::default();
    }

    /// Whether all that is known of it proves more than `told`.
    pub fn odd(&self, told: f32) -> bool {
        self.hour < 0.0 && self.flow.is_some_and(|flow| self.hour + self.alone + flow < told)
    }

    /// The volume of the whole use, µL, and since when, ns, if it is `tell_ul` with what passed in the hour before, and proves
    /// more than `told` by that hour. `run_ul` have passed since, by `now_ns`.
    pub fn odd_earlier(&self, run_ul: f32, tell_ul: f32, told: f32, now_ns: u64) -> Option<(f32, u64)> {
        let earlier = self.earlier;
        let whole_ul = earlier.run_ul + run_ul;
        if earlier.hour >= 0.0 || earlier.run_ul >= tell_ul || whole_ul < tell_ul {
            return None;
        }
        let seen = earlier.seen.and(self.seen(run_ul, now_ns));
        let since_ns = now_ns.saturating_sub(seen.ns as u64);
        let proves = earlier.hour + self.alone + self.strange(seen.flow());
        (seen.ul >= TELLS_FLOW * tell_ul && proves < told).then_some((whole_ul, since_ns))
    }

    /// What a flow of so many m³/h proves.
    fn strange(&self, flow: f32) -> f32 {
        ABOUT * self.flows.about(flow).ln() + SAME * self.flows.same(flow).ln()
    }

    /// The hour in which it began to count is one with hardly any use.
    pub fn hour_is_quiet(&self) -> bool {
        self.hour < 0.0
    }

    /// A day has passed.
    pub fn forget(&mut self) {
        self.flows.forget();
    }
}
