// SPDX-License-Identifier: MIT OR Apache-2.0
//! Pulses that are not the meter's, and pulses that are kept from it: tampering and broken sensors.

use crate::household::calendar::SECOND_NS;
use crate::household::flow::Flow;
use crate::household::meter::Pulses;

/// What happens to the pulses.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    /// None come: a magnet on the meter, a contact that sticks, a cut line.
    Silent,
    /// Every pulse brings so many more, 30 ms apart.
    Bouncing {
        /// How many.
        extra: u32,
    },
    /// A pulse every so often, whatever flows.
    Impossible {
        /// Interval, ns.
        every_ns: u64,
    },
}

impl Fault {
    /// The name in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Silent => "no pulses although gas is used",
            Self::Bouncing { .. } => "contact bounces",
            Self::Impossible { .. } => "impossible rate",
        }
    }
}

/// Pulses with a fault from a moment on, for a while.
#[derive(Clone, Debug)]
pub struct Faulty<F> {
    pulses: Pulses<F>,
    fault: Fault,
    from_ns: u64,
    to_ns: u64,
    extra: u32,
    extra_ns: u64,
}

impl<F: Flow> Faulty<F> {
    /// The fault lasts over `[from, to)`; `from` is not before what was asked of `pulses` so far.
    #[must_use]
    pub const fn new(pulses: Pulses<F>, fault: Fault, from_ns: u64, to_ns: u64) -> Self {
        let extra_ns = if matches!(fault, Fault::Impossible { .. }) { from_ns } else { u64::MAX };
        Self { pulses, fault, from_ns, to_ns, extra: 0, extra_ns }
    }

    /// The next pulse if it comes before `limit_ns`.
    pub fn next_before(&mut self, limit_ns: u64) -> Option<u64> {
        loop {
            if self.extra_ns >= self.to_ns {
                self.extra_ns = u64::MAX;
            }
            let next = self.pulses.next_before(limit_ns.min(self.extra_ns));
            let Some(t_ns) = next else {
                if self.extra_ns >= limit_ns {
                    return None;
                }
                let t_ns = self.extra_ns;
                self.extra_ns = match self.fault {
                    Fault::Impossible { every_ns } => t_ns + every_ns.max(1),
                    Fault::Bouncing { .. } if self.extra > 1 => {
                        self.extra -= 1;
                        t_ns + SECOND_NS / 33
                    }
                    _ => u64::MAX,
                };
                return Some(t_ns);
            };
            if t_ns < self.from_ns || t_ns >= self.to_ns {
                return Some(t_ns);
            }
            match self.fault {
                Fault::Silent => {}
                Fault::Bouncing { extra } => {
                    (self.extra, self.extra_ns) = (extra, t_ns + SECOND_NS / 33);
                    return Some(t_ns);
                }
                Fault::Impossible { .. } => return Some(t_ns),
            }
        }
    }
}
