// SPDX-License-Identifier: MIT OR Apache-2.0
//! A day that is being written: what every kind of use needs to put its stretches down.

use super::Household;
use super::appliance::Appliance;
use super::calendar::SECOND_NS;
use super::presence::{Presence, presence};
use super::segment::Segment;
use crate::random::splitmix::Rng;

/// One day of a home while it is generated.
pub struct Day<'a> {
    /// The home.
    pub home: &'a Household,
    /// Which day.
    pub day: u32,
    /// Who is at home.
    pub presence: Presence,
    /// Mean outdoor temperature, °C.
    pub outdoor_c: f64,
    /// What it has so far.
    pub segments: Vec<Segment>,
}

impl<'a> Day<'a> {
    /// An empty day.
    pub fn new(home: &'a Household, day: u32) -> Self {
        let calendar = home.calendar;
        Self {
            home,
            day,
            presence: presence(home.seed, day, calendar.weekend(day)),
            outdoor_c: home.climate.day_c(day, calendar.year_fraction(day)),
            segments: Vec::new(),
        }
    }

    /// This day's randomness for one purpose.
    #[must_use]
    pub fn rng(&self, purpose: u64) -> Rng {
        Rng::new(self.home.seed, purpose, u64::from(self.day))
    }

    /// Puts down `minutes` of flow from an hour of the wall clock on, not beyond the day. A flame that
    /// is lit takes a tenth more for its first seconds, up to what the appliance can take. The flow of
    /// a use is off by 1 % from the nominal, with the pressure in the street.
    pub fn put(&mut self, rng: &mut Rng, index: usize, hour: f64, minutes: f64, m3_per_h: f64) {
        let appliance = &self.home.appliances[index];
        let start_ns = self.home.calendar.at_ns(self.day, hour);
        let end_ns = (start_ns + (minutes.max(0.0) * 60.0 * SECOND_NS as f64) as u64)
            .min(self.home.calendar.start_ns(self.day + 1));
        let flow = m3_per_h * (1.0 + 0.01 * rng.normal());
        let lit_ns = (start_ns + (rng.range(1.0, 5.0) * SECOND_NS as f64) as u64).min(end_ns);
        for (from, to, m3_per_h) in [(start_ns, lit_ns, flow * 1.1), (lit_ns, end_ns, flow)] {
            self.segments.push(Segment {
                start_ns: from,
                end_ns: to,
                ul_per_h: appliance.ul_per_h(m3_per_h),
                appliance: index as u8,
            });
        }
    }

    /// Goes on with a flame that is lit: no surge. Returns the hour at which it ends.
    pub fn go_on(&mut self, index: usize, hour: f64, minutes: f64, m3_per_h: f64) -> f64 {
        let start_ns = self.home.calendar.at_ns(self.day, hour);
        let end_hour = hour + minutes / 60.0;
        let end_ns = self.home.calendar.at_ns(self.day, end_hour);
        self.segments.push(Segment {
            start_ns,
            end_ns,
            ul_per_h: self.home.appliances[index].ul_per_h(m3_per_h),
            appliance: index as u8,
        });
        end_hour
    }

    /// The first appliance of a kind that is in the home by now.
    #[must_use]
    pub fn find(&self, want: impl Fn(&Appliance) -> bool) -> Option<(usize, Appliance)> {
        let mut present = self.home.appliances.iter().enumerate().filter(|(_, a)| a.present(self.day));
        present.find(|(_, a)| want(a)).map(|(i, a)| (i, *a))
    }
}
