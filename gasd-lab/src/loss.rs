// SPDX-License-Identifier: MIT OR Apache-2.0
//! A network that loses datagrams, brings some twice and others late.

use std::collections::BTreeMap;

use crate::rng::Rng;

const MS: u64 = 1_000_000;

/// How late a datagram is that others overtake, from and to, ns.
const OVERTAKEN_NS: (u64, u64) = (50 * MS, 500 * MS);

/// How a network is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Loss {
    /// How many of a million datagrams are lost.
    pub drop_ppm: u32,
    /// How many of a million come twice.
    pub duplicate_ppm: u32,
    /// How many of a million come so late that others overtake them, 50 to 500 ms.
    pub reorder_ppm: u32,
    /// What that is drawn from.
    pub seed: u64,
}

/// One direction of a network.
#[derive(Clone, Debug)]
pub struct Link {
    loss: Loss,
    rng: Rng,
    /// By when they arrive, ns, and in which order they were sent.
    under_way: BTreeMap<(u64, u64), Vec<u8>>,
    sent: u64,
    lost: u64,
}

impl Link {
    /// One of its two directions: `direction` tells them apart.
    #[must_use]
    pub const fn new(loss: Loss, direction: u64) -> Self {
        let rng = Rng::new(loss.seed, 16 + direction);
        Self { loss, rng, under_way: BTreeMap::new(), sent: 0, lost: 0 }
    }

    /// A datagram is sent at `now_ns`.
    pub fn send(&mut self, now_ns: u64, bytes: Vec<u8>) {
        if self.rng.happens(self.loss.drop_ppm) {
            self.sent += 1;
            self.lost += 1;
            return;
        }
        if self.rng.happens(self.loss.duplicate_ppm) {
            self.put(now_ns, bytes.clone());
        }
        self.put(now_ns, bytes);
        self.sent += 1;
    }

    fn put(&mut self, now_ns: u64, bytes: Vec<u8>) {
        let (low, high) = OVERTAKEN_NS;
        let late = if self.rng.happens(self.loss.reorder_ppm) { self.rng.between(low, high) } else { 0 };
        // Twice the count, so that a datagram and its double have places of their own.
        let place = 2 * self.sent;
        let at_ns = now_ns.saturating_add(late);
        let place = if self.under_way.contains_key(&(at_ns, place)) { place + 1 } else { place };
        self.under_way.insert((at_ns, place), bytes);
    }

    /// When the next one arrives, ns.
    #[must_use]
    pub fn due_ns(&self) -> Option<u64> {
        self.under_way.keys().next().map(|(at, _)| *at)
    }

    /// Those that have arrived by `now_ns`.
    pub fn take(&mut self, now_ns: u64) -> Vec<Vec<u8>> {
        let later = self.under_way.split_off(&(now_ns.saturating_add(1), 0));
        std::mem::replace(&mut self.under_way, later).into_values().collect()
    }

    /// How many were lost, and how many were sent.
    #[must_use]
    pub const fn lost(&self) -> (u64, u64) {
        (self.lost, self.sent)
    }
}

/// Something that speaks in datagrams to one other: pure, time and bytes are arguments.
pub trait Endpoint: Send {
    /// When [`Endpoint::tick`] has something to do, ns.
    fn due_ns(&self) -> Option<u64>;

    /// Time has come to `now_ns`. What it sends.
    fn tick(&mut self, now_ns: u64) -> Vec<Vec<u8>>;

    /// A datagram came at `now_ns`. What it sends.
    fn datagram(&mut self, now_ns: u64, bytes: &[u8]) -> Vec<Vec<u8>>;
}

/// An endpoint behind a network that loses.
#[derive(Clone, Debug)]
pub struct Lossy<E> {
    /// The endpoint.
    pub endpoint: E,
    up: Link,
    down: Link,
}

impl<E: Endpoint> Lossy<E> {
    /// An endpoint behind a network, the same in both directions.
    #[must_use]
    pub const fn new(endpoint: E, loss: Loss) -> Self {
        Self { endpoint, up: Link::new(loss, 0), down: Link::new(loss, 1) }
    }

    /// When something happens next, ns.
    #[must_use]
    pub fn due_ns(&self) -> Option<u64> {
        [self.endpoint.due_ns(), self.up.due_ns(), self.down.due_ns()].into_iter().flatten().min()
    }

    /// The other side sends `bytes` at `now_ns`.
    pub fn sent(&mut self, now_ns: u64, bytes: Vec<u8>) {
        self.down.send(now_ns, bytes);
    }

    /// What arrives at the other side by `now_ns`.
    pub fn take(&mut self, now_ns: u64) -> Vec<Vec<u8>> {
        let mut out: Vec<_> = Vec::new();
        for bytes in self.down.take(now_ns) {
            out.extend(self.endpoint.datagram(now_ns, &bytes));
        }
        if self.endpoint.due_ns().is_some_and(|due| due <= now_ns) {
            out.extend(self.endpoint.tick(now_ns));
        }
        for bytes in out {
            self.up.send(now_ns, bytes);
        }
        self.up.take(now_ns)
    }

    /// How many datagrams were lost, and how many were sent, in both directions.
    #[must_use]
    pub const fn lost(&self) -> (u64, u64) {
        let ((a, all), (b, more)) = (self.up.lost(), self.down.lost());
        (a + b, all + more)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_as_asked_and_all_else_arrives_in_order() {
        let loss = Loss { drop_ppm: 100_000, duplicate_ppm: 50_000, reorder_ppm: 20_000, seed: 3 };
        let mut link = Link::new(loss, 0);
        let mut arrived = Vec::new();
        for n in 0..20_000u32 {
            let now = u64::from(n) * 10 * MS;
            link.send(now, n.to_be_bytes().into());
            arrived.extend(link.take(now));
        }
        arrived.extend(link.take(u64::MAX));
        assert_eq!(link.due_ns(), None);
        let arrived: Vec<u32> =
            arrived.iter().map(|b| u32::from_be_bytes([b[0], b[1], b[2], b[3]])).collect();
        let (lost, sent) = link.lost();
        assert_eq!(sent, 20_000);
        assert!((1_800..2_200).contains(&lost), "{lost}");
        let twice = arrived.len() as u64 + lost - sent;
        assert!((750..1_050).contains(&twice), "{twice}");
        let back = arrived.windows(2).filter(|pair| pair[1] < pair[0]).count();
        assert!((200..600).contains(&back), "{back}");
    }

    #[test]
    fn without_loss_all_arrives_at_once_and_once() {
        let mut link = Link::new(Loss::default(), 1);
        for n in 0..100u8 {
            link.send(5, vec![n]);
        }
        assert_eq!(link.take(4), Vec::<Vec<u8>>::new());
        assert_eq!(link.take(5), (0..100).map(|n| vec![n]).collect::<Vec<_>>());
    }
}
