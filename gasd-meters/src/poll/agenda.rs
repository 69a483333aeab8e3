// SPDX-License-Identifier: MIT OR Apache-2.0
//! What waits for a port: one request at a time, valve commands before readings, readings before searches, and in the
//! order in which they came among equals.
//!
//! A valve command is handed out once and never again by itself: nobody knows whether one that was not answered was
//! carried out, so whoever sends it must read the valve first. Readings of one meter do not pile up.

use alloc::collections::VecDeque;

/// What goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// A valve is to move, or its position is to be read back.
    Valve,
    /// A meter is to be read.
    Poll,
    /// Meters are looked for.
    Scan,
}

/// Something to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job<T> {
    /// What goes first.
    pub priority: Priority,
    /// Whom it is for: any number that tells meters apart.
    pub meter: u64,
    /// What it is.
    pub what: T,
}

/// There is no room, and nothing that matters less could make it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Full<T>(pub Job<T>);

/// What waits for one port.
#[derive(Clone, Debug)]
pub struct Agenda<T> {
    waiting: [VecDeque<Job<T>>; 3],
    most: usize,
    dropped: u64,
}

impl<T> Agenda<T> {
    /// One for `most` jobs.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { waiting: core::array::from_fn(|_| VecDeque::new()), most: most.max(1), dropped: 0 }
    }

    /// Adds a job. A reading or search of a meter that waits already is not added twice. Where there is no room the newest
    /// job of the least priority below this one's goes; what goes is counted.
    ///
    /// # Errors
    /// [`Full`] gives the job back.
    pub fn push(&mut self, job: Job<T>) -> Result<(), Full<T>> {
        let place = job.priority as usize;
        if job.priority != Priority::Valve && self.waiting[place].iter().any(|other| other.meter == job.meter)
        {
            return Ok(());
        }
        if self.len() >= self.most {
            let less = (place + 1..self.waiting.len()).rev().find(|less| !self.waiting[*less].is_empty());
            let Some(less) = less else { return Err(Full(job)) };
            self.waiting[less].pop_back();
            self.dropped = self.dropped.saturating_add(1);
        }
        self.waiting[place].push_back(job);
        Ok(())
    }

    /// The next job, for good.
    pub fn pop(&mut self) -> Option<Job<T>> {
        self.waiting.iter_mut().find_map(VecDeque::pop_front)
    }

    /// Whether something waits that goes before `than`: a search is broken off for it.
    #[must_use]
    pub fn is_pressing(&self, than: Priority) -> bool {
        self.waiting[..than as usize].iter().any(|jobs| !jobs.is_empty())
    }

    /// Forgets all of a meter, as when it is taken out of the configuration. Returns its valve commands, which were not
    /// sent.
    pub fn forget(&mut self, meter: u64) -> impl Iterator<Item = Job<T>> + use<T> {
        let [valve, polls, scans] = &mut self.waiting;
        polls.retain(|job| job.meter != meter);
        scans.retain(|job| job.meter != meter);
        let (gone, kept): (VecDeque<_>, VecDeque<_>) =
            core::mem::take(valve).into_iter().partition(|job| job.meter == meter);
        *valve = kept;
        gone.into_iter()
    }

    /// How many wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.waiting.iter().map(VecDeque::len).sum()
    }

    /// Whether none waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Readings and searches that went for something that mattered more.
    #[must_use]
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn job(priority: Priority, meter: u64, what: u32) -> Job<u32> {
        Job { priority, meter, what }
    }

    #[test]
    fn a_valve_goes_before_readings_and_readings_before_searches() {
        let mut agenda = Agenda::new(8);
        agenda.push(job(Priority::Scan, 1, 1)).unwrap();
        agenda.push(job(Priority::Poll, 2, 2)).unwrap();
        agenda.push(job(Priority::Poll, 3, 3)).unwrap();
        assert!(!agenda.is_pressing(Priority::Poll));
        agenda.push(job(Priority::Valve, 3, 4)).unwrap();
        agenda.push(job(Priority::Valve, 3, 4)).unwrap();
        assert!(agenda.is_pressing(Priority::Poll) && !agenda.is_pressing(Priority::Valve));
        let order: Vec<u32> = core::iter::from_fn(|| agenda.pop()).map(|job| job.what).collect();
        assert_eq!(order, [4, 4, 2, 3, 1], "close and open of one meter are two commands");
    }

    #[test]
    fn a_meter_that_is_slow_does_not_pile_up_and_one_that_is_gone_leaves_nothing() {
        let mut agenda = Agenda::new(8);
        for n in 0..5 {
            agenda.push(job(Priority::Poll, 7, n)).unwrap();
        }
        agenda.push(job(Priority::Valve, 7, 9)).unwrap();
        agenda.push(job(Priority::Poll, 8, 8)).unwrap();
        assert_eq!(agenda.len(), 3);
        let unsent: Vec<u32> = agenda.forget(7).map(|job| job.what).collect();
        assert_eq!(unsent, [9]);
        assert_eq!(agenda.pop().map(|job| job.what), Some(8));
        assert!(agenda.is_empty());
    }

    fn jobs() -> impl Strategy<Value = Vec<Option<(u8, u64)>>> {
        proptest::collection::vec(proptest::option::weighted(0.7, (0u8..3, 0u64..20)), 0..200)
    }

    proptest! {
        #[test]
        fn it_is_bounded_in_order_and_loses_no_valve_command(jobs in jobs(), most in 0usize..20) {
            let mut agenda = Agenda::new(most);
            let (mut given, mut taken) = (Vec::new(), Vec::new());
            for (n, step) in (0u32..).zip(jobs) {
                match step {
                    Some((priority, meter)) => {
                        let priority = [Priority::Valve, Priority::Poll, Priority::Scan][priority as usize];
                        match agenda.push(job(priority, meter, n)) {
                            Ok(()) if priority == Priority::Valve => given.push(n),
                            Ok(()) => {}
                            Err(Full(job)) => prop_assert_eq!(job.what, n),
                        }
                    }
                    None => {
                        let best = agenda.waiting.iter().find_map(|jobs| jobs.front()).map(|job| job.what);
                        let next = agenda.pop();
                        prop_assert_eq!(next.as_ref().map(|job| job.what), best);
                        taken.extend(next.filter(|job| job.priority == Priority::Valve).map(|job| job.what));
                    }
                }
                prop_assert!(agenda.len() <= most.max(1));
            }
            taken.extend(core::iter::from_fn(|| agenda.pop()).filter(|job| job.priority == Priority::Valve).map(|job| job.what));
            prop_assert_eq!(taken, given, "each once, in their order");
        }
    }
}
