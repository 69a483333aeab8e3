// SPDX-License-Identifier: MIT OR Apache-2.0
//! How many things of one kind may be under way at once, in all and for one party, so that a client
//! that floods the service fills its own allowance and nobody else's.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

/// Counts what is under way.
#[derive(Debug)]
pub(super) struct Gate<Party> {
    most: usize,
    most_of_party: usize,
    inside: Mutex<HashMap<Party, usize>>,
}

/// One thing that is under way, until it is dropped.
#[derive(Debug)]
pub(super) struct Ticket<Party: Eq + Hash> {
    gate: Arc<Gate<Party>>,
    party: Party,
}

impl<Party: Clone + Eq + Hash> Gate<Party> {
    pub(super) fn new(most: usize, most_of_party: usize) -> Arc<Gate<Party>> {
        Arc::new(Gate { most, most_of_party, inside: Mutex::default() })
    }

    /// Lets one in; `None` when there is no room for this party, or for anybody.
    pub(super) fn enter(self: &Arc<Self>, party: &Party) -> Option<Ticket<Party>> {
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        let of_party = inside.get(party).copied().unwrap_or(0);
        if of_party >= self.most_of_party || inside.values().sum::<usize>() >= self.most {
            return None;
        }
        inside.insert(party.clone(), of_party + 1);
        Some(Ticket { gate: Arc::clone(self), party: party.clone() })
    }
}

impl<Party: Eq + Hash> Drop for Ticket<Party> {
    fn drop(&mut self) {
        let mut inside = self.gate.inside.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = inside.get_mut(&self.party) {
            *count -= 1;
            if *count == 0 {
                inside.remove(&self.party);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_party_cannot_take_the_room_of_another() {
        let gate = Gate::new(5, 3);
        let mine: Vec<_> = (0..9).filter_map(|_| gate.enter(&"flood")).collect();
        assert_eq!(mine.len(), 3);
        let one = gate.enter(&"operator");
        let two = gate.enter(&"operator");
        assert!(one.is_some() && two.is_some());
        assert!(gate.enter(&"operator").is_none(), "there is room for five in all");
        drop(mine);
        assert!(gate.enter(&"operator").is_some());
        drop((one, two));
        assert!(gate.inside.lock().unwrap().is_empty(), "nobody is remembered who is not there");
    }
}
