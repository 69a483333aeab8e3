// SPDX-License-Identifier: MIT OR Apache-2.0
//! Totals at the start: the persisted bases, then what generations that no longer count had counted,
//! then this generation's counters. Each pulse is added once, whatever was interrupted when.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use gasd_abi::records::meter_key;

use crate::{
    config::Config,
    kernel::{
        Events, Kernel, KernelError,
        handover::{self, Generation},
        pins::Pins,
    },
    store::{Base, advance},
};

/// What a generation that no longer counts holds for the meters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Past {
    /// Its pins.
    pub dir: PathBuf,
    /// Names its counters.
    pub generation: [u64; 2],
    /// When it was made, `CLOCK_BOOTTIME` ns.
    pub created_ns: u64,
    /// Accepted pulses by meter key.
    pub accepted: HashMap<u64, u64>,
}

/// Reads the generations beside the one that counts, oldest first.
pub fn past(pins: &Pins, current: [u64; 2]) -> Result<Vec<Past>, KernelError> {
    // Before anything of theirs is folded or removed: lines that still wait for their state get it.
    handover::finish(pins)?;
    let mut found = Vec::new();
    for dir in pins.generations()? {
        let generation = Generation::open(&dir)?;
        if generation.meta.generation == current {
            continue;
        }
        found.push(counts_of(generation)?);
    }
    found.sort_by_key(|p| p.created_ns);
    Ok(found)
}

fn counts_of(generation: Generation) -> Result<Past, KernelError> {
    let mut accepted = HashMap::new();
    for line in generation.lines_in_use()? {
        if let Some(old) = generation.line(line)? {
            accepted.insert(old.key, old.accepted);
        }
    }
    let (created_ns, name) = (generation.meta.created_ns, generation.meta.generation);
    Ok(Past { dir: generation.dir, generation: name, created_ns, accepted })
}

/// The pins, if they can be used, with their events, so that no other daemon works there.
///
/// # Errors
/// [`KernelError::InUse`]: another daemon does, and this one has no business beside it.
pub fn idle(root: &Path) -> Result<Option<(Kernel, Events)>, KernelError> {
    let Ok(kernel) = Kernel::open(root) else { return Ok(None) };
    let events = Events::open(kernel.pins())?;
    Ok(Some((kernel, events)))
}

/// Makes the kernel count no more for a daemon that filters in user space although the pins can be
/// used: both would count the same interrupts. What the kernel has counted until now is to be folded
/// in; its pins stay, and a later daemon goes on with them.
pub fn stand_down((kernel, _events): (Kernel, Events)) -> Result<Vec<Past>, KernelError> {
    kernel.unmap_others(&[])?;
    let here = kernel.pins().generation(gasd_abi::layout::VERSION);
    Ok(vec![counts_of(Generation::open(&here)?)?])
}

/// The bases to go on from, one for each meter of the configuration; `counted` is the current
/// generation's count of a meter by index.
///
/// A base tells which generation it was last read from. Generations older than that are in it; that
/// one is in it up to `kernel_at`; newer ones are not. Moving a base to the current generation and
/// adding the past ones is one commit, so a crash before the old pins are removed repeats nothing.
#[must_use]
pub fn fold(
    config: &Config,
    bases: &[(String, Base)],
    past: &[Past],
    current: [u64; 2],
    counted: impl Fn(usize) -> u64,
) -> Vec<(String, Base)> {
    let known: HashMap<&str, Base> = bases.iter().map(|(id, base)| (id.as_str(), *base)).collect();
    // A meter that is new to the store joins where the others are.
    let moved_on = bases.iter().any(|(_, base)| base.generation == current);
    let one = |(at, meter): (usize, &crate::config::MeterConfig)| {
        let mut base = known.get(meter.id.as_str()).copied().unwrap_or_default();
        let reached = past.iter().position(|p| p.generation == base.generation);
        let in_it_already =
            base.generation == current || (!known.contains_key(meter.id.as_str()) && moved_on);
        let not_in_it = if in_it_already { &[] } else { &past[reached.unwrap_or(0)..] };
        let key = meter_key(&meter.id);
        for p in not_in_it {
            if let Some(&accepted) = p.accepted.get(&key)
                && let Ok((next, _)) = advance(&base, p.generation, accepted, meter.pulse_volume_ul)
            {
                base = next;
            }
        }
        // What was counted while nobody looked is worth what was configured then; from here on a pulse
        // is worth what is configured now. A counter that went backwards is reported when it is read.
        if let Ok((next, _)) = advance(&base, current, counted(at), meter.pulse_volume_ul) {
            base = next;
        }
        (meter.id.clone(), base)
    };
    config.meters.iter().enumerate().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::OF_A_PROCESS;

    const OLD: [u64; 2] = [1, 1];
    const NEW: [u64; 2] = [2, 2];

    fn config() -> Config {
        crate::config::parse("t.toml", "[[meter]]\nid = \"kitchen\"\nline = 1\npulse_volume = \"10 L\"\n")
            .unwrap()
    }

    fn past_of(generation: [u64; 2], created_ns: u64, accepted: u64) -> Past {
        let accepted = HashMap::from([(meter_key("kitchen"), accepted)]);
        Past { dir: PathBuf::new(), generation, created_ns, accepted }
    }

    fn base(pulses: u64, generation: [u64; 2], kernel_at: u64) -> Vec<(String, Base)> {
        let base = Base {
            pulses,
            volume_ul: pulses * 10_000_000,
            generation,
            kernel_at,
            pulse_volume_ul: 10_000_000,
            ..Base::default()
        };
        vec![("kitchen".to_owned(), base)]
    }

    #[test]
    fn a_first_start_begins_at_zero() {
        let bases = fold(&config(), &[], &[], NEW, |_| 0);
        assert_eq!((bases[0].1.pulses, bases[0].1.generation), (0, NEW));
    }

    #[test]
    fn what_the_old_generation_counted_since_is_added_once() {
        let bases = fold(&config(), &base(100, OLD, 40), &[past_of(OLD, 1, 55)], NEW, |_| 0);
        assert_eq!((bases[0].1.pulses, bases[0].1.kernel_at), (115, 0));
        // The crash came after the commit and before the removal of the old pins.
        let again = fold(&config(), &bases, &[past_of(OLD, 1, 55)], NEW, |_| 0);
        assert_eq!(again, bases);
    }

    #[test]
    fn a_generation_that_no_daemon_ever_read_is_added_whole() {
        let gone = [9, 9];
        let bases = fold(&config(), &base(100, gone, 40), &[past_of(OLD, 1, 7)], NEW, |_| 0);
        assert_eq!(bases[0].1.pulses, 107);
    }

    #[test]
    fn generations_older_than_the_base_are_in_it_already() {
        let middle = [5, 5];
        let pasts = [past_of(OLD, 1, 50), past_of(middle, 2, 30)];
        let bases = fold(&config(), &base(80, middle, 20), &pasts, NEW, |_| 0);
        assert_eq!(bases[0].1.pulses, 90);
    }

    #[test]
    fn pulses_counted_unseen_keep_the_worth_they_had() {
        let mut bases = base(100, NEW, 40);
        bases[0].1.pulse_volume_ul = 1_000_000;
        let next = fold(&config(), &bases, &[], NEW, |_| 45)[0].1;
        assert_eq!((next.pulses, next.kernel_at), (105, 45));
        assert_eq!(next.volume_ul, bases[0].1.volume_ul + 5 * 1_000_000);
        assert_eq!(next.pulse_volume_ul, 10_000_000);
    }

    #[test]
    fn counters_in_user_space_come_between_and_nothing_is_added_twice() {
        let alone = [OF_A_PROCESS, 5];
        let first = fold(&config(), &base(100, OLD, 40), &[past_of(OLD, 1, 43)], alone, |_| 0);
        assert_eq!(first[0].1.pulses, 103);
        // Three in user space, then the kernel's counters again, where they stood.
        let (second, _) = advance(&first[0].1, alone, 3, 10_000_000).unwrap();
        let back = fold(&config(), &[("kitchen".to_owned(), second)], &[], OLD, |_| 43);
        assert_eq!((back[0].1.pulses, back[0].1.kernel_at), (106, 43));
    }

    #[test]
    fn after_a_reboot_the_base_alone_counts() {
        let bases = fold(&config(), &base(100, OLD, 40), &[], NEW, |_| 0);
        assert_eq!((bases[0].1.pulses, bases[0].1.kernel_at), (100, 0));
    }
}
