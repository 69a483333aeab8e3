// SPDX-License-Identifier: MIT OR Apache-2.0
//! How unlike the home the use under way is.

use super::flows::Flows;
use crate::units::{SECOND_NS, flow_m3_per_h, volume_ul};

/// A use ends after so long without gas, ns.
const REST_NS: u64 = 600 * SECOND_NS;
/// No gas is no more than twice the base flow, or this, m³/h, beyond it: a pilot flame's pulses keep no use alive.
const REST_M3_PER_H: f32 = 0.012;
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
    /// The first pulse that counts, ns, and what it brought, µL. 0: pulses were missed since, and its flow
    /// counts from the next one; then the volume is what had passed by that one, negative.
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
}

/// The part of a use that flowed in a less quiet hour: of one of 0.2 m³/h less than what is told passes in an hour, and
/// counted from its last hour alone it would be told after twice as much.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Earlier {
    /// What its hour proves; 0: there is none.
    hour: f32,
    /// What passed in it, µL, of that by its first pulse, µL, and for how long from there to the hour that counts, ns.
    run_ul: f32,
    first_ul: f32,
    span_ns: f32,
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
} beside { earlier });

crate::state::state!(Earlier { hour, run_ul, first_ul, span_ns });

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
        let span_ns = at_ns.saturating_sub(self.first_ns) as f32;
        let earlier = |run_ul| Earlier { hour: self.hour, run_ul, first_ul: self.first_ul, span_ns };
        // Of what was missed nobody knows the volume.
        self.earlier = before_ul
            .filter(|_| self.first_ns != 0 && self.first_ul >= 0.0)
            .map_or_else(Earlier::default, earlier);
        (self.first_ns, self.first_ul, self.hour, self.flow) = (at_ns.max(1), own_ul, hour, None);
    }

    /// `run_ul` have passed since it counts, by `now_ns`. Judges its flow once it is large, or as large as is told.
    pub fn passed(&mut self, run_ul: f32, tell_ul: f32, now_ns: u64) {
        if self.first_ns == 0 {
            (self.first_ns, self.first_ul) = (now_ns.max(1), -run_ul);
        }
        // What passed before pulses were missed is no part of what tells the flow.
        let counted_ul = run_ul + self.first_ul.min(0.0);
        let judges = self.flow.is_none() && counted_ul >= LARGE_UL.min(tell_ul);
        let large = self.large <= 0.0 && counted_ul >= LARGE_UL;
        if !judges && !large {
            return;
        }
        let span_ns = now_ns.saturating_sub(self.first_ns);
        let flow = flow_m3_per_h(f64::from(run_ul - self.first_ul.abs()), span_ns) as f32;
        if judges {
            self.flow = Some(self.strange(flow));
        }
        if large {
            self.large = flow;
        }
    }

    /// Pulses were missed, or the clock is another one: what is counted from here on and for how long it took do not belong
    /// together. A flow that was judged before is what it was.
    pub fn lose(&mut self) {
        self.first_ns = 0;
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
        let since_ns = self.first_ns.saturating_sub(earlier.span_ns as u64);
        let own_ul = f64::from(whole_ul - earlier.first_ul);
        let flow = flow_m3_per_h(own_ul, now_ns.saturating_sub(since_ns)) as f32;
        (earlier.hour + self.alone + self.strange(flow) < told).then_some((whole_ul, since_ns))
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
