// SPDX-License-Identifier: MIT OR Apache-2.0
//! The receiver: hangs on a line as a meter does, and hands on what the meters around it send.

use std::collections::BTreeMap;

use super::form::Form;
use super::transmitter::Transmitter;
use crate::meter::{Meter, Reply};
use crate::truth::{Register, Shared, Truth};

/// A receiver with meters around it.
pub struct Receiver {
    form: Form,
    meters: Vec<Transmitter>,
    /// What comes later, by when, ns, and in which order it was put here.
    later: BTreeMap<(u64, u64), Vec<u8>>,
    put: u64,
    truth: Shared,
}

impl Receiver {
    /// A receiver that hands on what these meters send.
    #[must_use]
    pub fn new(form: Form, meters: Vec<Transmitter>) -> Self {
        let first = meters.first().map(|meter| meter.truth().clone());
        let truth = first.unwrap_or_else(|| Truth::new(Register::default()).shared());
        Self { form, meters, later: BTreeMap::new(), put: 0, truth }
    }

    /// The meters.
    #[must_use]
    pub fn transmitters(&self) -> &[Transmitter] {
        &self.meters
    }
}

impl Meter for Receiver {
    /// What the host sends is not answered: there is nothing that these receivers have to be told.
    fn heard(&mut self, now_ns: u64, _: &[u8]) -> Vec<Reply> {
        for meter in &mut self.meters {
            while meter.due_ns() <= now_ns {
                for on_air in meter.send() {
                    let bytes = self.form.write(&on_air.telegram, on_air.damage);
                    self.later.insert((on_air.at_ns, self.put), bytes);
                    self.put += 1;
                }
            }
        }
        let rest = self.later.split_off(&(now_ns.saturating_add(1), 0));
        let arrived = std::mem::replace(&mut self.later, rest);
        arrived.into_values().map(|bytes| Reply { after_ns: 0, bytes }).collect()
    }

    fn due_ns(&self) -> Option<u64> {
        let later = self.later.keys().next().map(|(at_ns, _)| *at_ns);
        self.meters.iter().map(Transmitter::due_ns).chain(later).min()
    }

    /// That of the first meter: each [`Transmitter`] has its own.
    fn truth(&self) -> &Shared {
        &self.truth
    }
}
