// SPDX-License-Identifier: MIT OR Apache-2.0
//! A meter's total: what was persisted plus what the kernel counted since. Pure.
//!
//! The kernel's counter of a line lives as long as its pins do: over a restart or a crash of the
//! daemon, but not over a reboot, and a new layout starts a new one. The two kinds are told apart by
//! the *generation*, a random id that is written next to the counters when they are made. A base
//! therefore remembers the generation and the counter it was taken at, and no pulse is added twice.
//!
//! A base also remembers what a pulse was worth when it was taken. Pulses that were counted while
//! nobody looked are worth what was configured before, not what is configured now: otherwise a total
//! that somebody has already read could shrink when the configuration changes.

/// What is known for certain about one meter, as of the kernel's counter [`Base::kernel_at`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Base {
    /// Pulses since the meter was first seen.
    pub pulses: u64,
    /// Volume since the meter was first seen, µL.
    pub volume_ul: u64,
    /// The generation of kernel counters that `kernel_at` belongs to; zero before the first.
    pub generation: [u64; 2],
    /// The kernel's count of accepted pulses that is contained in `pulses`.
    pub kernel_at: u64,
    /// What each pulse after `kernel_at` is worth, µL; 0 before the first reading.
    pub pulse_volume_ul: u64,
    /// Generations before that one, youngest first: one may come back, for instance when the filter
    /// ran in user space for a while.
    pub earlier: [Mark; EARLIER],
    /// The reading up to which `volume_ul` goes, for a meter whose register is read.
    pub register: Option<RegisterAt>,
}

/// A reading of a meter's register.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RegisterAt {
    /// What it showed, µL.
    pub register_ul: u64,
    /// When, `CLOCK_BOOTTIME` ns.
    pub t_ns: u64,
    /// The same moment on the clock on the wall, Unix time in µs: over a reboot only that one goes on.
    pub unix_us: u64,
    /// Names the boot of `t_ns`; 0 where it is not known.
    pub boot: u128,
}

/// Generations that a base remembers besides its own.
pub const EARLIER: usize = 4;

/// First word of a generation that lives in one process and never comes back: counters in user space.
pub const OF_A_PROCESS: u64 = u64::MAX;

/// A generation's count that is contained in a base.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    /// The generation; zero for none.
    pub generation: [u64; 2],
    /// Its count of accepted pulses that is contained.
    pub at: u64,
}

/// A total as it may be shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Total {
    /// Pulses since the meter was first seen.
    pub pulses: u64,
    /// Volume since the meter was first seen, µL.
    pub volume_ul: u64,
}

/// The kernel's counter is lower than it was in the same generation. It cannot be: something else
/// wrote the map, or the pins of another machine were copied here. The total is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the kernel's pulse counter went back from {had} to {got} within one generation; the total is kept and counting goes on from {got}"
)]
pub struct Backwards {
    /// The counter that the base was taken at.
    pub had: u64,
    /// The counter that was read now.
    pub got: u64,
}

/// The base as of now, and the pulses that are new in it.
///
/// The new pulses are worth [`Base::pulse_volume_ul`] (or `pulse_volume_ul` for a meter that was
/// never read); later ones are worth `pulse_volume_ul`. Of a generation that the base does not know the
/// whole counter is new; the old generation's last count must have been advanced to before (see the
/// module), or is advanced to when it comes back.
///
/// When `pulse_volume_ul` differs from the base's, use the result only after it is durable:
/// totals that were shown at the new worth would otherwise shrink if the old base came back.
/// Sums saturate, they never wrap.
///
/// # Errors
/// [`Backwards`]; go on with [`reanchor`].
pub const fn advance(
    base: &Base,
    generation: [u64; 2],
    kernel_accepted: u64,
    pulse_volume_ul: u64,
) -> Result<(Base, u64), Backwards> {
    let contained = if same(base.generation, generation) {
        base.kernel_at
    } else {
        match find(&base.earlier, generation) {
            Some(at) => base.earlier[at].at,
            None => 0,
        }
    };
    let Some(delta) = kernel_accepted.checked_sub(contained) else {
        return Err(Backwards { had: contained, got: kernel_accepted });
    };
    let worth = if base.pulse_volume_ul == 0 { pulse_volume_ul } else { base.pulse_volume_ul };
    let next = Base {
        pulses: base.pulses.saturating_add(delta),
        volume_ul: base.volume_ul.saturating_add(delta.saturating_mul(worth)),
        generation,
        kernel_at: kernel_accepted,
        pulse_volume_ul,
        earlier: remembering(base, generation),
        register: base.register,
    };
    Ok((next, delta))
}

/// The total to show while the kernel's counter reads `kernel_accepted`: base plus live.
/// A counter that went backwards adds nothing.
#[must_use]
pub const fn total(base: &Base, generation: [u64; 2], kernel_accepted: u64) -> Total {
    match advance(base, generation, kernel_accepted, base.pulse_volume_ul) {
        Ok((now, _)) => Total { pulses: now.pulses, volume_ul: now.volume_ul },
        Err(_) => Total { pulses: base.pulses, volume_ul: base.volume_ul },
    }
}

/// The same totals, counting on from `kernel_accepted`: the way on after [`Backwards`].
#[must_use]
pub const fn reanchor(base: &Base, generation: [u64; 2], kernel_accepted: u64) -> Base {
    Base { generation, kernel_at: kernel_accepted, earlier: remembering(base, generation), ..*base }
}

/// The generations before `now`, once `base` is moved to that one.
const fn remembering(base: &Base, now: [u64; 2]) -> [Mark; EARLIER] {
    let left = base.generation;
    if same(left, now) || same(left, [0, 0]) || left[0] == OF_A_PROCESS {
        return base.earlier;
    }
    let mut marks = base.earlier;
    // The one that comes back is the base's own again and leaves its place; else the oldest does.
    let mut at = match find(&marks, now) {
        Some(at) => at,
        None => EARLIER - 1,
    };
    while at > 0 {
        marks[at] = marks[at - 1];
        at -= 1;
    }
    marks[0] = Mark { generation: left, at: base.kernel_at };
    marks
}

const fn find(marks: &[Mark; EARLIER], generation: [u64; 2]) -> Option<usize> {
    let mut at = 0;
    while at < EARLIER {
        if same(marks[at].generation, generation) && !same(generation, [0, 0]) {
            return Some(at);
        }
        at += 1;
    }
    None
}

const fn same(a: [u64; 2], b: [u64; 2]) -> bool {
    a[0] == b[0] && a[1] == b[1]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const A: [u64; 2] = [1, 2];
    const B: [u64; 2] = [3, 4];

    #[test]
    fn the_same_counter_read_twice_adds_nothing() {
        let (base, first) = advance(&Base::default(), A, 7, 10).unwrap();
        let (again, second) = advance(&base, A, 7, 10).unwrap();
        assert_eq!((first, second, again.pulses, again.volume_ul), (7, 0, 7, 70));
    }

    #[test]
    fn a_new_generation_starts_at_zero_and_is_added_whole() {
        let (base, _) = advance(&Base::default(), A, 7, 10).unwrap();
        let (base, delta) = advance(&base, B, 2, 10).unwrap();
        assert_eq!((delta, base.pulses, base.kernel_at), (2, 9, 2));
    }

    #[test]
    fn a_generation_that_comes_back_is_not_added_again() {
        let (base, _) = advance(&Base::default(), A, 100, 10).unwrap();
        // User space, again and again: those never come back and push nothing out.
        let mut now = base;
        for n in 0..10 {
            now = advance(&now, [OF_A_PROCESS, n], 1, 10).unwrap().0;
        }
        let (now, delta) = advance(&now, A, 103, 10).unwrap();
        assert_eq!((delta, now.pulses), (3, 113));
        assert_eq!(advance(&now, A, 104, 10).unwrap().1, 1);
    }

    #[test]
    fn two_sets_of_pins_in_turn_are_each_counted_once() {
        let mut base = Base::default();
        for n in 1..=5 {
            base = advance(&base, A, n, 10).unwrap().0;
            base = advance(&base, B, 2 * n, 10).unwrap().0;
        }
        assert_eq!((base.pulses, base.volume_ul), (15, 150));
        assert!(advance(&base, A, 4, 10).is_err());
    }

    #[test]
    fn a_counter_that_goes_back_keeps_the_total_and_says_so() {
        let (base, _) = advance(&Base::default(), A, 7, 10).unwrap();
        let error = advance(&base, A, 3, 10).unwrap_err();
        assert_eq!(error, Backwards { had: 7, got: 3 });
        assert!(error.to_string().contains("from 7 to 3"));
        assert_eq!(total(&base, A, 3), Total { pulses: 7, volume_ul: 70 });
        let base = reanchor(&base, A, 3);
        assert_eq!(total(&base, A, 5), Total { pulses: 9, volume_ul: 90 });
    }

    #[test]
    fn pulses_counted_before_a_new_pulse_volume_keep_the_old_worth() {
        let (base, _) = advance(&Base::default(), A, 0, 10).unwrap();
        let (base, _) = advance(&base, A, 5, 1000).unwrap();
        assert_eq!(base.volume_ul, 50);
        assert_eq!(total(&base, A, 6).volume_ul, 1050);
    }

    #[test]
    fn sums_saturate() {
        let base = Base {
            pulses: u64::MAX - 1,
            volume_ul: u64::MAX - 1,
            pulse_volume_ul: u64::MAX,
            ..Base::default()
        };
        let now = total(&base, A, u64::MAX);
        assert_eq!(now, Total { pulses: u64::MAX, volume_ul: u64::MAX });
    }

    /// What may happen to a gateway.
    #[derive(Clone, Debug)]
    enum Event {
        Pulses(u8),
        Persist,
        /// The daemon is gone, the pins count on.
        Kill,
        /// Orderly: the last count is folded in, then the counters are gone.
        Reboot,
        /// The new generation takes over while the old pins still exist.
        LayoutBump,
        /// The daemon comes back with another configuration.
        NewVolume(u16),
        /// The daemon counts some pulses by itself, then the kernel's counters come back.
        UserSpace(u8),
    }

    fn events() -> impl Strategy<Value = Vec<Event>> {
        let event = prop_oneof![
            4 => any::<u8>().prop_map(Event::Pulses),
            2 => Just(Event::Persist),
            2 => Just(Event::Kill),
            1 => Just(Event::Reboot),
            1 => Just(Event::LayoutBump),
            1 => (1u16..).prop_map(Event::NewVolume),
            1 => any::<u8>().prop_map(Event::UserSpace),
        ];
        proptest::collection::vec(event, 0..200)
    }

    proptest! {
        /// Whatever happens, what is shown equals what the meter really gave and never goes down.
        #[test]
        fn totals_equal_the_pulses_given_and_never_go_down(events in events()) {
            let mut given = Total::default();
            let mut shown = Total::default();
            let mut volume = 10u64;
            let mut generation = [1u64, 0];
            let mut kernel = 0u64;
            // What is on disk and what the daemon has in memory. The first base is written at start.
            let (mut disk, _) = advance(&Base::default(), generation, kernel, volume).unwrap();
            let mut memory = disk;
            for event in events {
                match event {
                    Event::Pulses(n) => {
                        kernel += u64::from(n);
                        given.pulses += u64::from(n);
                        given.volume_ul += u64::from(n) * volume;
                    }
                    Event::Persist => {
                        memory = advance(&memory, generation, kernel, volume).unwrap().0;
                        disk = memory;
                    }
                    Event::Kill => memory = disk,
                    Event::Reboot => {
                        disk = advance(&memory, generation, kernel, volume).unwrap().0;
                        generation[0] += 1;
                        kernel = 0;
                        memory = disk;
                    }
                    Event::LayoutBump => {
                        memory = advance(&memory, generation, kernel, volume).unwrap().0;
                        generation[0] += 1;
                        kernel = 0;
                        memory = advance(&memory, generation, kernel, volume).unwrap().0;
                        disk = memory;
                    }
                    Event::NewVolume(new) => {
                        memory = disk;
                        volume = u64::from(new);
                        // Durable before it is used.
                        disk = advance(&memory, generation, kernel, volume).unwrap().0;
                        memory = disk;
                    }
                    Event::UserSpace(n) => {
                        // An orderly stop, a run of its own, and back.
                        memory = advance(&memory, generation, kernel, volume).unwrap().0;
                        given.pulses += u64::from(n);
                        given.volume_ul += u64::from(n) * volume;
                        memory = advance(&memory, [OF_A_PROCESS, 7], u64::from(n), volume).unwrap().0;
                        memory = advance(&memory, generation, kernel, volume).unwrap().0;
                        disk = memory;
                    }
                }
                let now = total(&memory, generation, kernel);
                prop_assert_eq!(now, given);
                prop_assert!(now.pulses >= shown.pulses && now.volume_ul >= shown.volume_ul);
                shown = now;
            }
        }

        /// Without an orderly end only what came after the last commit is lost, and nothing before.
        #[test]
        fn a_power_cut_loses_only_what_came_after_the_last_commit(before in any::<u16>(), lost in any::<u16>(), after in any::<u16>()) {
            let (disk, _) = advance(&Base::default(), A, u64::from(before), 10).unwrap();
            prop_assert_eq!(total(&disk, A, u64::from(before) + u64::from(lost)).pulses, u64::from(before) + u64::from(lost));
            prop_assert_eq!(total(&disk, B, u64::from(after)).pulses, u64::from(before) + u64::from(after));
        }
    }
}
