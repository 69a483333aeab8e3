// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a meter may be whose protocol nobody has named: one guess after the other, until one is answered.
//!
//! A guess is good when a reading came of it, whose checks no other protocol's frames pass. A refusal is none: a meter of
//! the other edition refuses, too. Once settled the others are not tried any more, until the breaker opens: then another
//! meter may hang there.

use gasd_meters::Error;
use gasd_meters::detect::Protocol;
use gasd_meters::drive::{Device, Memory};
use gasd_meters::poll::Job;

use super::{Bus, What};

/// Guesses of one meter.
#[derive(Debug)]
pub(super) struct Guesses {
    /// One at least.
    devices: Vec<Device>,
    at: usize,
    settled: bool,
    /// Guesses of this round that came to nothing.
    failed: usize,
    /// What is told at the end of the round: what says most about who is there.
    error: Option<Error>,
}

impl Guesses {
    /// Of these, what is remembered first; one alone is no guess.
    pub(super) fn new(device: Device, others: Vec<Device>, memory: &Memory) -> Self {
        let mut devices: Vec<Device> = std::iter::once(device).chain(others).collect();
        devices.sort_by_key(|device| memory.protocol() != Some(device.protocol()));
        let settled = devices.len() == 1;
        Self { devices, at: 0, settled, failed: 0, error: None }
    }

    /// Whether they are of the same devices, whichever was found.
    pub(super) fn are(&self, device: &Device, others: &[Device]) -> bool {
        let wanted = || std::iter::once(device).chain(others);
        wanted().count() == self.devices.len() && wanted().all(|device| self.devices.contains(device))
    }

    /// The device to be asked.
    pub(super) fn device(&self) -> &Device {
        &self.devices[self.at]
    }

    /// Whether it is known what the meter speaks.
    pub(super) const fn is_settled(&self) -> bool {
        self.settled
    }

    /// It was read. What it speaks, where that was not known before.
    pub(super) fn read(&mut self) -> Option<Protocol> {
        let found = !self.settled;
        (self.settled, self.failed, self.error) = (true, 0, None);
        found.then(|| self.device().protocol())
    }

    /// Asking it came to nothing. What is to be told of that; `None`: the next guess is to be tried before.
    pub(super) fn failed(&mut self, error: Error) -> Option<Error> {
        if self.settled {
            return Some(error);
        }
        let told = *self.error.get_or_insert(error);
        if rank(&error) > rank(&told) {
            self.error = Some(error);
        }
        self.at = (self.at + 1) % self.devices.len();
        self.failed += 1;
        if self.failed < self.devices.len() {
            return None;
        }
        self.failed = 0;
        self.error.take()
    }

    /// It is left alone: what hangs there when somebody answers again may be another meter.
    pub(super) fn doubt(&mut self) {
        self.settled = self.devices.len() == 1;
        (self.failed, self.error) = (0, None);
    }
}

/// How much an error says of who is there: silence least, an answer that is understood most.
const fn rank(error: &Error) -> u8 {
    match error {
        Error::Timeout | Error::Echo => 0,
        error if gasd_meters::poll::Failure::of(error).is_some() => 1,
        _ => 2,
    }
}

impl Bus {
    /// Asking a meter came to nothing. What its breaker and whoever looks is told; `None` where it is asked as something else
    /// before.
    pub(super) fn guess(&mut self, job: &Job<What>, error: Error) -> Option<Error> {
        let Some(member) = self.member(job.meter) else { return Some(error) };
        let told = member.guesses.failed(error);
        if told.is_none() {
            // What finds no room has its turn with its next reading.
            let _ = self.agenda.push(Job { priority: job.priority, meter: job.meter, what: job.what });
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use gasd_meters::{cjt188, dlt645};

    use super::*;

    fn edition(standard: dlt645::Standard, di: dlt645::Di) -> Device {
        Device::Dlt645 { address: dlt645::Address([1; 6]), standard, di, authority: None }
    }

    fn three() -> Guesses {
        let old = edition(dlt645::Standard::V1997, dlt645::Di::Short(0x9010));
        let new = edition(dlt645::Standard::V2007, dlt645::Di::Long(0x0001_0000));
        let (address, profile) = (cjt188::Address([1; 7]), cjt188::Profile::STANDARD);
        let gas = Device::Cjt188 { address, kind: 0x30, profile };
        Guesses::new(new, vec![old, gas], &Memory::default())
    }

    #[test]
    fn each_is_tried_once_and_then_what_says_most_is_told() {
        let mut guesses = three();
        let refused = Error::DeviceError { code: 2, what: "" };
        assert_eq!(guesses.failed(Error::Timeout), None);
        assert_eq!(guesses.failed(refused), None);
        assert_eq!(guesses.failed(Error::Timeout), Some(refused));
        assert_eq!(guesses.device().protocol(), Protocol::Dlt645, "the round begins anew");
        assert_eq!(
            [Error::Timeout; 3].map(|error| guesses.failed(error)),
            [None, None, Some(Error::Timeout)]
        );
    }

    #[test]
    fn what_is_found_stays_until_the_meter_is_left_alone() {
        let mut guesses = three();
        assert!(guesses.failed(Error::Timeout).is_none() && guesses.failed(Error::Timeout).is_none());
        assert_eq!(guesses.read(), Some(Protocol::Cjt188));
        assert_eq!(guesses.read(), None, "said once");
        assert_eq!(guesses.failed(Error::Timeout), Some(Error::Timeout));
        assert_eq!(guesses.device().protocol(), Protocol::Cjt188);
        guesses.doubt();
        assert_eq!(guesses.failed(Error::Timeout), None, "the one before is tried first, then the others");
        assert_eq!(guesses.device().protocol(), Protocol::Dlt645);
    }

    #[test]
    fn one_alone_is_no_guess() {
        let one = edition(dlt645::Standard::V2007, dlt645::Di::Long(0));
        let mut guesses = Guesses::new(one.clone(), Vec::new(), &Memory::default());
        assert!(guesses.is_settled());
        assert_eq!((guesses.read(), guesses.failed(Error::Timeout)), (None, Some(Error::Timeout)));
        guesses.doubt();
        assert!(guesses.is_settled());
        assert!(guesses.are(&one, &[]));
    }
}
