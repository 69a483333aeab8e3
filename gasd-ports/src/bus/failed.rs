// SPDX-License-Identifier: MIT OR Apache-2.0
//! A talk that failed, as it is told.

use gasd_meters::drive::Device;
use gasd_meters::poll::Job;
use gasd_meters::{Error, dlt645};

use super::event::Event;
use super::{Bus, What};

impl Bus {
    /// Tells what was heard instead of an answer. What an adapter gives back of a request, and what another master asks, may
    /// have a password in it.
    pub(super) fn failed(&mut self, job: &Job<What>, error: Error, mut raw: Vec<u8>, t_ns: u64) {
        let key = job.meter;
        let of_order = matches!(job.what, What::Move(..) | What::Position(_));
        let known = match self.member(key).filter(|_| of_order).map(|member| &member.spec.device) {
            Some(Device::Dlt645 { authority, .. }) => authority.as_ref(),
            _ => None,
        };
        dlt645::hide(&mut raw, known);
        self.events.push_back(Event::Failed { key, t_ns, error, raw });
    }
}
