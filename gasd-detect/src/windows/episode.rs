// SPDX-License-Identifier: MIT OR Apache-2.0
//! From slopes to findings: suspicion, confirmation, follow-up.
//!
//! * **Suspicion**: the 1 s slope reaches its threshold, and so does the sure flow (see `track`).
//! * **Confirmation** ([`Kind::Surge`], critical): while suspected, the 5 s slope and its sure flow
//!   reach theirs, each of the last two intervals does by itself, and the suspicion is 2 s old: the
//!   short window has been renewed whole. The last is why an ignition spike of up to a second on top
//!   of a steady 4.5 m³/h, whose 5 s slope is above 3.2 all the time, does not close the valve. It
//!   costs nothing from idle, where the 5 s slope needs 2 s at 8 m³/h anyway.
//! * **One Surge an episode**: armed again once the 1 s slope has stayed below its threshold for
//!   10 s. The other thresholds do not hold it off: a boiler at 2.8 m³/h after an alarm would
//!   otherwise hide the next one.
//! * **Follow-up**, one a suspicion, 30 s after it began: sustained if the 30 s slope is above its
//!   threshold and gas still flows at that rate, transient if it is below; while neither is so (the
//!   flow has stopped but the mean is still high, or the next coarse pulse is overdue) it waits for
//!   what decides. A second surge inside those 30 s shares the later follow-up.
//! * **A suspicion that never confirms** is at most an info, and at most one in 10 minutes; the
//!   others are counted.

use crate::units::SECOND_NS;
use crate::verdict::{Kind, Rule, Severity};
use crate::windows::track::Track;

/// The three windows, ns.
pub(crate) const WINDOWS_NS: [u64; 3] = [SECOND_NS, 5 * SECOND_NS, 30 * SECOND_NS];

/// A suspicion of this age, ns, is not made by a spike shorter than the short window.
pub(crate) const CONFIRM_AGE_NS: u64 = 2 * SECOND_NS;

/// Armed again after so long below the short threshold, ns.
const REARM_NS: u64 = 10 * SECOND_NS;

/// Unconfirmed suspicions are said once in this time, ns.
const INFO_NS: u64 = 600 * SECOND_NS;

/// What was found, without its evidence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Finding {
    pub kind: Kind,
    pub severity: Severity,
    pub rule: Rule,
    pub t_ns: u64,
}

#[derive(Clone, Copy, Debug)]
struct Suspicion {
    began_ns: u64,
    seen_ns: u64,
}

#[derive(Clone, Copy, Debug)]
struct FollowUp {
    began_ns: u64,
    confirmed: bool,
}

/// Where one meter stands.
#[derive(Clone, Debug, Default)]
pub(crate) struct Episode {
    suspicion: Option<Suspicion>,
    follow_up: Option<FollowUp>,
    /// A surge was said and the engine is not armed again.
    surging: bool,
    below_since_ns: Option<u64>,
    info_ns: Option<u64>,
    suppressed: u64,
}

impl Episode {
    /// Whether time alone may bring something.
    pub fn is_busy(&self) -> bool {
        self.surging || self.follow_up.is_some()
    }

    /// Suspicions that were never confirmed and not said either.
    pub fn suppressed(&self) -> u64 {
        self.suppressed
    }

    /// The intervals are gone: a suspicion that rested on them is too; a follow-up stays owed.
    pub fn forget_intervals(&mut self) {
        self.suspicion = None;
        self.below_since_ns = None;
    }

    /// The clock started anew at `t_ns`.
    pub fn restart_clock(&mut self, t_ns: u64) {
        self.forget_intervals();
        self.info_ns = None;
        if let Some(follow_up) = &mut self.follow_up {
            follow_up.began_ns = t_ns;
        }
    }

    /// A pulse at `t_ns` was taken into `track`.
    pub fn on_pulse(&mut self, t_ns: u64, track: &Track, th: &[f64; 3]) -> Option<Finding> {
        if !self.surging
            && let Some(began_ns) = self.suspect(t_ns, track, th)
            && confirms(t_ns.saturating_sub(began_ns), t_ns, track, th)
        {
            self.surging = true;
            self.suspicion = None;
            self.below_since_ns = None;
            self.follow_up = Some(FollowUp { began_ns, confirmed: true });
            return Some(Finding {
                kind: Kind::Surge,
                severity: Severity::Critical,
                rule: Rule::Confirmed5s,
                t_ns: began_ns,
            });
        }
        self.on_time(t_ns, track, th)
    }

    /// Time has come to `now_ns`.
    pub fn on_time(&mut self, now_ns: u64, track: &Track, th: &[f64; 3]) -> Option<Finding> {
        self.rearm(now_ns, track, th);
        self.follow_up(now_ns, track, th)
    }

    /// Since when a surge is suspected, if it is at `t_ns`.
    fn suspect(&mut self, t_ns: u64, track: &Track, th: &[f64; 3]) -> Option<u64> {
        let suspected = track.sure(WINDOWS_NS[0]) >= th[0] && track.mean(WINDOWS_NS[0], t_ns).flow >= th[0];
        if !suspected {
            // A dip of less than the window, as from one late pulse, does not end it.
            let ended = |s: &Suspicion| t_ns.saturating_sub(s.seen_ns) >= WINDOWS_NS[0];
            if self.suspicion.as_ref().is_some_and(ended) {
                self.suspicion = None;
            }
            return None;
        }
        let began_ns = self.suspicion.map_or_else(|| track.onset(th[0]), |s| s.began_ns);
        self.suspicion = Some(Suspicion { began_ns, seen_ns: t_ns });
        self.follow_up.get_or_insert(FollowUp { began_ns, confirmed: false });
        Some(began_ns)
    }

    fn rearm(&mut self, now_ns: u64, track: &Track, th: &[f64; 3]) {
        if !self.surging {
            return;
        }
        if track.mean(WINDOWS_NS[0], now_ns).flow >= th[0] {
            self.below_since_ns = None;
            return;
        }
        let since_ns = *self.below_since_ns.get_or_insert(now_ns);
        if now_ns.saturating_sub(since_ns) >= REARM_NS {
            self.surging = false;
            self.below_since_ns = None;
        }
    }

    fn follow_up(&mut self, now_ns: u64, track: &Track, th: &[f64; 3]) -> Option<Finding> {
        let FollowUp { began_ns, confirmed } = self.follow_up?;
        if now_ns.saturating_sub(began_ns) < WINDOWS_NS[2] {
            return None;
        }
        let long = track.mean(WINDOWS_NS[2], now_ns);
        let known = long.span_ns >= WINDOWS_NS[2];
        let (kind, severity, rule) = if known && long.flow < th[2] {
            (Kind::TransientFlow, Severity::Info, Rule::Transient30s)
        } else if !confirmed {
            (Kind::TransientFlow, Severity::Info, Rule::Unconfirmed5s)
        } else if known && !track.overdue(now_ns) && track.mean(WINDOWS_NS[0], now_ns).flow >= th[2] {
            (Kind::SustainedFlow, Severity::Critical, Rule::Sustained30s)
        } else {
            return None;
        };
        self.follow_up = None;
        if !confirmed {
            self.suspicion = None;
            if self.info_ns.is_some_and(|t| now_ns.saturating_sub(t) < INFO_NS) {
                self.suppressed = self.suppressed.saturating_add(1);
                return None;
            }
            self.info_ns = Some(now_ns);
        }
        Some(Finding { kind, severity, rule, t_ns: began_ns })
    }
}

/// Whether a suspicion `age_ns` old at a pulse at `t_ns` is confirmed.
fn confirms(age_ns: u64, t_ns: u64, track: &Track, th: &[f64; 3]) -> bool {
    age_ns >= CONFIRM_AGE_NS
        && track.mean(WINDOWS_NS[1], t_ns).flow >= th[1]
        && track.sure(WINDOWS_NS[1]) >= th[1]
        && track.each_reaches(th[1])
}

crate::state::state!(Suspicion { began_ns, seen_ns });
crate::state::state!(FollowUp { began_ns, confirmed });
crate::state::state!(Episode { suspicion, follow_up, surging, below_since_ns, info_ns, suppressed });
