// SPDX-License-Identifier: MIT OR Apache-2.0
//! A line as the replay plays it: the filter sees times as interrupts would tell them, and a level
//! only where the running daemon could have read it.
//!
//! * A row is one interrupt, without a level.
//! * The line is read when the filter wants it ([`filter::due`]) and, while it is settled, at every
//!   poll, without latency; what is read is the level after the line's last row. A reading at the
//!   time of a row comes before it, so a closure of just the minimum width counts.
//! * The daemon has run since before the trace: each line is read when the trace begins, at the
//!   level before its first row. A contact closed from the start is therefore no pulse.
//! * Two rows of a line with the same level have lost a transition between them. When it happened is
//!   not known. It is taken to have happened just early enough that the last possible poll of the
//!   settled line and the reading that confirms it, one minimum width later, come before the
//!   second row. Between rows closer than that nobody could have read it: the filter finds its
//!   parity wrong at the next reading, as it would on the wall.
//! * A poll that finds what is presumed only tells the filter that it is being read. Of those the
//!   last before each row is played and the others are left out.
//!
//! Lines do not influence one another, so each runs up to its own next row and not in steps with the
//! others; [`LineModel::run`] brings it up to a common time. Memory per line is constant.

use gasd_abi::FilterConfig;
use gasd_abi::filter::{self, FilterState};

use super::backend::{BackendError, FilterBackend};

/// One meter's line.
#[derive(Clone, Debug)]
pub struct LineModel {
    meter: usize,
    config: FilterConfig,
    poll_ns: u64,
    /// The level after the last row.
    level: u8,
    /// Whether there was a row.
    known: bool,
    /// Time of the trace's first row, where the polls begin.
    start_ns: u64,
}

impl LineModel {
    /// The line of the meter with index `meter`, polled every `poll_ns`.
    #[must_use]
    pub fn new(meter: usize, config: FilterConfig, poll_ns: u64) -> Self {
        Self { meter, config, poll_ns: poll_ns.max(1), level: 0, known: false, start_ns: 0 }
    }

    /// The next transition: to `level` at `t_ns`, in a trace that began at `start_ns`.
    pub fn row<B: FilterBackend + ?Sized>(
        &mut self,
        backend: &mut B,
        start_ns: u64,
        t_ns: u64,
        level: u8,
    ) -> Result<(), BackendError> {
        let before = level ^ 1;
        if !self.known {
            self.known = true;
            self.start_ns = start_ns;
            self.level = before;
            backend.sample(self.meter, start_ns, before, 0)?;
        }
        let mut state = self.read_due(backend, t_ns)?;
        if self.level != before
            && let Some(poll) = self.poll_of_lost(&state, t_ns)
        {
            self.level = before;
            backend.sample(self.meter, poll, before, state.edges)?;
            state = self.read_due(backend, t_ns)?;
        }
        if let Some(poll) = self.last_poll(&state, t_ns) {
            backend.sample(self.meter, poll, self.level, state.edges)?;
        }
        self.level = level;
        backend.edge(self.meter, t_ns)
    }

    /// Takes all readings that the filter wants up to and including `until_ns`.
    pub fn run<B: FilterBackend + ?Sized>(
        &mut self,
        backend: &mut B,
        until_ns: u64,
    ) -> Result<(), BackendError> {
        if self.known {
            self.read_due(backend, until_ns)?;
        }
        Ok(())
    }

    #[inline]
    fn read_due<B: FilterBackend + ?Sized>(
        &self,
        backend: &mut B,
        until_ns: u64,
    ) -> Result<FilterState, BackendError> {
        let mut state = backend.state(self.meter)?;
        while let Some(due) = filter::due(&self.config, &state) {
            let at = due.max(state.since_ns);
            if at > until_ns {
                break;
            }
            backend.sample(self.meter, at, self.level, state.edges)?;
            let next = backend.state(self.meter)?;
            if next == state {
                // Nothing came of it (time stands still at its end); it would not the next time.
                break;
            }
            state = next;
        }
        Ok(state)
    }

    /// The last poll that comes early enough before `t_ns` for a confirming reading; `None` while
    /// the line is not settled by then.
    fn poll_of_lost(&self, state: &FilterState, t_ns: u64) -> Option<u64> {
        let confirm =
            if state.contact == filter::OPEN { self.config.min_width_ns } else { self.config.min_idle_ns };
        self.last_poll(state, t_ns.checked_sub(confirm)?)
    }

    /// The last poll up to `t_ns`; `None` if the line was not settled by then or the poll is known.
    fn last_poll(&self, state: &FilterState, t_ns: u64) -> Option<u64> {
        if filter::due(&self.config, state).is_some() {
            return None;
        }
        let since = t_ns.checked_sub(self.start_ns)?;
        let poll = self.start_ns + since / self.poll_ns * self.poll_ns;
        (poll > state.since_ns).then_some(poll)
    }
}

#[cfg(test)]
mod tests {
    use super::super::backend::UserFilter;
    use super::*;
    use gasd_abi::Reason;
    use gasd_abi::records::{EVENT_PULSE, Event};

    const MS: u64 = 1_000_000;

    /// Plays rows of (ms, level) and lets 60 s pass; returns the pulses as (leading edge, decided)
    /// in ms.
    fn play(rows: &[(u64, u8)]) -> (Vec<(u64, u64)>, UserFilter) {
        let config = FilterConfig::default();
        let mut filter = UserFilter::new(&[config]);
        let mut line = LineModel::new(0, config, 50 * MS);
        let start = rows[0].0 * MS;
        for (t, level) in rows {
            line.row(&mut filter, start, t * MS, *level).unwrap();
        }
        line.run(&mut filter, start + 60_000 * MS).unwrap();
        let mut events: Vec<Event> = Vec::new();
        filter.drain(&mut events).unwrap();
        events.retain(|e| e.kind == EVENT_PULSE);
        (events.iter().map(|e| (e.t_ns / MS, e.decided_ns / MS)).collect(), filter)
    }

    #[test]
    fn a_closure_is_read_at_its_minimum_width() {
        let (pulses, _) = play(&[(1_000, 1), (1_200, 0), (2_000, 1), (2_010, 0), (3_000, 1), (3_009, 0)]);
        assert_eq!(pulses, [(1_000, 1_010), (2_000, 2_010)]);
    }

    #[test]
    fn a_contact_closed_from_the_start_is_no_pulse() {
        let (pulses, mut filter) = play(&[(5_000, 0), (6_000, 1), (6_100, 0)]);
        assert_eq!(pulses, [(6_000, 6_010)]);
        assert_eq!(filter.totals(0).unwrap().resyncs, 0);
    }

    #[test]
    fn the_last_closure_counts_although_the_trace_ends_in_it() {
        assert_eq!(play(&[(1_000, 1)]).0, [(1_000, 1_010)]);
    }

    #[test]
    fn a_lost_closing_is_seen_by_the_last_poll_that_can_be_confirmed() {
        // Closed by 1,480 ms for all that anybody knows: the poll at 1,450 sees it.
        let (pulses, mut filter) = play(&[(1_000, 1), (1_100, 0), (1_480, 0), (2_000, 1), (2_100, 0)]);
        assert_eq!(pulses, [(1_000, 1_010), (1_450, 1_460), (2_000, 2_010)]);
        assert_eq!(filter.totals(0).unwrap().recovered, 1);
    }

    #[test]
    fn a_lost_opening_is_seen_by_the_last_poll_that_can_be_confirmed() {
        let (pulses, mut filter) = play(&[(1_000, 1), (1_480, 1), (1_900, 0)]);
        assert_eq!(pulses, [(1_000, 1_010), (1_480, 1_490)]);
        assert_eq!(filter.totals(0).unwrap().resyncs, 1);
    }

    #[test]
    fn what_is_lost_between_two_polls_nobody_saw() {
        // 25 ms closed, the closing lost: no poll falls into it.
        let (pulses, mut filter) = play(&[(1_000, 1), (1_100, 0), (1_125, 0), (2_000, 1), (2_100, 0)]);
        assert_eq!(pulses, [(1_000, 1_010), (2_000, 2_010)]);
        assert_eq!(filter.totals(0).unwrap().rejected[Reason::Level as usize], 1);
    }

    #[test]
    fn times_at_the_end_of_the_clock_are_played() {
        let config = FilterConfig::default();
        let mut filter = UserFilter::new(&[config]);
        let mut line = LineModel::new(0, config, 50 * MS);
        for (t, level) in [(0, 1), (u64::MAX - 1, 1), (u64::MAX, 0), (u64::MAX, 1), (u64::MAX, 1)] {
            line.row(&mut filter, 0, t, level).unwrap();
        }
        line.run(&mut filter, u64::MAX).unwrap();
        assert_eq!(filter.totals(0).unwrap().edges, 5);
    }
}
